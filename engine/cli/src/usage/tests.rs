//! Wrong command lines and what is said of them; the texts are Docker's.

use super::*;
use crate::app;

fn refusal(line: &str) -> Refusal {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let root = app::grammar(Program::DOCKER);
    let error = root
        .clone()
        .try_get_matches_from(std::iter::once("docker".to_owned()).chain(words.clone()))
        .expect_err(line);
    refuse(Program::DOCKER, &root, &words, &error)
}

#[track_caller]
fn check(line: &str, code: i32, text: &str) {
    let refusal = refusal(line);
    assert_eq!(
        (refusal.code, refusal.text.as_str()),
        (code, text),
        "{line}"
    );
}

const RUN: &str = "Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]";

#[test]
fn wrong_flags() {
    let run = |line: &str, reason: &str| {
        let text = format!("{reason}\n\n{RUN}\n\nRun 'docker run --help' for more information\n");
        check(line, 125, &text);
    };
    run("run --foo x", "unknown flag: --foo");
    run("run -Z x", "unknown shorthand flag: 'Z' in -Z");
    run("run --name", "flag needs an argument: --name");
    run("run -p", "flag needs an argument: 'p' in -p");
    run(
        "run -m x busybox",
        "invalid argument \"x\" for \"-m, --memory\" flag: invalid size: 'x'",
    );
    run(
        "run --rm=maybe x",
        "invalid argument \"maybe\" for \"--rm\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
    );
    check(
        "-x",
        125,
        "unknown shorthand flag: 'x' in -x\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\nRun 'docker --help' for more information\n",
    );
}

#[test]
fn wrong_numbers_of_words() {
    check(
        "run",
        1,
        &format!(
            "docker: 'docker run' requires at least 1 argument\n\n{RUN}\n\nSee 'docker run --help' for more information\n"
        ),
    );
    check(
        "ps extra",
        1,
        "docker: 'docker ps' accepts no arguments\n\nUsage:  docker ps [OPTIONS]\n\nRun 'docker ps --help' for more information\n",
    );
    check(
        "tag a",
        1,
        "docker: 'docker tag' requires 2 arguments\n\nUsage:  docker tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]\n\nRun 'docker tag --help' for more information\n",
    );
    check(
        "exec a",
        1,
        "docker: 'docker exec' requires at least 2 arguments\n\nUsage:  docker exec [OPTIONS] CONTAINER COMMAND [ARG...]\n\nSee 'docker exec --help' for more information\n",
    );
    check(
        "container logs a b",
        1,
        "docker: 'docker container logs' requires 1 argument\n\nUsage:  docker container logs [OPTIONS] CONTAINER\n\nRun 'docker container logs --help' for more information\n",
    );
}

#[test]
fn wrong_commands() {
    check(
        "foo",
        1,
        "docker: unknown command: docker foo\n\nRun 'docker --help' for more information\n",
    );
    check(
        "container foo",
        1,
        "docker: unknown command: docker container foo\n\nUsage:  docker container\n\nRun 'docker container --help' for more information\n",
    );
}

#[test]
fn help_is_for_the_command_and_not_for_the_containers() {
    let help = refusal("-H tcp://x ps --help");
    assert!(help.asked_for && help.code == 0);
    assert!(help.text.starts_with("Usage:  docker ps [OPTIONS]\n"));
    let root = app::grammar(Program::DOCKER);
    let words = ["docker", "run", "--rm", "busybox", "ls", "--help", "-x"];
    assert!(root.try_get_matches_from(words).is_ok());
}

#[test]
fn every_flag_and_command_says_what_it_is_for() {
    fn visit(command: &Command, path: &str) {
        for arg in command.get_arguments() {
            let told = arg
                .get_help()
                .is_some_and(|help| !help.to_string().is_empty());
            assert!(arg.is_positional() || told, "{path} --{}", arg.get_id());
        }
        for sub in command.get_subcommands() {
            let path = format!("{path} {}", sub.get_name());
            assert!(sub.get_about().is_some(), "{path}");
            visit(sub, &path);
        }
    }
    let mut root = app::grammar(Program::DHOW);
    root.build();
    visit(&root, "dhow");
}

#[test]
fn short_flags_combine_and_take_values_as_docker_s_do() {
    let root = app::grammar(Program::DOCKER);
    for line in [
        "run -it -p80:80 -e=A=b --init=false --rm=1 busybox",
        "ps -aq --no-trunc=true -n=-1",
        "run --memory-swap -1 --pids-limit -1 busybox -x",
        "logs -fn 5 web",
        "rm -fv a b",
        "run --name a --name b busybox",
    ] {
        let words = std::iter::once("docker").chain(line.split(' '));
        let parsed = root.clone().try_get_matches_from(words);
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
    }
}
