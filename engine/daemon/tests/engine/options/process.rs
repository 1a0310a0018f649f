//! The program: what it is, who it is, where it starts, how it ends.

use std::time::{Duration, Instant};

use dhow_testkit::Engine;

use super::{prints, refuses};
use crate::field;

#[test]
fn entrypoints_and_commands() {
    let engine = Engine::with_busybox();
    let said = |arguments: &[&str]| engine.docker(&[&["run", "--rm"], arguments].concat()).ok();
    assert_eq!(said(&["busybox", "echo", "a", "b"]), "a b");
    assert_eq!(
        said(&["--entrypoint", "echo", "busybox", "a", "b"]),
        "a b",
        "a new entrypoint takes the arguments"
    );
    assert_eq!(said(&["--entrypoint", "", "busybox", "echo", "a"]), "a");
    let nothing = engine.docker(&["run", "--rm", "--entrypoint", "", "busybox"]);
    assert!(
        nothing.clone().fails(125).contains("no command specified"),
        "{nothing}"
    );
}

#[test]
fn variables_come_from_flags_and_files() {
    let engine = Engine::with_busybox();
    let file = engine.scratch().join("variables");
    std::fs::write(&file, "# not this\nTWO=two words\nUNSET\n").unwrap();
    let flags = format!("-e ONE=1 -e UNSET --env-file {}", file.display());
    let script = "echo \"$ONE,$TWO,${UNSET-none},$HOME,$PATH\"";
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let expected = format!("1,two words,none,/root,{path}");
    prints(
        &engine,
        &[
            (&flags, script, &expected),
            ("-e HOME=/elsewhere", "echo $HOME", "/elsewhere"),
            ("-u postgres", "echo $HOME", "/var/lib/postgresql"),
            ("-u 4242", "echo $HOME", "/"),
            ("-h boat", "echo $HOSTNAME", "boat"),
            ("-e PATH=/bin", "echo $PATH", "/bin"),
        ],
    );
}

#[test]
fn users_by_name_and_by_number() {
    let engine = Engine::with_busybox();
    prints(
        &engine,
        &[
            ("", "id -u; id -g; id -G", "0\n0\n0"),
            ("-u daemon", "id -u; id -g; id -G", "1\n1\n1 4"),
            ("-u 1", "id -u; id -g; id -G", "1\n1\n1 4"),
            ("-u daemon:www-data", "id -u; id -g; id -G", "1\n33\n33"),
            ("-u 4242", "id -u; id -g; id -G", "4242\n0\n0"),
            ("-u 4242:4343", "id -u; id -g; id -G", "4242\n4343\n4343"),
            ("--group-add adm --group-add 777", "id -G", "0 4 777"),
            ("-u 33 --group-add postgres", "id -G", "33 70"),
        ],
    );
    refuses(
        &engine,
        &[
            (
                "-u nemo",
                "unable to find user nemo: no matching entries in passwd file",
            ),
            (
                "-u daemon:nemo",
                "unable to find group nemo: no matching entries in group file",
            ),
            (
                "-u 99999999999",
                "uids and gids must be in range 0-2147483647",
            ),
            (
                "--group-add nemo",
                "Unable to find group nemo: no matching entries in group file",
            ),
        ],
    );
}

#[test]
fn working_directories_are_made() {
    let engine = Engine::with_busybox();
    prints(
        &engine,
        &[
            ("", "pwd", "/"),
            (
                "-w /made/deep -u daemon",
                "pwd; stat -c '%a %u:%g' . ..; touch x 2>/dev/null || echo not mine",
                "/made/deep\n755 0:0\n755 0:0\nnot mine",
            ),
            ("-w /tmp/../etc//", "pwd", "/etc"),
        ],
    );
    engine
        .docker(&["create", "--name", "early", "-w", "/early/on", "busybox"])
        .ok();
    let copied = engine.docker(&["cp", "early:/early/on", "-"]);
    assert_eq!(copied.code, 0, "made when created: {copied}");
    refuses(
        &engine,
        &[
            (
                "-w relative",
                "the working directory 'relative' is invalid, it needs to be an absolute path",
            ),
            (
                "-w /etc/passwd",
                "Cannot mkdir: /etc/passwd is not a directory",
            ),
        ],
    );
}

#[test]
fn names_of_the_host() {
    let engine = Engine::with_busybox();
    let script = "hostname; cat /proc/sys/kernel/domainname /etc/hostname";
    prints(
        &engine,
        &[
            ("-h boat --domainname sea", script, "boat\nsea\nboat"),
            (
                "-h boat --domainname sea",
                "tail -1 /etc/hosts | cut -f2",
                "boat.sea boat",
            ),
        ],
    );
    engine
        .docker(&["run", "--name", "own", "busybox", "hostname"])
        .ok();
    let id = field(&engine, "own", "{{.Id}}");
    assert_eq!(field(&engine, "own", "{{.Config.Hostname}}"), id[..12]);
    assert_eq!(engine.docker(&["logs", "own"]).ok(), id[..12]);
}

#[test]
fn labels_annotations_and_platforms_are_kept() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "create",
            "--name",
            "told",
            "-l",
            "a=b",
            "-l",
            "bare",
            "--annotation",
            "note=this",
            "--stop-signal",
            "SIGUSR1",
            "--stop-timeout",
            "7",
            "busybox",
        ])
        .ok();
    let template = "{{json .Config.Labels}} {{json .HostConfig.Annotations}} \
                    {{.Config.StopSignal}} {{.Config.StopTimeout}}";
    assert_eq!(
        field(&engine, "told", template),
        r#"{"a":"b","bare":""} {"note":"this"} SIGUSR1 7"#
    );
    let platform = engine
        .docker(&["version", "-f", "{{.Server.Os}}/{{.Server.Arch}}"])
        .ok();
    prints(
        &engine,
        &[(&format!("--platform {platform}"), "echo ran", "ran")],
    );
}

#[test]
fn terminals_and_standard_input() {
    let engine = Engine::with_busybox();
    prints(
        &engine,
        &[
            ("-t", "tty; echo $TERM", "/dev/pts/0\r\nxterm\r"),
            ("", "tty; true", "not a tty"),
        ],
    );
    let fed = engine.docker_fed(&["run", "--rm", "-i", "busybox", "cat"], b"cargo");
    assert_eq!(fed.ok(), "cargo");
    let unfed = engine.docker_fed(&["run", "--rm", "busybox", "cat"], b"cargo");
    assert_eq!(unfed.ok(), "");
}

#[test]
fn an_init_reaps_and_forwards() {
    let engine = Engine::with_busybox();
    let script = "sh -c 'sleep 0.2 &'; sleep 0.6; \
                  cat /proc/[0-9]*/status | grep -c '^State:.Z' || true";
    prints(
        &engine,
        &[
            ("--init", "cat /proc/1/cmdline | tr '\\0' ' '", {
                "/sbin/docker-init -- sh -c cat /proc/1/cmdline | tr '\\0' ' ' "
            }),
            ("--init", script, "0"),
            ("", "echo $$", "1"),
        ],
    );
    assert_eq!(super::run(&engine, "--init", "exit 7").code, 7);
    assert_eq!(super::run(&engine, "--init", "kill -9 $$").code, 137);
}

#[test]
fn stopping_is_by_the_signal_and_in_the_time_asked_for() {
    let engine = Engine::with_busybox();
    let start = |name: &str, flags: &[&str], trap: &str| {
        let script = format!("{trap}; echo ready; while :; do sleep 0.05; done");
        let name = ["run", "-d", "--name", name];
        engine
            .docker(&[&name[..], flags, &["busybox", "sh", "-c", &script]].concat())
            .ok();
    };
    let ready = |name: &str| {
        dhow_testkit::until("it is ready", || {
            (engine.docker(&["logs", name]).out() == "ready").then_some(())
        });
    };
    start("polite", &["--stop-signal", "USR1"], "trap 'exit 7' USR1");
    start("deaf", &["--stop-timeout", "1"], "trap '' TERM");
    ready("polite");
    ready("deaf");
    engine.docker(&["stop", "polite"]).ok();
    assert_eq!(field(&engine, "polite", "{{.State.ExitCode}}"), "7");
    let before = Instant::now();
    engine.docker(&["stop", "deaf"]).ok();
    assert_eq!(field(&engine, "deaf", "{{.State.ExitCode}}"), "137");
    let took = before.elapsed();
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert!(took < Duration::from_secs(8), "{took:?}");
}
