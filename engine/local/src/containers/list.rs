//! `GET /containers/json`: the list and its filters.

use std::collections::HashMap;

use bollard_stubs::models::*;
use bollard_stubs::query_parameters::ListContainersOptions;
use dhow_model::Filters;

use super::record::{Record, Status};
use super::view;
use crate::{Error, LocalEngine, Result, clock};

/// What Docker's specification lets one filter by.
const FILTERS: &[&str] = &[
    "ancestor",
    "before",
    "expose",
    "exited",
    "health",
    "id",
    "isolation",
    "is-task",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
];

impl LocalEngine {
    /// Containers, newest first.
    pub async fn list_containers(
        &self,
        options: Option<ListContainersOptions>,
    ) -> Result<Vec<ContainerSummary>> {
        let options = options.unwrap_or_default();
        let filters = Filters::from_map(options.filters.unwrap_or_default());
        check_filters(&filters)?;
        let limit = options.limit.filter(|n| *n > 0).map(|n| n as usize);
        let all = options.all
            || limit.is_some()
            || ["status", "exited", "before", "since"]
                .iter()
                .any(|k| filters.contains(k));

        let mut records: Vec<Record> = self
            .shared
            .containers
            .all()
            .iter()
            .map(|c| c.record())
            .collect();
        records.sort_by(|a, b| b.created.cmp(&a.created).then(a.id.cmp(&b.id)));
        let bounds = Bounds {
            before: self.bound(&filters, "before")?,
            since: self.bound(&filters, "since")?,
        };
        let ancestors = self.ancestors(&filters);
        let chosen = records
            .into_iter()
            .filter(|r| all || r.state.status.counts_as_running())
            .filter(|r| bounds.holds(r) && matches(r, &filters))
            .filter(|r| ancestors.as_ref().is_none_or(|a| self.descends(r, a)))
            .take(limit.unwrap_or(usize::MAX));

        let now = clock::now();
        let mut list = Vec::new();
        for record in chosen {
            let mut summary = self.summary(&record, now);
            if options.size {
                let container = self.shared.containers.find(record.id.as_str())?;
                let (own, whole) = self.sizes(&container).await?;
                summary.size_rw = Some(own);
                summary.size_root_fs = Some(whole);
            }
            list.push(summary);
        }
        Ok(list)
    }

    fn bound(&self, filters: &Filters, key: &str) -> Result<Option<i64>> {
        filters
            .get(key)
            .next()
            .map(|name| Ok(self.shared.containers.find(name)?.read(|r| r.created)))
            .transpose()
    }

    fn summary(&self, record: &Record, now: i64) -> ContainerSummary {
        let command = command_shown(record);
        ContainerSummary {
            id: Some(record.id.to_string()),
            names: Some(vec![format!("/{}", record.name)]),
            image: Some(self.image_shown(record)),
            image_id: Some(record.image.to_string()),
            command: Some(command),
            created: Some(record.created.div_euclid(1_000_000_000)),
            ports: Some(view::port_summaries(record)),
            labels: Some(record.config.labels.clone().unwrap_or_default()),
            state: record.state.status.as_str().parse().ok(),
            status: Some(view::status_text(&record.state, now)),
            host_config: Some(ContainerSummaryHostConfig {
                network_mode: Some(view::network_name(record)),
                annotations: record.host_config.annotations.clone(),
            }),
            network_settings: Some(ContainerSummaryNetworkSettings {
                networks: Some(view::networks(record, &self.shared.network_ids)),
            }),
            mounts: Some(view::mounts(record)),
            health: Some(ContainerSummaryHealth {
                status: match &record.state.health {
                    Some(health) => health.status().as_str().parse().ok(),
                    None => Some(ContainerSummaryHealthStatusEnum::NONE),
                },
                failing_streak: Some(
                    record
                        .state
                        .health
                        .as_ref()
                        .map_or(0, |h| i64::from(h.failing_streak())),
                ),
            }),
            ..Default::default()
        }
    }
}

/// The command as dockerd lists it: arguments with a space stand in quotes.
fn command_shown(record: &Record) -> String {
    let mut text = record.path.clone();
    for argument in &record.args {
        text.push(' ');
        if argument.contains(' ') {
            text.push('\'');
            text.push_str(argument);
            text.push('\'');
        } else {
            text.push_str(argument);
        }
    }
    text
}

struct Bounds {
    before: Option<i64>,
    since: Option<i64>,
}

impl Bounds {
    fn holds(&self, record: &Record) -> bool {
        self.before.is_none_or(|t| record.created < t)
            && self.since.is_none_or(|t| record.created > t)
    }
}

fn check_filters(filters: &Filters) -> Result<()> {
    filters.validate(FILTERS).map_err(Error::of)?;
    const STATES: &[&str] = &[
        "created",
        "running",
        "paused",
        "restarting",
        "removing",
        "exited",
        "dead",
    ];
    if let Some(state) = filters.get("status").find(|s| !STATES.contains(s)) {
        return Err(Error::invalid(format!(
            "invalid value for state ({state}): must be one of {}",
            STATES.join(", ")
        )));
    }
    const HEALTH: &[&str] = &["none", "starting", "healthy", "unhealthy"];
    let bad_health = filters.get("health").find(|h| !HEALTH.contains(h));
    let bad_code = filters.get("exited").find(|c| c.parse::<i64>().is_err());
    match (bad_health, bad_code) {
        (Some(value), _) => Err(Error::invalid(format!("invalid filter 'health={value}'"))),
        (_, Some(value)) => Err(Error::invalid(format!("invalid filter 'exited={value}'"))),
        (None, None) => Ok(()),
    }
}

/// Whether `record` passes the filters that its own fields decide.
fn matches(record: &Record, filters: &Filters) -> bool {
    let state = &record.state;
    let health = state
        .health
        .as_ref()
        .map_or("none", |h| h.status().as_str());
    // A key that is not given lets everything pass.
    let any = |key: &str, test: &dyn Fn(&str) -> bool| {
        filters.get(key).next().is_none() || filters.get(key).any(test)
    };
    let ended = matches!(state.status, Status::Exited | Status::Dead);
    let exposed = || record.config.exposed_ports.iter().flatten();
    let published = || record.host_config.port_bindings.iter().flatten();
    let no_labels = HashMap::new();
    filters.matches_prefix("id", record.id.as_str())
        && (filters.matches_pattern("name", &record.name)
            || filters.matches_pattern("name", &format!("/{}", record.name)))
        && filters.matches_exactly("status", state.status.as_str())
        && any("exited", &|v| ended && v.parse() == Ok(state.exit_code))
        && filters.matches_exactly("health", health)
        && filters.matches_labels("label", record.config.labels.as_ref().unwrap_or(&no_labels))
        && filters.matches_exactly("network", &view::network_name(record))
        && any("volume", &|v| {
            record
                .mounts
                .iter()
                .any(|m| m.point.name == v || m.point.destination == v || m.host == v)
        })
        && any("expose", &|v| exposed().any(|p| port_matches(p, v)))
        && any("publish", &|v| published().any(|(p, _)| port_matches(p, v)))
        && any("is-task", &|v| !matches!(v, "1" | "true" | "True"))
        && any("isolation", &|v| matches!(v, "" | "default"))
}

/// Whether `port` (`80/tcp`) is in `wanted` (`80`, `80/udp`, `8000-8010/tcp`).
fn port_matches(port: &str, wanted: &str) -> bool {
    let port = view::with_protocol(port);
    let wanted = view::with_protocol(wanted);
    let (Some((number, protocol)), Some((range, wanted_protocol))) =
        (port.split_once('/'), wanted.split_once('/'))
    else {
        return false;
    };
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    match (
        number.parse::<u16>(),
        first.parse::<u16>(),
        last.parse::<u16>(),
    ) {
        (Ok(number), Ok(first), Ok(last)) => {
            protocol == wanted_protocol && (first..=last).contains(&number)
        }
        _ => false,
    }
}
