//! `images`: lists images.

use clap::Args;
use dhow_client::Request;
use dhow_model::size::human_size;

use crate::failure::Failure;
use crate::format::Value;
use crate::options::filter;
use crate::output::human;
use crate::output::list::{self, Columns, Format, Row};
use crate::session::Session;

/// List images
#[derive(Args)]
pub struct Arguments {
    /// Show images that are only parts of others, too
    #[arg(short, long)]
    all: bool,
    /// Show digests
    #[arg(long)]
    digests: bool,
    /// Show only what fits (name=value)
    #[arg(short, long = "filter", value_name = "filter", value_parser = filter::parse)]
    filters: Vec<(String, String)>,
    /// Print through a Go template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'
    #[arg(long)]
    format: Option<String>,
    /// Show everything in full
    #[arg(long)]
    no_trunc: bool,
    /// Show ids only
    #[arg(short, long)]
    quiet: bool,
    #[arg(value_name = "[REPOSITORY[:TAG]]")]
    reference: Option<String>,
}

/// The columns of a list of images.
pub const COLUMNS: Columns = Columns {
    go_type: "*formatter.imageContext",
    failure: list::PARSING,
    headers: &[
        ("ID", "IMAGE ID"),
        ("Repository", "REPOSITORY"),
        ("Tag", "TAG"),
        ("Digest", "DIGEST"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("Size", "SIZE"),
        ("Containers", "CONTAINERS"),
        ("VirtualSize", "SIZE"),
        ("SharedSize", "SHARED SIZE"),
        ("UniqueSize", "UNIQUE SIZE"),
    ],
};

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let config = &session.target()?.config;
    let configured = config.text("imagesFormat");
    let usual = if arguments.digests {
        "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
    } else {
        "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
    };
    let given = arguments.format.as_deref();
    let format = Format::chosen(given, arguments.quiet, configured, "{{.ID}}", usual)?;
    let mut filters = arguments.filters.clone();
    if let Some(reference) = &arguments.reference {
        filters.push(("reference".to_owned(), reference.clone()));
    }
    let request = Request::get("/images/json")
        .flag("all", arguments.all)
        .query_if("filters", filter::to_query(&filters));
    let mut images = match session.json(request).await? {
        Value::List(images) => images,
        _ => Vec::new(),
    };
    images.sort_by_key(|image| std::cmp::Reverse(image.int("Created")));
    let shown = given.or(configured.filter(|_| !arguments.quiet));
    let digests = arguments.digests || shown.is_some_and(|spec| spec.contains(".Digest"));
    let mut rows = Vec::new();
    for image in &images {
        for name in names(image, digests) {
            rows.push(row(image, &name, !arguments.no_trunc));
        }
    }
    format.print(&COLUMNS, rows)?;
    Ok(0)
}

/// One line of the list.
pub struct Name {
    pub repository: String,
    pub tag: String,
    pub digest: String,
}

const NONE: &str = "<none>";

/// An image has a line for each of its tags; for each of its digests as well
/// where they are shown or where a repository has digests only.
pub fn names(image: &Value, digests: bool) -> Vec<Name> {
    let texts = |key: &str| -> Vec<String> {
        image
            .list(key)
            .iter()
            .filter_map(Value::as_str)
            .filter(|text| !text.starts_with(NONE))
            .map(str::to_owned)
            .collect()
    };
    let tags: Vec<(String, String)> = texts("RepoTags")
        .into_iter()
        .filter_map(|text| {
            let (repository, tag) = text.rsplit_once(':')?;
            Some((repository.to_owned(), tag.to_owned()))
        })
        .collect();
    let by_digest: Vec<(String, String)> = texts("RepoDigests")
        .into_iter()
        .filter_map(|text| {
            let (repository, digest) = text.split_once('@')?;
            Some((repository.to_owned(), digest.to_owned()))
        })
        .collect();
    let name = |repository: &str, tag: &str, digest: &str| Name {
        repository: repository.to_owned(),
        tag: tag.to_owned(),
        digest: digest.to_owned(),
    };
    let mut names = Vec::new();
    let mut repositories: Vec<&str> = Vec::new();
    for (repository, _) in tags.iter().chain(&by_digest) {
        if !repositories.contains(&repository.as_str()) {
            repositories.push(repository);
        }
    }
    for repository in repositories {
        let own_tags: Vec<&str> = tags
            .iter()
            .filter(|(r, _)| r == repository)
            .map(|(_, tag)| tag.as_str())
            .collect();
        let own_digests: Vec<&str> = by_digest
            .iter()
            .filter(|(r, _)| r == repository)
            .map(|(_, digest)| digest.as_str())
            .collect();
        if own_tags.is_empty() {
            for digest in &own_digests {
                names.push(name(repository, NONE, digest));
            }
            continue;
        }
        for tag in own_tags {
            if !digests || own_digests.is_empty() {
                names.push(name(repository, tag, NONE));
                continue;
            }
            for digest in &own_digests {
                names.push(name(repository, tag, digest));
            }
        }
    }
    if names.is_empty() {
        names.push(name(NONE, NONE, NONE));
    }
    names
}

/// An image as a row.
pub fn row(image: &Value, name: &Name, short: bool) -> Row {
    let id = image.str("Id");
    let unknown_or = |key: &str, text: fn(i64) -> String| match image.int(key) {
        -1 => "N/A".to_owned(),
        number => text(number),
    };
    let size = image.int("Size");
    let shared = image.int("SharedSize");
    let unique = match shared {
        -1 => "N/A".to_owned(),
        shared => human_size(size - shared),
    };
    let created = image.int("Created");
    Row::new(&COLUMNS)
        .text("Containers", unknown_or("Containers", |n| n.to_string()))
        .text("CreatedAt", human::local_time(created))
        .text("CreatedSince", human::ago(created))
        .text("Digest", &name.digest)
        .text("ID", if short { list::short_id(id) } else { id })
        .text("Repository", &name.repository)
        .text("SharedSize", unknown_or("SharedSize", human_size))
        .text("Size", human::size3(size))
        .text("Tag", &name.tag)
        .text("UniqueSize", unique)
        .text("VirtualSize", human_size(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, digests: bool, expected: &[(&str, &str, &str)]) {
        let image = Value::from_json(json.as_bytes()).unwrap();
        let names = names(&image, digests);
        let names: Vec<_> = names
            .iter()
            .map(|n| (n.repository.as_str(), n.tag.as_str(), n.digest.as_str()))
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn an_image_has_a_line_for_each_of_its_names() {
        let image = r#"{"RepoTags":["r:5000/a:1","r:5000/a:2","b:1"],
                        "RepoDigests":["r:5000/a@sha256:x","c@sha256:y"]}"#;
        check(
            image,
            false,
            &[
                ("r:5000/a", "1", "<none>"),
                ("r:5000/a", "2", "<none>"),
                ("b", "1", "<none>"),
                ("c", "<none>", "sha256:y"),
            ],
        );
        check(
            image,
            true,
            &[
                ("r:5000/a", "1", "sha256:x"),
                ("r:5000/a", "2", "sha256:x"),
                ("b", "1", "<none>"),
                ("c", "<none>", "sha256:y"),
            ],
        );
        let nameless = r#"{"RepoTags":["<none>:<none>"],"RepoDigests":["<none>@<none>"]}"#;
        check(nameless, false, &[("<none>", "<none>", "<none>")]);
        check(
            r#"{"RepoTags":null}"#,
            false,
            &[("<none>", "<none>", "<none>")],
        );
    }
}
