//! The engine on another machine: a distribution's kernel with version 2 of
//! control groups alone, as most people have it, whatever this machine has.
//!
//! One machine is booted for all cases; each takes it for itself and leaves
//! nothing in it. The client is `dhow`; what is expected is what Docker does
//! on such a machine.
#![forbid(unsafe_code)]

mod confined;
mod devices;
mod house;
mod life;
mod limits;
mod network;
mod update;

use house::house;
