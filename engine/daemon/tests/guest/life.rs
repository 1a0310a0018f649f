//! Pausing, ending, counting, and outliving the daemon.

use crate::house;

#[test]
fn the_engine_says_what_it_stands_on() {
    let mut house = house();
    let info = house.dhow("info --format '{{json .}}'");
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["CgroupVersion"], "2");
    assert_eq!(info["CgroupDriver"], "cgroupfs");
    for limit in [
        "MemoryLimit",
        "SwapLimit",
        "CpuCfsQuota",
        "CPUShares",
        "CPUSet",
        "PidsLimit",
    ] {
        assert_eq!(info[limit], true, "{limit}: {info}");
    }
    assert_eq!(info["OomKillDisable"], false);
    let security = info["SecurityOptions"].to_string();
    assert!(security.contains("name=cgroupns"), "{security}");
    let warnings = info["Warnings"].to_string();
    assert!(!warnings.contains("No "), "{warnings}");
}

#[test]
fn a_paused_container_stands_still() {
    let mut house = house();
    house.dhow(
        "run -d --name ticks busybox sh -c 'i=0; while :; do i=$((i+1)); echo $i; usleep 50000; done'",
    );
    house.dhow("pause ticks");
    assert_eq!(house.inspect("ticks")["State"]["Status"], "paused");
    let frozen = house.group_files("ticks", "cgroup.freeze cgroup.events");
    assert_eq!(
        frozen,
        "cgroup.freeze:1\ncgroup.events:populated 1\ncgroup.events:frozen 1"
    );
    let count = "dhow logs ticks | tail -n 1";
    let still = house.run(&format!("a=$({count}); usleep 500000; [ $a = $({count}) ]"));
    assert_eq!(still.code, 0, "{still}");
    assert!(
        house.refused("exec ticks true").err().contains("is paused"),
        "an exec in a paused container"
    );
    house.dhow("unpause ticks");
    let goes_on = format!("a=$({count}); usleep 500000; [ $a != $({count}) ]");
    assert_eq!(house.run(&goes_on).code, 0);
    assert_eq!(
        house.group_files("ticks", "cgroup.freeze"),
        "cgroup.freeze:0"
    );
    // A frozen one can be ended, and all that it started with it.
    house.dhow("pause ticks");
    house.dhow("kill ticks");
    house.dhow("wait ticks");
    assert_eq!(house.inspect("ticks")["State"]["ExitCode"], 137);
    house.clear("ticks");
}

#[test]
fn nothing_of_a_container_outlives_it() {
    let mut house = house();
    // Without process numbers of its own, the kernel does not end the rest.
    house.dhow(
        "run -d --name parent --pid host busybox sh -c \
         'setsid sleep 4242 & setsid sleep 4243 & echo up; exec sleep 4241'",
    );
    let children = "ps | grep -c '[ ]sleep 424[1-3]'";
    let up = format!(
        "for i in $(seq 50); do [ $({children}) = 3 ] && exit; usleep 100000; done; exit 1"
    );
    assert_eq!(house.run(&up).code, 0);
    house.dhow("kill parent");
    house.dhow("wait parent");
    assert_eq!(house.run(children).out(), "0");
    house.dhow("start parent");
    assert_eq!(house.run(&up).code, 0);
    house.dhow("stop -t 1 parent");
    assert_eq!(house.run(children).out(), "0");
    house.clear("parent");
}

#[test]
fn what_was_used_is_counted() {
    let mut house = house();
    house.dhow(
        "run -d --name used -m 100m --pids-limit 50 busybox sh -c \
         'dd if=/dev/zero of=/file bs=1M count=4 && sync; \
          ping -c 1 -w 5 $(ip route | sed -n \"s/default via \\([^ ]*\\).*/\\1/p\"); \
          sleep 1000 & sleep 1000 & while :; do :; done'",
    );
    // The file is on the disk, and the rest is up.
    let group = house.group("used");
    let up = format!(
        "for i in $(seq 100); do [ $(cat {group}/pids.current) = 3 ] && exit; usleep 100000; done; exit 1"
    );
    assert_eq!(house.run(&up).code, 0);
    let text = house.dhow("stats --no-stream --format '{{json .}}' used");
    let stats: serde_json::Value = serde_json::from_str(&text).unwrap();
    let field = |name: &str| stats[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(field("PIDs"), "3", "{stats}");
    assert!(field("MemUsage").ends_with("/ 100MiB"), "{stats}");
    assert!(!field("MemUsage").starts_with("0B"), "{stats}");
    let percent: f64 = field("CPUPerc").trim_end_matches('%').parse().unwrap();
    // Emulated processors and their clocks do not agree on more.
    assert!(percent > 20.0, "{stats}");
    assert!(field("BlockIO").contains("/ 4.19MB"), "{stats}");
    let traffic = field("NetIO");
    let both = !traffic.starts_with("0B") && !traffic.ends_with("/ 0B");
    assert!(both, "{stats}");
    house.clear("used");
}

#[test]
fn the_view_of_control_groups_is_the_containers_own() {
    let mut house = house();
    let mut seen = |flags: &str| {
        let script = "cat /proc/self/cgroup; ls -d /sys/fs/cgroup/dhow 2>/dev/null";
        house
            .refused(&format!("run --rm {flags} busybox sh -c '{script}'"))
            .out()
    };
    assert_eq!(seen(""), "0::/");
    let host = seen("--cgroupns host");
    let (path, tree) = host.split_once('\n').expect(&host);
    assert!(path.starts_with("0::/dhow/"), "{host}");
    assert_eq!(tree, "/sys/fs/cgroup/dhow");
    assert_eq!(
        house.dhow("run --rm --privileged busybox sh -c 'mkdir /sys/fs/cgroup/own && echo $?'"),
        "0"
    );
    assert_eq!(
        house.dhow("run --rm --cgroup-parent /elsewhere/deep --cgroupns host busybox cut -c 1-19 /proc/self/cgroup"),
        "0::/elsewhere/deep/"
    );
    house
        .run("rmdir /sys/fs/cgroup/elsewhere/deep /sys/fs/cgroup/elsewhere")
        .ok();
    house.clear("");
}

#[test]
fn a_killed_daemon_finds_its_containers_again() {
    let mut house = house();
    house.idle("lasting", "-m 64m");
    let process = house.inspect("lasting")["State"]["Pid"].clone();
    house.crash_daemon();
    house.start_daemon();
    let state = house.inspect("lasting")["State"].clone();
    assert_eq!(state["Status"], "running");
    assert_eq!(state["Pid"], process);
    house.dhow("update --memory 80m --memory-swap 80m lasting");
    house.dhow("pause lasting");
    house.dhow("unpause lasting");
    assert_eq!(
        house.group_files("lasting", "memory.max"),
        "memory.max:83886080"
    );
    assert_eq!(house.dhow("exec lasting echo here"), "here");
    house.clear("lasting");
}

#[test]
fn files_of_a_resting_container_can_be_copied() {
    let mut house = house();
    house.dhow("run --name resting busybox sh -c 'echo inside >/note'");
    house.dhow("cp resting:/note /tmp/note");
    assert_eq!(
        house.run("cat /tmp/note; echo outside >/tmp/note").ok(),
        "inside"
    );
    house.dhow("cp /tmp/note resting:/etc/note");
    house.dhow("commit resting copied");
    assert_eq!(
        house.dhow("run --rm copied cat /note /etc/note"),
        "inside\noutside"
    );
    house.dhow("rm resting");
    house.dhow("rmi copied");
    house.clear("");
}
