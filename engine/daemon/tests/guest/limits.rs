//! Limits that containers start with, read from the kernel's files and felt.

use crate::house;

#[test]
fn limits_are_in_the_files_of_the_group() {
    let mut house = house();
    let flags = "-m 64m --memory-swap 96m --memory-reservation 32m --cpus 0.5 \
                 --cpu-shares 512 --cpuset-cpus 1 --cpuset-mems 0 --pids-limit 77 \
                 --blkio-weight 500 --device-read-bps /dev/vda:1mb \
                 --device-write-iops /dev/vda:40";
    house.idle("held", flags);
    let files = "memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus \
                 cpuset.mems pids.max io.weight io.max";
    let disk = house.run("cat /sys/block/vda/dev").ok();
    let expected = [
        "memory.max:67108864",
        // Version 2 counts swap by itself.
        "memory.swap.max:33554432",
        "memory.low:33554432",
        "cpu.max:50000 100000",
        "cpu.weight:59",
        "cpuset.cpus:1",
        "cpuset.mems:0",
        "pids.max:77",
        "io.weight:default 4950",
        &format!("io.max:{disk} rbps=1048576 wbps=max riops=max wiops=40"),
    ];
    assert_eq!(house.group_files("held", files), expected.join("\n"));
    // The container sees them as its own, and cannot change them.
    let inside = "exec held sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/memory.max; \
                  echo max >/sys/fs/cgroup/memory.max; echo $?'";
    assert_eq!(house.dhow(inside), "0::/\n67108864\n1");
    house.clear("held");
}

#[test]
fn without_limits_there_are_none() {
    let mut house = house();
    house.idle("free", "");
    let files = "memory.max memory.swap.max cpu.max cpu.weight pids.max io.weight";
    assert_eq!(
        house.group_files("free", files),
        "memory.max:max\nmemory.swap.max:max\ncpu.max:max 100000\ncpu.weight:100\n\
         pids.max:max\nio.weight:default 100"
    );
    house.clear("free");
}

#[test]
fn who_takes_too_much_memory_is_killed_and_it_is_told() {
    let mut house = house();
    let script = "x=a; while :; do x=$x$x; done";
    let outcome = house.refused(&format!(
        "run --name greedy -m 16m --memory-swap 16m busybox sh -c '{script}'"
    ));
    assert_eq!(outcome.code, 137, "{outcome}");
    let state = house.inspect("greedy")["State"].clone();
    assert_eq!(state["OOMKilled"], true, "{state}");
    assert_eq!(state["ExitCode"], 137, "{state}");
    let exit = house.exit("greedy");
    let peak = exit["memory_peak"].as_u64().unwrap_or_default();
    assert!((8 << 20..=16 << 20).contains(&peak), "{exit}");
    let events = house.dhow(
        "events --since 10m --until 0s --filter container=greedy \
         --format '{{.Action}}'",
    );
    let events: Vec<&str> = events.lines().collect();
    let place = |what: &str| events.iter().position(|event| *event == what);
    assert!(
        place("oom").is_some() && place("oom") < place("die"),
        "{events:?}"
    );
    house.clear("greedy");
}

#[test]
fn a_victim_beside_the_first_process_is_told_as_well() {
    let mut house = house();
    house.idle("host", "-m 16m --memory-swap 16m");
    let greedy = "exec host tail -c 100000000 /dev/zero";
    assert_eq!(house.refused(greedy).code, 137);
    let script = "dhow events --since 10m --until 0s --filter container=host \
                  --filter event=oom --format '{{.Action}}'";
    // The kernel tells a little later than the exec has ended.
    let told = format!("for i in $(seq 50); do {script} | grep oom && exit; usleep 100000; done");
    assert!(house.run(&told).ok().starts_with("oom"));
    assert_eq!(house.inspect("host")["State"]["Running"], true);
    house.clear("host");
}

#[test]
fn no_more_processes_than_allowed() {
    let mut house = house();
    let script = "for i in 1 2 3 4 5 6; do sleep 5 & done; echo all";
    let outcome = house.refused(&format!(
        "run --name few --pids-limit 4 busybox sh -c '{script}'"
    ));
    assert_ne!(outcome.code, 0, "{outcome}");
    assert!(outcome.err().contains("can't fork"), "{outcome}");
    let enough = house.dhow(&format!(
        "run --name enough --pids-limit 20 busybox sh -c '{script}'"
    ));
    assert_eq!(enough, "all");
    house.clear("few enough");
}

#[test]
fn a_share_of_a_processor_is_no_more() {
    let mut house = house();
    house.dhow("run -d --name busy --cpus 0.2 busybox sh -c 'while :; do :; done'");
    let group = house.group("busy");
    let spent = format!("sed -n 's/^usage_usec //p' {group}/cpu.stat");
    let script = format!("before=$({spent}); sleep 3; echo $(($({spent}) - before))");
    let spent: u64 = house.run(&script).ok().parse().unwrap();
    // A fifth of three seconds, and what the emulation is late by.
    assert!((1..1_200_000).contains(&spent), "{spent} µs in 3 s");
    let throttled = format!("sed -n 's/^nr_throttled //p' {group}/cpu.stat");
    assert_ne!(house.run(&throttled).ok(), "0");
    house.clear("busy");
}

#[test]
fn writing_to_a_disk_takes_its_time() {
    let mut house = house();
    // Around the kernel's cache, so that each write is held back itself.
    let script = "time dd if=/dev/zero of=/file bs=256k count=8 oflag=direct";
    let outcome = house.refused(&format!(
        "run --name slow --device-write-bps /dev/vda:512kb busybox sh -c '{script}'"
    ));
    assert_eq!(outcome.code, 0, "{outcome}");
    let text = outcome.err();
    let real = text.lines().find_map(|line| line.strip_prefix("real"));
    let seconds = real.and_then(|time| time.trim().split_once("m ")?.1.strip_suffix('s'));
    let seconds: f64 = seconds.expect(&text).trim().parse().unwrap();
    assert!((2.5..30.0).contains(&seconds), "2 MiB took {seconds} s");
    house.clear("slow");
}

#[test]
fn what_only_version_1_has_is_warned_of_and_left_out() {
    let mut house = house();
    let outcome = house
        .refused("run --name old -m 64m --memory-swappiness 50 --oom-kill-disable busybox true");
    assert_eq!(outcome.code, 0, "{outcome}");
    for warning in [
        "Your kernel does not support memory swappiness capabilities or the cgroup is not \
         mounted. Memory swappiness discarded.",
        "Your kernel does not support OomKillDisable. OomKillDisable discarded.",
    ] {
        assert!(outcome.err().contains(warning), "{outcome}");
    }
    house.clear("old");
}
