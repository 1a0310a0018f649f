//! The real `dhowd`, started as a process on roots of its own, as root.

mod config;
mod daemon;
mod life;
mod reload;
mod tls;
