//! Volumes of the `local` driver: directories under the engine's data root
//! that outlive containers.
//!
//! ```text
//! <root>/<name>/volume.json   labels, options, time of creation
//! <root>/<name>/_data         what containers see
//! <root>/<name>/filling       the image's content is being copied in
//! <root>/.new-…, .gone-…      being made, being removed
//! ```
//!
//! A volume appears and disappears by one rename each, so that no half of one
//! is ever seen. Who uses a volume, and the mounts of volumes with options, are
//! the caller's business: [`Volume::mount_plan`] says what to mount.

#![forbid(unsafe_code)]

mod error;
mod fill;
mod name;
mod options;
mod store;
mod usage;

pub use error::VolumeError;
pub use name::{InvalidVolumeName, check_name};
pub use options::{InvalidVolumeOption, MountPlan, check_options};
pub use store::{Creation, DRIVER, Volume, VolumeStore};
