//! The values templates work on. They come from JSON and keep its key order;
//! what Go would know from its types (which object is a map, which null is an
//! empty list) is told from the key's name.

use std::fmt;

use super::known;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Any value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Nil(Nil),
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    Object(Object),
}

/// What a JSON `null` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nil {
    /// Nothing is known of it, or it is a pointer.
    Pointer,
    List,
    Map,
}

/// A JSON object, or a row of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// What Go would have in its place.
    pub kind: Kind,
    /// Entries in the order they came in.
    pub entries: Vec<(String, Value)>,
    /// Under which key it stood, as far as [`super::known`] cares.
    pub origin: &'static str,
    /// What a row's `.Label "key"` looks in.
    pub labels: Vec<(String, String)>,
}

/// What Go has where we have an [`Object`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Map,
    Struct,
    /// A struct, by the type name Go's errors show.
    Typed(&'static str),
    /// A formatting context, by the type name Go's errors show.
    Row(&'static str),
}

impl Value {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The value of a key, nil where there is none.
    pub fn get(&self, key: &str) -> &Value {
        const NOTHING: &Value = &Value::Nil(Nil::Pointer);
        match self {
            Self::Object(object) => object.get(key).unwrap_or(NOTHING),
            _ => NOTHING,
        }
    }

    /// A text, empty where it is none.
    pub fn str(&self, key: &str) -> &str {
        self.get(key).as_str().unwrap_or_default()
    }

    /// A whole number, zero where it is none.
    pub fn int(&self, key: &str) -> i64 {
        self.get(key).as_int().unwrap_or_default()
    }

    /// A truth, false where it is none.
    pub fn bool(&self, key: &str) -> bool {
        matches!(self.get(key), Self::Bool(true))
    }

    /// A list's items, none where it is no list.
    pub fn list(&self, key: &str) -> &[Value] {
        self.get(key).items()
    }

    /// An object's entries, none where it is no object.
    pub fn map(&self, key: &str) -> &[(String, Value)] {
        self.get(key).entries()
    }

    /// An object of texts (labels, options).
    pub fn texts(&self, key: &str) -> Vec<(String, String)> {
        self.map(key)
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect()
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => i64::try_from(*number).ok(),
            Self::Float(number) => Some(*number as i64),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn items(&self) -> &[Value] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The entries, if it is an object.
    pub fn entries(&self) -> &[(String, Value)] {
        match self {
            Self::Object(object) => &object.entries,
            _ => &[],
        }
    }

    /// Whether it is null.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil(_))
    }

    /// Go's truth: anything but the zero value.
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil(_) => false,
            Self::Bool(value) => *value,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Object(object) => object.kind != Kind::Map || !object.entries.is_empty(),
        }
    }

    /// The name of the Go type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil(_) => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Object(object) => match object.kind {
                Kind::Row(name) | Kind::Typed(name) => name,
                _ => "map[string]interface {}",
            },
        }
    }

    /// The same object with Go's name for its type.
    pub fn typed(mut self, name: &'static str) -> Self {
        if let Self::Object(object) = &mut self {
            object.kind = Kind::Typed(name);
        }
        self
    }

    /// Reads JSON.
    pub fn from_json(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }
}

impl Object {
    /// A plain object.
    pub fn new(kind: Kind, entries: Vec<(String, Value)>) -> Self {
        Self {
            kind,
            entries,
            origin: "?",
            labels: Vec::new(),
        }
    }

    /// The value of a key. Go's structs say `ID` where the JSON says `Id`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let find = |key: &str| {
            let entry = self.entries.iter().find(|(name, _)| name == key)?;
            Some(&entry.1)
        };
        find(key).or_else(|| if key == "ID" { find("Id") } else { None })
    }
}

impl fmt::Display for Value {
    /// As Go's `%v` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil(Nil::Pointer) => f.write_str("<nil>"),
            Self::Nil(Nil::List) => f.write_str("[]"),
            Self::Nil(Nil::Map) => f.write_str("map[]"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => f.write_str(&super::printf::float_g(*number)),
            Self::Text(text) => f.write_str(text),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            Self::Object(object) if object.kind == Kind::Map => {
                f.write_str("map[")?;
                for (index, (key, value)) in sorted(&object.entries).into_iter().enumerate() {
                    if index > 0 {
                        f.write_str(" ")?;
                    }
                    write!(f, "{key}:{value}")?;
                }
                f.write_str("]")
            }
            Self::Object(object) => {
                f.write_str("{")?;
                for (index, (_, value)) in object.entries.iter().enumerate() {
                    if index > 0 {
                        f.write_str(" ")?;
                    }
                    write!(f, "{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Entries by key, as Go visits maps.
pub fn sorted(entries: &[(String, Value)]) -> Vec<&(String, Value)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    sorted
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed {
            key: "",
            within: "",
        }
        .deserialize(deserializer)
    }
}

/// Keys whose objects are maps in Docker's Go types.
const MAPS: &[&str] = &[
    "Annotations",
    "Attributes",
    "Containers",
    "Data",
    "Details",
    "DriverOpts",
    "ExposedPorts",
    "IndexConfigs",
    "Labels",
    "Networks",
    "Options",
    "PortBindings",
    "TLSMaterial",
    "Ports",
    "Runtimes",
    "Status",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// Keys whose nulls are pointers; every other null is a list's.
const POINTERS: &[&str] = &[
    "BindOptions",
    "Descriptor",
    "Health",
    "Healthcheck",
    "IPAMConfig",
    "ImageManifestDescriptor",
    "Init",
    "MemorySwappiness",
    "OomKillDisable",
    "PidsLimit",
    "Platform",
    "SizeRootFs",
    "SizeRw",
    "StopTimeout",
    "UsageData",
];

/// Stands for the key of what is in a list, or in a map, whose keys are data.
const ITEM: &str = "\0";

/// Knows under which key, and within which object's key, a value stands.
struct Seed<'a> {
    key: &'a str,
    within: &'a str,
}

impl Seed<'_> {
    fn is_map(&self) -> bool {
        MAPS.contains(&self.key) || (self.key == "Config" && self.within == "LogConfig")
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil(if self.is_map() {
            Nil::Map
        } else if self.key.is_empty() || self.key == ITEM || POINTERS.contains(&self.key) {
            Nil::Pointer
        } else {
            Nil::List
        }))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Seed {
            key: "",
            within: "",
        })? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let is_map = self.is_map();
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<String>()? {
            // A map's keys are data: they say nothing about their values.
            let seed = if is_map {
                Seed {
                    key: "",
                    within: "",
                }
            } else {
                Seed {
                    key: &key,
                    within: self.key,
                }
            };
            let value = access.next_value_seed(seed)?;
            entries.push((key, value));
        }
        let kind = if is_map { Kind::Map } else { Kind::Struct };
        let mut object = Object::new(kind, entries);
        object.origin = known::origin(self.key);
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_its_order_and_gets_its_kinds() {
        let value = Value::from_json(
            br#"{"Z":1,"A":{"b":null},"Labels":{"y":"2","x":"1"},"Volumes":null,
                "Init":null,"Binds":null,"LogConfig":{"Type":"t","Config":{"k":"v"}}}"#,
        )
        .unwrap();
        assert_eq!(
            value.to_string(),
            "{1 {[]} map[x:1 y:2] map[] <nil> [] {t map[k:v]}}"
        );
        assert_eq!(value.int("Z"), 1);
        assert_eq!(value.texts("Labels")[0], ("y".to_owned(), "2".to_owned()));
    }
}
