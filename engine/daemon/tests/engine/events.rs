//! What the engine tells of what happens: dockerd's events, their order and
//! their attributes.

use dhow_testkit::{Engine, until};
use serde_json::{Value, json};

use crate::field;

#[test]
fn events_tell_the_story() {
    let engine = Engine::with_busybox();
    engine
        .docker(&["run", "--rm", "--name", "story", "busybox", "true"])
        .ok();
    // The client counts whole seconds, so the current one has to end first.
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let (since, until) = ((now - 60).to_string(), (now + 1).to_string());
    let words = [
        "events",
        "--since",
        &since,
        "--until",
        &until,
        "-f",
        "container=story",
    ];
    let told = engine
        .docker(&[&words[..], &["--format", "{{.Type}} {{.Action}}"]].concat())
        .ok();
    let told: Vec<&str> = told.lines().collect();
    for action in ["create", "attach", "start", "die", "destroy"] {
        assert!(
            told.contains(&format!("container {action}").as_str()),
            "no {action} in {told:?}"
        );
    }
}

#[test]
fn every_verb_is_told_in_dockers_order() {
    let engine = Engine::with_busybox();
    let created = ["create", "--name", "told", "-v", "cargo:/cargo", "-t"];
    let program = ["busybox", "sleep", "100000"];
    engine.docker(&[&created[..], &program].concat()).ok();
    for words in [
        &["start", "told"][..],
        &["exec", "told", "true"],
        &["pause", "told"],
        &["unpause", "told"],
        &["top", "told"],
        &["update", "--cpu-shares", "512", "told"],
        &["rename", "told", "retold"],
        &["kill", "-s", "CONT", "retold"],
        &["restart", "-t", "0", "retold"],
        &["stop", "-t", "0", "retold"],
        &["rm", "retold"],
        &["volume", "rm", "cargo"],
    ] {
        engine.docker(words).ok();
    }
    let start = ["network connect", "volume mount cargo", "container start"];
    let stop = [
        "container kill",
        "network disconnect",
        "volume unmount cargo",
        "container die",
        "container stop",
    ];
    // With no time to end, the second signal follows at once or not at all.
    let mut told = told(&engine);
    told.dedup();
    let expected = [
        &["volume create cargo", "container create"][..],
        &start,
        &[
            "container exec_create: true ",
            "container exec_start: true ",
            "container exec_die",
            "container pause",
            "container unpause",
            "container top",
            "container update",
            "container rename",
            // The one that was sent, and the restart's.
            "container kill",
        ],
        &stop[1..],
        &start,
        &["container restart"],
        &stop,
        &["container destroy", "volume destroy cargo"],
    ];
    assert_eq!(told, expected.concat());
}

#[test]
fn a_restart_that_is_called_off_is_one_end() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "loop",
            "--restart",
            "always",
            "busybox",
            "false",
        ])
        .ok();
    until("it waits for its restart", || {
        let waits = || field(&engine, "loop", "{{.State.Status}}") == "restarting";
        // Long enough for the stop to find it waiting.
        let count: u32 = field(&engine, "loop", "{{.RestartCount}}").parse().unwrap();
        (count >= 4 && waits()).then_some(())
    });
    engine.docker(&["stop", "loop"]).ok();
    assert_eq!(
        field(&engine, "loop", "{{.State.Status}} {{.State.ExitCode}}"),
        "exited 1"
    );
    let told = told(&engine);
    let count = |what: &str| told.iter().filter(|line| *line == what).count();
    assert_eq!(count("container start"), count("container die"), "{told:?}");
}

#[test]
fn every_run_under_a_policy_is_told_whole() {
    let engine = Engine::with_busybox();
    let words = ["run", "-d", "--name", "loop", "--restart", "on-failure:2"];
    let program = ["-v", "cargo:/cargo", "busybox", "sh", "-c", "exit 3"];
    engine.docker(&[&words[..], &program].concat()).ok();
    until("its policy gives up", || {
        (field(&engine, "loop", "{{.State.Status}} {{.RestartCount}}") == "exited 2").then_some(())
    });
    let run = [
        "network connect",
        "volume mount cargo",
        "container start",
        "network disconnect",
        "volume unmount cargo",
        "container die",
    ];
    let made = ["volume create cargo", "container create"];
    let expected = [&made[..], &run, &run, &run].concat();
    assert_eq!(told(&engine), expected);
    for event in events(&engine) {
        if event["Action"] == "die" {
            assert_eq!(attribute(&event, "exitCode"), "3");
            assert_eq!(attribute(&event, "execDuration"), "0");
        }
    }
}

#[test]
fn a_start_that_fails_has_had_its_network() {
    let engine = Engine::with_busybox();
    let words = ["run", "--rm", "-v", "cargo:/cargo", "busybox", "nosuch"];
    engine.docker(&words).fails(127);
    let expected = [
        "volume create cargo",
        "container create",
        "container attach",
        "network connect",
        "volume mount cargo",
        "network disconnect",
        "volume unmount cargo",
        "container destroy",
    ];
    until("it is removed", || {
        let told = told(&engine);
        (told.last()? == "container destroy").then(|| assert_eq!(told, expected))
    });
}

#[test]
fn probes_are_told_as_the_execs_they_are() {
    let engine = Engine::with_busybox();
    let words = ["run", "-d", "--name", "well", "--init"];
    let check = [
        "--health-cmd",
        "exit 0",
        "--health-interval",
        "100ms",
        "busybox",
        "sleep",
        "100000",
    ];
    engine.docker(&[&words[..], &check].concat()).ok();
    until("it is healthy", || {
        (field(&engine, "well", "{{.State.Health.Status}}") == "healthy").then_some(())
    });
    let told = told(&engine);
    let first = [
        "container exec_create: /bin/sh -c exit 0",
        "container exec_start: /bin/sh -c exit 0",
        "container exec_die",
        "container health_status: healthy",
    ];
    let at = told
        .iter()
        .position(|line| line == "container start")
        .unwrap()
        + 1;
    assert_eq!(told[at..at + 4], first, "{told:?}");
    let events = events(&engine);
    let of = |action: &str| {
        let mut matching = events.iter();
        let found = matching.find(|e| e["Action"].as_str().unwrap().starts_with(action));
        attribute(found.unwrap(), "execID")
    };
    assert_eq!(of("exec_create").len(), 64);
    assert_eq!(of("exec_create"), of("exec_start"));
    assert_eq!(of("exec_create"), of("exec_die"));
    // Nobody probes what is frozen or has ended.
    let health = || field(&engine, "well", "{{.State.Health.Status}}");
    engine.docker(&["pause", "well"]).ok();
    until("it counts as unhealthy", || {
        (health() == "unhealthy").then_some(())
    });
    engine.docker(&["unpause", "well"]).ok();
    until("it is healthy again", || {
        (health() == "healthy").then_some(())
    });
    engine.docker(&["stop", "-t", "0", "well"]).ok();
    assert_eq!(health(), "unhealthy");
}

#[test]
fn a_frozen_container_is_thawed_to_hear_a_signal_and_that_is_told() {
    let engine = Engine::with_busybox();
    crate::idle(&engine, "ice");
    engine.docker(&["pause", "ice"]).ok();
    engine.docker(&["stop", "-t", "20", "ice"]).ok();
    let told = told(&engine);
    let at = told
        .iter()
        .position(|line| line == "container pause")
        .unwrap();
    let expected = [
        "container pause",
        "container kill",
        "container unpause",
        "network disconnect",
        "container die",
        "container stop",
    ];
    assert_eq!(told[at..], expected);
    let kill = events(&engine)
        .into_iter()
        .find(|event| event["Action"] == "kill");
    assert_eq!(attribute(&kill.unwrap(), "signal"), "15");
}

#[test]
fn a_frozen_container_dies_frozen() {
    let engine = Engine::with_busybox();
    crate::idle(&engine, "ice");
    engine.docker(&["pause", "ice"]).ok();
    engine.docker(&["kill", "ice"]).ok();
    let told = told(&engine);
    let expected = [
        "container pause",
        "container kill",
        "network disconnect",
        "container die",
    ];
    assert_eq!(told[told.len() - 4..], expected, "{told:?}");
}

#[test]
fn want_of_memory_is_told_before_the_end() {
    let engine = Engine::with_busybox();
    let words = ["run", "--rm", "-m", "16m", "busybox", "sh", "-c"];
    let eats = ["tail /dev/zero; exit 0"];
    engine.docker(&[&words[..], &eats].concat());
    let told = told(&engine);
    let at = |what: &str| {
        let found = told.iter().position(|line| line == what);
        found.unwrap_or_else(|| panic!("no {what} in {told:?}"))
    };
    assert!(at("container start") < at("container oom"));
    assert!(at("container oom") < at("container die"));
    assert_eq!(told.last().unwrap(), "container destroy");
}

#[test]
fn the_most_memory_that_a_container_had_is_known_afterwards() {
    let engine = Engine::with_busybox();
    let exit = || engine.get("/dhow/containers/eats/exit");
    assert_eq!(
        (exit().status, exit().message().as_str()),
        (404, "No such container: eats")
    );
    let words = ["run", "--name", "eats", "-m", "16m", "busybox", "sh", "-c"];
    let outcome = engine.docker(&[&words[..], &["exec tail /dev/zero"]].concat());
    assert_eq!(outcome.code, 137, "{outcome}");
    let answer = exit().json();
    let fields: Vec<_> = answer.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["ExitCode", "OOMKilled", "MemoryPeak"]);
    assert_eq!(
        (&answer["ExitCode"], &answer["OOMKilled"]),
        (&json!(137), &json!(true))
    );
    let peak = answer["MemoryPeak"].as_u64().unwrap();
    assert!((8 << 20..=16 << 20).contains(&peak), "{peak}");
}

/// All that the engine told so far: what kind of thing, what happened, and to
/// which volume.
fn told(engine: &Engine) -> Vec<String> {
    let told = events(engine).into_iter().map(|event| {
        let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let volume = match word("Type").as_str() {
            "volume" => format!(" {}", event["Actor"]["ID"].as_str().unwrap_or_default()),
            _ => String::new(),
        };
        format!("{} {}{volume}", word("Type"), word("Action"))
    });
    told.filter(|line| !line.starts_with("image ")).collect()
}

/// All events so far.
fn events(engine: &Engine) -> Vec<Value> {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let target = format!("/events?since=0&until={}", now.as_secs() + 1);
    let response = engine.get(&target);
    assert_eq!(response.status, 200, "{}", response.text());
    let text = response.text();
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn attribute(event: &Value, name: &str) -> String {
    let value = event["Actor"]["Attributes"][name].as_str();
    value.unwrap_or_default().to_owned()
}
