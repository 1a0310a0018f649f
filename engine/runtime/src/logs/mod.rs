//! Containers' logs: the formats the shim writes and the reader of both.
//! Synchronous; whoever follows a log waits and reads on.

pub mod json;
pub mod local;
pub mod read;

/// Which of the container's streams a line came from. With a terminal all is
/// standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    /// The name Docker's format has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The longest piece of a line that is one record; longer lines are cut into
/// several, all but the last without line feed.
pub const LONGEST_PIECE: usize = 16 * 1024;
