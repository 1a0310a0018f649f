//! `dhow dashboard`: the user interface in a browser, and its way to an engine.
//!
//! It serves the built pages on loopback, and hands what they ask on to the
//! engine, through [`dhow_client::Client`], wherever that is. Whoever may ask
//! is root at the engine, so most of this crate is about who may: [`gate`]
//! says which requests come from our own pages, [`sessions`] which browser
//! was let in. [ADR 20](../../adr/0020-a-dashboard-on-loopback.md) says
//! against whom each of them stands.
//!
//! It knows nothing of containers, prints nothing, and opens no browser.

#![forbid(unsafe_code)]

mod answer;
mod engine;
mod gate;
mod headers;
mod open;
mod pages;
mod peer;
mod place;
mod registries;
mod secret;
mod server;
mod sessions;

pub use pages::Pages;
pub use place::{Place, TOLD_VARIABLE};
pub use server::Dashboard;
pub use sessions::Audience;

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

/// Why there is no dashboard.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address that others reach, asked for once or not at all.
    #[error(
        "address {0}: whoever listens on the way to it could become root where the engine runs; \
         reach it through ssh -L, or say that you mean it twice: --allow-insecure-tcp and \
         {TOLD_VARIABLE}=1"
    )]
    Remote(IpAddr),
    /// `0.0.0.0` and `::`.
    #[error("address {0}: name one address of this machine, not all of them")]
    Everywhere(IpAddr),
    /// Nothing was built in.
    #[error(
        "this build has no pages in it: make them with `cargo xtask ui`, then build dhow again"
    )]
    NoPages,
    /// Pages that cannot be read.
    #[error("cannot read {path}")]
    Pages {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An address that cannot be had.
    #[error("cannot listen on {place}")]
    Listen {
        /// The address and port.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No random numbers.
    #[error("cannot make a secret: {0}")]
    Secret(getrandom::Error),
}
