//! Tar archives as streams: reading what others wrote, with bounds, and
//! writing headers every reader understands.
//!
//! Nothing here touches a file system; names are bytes as they stand.

mod header;
mod pax;
mod reader;
mod sparse;
mod writer;

pub use header::{Kind, MAX_EXTENSION, TarError};
pub use reader::{Entry, TarReader};
pub use writer::{Record, TarWriter};
