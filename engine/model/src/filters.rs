//! The `filters` parameter of Docker's list, prune and event requests: keys
//! with sets of values, in both forms clients send, and the ways values match.
//!
//! Which keys an endpoint accepts is the endpoint's business.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorKind, HasKind};

/// Keys, each with its set of values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, BTreeSet<String>>);

/// A filter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidFilter {
    key: Option<String>,
    values: Option<Vec<String>>,
}

impl Filters {
    /// Reads `{"key":{"value":true}}` or `{"key":["value"]}`; an empty text is
    /// no filter.
    pub fn from_json(text: &str) -> Result<Self, InvalidFilter> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let wire: Option<BTreeMap<String, Values>> =
            serde_json::from_str(text).map_err(|_| InvalidFilter::MALFORMED)?;
        let fields = wire.unwrap_or_default().into_iter();
        Ok(Self(fields.map(|(key, v)| (key, v.into_set())).collect()))
    }

    /// The filters of already decoded parameters.
    pub fn from_map(map: HashMap<String, Vec<String>>) -> Self {
        let fields = map.into_iter();
        Self(
            fields
                .map(|(key, v)| (key, v.into_iter().collect()))
                .collect(),
        )
    }

    /// The newer of the two wire forms.
    pub fn to_json(&self) -> String {
        let wire: BTreeMap<&str, BTreeMap<&str, bool>> = self
            .0
            .iter()
            .map(|(key, values)| {
                let values = values.iter().map(|value| (value.as_str(), true));
                (key.as_str(), values.collect())
            })
            .collect();
        serde_json::to_string(&wire).expect("a map of strings is JSON")
    }

    /// Adds a value to a key.
    pub fn add(&mut self, key: &str, value: &str) {
        self.0
            .entry(key.to_owned())
            .or_default()
            .insert(value.to_owned());
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether the key is there, with or without values.
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The values of a key, in order.
    pub fn get(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.get(key).into_iter().flatten().map(String::as_str)
    }

    /// Refuses keys that are not among `accepted`.
    pub fn validate(&self, accepted: &[&str]) -> Result<(), InvalidFilter> {
        match self.keys().find(|key| !accepted.contains(key)) {
            Some(key) => Err(InvalidFilter::key(key)),
            None => Ok(()),
        }
    }

    /// Whether `actual` is one of the key's values, or there are none.
    pub fn matches_exactly(&self, key: &str, actual: &str) -> bool {
        self.unset_or(key, |values| values.contains(actual))
    }

    /// Whether one of the key's values equals `actual` or is found in it as a
    /// regular expression, or there are none.
    pub fn matches_pattern(&self, key: &str, actual: &str) -> bool {
        self.unset_or(key, |values| {
            values.contains(actual)
                || values.iter().any(|value| {
                    regex_lite::Regex::new(value).is_ok_and(|pattern| pattern.is_match(actual))
                })
        })
    }

    /// Whether `actual` starts with one of the key's values, or there are none.
    pub fn matches_prefix(&self, key: &str, actual: &str) -> bool {
        self.unset_or(key, |values| {
            values
                .iter()
                .any(|value| actual.starts_with(value.as_str()))
        })
    }

    /// Whether all of the key's `name` and `name=value` texts are true of
    /// `labels`, or there are none.
    pub fn matches_labels(&self, key: &str, labels: &HashMap<String, String>) -> bool {
        self.unset_or(key, |values| {
            values.iter().all(|value| label_matches(value, labels))
        })
    }

    /// Prune's `label!`: false as soon as one of the texts is true of `labels`.
    pub fn spares_labels(&self, key: &str, labels: &HashMap<String, String>) -> bool {
        self.get(key).all(|value| !label_matches(value, labels))
    }

    /// A yes-or-no filter, `default` where it is not given.
    pub fn boolean(&self, key: &str, default: bool) -> Result<bool, InvalidFilter> {
        let Some(values) = self.0.get(key) else {
            return Ok(default);
        };
        if values.is_empty() {
            return Err(InvalidFilter::key(key));
        }
        let no = values.contains("0") || values.contains("false");
        let yes = values.contains("1") || values.contains("true");
        if no == yes {
            return Err(InvalidFilter::values(key, self.get(key)));
        }
        Ok(yes)
    }

    fn unset_or(&self, key: &str, test: impl FnOnce(&BTreeSet<String>) -> bool) -> bool {
        match self.0.get(key) {
            Some(values) if !values.is_empty() => test(values),
            _ => true,
        }
    }
}

impl InvalidFilter {
    const MALFORMED: Self = Self {
        key: None,
        values: None,
    };

    /// The key itself is not accepted.
    pub fn key(key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            values: None,
        }
    }

    /// The key's values are not usable.
    pub fn values<'a>(key: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            key: Some(key.to_owned()),
            values: Some(values.into_iter().map(str::to_owned).collect()),
        }
    }
}

impl fmt::Display for InvalidFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, &self.values) {
            (None, _) => f.write_str("invalid filter"),
            (Some(key), None) => write!(f, "invalid filter '{key}'"),
            (Some(key), Some(values)) => {
                write!(f, "invalid filter '{key}=[{}]'", values.join(" "))
            }
        }
    }
}

impl std::error::Error for InvalidFilter {}

impl HasKind for InvalidFilter {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

/// Whether `name` or `name=value` is true of `labels`.
pub fn label_matches(wanted: &str, labels: &HashMap<String, String>) -> bool {
    match wanted.split_once('=') {
        Some((name, value)) => labels.get(name).is_some_and(|actual| actual == value),
        None => labels.contains_key(wanted),
    }
}

/// The values of one key as they come over the wire.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Values {
    Map(BTreeMap<String, bool>),
    List(Vec<String>),
    Null(()),
}

impl Values {
    fn into_set(self) -> BTreeSet<String> {
        match self {
            // A value sent as false is still a value for Docker's matching by
            // prefix or pattern, but not for equality; no client sends one.
            Self::Map(map) => map
                .into_iter()
                .filter(|(_, on)| *on)
                .map(|(v, _)| v)
                .collect(),
            Self::List(list) => list.into_iter().collect(),
            Self::Null(()) => BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(text: &str) -> Filters {
        Filters::from_json(text).unwrap()
    }

    #[test]
    fn both_wire_forms_mean_the_same() {
        let new = filters(r#"{"label":{"a":true,"b=c":true},"dangling":{"true":true}}"#);
        let old = filters(r#"{"label":["a","b=c"],"dangling":["true"]}"#);
        assert_eq!(new, old);
        assert_eq!(filters(&new.to_json()), new);
        assert_eq!(filters(""), Filters::default());
        assert_eq!(filters("{}"), Filters::default());
        assert_eq!(filters("null"), Filters::default());
    }

    #[test]
    fn wrong_filters_are_named() {
        for text in ["[]", "{", "{\"a\":1}", "\"a\"", "{\"a\":[1]}"] {
            let error = Filters::from_json(text).expect_err(text);
            assert_eq!(error.to_string(), "invalid filter");
        }
        let sent = filters(r#"{"nope":["x"]}"#);
        let error = sent.validate(&["label"]).unwrap_err();
        assert_eq!(error.to_string(), "invalid filter 'nope'");
        assert_eq!(sent.validate(&["nope"]), Ok(()));
        let sent = filters(r#"{"dangling":["true","false"]}"#);
        let error = sent.boolean("dangling", false).unwrap_err();
        assert_eq!(error.to_string(), "invalid filter 'dangling=[false true]'");
        let error = filters(r#"{"d":["maybe"]}"#)
            .boolean("d", false)
            .unwrap_err();
        assert_eq!(error.to_string(), "invalid filter 'd=[maybe]'");
    }

    #[test]
    fn booleans_have_defaults() {
        assert_eq!(filters("").boolean("d", true), Ok(true));
        assert_eq!(filters(r#"{"d":["1"]}"#).boolean("d", false), Ok(true));
        assert_eq!(filters(r#"{"d":["false"]}"#).boolean("d", true), Ok(false));
    }

    #[test]
    fn values_match_by_equality_pattern_prefix_and_label() {
        let sent = filters(r#"{"name":["^/we","x+y"],"id":["abc"],"label":["a","b=c"]}"#);
        assert!(sent.matches_pattern("name", "/web"));
        assert!(!sent.matches_pattern("name", "/aweb"));
        assert!(sent.matches_pattern("name", "x+y"));
        assert!(!filters(r#"{"name":["("]}"#).matches_pattern("name", "web"));
        assert!(sent.matches_prefix("id", "abcdef") && !sent.matches_prefix("id", "zabc"));
        assert!(sent.matches_exactly("id", "abc") && !sent.matches_exactly("id", "abcd"));
        assert!(sent.matches_exactly("unset", "anything"));
        let labels = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string()));
            pairs.collect::<HashMap<_, _>>()
        };
        assert!(sent.matches_labels("label", &labels(&[("a", "1"), ("b", "c")])));
        assert!(!sent.matches_labels("label", &labels(&[("a", "1"), ("b", "d")])));
        assert!(!sent.matches_labels("label", &labels(&[])));
        assert!(sent.spares_labels("label", &labels(&[("b", "d")])));
        assert!(!sent.spares_labels("label", &labels(&[("a", "1")])));
        assert!(sent.spares_labels("label!", &labels(&[("a", "1")])));
    }
}
