//! Layers: from a stream of bytes to a verified, unpacked directory.
//!
//! ```text
//! caller ──bytes──▶ hash, blob file ──▶ inflate, hash ──▶ create files
//!                   (caller's thread)   (thread)          (thread)
//! ```
//!
//! Nothing becomes visible before both digests are verified.

mod decode;
mod error;
mod flight;
mod ingest;
mod made;
mod path;
mod pipe;
mod publish;
mod room;
mod stages;
mod unpack;
mod writeback;

pub use decode::Compression;
pub(crate) use decode::decoder;
pub use error::{LayerError, UnpackError};
pub use flight::InFlight;
pub use ingest::{LayerIngest, LayerStart};
pub(crate) use made::LayerWriter;
pub use made::MadeLayer;
pub(crate) use path::clean;
pub(crate) use publish::StagedLayer;
pub(crate) use unpack::{ArchiveOptions, OPAQUE, WHITEOUT, unpack_archive};
