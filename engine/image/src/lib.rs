//! The image store: content-addressed blobs, unpacked layers, images and their
//! names, archives of them, and the trees containers see.
//!
//! Layers are unpacked straight from a stream of bytes; where the bytes come
//! from is the caller's affair. Nothing here knows registries, containers
//! (beyond the ids the caller names) or HTTP, and nothing is asynchronous:
//! calls may block on disk.

#![forbid(unsafe_code)]

pub mod archive;
pub mod image;
pub mod layer;
pub mod store;
pub mod tar;
pub mod tree;

pub use image::{
    Config, Descriptor, ImageError, ImageRecord, ImageUser, NewImage, RemoveOptions, Removed,
};
pub use layer::{InFlight, LayerError, LayerIngest, LayerStart};
pub use store::{ImageStore, Lease, OpenOptions, StoreError};
