//! The page: what it says, and how it says it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What is known of the place, gathered once, and what is counted.
pub struct Facts {
    container: String,
    image: String,
    engine: String,
    system: String,
    memory: Option<String>,
    started: Instant,
    served: AtomicU64,
}

impl Facts {
    pub fn gather(started: Instant) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let variable = |name: &str, otherwise: &str| std::env::var(name).unwrap_or_else(|_| otherwise.to_owned());
        Self {
            container: read("/proc/sys/kernel/hostname"),
            image: variable("DHOW_IMAGE", "dhow/welcome:latest"),
            engine: variable("DHOW_VERSION", env!("CARGO_PKG_VERSION")),
            system: format!("Linux {} on {}", read("/proc/sys/kernel/osrelease"), std::env::consts::ARCH),
            memory: resident(),
            started,
            served: AtomicU64::new(0),
        }
    }

    /// The page as it is now; counts the request.
    pub fn page(&self) -> String {
        let served = self.served.fetch_add(1, Ordering::Relaxed) + 1;
        let mut rows = String::new();
        let mut row = |name: &str, value: &str| {
            rows.push_str(&format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escaped(value)));
        };
        row("Container", &self.container);
        row("Image", &self.image);
        row("Engine", &format!("Dhow {}", self.engine));
        row("System", &self.system);
        if let Some(memory) = &self.memory {
            row("Memory", memory);
        }
        row("Time", &now());
        row("Up for", &span(self.started.elapsed().as_secs()));
        row("Requests served", &served.to_string());
        include_str!("page.html").replace("{rows}", rows.trim_end())
    }
}

/// What this process holds of the machine's memory.
fn resident() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(format!("{}.{} MB resident", kilobytes / 1024, kilobytes % 1024 * 10 / 1024))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    let (year, month, day) = date_of(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The civil date of a day counted from 1 January 1970, by counting in
/// 400-year cycles that begin on 1 March, so that leap days come last.
fn date_of(day: u64) -> (u64, u64, u64) {
    let shifted = day + 719_468;
    let cycle = shifted / 146_097;
    let day_of_cycle = shifted % 146_097;
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_cycle + cycle * 400 + u64::from(month <= 2);
    (year, month, day_of_month)
}
