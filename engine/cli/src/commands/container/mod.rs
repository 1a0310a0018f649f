//! Commands about containers.

pub mod attach;
pub mod commit;
pub mod cp;
pub mod create;
pub mod diff;
pub mod exec;
pub mod export;
pub mod kill;
pub mod list;
pub mod logs;
pub mod pause;
pub mod port;
pub mod prune;
pub mod rename;
pub mod rm;
pub mod run;
pub mod start;
pub mod stats;
pub mod stop;
pub mod top;
pub mod update;
pub mod wait;

use dhow_client::encode;

/// The path of a container's endpoint.
pub fn path(container: &str, endpoint: &str) -> String {
    format!("/containers/{}/{endpoint}", encode(container))
}
