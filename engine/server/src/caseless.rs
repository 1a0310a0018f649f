//! Reading JSON trees as Go reads them: names of fields in whatever case.
//!
//! Go takes `detachKeys` for `DetachKeys` where there is no better match, and
//! Docker's SDK for Python and other clients have come to rely on it. Only
//! fields of types are meant: keys of maps are the user's and stay as they are.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde_json::{Error, Map, Value};

/// A tree to be read.
pub(crate) struct Caseless(pub Value);

impl Caseless {
    /// An object whose keys are spelled as `fields` has them. Where a key
    /// comes in several cases the one that needed no change wins.
    fn spelled(object: Map<String, Value>, fields: &[&str]) -> Map<String, Value> {
        let mut spelled = Map::with_capacity(object.len());
        let (exact, other): (Vec<_>, Vec<_>) = object
            .into_iter()
            .partition(|(key, _)| fields.contains(&key.as_str()));
        spelled.extend(exact);
        for (key, value) in other {
            let field = fields.iter().find(|field| field.eq_ignore_ascii_case(&key));
            let key = field.map_or(key, |field| (*field).to_owned());
            spelled.entry(key).or_insert(value);
        }
        spelled
    }
}

impl<'de> IntoDeserializer<'de, Error> for Caseless {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Caseless {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(list) => {
                let mut list = SeqDeserializer::new(list.into_iter().map(Caseless));
                let value = visitor.visit_seq(&mut list)?;
                list.end()?;
                Ok(value)
            }
            Value::Object(object) => {
                let entries = object
                    .into_iter()
                    .map(|(key, value)| (key, Caseless(value)));
                visitor.visit_map(MapDeserializer::new(entries))
            }
            leaf => leaf.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(object) => {
                let object = Value::Object(Self::spelled(object, fields));
                Caseless(object).deserialize_any(visitor)
            }
            other => Caseless(other).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(Caseless(value)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes
        byte_buf unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use dhow_local::models::{ContainerCreateBody, ExecConfig};
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    fn read<T: DeserializeOwned>(value: Value) -> T {
        T::deserialize(Caseless(value)).unwrap()
    }

    #[test]
    fn fields_are_known_in_any_case() {
        let exec: ExecConfig = read(json!({"cmd": ["a"], "detachKeys": "ctrl-p", "TTY": true}));
        assert_eq!(exec.cmd, Some(vec!["a".to_owned()]));
        assert_eq!(exec.detach_keys.as_deref(), Some("ctrl-p"));
        assert_eq!(exec.tty, Some(true));
        let exact: ExecConfig = read(json!({"user": "lower", "User": "exact", "USER": "upper"}));
        assert_eq!(exact.user.as_deref(), Some("exact"));
    }

    #[test]
    fn keys_of_maps_are_the_users_own() {
        let body: ContainerCreateBody = read(json!({
            "labels": {"Image": "1", "image": "2"},
            "hostconfig": {"restartPolicy": {"name": "always"}, "Sysctls": null},
        }));
        let labels = body.labels.unwrap();
        assert_eq!(
            (labels["Image"].as_str(), labels["image"].as_str()),
            ("1", "2")
        );
        let policy = body.host_config.unwrap().restart_policy.unwrap();
        assert_eq!(policy.name.unwrap().to_string(), "always");
    }
}
