//! What differs between API versions and between Go's decoding and ours,
//! written down as rules on JSON trees. Pure: handlers speak the newest
//! version only, these functions translate for the others.

pub(crate) mod request;
pub(crate) mod response;
