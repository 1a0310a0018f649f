//! What is refused: Docker's status and text, and nothing left behind.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use dhow_testkit::{Engine, until};
use serde_json::{Value, json};

#[test]
fn bodies_that_make_no_sense() {
    let engine = Engine::with_busybox();
    let check = |body: Value, status: u16, message: &str| {
        let answer = engine.post("/containers/create", &body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert!(
            answer.message().contains(message),
            "{body}: {}",
            answer.text()
        );
    };
    let host = |options: Value| json!({"Image": "busybox", "HostConfig": options});
    check(
        json!({"Image": "no-such"}),
        404,
        "No such image: no-such:latest",
    );
    check(json!({"Image": "BAD"}), 400, "must be lowercase");
    check(json!({"Image": 5}), 400, "Image");
    check(json!([]), 400, "cannot unmarshal array");
    check(
        json!({"Image": "busybox", "Env": ["=x"]}),
        400,
        "invalid environment variable: =x",
    );
    check(
        json!({"Image": "busybox", "StopSignal": "ODD"}),
        400,
        "nvalid signal: ODD",
    );
    check(
        json!({"Image": "busybox", "Healthcheck": {"Test": ["CMD", "a"], "Interval": 5}}),
        400,
        "Interval in Healthcheck cannot be less than 1ms",
    );
    check(host(json!({"Memory": "x"})), 400, "Memory");
    check(
        host(json!({"VolumesFrom": ["nobody"]})),
        400,
        "No such container: nobody",
    );
    check(
        host(json!({"IpcMode": "container:nobody"})),
        400,
        "No such container: nobody",
    );
    check(
        host(json!({"Binds": ["a:b:c:d"]})),
        400,
        "invalid volume specification: 'a:b:c:d'",
    );
    check(
        host(json!({"ExtraHosts": ["odd"]})),
        400,
        "bad format for add-host: \"odd\"",
    );
    check(
        host(json!({"ExtraHosts": ["db:odd"]})),
        400,
        "invalid IP address in add-host: \"odd\"",
    );
    check(
        host(json!({"PortBindings": {"80/tcp": [{"HostPort": "99999"}]}})),
        400,
        "invalid port specification: \"99999\"",
    );
    check(
        host(json!({"SecurityOpt": ["odd=yes"]})),
        400,
        "invalid --security-opt 2: \"odd=yes\"",
    );
    check(
        host(json!({"ShmSize": -5})),
        400,
        "SHM size can not be less than 0",
    );
    check(
        host(json!({"AutoRemove": true, "RestartPolicy": {"Name": "always"}})),
        400,
        "can't create 'AutoRemove' container with restart policy",
    );
    check(host(json!({"DeviceCgroupRules": ["odd"]})), 400, "odd");
    check(host(json!({"Runtime": "odd"})), 400, "odd");
    assert_eq!(engine.docker(&["ps", "-aq"]).ok(), "", "nothing was made");
}

/// What a container leaves: its folders, its control group, its cable.
fn traces(engine: &Engine) -> Vec<String> {
    let mut traces = Vec::new();
    let mut list = |folder: &Path| {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                traces.push(path.display().to_string());
            }
        }
    };
    list(&engine.data_root().join("containers"));
    list(&engine.data_root().join("volumes"));
    list(&engine.exec_root().join("c"));
    for tree in ["", "memory", "pids", "systemd"] {
        let tree = Path::new("/sys/fs/cgroup").join(tree);
        list(&tree.join(&engine.footprint().cgroup));
    }
    // Cables are made ahead of time and look alike: their number counts.
    let bridge = Path::new("/sys/class/net").join(engine.bridge());
    let cables = std::fs::read_dir(bridge.join("brif")).map_or(0, Iterator::count);
    traces.push(format!("{cables} cables"));
    traces
}

/// The same, once nothing changes any more.
fn settled(engine: &Engine) -> Vec<String> {
    let mut last = traces(engine);
    until("nothing changes", || {
        std::thread::sleep(Duration::from_millis(300));
        let now = traces(engine);
        let same = now == last;
        last.clone_from(&now);
        same.then_some(now)
    })
}

#[test]
fn a_failed_start_leaves_nothing_behind() {
    let engine = Engine::with_busybox();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("127.0.0.1:{}:80", taken.local_addr().unwrap().port());
    let before = settled(&engine);
    assert_eq!(before.len(), 1, "{before:?}");
    let failing: [(&[&str], &[&str]); 6] = [
        (&["-p", &port], &["true"]),
        (&["-v", "/anonymous"], &["no-such-program"]),
        (&["-u", "nemo", "-v", "/anonymous"], &["true"]),
        (&["--device", "/dev/no-such"], &["true"]),
        (&["--network", "no-such"], &["true"]),
        (&["--sysctl", "net.no.such=1"], &["true"]),
    ];
    for (flags, command) in failing {
        let outcome = engine.docker(&[&["run", "--rm"], flags, &["busybox"], command].concat());
        assert!(matches!(outcome.code, 125..=127), "{outcome}");
        until(&format!("nothing is left of {flags:?}"), || {
            (traces(&engine) == before).then_some(())
        });
    }
    // Without --rm the container stays, as with dockerd, and nothing of its start.
    let outcome = engine.docker(&["run", "--name", "stays", "-p", &port, "busybox"]);
    assert_eq!(outcome.code, 125, "{outcome}");
    let left: Vec<String> = settled(&engine)
        .into_iter()
        .filter(|trace| !before.contains(trace))
        .collect();
    assert_eq!(left.len(), 1, "only its own folder: {left:?}");
    assert_eq!(
        crate::field(&engine, "stays", "{{.State.Status}}"),
        "created"
    );
    drop(taken);
    engine.docker(&["start", "stays"]).ok();
    engine.docker(&["rm", "-f", "stays"]).ok();
}

#[test]
fn a_failed_create_leaves_nothing_behind() {
    let engine = Engine::with_busybox();
    let before = settled(&engine);
    for flags in [
        &["-v", "b@d:/x", "-v", "/anonymous"][..],
        &["-w", "/etc/passwd", "-v", "/anonymous"],
        &["--cap-add", "nonsense"],
        &["-m", "1m"],
        &["--volumes-from", "nobody", "-v", "/anonymous"],
    ] {
        let outcome = engine.docker(&[&["create"], flags, &["busybox"]].concat());
        assert_ne!(outcome.code, 0, "{outcome}");
        assert_eq!(traces(&engine), before, "after {flags:?}");
    }
    engine
        .docker(&["create", "--name", "taken", "busybox"])
        .ok();
    let twice = engine.docker(&["create", "--name", "taken", "-v", "/anonymous", "busybox"]);
    let said = twice.fails(1);
    assert!(
        said.contains("Conflict. The container name \"/taken\" is already in use by container"),
        "{said}"
    );
    assert_eq!(traces(&engine).len(), before.len() + 1);
}
