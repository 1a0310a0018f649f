//! A push whose connection breaks, through a relay that breaks it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use dhow_registry::{Access, BlobPush, Pushed};
use dhow_testkit::registry::Registry;

use crate::server::{Server, reply};
use crate::support::{descriptor, noise, remote, text};

/// Relays connections to `target`. The first `cuts` of those that carry more
/// than `most` bytes towards it are cut there. Ends with the process.
fn relay(target: &str, most: usize, cuts: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let target = target.to_owned();
    let cut = Arc::new(AtomicUsize::new(0));
    let count = cut.clone();
    std::thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            let (target, count) = (target.clone(), count.clone());
            std::thread::spawn(move || {
                let Ok(server) = TcpStream::connect(&target) else {
                    return;
                };
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let back = std::thread::spawn(move || {
                    let (mut from, mut to) = (server, client);
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
                let mut buffer = vec![0; 16384];
                let mut passed = 0;
                while let Ok(read @ 1..) = from.read(&mut buffer) {
                    passed += read;
                    if to.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                    if passed > most && count.load(Ordering::SeqCst) < cuts {
                        count.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                }
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
                let _ = back.join();
            });
        }
    });
    (address, cut)
}

/// A registry that keeps what it got of a cut upload and says how much that is,
/// as the specification asks.
fn keeping(cuts: Vec<usize>) -> (Server, Arc<Mutex<Vec<u8>>>) {
    let held = Arc::new(Mutex::new(Vec::new()));
    let store = held.clone();
    let server = Server::start_cutting(cuts, move |request, stream, _| {
        let mut held = store.lock().unwrap();
        let upload = format!("/v2/app/blobs/uploads/{}", held.len());
        let range = format!("0-{}", held.len().saturating_sub(1));
        let headers = [("Location", upload.as_str()), ("Range", range.as_str())];
        match (request.method.as_str(), request.path()) {
            ("GET", "/v2/") => reply(stream, "200 OK", &[], b""),
            ("HEAD", _) => reply(stream, "404 Not Found", &[], b""),
            ("POST", _) => reply(stream, "202 Accepted", &headers, b""),
            ("GET", _) => reply(stream, "204 No Content", &headers, b""),
            ("PATCH", _) => {
                let from = request
                    .header("content-range")
                    .map_or(0, |range| range.split('-').next().unwrap().parse().unwrap());
                assert_eq!(from, held.len(), "no gap and nothing twice");
                held.extend_from_slice(&request.body);
                if request.whole {
                    reply(stream, "202 Accepted", &headers, b"");
                }
            }
            _ => reply(stream, "201 Created", &[], b""),
        }
    });
    (server, held)
}

#[tokio::test]
async fn a_broken_upload_goes_on_where_the_registry_stopped() {
    let bytes = Bytes::from(noise(8_000_000));
    let (server, held) = keeping(vec![3_000_000, 2_000_000]);
    let remote = remote(&server.address(), "app", Access::Push).await;
    let reports = Arc::new(Mutex::new(Vec::new()));
    let sink = reports.clone();
    let push = BlobPush {
        descriptor: &descriptor(&bytes),
        source: &bytes,
        mount_from: &[],
        progress: Arc::new(move |bytes| sink.lock().unwrap().push(bytes)),
    };
    assert_eq!(remote.push_blob(&push).await.unwrap(), Pushed::Uploaded);
    assert!(*held.lock().unwrap() == bytes);
    assert_eq!(reports.lock().unwrap().last(), Some(&8_000_000));
    let seen = server.seen();
    let of = |method| seen.iter().filter(move |r| r.method == method);
    assert_eq!(of("POST").count(), 1);
    let sent: Vec<_> = of("PATCH").map(|r| r.header("content-range")).collect();
    assert_eq!(
        sent,
        [None, Some("3000000-7999999"), Some("5000000-7999999")]
    );
    assert!(
        of("PUT")
            .next()
            .unwrap()
            .target
            .contains("?digest=sha256%3A")
    );
}

#[tokio::test]
async fn where_the_registry_cannot_go_on_the_upload_begins_anew() {
    let registry = Registry::start();
    let (address, cut) = relay(registry.address(), 2_000_000, 2);
    let remote = remote(&address, "app", Access::Push).await;
    let bytes = Bytes::from(noise(8_000_000));
    let wanted = descriptor(&bytes);
    let push = BlobPush {
        descriptor: &wanted,
        source: &bytes,
        mount_from: &[],
        progress: Arc::new(|_| {}),
    };
    assert_eq!(remote.push_blob(&push).await.unwrap(), Pushed::Uploaded);
    assert_eq!(cut.load(Ordering::SeqCst), 2);
    let path = registry.blob(wanted.digest.as_str());
    assert!(std::fs::read(path).unwrap() == bytes);
}

#[tokio::test]
async fn a_push_that_always_breaks_ends_in_an_error() {
    let registry = Registry::start();
    let (address, cut) = relay(registry.address(), 5_000, usize::MAX);
    let remote = remote(&address, "app", Access::Push).await;
    let bytes = Bytes::from(noise(8_000_000));
    let push = BlobPush {
        descriptor: &descriptor(&bytes),
        source: &bytes,
        mount_from: &[],
        progress: Arc::new(|_| {}),
    };
    let result = tokio::time::timeout(std::time::Duration::from_secs(60), remote.push_blob(&push));
    let error = result.await.expect("the push ends").unwrap_err();
    assert!(cut.load(Ordering::SeqCst) >= 4);
    let text = text(&error);
    assert!(
        text.starts_with(&format!("Patch \"http://{address}/v2/app/blobs/uploads/")),
        "{text}"
    );
}
