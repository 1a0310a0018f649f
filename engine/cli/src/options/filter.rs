//! `--filter name=value`, as the `filters` parameter of the API.

use dhow_model::filters::Filters;

/// One filter.
pub fn parse(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("bad format of filter (expected name=value)")?;
    Ok((name.trim().to_lowercase(), value.trim().to_owned()))
}

/// All of them as the API takes them; nothing where there are none.
pub fn to_query(filters: &[(String, String)]) -> Option<String> {
    if filters.is_empty() {
        return None;
    }
    let mut set = Filters::default();
    for (name, value) in filters {
        set.add(name, value);
    }
    Some(set.to_json())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_grouped_by_name() {
        let filters = [parse("Label=a=b").unwrap(), parse("label=c").unwrap()];
        assert_eq!(
            to_query(&filters).unwrap(),
            r#"{"label":{"a=b":true,"c":true}}"#
        );
        assert_eq!(to_query(&[]), None);
        assert!(parse("foo").is_err());
    }
}
