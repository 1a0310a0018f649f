//! Limits, read where they count: in the control group, from the host.

use std::path::{Path, PathBuf};

use dhow_testkit::Engine;

use super::{prints, refuses};
use crate::field;

/// A file of a running container's control group: `v1` is controller and
/// file, `v2` the file of the one tree.
fn group_file(engine: &Engine, name: &str, v1: (&str, &str), v2: &str) -> String {
    let id = field(engine, name, "{{.Id}}");
    let root = Path::new("/sys/fs/cgroup");
    let inside = |tree: PathBuf| tree.join(&engine.footprint().cgroup).join(&id);
    let file = if root.join(v1.0).is_dir() {
        inside(root.join(v1.0)).join(v1.1)
    } else {
        inside(root.to_owned()).join(v2)
    };
    let text = std::fs::read_to_string(&file);
    text.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        .trim()
        .to_owned()
}

fn is_v1(controller: &str) -> bool {
    Path::new("/sys/fs/cgroup").join(controller).is_dir()
}

#[test]
fn limits_are_in_the_control_group() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "held",
            "--init",
            "-m",
            "64m",
            "--memory-reservation",
            "32m",
            "--memory-swap",
            "96m",
            "--cpus",
            "0.5",
            "--cpu-shares",
            "512",
            "--cpuset-cpus",
            "0",
            "--cpuset-mems",
            "0",
            "--pids-limit",
            "77",
            "busybox",
            "sleep",
            "1000",
        ])
        .ok();
    let file = |controller, name, v2| group_file(&engine, "held", (controller, name), v2);
    let mebibytes = |count: u64| (count << 20).to_string();
    assert_eq!(
        file("memory", "memory.limit_in_bytes", "memory.max"),
        mebibytes(64)
    );
    assert_eq!(
        file("memory", "memory.soft_limit_in_bytes", "memory.low"),
        mebibytes(32)
    );
    assert_eq!(file("pids", "pids.max", "pids.max"), "77");
    assert_eq!(file("cpuset", "cpuset.cpus", "cpuset.cpus"), "0");
    assert_eq!(file("cpuset", "cpuset.mems", "cpuset.mems"), "0");
    if is_v1("cpu") {
        assert_eq!(file("cpu", "cpu.cfs_quota_us", ""), "50000");
        assert_eq!(file("cpu", "cpu.cfs_period_us", ""), "100000");
        assert_eq!(file("cpu", "cpu.shares", ""), "512");
        assert_eq!(
            file("memory", "memory.memsw.limit_in_bytes", ""),
            mebibytes(96)
        );
    } else {
        assert_eq!(file("", "", "cpu.max"), "50000 100000");
        assert_eq!(file("", "", "memory.swap.max"), mebibytes(32));
    }
}

#[test]
fn quotas_swappiness_and_the_killer() {
    let engine = Engine::with_busybox();
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "held",
            "--init",
            "--cpu-period",
            "50000",
            "--cpu-quota",
            "25000",
            "--memory-swappiness",
            "50",
            "-m",
            "50m",
            "--oom-kill-disable",
            "busybox",
            "sleep",
            "1000",
        ])
        .ok();
    let file = |controller, name, v2| group_file(&engine, "held", (controller, name), v2);
    if is_v1("memory") {
        assert_eq!(file("cpu", "cpu.cfs_quota_us", ""), "25000");
        assert_eq!(file("cpu", "cpu.cfs_period_us", ""), "50000");
        assert_eq!(file("memory", "memory.swappiness", ""), "50");
        let control = file("memory", "memory.oom_control", "");
        assert!(control.starts_with("oom_kill_disable 1"), "{control}");
    } else {
        assert_eq!(file("", "", "cpu.max"), "25000 50000");
    }
}

#[test]
fn block_devices_are_throttled() {
    let engine = Engine::with_busybox();
    // Any disk will do: it is only held back for this container.
    let disk = std::fs::read_dir("/sys/block")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .find(|name| Path::new("/dev").join(name).exists())
        .expect("a machine has a block device");
    let numbers = std::fs::read_to_string(format!("/sys/block/{disk}/dev")).unwrap();
    let numbers = numbers.trim();
    let rate = |amount: &str| format!("/dev/{disk}:{amount}");
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "slow",
            "--init",
            "--device-read-bps",
            &rate("1mb"),
            "--device-write-bps",
            &rate("2mb"),
            "--device-read-iops",
            &rate("30"),
            "--device-write-iops",
            &rate("40"),
            "busybox",
            "sleep",
            "1000",
        ])
        .ok();
    if is_v1("blkio") {
        for (file, expected) in [
            ("read_bps", 1 << 20),
            ("write_bps", 2 << 20),
            ("read_iops", 30),
            ("write_iops", 40),
        ] {
            let file = format!("blkio.throttle.{file}_device");
            let text = group_file(&engine, "slow", ("blkio", &file), "");
            assert_eq!(text, format!("{numbers} {expected}"), "{file}");
        }
    } else {
        let text = group_file(&engine, "slow", ("", ""), "io.max");
        let expected = format!("{numbers} rbps=1048576 wbps=2097152 riops=30 wiops=40");
        assert_eq!(text, expected);
    }
}

#[test]
fn the_parent_of_a_control_group_is_below_the_root() {
    let engine = Engine::with_busybox();
    let parent = engine.footprint().cgroup.clone();
    let first = "grep -E 'pids|0::' /proc/self/cgroup | head -1 | cut -d: -f3 | cut -d/ -f2-3";
    let below = format!("{parent}/below");
    prints(
        &engine,
        &[
            (
                &format!("--cgroupns host --cgroup-parent /{below}"),
                first,
                &below,
            ),
            (
                &format!("--cgroupns host --cgroup-parent ../../{below}"),
                first,
                &below,
            ),
        ],
    );
}

#[test]
fn limits_of_processes() {
    let engine = Engine::with_busybox();
    prints(
        &engine,
        &[
            (
                "--ulimit nofile=100:200 --ulimit core=0 --ulimit nproc=50",
                "ulimit -Sn; ulimit -Hn; ulimit -c; \
                 grep processes /proc/self/limits | awk '{print $3, $4}'",
                "100\n200\n0\n50 50",
            ),
            ("--oom-score-adj 700", "cat /proc/self/oom_score_adj", "700"),
            (
                "--sysctl net.ipv4.ip_forward=1 --sysctl kernel.shmmax=12345",
                "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax",
                "1\n12345",
            ),
        ],
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let set = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:\t"));
    let set = u64::from_str_radix(set.unwrap(), 16).unwrap();
    if set & 1 << 24 == 0 {
        // Without CAP_SYS_RESOURCE nothing can be raised, and it is said so.
        let why = "the engine lacks CAP_SYS_RESOURCE";
        refuses(
            &engine,
            &[
                (
                    "--ulimit nofile=99999999",
                    "ulimit nofile=99999999:99999999 cannot be set",
                ),
                ("--ulimit nofile=99999999", why),
                ("--oom-score-adj -500", "oom-score-adj -500 cannot be set"),
                ("--oom-score-adj -500", why),
                (
                    "--cap-add SYS_RESOURCE",
                    "not available in the current environment",
                ),
            ],
        );
    } else {
        prints(
            &engine,
            &[(
                "--oom-score-adj -500",
                "cat /proc/self/oom_score_adj",
                "-500",
            )],
        );
    }
}

#[test]
fn limits_that_make_no_sense() {
    let engine = Engine::with_busybox();
    refuses(
        &engine,
        &[
            ("-m 4m", "Minimum memory limit allowed is 6MB"),
            (
                "-m 10m --memory-swap 5m",
                "Minimum memoryswap limit should be larger than memory limit, see usage",
            ),
            (
                "--memory-swap 5m",
                "You should always set the Memory limit when using Memoryswap limit, see usage",
            ),
            (
                "-m 10m --memory-reservation 20m",
                "Minimum memory limit can not be less than memory reservation limit, see usage",
            ),
            (
                "--memory-reservation 2m",
                "Minimum memory reservation allowed is 6MB",
            ),
            ("--cpus 5000", "ange of CPUs is from 0.01 to"),
            ("--cpu-period 5", "CPU cfs period can not be less than 1ms"),
            ("--cpu-quota 5", "CPU cfs quota can not be less than 1ms"),
            (
                "--cpus 1 --cpu-quota 50000",
                "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
            ),
            (
                "--cpuset-cpus 999",
                "Requested CPUs are not available - requested 999",
            ),
            ("--cpuset-cpus a", "Invalid value a for cpuset cpus"),
            (
                "--cpuset-mems 7",
                "Requested memory nodes are not available - requested 7",
            ),
            (
                "--oom-score-adj 1500",
                "Invalid value 1500, range for oom score adj is [-1000, 1000]",
            ),
            (
                "--device-read-bps /dev/no-such:1mb",
                "stat /dev/no-such: no such file or directory",
            ),
            (
                "--network host --sysctl net.ipv4.ip_forward=1",
                "sysctl \"net.ipv4.ip_forward\" not allowed in host network namespace",
            ),
            (
                "--sysctl net.no.such=1",
                "open /proc/sys/net/no/such: no such file or directory",
            ),
        ],
    );
}
