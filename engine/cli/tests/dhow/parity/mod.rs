//! A table of command lines, each run with the real `docker` client and with
//! `dhow` on the same engine in the same state: both must print the same and
//! end with the same code.
//!
//! What legitimately differs is made the same before it is compared: ages,
//! the ids of what each client makes for itself, the program's name where it
//! speaks of itself. What differs on purpose is in a table of its own, with
//! the reason, and must go on to differ.

mod changing;
mod different;
mod reading;

use dhow_testkit::Engine;
use regex_lite::Regex;

use crate::both::{Client, Said};

/// Stands for the client's own part of a name in the lines of a table.
const OWN: char = '@';

/// The newest API version of that client.
const VERSION: &str = "1.50";

/// Both clients on one engine with something of everything in it.
struct Pair {
    engine: Engine,
    docker: Client,
    dhow: Client,
    /// Ours, in Docker's place.
    link: Client,
    ages: Regex,
    ids: Regex,
    _place: tempfile::TempDir,
}

impl Pair {
    fn new() -> Self {
        let engine = Engine::with_busybox();
        let place = tempfile::tempdir().unwrap();
        let host = engine.host();
        // Both in the same folder, so that paths are the same.
        let client = |client: fn(&std::path::Path) -> Client| {
            client(place.path())
                .variable("DOCKER_HOST", &host)
                // The engine answers by the version that it is asked for.
                .variable("DOCKER_API_VERSION", VERSION)
        };
        let (docker, dhow) = (client(Client::docker), client(Client::dhow));
        let link = client(Client::dhow_as_docker);
        std::fs::write(place.path().join("env"), "FROM_FILE=1\nHOME\n").unwrap();
        std::fs::write(place.path().join("text"), "no archive\n").unwrap();
        Self {
            engine,
            docker,
            dhow,
            link,
            ages: Regex::new(
                r"(Less than a second|About an? (minute|hour)|\b\d+ (second|minute|hour)s?)( ago)?",
            )
            .unwrap(),
            ids: Regex::new(r"\b([0-9a-f]{64}|[0-9a-f]{12})\b").unwrap(),
            _place: place,
        }
    }

    /// One of everything that can be looked at.
    fn fill(&self) {
        for line in [
            "run -d --name awake --init --label colour=red --label size=2 -e A=b -p 127.0.0.1::80 -v hold:/hold busybox sleep 100000",
            "run -d --name asleep --init --hostname bed --restart=on-failure:3 busybox sleep 100000",
            "pause asleep",
            "run --name over busybox echo all over",
            "create --name fresh -it --memory 64m --cap-add NET_ADMIN --user 1:2 busybox sh -c 'echo a  b'",
            "volume create --label colour=blue hold2",
            "volume create hold10",
            "tag busybox port.example:5000/bee:2",
            "tag busybox bee:old",
        ] {
            self.docker.run(&words(line)).ok();
        }
        self.docker
            .run(&words(
                "run --name failed busybox sh -c 'echo out; echo err >&2; exit 3'",
            ))
            .fails(3);
    }

    /// What each client says to `line`, with the unimportant made the same.
    fn both(&self, line: &str, ids: bool) -> (Said, Said) {
        (
            self.said(&self.docker, "own1own", line, ids),
            self.said(&self.dhow, "own2own", line, ids),
        )
    }

    /// What `client` says to `line`, `own` being its part of names; `ids`
    /// tells whether ids are its own as well.
    fn said(&self, client: &Client, own: &str, line: &str, ids: bool) -> Said {
        let line = match own {
            "" => line.to_owned(),
            own => line.replace(OWN, own),
        };
        let mut said = client.said(&client.run_fed(&words(&line), b"fed\n"));
        for text in [&mut said.stdout, &mut said.stderr] {
            if !own.is_empty() {
                *text = text.replace(own, "@");
            }
            *text = self.ages.replace_all(text, "AGE").into_owned();
            // A column is as wide as its widest age was.
            if text.contains("AGE") {
                *text = squeezed(text);
            }
            // Docker shows images of one age in any order.
            if ["images", "image ls", "image list"]
                .iter()
                .any(|list| line.starts_with(list))
            {
                let mut lines: Vec<&str> = text.lines().collect();
                lines.sort_unstable();
                *text = lines.join("\n");
            }
            if ids {
                *text = self.ids.replace_all(text, "ID").into_owned();
            }
        }
        said
    }
}

fn squeezed(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = line.split("  ").filter(|word| !word.is_empty()).collect();
        let words: Vec<&str> = words.iter().map(|word| word.trim()).collect();
        words.join("  ") + "\n"
    });
    lines.collect()
}

/// Words as a shell takes them, single quotes being all the quotes there are.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("quotes are closed"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

/// Runs every line and reports all that differ at once.
fn check<'a>(pair: &Pair, lines: impl IntoIterator<Item = &'a str>, ids: bool) {
    let mut different = Vec::new();
    for line in lines {
        let (expected, found) = pair.both(line, ids);
        if found != expected {
            different.push(format!("{line}\n{}", contrast(&expected, &found)));
        }
    }
    assert!(
        different.is_empty(),
        "{} lines differ\n{}",
        different.len(),
        different.join("\n")
    );
}

fn contrast(docker: &Said, dhow: &Said) -> String {
    let mut text = String::new();
    if docker.code != dhow.code {
        text.push_str(&format!("  code   {} / {}\n", docker.code, dhow.code));
    }
    for (name, docker, dhow) in [
        ("stdout", &docker.stdout, &dhow.stdout),
        ("stderr", &docker.stderr, &dhow.stderr),
    ] {
        if docker != dhow {
            text.push_str(&format!(
                "  {name} docker {docker:?}\n  {name} dhow   {dhow:?}\n"
            ));
        }
    }
    text
}

/// What differs on purpose is to go on differing, or its reason has gone.
fn check_different(pair: &Pair, lines: &[(&str, &str)]) {
    let alike: Vec<_> = lines
        .iter()
        .filter(|(line, _)| {
            let (docker, dhow) = pair.both(line, false);
            dhow == docker
        })
        .collect();
    assert!(alike.is_empty(), "no longer so: {alike:#?}");
}

#[test]
fn looking_at_things() {
    let pair = Pair::new();
    pair.fill();
    check(&pair, reading::LINES.iter().copied(), false);
    check_different(&pair, different::LINES);
}

#[test]
fn wrong_command_lines() {
    let pair = Pair::new();
    check(&pair, reading::WRONG.iter().copied(), false);
    check_different(&pair, different::WRONG);
}

#[test]
fn changing_things() {
    let pair = Pair::new();
    pair.engine.docker(&["tag", "busybox", "bee:old"]).ok();
    check(&pair, changing::LINES.iter().copied(), true);
}

/// In Docker's place it speaks as Docker does even where its own name allows
/// for better words.
#[test]
fn nobody_there() {
    let mut pair = Pair::new();
    pair.engine.stop();
    for line in reading::UNREACHABLE {
        let docker = pair.said(&pair.docker, "", line, false);
        let link = pair.said(&pair.link, "", line, false);
        assert_eq!(link, docker, "{line}");
        let dhow = pair.said(&pair.dhow, "", line, false);
        assert_eq!(
            (dhow.code, dhow.stdout),
            (docker.code, docker.stdout),
            "{line}"
        );
        assert_ne!(dhow.stderr, docker.stderr, "{line}");
    }
}
