//! Lists: rows with named fields, printed as a table, as JSON lines, or
//! through a template of the person's own.

use crate::failure::Failure;
use crate::format::{Functions, Kind, Object, Template, Value, to_json};
use crate::output::{self, table};

/// What kind of thing a list shows: the name Go's error messages give it, and
/// the header of every field.
pub struct Columns {
    /// For example `*formatter.ContainerContext`.
    pub go_type: &'static str,
    /// What Go's message of a template that fails begins with.
    pub failure: &'static str,
    /// Field and header. Fields without a header of their own have an empty
    /// one.
    pub headers: &'static [(&'static str, &'static str)],
}

/// How lists say that a template failed.
pub const PARSING: &str = "template parsing error";

/// How the list of containers does.
pub const EXECUTING: &str = "failed to execute template";

/// One row.
pub struct Row(Object);

impl Row {
    /// An empty row.
    pub fn new(columns: &Columns) -> Self {
        Self(Object::new(Kind::Row(columns.go_type), Vec::new()))
    }

    /// Adds a text field.
    pub fn text(self, name: &str, text: impl Into<String>) -> Self {
        self.value(name, Value::Text(text.into()))
    }

    /// Adds any field.
    pub fn value(mut self, name: &str, value: Value) -> Self {
        self.0.entries.push((name.to_owned(), value));
        self
    }

    /// Gives `.Label` something to look in.
    pub fn labels(mut self, labels: Vec<(String, String)>) -> Self {
        self.0.labels = labels;
        self
    }

    /// The row as a value.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// A `--format` that was understood.
pub struct Format {
    template: Template,
    /// Whether columns are aligned and headed.
    table: bool,
}

impl Format {
    /// Understands `spec`, where `default` stands for `table` and for nothing
    /// given.
    pub fn parse(spec: &str, default: &str) -> Result<Self, Failure> {
        let (table, text) = match spec {
            "" | "table" => (true, default.trim_start_matches("table ").to_owned()),
            "json" => (false, "{{json .}}".to_owned()),
            other => match other.strip_prefix("table") {
                Some(rest) => (true, rest.trim().to_owned()),
                None => (false, other.trim_matches(' ').to_owned()),
            },
        };
        let text = text.replace("\\t", "\t").replace("\\n", "\n");
        let template = Template::parse(&text)
            .map_err(|error| Failure::message(format!("failed to parse template: {error}")))?;
        Ok(Self { template, table })
    }

    /// What `--format`, `--quiet` and the configuration come to: `short` is the
    /// one field that `--quiet` shows, `usual` the table otherwise.
    pub fn chosen(
        given: Option<&str>,
        quiet: bool,
        configured: Option<&str>,
        short: &str,
        usual: &str,
    ) -> Result<Self, Failure> {
        let spec = match given {
            Some(spec) => spec,
            None if quiet => "",
            None => configured.unwrap_or(""),
        };
        match spec {
            "" | "table" if quiet => Self::parse(short, ""),
            spec => Self::parse(spec, usual),
        }
    }

    /// Prints `rows`.
    pub fn print(&self, columns: &Columns, rows: Vec<Row>) -> Result<(), Failure> {
        let (text, failed) = self.render(columns, rows);
        output::print(&text);
        failed.map_or(Ok(()), Err)
    }

    /// `rows` as text, and what stopped it from being all of them.
    pub fn render(&self, columns: &Columns, rows: Vec<Row>) -> (String, Option<Failure>) {
        let mut text = String::new();
        for row in rows {
            let row = row.into_value();
            let result = self.template.execute(&row, Functions::Usual, &mut text);
            if let Err(error) = result {
                let message = format!("{}: {error}", columns.failure);
                return (String::new(), Some(Failure::message(message)));
            }
            text.push('\n');
        }
        if !self.table {
            return (text, None);
        }
        let mut headed = String::new();
        let header = self
            .template
            .execute(&columns.header(), Functions::Header, &mut headed);
        if let Err(error) = header {
            let message = format!("{}: {error}", columns.failure);
            return (String::new(), Some(Failure::message(message)));
        }
        headed.push('\n');
        headed.push_str(&text);
        (table::align(&headed, table::LIST), None)
    }
}

impl Columns {
    fn header(&self) -> Value {
        let entries = self
            .headers
            .iter()
            .map(|(field, header)| ((*field).to_owned(), Value::text(*header)))
            .collect();
        Value::Object(Object::new(Kind::Row(self.go_type), entries))
    }
}

/// Labels as lists show them: `a=b,c=d` by key.
pub fn joined(labels: &[(String, String)]) -> String {
    let mut parts: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    parts.sort();
    parts.join(",")
}

/// `text` cut to `width` characters, the last of which says that it was.
pub fn ellipsis(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// The short form of an id, without its algorithm.
pub fn short_id(id: &str) -> &str {
    let digits = id.split_once(':').map_or(id, |(_, digits)| digits);
    digits.get(..12).unwrap_or(digits)
}

/// A row's JSON, for outputs that put rows into something larger.
pub fn row_json(row: Row) -> String {
    to_json(&row.into_value())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns = Columns {
        go_type: "*formatter.ContainerContext",
        failure: EXECUTING,
        headers: &[("ID", "CONTAINER ID"), ("Names", "NAMES")],
    };

    fn render(spec: &str) -> String {
        let row = Row::new(&COLUMNS)
            .text("ID", "81c752faba14")
            .text("Names", "web")
            .labels(vec![("x.y-z".into(), "v".into())]);
        let format = Format::parse(spec, "table {{.ID}}\t{{.Names}}").unwrap();
        let (text, failure) = format.render(&COLUMNS, vec![row]);
        failure.map_or(text, |failure| failure.to_string())
    }

    #[test]
    fn tables_have_headers_and_templates_have_none() {
        assert_eq!(render(""), "CONTAINER ID   NAMES\n81c752faba14   web\n");
        assert_eq!(render("table"), render(""));
        assert_eq!(
            render(r#"table {{.Names}}\t{{.Label "x.y-z"}}"#),
            "NAMES     y z\nweb       v\n"
        );
        assert_eq!(
            render("table {{.ID}} {{json .Names}}"),
            "CONTAINER ID NAMES\n81c752faba14 \"web\"\n"
        );
        assert_eq!(render("{{.Names}}"), "web\n");
        assert_eq!(
            render("json"),
            "{\"ID\":\"81c752faba14\",\"Names\":\"web\"}\n"
        );
    }

    #[test]
    fn unknown_fields_are_named() {
        assert_eq!(
            render("table {{.Foo}}"),
            "failed to execute template: template: :1:2: executing \"\" at <.Foo>: can't evaluate field Foo in type *formatter.ContainerContext"
        );
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(ellipsis("abcdef", 4), "abc…");
        assert_eq!(ellipsis("abcd", 4), "abcd");
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
    }
}
