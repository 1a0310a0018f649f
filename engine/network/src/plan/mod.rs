//! What is to be done, without doing it: subnets, addresses, host ports, rules.

pub mod address;
pub mod port;
pub mod rules;

pub use address::{AddressPlan, choose_subnet, mac_of};
pub use port::PortPlan;
