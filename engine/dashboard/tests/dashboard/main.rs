//! `dhow dashboard` as browsers and attackers meet it: the real program before
//! a real engine, asked over real connections.
#![forbid(unsafe_code)]

mod chromium;
mod endings;
mod letting_in;
mod opened;
mod outage;
mod pages;
mod program;
mod registries;
mod served;
mod strangers;
mod streams;
mod transports;
