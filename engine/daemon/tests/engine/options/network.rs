//! Networks, names, ports, and the namespaces that are shared.

use std::net::TcpListener;

use dhow_testkit::{Engine, until};

use super::{prints, refuses, run};
use crate::{field, idle};

#[test]
fn names_and_addresses_are_written_down() {
    let engine = Engine::with_busybox();
    let gateway = format!("{}\thost.internal", engine.gateway());
    let resolv = "grep -v '^#' /etc/resolv.conf | grep .";
    prints(
        &engine,
        &[
            (
                "--add-host db:192.0.2.7 --add-host six:2001:db8::1",
                "grep -E 'db$|six$' /etc/hosts",
                "192.0.2.7\tdb\n2001:db8::1\tsix",
            ),
            (
                "--add-host host.internal:host-gateway",
                "grep internal /etc/hosts",
                &gateway,
            ),
            (
                "--dns 192.0.2.53 --dns 192.0.2.54 --dns-search sea --dns-option ndots:3",
                resolv,
                "nameserver 192.0.2.53\nnameserver 192.0.2.54\nsearch sea\noptions ndots:3",
            ),
            (
                "--mac-address 02:42:ac:11:00:77",
                "cat /sys/class/net/eth0/address",
                "02:42:ac:11:00:77",
            ),
            ("--network none", "ls /sys/class/net", "lo"),
            ("--network none -h boat", "cat /etc/hostname", "boat"),
        ],
    );
}

#[test]
fn namespaces_are_joined() {
    let engine = Engine::with_busybox();
    idle(&engine, "first");
    let first = |command: &[&str]| engine.docker(&[&["exec", "first"], command].concat()).ok();
    let host = |name: &str| {
        let link = std::fs::read_link(format!("/proc/self/ns/{name}"));
        link.unwrap().display().to_string()
    };
    let link = |name: &str| format!("readlink /proc/self/ns/{name}");
    let hostname = first(&["hostname"]);
    let own_hosts = first(&["tail", "-1", "/etc/hosts"]);
    prints(
        &engine,
        &[
            ("--network container:first", "hostname", &hostname),
            (
                "--network container:first",
                "tail -1 /etc/hosts",
                &own_hosts,
            ),
            (
                "--network container:first",
                &link("net"),
                &first(&["readlink", "/proc/self/ns/net"]),
            ),
            ("--pid container:first", "cat /proc/1/comm", "docker-init"),
            (
                "--pid container:first",
                &link("pid"),
                &first(&["readlink", "/proc/self/ns/pid"]),
            ),
            ("--pid host", &link("pid"), &host("pid")),
            ("--ipc host", &link("ipc"), &host("ipc")),
            ("--uts host", &link("uts"), &host("uts")),
            ("--network host", &link("net"), &host("net")),
            ("--cgroupns host", &link("cgroup"), &host("cgroup")),
            (
                "--cgroupns private",
                "grep -v ':/$' /proc/self/cgroup; true",
                "",
            ),
        ],
    );
    // A container keeps to the other one, whatever that is called later.
    engine
        .docker(&[
            "create",
            "--name",
            "second",
            "--network",
            "container:first",
            "busybox",
        ])
        .ok();
    engine.docker(&["rename", "first", "renamed"]).ok();
    engine.docker(&["start", "-a", "second"]).ok();
}

#[test]
fn links_name_the_other() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run", "-d", "--name", "first", "-h", "boat", "--init", "busybox", "sleep", "1000",
        ])
        .ok();
    let address = field(
        &engine,
        "first",
        "{{.NetworkSettings.Networks.bridge.IPAddress}}",
    );
    prints(
        &engine,
        &[
            (
                "--link first:db",
                "grep -w db /etc/hosts",
                &format!("{address}\tdb boat first"),
            ),
            (
                "--link first",
                "ping -c 1 -w 5 first > /dev/null && echo there",
                "there",
            ),
        ],
    );
    engine
        .docker(&["create", "--name", "resting", "busybox"])
        .ok();
    refuses(
        &engine,
        &[
            (
                "--link nobody:db",
                "could not get container for nobody: No such container: nobody",
            ),
            (
                "--name late --link resting:db",
                "Cannot link to a non running container: /resting AS /late/db",
            ),
        ],
    );
}

#[test]
fn what_cannot_be_shared_is_told() {
    let engine = Engine::with_busybox();
    engine
        .docker(&["create", "--name", "resting", "busybox"])
        .ok();
    let id = field(&engine, "resting", "{{.Id}}");
    let resting = format!("cannot join network of a non running container: {id}");
    refuses(
        &engine,
        &[
            ("--network no-such", "network no-such not found"),
            ("--network container:nobody", "No such container: nobody"),
            ("--pid container:nobody", "No such container: nobody"),
            ("--network container:resting", &resting),
            ("--pid container:resting", "is not running"),
            (
                "--network container:resting -p 80:80",
                "conflicting options: port publishing and the container type network mode",
            ),
            (
                "--network container:resting -h x",
                "conflicting options: hostname and the network mode",
            ),
            (
                "--uts host -h x",
                "conflicting options: hostname and the UTS mode",
            ),
        ],
    );
}

#[test]
fn a_range_gives_the_first_free_port() {
    let engine = Engine::with_busybox();
    // A block of ports whose first is taken.
    let (taken, base) = (42_000..60_000)
        .step_by(3)
        .find_map(|base: u16| {
            let taken = TcpListener::bind(("127.0.0.1", base)).ok()?;
            let free = (base + 1..base + 3).all(|p| TcpListener::bind(("127.0.0.1", p)).is_ok());
            free.then_some((taken, base))
        })
        .expect("some ports are free");
    let range = format!("127.0.0.1:{base}-{}:80", base + 2);
    let start = |name: &str| {
        let server = [
            "busybox",
            "sh",
            "-c",
            "mkdir /w; echo $0 > /w/index.html; httpd -f -h /w",
        ];
        let flags = ["run", "-d", "--init", "--name", name, "-p", &range];
        engine.docker(&[&flags[..], &server, &[name]].concat())
    };
    for (name, port) in [("one", base + 1), ("two", base + 2)] {
        start(name).ok();
        let told = engine.docker(&["port", name, "80/tcp"]).ok();
        assert_eq!(told, format!("127.0.0.1:{port}"));
        until("it serves", || {
            let page = std::process::Command::new("curl")
                .args(["-s", "--max-time", "5", &format!("http://{told}/")])
                .output()
                .ok()?;
            (page.stdout == format!("{name}\n").as_bytes()).then_some(())
        });
    }
    let full = start("three").fails(125);
    assert!(
        full.contains("allocated") || full.contains("in use"),
        "{full}"
    );
    drop(taken);
    engine.docker(&["start", "three"]).ok();
    let told = engine.docker(&["port", "three", "80/tcp"]).ok();
    assert_eq!(told, format!("127.0.0.1:{base}"));
}

#[test]
fn log_drivers_keep_what_they_promise() {
    let engine = Engine::with_busybox();
    for (name, flags, kept) in [
        (
            "json",
            "--log-driver json-file --log-opt max-size=1m",
            Some("said"),
        ),
        ("local", "--log-driver local", Some("said")),
        ("none", "--log-driver none", None),
    ] {
        let flags: Vec<&str> = flags.split(' ').collect();
        let ran = engine.docker(
            &[
                &["run", "--name", name],
                &flags[..],
                &["busybox", "echo", "said"],
            ]
            .concat(),
        );
        assert_eq!(ran.ok(), "said", "what is logged is seen as well");
        let logs = engine.docker(&["logs", name]);
        match kept {
            Some(kept) => assert_eq!(logs.ok(), kept, "{name}"),
            None => assert!(
                logs.clone()
                    .fails(1)
                    .contains("configured logging driver does not support reading"),
                "{logs}"
            ),
        }
    }
    refuses(
        &engine,
        &[
            ("--log-driver odd", "odd"),
            (
                "--log-opt odd=1",
                "unknown log opt 'odd' for json-file log driver",
            ),
            ("--log-opt max-size=odd", "invalid size: 'odd'"),
        ],
    );
    assert_eq!(
        run(
            &engine,
            "--log-opt max-size=10k --log-opt max-file=3",
            "true"
        )
        .code,
        0
    );
}
