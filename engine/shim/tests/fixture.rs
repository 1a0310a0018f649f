//! A container with everything around it, taken away again whatever happens.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use dhow_model::Id;
use dhow_runtime::launch::{Inherited, Launched, Launcher};
use dhow_runtime::protocol::client::Client;
use dhow_runtime::protocol::{
    Answer, Attach, Event, EventKind, Exec, Exit, Failure, LogConfig, LogDriver, ROOTFS_DIR,
    Request, Rootfs, SPEC_FILE, ShimConfig, Snapshot, StateFile, Stdio, Stop,
};
use dhow_runtime::spec::{Host, ProcessPlan, SpecPlan, capability};
use dhow_sys::cgroup::{Cgroup, Hierarchies};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A container in the making.
pub struct Plan {
    pub spec: SpecPlan,
    pub config: ShimConfig,
    pub inherited: Inherited,
    root: Root,
}

/// The directory that everything is in; goes when it is dropped.
struct Root(PathBuf);

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

/// A shim with its container.
pub struct Container {
    pub config: ShimConfig,
    pub run_dir: PathBuf,
    pub shim: Launched,
    pub client: Client,
    pub cgroup: Cgroup,
    pub host: Host,
    seen: u64,
    _root: Root,
}

impl Plan {
    /// A container that runs this shell script.
    pub fn script(script: &str) -> Self {
        Self::command(&["sh", "-c", script])
    }

    /// A container that runs this command.
    pub fn command(arguments: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        // Long enough that a socket's address could not hold it.
        let root = std::env::temp_dir()
            .join(format!("dhow-shim-test-{process}-{count}"))
            .join("a-long-name-".repeat(8));
        let id = format!("{process:08x}{count:08x}{}", "cafe".repeat(12));
        let layer = root.join("layer");
        make_layer(&layer);
        for dir in ["upper", "work", "run", "data"] {
            fs::create_dir_all(root.join(dir)).unwrap();
        }
        // A parent of its own: a shared one could be removed by one test
        // while another makes a group in it.
        let cgroup = format!("/dhow-test-{process}-{count}/{id}");
        let spec = SpecPlan {
            process: ProcessPlan {
                args: arguments.iter().map(|word| word.to_string()).collect(),
                env: vec!["PATH=/bin".to_owned(), "TERM=xterm".to_owned()],
                ..ProcessPlan::default()
            },
            rootfs: ROOTFS_DIR.into(),
            hostname: "box".to_owned(),
            cgroups_path: PathBuf::from(&cgroup),
            ..SpecPlan::default()
        };
        let config = ShimConfig {
            id: id.parse::<Id>().unwrap(),
            rootfs: Rootfs::Overlay {
                lower: vec![layer],
                upper: root.join("upper"),
                work: root.join("work"),
            },
            cgroup,
            log: LogConfig {
                driver: LogDriver::JsonFile,
                path: root.join("data/json.log"),
                max_size: None,
                max_file: 1,
                compress: false,
                attrs: BTreeMap::new(),
            },
            stdio: Stdio::default(),
            restart: Default::default(),
            restart_count: 0,
            health: None,
            state_file: root.join("data/state.json"),
            ports: Vec::new(),
            control_fd: None,
            netns_fd: None,
            shared_sources: Vec::new(),
            borrowed_mounts: Vec::new(),
            made_mounts: Vec::new(),
            stop: Stop {
                signal: libc::SIGTERM,
                timeout: Some(Duration::from_secs(10)),
            },
        };
        Self {
            spec,
            config,
            inherited: Inherited::default(),
            root: Root(root),
        }
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn tty(self) -> Self {
        self.with(|plan| {
            plan.spec.process.terminal = true;
            plan.config.stdio.tty = true;
            plan.config.stdio.open_stdin = true;
        })
    }

    pub fn stdin(self, once: bool) -> Self {
        self.with(|plan| {
            plan.config.stdio.open_stdin = true;
            plan.config.stdio.stdin_once = once;
        })
    }

    /// Starts the shim, not yet the container.
    pub fn launch(mut self) -> Container {
        let host = host();
        let run_dir = self.root.0.join("run");
        let spec = self.spec.build(&host).unwrap();
        fs::write(run_dir.join(SPEC_FILE), serde_json::to_vec(&spec).unwrap()).unwrap();
        let shim = Path::new(env!("CARGO_BIN_EXE_dhow-shim"));
        let launcher = Launcher::new(shim).expect("these tests need root");
        let shim = launcher
            .launch(&run_dir, &mut self.config, &self.inherited)
            .unwrap();
        drop(self.inherited);
        let mut client = Client::new(shim.control.try_clone().unwrap());
        client.set_timeout(Some(PATIENCE)).unwrap();
        let cgroup = Hierarchies::detect().unwrap().cgroup(&self.config.cgroup);
        assert_eq!(
            client
                .call(
                    Request::Subscribe {
                        after: 0,
                        probes: false,
                    },
                    None
                )
                .unwrap(),
            Answer::Done
        );
        Container {
            config: self.config,
            run_dir,
            shim,
            client,
            cgroup,
            host,
            seen: 0,
            _root: self.root,
        }
    }

    /// Starts shim and container.
    pub fn start(self) -> Container {
        let mut container = self.launch();
        container.start().unwrap();
        container
    }

    /// Runs the container to its end.
    pub fn run(self) -> (Exit, Container) {
        let mut container = self.start();
        let exit = container.exit();
        (exit, container)
    }
}

impl Container {
    pub fn start(&mut self) -> Result<u32, Failure> {
        match self.client.call(Request::Start, None).unwrap() {
            Answer::Started { pid } => Ok(pid),
            Answer::Failed(failure) => Err(failure),
            other => panic!("{other:?}"),
        }
    }

    /// Asks for something that must work.
    pub fn ask(&mut self, request: Request) {
        let answer = self.client.call(request, None).unwrap();
        assert_eq!(answer, Answer::Done);
    }

    /// Asks for something that must not work.
    pub fn refused(&mut self, request: Request) -> Failure {
        match self.client.call(request, None).unwrap() {
            Answer::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    pub fn kill(&mut self, signal: i32) {
        self.ask(Request::Kill {
            signal,
            by_hand: true,
        });
    }

    pub fn state(&mut self) -> Snapshot {
        match self.client.call(Request::State, None).unwrap() {
            Answer::State(snapshot) => *snapshot,
            other => panic!("{other:?}"),
        }
    }

    /// The next event that `pick` wants.
    pub fn event<T>(&mut self, mut pick: impl FnMut(&EventKind) -> Option<T>) -> T {
        loop {
            let event: Event = self.client.event().unwrap();
            assert!(event.seq > self.seen, "events out of order: {event:?}");
            self.seen = event.seq;
            if let Some(picked) = pick(&event.kind) {
                return picked;
            }
        }
    }

    /// Waits for the end for good.
    pub fn exit(&mut self) -> Exit {
        self.event(|event| match event {
            EventKind::Exited {
                exit,
                restart_in: None,
            } => Some(*exit),
            _ => None,
        })
    }

    /// Waits until the shim has left, and checks that it left nothing.
    pub fn gone(&mut self) {
        let ended = wait_until("the shim leaves", || {
            self.shim.process.pidfd.try_wait().unwrap()
        });
        assert_eq!(ended.code(), 0, "{}", self.diagnostics());
        assert!(!self.cgroup.exists());
        assert_eq!(
            fs::read_dir(self.run_dir.join(ROOTFS_DIR)).unwrap().count(),
            0
        );
    }

    /// Joins a client; returns its end.
    pub fn attach(&mut self, attach: Attach) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let answer = self
            .client
            .call(Request::Attach(attach), Some(theirs.as_fd()));
        assert_eq!(answer.unwrap(), Answer::Done);
        ours.set_read_timeout(Some(PATIENCE)).unwrap();
        ours
    }

    /// Runs a further process with a client; returns the client's end.
    pub fn exec(&mut self, plan: ProcessPlan, stdin: bool) -> Result<(Id, UnixStream), Failure> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(PATIENCE)).unwrap();
        let attach = Attach {
            stdin,
            ..everything()
        };
        let (id, exec) = self.exec_request(plan, stdin, Some(attach));
        match self.client.call(exec, Some(theirs.as_fd())).unwrap() {
            Answer::Started { .. } => Ok((id, ours)),
            Answer::Failed(failure) => Err(failure),
            other => panic!("{other:?}"),
        }
    }

    pub fn exec_request(
        &self,
        plan: ProcessPlan,
        stdin: bool,
        attach: Option<Attach>,
    ) -> (Id, Request) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id: Id = format!("{count:08x}{}", "e".repeat(56)).parse().unwrap();
        let exec = Exec {
            id: id.clone(),
            process: plan.build(&self.host).unwrap(),
            seccomp: true,
            stdin,
            attach,
        };
        (id, Request::Exec(Box::new(exec)))
    }

    pub fn exec_exit(&mut self, id: &Id) -> i32 {
        self.event(|event| match event {
            EventKind::ExecExited { exec, code } if exec == id => Some(*code),
            _ => None,
        })
    }

    /// The log as it stands, one object a line.
    pub fn log(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(&self.config.log.path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The logged text of a stream.
    pub fn logged(&self, stream: &str) -> String {
        self.log()
            .iter()
            .filter(|entry| entry["stream"] == stream)
            .map(|entry| entry["log"].as_str().unwrap().to_owned())
            .collect()
    }

    pub fn state_file(&self) -> StateFile {
        StateFile::read(&self.config.state_file).unwrap().unwrap()
    }

    pub fn diagnostics(&self) -> String {
        fs::read_to_string(self.run_dir.join("shim.log")).unwrap_or_default()
    }

    /// Another daemon's connection.
    pub fn connect(&self) -> Client {
        let client = Client::connect(&self.run_dir).unwrap();
        client.set_timeout(Some(PATIENCE)).unwrap();
        client
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("shim said: {}", self.diagnostics());
        }
        let _ = self.shim.process.pidfd.signal(libc::SIGKILL);
        let _ = self.shim.process.pidfd.wait();
        let _ = self.cgroup.kill(PATIENCE);
        let _ = self.cgroup.remove();
        let parent = Path::new(&self.config.cgroup).parent().unwrap();
        let parent = parent.to_str().unwrap();
        let parent = Hierarchies::detect().unwrap().cgroup(parent);
        let _ = parent.remove_if_empty();
    }
}

/// All of a client's streams.
pub fn everything() -> Attach {
    Attach {
        stdin: true,
        stdout: true,
        stderr: true,
        ..Attach::default()
    }
}

pub fn output_only() -> Attach {
    Attach {
        stdin: false,
        ..everything()
    }
}

/// A process that runs this shell script.
pub fn script(script: &str) -> ProcessPlan {
    ProcessPlan {
        args: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: vec!["PATH=/bin".to_owned()],
        ..ProcessPlan::default()
    }
}

/// Reads stdcopy frames to the end: standard output and error.
pub fn demultiplex(mut stream: impl Read) -> (String, String) {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut rest = &all[..];
    while let Some((header, body)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes(header[4..].try_into().unwrap()) as usize;
        let (body, next) = body.split_at(length);
        match header[0] {
            1 => out.extend_from_slice(body),
            2 => err.extend_from_slice(body),
            other => panic!("a frame of stream {other}"),
        }
        rest = next;
    }
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(out), text(err))
}

/// Reads until the text appears.
pub fn read_until(mut stream: impl Read, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1024];
    while !text.contains(wanted) {
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "the stream ended at {text:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    text
}

/// Waits for something to be there.
pub fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn host() -> Host {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let set = |line: &str| {
        let digits = line.strip_prefix("CapEff:")?;
        u64::from_str_radix(digits.trim(), 16).ok()
    };
    let mask = status.lines().find_map(set).unwrap();
    Host {
        architecture: "amd64".to_owned(),
        kernel: (6, 1),
        capabilities: capability::from_mask(mask),
        unified_cgroups: false,
        masked_paths: Vec::new(),
    }
}

fn make_layer(layer: &Path) {
    for dir in ["bin", "etc", "tmp", "proc", "sys", "dev", "root"] {
        fs::create_dir_all(layer.join(dir)).unwrap();
    }
    fs::copy("/bin/busybox", layer.join("bin/busybox")).expect("busybox-static is needed");
    let applets = std::process::Command::new("/bin/busybox")
        .arg("--list")
        .output()
        .unwrap();
    for applet in String::from_utf8(applets.stdout).unwrap().lines() {
        if applet != "busybox" {
            std::os::unix::fs::symlink("busybox", layer.join("bin").join(applet)).unwrap();
        }
    }
    let passwd = "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n";
    fs::write(layer.join("etc/passwd"), passwd).unwrap();
    fs::write(layer.join("etc/noexec"), "text").unwrap();
}
