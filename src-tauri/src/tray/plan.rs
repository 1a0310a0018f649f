//! What the tray's menu shows, from what is known. Pure.
//!
//! On Linux nobody tells us of a click on the icon, so everything is in the
//! menu, and the menu is always right: it follows the engine's events.

use std::collections::BTreeMap;

use super::load::Load;
use crate::census::{Census, Container, Life};
use crate::engine::EngineState;
use crate::text;

/// What an item does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Open,
    Settings,
    Quit,
    StartEngine,
    LookAgain,
    /// Open this port of this machine in the browser.
    OpenPort(u16),
    Logs(String),
    Start(String),
    /// Stop these.
    Stop(Vec<String>),
    /// Restart these.
    Restart(Vec<String>),
}

/// An item of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Tells it from all others; stays the same as long as it is the same.
    pub key: String,
    pub label: String,
    pub kind: Kind,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Says something.
    Note,
    Separator,
    Does(Action),
    Holds(Vec<Item>),
}

/// What the icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// The engine answers.
    Up,
    /// It is looked for, or about to be there.
    Busy,
    /// It is not there.
    Down,
}

/// More projects and containers than this are for the window.
const MOST_RUNNING: usize = 20;
const MOST_STOPPED: usize = 5;
const MOST_PORTS: usize = 30;
/// Longer names are cut.
const LONGEST: usize = 48;

/// The icon for what is known.
pub fn face(state: &EngineState) -> Face {
    match state {
        EngineState::Up { .. } => Face::Up,
        EngineState::Looking | EngineState::Starting | EngineState::Restarting { .. } => Face::Busy,
        EngineState::Unreachable { .. } => Face::Down,
    }
}

/// The menu for what is known; `load` is of those that run now.
pub fn menu(state: &EngineState, census: Option<&Census>, load: Option<Load>) -> Vec<Item> {
    let up = matches!(state, EngineState::Up { .. });
    let census = census.filter(|_| up);
    let running = census.map(Census::running);
    let mut status = text::status(state, running.as_ref().map(Vec::len));
    if let (Some(load), true) = (load, census.is_some()) {
        status.push_str(&text::load(load.processor, load.memory));
    }
    let mut items = vec![note("status", &status)];
    if let EngineState::Unreachable { start, .. } = state {
        if let Some(offer) = start {
            items.push(does(
                "start-engine",
                text::start_engine(*offer),
                Action::StartEngine,
            ));
        }
        items.push(does("look-again", text::LOOK_AGAIN, Action::LookAgain));
    }
    items.push(separator("1"));
    if let (Some(census), Some(running)) = (census, running) {
        let stopped = census.stopped(MOST_STOPPED);
        items.extend(containers(&running));
        if !stopped.is_empty() {
            items.push(separator("2"));
            items.push(note("recent", text::RECENT));
            items.extend(stopped.iter().map(|one| {
                let action = Action::Start(one.id.clone());
                does(
                    &format!("stopped {}", one.id),
                    &format!("○ {}", shown(&one.name)),
                    action,
                )
            }));
        }
        items.push(separator("3"));
        items.push(holds("ports", text::PORTS, ports(&running)));
        let all: Vec<String> = running.iter().map(|one| one.id.clone()).collect();
        if !all.is_empty() {
            items.push(does("stop-all", text::STOP_ALL, Action::Stop(all)));
        }
        items.push(separator("4"));
    }
    items.push(does("open", text::OPEN_DASHBOARD, Action::Open));
    items.push(does("settings", text::SETTINGS, Action::Settings));
    items.push(separator("5"));
    items.push(does("quit", text::QUIT, Action::Quit));
    items
}

/// The action of the item with this key.
pub fn action<'a>(items: &'a [Item], key: &str) -> Option<&'a Action> {
    items.iter().find_map(|item| match &item.kind {
        Kind::Does(action) if item.key == key => Some(action),
        Kind::Holds(inner) => action(inner, key),
        _ => None,
    })
}

/// Projects first, as folders of their containers; then those without one.
fn containers(running: &[&Container]) -> Vec<Item> {
    if running.is_empty() {
        return vec![note("none", text::NONE_RUNNING)];
    }
    let mut projects: BTreeMap<&str, Vec<&Container>> = BTreeMap::new();
    let mut alone = Vec::new();
    for one in running {
        match &one.project {
            Some(project) => projects.entry(project).or_default().push(one),
            None => alone.push(*one),
        }
    }
    let projects = projects
        .iter()
        .map(|(name, members)| project(name, members));
    let alone = alone.into_iter().map(container);
    let mut items: Vec<Item> = projects.chain(alone).collect();
    if items.len() > MOST_RUNNING {
        let more = items.len() - MOST_RUNNING;
        items.truncate(MOST_RUNNING);
        items.push(does("more", &format!("{more} more…"), Action::Open));
    }
    items
}

fn project(name: &str, members: &[&Container]) -> Item {
    let key = |part: &str| format!("project {part} {name}");
    let ids = || members.iter().map(|one| one.id.clone()).collect();
    let mut inner: Vec<Item> = members.iter().map(|one| container(one)).collect();
    inner.push(separator(&key("-")));
    inner.push(does(&key("restart"), text::RESTART, Action::Restart(ids())));
    inner.push(does(&key("stop"), text::STOP, Action::Stop(ids())));
    let mark = mark_of_all(members);
    holds(&key("all"), &format!("{mark} {}", shown(name)), inner)
}

fn container(one: &Container) -> Item {
    let id = &one.id;
    let key = |part: &str| format!("container {part} {id}");
    let mut inner: Vec<Item> = one
        .ports
        .iter()
        .map(|port| {
            does(
                &key(&format!("port {}", port.host)),
                &format!("{} :{}", text::OPEN_PORT, port.host),
                Action::OpenPort(port.host),
            )
        })
        .collect();
    inner.push(does(&key("logs"), text::LOGS, Action::Logs(id.clone())));
    inner.push(does(
        &key("restart"),
        text::RESTART,
        Action::Restart(vec![id.clone()]),
    ));
    inner.push(does(
        &key("stop"),
        text::STOP,
        Action::Stop(vec![id.clone()]),
    ));
    holds(
        &key("all"),
        &format!("{} {}", mark(one), shown(&one.name)),
        inner,
    )
}

fn ports(running: &[&Container]) -> Vec<Item> {
    let mut ports: Vec<_> = running
        .iter()
        .flat_map(|one| one.ports.iter().map(move |port| (port.host, *one)))
        .collect();
    ports.sort_by_key(|(host, _)| *host);
    ports.truncate(MOST_PORTS);
    if ports.is_empty() {
        return vec![note("no-ports", text::NO_PORTS)];
    }
    ports
        .into_iter()
        .map(|(host, one)| {
            let label = format!("{host}  {}", shown(&one.name));
            // The same port may be published on two addresses by two.
            let key = format!("port {host} {}", one.id);
            does(&key, &label, Action::OpenPort(host))
        })
        .collect()
}

fn mark(one: &Container) -> char {
    match one.life {
        _ if one.unhealthy => '▲',
        Life::Paused => '◐',
        Life::Restarting => '◌',
        _ => '●',
    }
}

fn mark_of_all(members: &[&Container]) -> char {
    let mut marks = members.iter().map(|one| mark(one));
    marks.find(|mark| *mark != '●').unwrap_or('●')
}

/// A name as it can be shown: others chose it, so nothing in it moves the
/// text about or fills the screen.
fn shown(name: &str) -> String {
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let plain: String = name.chars().map(|c| if odd(c) { '·' } else { c }).collect();
    if plain.chars().count() <= LONGEST {
        return plain;
    }
    plain.chars().take(LONGEST - 1).chain(['…']).collect()
}

fn note(key: &str, label: &str) -> Item {
    item(key, label, Kind::Note)
}

fn separator(key: &str) -> Item {
    item(&format!("separator {key}"), "", Kind::Separator)
}

fn does(key: &str, label: &str, action: Action) -> Item {
    item(key, label, Kind::Does(action))
}

fn holds(key: &str, label: &str, items: Vec<Item>) -> Item {
    item(key, label, Kind::Holds(items))
}

fn item(key: &str, label: &str, kind: Kind) -> Item {
    Item {
        key: key.to_owned(),
        label: label.to_owned(),
        kind,
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::engine::{Offer, Why};

    pub fn up() -> EngineState {
        EngineState::Up {
            version: "1".into(),
            api: "1.55".into(),
        }
    }

    pub fn census(json: &str) -> Census {
        let mut census = Census::default();
        census.replace(serde_json::from_str(json).unwrap());
        census
    }

    /// The menu as text, one item a line.
    fn drawn(items: &[Item]) -> String {
        let mut text = String::new();
        for item in items {
            match &item.kind {
                Kind::Separator => text.push_str("--\n"),
                Kind::Note => text.push_str(&format!("({})\n", item.label)),
                Kind::Does(_) => text.push_str(&format!("{}\n", item.label)),
                Kind::Holds(inner) => {
                    text.push_str(&format!("{} >\n", item.label));
                    for line in drawn(inner).lines() {
                        text.push_str(&format!("  {line}\n"));
                    }
                }
            }
        }
        text
    }

    const MIXED: &str = r#"[
        {"Id":"a","Names":["/shop-web"],"State":"running","Labels":{"com.docker.compose.project":"shop"},
         "Ports":[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"}]},
        {"Id":"b","Names":["/shop-db"],"State":"running","Status":"Up 2 minutes (unhealthy)",
         "Labels":{"com.docker.compose.project":"shop"}},
        {"Id":"c","Names":["/alone"],"State":"paused"},
        {"Id":"d","Names":["/done"],"State":"exited"}]"#;

    #[test]
    fn everything_has_its_place() {
        let menu = menu(&up(), Some(&census(MIXED)), None);
        let expected = "\
(Engine running · 3 containers)
--
▲ shop >
  ▲ shop-db >
    Logs
    Restart
    Stop
  ● shop-web >
    Open :8080
    Logs
    Restart
    Stop
  --
  Restart
  Stop
◐ alone >
  Logs
  Restart
  Stop
--
(Recently stopped: click starts)
○ done
--
Ports in use >
  8080  shop-web
Stop all containers
--
Open Dhow
Settings…
--
Quit
";
        assert_eq!(drawn(&menu), expected);
        assert_eq!(
            action(&menu, "container stop a"),
            Some(&Action::Stop(vec!["a".to_owned()]))
        );
        assert_eq!(
            action(&menu, "project stop shop"),
            Some(&Action::Stop(vec!["b".to_owned(), "a".to_owned()]))
        );
        assert_eq!(
            action(&menu, "stopped d"),
            Some(&Action::Start("d".to_owned()))
        );
        assert_eq!(action(&menu, "status"), None);
    }

    #[test]
    fn the_load_is_in_the_status_line_of_an_engine_that_runs() {
        let load = Some(Load {
            processor: 12.34,
            memory: 340_000_000,
        });
        let menu = menu(&up(), Some(&census(MIXED)), load);
        let line = "Engine running · 3 containers · CPU 12 %, memory 340 MB";
        assert_eq!(menu[0].label, line);
        let state = EngineState::Looking;
        assert_eq!(
            super::menu(&state, None, load)[0].label,
            "Looking for the engine…"
        );
    }

    #[test]
    fn an_absent_engine_is_said_and_offered() {
        let state = EngineState::Unreachable {
            why: Why::NotRunning,
            message: String::new(),
            start: Some(Offer::AsksForPassword),
        };
        // What was known of its containers may no longer be true.
        let menu = menu(&state, Some(&census(MIXED)), None);
        let expected = "\
(The engine is not running)
Start the engine (asks for your password)…
Look again
--
Open Dhow
Settings…
--
Quit
";
        assert_eq!(drawn(&menu), expected);
        assert_eq!(face(&state), Face::Down);
    }

    #[test]
    fn keys_are_each_there_once() {
        fn keys<'a>(items: &'a [Item], found: &mut Vec<&'a str>) {
            for item in items {
                found.push(&item.key);
                if let Kind::Holds(inner) = &item.kind {
                    keys(inner, found);
                }
            }
        }
        let menu = menu(&up(), Some(&census(MIXED)), None);
        let mut found = Vec::new();
        keys(&menu, &mut found);
        let count = found.len();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), count);
    }

    #[test]
    fn names_do_not_break_the_menu() {
        assert_eq!(shown("a\u{202e}b\nc"), "a·b·c");
        assert_eq!(shown(&"x".repeat(80)).chars().count(), LONGEST);
        let many: Vec<String> = (0..40)
            .map(|n| format!(r#"{{"Id":"{n}","Names":["/c{n:02}"],"State":"running"}}"#))
            .collect();
        let menu = menu(&up(), Some(&census(&format!("[{}]", many.join(",")))), None);
        assert!(menu.iter().any(|item| item.label == "20 more…"));
    }
}
