//! The default bridge on a real kernel, as root, in namespaces of its own.
//! `nft`, `ip` and `iptables` only check, or play other programs.

mod neighbours;
mod plugging;
mod publishing;
mod restarts;
mod world;
