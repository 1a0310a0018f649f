//! Waiting for a state, never for a time.

use std::time::{Duration, Instant};

/// Long enough for a busy machine of two cores; reached only by failures.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks `probe` again and again until it has an answer.
///
/// # Panics
/// When [`PATIENCE`] is over, naming `what` was waited for.
#[track_caller]
pub fn until<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    match within(PATIENCE, &mut probe) {
        Some(found) => found,
        None => panic!("waited {} s in vain: {what}", PATIENCE.as_secs()),
    }
}

/// Like [`until`] with a patience of one's own, and no panic.
pub fn within<T>(patience: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(found) = probe() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}
