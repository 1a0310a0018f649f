//! The terminal at this end: raw mode, its size, detach keys, and the streams
//! of an attached container. Knows nothing of requests but those that resize
//! and signal.

pub mod attached;
pub mod demux;
pub mod detach;
pub mod raw;
pub mod signals;
pub mod size;
