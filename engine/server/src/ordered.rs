//! JSON trees with their keys in the order in which Go writes them: fields as
//! the type declares them, keys of maps sorted.
//!
//! People read `docker inspect` from the top, and compare two answers line by
//! line. `serde_json` cannot tell a field from a key of a hash map once both
//! are in its tree, so the tree is built here.
//!
//! Here too, because only here is their place known: the fields that Docker
//! sends even when there is nothing to say, as `null`.

mod go_types;

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{self, Serializer};
use serde_json::{Error, Map, Value};

use go_types::{ALWAYS, SORTED};

/// `value` as a tree.
pub(crate) fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, Error> {
    value.serialize(Tree)
}

/// Leaves are left to `serde_json`; what has children is built here.
struct Tree;

/// Elements of a sequence, within the variant `name` if there is one.
struct Elements {
    list: Vec<Value>,
    name: Option<&'static str>,
}

/// Fields in the order of their declaration, likewise.
struct Fields {
    fields: Map<String, Value>,
    always: &'static [&'static str],
    sorted: bool,
    name: Option<&'static str>,
}

/// Keys of a map, which sort themselves.
#[derive(Default)]
struct Keys {
    entries: BTreeMap<String, Value>,
    key: Option<String>,
}

/// What a variant with content looks like: an object with one field.
fn tagged(name: Option<&'static str>, value: Value) -> Value {
    match name {
        Some(name) => Value::Object(Map::from_iter([(name.to_owned(), value)])),
        None => value,
    }
}

macro_rules! leaves {
    ($($method:ident($kind:ty)),* $(,)?) => {
        $(fn $method(self, value: $kind) -> Result<Value, Error> {
            serde_json::value::Serializer.$method(value)
        })*
    };
}

impl Serializer for Tree {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = Elements;
    type SerializeTuple = Elements;
    type SerializeTupleStruct = Elements;
    type SerializeTupleVariant = Elements;
    type SerializeMap = Keys;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    leaves! {
        serialize_bool(bool),
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
        serialize_f32(f32), serialize_f64(f64),
        serialize_char(char), serialize_str(&str), serialize_bytes(&[u8]),
    }

    fn serialize_none(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Value, Error> {
        Ok(Value::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        Ok(tagged(Some(variant), value.serialize(self)?))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Elements, Error> {
        Ok(Elements {
            list: Vec::with_capacity(len.unwrap_or_default()),
            name: None,
        })
    }

    fn serialize_tuple(self, len: usize) -> Result<Elements, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Elements, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Elements, Error> {
        Ok(Elements {
            list: Vec::with_capacity(len),
            name: Some(variant),
        })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Keys, Error> {
        Ok(Keys::default())
    }

    fn serialize_struct(self, of: &'static str, len: usize) -> Result<Fields, Error> {
        let always = ALWAYS.iter().find(|(name, _)| *name == of);
        Ok(Fields {
            fields: Map::with_capacity(len),
            always: always.map_or(&[], |(_, fields)| fields),
            sorted: SORTED.contains(&of),
            name: None,
        })
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Fields, Error> {
        Ok(Fields {
            fields: Map::with_capacity(len),
            always: &[],
            sorted: false,
            name: Some(variant),
        })
    }
}

impl Elements {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.list.push(to_value(value)?);
        Ok(())
    }

    fn done(self) -> Value {
        tagged(self.name, Value::Array(self.list))
    }
}

impl Fields {
    fn push<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        self.fields.insert(key.to_owned(), to_value(value)?);
        Ok(())
    }

    /// What serde leaves out because it is empty.
    fn skip(&mut self, key: &'static str) {
        if self.always.contains(&key) {
            self.fields.insert(key.to_owned(), Value::Null);
        }
    }

    fn done(mut self) -> Value {
        if self.sorted {
            self.fields.sort_keys();
        }
        tagged(self.name, Value::Object(self.fields))
    }
}

macro_rules! sequences {
    ($($kind:ident $method:ident),* $(,)?) => {
        $(impl ser::$kind for Elements {
            type Ok = Value;
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.push(value)
            }

            fn end(self) -> Result<Value, Error> {
                Ok(self.done())
            }
        })*
    };
}

sequences! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

macro_rules! structures {
    ($($kind:ident),*) => {
        $(impl ser::$kind for Fields {
            type Ok = Value;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.push(key, value)
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), Error> {
                self.skip(key);
                Ok(())
            }

            fn end(self) -> Result<Value, Error> {
                Ok(self.done())
            }
        })*
    };
}

structures!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Keys {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = Some(match to_value(key)? {
            Value::String(text) => text,
            // As `serde_json` does with numbers and booleans.
            other => other.to_string(),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take();
        let key = key.ok_or_else(|| ser::Error::custom("a value without a key"))?;
        self.entries.insert(key, to_value(value)?);
        Ok(())
    }

    fn end(self) -> Result<Value, Error> {
        Ok(Value::Object(self.entries.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[derive(Serialize)]
    enum Choice {
        Plain,
        Content(u8),
        Pair(u8, u8),
        Named { z: u8, a: u8 },
    }

    #[derive(Serialize)]
    struct Answer {
        id: &'static str,
        created: Option<u8>,
        labels: HashMap<&'static str, u8>,
        choices: Vec<Choice>,
        by_port: HashMap<u16, ()>,
    }

    #[test]
    fn fields_keep_their_order_and_keys_are_sorted() {
        let answer = Answer {
            id: "1",
            created: None,
            labels: HashMap::from([("z", 1), ("b", 2), ("m", 3), ("a", 4)]),
            choices: vec![
                Choice::Plain,
                Choice::Content(1),
                Choice::Pair(1, 2),
                Choice::Named { z: 1, a: 2 },
            ],
            by_port: HashMap::from([(80, ()), (443, ())]),
        };
        let text = to_value(&answer).unwrap().to_string();
        assert_eq!(
            text,
            concat!(
                r#"{"id":"1","created":null,"labels":{"a":4,"b":2,"m":3,"z":1},"#,
                r#""choices":["Plain",{"Content":1},{"Pair":[1,2]},{"Named":{"z":1,"a":2}}],"#,
                r#""by_port":{"443":null,"80":null}}"#
            )
        );
    }

    #[test]
    fn what_docker_never_leaves_out_is_null_in_its_place() {
        let answer = bollard_stubs::models::ExecInspectResponse {
            id: Some("1".to_owned()),
            running: Some(true),
            pid: Some(7),
            ..Default::default()
        };
        assert_eq!(
            to_value(&answer).unwrap().to_string(),
            r#"{"ID":"1","Running":true,"ExitCode":null,"Pid":7}"#
        );
    }
}
