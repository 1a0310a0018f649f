//! What the tests run on: throwaway engines, real registries, images.
//!
//! Everything here is the real thing, set up small: `dhowd` itself with its
//! own roots, bridge, control group and table; Debian's registry; images
//! made of Debian's packages; the `docker` client that people have; whole
//! machines with another kernel. Nothing but their processor is simulated, and
//! nothing stays: each engine works in a numbered
//! [`slot`](slot::Slot), and whoever takes a slot next removes what a killed
//! test left in it.
//!
//! It needs root, and says so. No product crate imports this one.
#![forbid(unsafe_code)]

pub mod api;
pub mod certificate;
pub mod debian;
pub mod dockerd;
pub mod engine;
pub mod fixture;
pub mod footprint;
pub mod guest;
pub mod image;
pub mod outcome;
pub mod program;
pub mod registry;
pub mod slot;
pub mod ssh;
pub mod wait;

pub use dockerd::Dockerd;
pub use engine::Engine;
pub use guest::Guest;
pub use image::{Image, Layer};
pub use outcome::Outcome;
pub use registry::Registry;
pub use ssh::SshServer;
pub use wait::until;
