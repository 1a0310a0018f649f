//! Texts made of several: comma-separated fields with quotes, `name=value`.

use serde_json::{Map, Value};

/// Fields of one line of CSV.
pub fn comma_fields(text: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            '"' => {
                return Err(format!(
                    "parse error on line 1: bare \" in non-quoted field in {text:?}"
                ));
            }
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    if quoted {
        return Err(format!(
            "parse error on line 1: extraneous or missing \" in {text:?}"
        ));
    }
    fields.push(field);
    Ok(fields)
}

/// `name=value` texts as a JSON object; a name alone has an empty value.
pub fn to_map<S: AsRef<str>>(texts: &[S]) -> Map<String, Value> {
    texts
        .iter()
        .map(|text| {
            let (name, value) = text.as_ref().split_once('=').unwrap_or((text.as_ref(), ""));
            (name.to_owned(), value.into())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_commas() {
        assert_eq!(comma_fields("a,\"b,c\",").unwrap(), ["a", "b,c", ""]);
        assert_eq!(comma_fields("\"a\"\"b\"").unwrap(), ["a\"b"]);
        assert!(comma_fields("a\"b").is_err());
        assert!(comma_fields("\"a").is_err());
    }
}
