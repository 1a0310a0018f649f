//! Every sentence that the app itself says, outside the page.

use std::time::Duration;

use crate::actions::Deed;
use crate::engine::{EngineState, Offer, Why};

pub const OPEN_DASHBOARD: &str = "Open Dhow";
pub const OPEN_PORT: &str = "Open";
pub const LOGS: &str = "Logs";
pub const STOP: &str = "Stop";
pub const RESTART: &str = "Restart";
pub const RECENT: &str = "Recently stopped: click starts";
pub const NONE_RUNNING: &str = "No containers run";
pub const PORTS: &str = "Ports in use";
pub const NO_PORTS: &str = "None";
pub const STOP_ALL: &str = "Stop all containers";
pub const SETTINGS: &str = "Settings…";
pub const QUIT: &str = "Quit";
pub const LOOK_AGAIN: &str = "Look again";
pub const LOADING: &str = "Loading of images";
pub const UNHEALTHY_BODY: &str = "Its health check fails.";
pub const QUIT_TITLE: &str = "Quit Dhow";
pub const KEEP_RUNNING: &str = "Keep them running";
pub const STOP_THEM: &str = "Stop them";
pub const CANCEL: &str = "Cancel";

pub fn status(state: &EngineState, running: Option<usize>) -> String {
    let engine = match state {
        EngineState::Looking => "Looking for the engine…",
        EngineState::Starting => "The engine is starting…",
        EngineState::Restarting { .. } => "The engine ended and is started again…",
        EngineState::Up { .. } => {
            return match running {
                None => "Engine running".to_owned(),
                Some(0) => "Engine running · no containers".to_owned(),
                Some(1) => "Engine running · 1 container".to_owned(),
                Some(count) => format!("Engine running · {count} containers"),
            };
        }
        EngineState::Unreachable { why, .. } => match why {
            Why::NotRunning => "The engine is not running",
            Why::Denied => "You may not use the engine's socket",
            Why::Refused => "What answers is no engine",
            Why::Silent => "The engine does not answer",
            Why::Ended => "The engine ended",
            Why::Declined => "The engine was not started",
            Why::Misconfigured => "The settings name no engine",
        },
    };
    engine.to_owned()
}

/// What comes behind the status: per cent of one core, and bytes.
pub fn load(processor: f64, memory: u64) -> String {
    let digits = usize::from(processor < 9.95);
    let memory = match memory {
        0..1_000_000_000 => format!("{} MB", memory / 1_000_000),
        _ => {
            let tenths = memory / 100_000_000;
            format!("{}.{} GB", tenths / 10, tenths % 10)
        }
    };
    format!(" · CPU {processor:.digits$} %, memory {memory}")
}

pub fn start_engine(offer: Offer) -> &'static str {
    match offer {
        Offer::Direct => "Start the engine",
        Offer::AsksForPassword => "Start the engine (asks for your password)…",
    }
}

pub fn crashed(name: &str) -> String {
    format!("{name} ended with an error")
}

pub fn unhealthy(name: &str) -> String {
    format!("{name} is unhealthy")
}

pub fn why_it_ended(code: i64, out_of_memory: bool) -> String {
    match code {
        _ if out_of_memory => format!("It used more memory than it may (exit code {code})."),
        126 => "Its program cannot be run (exit code 126).".to_owned(),
        127 => "Its program was not found (exit code 127).".to_owned(),
        134 => "It gave up on itself (SIGABRT).".to_owned(),
        137 => "It was killed from outside the engine (SIGKILL).".to_owned(),
        139 => "It touched memory that is not its own (SIGSEGV).".to_owned(),
        _ => format!("Its program ended with code {code}."),
    }
}

pub fn pulling(image: &str) -> String {
    format!("Pull of {image}")
}

pub fn pushing(image: &str) -> String {
    format!("Push of {image}")
}

pub fn building(tag: &str) -> String {
    match tag {
        "" => "Build".to_owned(),
        tag => format!("Build of {tag}"),
    }
}

pub fn task_ended(name: &str, good: bool) -> String {
    if good {
        format!("{name} is done")
    } else {
        format!("{name} has failed")
    }
}

pub fn took(took: Duration) -> String {
    match took.as_secs() {
        seconds @ 0..=99 => format!("It took {seconds} seconds."),
        seconds => format!("It took {} minutes.", (seconds + 30) / 60),
    }
}

pub fn quit_question(running: usize) -> String {
    let containers = match running {
        1 => "One container is running".to_owned(),
        count => format!("{count} containers are running"),
    };
    format!(
        "{containers}. They can go on without Dhow's window and tray. \
         Your answer is remembered, and can be changed in the settings."
    )
}

pub fn came_to_nothing(deed: Deed) -> String {
    let deed = match deed {
        Deed::Start => "start",
        Deed::Stop => "stop",
        Deed::Restart => "restart",
    };
    format!("Dhow could not {deed} a container")
}

#[cfg(test)]
mod tests {
    use super::load;

    #[test]
    fn loads_have_two_digits_or_so() {
        assert_eq!(load(0.04, 900_000), " · CPU 0.0 %, memory 0 MB");
        assert_eq!(load(9.96, 999_999_999), " · CPU 10 %, memory 999 MB");
        assert_eq!(load(163.2, 1_250_000_000), " · CPU 163 %, memory 1.2 GB");
    }
}
