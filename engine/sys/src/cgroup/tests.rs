//! On the real kernel, as root.

use std::process::{Child, Command};

use super::*;

/// A cgroup with a sleeping process in it, removed with it.
struct Sleeper {
    cgroup: Cgroup,
    child: Child,
}

impl Sleeper {
    fn new(name: &str) -> Self {
        let path = format!("/dhow-test-{}-{name}", std::process::id());
        let cgroup = Hierarchies::detect().unwrap().cgroup(&path);
        cgroup.create().expect("this test needs root");
        // In version 1 a cpuset takes nobody before it has CPUs and memory.
        if let Some(dir) = cgroup.v1_dir("cpuset") {
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let parent = fs::read_to_string(dir.join("..").join(file)).unwrap();
                fs::write(dir.join(file), parent.trim()).unwrap();
            }
        }
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        let sleeper = Self { cgroup, child };
        sleeper.cgroup.add(sleeper.child.id()).unwrap();
        sleeper
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.cgroup.thaw();
        let _ = self.child.wait();
        let _ = self.cgroup.remove();
    }
}

#[test]
fn mounts_make_layouts() {
    let v2 = "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
    assert_eq!(Hierarchies::parse(v2).layout(), Layout::V2);
    let v1 = "1 0 0:1 / /c/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
              2 0 0:2 / /c/memory rw - cgroup cgroup rw,memory\n\
              3 0 0:2 /docker/x /elsewhere rw - cgroup cgroup rw,memory\n";
    let parsed = Hierarchies::parse(v1);
    assert_eq!(parsed.layout(), Layout::V1);
    assert_eq!(parsed.v1_root("cpuacct"), Some(Path::new("/c/cpu,cpuacct")));
    assert_eq!(parsed.v1_root("memory"), Some(Path::new("/c/memory")));
    let hybrid = format!("{v1}4 0 0:4 / /c/unified rw - cgroup2 cgroup2 rw\n");
    assert_eq!(Hierarchies::parse(&hybrid).layout(), Layout::Hybrid);
    let systemd = format!("{v2}5 0 0:5 / /c/systemd rw - cgroup cgroup rw,xattr,name=systemd\n");
    assert_eq!(Hierarchies::parse(&systemd).layout(), Layout::V2);
}

#[test]
fn members_are_listed_frozen_killed_and_removed() {
    let mut sleeper = Sleeper::new("members");
    let pid = sleeper.child.id();
    assert_eq!(sleeper.cgroup.pids().unwrap(), [pid]);
    sleeper.cgroup.freeze().unwrap();
    sleeper.cgroup.kill(Duration::from_secs(5)).unwrap();
    let status = sleeper.child.wait().unwrap();
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(status.signal(), Some(libc::SIGKILL));
    sleeper.cgroup.remove().unwrap();
    assert!(!sleeper.cgroup.exists());
    assert!(sleeper.cgroup.pids().unwrap().is_empty());
    assert!(sleeper.cgroup.add(std::process::id()).is_err());
}

#[test]
fn limits_change_together_or_not_at_all() {
    let sleeper = Sleeper::new("limits");
    let memory = |bytes| Limits {
        memory: Some(bytes),
        pids: Some(77),
        ..Limits::default()
    };
    sleeper.cgroup.update(&memory(64 << 20)).unwrap();
    let stats = sleeper.cgroup.stats();
    assert_eq!(stats.memory.limit, Some(64 << 20));
    assert_eq!(stats.pids.limit, Some(77));
    assert_eq!(stats.pids.current, 1);
    assert!(!stats.memory.details.is_empty());

    let bad = Limits {
        cpuset_cpus: Some("9999".to_owned()),
        ..memory(128 << 20)
    };
    let error = sleeper.cgroup.update(&bad).unwrap_err();
    assert!(error.to_string().contains("cpuset.cpus"), "{error}");
    assert_eq!(sleeper.cgroup.stats().memory.limit, Some(64 << 20));
}

#[test]
fn devices_are_what_the_rules_allow() {
    let sleeper = Sleeper::new("devices");
    // Works on any version 2 tree, also on one beside version 1.
    let dir = sleeper.cgroup.v2_dir().expect("no cgroup version 2 here");
    let rule = |allow, minor, write| DeviceRule {
        allow,
        kind: DeviceKind::Character,
        major: Some(1),
        minor,
        read: true,
        write,
        mknod: false,
    };
    let nothing = DeviceRule {
        allow: false,
        kind: DeviceKind::All,
        major: None,
        minor: None,
        read: true,
        write: true,
        mknod: true,
    };
    let rules = [
        // Forgotten with all before a rule about everything.
        rule(true, Some(9), true), // urandom
        nothing,
        rule(true, Some(3), true),  // null
        rule(true, Some(5), false), // zero, to be read
        rule(true, Some(7), true),  // full
        rule(false, Some(7), true),
    ];
    sleeper.cgroup.restrict_devices(&rules).unwrap();
    let check = |command: &str, allowed: bool| {
        let script = format!("echo $$ > {}; {command}", dir.join(PROCS).display());
        let status = Command::new("/bin/busybox")
            .args(["sh", "-c", &script])
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.success(), allowed, "{command}");
    };
    check("echo x > /dev/null", true);
    check("head -c 1 /dev/zero > /dev/null", true);
    check("echo x > /dev/zero", false);
    check("head -c 1 /dev/full > /dev/null", false);
    check("head -c 1 /dev/urandom > /dev/null", false);
}

#[test]
fn a_kill_for_want_of_memory_is_noticed() {
    let sleeper = Sleeper::new("oom");
    let limits = Limits {
        memory: Some(8 << 20),
        ..Limits::default()
    };
    sleeper.cgroup.update(&limits).unwrap();
    let watch = sleeper.cgroup.watch_oom().unwrap();
    assert_eq!(sleeper.cgroup.oom_kills(), 0);
    // Reads a line that never ends; joins the cgroup by itself first.
    let procs = sleeper.cgroup.v1_dir("memory").map(|dir| dir.join(PROCS));
    let procs = procs.or_else(|| sleeper.cgroup.v2_dir().map(|dir| dir.join(PROCS)));
    let script = format!(
        "echo $$ > {}; exec tail -c 100000000 /dev/zero",
        procs.unwrap().display()
    );
    let status = Command::new("/bin/busybox")
        .args(["sh", "-c", &script])
        .status()
        .unwrap();
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(status.signal(), Some(libc::SIGKILL));
    let mut poll = [rustix::event::PollFd::new(
        &watch,
        rustix::event::PollFlags::IN,
    )];
    let second = rustix::event::Timespec {
        tv_sec: 1,
        tv_nsec: 0,
    };
    assert_eq!(rustix::event::poll(&mut poll, Some(&second)).unwrap(), 1);
    watch.clear();
    assert!(sleeper.cgroup.oom_kills() >= 1);
}
