//! Commands about networks.

pub mod connect;
pub mod create;
pub mod list;
pub mod prune;
pub mod rm;
