//! The client of the OCI distribution protocol (Docker registry API v2):
//! endpoint choice and mirrors, TLS and `certs.d`, authentication, manifests,
//! blobs that resume, uploads, search and login; and files from anywhere else.
//!
//! Nothing here knows the image store: bytes go out as streams and come in
//! from an [`UploadSource`]. No connection is made unless a method that needs
//! one is called.

#![forbid(unsafe_code)]

mod address;
mod auth;
mod blob;
mod certs;
mod challenge;
mod client;
mod config;
mod credentials;
mod der;
mod download;
mod endpoint;
mod error;
mod failure;
mod fetch;
mod inspect;
mod login;
mod manifest;
mod platform;
mod proxy;
mod redirect;
mod refusal;
mod remote;
mod repository;
mod search;
mod secret;
mod tls;
mod transport;
mod upload;
mod verify;

pub use blob::BlobStream;
pub use certs::CertsError;
pub use client::Registry;
pub use config::{Config, ConfigError, Insecure, Proxies, Retry};
pub use credentials::{Credentials, InvalidCredentials};
pub use download::{Download, shown_address};
pub use error::Error;
pub use failure::Failure;
pub use inspect::Inspection;
pub use login::Login;
pub use manifest::{
    Descriptor, FetchedManifest, ImageConfig, ImageManifest, Index, Manifest, Platform, media_type,
};
pub use platform::choose;
pub use refusal::{Refusal, RefusedItem};
pub use remote::{Access, Remote};
pub use repository::{Repository, Target};
pub use search::{SearchAnswer, SearchItem};
pub use secret::Secret;
pub use upload::{BlobPush, FileSource, Pushed, UploadSource};
pub use verify::Verified;
