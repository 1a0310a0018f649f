//! Pushes to Debian's registry out of a real store.

use dhow_image::OpenOptions;
use dhow_registry::{Config, Credentials, Registry};
use dhow_testkit::fixture;
use futures_util::StreamExt as _;

use super::*;
use crate::images::pull::{Pull, parse};

struct Bench {
    _folder: tempfile::TempDir,
    store: ImageStore,
    registry: dhow_testkit::Registry,
}

impl Bench {
    /// A store that pulled `app:1`, and the registry it came from.
    async fn pulled() -> (Self, Reference, Digest) {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self {
            store: ImageStore::open(folder.path(), OpenOptions::this_boot().unwrap()).unwrap(),
            _folder: folder,
            registry: dhow_testkit::Registry::start(),
        };
        let name = bench.registry.push_docker(&fixture::layered(), "app:1");
        let reference = parse(&name).unwrap();
        let pull = Pull {
            store: bench.store.clone(),
            remote: bench.remote(&reference, Access::Pull).await,
            platform: None,
            layers_at_once: 4,
        };
        let named = reference.clone();
        let stream = reporting(|report| async move {
            let found = pull.find(&Target::of(&named).unwrap()).await?;
            pull.one(&named, found, &report).await.map(drop)
        });
        stream
            .for_each(async |message| assert_eq!(message.unwrap().error, None))
            .await;
        let id = bench.store.named(&reference).unwrap().unwrap();
        (bench, reference, id)
    }

    async fn remote(&self, reference: &Reference, access: Access) -> Remote {
        Registry::new(Config::default())
            .unwrap()
            .remote(Repository::of(reference), Credentials::default(), access)
            .await
            .unwrap()
    }

    async fn push(&self, reference: &Reference, id: &Digest) -> Vec<Progress> {
        let push = Push {
            store: self.store.clone(),
            remote: self.remote(reference, Access::Push).await,
            layers_at_once: 2,
        };
        let (reference, id) = (reference.clone(), id.clone());
        reporting(|report| async move { push.one(&reference, &id, &report).await })
            .map(Result::unwrap)
            .collect()
            .await
    }
}

fn told(messages: &[Progress], status: &str) -> usize {
    let statuses = messages.iter().filter_map(|m| m.status.as_deref());
    statuses.filter(|found| *found == status).count()
}

#[tokio::test]
async fn the_same_bytes_come_back_to_where_they_came_from() {
    let (bench, reference, id) = Bench::pulled().await;
    let layers = fixture::layered().diff_ids().len();
    let before = bench.registry.get("app/manifests/1");
    let messages = bench.push(&reference.with_tag("2").unwrap(), &id).await;
    assert_eq!(
        told(&messages, "Layer already exists"),
        layers,
        "{messages:?}"
    );
    let after = bench.registry.get("app/manifests/2");
    assert_eq!(after.body, before.body);
    let digest = dhow_testkit::image::digest(&before.body);
    let size = before.body.len();
    let last = &messages[messages.len() - 2..];
    assert_eq!(
        last[0].status.as_deref(),
        Some(format!("2: digest: {digest} size: {size}").as_str())
    );
    assert_eq!(
        last[1].aux,
        Some(serde_json::json!({ "Tag": "2", "Digest": digest, "Size": size }))
    );
}

#[tokio::test]
async fn layers_of_a_neighbour_are_mounted() {
    let (bench, reference, id) = Bench::pulled().await;
    let layers = fixture::layered().diff_ids().len();
    let other = parse(&format!("{}/team/other:1", reference.domain())).unwrap();
    let messages = bench.push(&other, &id).await;
    assert_eq!(told(&messages, "Mounted from app"), layers, "{messages:?}");
}

#[tokio::test]
async fn another_registry_gets_all_of_it() {
    let (bench, _, id) = Bench::pulled().await;
    let layers = fixture::layered().diff_ids().len();
    let elsewhere = dhow_testkit::Registry::start();
    let name = parse(&format!("{}/app:1", elsewhere.address())).unwrap();
    let messages = bench.push(&name, &id).await;
    assert_eq!(told(&messages, "Pushed"), layers, "{messages:?}");
    assert_eq!(told(&messages, "Preparing"), layers);
    let manifest = elsewhere.get("app/manifests/1").json();
    assert_eq!(manifest["config"]["digest"], id.as_str());
    // The image now goes by what it was pushed as, too.
    let names = bench.store.names(&id).unwrap();
    let known = names
        .iter()
        .any(|n| n.name() == name.name() && n.digest().is_some());
    assert!(known, "{names:?}");
}

#[tokio::test]
async fn what_is_not_here_cannot_be_pushed() {
    let (bench, reference, id) = Bench::pulled().await;
    let check = |name: &str, expected: &str| {
        let error = tagged(&bench.store, &parse(name).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    check(
        "nothing:1",
        "An image does not exist locally with the tag: nothing",
    );
    check(
        "nothing",
        "An image does not exist locally with the tag: nothing",
    );
    let other = reference.with_tag("other").unwrap();
    check(
        &other.to_string(),
        &format!("tag does not exist: {}", other.familiar()),
    );
    // Without a tag, all there are.
    bench.store.tag(&id, &other).unwrap();
    let all = tagged(&bench.store, &reference.name_only()).unwrap();
    assert_eq!(all, [(reference, id.clone()), (other, id)]);
}
