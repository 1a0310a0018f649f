//! The shim for real: containers of Debian's static busybox, driven through the
//! shim's protocol by what the daemon uses. Needs root.

mod attach;
mod exec;
mod faults;
mod fixture;
mod health;
mod life;
mod limits;
mod logs;
mod ports;
mod terminal;
