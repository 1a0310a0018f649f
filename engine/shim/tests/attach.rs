//! Clients joined to a container: input, output, half-close, slowness.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use dhow_runtime::protocol::Attach;

use crate::fixture::{Plan, demultiplex, everything, output_only, read_until, wait_until};

#[test]
fn input_ends_with_the_client_that_gave_it() {
    let mut container = Plan::command(&["cat"]).stdin(true).launch();
    let mut client = container.attach(Attach {
        early_input: b"early ".to_vec(),
        ..everything()
    });
    container.start().unwrap();
    client.write_all(b"late\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(demultiplex(client).0, "early late\n");
    assert_eq!(container.exit().code, 0);
    assert_eq!(container.logged("stdout"), "early late\n");
    container.gone();
}

#[test]
fn much_input_arrives_whole() {
    let mut container = Plan::command(&["md5sum"]).stdin(true).launch();
    let mut client = container.attach(everything());
    container.start().unwrap();
    let data = vec![b'x'; 3_000_000];
    client.write_all(&data).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let (out, _) = demultiplex(client);
    assert_eq!(out, "8e32e22642bddc89698e25a4e9bf528b  -\n");
    assert_eq!(container.exit().code, 0);
}

#[test]
fn input_stays_open_for_the_next_client_unless_it_is_for_one() {
    let mut container = Plan::command(&["cat"]).stdin(false).start();
    let mut first = container.attach(everything());
    first.write_all(b"one\n").unwrap();
    read_until(&mut first, "one\n");
    first.shutdown(Shutdown::Write).unwrap();
    // As with Docker, a client that has no more to say is through.
    assert_eq!(demultiplex(first), (String::new(), String::new()));
    let mut second = container.attach(everything());
    second.write_all(b"two\n").unwrap();
    read_until(&mut second, "two\n");
    container.kill(libc::SIGKILL);
    container.exit();
    assert_eq!(container.logged("stdout"), "one\ntwo\n");
}

#[test]
fn without_open_stdin_there_is_none() {
    let mut container = Plan::command(&["cat"]).launch();
    let mut client = container.attach(everything());
    container.start().unwrap();
    let _ = client.write_all(b"in vain\n");
    assert_eq!(container.exit().code, 0);
    assert_eq!(demultiplex(client).0, "");
}

#[test]
fn streams_are_told_apart_and_chosen() {
    let script = "read x; echo out; echo err >&2";
    let mut container = Plan::script(script).stdin(true).launch();
    let mut both = container.attach(everything());
    let only_err = container.attach(Attach {
        stdout: false,
        ..output_only()
    });
    container.start().unwrap();
    both.write_all(b"\n").unwrap();
    container.exit();
    assert_eq!(demultiplex(both), ("out\n".to_owned(), "err\n".to_owned()));
    assert_eq!(demultiplex(only_err), (String::new(), "err\n".to_owned()));
}

#[test]
fn a_slow_client_holds_the_output_back_and_loses_none() {
    // Two megabytes, numbered.
    let script = "seq 1 300000; echo done >&2";
    let mut container = Plan::script(script).launch();
    let mut client = container.attach(output_only());
    container.start().unwrap();
    let mut first = [0; 1];
    client.read_exact(&mut first).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let logged = container.logged("stdout").len();
    assert!(logged < 1_500_000, "{logged} bytes ran ahead of the client");
    assert!(!container.logged("stderr").contains("done"));
    let rest = std::io::Cursor::new(first).chain(client);
    let (out, err) = demultiplex(rest);
    let expected: String = (1..=300_000).map(|n| format!("{n}\n")).collect();
    assert!(out == expected);
    assert_eq!(err, "done\n");
    assert_eq!(container.exit().code, 0);
    assert!(container.logged("stdout") == expected);
    container.gone();
}

#[test]
fn a_client_that_is_slow_at_the_end_still_gets_everything() {
    let script = "head -c 250000 /dev/zero | tr '\\0' x";
    let mut container = Plan::script(script).launch();
    let mut client = container.attach(output_only());
    container.start().unwrap();
    // Read just so much that the process can end, and the rest after the shim.
    let mut part = vec![0; 50_000];
    client.read_exact(&mut part).unwrap();
    container.exit();
    container.gone();
    let (out, _) = demultiplex(std::io::Cursor::new(part).chain(client));
    assert_eq!(out.len(), 250_000);
}

#[test]
fn a_client_that_leaves_harms_nobody() {
    let mut container = Plan::script("while :; do echo x; done").launch();
    let stays = container.attach(output_only());
    let leaves = container.attach(output_only());
    container.start().unwrap();
    drop(leaves);
    let mut reader = std::io::BufReader::new(stays);
    let mut buffer = vec![0; 1_000_000];
    reader.read_exact(&mut buffer).unwrap();
    drop(reader);
    let size = || std::fs::metadata(&container.config.log.path).unwrap().len();
    let before = size();
    wait_until("the container goes on", || (size() > before).then_some(()));
    container.kill(libc::SIGKILL);
    container.exit();
    container.gone();
}

#[test]
fn what_a_client_sent_before_it_left_is_still_read() {
    let mut container = Plan::script("sleep 0.2; wc -c").stdin(true).launch();
    let mut client = container.attach(everything());
    client.write_all(&[b'x'; 150_000]).unwrap();
    drop(client);
    container.start().unwrap();
    assert_eq!(container.exit().code, 0);
    assert_eq!(container.logged("stdout"), "150000\n");
    container.gone();
}
