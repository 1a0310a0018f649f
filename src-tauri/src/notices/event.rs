//! Which events a person is told of, and in which words. Pure: the time is an
//! argument.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::census::Event;
use crate::text;

/// Something to tell a person who is not looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub subject: Subject,
    pub title: String,
    pub body: String,
    /// The route of the window that shows more.
    pub route: String,
}

/// What a notice is about; a person can turn each off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Crashed,
    Unhealthy,
    Task,
}

/// What has to be remembered to tell a crash from a wish.
#[derive(Default)]
pub struct Judge {
    /// Containers that somebody has asked to end.
    asked: HashMap<String, Instant>,
    out_of_memory: HashMap<String, Instant>,
    told: HashMap<String, Instant>,
}

/// A container that crashes again and again is told of once in this time.
const SILENCE: Duration = Duration::from_secs(60);
/// A stop takes a container's own time to end, which may be long.
const MEMORY: Duration = Duration::from_secs(15 * 60);

impl Judge {
    /// What is to be told of `event`, if anything.
    pub fn on(&mut self, event: &Event, now: Instant) -> Option<Notice> {
        if event.kind != "container" {
            return None;
        }
        self.forget(now);
        let id = event.id().to_owned();
        match event.verb() {
            "kill" if ends(event.attribute("signal")) => {
                self.asked.insert(id, now);
                None
            }
            "oom" => {
                self.out_of_memory.insert(id, now);
                None
            }
            "start" => {
                self.asked.remove(&id);
                self.out_of_memory.remove(&id);
                None
            }
            "destroy" => {
                self.asked.remove(&id);
                self.told.remove(&id);
                None
            }
            "die" => self.died(event, now),
            "health_status" if event.outcome() == "unhealthy" => {
                let name = event.attribute("name");
                self.once(&format!("{id} health"), now)?;
                Some(Notice {
                    subject: Subject::Unhealthy,
                    title: text::unhealthy(name),
                    body: text::UNHEALTHY_BODY.to_owned(),
                    route: format!("#/containers/{id}"),
                })
            }
            _ => None,
        }
    }

    fn died(&mut self, event: &Event, now: Instant) -> Option<Notice> {
        let id = event.id();
        let asked = self.asked.remove(id).is_some();
        let out_of_memory = self.out_of_memory.remove(id).is_some();
        let code: i64 = event.attribute("exitCode").parse().unwrap_or(0);
        if (asked && !out_of_memory) || code == 0 {
            return None;
        }
        self.once(id, now)?;
        Some(Notice {
            subject: Subject::Crashed,
            title: text::crashed(event.attribute("name")),
            body: text::why_it_ended(code, out_of_memory),
            route: format!("#/containers/{id}/logs"),
        })
    }

    fn once(&mut self, what: &str, now: Instant) -> Option<()> {
        if self.told.contains_key(what) {
            return None;
        }
        self.told.insert(what.to_owned(), now);
        Some(())
    }

    fn forget(&mut self, now: Instant) {
        let younger = |limit: Duration| {
            move |_: &String, since: &mut Instant| now.saturating_duration_since(*since) < limit
        };
        self.told.retain(younger(SILENCE));
        self.asked.retain(younger(MEMORY));
        self.out_of_memory.retain(younger(MEMORY));
    }
}

/// Whether a signal is meant to end a container; others only tell it
/// something.
fn ends(signal: &str) -> bool {
    !matches!(
        signal.trim_start_matches("SIG"),
        "1" | "HUP"
            | "10"
            | "USR1"
            | "12"
            | "USR2"
            | "28"
            | "WINCH"
            | "18"
            | "CONT"
            | "19"
            | "STOP"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str, attributes: &str) -> Event {
        let json = format!(
            r#"{{"Type":"container","Action":"{action}","Actor":{{"ID":"c1","Attributes":{{"name":"web"{attributes}}}}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn tell(judge: &mut Judge, now: Instant, events: &[(&str, &str)]) -> Vec<String> {
        let told = events
            .iter()
            .filter_map(|(action, attributes)| judge.on(&event(action, attributes), now));
        told.map(|notice| format!("{}: {}", notice.title, notice.body))
            .collect()
    }

    #[track_caller]
    fn check(events: &[(&str, &str)], expected: &[&str]) {
        let told = tell(&mut Judge::default(), Instant::now(), events);
        assert_eq!(told, expected);
    }

    #[test]
    fn a_crash_is_told_with_its_reason() {
        check(
            &[("die", r#","exitCode":"3""#)],
            &["web ended with an error: Its program ended with code 3."],
        );
        check(
            &[("oom", ""), ("die", r#","exitCode":"137""#)],
            &["web ended with an error: It used more memory than it may (exit code 137)."],
        );
        check(
            &[("die", r#","exitCode":"137""#)],
            &["web ended with an error: It was killed from outside the engine (SIGKILL)."],
        );
    }

    #[test]
    fn what_somebody_wanted_is_no_crash() {
        check(&[("die", r#","exitCode":"0""#)], &[]);
        check(
            &[
                ("kill", r#","signal":"15""#),
                ("kill", r#","signal":"9""#),
                ("die", r#","exitCode":"137""#),
            ],
            &[],
        );
        // A reload is no wish to end.
        let told = [("kill", r#","signal":"1""#), ("die", r#","exitCode":"1""#)];
        check(
            &told,
            &["web ended with an error: Its program ended with code 1."],
        );
    }

    #[test]
    fn a_loop_of_crashes_is_told_once_a_minute() {
        let mut judge = Judge::default();
        let now = Instant::now();
        let crash = [("start", ""), ("die", r#","exitCode":"1""#)];
        assert_eq!(tell(&mut judge, now, &crash).len(), 1);
        assert_eq!(tell(&mut judge, now + SILENCE / 2, &crash).len(), 0);
        assert_eq!(tell(&mut judge, now + SILENCE, &crash).len(), 1);
    }

    #[test]
    fn bad_health_is_told() {
        check(
            &[
                ("health_status: healthy", ""),
                ("health_status: unhealthy", ""),
            ],
            &["web is unhealthy: Its health check fails."],
        );
    }
}
