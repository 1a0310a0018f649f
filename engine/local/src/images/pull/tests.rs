//! Pulls from Debian's registry into a real store, also broken and cut ones.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use dhow_image::OpenOptions;
use dhow_registry::{Config, Credentials, Registry};
use dhow_testkit::{Image, Layer, fixture};
use futures_util::StreamExt as _;

use super::*;

struct Bench {
    _folder: tempfile::TempDir,
    store: ImageStore,
    registry: dhow_testkit::Registry,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = OpenOptions::this_boot().unwrap();
        Self {
            store: ImageStore::open(folder.path(), options).unwrap(),
            _folder: folder,
            registry: dhow_testkit::Registry::start(),
        }
    }

    async fn pull(&self, address: &str, path: &str, platform: Option<&str>) -> Pull {
        let mut config = Config::default();
        config.retry.base = std::time::Duration::from_millis(5);
        config.retry.attempts = 2;
        let repository = Repository::new(address, path);
        let remote = Registry::new(config)
            .unwrap()
            .remote(repository, Credentials::default(), Access::Pull)
            .await
            .unwrap();
        Pull {
            store: self.store.clone(),
            remote,
            platform: platform.map(|text| text.parse().unwrap()),
            layers_at_once: 8,
        }
    }

    /// Pulls `name`; what was told, and how it ended.
    async fn run(&self, name: &str) -> (Vec<String>, Result<bool>) {
        let reference = parse(name).unwrap();
        let pull = self.pull(reference.domain(), reference.path(), None).await;
        run(&pull, &reference).await
    }

    fn id(&self, name: &str) -> Digest {
        self.store.resolve(name).unwrap()
    }
}

async fn run(pull: &Pull, reference: &Reference) -> (Vec<String>, Result<bool>) {
    let (pull, reference) = (pull.clone(), reference.clone());
    let (ended, outcome) = tokio::sync::oneshot::channel();
    let stream = reporting(|report| async move {
        let result = async {
            let found = pull.find(&Target::of(&reference).unwrap()).await?;
            pull.one(&reference, found, &report).await
        };
        let _ = ended.send(result.await);
        Ok(())
    });
    let lines = stream
        .map(|message| {
            let message = message.unwrap();
            let id = message.id.map(|id| format!("{id}: ")).unwrap_or_default();
            format!("{id}{}", message.status.unwrap_or_default())
        })
        .collect()
        .await;
    (lines, outcome.await.unwrap())
}

/// An image whose layers are large enough to be cut in the middle.
fn large(layers: usize) -> Image {
    (0..layers).fold(Image::new(), |image, number| {
        let mut state = number as u64 + 1;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .take(1_500_000)
        .collect();
        image.layer(Layer::new().file(&format!("file{number}"), 0o644, &noise))
    })
}

/// Passes bytes on to `target`, but of the first answer longer than `most` only
/// so many; from then on it hangs up on everyone. Ends with the process.
fn cutting(target: &str, most: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let target = target.to_owned();
    let cut = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        while let Ok((client, _)) = listener.accept() {
            if cut.load(Ordering::SeqCst) {
                continue;
            }
            let (target, cut) = (target.clone(), cut.clone());
            std::thread::spawn(move || {
                let server = TcpStream::connect(&target).unwrap();
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                let (mut from, mut to) = (server, client);
                let mut buffer = vec![0; 8192];
                let mut passed = 0;
                while let Ok(read @ 1..) = from.read(&mut buffer) {
                    passed += read;
                    if to.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                    if passed > most {
                        cut.store(true, Ordering::SeqCst);
                        break;
                    }
                }
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    });
    address
}

/// How many blobs were asked for by the engine. The registry logs a request
/// when it is over, so the log is read until it is quiet.
fn blobs_fetched(registry: &dhow_testkit::Registry) -> Vec<u16> {
    let read = || {
        let log = registry.log();
        let requests = log.lines().filter(|line| {
            line.contains("method=GET") && line.contains("/blobs/") && line.contains("dhow/")
        });
        let statuses = requests.filter_map(|line| {
            let (_, rest) = line.split_once("http.response.status=")?;
            rest.split(' ').next()?.parse().ok()
        });
        statuses.collect::<Vec<u16>>()
    };
    let mut before = read();
    loop {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let now = read();
        if now == before {
            return now;
        }
        before = now;
    }
}

#[tokio::test]
async fn an_image_is_pulled_and_then_up_to_date() {
    let bench = Bench::new();
    let fixture = fixture::layered();
    let name = bench.registry.push(&fixture, "library/app:1");
    let (lines, newer) = bench.run(&name).await;
    assert_eq!(newer, Ok(true), "{lines:#?}");
    assert_eq!(bench.id(&name).to_string(), fixture.id());
    assert_eq!(lines[0], "1: Pulling from library/app");
    let layers = fixture.diff_ids().len();
    for status in ["Pulling fs layer", "Download complete", "Pull complete"] {
        let told = lines.iter().filter(|line| line.ends_with(status)).count();
        assert_eq!(told, layers, "{status} in {lines:#?}");
    }
    let digest = lines.last().unwrap().strip_prefix("Digest: ").unwrap();
    let by_digest = format!("{}@{digest}", name.rsplit_once(':').unwrap().0);
    assert_eq!(bench.id(&by_digest).to_string(), fixture.id());

    assert_eq!(blobs_fetched(&bench.registry).len(), layers + 1);
    let (lines, newer) = bench.run(&name).await;
    assert_eq!(newer, Ok(false));
    assert_eq!(lines.len(), 2, "{lines:#?}");
    let (_, newer) = bench.run(&by_digest).await;
    assert_eq!(newer, Ok(false));
    assert_eq!(blobs_fetched(&bench.registry).len(), layers + 1);
}

#[tokio::test]
async fn layers_that_are_here_are_not_fetched_again() {
    let bench = Bench::new();
    let first = bench.registry.push(&large(2), "app:1");
    bench.run(&first).await.1.unwrap();
    let second = bench.registry.push(&large(3), "app:2");
    let (lines, newer) = bench.run(&second).await;
    assert_eq!(newer, Ok(true));
    let told = |status: &str| lines.iter().filter(|line| line.ends_with(status)).count();
    assert_eq!(told("Already exists"), 2, "{lines:#?}");
    assert_eq!(told("Pull complete"), 1, "{lines:#?}");
}

#[tokio::test]
async fn pulls_at_the_same_time_share_their_layers() {
    let bench = Bench::new();
    let image = large(4);
    let names = ["a:1", "b:1", "c:1"].map(|name| bench.registry.push(&image, name));
    let pulls = names.iter().map(|name| bench.run(name));
    for (lines, newer) in futures_util::future::join_all(pulls).await {
        assert_eq!(newer, Ok(true), "{lines:#?}");
    }
    for name in &names {
        assert_eq!(bench.id(name).to_string(), image.id());
    }
    // Four layers once, and the configuration for each name.
    assert_eq!(blobs_fetched(&bench.registry).len(), 4 + 3);
}

#[tokio::test]
async fn a_broken_pull_shows_nothing_and_the_next_goes_on() {
    let bench = Bench::new();
    let image = large(1);
    let name = bench.registry.push(&image, "app:1");
    let port = name.split('/').next().unwrap();
    let relay = cutting(port, 600_000);
    let broken = format!("{relay}/app:1");
    let (_, outcome) = bench.run(&broken).await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("/v2/app/blobs/sha256:"), "{error}");
    assert!(bench.store.images().unwrap().is_empty());
    let diff_id = image.diff_ids()[0].parse().unwrap();
    assert!(!bench.store.has_layer(&diff_id).unwrap());

    let (lines, newer) = bench.run(&name).await;
    assert_eq!(newer, Ok(true), "{lines:#?}");
    assert_eq!(bench.id(&name).to_string(), image.id());
    let log = bench.registry.log();
    // The last request for the layer went on behind what was there.
    assert!(
        log.matches("status=206").count() + log.matches("\" 206 ").count() > 0,
        "{log}"
    );
}

#[tokio::test]
async fn a_pull_that_is_dropped_leaves_what_came_for_the_next() {
    let bench = Bench::new();
    let image = large(2);
    let name = bench.registry.push(&image, "app:1");
    let reference = parse(&name).unwrap();
    let pull = bench.pull(reference.domain(), "app", None).await;
    let dropped = pull.clone();
    let target = Target::of(&reference).unwrap();
    let mut stream = reporting(|report| async move {
        let found = dropped.find(&target).await?;
        dropped.one(&reference, found, &report).await.map(drop)
    });
    while let Some(message) = stream.next().await {
        if message.unwrap().status.as_deref() == Some("Downloading") {
            break;
        }
    }
    drop(stream);
    assert!(bench.store.images().unwrap().is_empty());
    let (lines, newer) = bench.run(&name).await;
    assert_eq!(newer, Ok(true), "{lines:#?}");
    assert_eq!(bench.id(&name).to_string(), image.id());
}

#[tokio::test]
async fn a_corrupted_layer_is_refused_by_its_digest() {
    let bench = Bench::new();
    let name = bench.registry.push(&large(1), "app:1");
    let manifest = bench.registry.get("app/manifests/1").json();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap();
    let path = bench.registry.blob(layer);
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    // In the middle of a file's content: the archive itself stays sound.
    bad[good.len() / 2] ^= 1;
    std::fs::write(&path, &bad).unwrap();
    let (_, outcome) = bench.run(&name).await;
    let error = outcome.unwrap_err().to_string();
    let expected = [
        format!("filesystem layer verification failed for digest {layer}"),
        // A compressed layer may not even inflate.
        "failed to register layer".to_owned(),
    ];
    assert!(
        expected.iter().any(|text| error.starts_with(text)),
        "{error}"
    );
    assert!(bench.store.images().unwrap().is_empty());
    // Nothing of it stands in the way of the good one.
    std::fs::write(&path, &good).unwrap();
    assert_eq!(bench.run(&name).await.1, Ok(true));
}

#[tokio::test]
async fn the_platform_decides_in_an_index_and_is_checked_without_one() {
    let bench = Bench::new();
    let image = fixture::busybox();
    let name = bench.registry.push(&image, "app:1");
    let reference = parse(&name).unwrap();
    let other = if Platform::host().architecture() == "s390x" {
        "linux/arm64"
    } else {
        "linux/s390x"
    };
    let pull = bench.pull(reference.domain(), "app", Some(other)).await;
    let (_, outcome) = run(&pull, &reference).await;
    assert_eq!(
        outcome.unwrap_err().to_string(),
        format!(
            "image with reference {} was found but does not match the specified platform: \
             wanted {other}, actual: {}",
            reference.familiar(),
            Platform::host()
        )
    );

    // An index with that image for two platforms.
    let manifest = bench.registry.get("app/manifests/1");
    let entry = |platform: &Platform| {
        serde_json::json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": dhow_testkit::image::digest(&manifest.body),
            "size": manifest.body.len(),
            "platform": { "os": platform.os(), "architecture": platform.architecture() },
        })
    };
    let index = serde_json::to_vec(&serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry(&Platform::new("linux", "riscv64", "")), entry(&Platform::host())],
    }))
    .unwrap();
    let push = Registry::new(Config::default())
        .unwrap()
        .remote(
            Repository::new(reference.domain(), "app"),
            Credentials::default(),
            Access::Push,
        )
        .await
        .unwrap();
    push.push_manifest(
        &Target::Tag("many".into()),
        "application/vnd.oci.image.index.v1+json",
        &bytes::Bytes::from(index.clone()),
    )
    .await
    .unwrap();
    let many = reference.with_tag("many").unwrap();
    let (lines, outcome) = bench.run(&many.to_string()).await;
    assert_eq!(outcome, Ok(true));
    let digest = dhow_testkit::image::digest(&index);
    assert_eq!(lines.last().unwrap(), &format!("Digest: {digest}"));
    let (_, outcome) = run(&pull, &many).await;
    assert_eq!(
        outcome.unwrap_err().to_string(),
        format!("no matching manifest for {other} in the manifest list entries")
    );
}

#[test]
fn parameters_of_a_pull() {
    let check = |image: &str, tag: Option<&str>, expected: Result<&str, &str>| {
        let found = asked(&CreateImageOptions {
            from_image: Some(image.to_owned()),
            tag: tag.map(str::to_owned),
            ..CreateImageOptions::default()
        });
        let found = found.map(|r| r.to_string()).map_err(|e| e.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    };
    let digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    check("busybox", Some("1"), Ok("docker.io/library/busybox:1"));
    check("busybox:1", None, Ok("docker.io/library/busybox:1"));
    check("busybox:", Some(""), Ok("docker.io/library/busybox"));
    let long = format!("docker.io/library/busybox@{digest}");
    check("busybox", Some(digest), Ok(&long));
    check(
        "Busybox",
        None,
        Err("invalid reference format: repository name (library/Busybox) must be lowercase"),
    );
    check(
        "busybox",
        Some("sha256:1"),
        Err("invalid checksum digest length"),
    );
}
