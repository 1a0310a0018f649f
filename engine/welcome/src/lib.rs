//! `dhow/welcome`: the image that is built into the engine.
//!
//! The first container that a person runs needs no registry and no network:
//! its image, one static web server, is a part of the engine itself. The
//! build script compiles the server and wraps it; this crate only hands out
//! the bytes. It knows nothing of stores: whoever has one loads the archive
//! as any other.
#![forbid(unsafe_code)]

/// The name under which the image is to be loaded.
pub const REFERENCE: &str = "dhow/welcome:latest";

/// The port on which the page is served.
pub const PORT: u16 = 80;

/// The digest of the image's configuration: its id.
pub const ID: &str = env!("DHOW_WELCOME_ID");

/// The image as an archive that `docker load` reads. The same compiler
/// gives the same bytes, so loading it again changes nothing.
pub fn archive() -> &'static [u8] {
    include_bytes!(concat!(env!("OUT_DIR"), "/welcome.tar"))
}

/// The server itself, a static executable.
pub fn server() -> &'static [u8] {
    include_bytes!(concat!(env!("OUT_DIR"), "/welcome"))
}

#[cfg(test)]
mod tests;
