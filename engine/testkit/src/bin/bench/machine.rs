//! Where and with what it was measured; numbers mean nothing without.

use std::process::Command;

use dhow_testkit::Dockerd;

/// Lines for the head of the report.
pub fn describe(docker: &Dockerd) -> Vec<String> {
    let processor =
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory: u64 = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split(' ').next().and_then(|word| word.parse().ok()))
        .unwrap_or(0);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    vec![
        format!(
            "{processor}, {cores} cores, {} GiB, Linux {}",
            memory >> 20,
            kernel.trim()
        ),
        format!(
            "data on {}",
            first_line("findmnt", &["-no", "FSTYPE", "--target", "/var/tmp"])
        ),
        format!(
            "dockerd {} (Debian), {}",
            docker.version(),
            first_line("docker", &["--version"])
        ),
        format!(
            "Dhow {}, {} build, {}",
            env!("CARGO_PKG_VERSION"),
            if cfg!(debug_assertions) {
                "development"
            } else {
                "release"
            },
            first_line("rustc", &["--version"])
        ),
        format!("measured on {}", first_line("date", &["+%-d %B %Y"])),
    ]
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':')
        .map(|(_, value)| value.trim().to_owned())
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}
