//! What it takes to run a container, apart from running it: the OCI spec, the
//! protocol spoken with the container's shim, starting the shim, reading what
//! it logged. Knows nothing of images, networks and volumes, and nothing of
//! libcontainer.

#![forbid(unsafe_code)]

pub mod launch;
pub mod logs;
pub mod protocol;
pub mod spec;
