//! Values and pure state machines of the engine: ids, digests, references,
//! port and platform specs, lifecycle, restart and health rules, error kinds.
//!
//! Nothing here does IO, reads a clock, draws randomness or knows tokio: what a
//! function needs of the world is an argument.

#![forbid(unsafe_code)]

pub mod digest;
pub mod error;
pub mod id;

pub use digest::Digest;
pub use error::{ErrorKind, HasKind};
pub use id::Id;
