//! The registry client against Debian's `docker-registry` and against small
//! servers that misbehave. All of them are real sockets on loopback.

mod auth;
mod blobs;
mod errors;
mod mirrors;
mod proxies;
mod real;
mod search;
mod server;
mod support;
mod uploads;
