//! Texts made of several: comma-separated fields with quotes, `name=value`.

use serde_json::{Map, Value};

/// Fields of one line of CSV.
pub fn comma_fields(text: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if quoted && chars.next_if(|(_, c)| *c == '"').is_some() => field.push('"'),
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            '"' => {
                let column = at + 1;
                return Err(format!(
                    "parse error on line 1, column {column}: bare \" in non-quoted-field"
                ));
            }
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    if quoted {
        let column = text.len() + 1;
        return Err(format!(
            "parse error on line 1, column {column}: extraneous or missing \" in quoted-field"
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
