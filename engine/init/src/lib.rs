//! The program that `--init` puts in front of a container's own.
//!
//! It is static, so it runs in any image, and it is a part of the engine, so
//! there is nothing to install or to find. The build script compiles it;
//! this crate only hands out the bytes.
#![forbid(unsafe_code)]

/// Where Docker puts its init in a container, and so do we.
pub const PATH: &str = "/sbin/docker-init";

/// The executable. It is run as `docker-init -- program arguments…`.
pub fn program() -> &'static [u8] {
    include_bytes!(concat!(env!("OUT_DIR"), "/init"))
}

#[cfg(test)]
mod tests;
