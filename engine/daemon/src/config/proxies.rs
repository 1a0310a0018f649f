//! The `proxies` of `daemon.json`, which stand one level deeper than the flags
//! of the same names. Pure.

use dhow_local::config::{Proxies, ProxyAddress};
use serde_json::{Map, Value};

use super::values::wrong;
use super::{Error, Settings};

/// The key that holds the others.
const GROUP: &str = "proxies";

/// What the group may hold.
const KEYS: [&str; 3] = ["http-proxy", "https-proxy", "no-proxy"];

/// Moves what stands in the group up to where all other settings are, and
/// refuses it there where it was written so.
pub(super) fn lift(object: &mut Map<String, Value>) -> Result<(), Error> {
    let misplaced = KEYS.iter().filter(|key| object.contains_key(**key));
    let mut unknown: Vec<String> = misplaced.map(ToString::to_string).collect();
    match object.remove(GROUP) {
        None | Some(Value::Null) => {}
        Some(Value::Object(group)) => {
            for (key, value) in group {
                if KEYS.contains(&key.as_str()) {
                    object.insert(key, value);
                } else {
                    unknown.push(key);
                }
            }
        }
        Some(_) => return Err(wrong(GROUP, "must be an object")),
    }
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Error::UnknownKeys(unknown.join(", ")))
    }
}

/// Where the file has `key`, its group before it.
pub fn place(key: &str) -> String {
    match KEYS.contains(&key) {
        true => format!("{GROUP}.{key}"),
        false => key.to_owned(),
    }
}

/// The proxies that `settings` ask for.
pub(super) fn proxies(settings: &Settings) -> Result<Proxies, Error> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Ok(Proxies {
        http: address("http-proxy", &settings.http_proxy)?,
        https: address("https-proxy", &settings.https_proxy)?,
        no_proxy: given(&settings.no_proxy),
    })
}

/// `[http[s]://][user:password@]host[:port]`; what is empty is not set. Errors
/// don't repeat it.
fn address(what: &str, address: &Option<ProxyAddress>) -> Result<Option<ProxyAddress>, Error> {
    let Some(address) = address else {
        return Ok(None);
    };
    let text = address.expose();
    if text.is_empty() {
        return Ok(None);
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    if !matches!(scheme, "http" | "https") {
        return Err(wrong(
            what,
            format!("proxies of scheme {scheme} are not known"),
        ));
    }
    let authority = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = authority.trim_end_matches('/');
    if host.is_empty() || host.contains(['/', ' ', '?', '#']) {
        return Err(wrong(what, format!("{address} is not a proxy's address")));
    }
    Ok(Some(address.clone()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Proxies, String> {
        let Value::Object(object) = value else {
            panic!("not an object")
        };
        let settings = Settings::from_object(object).map_err(|e| e.to_string())?;
        proxies(&settings).map_err(|e| e.to_string())
    }

    #[test]
    fn the_file_has_them_in_a_group() {
        let read_all = read(json!({"proxies": {
            "http-proxy": "http://me:secret@proxy:3128",
            "https-proxy": "proxy:3129",
            "no-proxy": "localhost,.test",
        }}));
        assert_eq!(
            read_all,
            Ok(Proxies {
                http: Some(ProxyAddress::new("http://me:secret@proxy:3128")),
                https: Some(ProxyAddress::new("proxy:3129")),
                no_proxy: Some("localhost,.test".into()),
            })
        );
        assert_eq!(read(json!({"proxies": null})), Ok(Proxies::default()));
        let empty = json!({"proxies": {"http-proxy": "", "no-proxy": ""}});
        assert_eq!(read(empty), Ok(Proxies::default()));
    }

    #[test]
    fn elsewhere_and_otherwise_they_are_refused() {
        let unknown = "the following directives don't match any configuration option: ";
        let check = |value: Value, expected: &str| {
            assert_eq!(read(value).unwrap_err(), expected);
        };
        check(
            json!({"http-proxy": "http://proxy"}),
            &format!("{unknown}http-proxy"),
        );
        check(
            json!({"proxies": {"ftp-proxy": "x"}}),
            &format!("{unknown}ftp-proxy"),
        );
        check(json!({"proxies": []}), "proxies: must be an object");
        check(
            json!({"proxies": {"http-proxy": "socks5://me:secret@proxy"}}),
            "http-proxy: proxies of scheme socks5 are not known",
        );
        check(
            json!({"proxies": {"https-proxy": "http://me:secret@a b"}}),
            "https-proxy: http://xxxxx:xxxxx@a b is not a proxy's address",
        );
    }

    #[test]
    fn a_conflict_shows_no_password() {
        let flags = Settings {
            http_proxy: Some(ProxyAddress::new("http://me:secret@a")),
            ..Settings::default()
        };
        let file = Settings {
            http_proxy: Some(ProxyAddress::new("http://you:secret@b")),
            ..Settings::default()
        };
        assert_eq!(
            flags.conflicts(&file),
            ["http-proxy: (from flag: http://xxxxx:xxxxx@a, from file: http://xxxxx:xxxxx@b)"]
        );
    }
}
