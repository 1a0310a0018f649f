//! The watch over the engine: what the app says about it, and what it does
//! next. Pure: time is an argument, and effects are returned, not done.
//!
//! ```text
//!            answered                      lost
//!  Looking ───────────► Up ◄──────────┐ ───────► Looking
//!     │ nobody there     │ our child ended │ answered
//!     ├─ may start ──► Starting ─────────┤
//!     │                  │ ended          │
//!     │                  ▼                │
//!     │               Restarting ── time ─► Starting
//!     │                  │ too often      │
//!     └────────────► Unreachable(why) ────┘   (asks again, more and more seldom)
//! ```
//!
//! Nothing is ever called up but by the engine's own answer. While it is up
//! nothing is asked: the stream of its events ends when it does.

use std::time::Duration;

use super::state::{EngineState, Launch, Why};

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The app has started, or looks somewhere else from now on.
    Begin(Policy),
    /// The engine answered what it is.
    Answered {
        /// Its version.
        version: String,
        /// The newest version of the API that it speaks.
        api: String,
    },
    /// It did not.
    Failed(Why, String),
    /// A connection broke off, or a request went unanswered.
    Lost,
    /// The engine that we started has ended.
    Exited(String),
    /// It could not be started.
    LaunchFailed(Why, String),
    /// A person wants it started.
    AskedToStart,
    /// A person wants to know now.
    AskedToLook,
    /// The time is over that was to be waited.
    Elapsed,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Ask the engine what it is.
    Look,
    /// Start the one that came with the app.
    Launch,
    /// Say [`Event::Elapsed`] after this time, and forget earlier waits.
    Wait(Duration),
}

/// What may be done about an engine that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How an engine could be started here.
    pub launch: Launch,
    /// Whether it is started without being asked for.
    pub automatic: bool,
}

/// The watch.
#[derive(Debug)]
pub struct Watch {
    state: EngineState,
    policy: Policy,
    /// Starts since the engine was last up for a while.
    attempts: u32,
    /// Questions since the last answer.
    questions: u32,
    up_since: Option<Duration>,
    /// Whether an engine was up since the beginning: who stopped that one
    /// has a reason.
    seen: bool,
}

/// Starts in a row after which we stop trying.
const MOST_ATTEMPTS: u32 = 6;
/// An engine that was up this long had no trouble starting.
const SETTLED: Duration = Duration::from_secs(60);
/// Questions that an engine may leave unanswered while it starts.
const MOST_QUESTIONS: u32 = 120;

impl Watch {
    /// A watch that has not begun.
    pub fn new() -> Self {
        Self {
            state: EngineState::Looking,
            policy: Policy {
                launch: Launch::Impossible,
                automatic: false,
            },
            attempts: 0,
            questions: 0,
            up_since: None,
            seen: false,
        }
    }

    /// What is to be said about the engine.
    pub fn state(&self) -> &EngineState {
        &self.state
    }

    /// Takes in what happened at `now`, a time since any fixed moment.
    pub fn on(&mut self, event: Event, now: Duration) -> Vec<Effect> {
        match event {
            Event::Begin(policy) => {
                *self = Self::new();
                self.policy = policy;
                vec![Effect::Look]
            }
            Event::Answered { version, api } => {
                self.questions = 0;
                self.up_since.get_or_insert(now);
                self.seen = true;
                self.state = EngineState::Up { version, api };
                Vec::new()
            }
            Event::Failed(why, message) => self.failed(why, message, now),
            Event::Lost if self.is_up() => {
                self.leave_up(now);
                self.state = EngineState::Looking;
                vec![Effect::Look]
            }
            Event::Exited(words) if !self.was_declined() => self.exited(words, now),
            Event::LaunchFailed(why, message) => self.unreachable(why, message),
            Event::AskedToStart if self.policy.launch != Launch::Impossible && !self.is_up() => {
                self.attempts = 0;
                self.launch()
            }
            Event::AskedToLook if !self.is_up() => {
                self.questions = 0;
                vec![Effect::Look]
            }
            Event::Elapsed => match self.state {
                EngineState::Restarting { .. } => self.launch(),
                EngineState::Up { .. } => Vec::new(),
                _ => vec![Effect::Look],
            },
            // Even of an engine that is up a person may want to know.
            Event::AskedToLook => vec![Effect::Look],
            Event::Lost | Event::Exited(_) | Event::AskedToStart => Vec::new(),
        }
    }

    fn failed(&mut self, why: Why, message: String, now: Duration) -> Vec<Effect> {
        self.leave_up(now);
        match self.state {
            // It takes a moment until its socket is there.
            EngineState::Starting if why == Why::NotRunning || why == Why::Silent => {
                self.questions += 1;
                if self.questions < MOST_QUESTIONS {
                    return vec![Effect::Wait(Duration::from_millis(
                        if self.questions < 20 { 50 } else { 250 },
                    ))];
                }
                self.unreachable(Why::Silent, "it was started, but does not answer".into())
            }
            // Said by the end of the process itself.
            EngineState::Restarting { .. } => Vec::new(),
            EngineState::Looking if why == Why::NotRunning && self.may_launch() => self.launch(),
            _ => self.unreachable(why, message),
        }
    }

    fn exited(&mut self, words: String, now: Duration) -> Vec<Effect> {
        self.leave_up(now);
        // Passwords are asked for when a person is there to answer.
        if self.policy.launch != Launch::Direct || self.attempts >= MOST_ATTEMPTS {
            return self.unreachable(Why::Ended, words);
        }
        let delay = back_off(self.attempts);
        self.state = EngineState::Restarting {
            attempt: self.attempts + 1,
            seconds: delay.as_secs(),
        };
        vec![Effect::Wait(delay)]
    }

    fn launch(&mut self) -> Vec<Effect> {
        self.attempts += 1;
        self.questions = 0;
        self.state = EngineState::Starting;
        vec![Effect::Launch, Effect::Wait(Duration::from_millis(50))]
    }

    fn unreachable(&mut self, why: Why, message: String) -> Vec<Effect> {
        self.state = EngineState::Unreachable {
            why,
            message,
            start: self.policy.launch.offer(),
        };
        self.questions += 1;
        vec![Effect::Wait(patience(self.questions))]
    }

    /// Notes that the engine is up no more.
    fn leave_up(&mut self, now: Duration) {
        let since = self.up_since.take();
        if since.is_some_and(|since| now.saturating_sub(since) >= SETTLED) {
            self.attempts = 0;
        }
    }

    fn may_launch(&self) -> bool {
        self.policy.automatic && self.policy.launch == Launch::Direct && !self.seen
    }

    fn is_up(&self) -> bool {
        matches!(self.state, EngineState::Up { .. })
    }

    fn was_declined(&self) -> bool {
        let declined = Why::Declined;
        matches!(&self.state, EngineState::Unreachable { why, .. } if *why == declined)
    }
}

/// How long to wait before the next start: 0.5 s, 1 s, 2 s, … 30 s.
fn back_off(attempts: u32) -> Duration {
    let doubled = 500_u64 << attempts.saturating_sub(1).min(6);
    Duration::from_millis(doubled.min(30_000))
}

/// How long to wait before asking again for an engine that is not there.
fn patience(questions: u32) -> Duration {
    match questions {
        0..=3 => Duration::from_millis(500),
        4..=20 => Duration::from_secs(2),
        _ => Duration::from_secs(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    fn begun(launch: Launch, automatic: bool) -> Watch {
        let mut watch = Watch::new();
        let effects = watch.on(Event::Begin(Policy { launch, automatic }), NOW);
        assert_eq!(effects, [Effect::Look]);
        watch
    }

    fn answered() -> Event {
        Event::Answered {
            version: "1".into(),
            api: "1.55".into(),
        }
    }

    fn absent() -> Event {
        Event::Failed(Why::NotRunning, "nobody".into())
    }

    fn why(watch: &Watch) -> Option<Why> {
        match watch.state() {
            EngineState::Unreachable { why, .. } => Some(*why),
            _ => None,
        }
    }

    #[test]
    fn an_engine_that_answers_is_up_and_left_alone() {
        let mut watch = begun(Launch::Direct, true);
        assert!(watch.on(answered(), NOW).is_empty());
        assert!(watch.is_up());
        assert!(watch.on(Event::Elapsed, NOW).is_empty());
    }

    #[test]
    fn an_absent_engine_is_started_where_that_asks_nobody_for_anything() {
        let mut watch = begun(Launch::Direct, true);
        assert_eq!(watch.on(absent(), NOW)[0], Effect::Launch);
        assert_eq!(watch.state(), &EngineState::Starting);
        // Its socket is not there at once.
        assert_eq!(watch.on(Event::Elapsed, NOW), [Effect::Look]);
        assert!(matches!(watch.on(absent(), NOW)[..], [Effect::Wait(_)]));
        watch.on(answered(), NOW);
        assert!(watch.is_up());
    }

    #[test]
    fn passwords_are_asked_for_only_when_a_person_wants_the_engine() {
        let mut watch = begun(Launch::AsksForPassword, true);
        assert!(matches!(watch.on(absent(), NOW)[..], [Effect::Wait(_)]));
        assert_eq!(why(&watch), Some(Why::NotRunning));
        assert_eq!(watch.on(Event::AskedToStart, NOW)[0], Effect::Launch);
        watch.on(Event::LaunchFailed(Why::Declined, "dismissed".into()), NOW);
        assert_eq!(why(&watch), Some(Why::Declined));
        // The end of the asking program changes nothing about that.
        assert!(watch.on(Event::Exited("126".into()), NOW).is_empty());
        assert_eq!(why(&watch), Some(Why::Declined));
    }

    #[test]
    fn one_that_ended_is_not_started_with_a_password_by_itself() {
        let mut watch = begun(Launch::AsksForPassword, true);
        watch.on(absent(), NOW);
        watch.on(Event::AskedToStart, NOW);
        watch.on(answered(), NOW);
        watch.on(Event::Exited("status 1".into()), NOW);
        assert_eq!(why(&watch), Some(Why::Ended));
    }

    #[test]
    fn what_others_stopped_stays_stopped() {
        let mut watch = begun(Launch::Direct, true);
        watch.on(answered(), NOW);
        assert_eq!(watch.on(Event::Lost, NOW), [Effect::Look]);
        // It is asked for again, and may come back by itself.
        assert!(matches!(watch.on(absent(), NOW)[..], [Effect::Wait(_)]));
        assert_eq!(why(&watch), Some(Why::NotRunning));
        assert_eq!(watch.on(Event::Elapsed, NOW), [Effect::Look]);
        assert_eq!(watch.on(Event::AskedToStart, NOW)[0], Effect::Launch);
    }

    #[test]
    fn restarts_come_later_and_later_and_end() {
        let mut watch = begun(Launch::Direct, true);
        watch.on(absent(), NOW);
        let mut waits = Vec::new();
        while why(&watch).is_none() {
            match watch.on(Event::Exited("boom".into()), NOW)[..] {
                [Effect::Wait(delay)] if why(&watch).is_none() => {
                    waits.push(delay.as_millis());
                    // What its end did to a question under way says nothing.
                    assert!(watch.on(absent(), NOW).is_empty());
                    assert_eq!(watch.on(Event::Elapsed, NOW)[0], Effect::Launch);
                }
                _ => break,
            }
        }
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000]);
        assert_eq!(why(&watch), Some(Why::Ended));
        assert_eq!(watch.on(Event::AskedToStart, NOW)[0], Effect::Launch);
    }

    #[test]
    fn an_engine_that_was_up_for_long_starts_afresh() {
        let mut watch = begun(Launch::Direct, true);
        watch.on(absent(), NOW);
        for _ in 0..4 {
            watch.on(Event::Exited("boom".into()), NOW);
            watch.on(Event::Elapsed, NOW);
        }
        watch.on(answered(), NOW);
        let effects = watch.on(Event::Exited("boom".into()), NOW + SETTLED);
        assert_eq!(effects, [Effect::Wait(Duration::from_millis(500))]);
    }

    #[test]
    fn reasons_are_told_and_asked_about_more_and_more_seldom() {
        let mut watch = begun(Launch::Direct, true);
        watch.on(Event::Failed(Why::Denied, "no".into()), NOW);
        assert_eq!(why(&watch), Some(Why::Denied));
        let mut last = Duration::ZERO;
        for _ in 0..40 {
            assert_eq!(watch.on(Event::Elapsed, NOW), [Effect::Look]);
            assert!(
                why(&watch).is_some(),
                "the reason stays until something is known"
            );
            match watch.on(Event::Failed(Why::Denied, "no".into()), NOW)[..] {
                [Effect::Wait(delay)] => {
                    assert!(delay >= last);
                    last = delay;
                }
                ref other => panic!("{other:?}"),
            }
        }
        assert_eq!(last, Duration::from_secs(10));
        watch.on(answered(), NOW);
        assert!(watch.is_up());
    }
}
