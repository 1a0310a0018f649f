//! Query strings, read as dockerd's `httputils` reads them. Pure.

use std::collections::HashMap;

use dhow_local::Error;
use serde_json::Value;

/// The decoded parameters of one request, in order, repeated ones kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Decodes what stands behind the `?`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let pairs = text
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((unescape(key)?, unescape(value)?))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { pairs })
    }

    /// The first value of `key`, even an empty one.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    /// Every value of `key`.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let wanted = move |pair: &&(String, String)| pair.0 == key;
        self.pairs
            .iter()
            .filter(wanted)
            .map(|(_, value)| value.as_str())
    }

    /// The first value, or nothing.
    pub fn text(&self, key: &str) -> String {
        self.get(key).unwrap_or_default().to_owned()
    }

    /// The first value if it is not empty.
    pub fn some(&self, key: &str) -> Option<String> {
        self.get(key).filter(|v| !v.is_empty()).map(str::to_owned)
    }

    /// All values that are not empty; `None` if there is none.
    pub fn list(&self, key: &str) -> Option<Vec<String>> {
        let values: Vec<String> = self
            .all(key)
            .filter(|v| !v.is_empty())
            .map(str::to_owned)
            .collect();
        (!values.is_empty()).then_some(values)
    }

    /// Docker's notion of a true parameter: anything that does not say no.
    pub fn bool(&self, key: &str) -> bool {
        let value = self
            .get(key)
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        !matches!(value.as_str(), "" | "0" | "no" | "false" | "none")
    }

    /// As [`bool`](Self::bool), with a default for a parameter that is absent.
    pub fn bool_or(&self, key: &str, default: bool) -> bool {
        if self.get(key).is_some() {
            self.bool(key)
        } else {
            default
        }
    }

    /// A number, if one is given.
    pub fn number<N: std::str::FromStr>(&self, key: &str) -> Result<Option<N>, Error> {
        let Some(text) = self.get(key).filter(|v| !v.is_empty()) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) if text.parse::<i128>().is_ok() => Err(Error::invalid(format!(
                "strconv.Atoi: parsing {text:?}: value out of range"
            ))),
            Err(_) => Err(Error::invalid(format!(
                "strconv.Atoi: parsing {text:?}: invalid syntax"
            ))),
        }
    }

    /// The `filters` parameter in either of its JSON forms,
    /// `{"label":["a"]}` and `{"label":{"a":true}}`.
    pub fn filters(&self) -> Result<Option<HashMap<String, Vec<String>>>, Error> {
        let Some(text) = self.get("filters").filter(|v| !v.is_empty()) else {
            return Ok(None);
        };
        filters(text)
            .map(Some)
            .ok_or_else(|| Error::invalid("invalid filter"))
    }
}

fn filters(text: &str) -> Option<HashMap<String, Vec<String>>> {
    let Value::Object(object) = serde_json::from_str(text).ok()? else {
        return None;
    };
    let mut filters = HashMap::with_capacity(object.len());
    for (key, value) in object {
        let values: Option<Vec<String>> = match value {
            Value::Array(items) => items
                .into_iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
            Value::Object(set) => set
                .into_iter()
                .map(|(name, on)| on.is_boolean().then_some(name))
                .collect(),
            Value::Null => Some(Vec::new()),
            _ => None,
        };
        filters.insert(key, values?);
    }
    Some(filters)
}

fn unescape(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let byte = rest
                    .get(..2)
                    .and_then(|d| hex_byte(d[0], d[1]))
                    .ok_or_else(|| {
                        let shown =
                            String::from_utf8_lossy(&rest[..rest.len().min(2)]).into_owned();
                        Error::invalid(format!("invalid URL escape \"%{shown}\""))
                    })?;
                bytes.push(byte);
                rest = &rest[2..];
            }
            other => bytes.push(other),
        }
    }
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| (b as char).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::parse(text).unwrap()
    }

    #[test]
    fn reads_booleans_as_docker_does() {
        for (value, expected) in [
            ("", false),
            ("0", false),
            ("no", false),
            ("False", false),
            ("none", false),
            ("+", false),
            ("1", true),
            ("true", true),
            ("T", true),
            ("f", true),
            ("anything", true),
        ] {
            assert_eq!(
                query(&format!("all={value}")).bool("all"),
                expected,
                "{value:?}"
            );
        }
        assert!(!query("").bool("all"));
        assert!(query("").bool_or("stream", true));
        assert!(!query("stream=0").bool_or("stream", true));
    }

    #[test]
    fn decodes_escapes_and_keeps_order() {
        let query = query("names=a%2Fb&names=c+d&x");
        assert_eq!(query.all("names").collect::<Vec<_>>(), ["a/b", "c d"]);
        assert_eq!(query.get("x"), Some(""));
        assert_eq!(query.some("x"), None);
    }

    #[test]
    fn refuses_broken_escapes() {
        let error = Query::parse("a=%zz").unwrap_err();
        assert_eq!(error.to_string(), "invalid URL escape \"%zz\"");
        assert_eq!(
            Query::parse("a=%2").unwrap_err().to_string(),
            "invalid URL escape \"%2\""
        );
    }

    #[test]
    fn reads_numbers() {
        assert_eq!(query("t=5").number::<i32>("t").unwrap(), Some(5));
        assert_eq!(query("t=-1").number::<i32>("t").unwrap(), Some(-1));
        assert_eq!(query("t=").number::<i32>("t").unwrap(), None);
        let error = query("t=abc").number::<i32>("t").unwrap_err();
        assert_eq!(
            error.to_string(),
            "strconv.Atoi: parsing \"abc\": invalid syntax"
        );
        let error = query("t=99999999999").number::<i32>("t").unwrap_err();
        assert!(error.to_string().ends_with("value out of range"));
    }

    #[test]
    fn reads_both_forms_of_filters() {
        let read = |json: &str| filters(json).map(|f| f.get("label").cloned().unwrap_or_default());
        assert_eq!(
            read(r#"{"label":["a","b"]}"#),
            Some(vec!["a".into(), "b".into()])
        );
        assert_eq!(read(r#"{"label":{"a":true}}"#), Some(vec!["a".into()]));
        assert_eq!(read("{}"), Some(vec![]));
        for bad in ["[]", "x", r#"{"label":"a"}"#, r#"{"label":[1]}"#] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
