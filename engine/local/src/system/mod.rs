//! The engine about itself: info, events, disk usage, and what the machine
//! below it can do.

pub(crate) mod app_armor;
mod df;
mod events;
pub(crate) mod host;
mod info;
