//! Values and pure state machines of the engine: ids, digests, references,
//! port and platform specs, lifecycle, restart and health rules, error kinds.
//!
//! Nothing here does IO, reads a clock, draws randomness or knows tokio: what a
//! function needs of the world is an argument.

#![forbid(unsafe_code)]

pub mod digest;
pub mod duration;
pub mod error;
pub mod filters;
pub mod health;
pub mod id;
pub mod lifecycle;
pub mod mount;
pub mod name;
pub mod platform;
pub mod port;
pub mod reference;
pub mod restart;
pub mod signal;
pub mod size;
pub mod timestamp;

pub use digest::Digest;
pub use error::{ErrorKind, HasKind};
pub use filters::Filters;
pub use id::Id;
pub use platform::Platform;
pub use reference::Reference;
pub use timestamp::Timestamp;
