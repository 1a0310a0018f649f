//! The engine about itself: info, events, disk usage, and what the machine
//! below it can do.

mod df;
mod events;
pub(crate) mod host;
mod info;
