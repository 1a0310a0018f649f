//! The states of a container, what moves it from one to another, and which
//! requests a state rules out.
//!
//! ```text
//!             start            exit, no restart
//! created ──────────► running ────────────────► exited
//!                     │  ▲  ▲ └─ exit ─► restarting │
//!               pause │  │  └──── start ─────┘      │ start
//!                     ▼  │ resume                   │
//!                    paused     running ◄───────────┘
//!
//! any ── remove ──► removing ── failed ──► dead
//! ```
//!
//! Texts and kinds of refusals are Docker's.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::duration;
use crate::error::{ErrorKind, HasKind};
use crate::health;
use crate::timestamp::Timestamp;

/// Where a container stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Made, never started.
    #[default]
    Created,
    /// Its process runs.
    Running,
    /// Its processes are frozen.
    Paused,
    /// It ended and will be started again after a delay.
    Restarting,
    /// It is being taken away.
    Removing,
    /// It ended.
    Exited,
    /// Taking it away failed half way.
    Dead,
}

/// What happens to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Its process started.
    Started,
    /// Its process ended.
    Exited {
        /// Whether it will be started again by itself.
        will_restart: bool,
    },
    /// It was frozen.
    Paused,
    /// It was thawed.
    Resumed,
    /// Removal began.
    RemovalBegan,
    /// Removal failed.
    RemovalFailed,
}

/// What a person may ask of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Start it.
    Start,
    /// Stop it.
    Stop,
    /// Send it a signal.
    Kill,
    /// Freeze it.
    Pause,
    /// Thaw it.
    Unpause,
    /// Connect to its streams.
    Attach,
    /// Run another program in it.
    Exec,
    /// Change the size of its terminal.
    Resize,
    /// List its processes.
    Top,
    /// Change its limits.
    Update,
    /// Make an image of it.
    Commit,
    /// Copy its file system out.
    Export,
    /// Take it away.
    Remove {
        /// Even if it runs.
        force: bool,
    },
}

/// A request that the state rules out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    container: String,
    state: State,
    request: Request,
}

impl State {
    /// The word the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }

    /// The state of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Running,
        Self::Paused,
        Self::Restarting,
        Self::Removing,
        Self::Exited,
        Self::Dead,
    ];

    /// The API's `Running`, which is also true of paused and restarting ones.
    pub fn counts_as_running(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }

    /// Whether there is a process.
    pub fn has_process(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }

    /// Whether a change to `next` is an end that waiters are told of: the
    /// process's, or that of waiting for the next one.
    pub fn ends_with(self, next: Self) -> bool {
        self.counts_as_running() && self != next && !next.has_process()
    }

    /// The state after an event, or `None` where the event cannot happen.
    pub fn after(self, event: Event) -> Option<Self> {
        match (self, event) {
            (Self::Created | Self::Exited | Self::Restarting, Event::Started) => {
                Some(Self::Running)
            }
            (Self::Running | Self::Paused, Event::Exited { will_restart: true }) => {
                Some(Self::Restarting)
            }
            // A restart called off, or one that failed, also ends like this.
            (
                Self::Running | Self::Paused | Self::Restarting,
                Event::Exited {
                    will_restart: false,
                },
            ) => Some(Self::Exited),
            (Self::Running, Event::Paused) => Some(Self::Paused),
            (Self::Paused, Event::Resumed) => Some(Self::Running),
            (Self::Created | Self::Exited | Self::Dead, Event::RemovalBegan) => {
                Some(Self::Removing)
            }
            (Self::Removing, Event::RemovalFailed) => Some(Self::Dead),
            _ => None,
        }
    }

    /// Whether the request makes sense now. `container` is the id or the name
    /// that the refusal shall show.
    pub fn permits(self, request: Request, container: &str) -> Result<(), Denied> {
        let going = matches!(self, Self::Removing | Self::Dead);
        let fine = match request {
            Request::Start => matches!(self, Self::Created | Self::Exited),
            Request::Stop | Request::Kill => self.counts_as_running(),
            Request::Pause | Request::Exec | Request::Top => self.has_process_for(request),
            Request::Resize => self.has_process(),
            Request::Unpause => self == Self::Paused,
            Request::Attach => !matches!(self, Self::Paused | Self::Restarting),
            Request::Update | Request::Commit | Request::Export => !going,
            Request::Remove { force } => {
                self != Self::Removing && (force || !self.counts_as_running())
            }
        };
        if fine {
            Ok(())
        } else {
            Err(Denied {
                container: container.to_owned(),
                state: self,
                request,
            })
        }
    }

    /// Processes can be listed while frozen, but not frozen again or added to.
    fn has_process_for(self, request: Request) -> bool {
        self == Self::Running || (self == Self::Paused && request == Request::Top)
    }
}

impl Denied {
    /// The request that was refused.
    pub fn request(&self) -> Request {
        self.request
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let container = &self.container;
        match (self.request, self.state) {
            (Request::Start, State::Paused) => {
                f.write_str("cannot start a paused container, try unpause instead")
            }
            (Request::Start, State::Removing | State::Dead) => {
                f.write_str("container is marked for removal and cannot be started")
            }
            (Request::Start, _) => f.write_str("container is already running"),
            (Request::Stop, _) => f.write_str("container is already stopped"),
            (Request::Pause, State::Paused) => write!(f, "container {container} is already paused"),
            (Request::Unpause, _) => write!(f, "Container {container} is not paused"),
            (Request::Attach, State::Paused) => {
                write!(
                    f,
                    "container {container} is paused, unpause the container before attach"
                )
            }
            (Request::Attach, _) => write!(
                f,
                "container {container} is restarting, wait until the container is running"
            ),
            (Request::Exec, State::Paused) => {
                write!(
                    f,
                    "Container {container} is paused, unpause the container before exec"
                )
            }
            (Request::Pause | Request::Exec | Request::Top, State::Restarting) => write!(
                f,
                "Container {container} is restarting, wait until the container is running"
            ),
            (Request::Update, _) => write!(
                f,
                "Cannot update container {container}: container is marked for removal and cannot be \"update\""
            ),
            (Request::Commit, State::Removing) => {
                write!(
                    f,
                    "You cannot commit container {container} which is being removed"
                )
            }
            (Request::Commit, _) => {
                write!(f, "You cannot commit container {container} which is Dead")
            }
            (Request::Export, State::Removing) => {
                write!(
                    f,
                    "You cannot export container {container} which is being removed"
                )
            }
            (Request::Export, _) => {
                write!(f, "You cannot export container {container} which is Dead")
            }
            (Request::Remove { .. }, State::Removing) => {
                write!(f, "removal of container {container} is already in progress")
            }
            (Request::Remove { .. }, State::Paused) => write!(
                f,
                "cannot remove container {container:?}: container is paused and must be unpaused first"
            ),
            (Request::Remove { .. }, state) => write!(
                f,
                "cannot remove container {container:?}: container is {}: stop the container before removing or force remove",
                state.as_str()
            ),
            (
                Request::Kill | Request::Pause | Request::Exec | Request::Resize | Request::Top,
                _,
            ) => {
                write!(f, "container {container} is not running")
            }
        }
    }
}

impl std::error::Error for Denied {}

impl HasKind for Denied {
    fn kind(&self) -> ErrorKind {
        match (self.request, self.state) {
            (Request::Start, State::Running | State::Restarting) | (Request::Stop, _) => {
                ErrorKind::NotModified
            }
            (Request::Unpause, _) => ErrorKind::System,
            _ => ErrorKind::Conflict,
        }
    }
}

/// What is shown of a container besides its state.
#[derive(Debug, Clone, Copy, Default)]
pub struct Details {
    /// The exit code of the last run.
    pub exit_code: i64,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// When it last ended.
    pub finished_at: Option<Timestamp>,
    /// What its health check says, if it has one.
    pub health: Option<health::Status>,
}

/// The line of `docker ps`: `Up 2 minutes (healthy)`, `Exited (0) 3 days ago`.
pub fn describe(state: State, details: &Details, now: Timestamp) -> String {
    let ago = |instant: Option<Timestamp>| {
        duration::human(now.since(instant.unwrap_or(Timestamp::from_nanos(0))))
    };
    let up = || format!("Up {}", ago(details.started_at));
    match (state, details.health) {
        (State::Created, _) => "Created".to_owned(),
        (State::Paused, _) => format!("{} (Paused)", up()),
        (State::Restarting, _) => format!(
            "Restarting ({}) {} ago",
            details.exit_code,
            ago(details.finished_at)
        ),
        (State::Running, Some(health::Status::Starting)) => format!("{} (health: starting)", up()),
        (State::Running, Some(status)) => format!("{} ({})", up(), status.as_str()),
        (State::Running, None) => up(),
        (State::Removing, _) => "Removal In Progress".to_owned(),
        (State::Dead, _) => "Dead".to_owned(),
        // It never ran: starting it failed.
        (State::Exited, _) if details.started_at.is_none() => "Created".to_owned(),
        (State::Exited, _) => {
            format!(
                "Exited ({}) {} ago",
                details.exit_code,
                ago(details.finished_at)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENTS: [Event; 7] = [
        Event::Started,
        Event::Exited {
            will_restart: false,
        },
        Event::Exited { will_restart: true },
        Event::Paused,
        Event::Resumed,
        Event::RemovalBegan,
        Event::RemovalFailed,
    ];

    #[test]
    fn a_container_s_life() {
        let mut state = State::default();
        for (event, next) in [
            (Event::Started, State::Running),
            (Event::Paused, State::Paused),
            (Event::Resumed, State::Running),
            (Event::Exited { will_restart: true }, State::Restarting),
            (Event::Started, State::Running),
            (
                Event::Exited {
                    will_restart: false,
                },
                State::Exited,
            ),
            (Event::RemovalBegan, State::Removing),
            (Event::RemovalFailed, State::Dead),
            (Event::RemovalBegan, State::Removing),
        ] {
            state = state
                .after(event)
                .unwrap_or_else(|| panic!("{state:?} {event:?}"));
            assert_eq!(state, next);
        }
    }

    #[test]
    fn refusals_have_docker_s_texts_and_kinds() {
        let check = |state: State, request: Request, kind: ErrorKind, text: &str| {
            let denied = state.permits(request, "c1").unwrap_err();
            assert_eq!((denied.to_string().as_str(), denied.kind()), (text, kind));
        };
        use ErrorKind::{Conflict, NotModified, System};
        check(
            State::Running,
            Request::Start,
            NotModified,
            "container is already running",
        );
        check(
            State::Paused,
            Request::Start,
            Conflict,
            "cannot start a paused container, try unpause instead",
        );
        check(
            State::Dead,
            Request::Start,
            Conflict,
            "container is marked for removal and cannot be started",
        );
        check(
            State::Exited,
            Request::Stop,
            NotModified,
            "container is already stopped",
        );
        check(
            State::Exited,
            Request::Kill,
            Conflict,
            "container c1 is not running",
        );
        check(
            State::Created,
            Request::Pause,
            Conflict,
            "container c1 is not running",
        );
        check(
            State::Paused,
            Request::Pause,
            Conflict,
            "container c1 is already paused",
        );
        check(
            State::Running,
            Request::Unpause,
            System,
            "Container c1 is not paused",
        );
        check(
            State::Paused,
            Request::Exec,
            Conflict,
            "Container c1 is paused, unpause the container before exec",
        );
        check(
            State::Restarting,
            Request::Exec,
            Conflict,
            "Container c1 is restarting, wait until the container is running",
        );
        check(
            State::Exited,
            Request::Exec,
            Conflict,
            "container c1 is not running",
        );
        check(
            State::Restarting,
            Request::Attach,
            Conflict,
            "container c1 is restarting, wait until the container is running",
        );
        check(
            State::Running,
            Request::Remove { force: false },
            Conflict,
            "cannot remove container \"c1\": container is running: stop the container before removing or force remove",
        );
        check(
            State::Paused,
            Request::Remove { force: false },
            Conflict,
            "cannot remove container \"c1\": container is paused and must be unpaused first",
        );
        check(
            State::Removing,
            Request::Remove { force: true },
            Conflict,
            "removal of container c1 is already in progress",
        );
        check(
            State::Dead,
            Request::Commit,
            Conflict,
            "You cannot commit container c1 which is Dead",
        );
        check(
            State::Removing,
            Request::Export,
            Conflict,
            "You cannot export container c1 which is being removed",
        );
        assert_eq!(
            State::Running.permits(Request::Remove { force: true }, "c1"),
            Ok(())
        );
        assert_eq!(State::Paused.permits(Request::Top, "c1"), Ok(()));
    }

    #[test]
    fn lines_read_like_docker_s() {
        let now = Timestamp::from_secs(10_000);
        let details = Details {
            exit_code: 3,
            started_at: Some(Timestamp::from_secs(10_000 - 120)),
            finished_at: Some(Timestamp::from_secs(10_000 - 5)),
            health: None,
        };
        let check = |state, details, line: &str| assert_eq!(describe(state, &details, now), line);
        check(State::Created, Details::default(), "Created");
        check(State::Running, details, "Up 2 minutes");
        check(State::Paused, details, "Up 2 minutes (Paused)");
        check(State::Restarting, details, "Restarting (3) 5 seconds ago");
        check(State::Exited, details, "Exited (3) 5 seconds ago");
        check(State::Dead, details, "Dead");
        let with = |health| Details {
            health: Some(health),
            ..details
        };
        check(
            State::Running,
            with(health::Status::Healthy),
            "Up 2 minutes (healthy)",
        );
        check(
            State::Running,
            with(health::Status::Starting),
            "Up 2 minutes (health: starting)",
        );
    }

    proptest! {
        #[test]
        fn no_sequence_of_events_breaks_the_rules(events in prop::collection::vec(0usize..7, 0..40)) {
            let mut state = State::default();
            for event in events.into_iter().map(|index| EVENTS[index]) {
                let Some(next) = state.after(event) else { continue };
                prop_assert_ne!(state, next);
                prop_assert!(next != State::Paused || state == State::Running);
                prop_assert!(next != State::Running || !matches!(state, State::Removing | State::Dead));
                prop_assert!(next != State::Removing || !state.counts_as_running());
                state = next;
            }
            prop_assert_eq!(State::parse(state.as_str()), Some(state));
        }
    }
}
