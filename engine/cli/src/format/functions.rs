//! What templates can call: Go's built-in functions and Docker's additions.

use super::json::to_json;
use super::printf::{quote, sprint, sprintf, sprintln};
use super::value::{Kind, Value};
use super::{Functions, Nil};

/// How many arguments a function takes: at least, at most.
type Arity = (usize, Option<usize>);

const BUILT_IN: &[(&str, Arity)] = &[
    ("and", (1, None)),
    ("call", (1, None)),
    ("html", (0, None)),
    ("index", (1, None)),
    ("js", (0, None)),
    ("len", (1, Some(1))),
    ("not", (1, Some(1))),
    ("or", (1, None)),
    ("print", (0, None)),
    ("printf", (1, None)),
    ("println", (0, None)),
    ("slice", (1, None)),
    ("urlquery", (0, None)),
    ("eq", (1, None)),
    ("ge", (2, Some(2))),
    ("gt", (2, Some(2))),
    ("le", (2, Some(2))),
    ("lt", (2, Some(2))),
    ("ne", (2, Some(2))),
    ("join", (2, Some(2))),
    ("json", (1, Some(1))),
    ("lower", (1, Some(1))),
    ("pad", (3, Some(3))),
    ("split", (2, Some(2))),
    ("title", (1, Some(1))),
    ("truncate", (2, Some(2))),
    ("upper", (1, Some(1))),
];

/// Whether there is a function of that name.
pub fn exists(name: &str) -> bool {
    arity(name).is_some()
}

/// How many arguments it takes.
pub fn arity(name: &str) -> Option<Arity> {
    let found = BUILT_IN.iter().find(|(known, _)| *known == name)?;
    Some(found.1)
}

/// The types of the arguments that have to be of one type: `s`tring, `i`nt,
/// `l`ist, or anything.
pub fn signature(name: &str) -> &'static str {
    match name {
        "join" => "ls",
        "lower" | "title" | "upper" => "s",
        "pad" => "sii",
        "split" => "ss",
        "truncate" => "si",
        "printf" => "s",
        _ => "",
    }
}

/// Calls a function whose arguments were counted and checked. The error is the
/// reason only.
pub fn call(name: &str, arguments: &[Value], functions: Functions) -> Result<Value, String> {
    if functions == Functions::Header {
        // A header has no list to split or join: it is shown as it stands.
        if let "json" | "lower" | "title" | "upper" | "truncate" | "pad" | "split" | "join" = name {
            return Ok(arguments[0].clone());
        }
    }
    let text = |index: usize| arguments[index].as_str().unwrap_or_default();
    let number = |index: usize| arguments[index].as_int().unwrap_or_default().max(0) as usize;
    Ok(match name {
        "html" => Value::Text(html(&sprint(arguments))),
        "js" => Value::Text(js(&sprint(arguments))),
        "urlquery" => Value::Text(urlquery(&sprint(arguments))),
        "print" => Value::Text(sprint(arguments)),
        "println" => Value::Text(sprintln(arguments)),
        "printf" => Value::Text(sprintf(text(0), &arguments[1..])),
        "not" => Value::Bool(!arguments[0].truth()),
        "len" => Value::Int(len(&arguments[0])? as i128),
        "index" => index(arguments)?,
        "slice" => slice(arguments)?,
        "call" => {
            let kind = arguments[0].type_name();
            return Err(format!("non-function {} of type {kind}", arguments[0]));
        }
        "eq" | "ne" | "lt" | "le" | "gt" | "ge" => Value::Bool(compare(name, arguments)?),
        "json" => Value::Text(to_json(&arguments[0])),
        "lower" => Value::Text(text(0).to_lowercase()),
        "upper" => Value::Text(text(0).to_uppercase()),
        "title" => Value::Text(title(text(0))),
        "split" => split(text(0), text(1)),
        "join" => {
            let parts: Vec<String> = arguments[0].items().iter().map(Value::to_string).collect();
            Value::Text(parts.join(text(1)))
        }
        "pad" if text(0).is_empty() => Value::text(""),
        "pad" => Value::Text(format!(
            "{}{}{}",
            " ".repeat(number(1)),
            text(0),
            " ".repeat(number(2))
        )),
        "truncate" => Value::Text(text(0).chars().take(number(1)).collect()),
        other => return Err(format!("{} is not a function", quote(other))),
    })
}

fn len(value: &Value) -> Result<usize, String> {
    match value {
        Value::Text(text) => Ok(text.len()),
        Value::List(items) => Ok(items.len()),
        Value::Object(object) if object.kind == Kind::Map => Ok(object.entries.len()),
        Value::Nil(Nil::List | Nil::Map) => Ok(0),
        Value::Nil(Nil::Pointer) => Err("len of nil pointer".to_owned()),
        other => Err(format!("len of type {}", other.type_name())),
    }
}

fn index(arguments: &[Value]) -> Result<Value, String> {
    let mut value = arguments[0].clone();
    if value.is_nil() && !matches!(value, Value::Nil(Nil::Map)) {
        return Err("index of untyped nil".to_owned());
    }
    for key in &arguments[1..] {
        value = match &value {
            Value::List(items) => {
                let at = position(key, items.len())?;
                items
                    .get(at)
                    .cloned()
                    .ok_or_else(|| "reflect: slice index out of range".to_owned())?
            }
            Value::Text(text) => {
                let at = position(key, text.len())?;
                let byte = text
                    .as_bytes()
                    .get(at)
                    .ok_or_else(|| "reflect: string index out of range".to_owned())?;
                Value::Int((*byte).into())
            }
            Value::Object(object) => {
                let Some(key) = key.as_str() else {
                    return Err(format!(
                        "value has type {}; should be string",
                        key.type_name()
                    ));
                };
                // Go gives a missing key's zero value; for texts, the usual
                // case, that prints as nothing.
                object.get(key).cloned().unwrap_or_else(|| zero(object))
            }
            Value::Nil(Nil::Map) => Value::text(""),
            Value::Nil(_) => return Err("index of nil pointer".to_owned()),
            other => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(value)
}

fn zero(object: &super::Object) -> Value {
    match object.entries.first() {
        None | Some((_, Value::Text(_))) => Value::text(""),
        Some((_, Value::List(_) | Value::Nil(Nil::List))) => Value::Nil(Nil::List),
        Some((_, Value::Int(_))) => Value::Int(0),
        Some((_, Value::Bool(_))) => Value::Bool(false),
        Some(_) => Value::Nil(Nil::Pointer),
    }
}

fn position(key: &Value, len: usize) -> Result<usize, String> {
    let Value::Int(number) = key else {
        return Err(match key {
            Value::Nil(_) => "cannot index slice/array with nil".to_owned(),
            other => format!("cannot index slice/array with type {}", other.type_name()),
        });
    };
    usize::try_from(*number)
        .ok()
        .filter(|at| *at <= len)
        .ok_or_else(|| format!("index out of range: {number}"))
}

fn slice(arguments: &[Value]) -> Result<Value, String> {
    let len = match &arguments[0] {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    if arguments.len() > 3 {
        return Err("too many slice indexes: 3".to_owned());
    }
    let bound = |index: usize, default: usize| match arguments.get(index) {
        Some(key) => position(key, len),
        None => Ok(default),
    };
    let (from, to) = (bound(1, 0)?, bound(2, len)?);
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    Ok(match &arguments[0] {
        Value::List(items) => Value::List(items[from..to].to_vec()),
        Value::Text(text) => {
            Value::Text(String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned())
        }
        other => other.clone(),
    })
}

fn compare(name: &str, arguments: &[Value]) -> Result<bool, String> {
    let first = &arguments[0];
    match name {
        "eq" => {
            if arguments.len() < 2 {
                return Err("missing argument for comparison".to_owned());
            }
            for other in &arguments[1..] {
                if equal(first, other)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        "ne" => Ok(!equal(first, &arguments[1])?),
        _ => {
            let order = order(first, &arguments[1])?;
            Ok(match name {
                "lt" => order.is_lt(),
                "le" => order.is_le(),
                "gt" => order.is_gt(),
                _ => order.is_ge(),
            })
        }
    }
}

const INCOMPATIBLE: &str = "incompatible types for comparison";

fn equal(left: &Value, right: &Value) -> Result<bool, String> {
    match (left, right) {
        (Value::Nil(_), other) | (other, Value::Nil(_)) => Ok(other.is_nil()),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::Object(_) | Value::List(_), _) | (_, Value::Object(_) | Value::List(_)) => {
            Err("non-comparable types".to_owned())
        }
        _ => Ok(order(left, right)?.is_eq()),
    }
}

fn order(left: &Value, right: &Value) -> Result<std::cmp::Ordering, String> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Ok(left.cmp(right)),
        (Value::Float(left), Value::Float(right)) => left
            .partial_cmp(right)
            .ok_or_else(|| INCOMPATIBLE.to_owned()),
        (Value::Text(left), Value::Text(right)) => Ok(left.cmp(right)),
        (Value::Bool(_) | Value::Nil(_), Value::Bool(_) | Value::Nil(_)) => {
            Err("invalid type for comparison".to_owned())
        }
        _ => Err(INCOMPATIBLE.to_owned()),
    }
}

fn split(text: &str, separator: &str) -> Value {
    let parts: Vec<Value> = if separator.is_empty() {
        text.chars().map(Value::text).collect()
    } else {
        text.split(separator).map(Value::text).collect()
    };
    Value::List(parts)
}

/// Upper case at the start of every word.
fn title(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            output.push(c);
        } else {
            output.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || c == '_' || c == '\'';
    }
    output
}

fn html(text: &str) -> String {
    let mut output = String::new();
    for c in text.chars() {
        match c {
            '<' => output.push_str("&lt;"),
            '>' => output.push_str("&gt;"),
            '&' => output.push_str("&amp;"),
            '"' => output.push_str("&#34;"),
            '\'' => output.push_str("&#39;"),
            c => output.push(c),
        }
    }
    output
}

fn js(text: &str) -> String {
    let mut output = String::new();
    for c in text.chars() {
        match c {
            '\\' => output.push_str("\\\\"),
            '\'' => output.push_str("\\'"),
            '"' => output.push_str("\\\""),
            '<' | '>' | '&' | '=' => output.push_str(&format!("\\u{:04X}", c as u32)),
            c if (c as u32) < 0x20 => output.push_str(&format!("\\u{:04X}", c as u32)),
            c => output.push(c),
        }
    }
    output
}

fn urlquery(text: &str) -> String {
    dhow_client::encode(text).replace("%20", "+")
}
