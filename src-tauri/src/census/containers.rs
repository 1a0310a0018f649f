//! The containers there are, as the tray shows them. Pure: lists and events
//! come in, and what has to be asked about goes out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::event::Event;

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    pub name: String,
    pub image: String,
    /// The Compose project that it belongs to.
    pub project: Option<String>,
    pub life: Life,
    pub unhealthy: bool,
    /// Published TCP ports, each once.
    pub ports: Vec<Port>,
    /// Seconds since 1970 at which it was created.
    pub created: i64,
}

/// What a container does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    Running,
    Paused,
    Restarting,
    /// Was never started.
    Created,
    Exited,
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// On this machine.
    pub host: u16,
    /// In the container.
    pub container: u16,
    /// The address it is published on.
    pub address: String,
}

/// All containers of one engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    containers: BTreeMap<String, Container>,
    /// When containers were seen to end, newest last.
    ended: Vec<String>,
}

/// What `/containers/json` says of one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
pub struct Listed {
    id: String,
    names: Vec<String>,
    image: String,
    created: i64,
    state: String,
    status: String,
    ports: Option<Vec<ListedPort>>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct ListedPort {
    #[serde(rename = "IP")]
    ip: String,
    private_port: u16,
    public_port: u16,
    r#type: String,
}

const PROJECT: &str = "com.docker.compose.project";

impl Census {
    /// Takes the list of all containers.
    pub fn replace(&mut self, listed: Vec<Listed>) {
        self.containers = listed
            .into_iter()
            .map(|one| (one.id.clone(), Container::from(one)))
            .collect();
        let containers = &self.containers;
        self.ended.retain(|id| containers.contains_key(id));
    }

    /// Takes the answer to a question about those in `asked`: whoever is not
    /// in it is gone.
    pub fn update(&mut self, asked: &BTreeSet<String>, listed: Vec<Listed>) {
        for id in asked {
            self.containers.remove(id);
        }
        for one in listed {
            self.containers.insert(one.id.clone(), one.into());
        }
        let containers = &self.containers;
        self.ended.retain(|id| containers.contains_key(id));
    }

    /// Takes an event; says which container is to be asked about.
    pub fn on(&mut self, event: &Event) -> Option<String> {
        if event.kind != "container" {
            return None;
        }
        match event.verb() {
            "destroy" => {
                self.containers.remove(event.id());
                self.ended.retain(|id| id != event.id());
                None
            }
            "die" => {
                self.ended.retain(|id| id != event.id());
                self.ended.push(event.id().to_owned());
                Some(event.id().to_owned())
            }
            "create" | "start" | "stop" | "restart" | "pause" | "unpause" | "rename" | "update"
            | "health_status" => Some(event.id().to_owned()),
            // Attaching, executing, copying: nothing of it is shown.
            _ => None,
        }
    }

    /// Those that run, in whatever way, by name.
    pub fn running(&self) -> Vec<&Container> {
        let mut running: Vec<_> = self
            .containers
            .values()
            .filter(|one| matches!(one.life, Life::Running | Life::Paused | Life::Restarting))
            .collect();
        running.sort_by(|a, b| a.name.cmp(&b.name));
        running
    }

    /// Those that ended last, newest first: the ones seen to end, then the
    /// youngest.
    pub fn stopped(&self, most: usize) -> Vec<&Container> {
        let mut stopped: Vec<_> = self
            .containers
            .values()
            .filter(|one| matches!(one.life, Life::Exited | Life::Created))
            .collect();
        let seen = |one: &Container| self.ended.iter().position(|id| *id == one.id);
        stopped.sort_by(|a, b| {
            let by_time = (seen(b), b.created).cmp(&(seen(a), a.created));
            by_time.then_with(|| a.name.cmp(&b.name))
        });
        stopped.truncate(most);
        stopped
    }
}

impl From<Listed> for Container {
    fn from(listed: Listed) -> Self {
        let mut ports: Vec<Port> = listed
            .ports
            .unwrap_or_default()
            .into_iter()
            .filter(|port| port.public_port != 0 && port.r#type == "tcp")
            .map(|port| Port {
                host: port.public_port,
                container: port.private_port,
                address: port.ip,
            })
            .collect();
        ports.sort();
        // Published on IPv4 and IPv6 it is still one port to a person.
        ports.dedup_by_key(|port| port.host);
        let labels = listed.labels.unwrap_or_default();
        let name = listed.names.first().map_or("", String::as_str);
        Self {
            name: match name.trim_start_matches('/') {
                "" => listed.id.chars().take(12).collect(),
                name => name.to_owned(),
            },
            id: listed.id,
            image: listed.image,
            project: labels.get(PROJECT).filter(|name| !name.is_empty()).cloned(),
            life: match listed.state.as_str() {
                "running" => Life::Running,
                "paused" => Life::Paused,
                "restarting" => Life::Restarting,
                "created" => Life::Created,
                _ => Life::Exited,
            },
            unhealthy: listed.status.contains("(unhealthy)"),
            ports,
            created: listed.created,
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn listed(json: &str) -> Vec<Listed> {
        serde_json::from_str(json).unwrap()
    }

    fn event(json: &str) -> Event {
        serde_json::from_str(json).unwrap()
    }

    const TWO: &str = r#"[
        {"Id":"a1","Names":["/web"],"State":"running","Status":"Up 1 second (unhealthy)","Created":5,
         "Labels":{"com.docker.compose.project":"shop"},
         "Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},
                  {"IP":"::","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},
                  {"PrivatePort":443,"Type":"tcp"},
                  {"IP":"0.0.0.0","PrivatePort":53,"PublicPort":53,"Type":"udp"}]},
        {"Id":"b2","Names":["/old"],"State":"exited","Labels":null,"Ports":null}]"#;

    #[test]
    fn the_engine_s_list_is_read() {
        let mut census = Census::default();
        census.replace(listed(TWO));
        let web = census.running()[0];
        assert_eq!((web.name.as_str(), web.unhealthy), ("web", true));
        assert_eq!(web.project.as_deref(), Some("shop"));
        assert_eq!(web.ports.len(), 1);
        assert_eq!(census.stopped(9)[0].name, "old");
    }

    #[test]
    fn events_say_who_is_to_be_asked_about() {
        let mut census = Census::default();
        census.replace(listed(TWO));
        let die = r#"{"Type":"container","Action":"die","Actor":{"ID":"a1"}}"#;
        assert_eq!(census.on(&event(die)).as_deref(), Some("a1"));
        let asked = BTreeSet::from(["a1".to_owned()]);
        census.update(
            &asked,
            listed(r#"[{"Id":"a1","Names":["/web"],"State":"exited"}]"#),
        );
        let names: Vec<_> = census.stopped(9).iter().map(|one| &one.name).collect();
        assert_eq!(names, ["web", "old"], "the last to end comes first");
        let exec = r#"{"Type":"container","Action":"exec_start: sh","Actor":{"ID":"a1"}}"#;
        assert_eq!(census.on(&event(exec)), None);
        let gone = r#"{"Type":"container","Action":"destroy","Actor":{"ID":"a1"}}"#;
        assert_eq!(census.on(&event(gone)), None);
        census.update(&BTreeSet::from(["b2".to_owned()]), Vec::new());
        assert_eq!(census, Census::default());
    }
}
