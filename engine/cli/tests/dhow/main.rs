//! `dhow` beside the real `docker` client: the same words, the same answers.
//!
//! What is expected here is what Docker's client does, found out by running
//! it. Where `dhow` differs on purpose, the test says so and why.
#![forbid(unsafe_code)]

mod both;
mod completion;
mod context;
mod parity;
mod remote;
