//! The settings as a document: what each key may be, what the app reads of
//! them, and changes that leave everything else as the person wrote it. Pure.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Serialize;
use toml_edit::{DocumentMut, Item, Table, Value};

/// What a fresh file says: every key, its default, and what it is for.
pub const FRESH: &str = r#"# Dhow's settings. Dhow reads this file again whenever it changes, and keeps
# whatever else you write into it.

[app]
# Start Dhow, hidden in the tray, when you log in.
start-at-login = false
# Closing the window leaves Dhow in the tray, where there is one.
close-to-tray = true
# What quitting means for running containers: "ask", "keep" or "stop" them.
on-quit = "ask"

[notify]
# A container ended by itself with an error.
crashed = true
# A container's health check says that it is unhealthy.
unhealthy = true
# A long task (pull, push, build, load) ended while the window was hidden.
tasks = true

[engine]
# Whether an engine that is not there is started: "automatic" or "never".
# Where that takes a password, Dhow asks you first in any case.
start = "automatic"
# Another engine than the one that `dhow` talks to: "unix:///…", "tcp://…",
# "ssh://…". Empty means the same one.
host = ""

# What the window remembers.
[ui]
"#;

/// What quitting means for running containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnQuit {
    Ask,
    Keep,
    Stop,
}

/// What the app reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub start_at_login: bool,
    pub close_to_tray: bool,
    pub on_quit: OnQuit,
    pub notify_crashed: bool,
    pub notify_unhealthy: bool,
    pub notify_tasks: bool,
    pub engine_automatic: bool,
    pub engine_host: String,
}

/// What is wrong with a file or a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub enum Fault {
    #[error("{key} is not a setting of this version")]
    Unknown { key: String },
    #[error("{key} is to be {wanted}; its default is used")]
    Invalid { key: String, wanted: String },
    #[error("this is no TOML: {0}")]
    Malformed(String),
}

/// Everything in the file, as the page gets it: texts by `table.key`.
pub type Texts = BTreeMap<String, String>;

enum Kind {
    Flag,
    OneOf(&'static [&'static str]),
    Text,
}

const ON_QUIT: Kind = Kind::OneOf(&["ask", "keep", "stop"]);
const START: Kind = Kind::OneOf(&["automatic", "never"]);

const KEYS: &[(&str, &str, Kind)] = &[
    ("app", "start-at-login", Kind::Flag),
    ("app", "close-to-tray", Kind::Flag),
    ("app", "on-quit", ON_QUIT),
    ("notify", "crashed", Kind::Flag),
    ("notify", "unhealthy", Kind::Flag),
    ("notify", "tasks", Kind::Flag),
    ("engine", "start", START),
    ("engine", "host", Kind::Text),
];

/// The window's own table: any key, any text.
const UI: &str = "ui";

/// A settings file's contents.
#[derive(Debug, Clone)]
pub struct Document(DocumentMut);

impl Document {
    /// What a file says.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        match DocumentMut::from_str(text) {
            Ok(document) => Ok(Self(document)),
            Err(error) => Err(Fault::Malformed(error.message().to_owned())),
        }
    }

    /// What a file says that nobody has changed yet.
    pub fn fresh() -> Self {
        Self::parse(FRESH).unwrap_or_else(|_| Self(DocumentMut::new()))
    }

    /// The settings, and what is wrong with them.
    pub fn read(&self) -> (Settings, Vec<Fault>) {
        let texts = self.texts();
        let text = |key: &str| texts.get(key).map_or("", String::as_str);
        let flag = |key: &str| text(key) == "true";
        let settings = Settings {
            start_at_login: flag("app.start-at-login"),
            close_to_tray: flag("app.close-to-tray"),
            on_quit: match text("app.on-quit") {
                "keep" => OnQuit::Keep,
                "stop" => OnQuit::Stop,
                _ => OnQuit::Ask,
            },
            notify_crashed: flag("notify.crashed"),
            notify_unhealthy: flag("notify.unhealthy"),
            notify_tasks: flag("notify.tasks"),
            engine_automatic: text("engine.start") == "automatic",
            engine_host: text("engine.host").to_owned(),
        };
        (settings, self.faults())
    }

    /// Every setting as text, defaults where the file says nothing sensible.
    pub fn texts(&self) -> Texts {
        let fresh = match DocumentMut::from_str(FRESH) {
            Ok(document) => document,
            Err(_) => DocumentMut::new(),
        };
        let mut texts = Texts::new();
        for (table, key, kind) in KEYS {
            let found = self.item(table, key).and_then(|item| kind.text(item));
            let default = || fresh.get(table)?.get(key).and_then(|item| kind.text(item));
            if let Some(text) = found.or_else(default) {
                texts.insert(format!("{table}.{key}"), text);
            }
        }
        let window = self.0.get(UI).and_then(Item::as_table_like);
        for (key, item) in window.into_iter().flat_map(|table| table.iter()) {
            if let Some(text) = Kind::Text.text(item).filter(|_| !is_ours(key)) {
                texts.insert(key.to_owned(), text);
            }
        }
        texts
    }

    /// Changes one setting. A key without a known table is the window's own.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), Fault> {
        let known = KEYS
            .iter()
            .find(|(table, name, _)| key.split_once('.') == Some((table, name)));
        let (table, name, value) = match known {
            Some((table, name, kind)) => {
                let value = kind.value(text).ok_or_else(|| Fault::Invalid {
                    key: key.to_owned(),
                    wanted: kind.wanted(),
                })?;
                (*table, *name, value)
            }
            None if is_ours(key) => {
                return Err(Fault::Unknown {
                    key: key.to_owned(),
                });
            }
            None => (UI, key, Value::from(text)),
        };
        let slot = self.0.entry(table).or_insert(Item::Table(Table::new()));
        if slot.as_table_like().is_none() {
            *slot = Item::Table(Table::new());
        }
        if let Some(table) = slot.as_table_like_mut() {
            match table.get_mut(name).and_then(Item::as_value_mut) {
                // The comment behind a value stays where it is.
                Some(old) => {
                    let decor = old.decor().clone();
                    *old = value;
                    *old.decor_mut() = decor;
                }
                None => {
                    table.insert(name, Item::Value(value));
                }
            }
        }
        Ok(())
    }

    fn item(&self, table: &str, key: &str) -> Option<&Item> {
        self.0.get(table)?.as_table_like()?.get(key)
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (table, item) in self.0.iter().filter(|(table, _)| *table != UI) {
            let Some(entries) = item.as_table_like() else {
                faults.push(Fault::Unknown {
                    key: table.to_owned(),
                });
                continue;
            };
            for (key, item) in entries.iter() {
                let name = format!("{table}.{key}");
                match KEYS.iter().find(|(t, k, _)| (*t, *k) == (table, key)) {
                    None => faults.push(Fault::Unknown { key: name }),
                    Some((_, _, kind)) if kind.text(item).is_none() => {
                        faults.push(Fault::Invalid {
                            key: name,
                            wanted: kind.wanted(),
                        });
                    }
                    Some(_) => {}
                }
            }
        }
        faults
    }
}

/// Whether a key is in one of the tables that the window does not own.
fn is_ours(key: &str) -> bool {
    let table = key.split_once('.').map_or("", |(table, _)| table);
    KEYS.iter().any(|(ours, ..)| *ours == table)
}

impl std::fmt::Display for Document {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Kind {
    fn text(&self, item: &Item) -> Option<String> {
        match self {
            Self::Flag => item.as_bool().map(|flag| flag.to_string()),
            Self::OneOf(choices) => item
                .as_str()
                .filter(|text| choices.contains(text))
                .map(str::to_owned),
            Self::Text => item.as_str().map(str::to_owned),
        }
    }

    fn value(&self, text: &str) -> Option<Value> {
        match self {
            Self::Flag => text.parse::<bool>().ok().map(Value::from),
            Self::OneOf(choices) => choices.contains(&text).then(|| Value::from(text)),
            Self::Text => Some(Value::from(text)),
        }
    }

    fn wanted(&self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::OneOf(choices) => format!("one of {}", choices.join(", ")),
            Self::Text => "a text".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_file_says_the_defaults_and_nothing_is_wrong_with_it() {
        let (settings, faults) = Document::fresh().read();
        assert_eq!(faults, []);
        assert!(settings.close_to_tray && settings.engine_automatic);
        assert!(!settings.start_at_login);
        assert_eq!(settings.on_quit, OnQuit::Ask);
        assert_eq!(Document::parse("").unwrap().read().0, settings);
        for (table, key, _) in KEYS {
            let name = format!("{table}.{key}");
            assert!(Document::fresh().texts().contains_key(&name), "{name}");
        }
    }

    #[test]
    fn what_is_not_ours_is_kept_and_named() {
        let text = "# mine\n[app]\nclose-to-tray = false # why\nodd = 1\n\n[future]\nx = true\n";
        let mut document = Document::parse(text).unwrap();
        document.set("app.close-to-tray", "true").unwrap();
        document.set("theme", "dark").unwrap();
        let expected = text.replace("= false #", "= true #") + "\n[ui]\ntheme = \"dark\"\n";
        assert_eq!(document.to_string(), expected);
        let keys: Vec<String> = document.faults().iter().map(Fault::to_string).collect();
        assert_eq!(
            keys,
            [
                "app.odd is not a setting of this version",
                "future.x is not a setting of this version"
            ]
        );
        assert_eq!(document.texts()["theme"], "dark");
    }

    #[test]
    fn nonsense_is_refused_and_read_as_the_default() {
        let document = Document::parse("[app]\non-quit = \"never\"\nclose-to-tray = 7\n").unwrap();
        let (settings, faults) = document.read();
        assert_eq!(settings.on_quit, OnQuit::Ask);
        assert!(settings.close_to_tray);
        assert_eq!(faults.len(), 2);
        assert!(Document::parse("[app").is_err());
        let mut fresh = Document::fresh();
        assert!(fresh.set("app.close-to-tray", "yes").is_err());
        assert!(fresh.set("app.nothing", "1").is_err());
        fresh.set("app.on-quit", "stop").unwrap();
        assert_eq!(fresh.read().0.on_quit, OnQuit::Stop);
    }

    #[test]
    fn the_windows_own_keys_may_be_anything() {
        let mut document = Document::fresh();
        document.set("containers.sort", "a \"b\"\n[c]").unwrap();
        let again = Document::parse(&document.to_string()).unwrap();
        assert_eq!(again.texts()["containers.sort"], "a \"b\"\n[c]");
        assert_eq!(again.read().1, []);
    }
}
