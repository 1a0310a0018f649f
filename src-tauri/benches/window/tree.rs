//! The app's process and everything that it started, as `/proc` has them
//! (proc(5): `stat`, `smaps_rollup`).

use std::fs;
use std::time::Duration;

use dhow_testkit::until;

use crate::desktop::Desktop;
use crate::{driver, process};

/// `USER_HZ`: of what `/proc` counts in a second on every Linux there is.
const TICKS: f64 = 100.0;

/// A process with its descendants.
pub struct Tree {
    root: i32,
}

impl Tree {
    /// Of the app on this desktop.
    pub fn of(desktop: &Desktop) -> Self {
        let root = until("the app runs", || driver::running(desktop));
        Self { root }
    }

    /// When it began, in milliseconds since 1970, to a hundredth of a second.
    pub fn started(&self) -> f64 {
        let uptime = fs::read_to_string("/proc/uptime").expect("there is /proc");
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("it is later than 1970");
        let uptime: f64 = uptime
            .split(' ')
            .next()
            .and_then(|text| text.parse().ok())
            .expect("uptime is a number");
        let began = stat(self.root).expect("it runs")[19] / TICKS;
        (now.as_secs_f64() - uptime + began) * 1000.0
    }

    /// Processor time of all that live.
    pub fn processor(&self) -> Duration {
        let spent = self.all().into_iter().filter_map(stat);
        Duration::from_secs_f64(spent.map(|fields| fields[11] + fields[12]).sum::<f64>() / TICKS)
    }

    /// Memory in MiB, what is shared divided among those who share it.
    pub fn memory(&self) -> f64 {
        let proportional = |process: i32| -> Option<f64> {
            let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            line.split_whitespace().next()?.parse().ok()
        };
        self.all().into_iter().filter_map(proportional).sum::<f64>() / 1024.0
    }

    fn all(&self) -> Vec<i32> {
        let parents: Vec<(i32, i32)> = process::all()
            .into_iter()
            .filter_map(|process| {
                #[allow(clippy::cast_possible_truncation)]
                let parent = stat(process)?[1] as i32;
                Some((process, parent))
            })
            .collect();
        let mut all = vec![self.root];
        let mut at = 0;
        while let Some(&parent) = all.get(at) {
            all.extend(parents.iter().filter(|pair| pair.1 == parent).map(|p| p.0));
            at += 1;
        }
        all
    }
}

/// The fields of `stat` behind the name, from the state on: 1 is the parent,
/// 11 and 12 the processor time, 19 the beginning.
fn stat(process: i32) -> Option<Vec<f64>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    let numbers = fields
        .split(' ')
        .map(|field| field.trim().parse().unwrap_or_default());
    Some(numbers.collect())
}
