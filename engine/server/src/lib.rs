//! Docker's Engine API over HTTP: the face of a
//! [`LocalEngine`](dhow_local::LocalEngine). Routes, version negotiation,
//! error bodies, streams, and connections that turn into a container's.
//!
//! This crate decides nothing about containers or images: a handler reads a
//! request, calls the engine's method of the same name, and writes the answer.
//! It does not listen either; the daemon hands it connections.

#![forbid(unsafe_code)]

mod answer;
mod call;
mod caseless;
mod compat;
mod configuration;
mod failure;
mod go_json;
mod hijack;
mod ordered;
mod query;
mod routes;
mod service;
mod transport;
mod version;
mod websocket;

pub use configuration::{
    ConfigChange, ConfigDescription, ConfigKey, ConfigOutcome, Configuration, KeyKind,
};
pub use service::Service;
pub use transport::{Duplex, Transport};
pub use version::{ApiVersion, NEWEST, OLDEST};
