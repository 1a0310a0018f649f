//! Blobs from servers that break off, stall, lie and redirect.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dhow_registry::{Access, Descriptor, Error, Verified};
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::server::{Request, Server, head, reply};
use crate::support::{descriptor, digest, noise, remote, text};

const SIZE: usize = 300_000;

async fn fetch_from(
    server: &Server,
    descriptor: &Descriptor,
    offset: u64,
) -> Result<Vec<u8>, Error> {
    let remote = remote(&server.address(), "app", Access::Pull).await;
    let chunks: Vec<_> = remote.blob(descriptor, offset).try_collect().await?;
    Ok(chunks.concat())
}

async fn fetch(server: &Server, descriptor: &Descriptor) -> Result<Vec<u8>, Error> {
    fetch_from(server, descriptor, 0).await
}

/// Serves the range asked for, as a good registry does, but only `most` bytes.
fn serve(request: &Request, stream: &mut TcpStream, bytes: &[u8], most: usize) {
    let from = request.range().unwrap_or(0);
    let rest = &bytes[from..];
    if from > 0 {
        let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
        let headers = [("Content-Range", range.as_str())];
        head(stream, "206 Partial Content", &headers, Some(rest.len()));
    } else {
        head(stream, "200 OK", &[], Some(rest.len()));
    }
    let _ = stream.write_all(&rest[..most.min(rest.len())]);
}

#[tokio::test]
async fn a_broken_transfer_goes_on_where_it_stopped() {
    let bytes = noise(SIZE);
    let wanted = descriptor(&bytes);
    let content = bytes.clone();
    let server = Server::start(move |request, stream, _| match request.path() {
        "/v2/" => reply(stream, "200 OK", &[], b""),
        _ => serve(request, stream, &content, 70_000),
    });
    assert_eq!(fetch(&server, &wanted).await.unwrap(), bytes);
    let ranges: Vec<_> = server.seen().iter().map(Request::range).collect();
    assert_eq!(
        ranges,
        [
            None,
            Some(70_000),
            Some(140_000),
            Some(210_000),
            Some(280_000)
        ]
    );
}

#[tokio::test]
async fn a_connection_reset_is_no_end() {
    let bytes = noise(SIZE);
    let wanted = descriptor(&bytes);
    let content = bytes.clone();
    let times = AtomicUsize::new(0);
    let server = Server::start(move |request, stream, _| match request.path() {
        "/v2/" => reply(stream, "200 OK", &[], b""),
        _ if times.fetch_add(1, Ordering::SeqCst) == 0 => {
            serve(request, stream, &content, 1000);
            let _ = stream.shutdown(Shutdown::Both);
        }
        _ => serve(request, stream, &content, SIZE),
    });
    assert_eq!(fetch(&server, &wanted).await.unwrap(), bytes);
}

#[tokio::test]
async fn a_server_that_ignores_ranges_is_read_again_and_skipped() {
    let bytes = noise(SIZE);
    let wanted = descriptor(&bytes);
    let content = bytes.clone();
    let times = AtomicUsize::new(0);
    let server = Server::start(move |request, stream, _| {
        if request.path() == "/v2/" {
            return reply(stream, "200 OK", &[], b"");
        }
        let most = match times.fetch_add(1, Ordering::SeqCst) {
            0 => 100_000,
            _ => SIZE,
        };
        head(stream, "200 OK", &[], Some(SIZE));
        let _ = stream.write_all(&content[..most]);
    });
    assert_eq!(fetch(&server, &wanted).await.unwrap(), bytes);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_wrong_range_is_not_believed() {
    let bytes = noise(SIZE);
    let wanted = descriptor(&bytes);
    let content = bytes.clone();
    let server = Server::start(move |request, stream, _| {
        if request.path() == "/v2/" {
            reply(stream, "200 OK", &[], b"");
        } else if request.range().is_some() {
            // One byte off: taken at its word it would spoil the blob.
            let range = format!("bytes 4-{}/{SIZE}", SIZE - 1);
            let headers = [("Content-Range", range.as_str())];
            reply(stream, "206 Partial Content", &headers, &content[4..]);
        } else {
            reply(stream, "200 OK", &[], &content);
        }
    });
    assert_eq!(fetch_from(&server, &wanted, 5).await.unwrap(), bytes[5..]);
}

#[tokio::test]
async fn a_resumed_pull_asks_only_for_the_rest() {
    let bytes = noise(SIZE);
    let wanted = descriptor(&bytes);
    let content = bytes.clone();
    let server = Server::start(move |request, stream, _| match request.path() {
        "/v2/" => reply(stream, "200 OK", &[], b""),
        _ => serve(request, stream, &content, SIZE),
    });
    let got = fetch_from(&server, &wanted, 200_000).await.unwrap();
    assert_eq!(got, bytes[200_000..]);
    assert_eq!(server.seen()[0].range(), Some(200_000));
    // All of it is there already: nothing is asked for.
    assert_eq!(
        fetch_from(&server, &wanted, SIZE as u64).await.unwrap(),
        b""
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn without_progress_the_transfer_gives_up() {
    let wanted = descriptor(&noise(SIZE));
    let server = Server::start(|request, stream, _| match request.path() {
        "/v2/" => reply(stream, "200 OK", &[], b""),
        _ => head(stream, "200 OK", &[], Some(SIZE)),
    });
    let error = fetch(&server, &wanted).await.unwrap_err();
    let expected = format!(
        "Get \"http://{}/v2/app/blobs/{}\": unexpected EOF",
        server.address(),
        wanted.digest
    );
    assert_eq!(text(&error), expected);
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_stalled_or_dripping_transfer_is_broken_off() {
    let bytes = noise(SIZE);
    let wanted = descriptor(&bytes);
    for drip in [false, true] {
        let content = bytes.clone();
        let times = AtomicUsize::new(0);
        let server = Server::start(move |request, stream, _| {
            if request.path() == "/v2/" {
                return reply(stream, "200 OK", &[], b"");
            }
            if times.fetch_add(1, Ordering::SeqCst) > 0 {
                return serve(request, stream, &content, SIZE);
            }
            serve(request, stream, &content, 100_000);
            let begun = Instant::now();
            let mut at = 100_000;
            while begun.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(20));
                if drip {
                    if stream.write_all(&content[at..=at]).is_err() {
                        return;
                    }
                    at += 1;
                }
            }
        });
        let begun = Instant::now();
        assert_eq!(fetch(&server, &wanted).await.unwrap(), bytes);
        assert!(begun.elapsed() < Duration::from_secs(4), "drip: {drip}");
        let resumed = server.seen()[1].range().unwrap();
        assert!((100_000..101_000).contains(&resumed), "{resumed}");
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let bytes = noise(SIZE);
    let wanted = descriptor(&bytes);
    let content = bytes.clone();
    let server = Server::start(move |request, stream, _| {
        if request.path() == "/v2/" {
            return reply(stream, "200 OK", &[], b"");
        }
        head(stream, "200 OK", &[], None);
        while stream.write_all(&content).is_ok() {}
    });
    match fetch(&server, &wanted).await {
        // The bytes may happen to come in pieces that end where the blob does.
        Ok(got) => assert_eq!(got, bytes),
        Err(Error::BlobSize { expected, .. }) => assert_eq!(expected, SIZE as u64),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_length_other_than_the_descriptors_is_refused_at_once() {
    let bytes = noise(SIZE);
    let mut wanted = descriptor(&bytes);
    wanted.size += 1;
    let server = Server::start(move |request, stream, _| match request.path() {
        "/v2/" => reply(stream, "200 OK", &[], b""),
        _ => reply(stream, "200 OK", &[], &bytes),
    });
    let error = fetch(&server, &wanted).await.unwrap_err();
    assert!(matches!(error, Error::BlobSize { .. }), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_wrong_digest_ends_a_verified_stream_in_an_error() {
    let bytes = noise(1000);
    let mut wanted = descriptor(&bytes);
    wanted.digest = digest(b"something else");
    let content = bytes.clone();
    let server = Server::start(move |request, stream, _| match request.path() {
        "/v2/" => reply(stream, "200 OK", &[], b""),
        _ => reply(stream, "200 OK", &[], &content),
    });
    let remote = remote(&server.address(), "app", Access::Pull).await;
    let mut stream = Verified::new(remote.blob(&wanted, 0), wanted.digest.clone());
    let mut got = Vec::new();
    let error = loop {
        match stream.next().await.expect("an error comes before the end") {
            Ok(chunk) => got.extend_from_slice(&chunk),
            Err(error) => break error,
        }
    };
    assert_eq!(got, bytes);
    assert_eq!(
        text(&error),
        format!(
            "filesystem layer verification failed for digest {}",
            wanted.digest
        )
    );
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn passing_faults_of_the_server_are_waited_out() {
    let bytes = noise(1000);
    let wanted = descriptor(&bytes);
    let content = bytes.clone();
    let times = AtomicUsize::new(0);
    let server = Server::start(move |request, stream, _| match request.path() {
        "/v2/" => reply(stream, "200 OK", &[], b""),
        _ => match times.fetch_add(1, Ordering::SeqCst) {
            0 => reply(stream, "503 Service Unavailable", &[], b""),
            1 => reply(
                stream,
                "429 Too Many Requests",
                &[("Retry-After", "0")],
                b"",
            ),
            _ => reply(stream, "200 OK", &[], &content),
        },
    });
    assert_eq!(fetch(&server, &wanted).await.unwrap(), bytes);
}

#[tokio::test]
async fn a_foreign_layer_is_fetched_from_its_own_address() {
    let bytes = noise(5000);
    let content = bytes.clone();
    let elsewhere = Server::start(move |request, stream, _| serve(request, stream, &content, 5000));
    let registry = Server::start(|request, stream, _| match request.path() {
        "/v2/" => reply(stream, "200 OK", &[], b""),
        _ => reply(stream, "404 Not Found", &[], b"{}"),
    });
    let mut wanted = descriptor(&bytes);
    wanted.urls = vec![format!("http://{}/layer", elsewhere.address())];
    // Only layers of that type may name addresses.
    let error = fetch(&registry, &wanted).await.unwrap_err();
    assert!(matches!(error, Error::BlobUnknown { .. }), "{error}");
    assert!(elsewhere.seen().is_empty());
    wanted.media_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".into();
    assert_eq!(fetch(&registry, &wanted).await.unwrap(), bytes);
}
