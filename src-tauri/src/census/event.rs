//! The engine's events, as far as the app listens to them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    /// `container`, `image`, …
    #[serde(rename = "Type")]
    pub kind: String,
    action: String,
    #[serde(default)]
    actor: Actor,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Actor {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(rename = "Attributes", default)]
    attributes: BTreeMap<String, String>,
}

impl Event {
    /// What happened, without what came of it: `health_status: healthy` is
    /// `health_status`.
    pub fn verb(&self) -> &str {
        self.action.split(':').next().unwrap_or_default()
    }

    /// What came of it: `healthy`.
    pub fn outcome(&self) -> &str {
        self.action
            .split_once(':')
            .map_or("", |(_, outcome)| outcome.trim())
    }

    /// Whom it happened to.
    pub fn id(&self) -> &str {
        &self.actor.id
    }

    /// What else is said of it.
    pub fn attribute(&self, name: &str) -> &str {
        self.actor.attributes.get(name).map_or("", String::as_str)
    }
}

/// Splits the stream into lines, and the lines into events.
#[derive(Default)]
pub struct Reader {
    rest: Vec<u8>,
}

/// No event is longer; a line without an end is not kept for ever.
const LONGEST: usize = 1 << 20;

impl Reader {
    /// The events that are whole with `bytes`. What is no event is skipped.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.rest.extend_from_slice(bytes);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else {
            if self.rest.len() > LONGEST {
                self.rest.clear();
            }
            return Vec::new();
        };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        whole
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_pieces() {
        let mut reader = Reader::default();
        let line = r#"{"Type":"container","Action":"health_status: unhealthy","Actor":{"ID":"a","Attributes":{"name":"web"}}}"#;
        assert!(reader.read(&line.as_bytes()[..30]).is_empty());
        let rest = format!("{}\nnonsense\n{line}\n{{", &line[30..]);
        let events = reader.read(rest.as_bytes());
        assert_eq!(events.len(), 2);
        assert_eq!(events[0].verb(), "health_status");
        assert_eq!(events[0].outcome(), "unhealthy");
        assert_eq!(events[0].attribute("name"), "web");
        assert_eq!(events[0].id(), "a");
    }
}
