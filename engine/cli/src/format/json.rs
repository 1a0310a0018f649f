//! JSON as Go writes it.

use super::value::{Kind, Value, sorted};
use std::fmt::Write;

/// `value` as compact JSON. A row's own texts escape `<`, `>` and `&`, because
/// Go's do.
pub fn to_json(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, false);
    text
}

/// A JSON string with `<`, `>` and `&` escaped.
pub fn encode_html(text: &str) -> String {
    let mut encoded = String::new();
    quote(&mut encoded, text, true);
    encoded
}

/// Indents JSON by `indent` without reading meaning into it, so that the
/// engine's own key order and numbers survive.
pub fn indent(json: &str, indent: &str) -> String {
    let mut output = String::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let mut rest = json.chars().peekable();
    let newline = |output: &mut String, depth: usize| {
        output.push('\n');
        for _ in 0..depth {
            output.push_str(indent);
        }
    };
    while let Some(c) = rest.next() {
        match c {
            '"' => {
                output.push(c);
                while let Some(c) = rest.next() {
                    output.push(c);
                    match c {
                        '\\' => output.extend(rest.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                output.push(c);
                while rest.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                if let Some(close) = rest.next_if(|c| matches!(c, '}' | ']')) {
                    output.push(close);
                } else {
                    depth += 1;
                    newline(&mut output, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                newline(&mut output, depth);
                output.push(c);
            }
            ',' => {
                output.push(c);
                newline(&mut output, depth);
            }
            ':' => output.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => output.push(c),
        }
    }
    output
}

fn write(output: &mut String, value: &Value, html: bool) {
    match value {
        Value::Nil(_) => output.push_str("null"),
        Value::Bool(value) => output.push_str(if *value { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(output, "{number}");
        }
        Value::Float(number) => output.push_str(&float(*number)),
        Value::Text(text) => quote(output, text, html),
        Value::List(items) => {
            output.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    output.push(',');
                }
                write(output, item, html);
            }
            output.push(']');
        }
        Value::Object(object) => {
            let html = html || matches!(object.kind, Kind::Row(_));
            let entries = match object.kind {
                Kind::Struct | Kind::Typed(_) => object.entries.iter().collect(),
                Kind::Map | Kind::Row(_) => sorted(&object.entries),
            };
            output.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    output.push(',');
                }
                quote(output, key, html);
                output.push(':');
                write(output, value, html);
            }
            output.push('}');
        }
    }
}

fn quote(output: &mut String, text: &str, html: bool) {
    output.push('"');
    for c in text.chars() {
        match c {
            '"' => output.push_str("\\\""),
            '\\' => output.push_str("\\\\"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            '\u{8}' => output.push_str("\\b"),
            '\u{c}' => output.push_str("\\f"),
            '<' | '>' | '&' if html => {
                let _ = write!(output, "\\u{:04x}", c as u32);
            }
            '\u{2028}' | '\u{2029}' => {
                let _ = write!(output, "\\u{:04x}", c as u32);
            }
            c if (c as u32) < 0x20 => {
                let _ = write!(output, "\\u{:04x}", c as u32);
            }
            c => output.push(c),
        }
    }
    output.push('"');
}

fn float(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        return super::printf::float_e(number);
    }
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indenting_changes_white_space_only() {
        assert_eq!(
            indent(r#"{"a":[],"b":{"c":[1, 2.50]},"d":"x,{\"y"}"#, "  "),
            "{\n  \"a\": [],\n  \"b\": {\n    \"c\": [\n      1,\n      2.50\n    ]\n  },\n  \"d\": \"x,{\\\"y\"\n}"
        );
    }

    #[test]
    fn structs_keep_their_order_and_maps_are_sorted() {
        let value = Value::from_json(br#"{"b":1,"a":"<&>","Labels":{"z":"1","y":null}}"#).unwrap();
        assert_eq!(
            to_json(&value),
            r#"{"b":1,"a":"<&>","Labels":{"y":null,"z":"1"}}"#
        );
        assert_eq!(encode_html("<"), r#""\u003c""#);
    }
}
