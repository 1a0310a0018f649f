//! The machine with an engine in it, shared by all cases.

use std::sync::{LazyLock, Mutex, MutexGuard};

use dhow_testkit::guest::{Root, Size};
use dhow_testkit::{Guest, Outcome, debian, fixture, program};
use serde_json::Value;

/// The engine's flags are the default ones: nothing else runs there.
const START: &str = "
    service=/sys/fs/cgroup/system.slice/dhow.service
    mkdir -p $service
    echo $$ >$service/cgroup.procs
    dhowd --log-level=debug >>/var/log/dhowd.log 2>&1 &
    echo $! >/run/daemon
    tries=0
    until dhow version >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || exit 1
        usleep 100000
    done";
const SIZE: Size = Size {
    processors: 2,
    memory: 1024,
};

/// The guest and its engine.
pub struct House {
    guest: Guest,
}

/// Takes the house, booting it for the first who comes.
pub fn house() -> MutexGuard<'static, House> {
    static HOUSE: LazyLock<Mutex<House>> = LazyLock::new(|| Mutex::new(House::open()));
    HOUSE.lock().unwrap_or_else(|poisoned| {
        HOUSE.clear_poison();
        let mut house = poisoned.into_inner();
        house.sweep();
        house
    })
}

impl House {
    fn open() -> Self {
        let apparmor = debian::unpacked(&["apparmor"]);
        let root = Root::default()
            .program(&apparmor.join("sbin/apparmor_parser"))
            .tree("/etc/apparmor.d", &apparmor.join("etc/apparmor.d"))
            .program(&program::ours("dhowd"))
            .program(&program::ours("dhow-shim"))
            .program(&program::ours("dhow"))
            .file(
                "/srv/busybox.tar",
                0o644,
                &fixture::busybox().archive("busybox:latest"),
            );
        let mut house = Self {
            guest: Guest::boot(root, SIZE),
        };
        house.start_daemon();
        house.run("dhow load --quiet --input /srv/busybox.tar").ok();
        house
    }

    /// Starts the daemon in a group of its own, as service managers do.
    pub fn start_daemon(&mut self) {
        let outcome = self.guest.run(START);
        assert_eq!(outcome.code, 0, "no engine: {outcome}\n{}", self.log());
    }

    /// Kills the daemon as a crash would.
    pub fn crash_daemon(&mut self) {
        let script = "kill -9 $(cat /run/daemon)
            while [ -d /proc/$(cat /run/daemon) ]; do usleep 10000; done";
        self.run(script).ok();
    }

    /// Runs a script in the guest.
    #[track_caller]
    pub fn run(&mut self, script: &str) -> Outcome {
        self.guest.run(script)
    }

    /// Runs `dhow` with these arguments, as one types them, and insists on
    /// success.
    #[track_caller]
    pub fn dhow(&mut self, arguments: &str) -> String {
        let outcome = self.refused(arguments);
        let log = match outcome.code {
            0 => String::new(),
            _ => self.log(),
        };
        assert_eq!(outcome.code, 0, "{outcome}\n{log}");
        outcome.out()
    }

    /// The same for what is not to succeed. A client that hangs is ended, so
    /// that the machine can be asked why.
    pub fn refused(&mut self, arguments: &str) -> Outcome {
        self.guest.run(&format!("timeout 60 dhow {arguments}"))
    }

    /// Starts a container that idles until it is removed.
    #[track_caller]
    pub fn idle(&mut self, name: &str, flags: &str) {
        self.dhow(&format!(
            "run -d --init --name {name} {flags} busybox sleep 100000"
        ));
    }

    /// What the engine knows of a container.
    #[track_caller]
    pub fn inspect(&mut self, name: &str) -> Value {
        let text = self.dhow(&format!("inspect {name}"));
        let list: Value = serde_json::from_str(&text).expect("inspect prints JSON");
        list[0].clone()
    }

    /// What the shim wrote down of a container's end.
    #[track_caller]
    pub fn exit(&mut self, name: &str) -> Value {
        let id = self.inspect(name)["Id"].as_str().unwrap().to_owned();
        let file =
            format!("$(dhow info --format '{{{{.DockerRootDir}}}}')/containers/{id}/state.json");
        let text = self.run(&format!("cat {file}")).ok();
        let state: Value = serde_json::from_str(&text).expect("a state file is JSON");
        state["snapshot"]["exit"].clone()
    }

    /// The folder of a container's control group.
    #[track_caller]
    pub fn group(&mut self, name: &str) -> String {
        let id = self.inspect(name)["Id"].as_str().unwrap().to_owned();
        format!("/sys/fs/cgroup/dhow/{id}")
    }

    /// Files of a container's control group, each with its name.
    #[track_caller]
    pub fn group_files(&mut self, name: &str, files: &str) -> String {
        let group = self.group(name);
        self.run(&format!("cd {group} && grep -H . {files}")).ok()
    }

    /// Removes containers, and sees that no control group is left of them.
    #[track_caller]
    pub fn clear(&mut self, names: &str) {
        if !names.is_empty() {
            self.dhow(&format!("rm -f {names}"));
        }
        let script = "cd /sys/fs/cgroup && find . -type d | sort";
        assert_eq!(
            self.run(script).ok(),
            ".\n./dhow\n./system.slice\n./system.slice/dhow.service"
        );
    }

    /// Removes what a failed case left behind.
    fn sweep(&mut self) {
        let script = "timeout 60 dhow rm -f $(dhow ps -aq)
            cd /sys/fs/cgroup && find . -depth -type d ! -path './dhow' \
                ! -path './system.slice*' ! -path . -exec rmdir {} \\;";
        let swept = self.guest.run(script);
        eprintln!("swept after a failed case: {swept}");
    }

    fn log(&mut self) -> String {
        let script = "tail -n 40 /var/log/dhowd.log; tail -n 20 /run/dhow/c/*/shim.log";
        self.guest.run(script).out()
    }
}
