//! What a container may do: capabilities, system calls, paths, devices.

use dhow_testkit::Engine;

use super::{prints, refuses, run};

#[test]
fn capabilities_are_added_and_dropped_by_name() {
    let engine = Engine::with_busybox();
    let script = "grep CapEff /proc/self/status | cut -f2";
    prints(
        &engine,
        &[
            ("--cap-drop ALL", script, "0000000000000000"),
            (
                "--cap-drop all --cap-add cap_net_bind_service",
                script,
                "0000000000000400",
            ),
            (
                "--cap-drop SYS_RESOURCE --cap-drop ALL --cap-add KILL",
                script,
                "0000000000000020",
            ),
        ],
    );
    refuses(
        &engine,
        &[
            (
                "--cap-add nonsense",
                "invalid CapAdd: unknown capability: \"CAP_NONSENSE\"",
            ),
            (
                "--cap-drop nonsense",
                "invalid CapDrop: unknown capability: \"CAP_NONSENSE\"",
            ),
        ],
    );
}

/// Docker refuses where the host cut root's own set; we give what there is.
#[test]
fn privileged_is_all_that_root_has_here() {
    let engine = Engine::with_busybox();
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    let own = own.lines().find_map(|line| line.strip_prefix("CapEff:\t"));
    let own = own.unwrap();
    let last = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap();
    let all = (1_u64 << (last.trim().parse::<u32>().unwrap() + 1)) - 1;
    let is_cut = u64::from_str_radix(own, 16).unwrap() & all != all;
    for flags in ["--privileged", "--cap-add ALL"] {
        let outcome = run(&engine, flags, "grep CapEff /proc/self/status | cut -f2");
        assert_eq!(outcome.clone().ok(), own, "{flags}");
        assert_eq!(
            outcome
                .err()
                .contains("WARNING: The engine itself lacks CAP_"),
            is_cut,
            "{outcome}"
        );
    }
    let script = "grep Seccomp: /proc/self/status | cut -f2; ls /dev/kmsg; \
                  test -w /proc/sys/vm && touch /proc/sys/vm/swappiness && echo writable; \
                  grep -c ' /proc/.* ' /proc/mounts || true";
    prints(
        &engine,
        &[("--privileged", script, "0\n/dev/kmsg\nwritable\n0")],
    );
}

#[test]
fn system_calls_are_filtered_by_profile() {
    let engine = Engine::with_busybox();
    let profile = engine.scratch().join("profile.json");
    let text = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["chmod", "fchmodat", "fchmodat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}"#;
    std::fs::write(&profile, text).unwrap();
    let custom = format!("--security-opt seccomp={}", profile.display());
    let mode = "grep Seccomp: /proc/self/status | cut -f2";
    prints(
        &engine,
        &[
            (
                &custom,
                "mkdir /x; chmod 700 /x 2>&1; true",
                "chmod: /x: Operation not supported",
            ),
            (&custom, mode, "2"),
            ("--security-opt seccomp=unconfined", mode, "0"),
            (
                "--security-opt seccomp=unconfined",
                "unshare -U true && echo free",
                "free",
            ),
            ("", "unshare -U true 2>/dev/null || echo held", "held"),
        ],
    );
    std::fs::write(&profile, "{\"defaultAction\": \"ODD\"}").unwrap();
    refuses(&engine, &[(&custom, "ecoding seccomp profile failed")]);
}

#[test]
fn new_privileges_and_paths() {
    let engine = Engine::with_busybox();
    let privileges = "grep NoNewPrivs /proc/self/status | cut -f2";
    let hidden = "wc -c < /proc/keys; echo x > /proc/sys/kernel/domainname; echo $?";
    prints(
        &engine,
        &[
            ("--security-opt no-new-privileges", privileges, "1"),
            ("--security-opt no-new-privileges=false", privileges, "0"),
            ("", hidden, "0\n1"),
            (
                "--security-opt systempaths=unconfined",
                "grep -c ' /proc/' /proc/mounts || true; test $(wc -c < /proc/keys) -gt 0; echo $?",
                "0\n0",
            ),
        ],
    );
}

#[test]
fn devices_and_their_rules() {
    let engine = Engine::with_busybox();
    let numbers = "stat -c '%F %t:%T' /dev/mine";
    prints(
        &engine,
        &[
            (
                "--device /dev/null:/dev/mine",
                numbers,
                "character special file 1:3",
            ),
            (
                "--device /dev/kmsg:/dev/mine:r",
                "true 2>/dev/null > /dev/mine || echo not writable",
                "not writable",
            ),
        ],
    );
    let rule = engine.docker(&[
        "run",
        "--rm",
        "--device-cgroup-rule",
        "c 1:* rw",
        "busybox",
        "sh",
        "-c",
        "mknod /dev/mine c 1 11; true > /dev/mine && echo written",
    ]);
    assert_eq!(rule.ok(), "written");
    refuses(
        &engine,
        &[
            (
                "--device /dev/no-such",
                "error gathering device information while adding custom device \
                 \"/dev/no-such\": no such file or directory",
            ),
            (
                "--device /etc/passwd",
                "adding custom device \"/etc/passwd\": not a device node",
            ),
            (
                "--gpus all",
                "could not select device driver \"\" with capabilities: [[gpu]]",
            ),
        ],
    );
}
