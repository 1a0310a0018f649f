//! The image store on a real disk, as root.

mod fixture;
mod hostile;
mod images;
mod ingest;
mod killed;
mod reopen;
