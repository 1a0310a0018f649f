//! How a program finds and talks to a container engine: which endpoint (flags,
//! environment, contexts, default sockets), over which transport (unix socket,
//! TCP, TLS, ssh), with which API version, and with which registry credentials.
//!
//! [`Client`] speaks HTTP to the engine and hands out raw streams; its
//! [`Client::bollard`] gives the same endpoint as a `bollard::Docker` for code
//! that wants typed calls. Nothing here prints, and nothing here knows what a
//! container is.

#![forbid(unsafe_code)]

pub mod config;
pub mod context;
pub mod credentials;
pub mod discovery;
pub mod endpoint;
pub mod error;
mod file;
mod hijack;
mod http;
pub mod logins;
mod pass;
mod request;
mod response;
mod tls;
mod transport;
pub mod version;

pub use ::http::Method;
pub use config::ConfigFile;
pub use discovery::{Choice, Environment, Target};
pub use endpoint::{Endpoint, TlsFiles};
pub use error::Error;
pub use hijack::{Hijacked, ReadHalf, WriteHalf};
pub use http::Client;
pub use logins::{Login, LoginError, Logins};
pub use pass::Opened;
pub use request::{Body, Request, encode};
pub use response::Response;
pub use version::ApiVersion;
