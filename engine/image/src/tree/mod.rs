//! Trees of containers.
