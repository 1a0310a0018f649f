//! Completion, asked for as shells do: by bash, zsh and fish themselves, and
//! compared with the answers of the real client.

use std::process::Command;

use dhow_testkit::{Engine, Outcome, program};

use crate::both::Client;

/// An engine with one container of each state, and things to name.
fn harbour() -> Engine {
    let engine = Engine::with_busybox();
    let idle = ["busybox", "sleep", "100000"];
    for (name, command) in [("awake", "run"), ("asleep", "run"), ("fresh", "create")] {
        let mut line = vec![command, "--name", name, "--init"];
        if command == "run" {
            line.push("-d");
        }
        line.extend(idle);
        engine.docker(&line).ok();
    }
    engine.docker(&["pause", "asleep"]).ok();
    engine
        .docker(&["run", "--name", "over", "busybox", "true"])
        .ok();
    engine.docker(&["volume", "create", "hold"]).ok();
    engine
        .docker(&["tag", "busybox", "port.example:5000/bee:2"])
        .ok();
    engine
}

/// What both clients answer alike, in the order of names.
const ALIKE: &[&str] = &[
    "attach ",
    "commit ",
    "container attach ",
    "container exec ",
    "container inspect ",
    "container kill ",
    "container logs ",
    "container rm -f ",
    "container start ",
    "context inspect ",
    "context rm ",
    "context use ",
    "diff ",
    "exec ",
    "export ",
    "image history ",
    "image inspect ",
    "image rm ",
    "kill ",
    "logs ",
    "network connect ",
    "network inspect ",
    "network rm ",
    "pause ",
    "port ",
    "ps ",
    "rename ",
    "rm ",
    "rm --force ",
    "restart ",
    "rmi ",
    "run ",
    "run busybox ",
    "run --network ",
    "run --pull ",
    "run --restart ",
    "run --volumes-from ",
    "save ",
    "start ",
    "stats ",
    "stop ",
    "tag ",
    "top ",
    "unpause ",
    "update ",
    "volume inspect ",
    "volume rm ",
    "wait ",
    "--context ",
    "ps --fi",
    "ps --no",
    "-H nowhere context us",
    "contain",
];

/// What they answer differently, and why.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "exec awake ",
        "what follows is a command inside, no further container",
    ),
    ("stop awake ", "nobody stops the same container twice"),
];

/// The candidates in order, and what the shell is told.
fn candidates(outcome: &Outcome) -> (Vec<String>, String) {
    let text = outcome.out();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let directive = lines.pop().unwrap_or_default();
    // Docker marks the current context behind a tab even when told not to.
    for line in &mut lines {
        line.truncate(line.find('\t').unwrap_or(line.len()));
    }
    lines.sort();
    (lines, directive)
}

#[test]
fn answers_as_docker_does() {
    let engine = harbour();
    let place = tempfile::tempdir().unwrap();
    let host = engine.host();
    let ask = |client: &Client, line: &str| {
        let words = ["__completeNoDesc"].into_iter().chain(line.split(' '));
        candidates(&client.run(&words.collect::<Vec<_>>()))
    };
    let docker = Client::docker(place.path()).variable("DOCKER_HOST", &host);
    let dhow = Client::dhow(place.path()).variable("DOCKER_HOST", &host);
    for name in ["far", "near"] {
        let endpoint = "host=tcp://far";
        docker
            .run(&["context", "create", name, "--docker", endpoint])
            .ok();
    }
    let mut different = Vec::new();
    for line in ALIKE {
        let (expected, found) = (ask(&docker, line), ask(&dhow, line));
        if found != expected {
            different.push(format!(
                "{line:?}\n  docker {expected:?}\n  dhow   {found:?}"
            ));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    for (line, reason) in DIFFERENT {
        assert_ne!(ask(&dhow, line), ask(&docker, line), "{line:?}: {reason}");
    }
    let (_, directive) = ask(&dhow, "-H tcp://127.0.0.1:1 rm ");
    assert_eq!(directive, ":1", "nobody to ask");
}

/// Runs `script` in a shell that finds `dhow` and the engine.
fn shell(engine: &Engine, program: &str, arguments: &[&str], script: &str) -> Outcome {
    let dhow = program::ours("dhow");
    let folder = dhow.parent().expect("a program is in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg(script)
        .env_clear()
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("HOME", engine.scratch())
        .env("TERM", "dumb")
        .env("DOCKER_HOST", engine.host())
        .current_dir(engine.scratch());
    Outcome::of(command, b"")
}

/// A line that is typed, and what a shell puts in its last word's place.
const TYPED: &[(&str, &[&str])] = &[
    ("dhow rm ", &["fresh", "over"]),
    ("dhow stop a", &["asleep", "awake"]),
    ("dhow pause ", &["awake"]),
    ("dhow container unpause ", &["asleep"]),
    ("dhow rm over f", &["fresh"]),
    ("dhow volume rm ", &["hold"]),
    ("dhow run --network h", &["host"]),
    ("dhow contex", &["context"]),
];

#[test]
fn in_bash() {
    let engine = harbour();
    let mut typed: Vec<(&str, Vec<&str>)> = TYPED
        .iter()
        .map(|(line, expected)| (*line, expected.to_vec()))
        .collect();
    // bash replaces only what follows the last `:` or `=`.
    typed.push(("dhow rmi port.example:5000/b", vec!["5000/bee:2"]));
    typed.push(("dhow rmi busybox:", vec!["latest"]));
    typed.push(("dhow run --network=h", vec!["host"]));
    for (line, expected) in typed {
        // The words as readline would take them apart.
        let script = format!(
            r#"
eval "$(dhow completion bash)"
COMP_LINE='{line}'
COMP_POINT=${{#COMP_LINE}}
COMP_WORDS=($(sed 's/[:=]/ & /g' <<<"$COMP_LINE"))
[[ $COMP_LINE == *[[:space:]:=] ]] && COMP_WORDS+=('')
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_dhow_complete dhow "${{COMP_WORDS[COMP_CWORD]}}" ''
printf '%s\n' "${{COMPREPLY[@]}}"
"#
        );
        let found = shell(&engine, "bash", &["--norc", "-c"], &script).ok();
        let mut found: Vec<&str> = found.lines().collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{line:?}");
    }
}

#[test]
fn in_fish() {
    let engine = harbour();
    for (line, expected) in TYPED {
        let script = format!("dhow completion fish | source; complete -C '{line}'");
        let found = shell(&engine, "fish", &["--no-config", "-c"], &script).ok();
        // Behind a tab are descriptions.
        let mut found: Vec<&str> = found
            .lines()
            .map(|line| line.split('\t').next().unwrap_or_default())
            .collect();
        found.sort_unstable();
        assert_eq!(found, *expected, "{line:?}");
    }
}

/// zsh completes only at a terminal, so it gets one: a shell in a pty, typed
/// into by another.
#[test]
fn in_zsh() {
    let engine = harbour();
    for (line, expected) in TYPED {
        let [only] = expected else { continue };
        let script = format!(
            r#"
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; unsetopt zle_bracketed_paste prompt_sp; autoload -Uz compinit; compinit -u -D'
zpty -w z 'source <(dhow completion zsh); show() {{ print -r -- "BUFFER<$BUFFER>"; }}'
zpty -w z 'zle -N show; bindkey "^X" show; print re""ady'
zpty -r -m z seen '*ready*'
zpty -w -n z '{line}'$'\t\x18'
zpty -r -m z seen '*BUFFER<*>*'
seen=${{seen##*BUFFER<}}
print -r -- "${{seen%%>*}}"
zpty -d z
"#
        );
        let found = shell(&engine, "zsh", &["-f", "-c"], &script).ok();
        let word = line.rfind(' ').map_or(0, |space| space + 1);
        assert_eq!(
            found.trim_end(),
            format!("{}{only}", &line[..word]),
            "{line:?}"
        );
    }
}
