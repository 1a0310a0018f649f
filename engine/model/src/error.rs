//! The kinds of failure the engine knows, and nothing about how they are sent.
//!
//! Every crate has its own error enum; each variant belongs to one kind. The
//! HTTP face maps kinds to statuses in one table.

/// What sort of failure an error is, after Docker's own classification
/// (`errdefs` in the Engine API's error table).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request itself is wrong: 400.
    InvalidParameter,
    /// The caller has not said who they are, or the registry refused them: 401.
    Unauthorized,
    /// The caller may not do this: 403.
    Forbidden,
    /// The thing named does not exist: 404.
    NotFound,
    /// The thing is in a state that rules the request out: 409.
    Conflict,
    /// Nothing to do, the thing is already so: 304.
    NotModified,
    /// The engine is at fault: 500.
    System,
    /// Known, but not offered by this engine: 501.
    NotImplemented,
    /// Something the engine needs is away right now: 503.
    Unavailable,
    /// The caller went away before the answer was ready.
    Cancelled,
}

/// An error that knows its kind.
pub trait HasKind: std::error::Error {
    /// The kind that decides the status a client sees.
    fn kind(&self) -> ErrorKind;
}

/// The whole message of `error`: its own text and each source's, joined by
/// `": "`, as Go programs print wrapped errors.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
