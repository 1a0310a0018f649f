//! Containers and execs with a terminal: sizes, detach keys.

use std::io::{Read, Write};

use dhow_runtime::protocol::{Attach, Console, EventKind, Request};

use crate::fixture::{Plan, everything, read_until, script};

fn console(width: u16, height: u16) -> Console {
    Console { width, height }
}

#[test]
fn a_terminal_is_one_raw_and_has_a_size() {
    let script = "tty; stty size; read x; stty size; echo got $x; read y";
    let mut container = Plan::script(script)
        .tty()
        .with(|plan| plan.config.stdio.console = Some(console(81, 25)))
        .launch();
    let mut client = container.attach(everything());
    container.start().unwrap();
    let text = read_until(&mut client, "25 81\r\n");
    assert!(text.starts_with("/dev/pts/0\r\n"), "{text:?}");
    container.ask(Request::Resize {
        exec: None,
        console: console(100, 40),
    });
    client.write_all(b"word\n").unwrap();
    let text = read_until(&mut client, "got word\r\n");
    assert!(text.contains("40 100"), "{text:?}");
    client.write_all(b"\n").unwrap();
    let mut rest = String::new();
    client.read_to_string(&mut rest).unwrap();
    assert_eq!(container.exit().code, 0);
    assert!(container.logged("stdout").contains("got word\r\n"));
    container.gone();
}

#[test]
fn detach_keys_part_the_client_only() {
    let mut container = Plan::script("while read x; do echo got $x; done")
        .tty()
        .start();
    let with_keys = Attach {
        detach_keys: vec![16, 17],
        ..everything()
    };
    let mut client = container.attach(with_keys);
    client.write_all(b"a\n").unwrap();
    read_until(&mut client, "got a");
    client.write_all(&[16]).unwrap();
    client.write_all(&[17]).unwrap();
    let mut rest = String::new();
    client.read_to_string(&mut rest).unwrap();
    container.event(|event| matches!(event, EventKind::Detached { exec: None }).then_some(()));
    let mut again = container.attach(everything());
    again.write_all(b"b\n").unwrap();
    read_until(&mut again, "got b");
    container.kill(libc::SIGKILL);
    container.exit();
}

#[test]
fn an_exec_has_a_terminal_of_its_own() {
    let mut container = Plan::command(&["sleep", "1000"]).start();
    let mut plan = script("tty; stty size; test -t 2 && echo err; exec sh -c 'read x; exit $x'");
    plan.terminal = true;
    plan.console_size = Some((30, 90));
    let (id, mut client) = container.exec(plan, true).unwrap();
    let text = read_until(&mut client, "err\r\n");
    assert!(text.contains("/dev/pts/0\r\n30 90\r\n"), "{text:?}");
    container.ask(Request::Resize {
        exec: Some(id.clone()),
        console: console(50, 20),
    });
    client.write_all(b"9\n").unwrap();
    let mut rest = String::new();
    client.read_to_string(&mut rest).unwrap();
    assert_eq!(container.exec_exit(&id), 9);
    container.kill(libc::SIGKILL);
    container.exit();
}
