//! The engine's events: a bounded memory of what happened and a broadcast of
//! what happens. Filtering is here too; times are given by callers.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use bollard_stubs::models::{
    EventActor, EventMessage, EventMessageScopeEnum, EventMessageTypeEnum,
};
use tokio::sync::broadcast;

/// How many events a client that asks for the past can be told (dockerd keeps
/// 256; scripts that poll with `--since` lose some there).
const REMEMBERED: usize = 4096;

/// How far a slow listener may fall behind before it loses events.
const QUEUED: usize = 4096;

/// Where events go and come from.
pub struct EventBus {
    past: Mutex<VecDeque<EventMessage>>,
    live: broadcast::Sender<EventMessage>,
}

impl Default for EventBus {
    fn default() -> Self {
        Self {
            past: Mutex::default(),
            live: broadcast::channel(QUEUED).0,
        }
    }
}

impl EventBus {
    /// Tells everybody that `action` happened to the thing `id` at
    /// `time_nano`, nanoseconds since the epoch.
    pub fn publish(
        &self,
        kind: EventMessageTypeEnum,
        action: &str,
        id: &str,
        attributes: HashMap<String, String>,
        time_nano: i64,
    ) {
        let message = EventMessage {
            typ: Some(kind),
            action: Some(action.to_owned()),
            actor: Some(EventActor {
                id: Some(id.to_owned()),
                attributes: Some(attributes),
            }),
            scope: Some(EventMessageScopeEnum::LOCAL),
            time: Some(time_nano.div_euclid(1_000_000_000)),
            time_nano: Some(time_nano),
        };
        // The lock spans the send, so that a listener that copies the past and
        // subscribes under it sees every event exactly once.
        let mut past = self.past.lock().unwrap_or_else(|p| p.into_inner());
        if past.len() == REMEMBERED {
            past.pop_front();
        }
        past.push_back(message.clone());
        let _no_listener_is_fine = self.live.send(message);
    }

    /// How many clients listen.
    pub fn listeners(&self) -> usize {
        self.live.receiver_count()
    }

    /// What is remembered, oldest first, and what comes next.
    pub fn subscribe(&self) -> (Vec<EventMessage>, broadcast::Receiver<EventMessage>) {
        let past = self.past.lock().unwrap_or_else(|p| p.into_inner());
        (past.iter().cloned().collect(), self.live.subscribe())
    }
}

/// Whether `event` passes Docker's event filters (`GET /events`, `filters`):
/// any value of a key suffices, all keys must hold, labels all must hold.
pub fn matches(event: &EventMessage, filters: &HashMap<String, Vec<String>>) -> bool {
    let actor = event.actor.as_ref();
    let id = actor.and_then(|a| a.id.as_deref()).unwrap_or_default();
    let attributes = actor.and_then(|a| a.attributes.as_ref());
    let attribute = |key: &str| attributes.and_then(|a| a.get(key)).map(String::as_str);
    let kind = event.typ.map(|t| t.to_string()).unwrap_or_default();
    let action = event.action.as_deref().unwrap_or_default();
    let is = |wanted: &str, value: &str| wanted == value || value.strip_prefix('/') == Some(wanted);
    let thing = |type_name: &str, wanted: &str| {
        kind == type_name
            && (id.starts_with(wanted) || attribute("name").is_some_and(|name| is(wanted, name)))
    };

    filters.iter().all(|(key, values)| {
        if values.is_empty() {
            return true;
        }
        let any = |test: &dyn Fn(&str) -> bool| values.iter().any(|v| test(v));
        match key.as_str() {
            "type" => any(&|v| kind == v),
            "event" => {
                any(&|v| action == v || action.split(": ").next() == Some(v) && !v.contains(':'))
            }
            "scope" => any(&|v| event.scope.is_some_and(|s| s.to_string() == v)),
            "container" => any(&|v| thing("container", v)),
            "volume" => any(&|v| thing("volume", v)),
            "network" => any(&|v| thing("network", v)),
            "daemon" => any(&|v| thing("daemon", v)),
            "plugin" => any(&|v| thing("plugin", v)),
            "image" => any(&|v| {
                let named =
                    |name: &str| name == v || name.rsplit_once(':').is_some_and(|(n, _)| n == v);
                if kind == "image" {
                    named(id) || id.starts_with(v) || attribute("name").is_some_and(named)
                } else {
                    attribute("image").is_some_and(named)
                }
            }),
            "label" => values.iter().all(|v| match v.split_once('=') {
                Some((name, value)) => attribute(name) == Some(value),
                None => attribute(v).is_some(),
            }),
            _ => false,
        }
    })
}
