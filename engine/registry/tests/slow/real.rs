//! Pull, push, login and inspection with Debian's `docker-registry`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use dhow_model::{ErrorKind, HasKind as _};
use dhow_registry::{
    Access, BlobPush, Config, Credentials, FileSource, ImageConfig, ImageManifest, Manifest,
    Pushed, Registry, Remote, Repository, Target, Verified, media_type,
};
use dhow_testkit::fixture;
use dhow_testkit::registry::{self, Options, PASSWORD, USER};
use futures_util::TryStreamExt as _;

use crate::support::{client, config, credentials, descriptor, noise, remote, text};

fn tag(tag: &str) -> Target {
    Target::Tag(tag.into())
}

async fn read(remote: &Remote, descriptor: &dhow_registry::Descriptor) -> Vec<u8> {
    let stream = Verified::new(remote.blob(descriptor, 0), descriptor.digest.clone());
    let chunks: Vec<_> = stream.try_collect().await.unwrap();
    chunks.concat()
}

fn image(manifest: &Manifest) -> &ImageManifest {
    match manifest {
        Manifest::Image(image) => image,
        Manifest::Index(_) => panic!("an index where an image was expected"),
    }
}

async fn push(remote: &Remote, bytes: &[u8], mount_from: &[String]) -> (Pushed, u64) {
    let sent = Arc::new(AtomicU64::new(0));
    let counter = sent.clone();
    let source = Bytes::copy_from_slice(bytes);
    let pushed = remote
        .push_blob(&BlobPush {
            descriptor: &descriptor(bytes),
            source: &source,
            mount_from,
            progress: Arc::new(move |bytes| counter.store(bytes, Ordering::SeqCst)),
        })
        .await
        .unwrap();
    (pushed, sent.load(Ordering::SeqCst))
}

#[tokio::test]
async fn an_image_is_pulled_whole() {
    let registry = registry::Registry::start();
    let fixture = fixture::busybox();
    registry.push(&fixture, "library/busybox:oci");
    registry.push_docker(&fixture, "library/busybox:docker");
    let remote = remote(registry.address(), "library/busybox", Access::Pull).await;
    for (name, manifest_type) in [
        ("oci", media_type::OCI_MANIFEST),
        ("docker", media_type::DOCKER_MANIFEST),
    ] {
        let head = remote.head_manifest(&tag(name)).await.unwrap().unwrap();
        let fetched = remote.manifest(&tag(name)).await.unwrap();
        assert_eq!(fetched.descriptor, head);
        assert_eq!(head.media_type, manifest_type);
        let same = remote.manifest(&Target::Digest(head.digest)).await.unwrap();
        assert_eq!(same.bytes, fetched.bytes);
        let image = image(&fetched.manifest);
        image.check_is_image().unwrap();
        let config = remote.config(&image.config).await.unwrap();
        let config = ImageConfig::parse(&config, &image.config.digest).unwrap();
        let diff_ids: Vec<_> = config
            .rootfs
            .diff_ids
            .iter()
            .map(|id| id.to_string())
            .collect();
        assert_eq!(diff_ids, fixture.diff_ids());
        for layer in &image.layers {
            assert_eq!(read(&remote, layer).await.len() as u64, layer.size);
        }
        let inspected = remote.inspect(&tag(name)).await.unwrap();
        assert_eq!(inspected.descriptor.digest, fetched.descriptor.digest);
        assert_eq!(inspected.platforms[0].os, "linux");
    }
    let mut tags = remote.tags().await.unwrap();
    tags.sort();
    assert_eq!(tags, ["docker", "oci"]);
}

#[tokio::test]
async fn what_is_not_there_reads_as_dockers() {
    let registry = registry::Registry::start();
    registry.push(&fixture::busybox(), "app:1");
    let address = registry.address();
    let there = remote(address, "app", Access::Pull).await;
    let error = there.manifest(&tag("2")).await.unwrap_err();
    assert_eq!(
        text(&error),
        format!("manifest for {address}/app:2 not found: manifest unknown: manifest unknown")
    );
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = there.head_manifest(&tag("2")).await.unwrap_err();
    assert!(
        text(&error).starts_with("manifest for "),
        "{}",
        text(&error)
    );
    let nowhere = remote(address, "no/such", Access::Pull).await;
    let error = nowhere.tags().await.unwrap_err();
    assert_eq!(
        text(&error),
        format!(
            "repository {address}/no/such not found: \
             name unknown: repository name not known to registry"
        )
    );
    let error = nowhere.inspect(&tag("1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn blobs_and_manifests_are_pushed() {
    let registry = registry::Registry::start();
    let remote = remote(registry.address(), "team/app", Access::Push).await;
    let bytes = noise(3_000_000);
    assert_eq!(
        push(&remote, &bytes, &[]).await,
        (Pushed::Uploaded, 3_000_000)
    );
    assert_eq!(push(&remote, &bytes, &[]).await, (Pushed::Exists, 0));
    assert_eq!(push(&remote, b"", &[]).await.0, Pushed::Uploaded);
    let other = crate::support::remote(registry.address(), "team/other", Access::Push).await;
    let candidates = ["no/such".to_owned(), "team/app".to_owned()];
    assert_eq!(
        push(&other, &bytes, &candidates).await,
        (Pushed::Mounted("team/app".into()), 0)
    );
    // Where no candidate has it, it is sent after all.
    let more = noise(1000);
    assert_eq!(
        push(&other, &more, &candidates).await,
        (Pushed::Uploaded, 1000)
    );

    let config =
        br#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#;
    push(&remote, config, &[]).await;
    let manifest = ImageManifest {
        schema_version: 2,
        media_type: Some(media_type::OCI_MANIFEST.into()),
        config: dhow_registry::Descriptor {
            media_type: media_type::OCI_CONFIG.into(),
            ..descriptor(config)
        },
        layers: vec![descriptor(&bytes)],
    };
    let manifest = Bytes::from(serde_json::to_vec(&manifest).unwrap());
    let digest = remote
        .push_manifest(&tag("v1"), media_type::OCI_MANIFEST, &manifest)
        .await
        .unwrap();
    let fetched = remote.manifest(&tag("v1")).await.unwrap();
    assert_eq!(fetched.bytes, manifest);
    assert_eq!(fetched.descriptor.digest, digest);
    assert_eq!(
        read(&remote, &image(&fetched.manifest).layers[0]).await,
        bytes
    );
}

#[tokio::test]
async fn a_file_is_pushed_and_a_short_one_is_refused() {
    let registry = registry::Registry::start();
    let remote = remote(registry.address(), "app", Access::Push).await;
    let bytes = noise(600_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    std::fs::write(&path, &bytes).unwrap();
    let wanted = descriptor(&bytes);
    let source = FileSource(path.clone());
    let blob = BlobPush {
        descriptor: &wanted,
        source: &source,
        mount_from: &[],
        progress: Arc::new(|_| {}),
    };
    std::fs::write(&path, &bytes[..1000]).unwrap();
    let error = remote.push_blob(&blob).await.unwrap_err();
    assert!(
        text(&error).contains("1000 bytes where 600000 were expected"),
        "{}",
        text(&error)
    );
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(remote.push_blob(&blob).await.unwrap(), Pushed::Uploaded);
    assert!(remote.has_blob(&wanted.digest).await.unwrap());
}

#[tokio::test]
async fn passwords_open_a_closed_registry() {
    let registry = registry::Registry::with(Options {
        tls: true,
        password: true,
    });
    registry.push(&fixture::busybox(), "app:1");
    let client = client();
    let open = |credentials| {
        let repository = Repository::new(registry.address(), "app");
        let client = client.clone();
        async move {
            client
                .remote(repository, credentials, Access::Pull)
                .await
                .unwrap()
        }
    };
    let url = format!("https://{}/v2/", registry.address());
    let nobody = open(Credentials::default()).await;
    let error = nobody.manifest(&tag("1")).await.unwrap_err();
    assert_eq!(
        text(&error),
        format!("Get \"{url}app/manifests/1\": no basic auth credentials")
    );
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    let wrong = open(credentials(USER, "wrong")).await;
    let error = wrong.manifest(&tag("1")).await.unwrap_err();
    assert_eq!(text(&error), "unauthorized: authentication required");
    let right = open(credentials(USER, PASSWORD)).await;
    right.manifest(&tag("1")).await.unwrap();

    let mut login = credentials(USER, PASSWORD);
    login.server_address = registry.address().to_owned();
    assert_eq!(
        client.login(&login).await.unwrap().status,
        "Login Succeeded"
    );
    login.password = "wrong".into();
    let error = client.login(&login).await.unwrap_err();
    assert_eq!(
        text(&error),
        format!("login attempt to {url} failed with status: 401 Unauthorized")
    );
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn a_corrupted_blob_is_noticed() {
    let registry = registry::Registry::start();
    registry.push(&fixture::busybox(), "app:1");
    let remote = remote(registry.address(), "app", Access::Pull).await;
    let fetched = remote.manifest(&tag("1")).await.unwrap();
    let image = image(&fetched.manifest).clone();
    for descriptor in [&image.config, &image.layers[0]] {
        let path = registry.blob(descriptor.digest.as_str());
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    let error = remote.config(&image.config).await.unwrap_err();
    assert!(
        text(&error).starts_with("image config verification failed"),
        "{error}"
    );
    let layer = &image.layers[0];
    let stream = Verified::new(remote.blob(layer, 0), layer.digest.clone());
    let error = stream.try_collect::<Vec<_>>().await.unwrap_err();
    assert!(
        text(&error).starts_with("filesystem layer verification failed"),
        "{error}"
    );
}

#[tokio::test]
async fn work_goes_on_while_the_configuration_changes() {
    let registry = registry::Registry::start();
    registry.push(&fixture::busybox(), "app:1");
    let client = client();
    let repository = Repository::new(registry.address(), "app");
    let remote = client
        .remote(repository, Credentials::default(), Access::Pull)
        .await
        .unwrap();
    let mut changed: Config = config();
    changed.user_agent = "changed".into();
    client.reconfigure(changed).unwrap();
    assert_eq!(client.config().user_agent, "changed");
    // Spawned: what the client returns can cross threads.
    tokio::spawn(async move { remote.manifest(&tag("1")).await })
        .await
        .unwrap()
        .unwrap();
    let bad = Config {
        proxies: dhow_registry::Proxies {
            http: Some("http://[".into()),
            ..Default::default()
        },
        ..config()
    };
    assert!(Registry::new(bad).is_err());
}
