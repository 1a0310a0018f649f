//! A container's files: copying in and out, what changed, the whole tree, and
//! how large it is.

mod archive;
mod changes;
mod size;
mod tree;
