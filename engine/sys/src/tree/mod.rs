//! File trees that someone else wrote: opened, created, walked and removed
//! through directory descriptors, so that no path leaves its root.
//!
//! Nothing here knows archives or layers; it knows what overlayfs wants on
//! disk (whiteouts, opaque directories) and how to do each step with as few
//! system calls as can be.

mod durable;
mod remove;
mod root;
mod spread;
mod walk;
mod writer;
mod xattr;

pub use durable::{start_writeback, sync_file_system};
pub use remove::{empty, remove};
pub use root::Root;
pub use spread::spread_directories;
pub use walk::{
    Entry, EntryKind, MAX_DEPTH, Stat, is_kernel_state, open_file, read_dir, read_link, stat_at,
};
pub use writer::{Existing, FileSink, Meta, Node, TreeError, TreeWriter, WriterOptions, ZeroUmask};
pub use xattr::{get_xattr, is_opaque, list_xattrs, set_opaque, set_xattr};
