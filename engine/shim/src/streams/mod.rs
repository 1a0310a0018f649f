//! The streams of a process in the container and of the clients joined to it,
//! as state; the supervisor moves the bytes.

mod client;
mod keys;
mod task;

pub use client::{Client, Sent};
pub use task::{Kind, Stage, Start, Task};
