//! What keeps a container in its place: memory, processes, capabilities,
//! read-only roots, kernel settings.

use dhow_testkit::Engine;

use crate::field;

fn said(engine: &Engine, flags: &[&str], script: &str) -> String {
    engine
        .docker(&[&["run", "--rm"], flags, &["busybox", "sh", "-c", script]].concat())
        .ok()
}

#[test]
fn who_takes_too_much_memory_is_killed_and_it_is_told() {
    let engine = Engine::with_busybox();
    let script = "x=a; while :; do x=$x$x; done";
    let outcome = engine.docker(&[
        "run",
        "--name",
        "greedy",
        "-m",
        "16m",
        "--memory-swap",
        "16m",
        "busybox",
        "sh",
        "-c",
        script,
    ]);
    assert_eq!(outcome.code, 137, "{outcome}");
    assert_eq!(
        field(
            &engine,
            "greedy",
            "{{.State.OOMKilled}} {{.State.ExitCode}}"
        ),
        "true 137"
    );
}

#[test]
fn memory_processes_and_shares_are_in_the_control_group() {
    let engine = Engine::with_busybox();
    let script = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max \
                  /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true";
    assert_eq!(
        said(&engine, &["-m", "64m", "--pids-limit", "77"], script),
        "67108864\n77"
    );
}

#[test]
fn capabilities_are_dockers_own_set() {
    let engine = Engine::with_busybox();
    let script = "grep CapEff /proc/self/status | cut -f2";
    let all = std::fs::read_to_string("/proc/self/status").unwrap();
    let host = all
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:\t"))
        .unwrap();
    let host = u64::from_str_radix(host, 16).unwrap();
    let set = |flags: &[&str]| u64::from_str_radix(&said(&engine, flags, script), 16).unwrap();
    let usual = 0xa804_25fb & host;
    assert_eq!(set(&[]), usual);
    assert_eq!(set(&["--cap-drop", "ALL"]), 0);
    assert_eq!(set(&["--cap-drop", "ALL", "--cap-add", "CHOWN"]), 1);
    assert_eq!(set(&["--cap-add", "NET_ADMIN"]), usual | 1 << 12);
    assert_eq!(set(&["-u", "1000"]), 0);
}

#[test]
fn a_read_only_root_is_one_but_for_what_is_mounted() {
    let engine = Engine::with_busybox();
    let script = "touch /x 2>&1; touch /tmp/x && echo written; df /tmp | tail -1 | cut -d' ' -f1";
    let outcome = said(&engine, &["--read-only", "--tmpfs", "/tmp:size=1m"], script);
    assert_eq!(outcome, "touch: /x: Read-only file system\nwritten\ntmpfs");
}

#[test]
fn kernel_settings_and_limits_take_effect() {
    let engine = Engine::with_busybox();
    let flags = [
        "--sysctl",
        "net.ipv4.ip_unprivileged_port_start=81",
        "--ulimit",
        "nofile=512:1024",
        "--shm-size",
        "3m",
    ];
    let script = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ulimit -Sn; ulimit -Hn; df -k /dev/shm | tail -1 | awk '{print $2}'";
    assert_eq!(said(&engine, &flags, script), "81\n512\n1024\n3072");
}

#[test]
fn sensitive_files_are_masked() {
    let engine = Engine::with_busybox();
    let script = "cat /proc/keys | wc -c; ls /proc/acpi /sys/firmware 2>/dev/null | grep -v : | wc -w; echo 1 > /proc/sys/kernel/panic; echo $?";
    let outcome = engine.docker(&["run", "--rm", "busybox", "sh", "-c", script]);
    assert_eq!(outcome.out(), "0\n0\n1", "{outcome}");
}

#[test]
fn system_calls_are_filtered_unless_told_otherwise() {
    let engine = Engine::with_busybox();
    let script = "unshare -U true 2>/dev/null; echo $?; grep Seccomp: /proc/self/status | cut -f2";
    assert_eq!(said(&engine, &[], script), "1\n2");
    let free = said(
        &engine,
        &["--security-opt", "seccomp=unconfined"],
        "grep Seccomp: /proc/self/status | cut -f2",
    );
    assert_eq!(free, "0");
}

#[test]
fn no_new_privileges_means_none() {
    let engine = Engine::with_busybox();
    let script = "grep NoNewPrivs /proc/self/status | cut -f2";
    assert_eq!(said(&engine, &[], script), "0");
    assert_eq!(
        said(&engine, &["--security-opt", "no-new-privileges"], script),
        "1"
    );
}

#[test]
fn namespaces_can_be_shared() {
    let engine = Engine::with_busybox();
    crate::idle(&engine, "first");
    let inside = |flags: &[&str], name: &str| {
        said(&engine, flags, &format!("readlink /proc/self/ns/{name}"))
    };
    let own = |name: &str| {
        engine
            .docker(&[
                "exec",
                "first",
                "readlink",
                &format!("/proc/self/ns/{name}"),
            ])
            .ok()
    };
    let host = |name: &str| {
        std::fs::read_link(format!("/proc/self/ns/{name}"))
            .unwrap()
            .display()
            .to_string()
    };
    for (flag, name) in [("--pid", "pid"), ("--network", "net"), ("--ipc", "ipc")] {
        let _ = engine.docker(&["rm", "-f", "shareable"]);
        assert_eq!(inside(&[flag, "host"], name), host(name), "{flag} host");
        assert_ne!(inside(&[], name), host(name), "{flag} private");
    }
    assert_eq!(inside(&["--pid", "container:first"], "pid"), own("pid"));
    assert_eq!(inside(&["--network", "container:first"], "net"), own("net"));
    assert_eq!(inside(&["--uts", "host"], "uts"), host("uts"));
}

#[test]
fn devices_are_given_one_by_one() {
    let engine = Engine::with_busybox();
    let script = "true > /dev/mine; echo $?";
    let written = |rule: &str| {
        said(
            &engine,
            &["--device", &format!("/dev/kmsg:/dev/mine:{rule}")],
            script,
        )
    };
    assert_eq!(written("w"), "0");
    assert_eq!(written("r"), "1");
    assert_eq!(
        said(
            &engine,
            &["--device-cgroup-rule", "c 1:11 w"],
            "mknod /dev/mine c 1 11; true > /dev/mine; echo $?"
        ),
        "0"
    );
    assert_eq!(
        said(
            &engine,
            &[],
            "mknod /dev/mine c 1 11; true > /dev/mine; echo $?"
        ),
        "1"
    );
}

#[test]
fn what_makes_no_sense_is_refused_and_leaves_nothing() {
    let engine = Engine::with_busybox();
    let refused = |flags: &[&str], part: &str| {
        let outcome = engine.docker(&[&["run"], flags, &["busybox", "true"]].concat());
        assert_eq!(outcome.code, 125, "{outcome}");
        assert!(outcome.err().contains(part), "no {part:?} in {outcome}");
    };
    refused(&["-m", "1m"], "Minimum memory limit allowed is 6MB");
    refused(&["--cap-add", "NO_SUCH"], "CAP_NO_SUCH");
    refused(&["--network", "no-such"], "network no-such not found");
    refused(&["-v", "relative:/x:bad"], "invalid mode: bad");
    refused(&["--sysctl", "kernel.no.such=1"], "kernel.no.such");
    refused(&["--restart", "always", "--rm"], "onflicting options");
    let left = engine.docker(&["ps", "-a", "--format", "{{.Status}}"]).ok();
    assert!(!left.contains("Up"), "{left}");
}
