//! Long tasks of the page's: what they are called, and whether their end is
//! worth telling. Pure.
//!
//! The bridge sees their requests go by; nothing is asked for them.

use std::time::Duration;

use dhow_client::Method;

use super::event::{Notice, Subject};
use crate::bridge::path::Path;
use crate::text;

/// Whoever waited this long has turned to something else.
pub const LONG: Duration = Duration::from_secs(5);

/// As much of an answer's end as may hold its last line.
const TAIL: usize = 4096;

/// What a request is called, if it may take long.
pub fn name(method: &Method, path: &Path) -> Option<String> {
    if method != Method::POST {
        return None;
    }
    let route = path.route();
    match route {
        "/images/create" => {
            let image = path.query("fromImage").unwrap_or_default();
            Some(match path.query("tag").filter(|tag| !tag.is_empty()) {
                Some(tag) => text::pulling(&format!("{image}:{tag}")),
                None => text::pulling(&image),
            })
        }
        "/build" => Some(text::building(&path.query("t").unwrap_or_default())),
        "/images/load" => Some(text::LOADING.to_owned()),
        _ => {
            let image = route.strip_prefix("/images/")?.strip_suffix("/push")?;
            Some(text::pushing(image))
        }
    }
}

/// A task under way.
pub struct Task {
    pub name: String,
    good: bool,
    tail: Vec<u8>,
}

impl Task {
    /// A task whose answer has begun, with a good status or not.
    pub fn new(name: String, good: bool) -> Self {
        Self {
            name,
            good,
            tail: Vec::new(),
        }
    }

    /// Hears what the engine says of it.
    pub fn hear(&mut self, bytes: &[u8]) {
        let new = &bytes[bytes.len().saturating_sub(TAIL)..];
        self.tail.extend_from_slice(new);
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
    }

    /// What is to be told of its end after `took`.
    pub fn ended(&self, took: Duration) -> Option<Notice> {
        if took < LONG {
            return None;
        }
        // Failures come after the status, as the last line of the answer, or
        // are all of an answer whose status is no success.
        let error = self
            .tail
            .split(|byte| *byte == b'\n')
            .rev()
            .find_map(|line| {
                let line: serde_json::Value = serde_json::from_slice(line).ok()?;
                let told = if self.good { "error" } else { "message" };
                Some(line.get(told)?.as_str()?.to_owned())
            });
        Some(Notice {
            subject: Subject::Task,
            title: text::task_ended(&self.name, self.good && error.is_none()),
            body: error.unwrap_or_else(|| text::took(took)),
            route: "#/activity".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let path = Path::parse(path).unwrap();
        assert_eq!(name(&Method::POST, &path).as_deref(), expected);
        assert_eq!(name(&Method::GET, &path), None);
    }

    #[test]
    fn long_requests_have_names() {
        check(
            "/v1.51/images/create?fromImage=a%2Fb&tag=c",
            Some("Pull of a/b:c"),
        );
        check("/v1.51/images/a/b/push?tag=c", Some("Push of a/b"));
        check("/v1.51/build?t=x%3Ay", Some("Build of x:y"));
        check("/v1.51/containers/create", None);
    }

    #[test]
    fn short_tasks_are_nobody_s_news_and_failures_are_told_as_such() {
        let mut task = Task::new("Pull of a".to_owned(), true);
        assert_eq!(task.ended(LONG / 2), None);
        let title = |task: &Task| task.ended(LONG * 2).unwrap().title;
        assert_eq!(title(&task), "Pull of a is done");
        task.hear(&[b'x'; 3 * TAIL]);
        task.hear(b"\n{\"errorDetail\":{},\"error\":\"no such manifest\"}\n");
        assert_eq!(title(&task), "Pull of a has failed");
        assert_eq!(task.ended(LONG * 2).unwrap().body, "no such manifest");
        let mut refused = Task::new("Pull of a".to_owned(), false);
        refused.hear(b"{\"message\":\"nobody answers\"}\n");
        assert_eq!(title(&refused), "Pull of a has failed");
        assert_eq!(refused.ended(LONG * 2).unwrap().body, "nobody answers");
    }
}
