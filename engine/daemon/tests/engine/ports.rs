//! Networks of today: the bridge with published ports, the host's, none.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use dhow_testkit::wait::within;
use dhow_testkit::{Engine, fixture, until};

/// Serves a page on port 80 of the container.
const SERVE: &str = "mkdir /www; echo cargo > /www/index.html; exec httpd -f -p 80 -h /www";

fn serve(engine: &Engine, name: &str, flags: &[&str]) {
    engine
        .docker(
            &[
                &["run", "-d", "--init", "--name", name],
                flags,
                &["busybox", "sh", "-c", SERVE],
            ]
            .concat(),
        )
        .ok();
}

/// What an HTTP server at `address` answers, once it does.
fn page(address: &str) -> String {
    until(&format!("a page from {address}"), || get(address))
}

fn get(address: &str) -> Option<String> {
    let address = address.parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.starts_with("HTTP/1.").then(|| {
        answer
            .split("\r\n\r\n")
            .nth(1)
            .unwrap_or_default()
            .trim()
            .to_owned()
    })
}

fn mapped(engine: &Engine, name: &str, port: &str) -> String {
    let told = engine.docker(&["port", name, port]).ok();
    told.lines()
        .next()
        .unwrap_or_default()
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// An address of this machine that is neither loopback nor the bridge's.
fn own_address() -> String {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect("192.0.2.1:9").unwrap();
    socket.local_addr().unwrap().ip().to_string()
}

#[test]
fn a_published_port_is_reachable_from_everywhere_it_should_be() {
    let engine = Engine::with_busybox();
    serve(&engine, "web", &["-p", "80"]);
    let port = mapped(&engine, "web", "80/tcp");
    assert_eq!(page(&format!("127.0.0.1:{port}")), "cargo");
    assert_eq!(page(&format!("{}:{port}", own_address())), "cargo");
    assert_eq!(page(&format!("[::1]:{port}")), "cargo");
    assert_eq!(page(&format!("{}:{port}", engine.gateway())), "cargo");
    let own = engine
        .docker(&[
            "inspect",
            "-f",
            "{{.NetworkSettings.Networks.bridge.IPAddress}}",
            "web",
        ])
        .ok();
    assert_eq!(
        page(&format!("{own}:80")),
        "cargo",
        "the container's own address"
    );
    let visitor = format!("wget -qO- http://{}:{port}/", engine.gateway());
    let said = engine
        .docker(&["run", "--rm", "busybox", "sh", "-c", &visitor])
        .ok();
    assert_eq!(said, "cargo", "from another container");
    let itself = engine.docker(&["exec", "web", "sh", "-c", &visitor]).ok();
    assert_eq!(itself, "cargo", "from itself");
}

#[test]
fn a_port_on_loopback_stays_there() {
    let engine = Engine::with_busybox();
    serve(&engine, "web", &["-p", "127.0.0.1::80"]);
    let port = mapped(&engine, "web", "80/tcp");
    assert_eq!(page(&format!("127.0.0.1:{port}")), "cargo");
    let outside = within(Duration::from_millis(300), || {
        get(&format!("{}:{port}", own_address()))
    });
    assert_eq!(outside, None);
    let told = engine.docker(&["ps", "--format", "{{.Ports}}"]).ok();
    assert_eq!(told, format!("127.0.0.1:{port}->80/tcp"));
}

#[test]
fn ports_are_freed_when_the_container_stops() {
    let engine = Engine::with_busybox();
    // Not one that the engine chooses: another test's, which goes through the
    // same ones, could have it as soon as it is free.
    let chosen = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = chosen.local_addr().unwrap().to_string();
    drop(chosen);
    serve(&engine, "web", &["-p", &format!("{address}:80")]);
    page(&address);
    engine.docker(&["stop", "-t", "5", "web"]).ok();
    assert_eq!(get(&address), None);
    TcpListener::bind(&address).unwrap();
    engine.docker(&["start", "web"]).ok();
    let again = mapped(&engine, "web", "80/tcp");
    assert_eq!(page(&format!("127.0.0.1:{again}")), "cargo");
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_left() {
    let engine = Engine::with_busybox();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let flag = format!("127.0.0.1:{port}:80");
    let outcome = engine.docker(&[
        "run", "-d", "--name", "late", "-p", &flag, "busybox", "sleep", "9",
    ]);
    assert_eq!(outcome.code, 125, "{outcome}");
    let said = outcome.err();
    assert!(
        said.contains("address already in use") || said.contains("port is already allocated"),
        "{said}"
    );
    drop(taken);
    engine.docker(&["start", "late"]).ok();
    engine.docker(&["rm", "-f", "late"]).ok();
}

#[test]
fn two_containers_cannot_have_the_same_port() {
    let engine = Engine::with_busybox();
    serve(&engine, "first", &["-p", "127.0.0.1::80"]);
    let flag = format!("127.0.0.1:{}:80", mapped(&engine, "first", "80/tcp"));
    let outcome = engine.docker(&["run", "-d", "-p", &flag, "busybox", "sleep", "9"]);
    assert_eq!(outcome.code, 125, "{outcome}");
    assert!(
        outcome.err().contains("port is already allocated"),
        "{outcome}"
    );
}

#[test]
fn datagrams_go_both_ways() {
    let engine = Engine::start();
    engine.load(&fixture::socat(), "socat:1");
    let publish = [
        "run",
        "-d",
        "--init",
        "--name",
        "udp",
        "-p",
        "127.0.0.1::53/udp",
        "socat:1",
    ];
    engine
        .docker(&[&publish[..], &["socat", "UDP-LISTEN:53,fork", "EXEC:cat"]].concat())
        .ok();
    let port = mapped(&engine, "udp", "53/udp");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let mut buffer = [0; 64];
    let length = until("the echo", || {
        socket.send_to(b"ahoy", format!("127.0.0.1:{port}")).ok()?;
        socket.recv(&mut buffer).ok()
    });
    assert_eq!(&buffer[..length], b"ahoy");
}

#[test]
fn ranges_and_exposed_ports_are_published() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "-d",
            "--init",
            "--name",
            "many",
            "--expose",
            "7000-7002",
            "-P",
            "busybox",
            "sleep",
            "100000",
        ])
        .ok();
    let told = engine.docker(&["port", "many"]).ok();
    for port in ["7000/tcp", "7001/tcp", "7002/tcp"] {
        assert!(told.contains(port), "{told}");
    }
}

#[test]
fn containers_reach_each_other_and_the_world_is_behind_the_gateway() {
    let engine = Engine::with_busybox();
    serve(&engine, "web", &[]);
    let address = engine
        .docker(&["inspect", "-f", "{{.NetworkSettings.IPAddress}}", "web"])
        .ok();
    let script = format!(
        "wget -qO- http://{address}/; ip route | head -1; cat /etc/resolv.conf | grep -c nameserver"
    );
    let said = until("the server is up", || {
        let outcome = engine.docker(&["run", "--rm", "busybox", "sh", "-c", &script]);
        outcome.out().starts_with("cargo").then(|| outcome.out())
    });
    assert!(
        said.contains(&format!("default via {}", engine.gateway())),
        "{said}"
    );
}

#[test]
fn none_is_only_loopback_and_host_is_the_hosts() {
    let engine = Engine::with_busybox();
    let links = |network: &str| {
        engine
            .docker(&[
                "run",
                "--rm",
                "--network",
                network,
                "busybox",
                "sh",
                "-c",
                "ls /sys/class/net | tr '\\n' ' '",
            ])
            .ok()
    };
    assert_eq!(links("none").trim(), "lo");
    assert!(links("host").contains(engine.bridge()));
    assert_eq!(links("bridge").trim(), "eth0 lo");
}

#[test]
fn hosts_and_names_are_written() {
    let engine = Engine::with_busybox();
    let flags = [
        "--hostname",
        "dhow",
        "--add-host",
        "port:192.0.2.7",
        "--dns",
        "192.0.2.53",
        "--dns-search",
        "sea.example",
    ];
    let script = "cat /etc/hosts /etc/resolv.conf; hostname";
    let said = engine
        .docker(
            &[
                &["run", "--rm"],
                &flags[..],
                &["busybox", "sh", "-c", script],
            ]
            .concat(),
        )
        .ok();
    for line in [
        "127.0.0.1\tlocalhost",
        "192.0.2.7\tport",
        "nameserver 192.0.2.53",
        "search sea.example",
    ] {
        assert!(said.contains(line), "no {line:?} in {said}");
    }
    assert!(said.lines().any(|line| line.ends_with("\tdhow")), "{said}");
}

#[test]
fn other_peoples_rules_stay() {
    let rules = || {
        let output = std::process::Command::new("nft")
            .args(["list", "tables"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .filter(|line| !line.contains("dhow"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let before = rules();
    let engine = Engine::with_busybox();
    serve(&engine, "web", &["-p", "127.0.0.1::80"]);
    assert_eq!(rules(), before);
    drop(engine);
    assert_eq!(rules(), before);
}
