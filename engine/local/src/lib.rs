//! The engine, in process: what `bollard::Docker` does over a socket,
//! [`LocalEngine`] does by calling the crates that know images, networks,
//! volumes and containers. Methods carry bollard's names and take and return
//! the wire models generated from Docker's API specification, so code written
//! against bollard reads the same here.
//!
//! This crate joins; it knows nothing of HTTP, of command lines or of how a
//! layer, a rule or a namespace is made.

#![forbid(unsafe_code)]

mod builtin;
mod clock;
pub mod config;
pub mod containers;
mod db;
mod engine;
mod error;
pub mod events;
pub mod images;
mod networks;
mod stream;
mod system;
mod volumes;

pub use bollard_stubs::{models, query_parameters};
pub use config::EngineConfig;
pub use engine::LocalEngine;
pub use error::{Error, Result};
pub use stream::{ByteStream, ClientSocket, JsonStream};
