//! `--docker key=value,…`: an endpoint as it is written on a command line.

use std::collections::BTreeMap;
use std::io::Read;

use clap::Args;
use dhow_client::context::{self, CA, CERTIFICATE, Context, DOCKER, KEY, Material, Store};

use crate::failure::{Failure, path_error};
use crate::options::{flag, words};
use crate::session::Session;

// No documentation comment: it would become that of each command.
#[derive(Args)]
pub struct Flags {
    /// Say what it is for
    #[arg(long, default_value = "")]
    pub description: String,
    /// The engine's address: host, ca, cert, key, skip-tls-verify, or from
    #[arg(long, value_name = "stringToString", value_parser = parse)]
    pub docker: Vec<Settings>,
}

/// The keys and values of one `--docker`.
pub type Settings = BTreeMap<String, String>;

const KEYS: &[&str] = &["ca", "cert", "from", "host", "key", "skip-tls-verify"];

/// Reads one `--docker`. A single pair may hold commas and quotes; several
/// pairs are one line of CSV.
pub fn parse(text: &str) -> Result<Settings, String> {
    let pairs = match text.matches('=').count() {
        0 => return Err(format!("{text} must be formatted as key=value")),
        1 => vec![text.trim_matches('"').to_owned()],
        _ => words::comma_fields(text)?,
    };
    pairs
        .into_iter()
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(format!("{pair} must be formatted as key=value")),
        })
        .collect()
}

/// Sets the Docker endpoint of `context` to what `settings` say.
pub fn apply(
    settings: &[Settings],
    context: &mut Context,
    material: &mut Material,
    session: &Session,
    store: &Store,
) -> Result<(), Failure> {
    let settings: Settings = settings.iter().flatten().map(owned).collect();
    let (host, skip_verify, files) = resolve(&settings, session, store).map_err(|failure| {
        let reason = failure.text(session.program).unwrap_or_default();
        Failure::message(format!("unable to create docker endpoint config: {reason}"))
    })?;
    context.set_docker(&host, skip_verify);
    if files.is_empty() {
        material.remove(DOCKER);
    } else {
        material.insert(DOCKER.to_owned(), files);
    }
    Ok(())
}

/// A file's contents, with Go's words where it cannot be read.
pub fn read(path: &str) -> Result<Vec<u8>, Failure> {
    let failed = |operation| move |error| Failure::message(path_error(operation, path, &error));
    let mut file = std::fs::File::open(path).map_err(failed("open"))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed("read"))?;
    Ok(bytes)
}

type Resolved = (String, bool, BTreeMap<String, Vec<u8>>);

fn resolve(settings: &Settings, session: &Session, store: &Store) -> Result<Resolved, Failure> {
    let unknown: Vec<String> = settings
        .keys()
        .filter(|key| !KEYS.contains(&key.as_str()))
        .map(|key| format!("unrecognized config key: {key}"))
        .collect();
    if !unknown.is_empty() {
        return Err(Failure::message(unknown.join("\n")));
    }
    if let Some(from) = settings.get("from") {
        let (other, mut material) = super::find(session, store, from)?;
        if !other.is_docker() {
            return Err(Failure::message(format!(
                "unable to get endpoint from context {from:?}"
            )));
        }
        let files = material.remove(DOCKER).unwrap_or_default();
        return Ok((other.host().to_owned(), other.skip_verify(), files));
    }
    let mut files = BTreeMap::new();
    for (key, name) in [("ca", CA), ("cert", CERTIFICATE), ("key", KEY)] {
        if let Some(path) = settings.get(key).filter(|path| !path.is_empty()) {
            files.insert(name.to_owned(), read(path)?);
        }
    }
    let skip_verify = match settings.get("skip-tls-verify") {
        None => false,
        Some(text) => flag::boolean(text).map_err(|_| {
            Failure::message(format!("skip-tls-verify: parsing {text:?}: invalid syntax"))
        })?,
    };
    let host = settings.get("host").map_or("", String::as_str);
    context::check(host, &files)?;
    Ok((host.to_owned(), skip_verify, files))
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let expected: Settings = expected
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn one_pair_keeps_its_commas_and_several_are_csv() {
        check("host=tcp://a,,", &[("host", "tcp://a,,")]);
        check("\"host=tcp://a\"", &[("host", "tcp://a")]);
        check("host=a,host=b,ca=", &[("ca", ""), ("host", "b")]);
        check("\"host=a,b\",ca=x", &[("ca", "x"), ("host", "a,b")]);
        assert_eq!(
            parse("host").unwrap_err(),
            "host must be formatted as key=value"
        );
        assert_eq!(
            parse("host=x,b=\"q").unwrap_err(),
            "parse error on line 1, column 10: bare \" in non-quoted-field"
        );
    }
}
