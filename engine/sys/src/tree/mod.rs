//! File trees that someone else wrote: opened, created, walked and removed
//! through directory descriptors, so that no path leaves its root.
//!
//! Nothing here knows archives or layers; it knows what overlayfs wants on
//! disk (whiteouts, opaque directories) and how to do each step with as few
//! system calls as can be.

mod durable;
mod entry;
mod remove;
mod root;
mod sink;
mod spread;
mod walk;
mod writer;
mod xattr;

pub use durable::{start_writeback, sync_file_system};
pub use entry::{Existing, Meta, Node, TreeError, WriterOptions};
pub use remove::{empty, remove};
pub use root::Root;
pub use sink::FileSink;
pub use spread::spread_directories;
pub use walk::{
    Entry, EntryKind, MAX_DEPTH, Stat, is_kernel_state, open_file, read_dir, read_link, stat_at,
};
pub use writer::{TreeWriter, ZeroUmask};
pub use xattr::{get_xattr, is_opaque, list_xattrs, set_opaque, set_xattr};
