//! Restart policies, and when a container that ended is started again.
//!
//! ```text
//! exit ──► decide ──► Stay            (policy says no, or stopped by hand)
//!             └─────► After(delay)    100 ms, doubling up to a minute; a run
//!                                     of ten seconds starts over at 100 ms
//! ```
//!
//! The clock is the caller's: it says how long the container ran, and waits.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorKind, HasKind};

/// When a container is started again by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Never.
    #[default]
    No,
    /// After an exit code other than 0, so many times (0: without end).
    OnFailure(u32),
    /// Whenever it ends, unless a person signalled it; not when the engine
    /// starts after that either.
    UnlessStopped,
    /// Whenever it ends, unless a person stopped it; again when the engine
    /// starts.
    Always,
}

/// A policy that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// No such name.
    #[error(
        "invalid restart policy: unknown policy '{0}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
    )]
    Unknown(String),
    /// A count given with a policy that has none.
    #[error("invalid restart policy: maximum retry count can only be used with 'on-failure'{}", if *.negative { " and cannot be negative" } else { "" })]
    CountNotAllowed {
        /// Whether it was negative besides.
        negative: bool,
    },
    /// A negative count.
    #[error("invalid restart policy: maximum retry count cannot be negative")]
    Negative,
    /// What stands after `on-failure:` is no number.
    #[error("invalid restart policy format: maximum retry count must be an integer")]
    NotANumber,
    /// More than one colon.
    #[error("invalid restart policy format")]
    Format,
    /// `docker run --rm` and a policy contradict each other.
    #[error("can't create 'AutoRemove' container with restart policy")]
    AutoRemove,
}

impl HasKind for InvalidPolicy {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl Policy {
    /// The policy of an API request.
    pub fn from_api(name: &str, maximum_retry_count: i64) -> Result<Self, InvalidPolicy> {
        let plain = |policy| match maximum_retry_count {
            0 => Ok(policy),
            count => Err(InvalidPolicy::CountNotAllowed {
                negative: count < 0,
            }),
        };
        match name {
            // Old clients send no name, and any count with it.
            "" => Ok(Self::No),
            "no" => plain(Self::No),
            "always" => plain(Self::Always),
            "unless-stopped" => plain(Self::UnlessStopped),
            "on-failure" if maximum_retry_count < 0 => Err(InvalidPolicy::Negative),
            "on-failure" => Ok(Self::OnFailure(
                u32::try_from(maximum_retry_count).unwrap_or(u32::MAX),
            )),
            other => Err(InvalidPolicy::Unknown(other.to_owned())),
        }
    }

    /// The policy of a command line: `always`, `on-failure:3`, ….
    pub fn from_flag(text: &str) -> Result<Self, InvalidPolicy> {
        let (name, count) = match text.split_once(':') {
            None => (text, 0),
            Some((_, rest)) if rest.contains(':') => return Err(InvalidPolicy::Format),
            Some((name, count)) => (name, count.parse().map_err(|_| InvalidPolicy::NotANumber)?),
        };
        Self::from_api(name, count)
    }

    /// The name the API uses.
    pub fn name(&self) -> &'static str {
        match self {
            Self::No => "no",
            Self::OnFailure(_) => "on-failure",
            Self::UnlessStopped => "unless-stopped",
            Self::Always => "always",
        }
    }

    /// The API's `MaximumRetryCount`.
    pub fn maximum_retry_count(&self) -> u32 {
        match self {
            Self::OnFailure(count) => *count,
            _ => 0,
        }
    }

    /// Whether a container that is not running is started when the engine is.
    pub fn starts_with_engine(&self, stopped_by_hand: bool) -> bool {
        match self {
            Self::Always => true,
            Self::UnlessStopped => !stopped_by_hand,
            Self::No | Self::OnFailure(_) => false,
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::OnFailure(count) if *count > 0 => write!(f, ":{count}"),
            _ => Ok(()),
        }
    }
}

/// Whether a signal that a person sends calls the restarts off, as with
/// Docker: any does to a container without a stop signal of its own; to one
/// that has its own, that one does, and SIGKILL.
pub fn is_called_off_by(signal: i32, own_stop_signal: Option<i32>) -> bool {
    own_stop_signal.is_none_or(|own| signal == own || signal == crate::signal::KILL)
}

/// How a run of the container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code.
    pub code: i32,
    /// Whether a person called off the restarts: of whatever policy.
    pub stopped_by_hand: bool,
    /// Whether a person sent it any signal since it was started by hand, which
    /// is a stop to `unless-stopped` alone.
    pub signalled_by_hand: bool,
    /// How long it ran.
    pub ran_for: Duration,
}

/// What to do after an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Leave it as it is.
    Stay,
    /// Start it again after this delay.
    After(Duration),
}

/// The delays between restarts, and their count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    count: u32,
    delay: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(60);
    const STABLE: Duration = Duration::from_secs(10);

    /// Goes on after so many restarts.
    pub fn new(count: u32) -> Self {
        Self {
            count,
            delay: Duration::ZERO,
        }
    }

    /// How often the container was restarted.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Decides after an exit, and counts the restart if there is one.
    pub fn decide(&mut self, policy: Policy, exit: Exit) -> Decision {
        if exit.ran_for >= Self::STABLE {
            self.delay = Duration::ZERO;
        }
        self.delay = match self.delay {
            Duration::ZERO => Self::FIRST,
            delay => (delay * 2).min(Self::LONGEST),
        };
        let again = !exit.stopped_by_hand
            && match policy {
                Policy::No => false,
                Policy::Always => true,
                Policy::UnlessStopped => !exit.signalled_by_hand,
                Policy::OnFailure(most) => exit.code != 0 && (most == 0 || self.count < most),
            };
        if !again {
            return Decision::Stay;
        }
        self.count += 1;
        Decision::After(self.delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Exit = Exit {
        code: 1,
        stopped_by_hand: false,
        signalled_by_hand: false,
        ran_for: Duration::ZERO,
    };

    #[test]
    fn flags_and_api_name_the_same_policies() {
        let check = |text: &str, policy: Policy| {
            assert_eq!(Policy::from_flag(text), Ok(policy), "{text}");
            let again = Policy::from_api(policy.name(), policy.maximum_retry_count().into());
            assert_eq!(again, Ok(policy));
        };
        check("", Policy::No);
        check("no", Policy::No);
        check("always", Policy::Always);
        check("unless-stopped", Policy::UnlessStopped);
        check("on-failure", Policy::OnFailure(0));
        check("on-failure:3", Policy::OnFailure(3));
        assert_eq!(Policy::OnFailure(3).to_string(), "on-failure:3");
        let refuse = |text: &str, part: &str| {
            let error = Policy::from_flag(text).expect_err(text).to_string();
            assert_eq!(error, format!("invalid restart policy{part}"));
        };
        refuse(
            "x",
            ": unknown policy 'x'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
        );
        refuse(
            "always:3",
            ": maximum retry count can only be used with 'on-failure'",
        );
        refuse(
            "no:-1",
            ": maximum retry count can only be used with 'on-failure' and cannot be negative",
        );
        refuse("on-failure:-1", ": maximum retry count cannot be negative");
        refuse(
            "on-failure:x",
            " format: maximum retry count must be an integer",
        );
        refuse("on-failure:1:2", " format");
    }

    #[test]
    fn delays_double_up_to_a_minute_and_start_over_after_a_stable_run() {
        let mut backoff = Backoff::default();
        let mut delays = Vec::new();
        for _ in 0..12 {
            match backoff.decide(Policy::Always, QUICK) {
                Decision::After(delay) => delays.push(delay.as_millis()),
                Decision::Stay => panic!("always restarts"),
            }
        }
        assert_eq!(delays[..4], [100, 200, 400, 800]);
        assert_eq!(delays[9..], [51_200, 60_000, 60_000]);
        let stable = Exit {
            ran_for: Duration::from_secs(10),
            ..QUICK
        };
        assert_eq!(
            backoff.decide(Policy::Always, stable),
            Decision::After(Duration::from_millis(100))
        );
        assert_eq!(backoff.count(), 13);
    }

    #[test]
    fn policies_differ_in_what_they_answer_to() {
        let well = Exit { code: 0, ..QUICK };
        let stopped = Exit {
            stopped_by_hand: true,
            ..QUICK
        };
        let restarts = |policy, exit| Backoff::default().decide(policy, exit) != Decision::Stay;
        for (policy, after_failure, after_success) in [
            (Policy::No, false, false),
            (Policy::OnFailure(0), true, false),
            (Policy::UnlessStopped, true, true),
            (Policy::Always, true, true),
        ] {
            assert_eq!(restarts(policy, QUICK), after_failure, "{policy}");
            assert_eq!(restarts(policy, well), after_success, "{policy}");
            assert!(!restarts(policy, stopped), "{policy}");
        }
        let signalled = Exit {
            signalled_by_hand: true,
            ..QUICK
        };
        assert!(!restarts(Policy::UnlessStopped, signalled));
        assert!(restarts(Policy::Always, signalled));
        assert!(restarts(Policy::OnFailure(0), signalled));
        assert!(Policy::Always.starts_with_engine(true));
        assert!(!Policy::UnlessStopped.starts_with_engine(true));
        assert!(Policy::UnlessStopped.starts_with_engine(false));
        assert!(!Policy::OnFailure(0).starts_with_engine(false));
    }

    #[test]
    fn a_signal_calls_restarts_off_unless_another_one_is_for_that() {
        assert!(is_called_off_by(1, None));
        assert!(is_called_off_by(15, Some(15)));
        assert!(is_called_off_by(9, Some(15)));
        assert!(!is_called_off_by(1, Some(15)));
    }

    #[test]
    fn on_failure_counts() {
        let mut backoff = Backoff::new(1);
        let policy = Policy::OnFailure(3);
        assert_ne!(backoff.decide(policy, QUICK), Decision::Stay);
        assert_ne!(backoff.decide(policy, QUICK), Decision::Stay);
        assert_eq!(backoff.decide(policy, QUICK), Decision::Stay);
        assert_eq!(backoff.count(), 3);
    }
}
