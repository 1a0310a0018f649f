//! Images as archives and from archives: save, load, import, commit, and what
//! a push needs.

mod compose;
mod error;
mod legacy;
mod load;
mod push;
mod readable;
mod save;
mod spool;

pub use compose::{CommitSpec, ImportSpec};
pub use error::ArchiveError;
pub use load::{LoadProgress, Loaded};
pub use push::PushPlan;
pub use save::SavePlan;
