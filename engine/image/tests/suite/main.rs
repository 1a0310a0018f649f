//! The image store on a real disk, as root.

mod archives;
mod fixture;
mod hostile;
mod images;
mod ingest;
mod killed;
mod legacy;
mod readable;
mod reopen;
mod spread;
mod trees;
