//! Trees of containers: what changed in one, archives of it, copies into it.
//!
//! The caller hands over directories (an overlay's upper directory, the root
//! of a mounted or running container); nothing here mounts.

mod changes;
mod error;
mod extract;
mod pack;
mod stat;

pub use changes::{Change, ChangeKind, changes};
pub use error::TreeOpError;
pub use extract::{ExtractOptions, extract};
pub use pack::{Mounts, pack, pack_changes};
pub use stat::{PathStat, stat};
