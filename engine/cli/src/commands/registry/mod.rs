//! Commands about registries.

pub mod login;
pub mod search;
