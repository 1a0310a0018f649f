//! Commands about volumes.

pub mod create;
pub mod list;
pub mod prune;
pub mod rm;
