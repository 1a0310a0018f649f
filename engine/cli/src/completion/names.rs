//! The names that there are, asked for so that a shell never hangs.

use std::time::Duration;

use dhow_client::Request;
use dhow_client::context::{DEFAULT, Store};

use super::Candidate;
use super::source::{Names, Which};
use crate::failure::Failure;
use crate::format::Value;
use crate::options::filter;
use crate::output::order::natural;
use crate::session::Session;

/// A person who pressed Tab does not wait longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The names; `None` where they cannot be had.
pub async fn find(session: &Session, names: Names) -> Option<Vec<Candidate>> {
    let found = tokio::time::timeout(PATIENCE, of_kind(session, names));
    found.await.ok()?.ok()
}

async fn of_kind(session: &Session, names: Names) -> Result<Vec<Candidate>, Failure> {
    match names {
        Names::Containers(which) => containers(session, which).await,
        Names::Images => images(session).await,
        Names::Networks => networks(session).await,
        Names::Volumes => volumes(session).await,
        Names::Contexts => contexts(session),
        Names::Objects => {
            let mut all = containers(session, Which::All).await?;
            all.extend(images(session).await?);
            all.extend(networks(session).await?);
            all.extend(volumes(session).await?);
            Ok(all)
        }
    }
}

async fn containers(session: &Session, which: Which) -> Result<Vec<Candidate>, Failure> {
    let states: &[&str] = match which {
        Which::All => &[],
        Which::Running => &["running", "paused", "restarting"],
        Which::Awake => &["running", "restarting"],
        Which::Paused => &["paused"],
        Which::Stopped => &["created", "exited", "dead"],
    };
    let filters: Vec<(String, String)> = states
        .iter()
        .map(|state| ("status".to_owned(), (*state).to_owned()))
        .collect();
    let request = Request::get("/containers/json")
        .flag("all", true)
        .query_if("filters", filter::to_query(&filters));
    let answer = session.json(request).await?;
    let names = answer.items().iter().flat_map(|container| {
        // A linked container has the names of its links as well.
        let names = container.get("Names");
        let own = names.items().iter().filter_map(|name| {
            let name = name.as_str()?.trim_start_matches('/');
            (!name.contains('/')).then(|| Candidate::plain(name))
        });
        own.collect::<Vec<_>>()
    });
    Ok(names.collect())
}

async fn images(session: &Session) -> Result<Vec<Candidate>, Failure> {
    let answer = session.json(Request::get("/images/json")).await?;
    let tags = answer.items().iter().flat_map(|image| {
        let tags = image.get("RepoTags");
        let named = tags.items().iter().filter_map(|tag| {
            let tag = tag.as_str()?;
            (tag != "<none>:<none>").then(|| Candidate::plain(tag))
        });
        named.collect::<Vec<_>>()
    });
    Ok(tags.collect())
}

async fn networks(session: &Session) -> Result<Vec<Candidate>, Failure> {
    let answer = session.json(Request::get("/networks")).await?;
    Ok(named(answer.items()))
}

async fn volumes(session: &Session) -> Result<Vec<Candidate>, Failure> {
    let answer = session.json(Request::get("/volumes")).await?;
    Ok(named(answer.list("Volumes")))
}

fn contexts(session: &Session) -> Result<Vec<Candidate>, Failure> {
    let directory = session.environment.docker_config(&session.choice);
    let mut names = vec![DEFAULT.to_owned()];
    let stored = Store::under(&directory).list()?;
    names.extend(stored.into_iter().map(|context| context.name));
    names.sort_by_key(|name| natural(name));
    Ok(names.into_iter().map(Candidate::plain).collect())
}

fn named(objects: &[Value]) -> Vec<Candidate> {
    let names = objects.iter().map(|object| object.str("Name"));
    names.map(Candidate::plain).collect()
}
