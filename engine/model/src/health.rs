//! Health checks: what is probed and when, and what the results mean.
//!
//! ```text
//!            a probe succeeds                retries fail in a row
//! starting ───────────────────► healthy ◄──────────────────────────┐
//!    │                             └───────────────────────────► unhealthy
//!    └── retries fail in a row after the start period ──────────────► ┘
//! ```
//!
//! Nothing here runs a probe or a timer: [`Machine::next_delay`] says how long
//! to wait, [`Machine::record`] takes what came of it.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;
use crate::timestamp::Timestamp;

/// How much of a probe's output is kept.
pub const MAX_OUTPUT: usize = 4096;
/// How many results are kept.
pub const MAX_LOG: usize = 5;
/// The exit code recorded for a probe that did not end by itself.
pub const NOT_RUN: i64 = -1;

/// A check with its defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The program and its arguments, shell included.
    pub command: Vec<String>,
    /// From the end of one probe to the start of the next.
    pub interval: Duration,
    /// How long one probe may take.
    pub timeout: Duration,
    /// How long after the start failures do not count.
    pub start_period: Duration,
    /// The interval while in the start period and not yet healthy.
    pub start_interval: Duration,
    /// So many failures in a row make it unhealthy.
    pub retries: u32,
}

/// A check as the API and images describe it: zero means the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config<'a> {
    /// `["NONE"]`, `["CMD", …]`, `["CMD-SHELL", command]` or empty.
    pub test: &'a [String],
    /// Nanoseconds.
    pub interval: i64,
    /// Nanoseconds.
    pub timeout: i64,
    /// Nanoseconds.
    pub start_period: i64,
    /// Nanoseconds.
    pub start_interval: i64,
    /// Count.
    pub retries: i64,
}

/// A check that cannot be made, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// A time below a millisecond.
    #[error("{0} in Healthcheck cannot be less than 1ms")]
    TooShort(&'static str),
    /// A negative count.
    #[error("Retries in Healthcheck cannot be negative")]
    Retries,
}

impl crate::HasKind for InvalidConfig {
    fn kind(&self) -> crate::ErrorKind {
        crate::ErrorKind::InvalidParameter
    }
}

impl Config<'_> {
    /// Refuses times below a millisecond that are not zero.
    pub fn validate(&self) -> Result<(), InvalidConfig> {
        for (name, nanos) in [
            ("Interval", self.interval),
            ("Timeout", self.timeout),
            ("StartPeriod", self.start_period),
            ("StartInterval", self.start_interval),
        ] {
            if nanos != 0 && nanos < 1_000_000 {
                return Err(InvalidConfig::TooShort(name));
            }
        }
        if self.retries < 0 {
            return Err(InvalidConfig::Retries);
        }
        Ok(())
    }

    /// The probe to run, or `None` where there is none. `shell` is what runs a
    /// `CMD-SHELL`; empty means `/bin/sh -c`.
    pub fn probe(&self, shell: &[String]) -> Option<Probe> {
        let (form, arguments) = self.test.split_first()?;
        let command: Vec<String> = match form.as_str() {
            "CMD" => arguments.to_vec(),
            "CMD-SHELL" if shell.is_empty() => ["/bin/sh", "-c"]
                .into_iter()
                .map(str::to_owned)
                .chain(arguments.iter().cloned())
                .collect(),
            "CMD-SHELL" => shell.iter().chain(arguments).cloned().collect(),
            _ => return None,
        };
        let or = |nanos: i64, default: u64| match duration::from_nanos(nanos) {
            Duration::ZERO => Duration::from_secs(default),
            given => given,
        };
        (!command.is_empty()).then(|| Probe {
            command,
            interval: or(self.interval, 30),
            timeout: or(self.timeout, 30),
            start_period: or(self.start_period, 0),
            start_interval: or(self.start_interval, 5),
            retries: match u32::try_from(self.retries) {
                Ok(0) | Err(_) => 3,
                Ok(retries) => retries,
            },
        })
    }
}

/// What is known of a container's health. A container without a check has none
/// of this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not yet known.
    Starting,
    /// The last probe that counted succeeded.
    Healthy,
    /// Too many probes failed in a row.
    Unhealthy,
}

impl Status {
    /// The word the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What came of one probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// When the probe started.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Its exit code: 0 is healthy, [`NOT_RUN`] a probe that was killed.
    pub exit_code: i64,
    /// What it printed, cut.
    pub output: String,
}

/// The state of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    status: Status,
    failing_streak: u32,
    log: VecDeque<Outcome>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            status: Status::Starting,
            failing_streak: 0,
            log: VecDeque::new(),
        }
    }
}

impl Machine {
    /// What is known now.
    pub fn status(&self) -> Status {
        self.status
    }

    /// How many probes failed since the last success.
    pub fn failing_streak(&self) -> u32 {
        self.failing_streak
    }

    /// The last results, oldest first.
    pub fn log(&self) -> impl ExactSizeIterator<Item = &Outcome> {
        self.log.iter()
    }

    /// The container was started again: nothing is known, the log stays.
    pub fn restart(&mut self) {
        self.status = Status::Starting;
        self.failing_streak = 0;
    }

    /// It is not probed any more, because it ended or is frozen: dockerd calls
    /// that unhealthy.
    pub fn abandon(&mut self) {
        self.status = Status::Unhealthy;
    }

    /// How long to wait before the next probe, `running_for` after the start.
    pub fn next_delay(&self, probe: &Probe, running_for: Duration) -> Duration {
        if running_for < probe.start_period && self.status == Status::Starting {
            probe.start_interval
        } else {
            probe.interval
        }
    }

    /// Takes a result of a container started at `started`. Returns the status
    /// if it changed.
    pub fn record(
        &mut self,
        probe: &Probe,
        started: Timestamp,
        outcome: Outcome,
    ) -> Option<Status> {
        let before = self.status;
        let age = duration::from_nanos(outcome.start.since(started));
        let forgiven = self.status == Status::Starting && age < probe.start_period;
        if outcome.exit_code == 0 {
            self.failing_streak = 0;
            self.status = Status::Healthy;
        } else if !forgiven {
            self.failing_streak = self.failing_streak.saturating_add(1);
            if self.failing_streak >= probe.retries {
                self.status = Status::Unhealthy;
            }
        }
        while self.log.len() >= MAX_LOG {
            self.log.pop_front();
        }
        self.log.push_back(outcome);
        (self.status != before).then_some(self.status)
    }
}

/// A probe's output as it grows, cut at [`MAX_OUTPUT`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    kept: Vec<u8>,
    cut: bool,
}

impl Output {
    /// Adds what fits.
    pub fn push(&mut self, bytes: &[u8]) {
        let fits = bytes.len().min(MAX_OUTPUT - self.kept.len());
        self.kept.extend_from_slice(&bytes[..fits]);
        self.cut |= fits < bytes.len();
    }

    /// The text, with `...` where it was cut.
    pub fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.kept).into_owned();
        if self.cut {
            text.push_str("...");
        }
        text
    }

    /// The text of a probe that was killed for taking longer than `timeout`.
    pub fn timed_out(&self, timeout: Duration) -> String {
        let nanos = i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX);
        let exceeded = format!(
            "Health check exceeded timeout ({})",
            duration::format(nanos)
        );
        match self.text().as_str() {
            "" => exceeded,
            text => format!("{exceeded}: {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| word.to_string()).collect()
    }

    fn probe(start_period: u64) -> Probe {
        let test = words(&["CMD", "true"]);
        let config = Config {
            test: &test,
            ..Config::default()
        };
        Probe {
            start_period: Duration::from_secs(start_period),
            ..config.probe(&[]).unwrap()
        }
    }

    fn outcome(at: i64, exit_code: i64) -> Outcome {
        Outcome {
            start: Timestamp::from_secs(at),
            end: Timestamp::from_secs(at + 1),
            exit_code,
            output: String::new(),
        }
    }

    #[test]
    fn defaults_are_docker_s() {
        let probe = probe(0);
        assert_eq!(probe.interval.as_secs(), 30);
        assert_eq!(probe.timeout.as_secs(), 30);
        assert_eq!(probe.start_interval.as_secs(), 5);
        assert_eq!(probe.retries, 3);
    }

    #[test]
    fn the_test_s_form_gives_the_command() {
        let check = |test: &[&str], shell: &[&str], command: Option<&[&str]>| {
            let test = words(test);
            let config = Config {
                test: &test,
                ..Config::default()
            };
            let got = config.probe(&words(shell)).map(|probe| probe.command);
            assert_eq!(got, command.map(words), "{test:?}");
        };
        check(&[], &[], None);
        check(&["NONE"], &[], None);
        check(&["CMD"], &[], None);
        check(&["nonsense", "x"], &[], None);
        check(&["CMD", "a", "b"], &[], Some(&["a", "b"]));
        check(&["CMD-SHELL", "a b"], &[], Some(&["/bin/sh", "-c", "a b"]));
        check(
            &["CMD-SHELL", "a b"],
            &["/bin/bash", "-ec"],
            Some(&["/bin/bash", "-ec", "a b"]),
        );
    }

    #[test]
    fn wrong_times_are_refused() {
        let short = Config {
            timeout: 5,
            ..Config::default()
        };
        let error = short.validate().unwrap_err().to_string();
        assert_eq!(error, "Timeout in Healthcheck cannot be less than 1ms");
        let negative = Config {
            retries: -1,
            ..Config::default()
        };
        let error = negative.validate().unwrap_err().to_string();
        assert_eq!(error, "Retries in Healthcheck cannot be negative");
        assert_eq!(Config::default().validate(), Ok(()));
    }

    #[test]
    fn three_failures_in_a_row_are_unhealthy_and_one_success_heals() {
        let mut machine = Machine::default();
        let start = Timestamp::from_secs(0);
        let mut record = |exit_code| {
            let changed = machine.record(&probe(0), start, outcome(1, exit_code));
            (changed, machine.failing_streak())
        };
        assert_eq!(record(0), (Some(Status::Healthy), 0));
        assert_eq!(record(1), (None, 1));
        assert_eq!(record(NOT_RUN), (None, 2));
        assert_eq!(record(0), (None, 0));
        assert_eq!(record(1), (None, 1));
        assert_eq!(record(1), (None, 2));
        assert_eq!(record(2), (Some(Status::Unhealthy), 3));
        assert_eq!(record(2), (None, 4));
        assert_eq!(record(0), (Some(Status::Healthy), 0));
        assert_eq!(machine.log().len(), MAX_LOG);
        let codes: Vec<i64> = machine.log().map(|outcome| outcome.exit_code).collect();
        assert_eq!(codes, [1, 1, 2, 2, 0]);
    }

    #[test]
    fn the_start_period_forgives_only_until_the_first_success() {
        let mut machine = Machine::default();
        let probe = probe(60);
        let start = Timestamp::from_secs(100);
        for at in 101..110 {
            assert_eq!(machine.record(&probe, start, outcome(at, 1)), None);
        }
        assert_eq!(machine.failing_streak(), 0);
        assert_eq!(
            machine
                .next_delay(&probe, Duration::from_secs(10))
                .as_secs(),
            5
        );
        assert_eq!(
            machine
                .next_delay(&probe, Duration::from_secs(60))
                .as_secs(),
            30
        );
        assert_eq!(
            machine.record(&probe, start, outcome(111, 0)),
            Some(Status::Healthy)
        );
        assert_eq!(
            machine
                .next_delay(&probe, Duration::from_secs(11))
                .as_secs(),
            30
        );
        assert_eq!(machine.record(&probe, start, outcome(112, 1)), None);
        assert_eq!(machine.failing_streak(), 1);
        machine.abandon();
        assert_eq!(machine.status(), Status::Unhealthy);
        machine.restart();
        assert_eq!(
            (machine.status(), machine.failing_streak()),
            (Status::Starting, 0)
        );
        for at in [160, 161] {
            assert_eq!(machine.record(&probe, start, outcome(at, 1)), None);
        }
        assert_eq!(
            machine.record(&probe, start, outcome(162, 1)),
            Some(Status::Unhealthy)
        );
    }

    #[test]
    fn output_is_cut() {
        let mut output = Output::default();
        assert_eq!(
            output.timed_out(Duration::from_secs(90)),
            "Health check exceeded timeout (1m30s)"
        );
        output.push(&[b'x'; MAX_OUTPUT - 1]);
        output.push(b"y");
        assert_eq!(output.text().len(), MAX_OUTPUT);
        output.push(b"z");
        assert!(output.text().ends_with("y..."));
        output = Output::default();
        output.push(&[b'a', 0xff]);
        assert_eq!(
            output.timed_out(Duration::from_millis(5)),
            "Health check exceeded timeout (5ms): a\u{fffd}"
        );
    }
}
