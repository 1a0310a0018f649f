//! What flags mean: texts in, requests out. Everything here is pure but for
//! the files that flags name (`--env-file`, `--label-file`, seccomp profiles),
//! which are read where the flag is turned into a request.

pub mod create;
pub mod device;
pub mod env;
pub mod filter;
pub mod flag;
pub mod limits;
pub mod mount;
pub mod network;
pub mod port;
pub mod request;
pub mod words;
