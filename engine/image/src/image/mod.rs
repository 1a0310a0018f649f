//! Images: configurations, manifests, names, and the rules of removing them.

mod config;
mod error;
mod lookup;
mod manifest;
mod names;
mod pins;
mod record;
mod remove;

pub use config::{Config, History, RootFs, chain_ids};
pub use error::ImageError;
pub use manifest::{Descriptor, Document, Index, Manifest, media_type};
pub use pins::LayerDir;
pub use record::{ImageRecord, LayerRecord, NewImage, Platformed, shared_sizes};
pub use remove::{ImageUser, RemoveOptions, Removed};
