//! The daemon's own log on standard error: text or JSON, its level changeable
//! while it runs.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::config::{LogFormat, LogLevel};

/// Changes the level of the running log.
pub struct Level {
    handle: reload::Handle<Targets, Registry>,
}

/// Starts logging.
pub fn start(level: LogLevel, format: LogFormat) -> Level {
    let (filter, handle) = reload::Layer::new(targets(level));
    let base = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let layer = match format {
        LogFormat::Text => base.boxed(),
        LogFormat::Json => base.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .init();
    Level { handle }
}

impl Level {
    /// Puts `level` in force.
    pub fn set(&self, level: LogLevel) {
        if let Err(error) = self.handle.reload(targets(level)) {
            tracing::warn!("log level not changed: {error}");
        }
    }
}

/// Our own crates at `level`; others speak up only about trouble, unless
/// everything is wanted.
fn targets(level: LogLevel) -> Targets {
    let filter = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let others = match level {
        LogLevel::Trace => filter,
        _ => filter.min(LevelFilter::WARN),
    };
    Targets::new()
        .with_default(others)
        .with_target("dhow", filter)
}
