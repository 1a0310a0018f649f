//! Who waits for files in a directory to be written: one inotify instance for
//! the whole engine, because a user may have only few, and one task that reads
//! it. Says that something has changed, not what.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The directories that are watched. The kernel is asked when the first is.
#[derive(Default)]
pub(crate) struct Changes {
    started: Mutex<Option<(Arc<Kernel>, JoinHandle<()>)>>,
}

/// A directory that is watched for as long as this lives.
pub(crate) struct Watch {
    kernel: Arc<Kernel>,
    number: i32,
    changes: watch::Receiver<()>,
}

struct Kernel {
    inotify: OwnedFd,
    watches: Mutex<HashMap<i32, Watched>>,
}

struct Watched {
    sender: watch::Sender<()>,
    users: usize,
}

impl Changes {
    /// Watches `directory`; `None` where the kernel refuses, for instance
    /// because too many are watched. To be called within a runtime.
    pub fn watch(&self, directory: &Path) -> Option<Watch> {
        let kernel = self
            .kernel()
            .inspect_err(|error| tracing::warn!("files cannot be watched: {error}"))
            .ok()?;
        // Held over the call, so that no event comes before its receiver.
        let mut watches = kernel.watches();
        let flags = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
        let number = inotify::add_watch(&kernel.inotify, directory, flags)
            .inspect_err(|error| {
                tracing::warn!("{} cannot be watched: {error}", directory.display())
            })
            .ok()?;
        let watched = watches.entry(number).or_insert_with(|| Watched {
            sender: watch::Sender::new(()),
            users: 0,
        });
        watched.users += 1;
        let changes = watched.sender.subscribe();
        drop(watches);
        Some(Watch {
            kernel,
            number,
            changes,
        })
    }

    fn kernel(&self) -> std::io::Result<Arc<Kernel>> {
        let mut started = self.started.lock().unwrap_or_else(|p| p.into_inner());
        if let Some((kernel, _)) = &*started {
            return Ok(Arc::clone(kernel));
        }
        let kernel = Arc::new(Kernel {
            inotify: inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?,
            watches: Mutex::default(),
        });
        // What replaces it is unsafe: the caller must see to it that the
        // descriptor stays open. This one's owner goes into it.
        #[allow(deprecated)]
        let events = AsyncFd::with_interest(Events(Arc::clone(&kernel)), Interest::READABLE)?;
        let task = tokio::spawn(tell(events));
        *started = Some((Arc::clone(&kernel), task));
        Ok(kernel)
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        let started = self.started.get_mut().unwrap_or_else(|p| p.into_inner());
        if let Some((_, task)) = started.take() {
            task.abort();
        }
    }
}

impl Watch {
    /// Waits for a change since the last call, or since the watch began.
    pub async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            // The sender lives as long as this does.
            std::future::pending().await
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watches = self.kernel.watches();
        let Some(watched) = watches.get_mut(&self.number) else {
            return;
        };
        watched.users -= 1;
        if watched.users == 0 {
            watches.remove(&self.number);
            // Fails when the directory is gone, and the watch with it.
            let _gone = inotify::remove_watch(&self.kernel.inotify, self.number);
        }
    }
}

impl Kernel {
    fn watches(&self) -> MutexGuard<'_, HashMap<i32, Watched>> {
        self.watches.lock().unwrap_or_else(|p| p.into_inner())
    }
}

struct Events(Arc<Kernel>);

impl AsRawFd for Events {
    fn as_raw_fd(&self) -> RawFd {
        self.0.inotify.as_raw_fd()
    }
}

/// Tells the watches what the kernel says.
async fn tell(events: AsyncFd<Events>) {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    while let Ok(mut ready) = events.readable().await {
        let kernel = &events.get_ref().0;
        let mut reader = inotify::Reader::new(&kernel.inotify, &mut buffer);
        while let Ok(event) = reader.next() {
            let watches = kernel.watches();
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                for watched in watches.values() {
                    watched.sender.send_replace(());
                }
            } else if let Some(watched) = watches.get(&event.wd()) {
                watched.sender.send_replace(());
            }
        }
        ready.clear_ready();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn is_told(watch: &mut Watch) -> bool {
        tokio::time::timeout(Duration::from_secs(5), watch.changed())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn all_who_watch_a_directory_are_told() {
        let directory = tempfile::tempdir().unwrap();
        let changes = Changes::default();
        let mut first = changes.watch(directory.path()).unwrap();
        let mut second = changes.watch(directory.path()).unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "a").unwrap();
        assert!(is_told(&mut first).await);
        assert!(is_told(&mut second).await);
        drop(first);
        std::fs::write(&file, "b").unwrap();
        assert!(is_told(&mut second).await);
        drop(second);
        let (kernel, _) = changes.started.lock().unwrap().take().unwrap();
        assert!(kernel.watches().is_empty());
    }

    #[tokio::test]
    async fn what_is_not_there_cannot_be_watched() {
        assert!(
            Changes::default()
                .watch(Path::new("/nowhere/at/all"))
                .is_none()
        );
    }
}
