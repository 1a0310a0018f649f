//! A record in the words of the API: the parts that `inspect` and `ps` share.
//! Pure: what is not in the record is an argument.

use std::collections::HashMap;

use bollard_stubs::models::*;
use dhow_model::{Timestamp, health, lifecycle, mount};
use dhow_network::Endpoint;

use super::record::{Mounted, Record, State, Status};
use crate::clock;

/// The time dockerd shows for "never".
const NEVER: &str = "0001-01-01T00:00:00Z";

/// `nanos` since the epoch in RFC 3339; dockerd's zero time for 0.
pub(crate) fn time(nanos: i64) -> String {
    match nanos {
        0 => NEVER.to_owned(),
        nanos => clock::rfc3339(nanos),
    }
}

/// The `State` of an inspection.
pub(crate) fn state(state: &State) -> ContainerState {
    let up = state.status.counts_as_running();
    ContainerState {
        status: state.status.as_str().parse().ok(),
        running: Some(up),
        paused: Some(state.status == Status::Paused),
        restarting: Some(state.status == Status::Restarting),
        oom_killed: Some(state.oom_killed),
        dead: Some(state.status == Status::Dead),
        pid: Some(state.pid.map_or(0, i64::from)),
        exit_code: Some(state.exit_code),
        error: Some(state.error.clone()),
        started_at: Some(time(state.started_at)),
        finished_at: Some(time(state.finished_at)),
        health: state.health.as_ref().map(|health| Health {
            status: health.status().as_str().parse().ok(),
            failing_streak: Some(i64::from(health.failing_streak())),
            log: Some(health.log().map(probe_result).collect()),
        }),
    }
}

fn probe_result(outcome: &health::Outcome) -> HealthcheckResult {
    HealthcheckResult {
        start: Some(outcome.start.to_string()),
        end: Some(outcome.end.to_string()),
        exit_code: Some(outcome.exit_code),
        output: Some(outcome.output.clone()),
    }
}

/// The `STATUS` column of `docker ps` at `now`, nanoseconds since the epoch.
pub(crate) fn status_text(state: &State, now: i64) -> String {
    let instant = |nanos| (nanos != 0).then(|| Timestamp::from_nanos(nanos));
    let details = lifecycle::Details {
        exit_code: state.exit_code,
        started_at: instant(state.started_at),
        finished_at: instant(state.finished_at),
        health: state.health.as_ref().map(health::Machine::status),
    };
    lifecycle::describe(state.status, &details, Timestamp::from_nanos(now))
}

/// The `Mounts` of both answers; tmpfs mounts appear only when they were asked
/// for by the mount API, as with dockerd.
pub(crate) fn mounts(record: &Record) -> Vec<MountPoint> {
    record.mounts.iter().map(mount).collect()
}

fn mount(mounted: &Mounted) -> MountPoint {
    let point = &mounted.point;
    let kind = point.spec.kind;
    let volume = kind == mount::Kind::Volume;
    MountPoint {
        typ: Some(kind.as_str().to_owned()),
        name: (volume || kind == mount::Kind::Image).then(|| point.name.clone()),
        source: Some(mounted.host.clone()),
        destination: Some(point.destination.clone()),
        driver: volume.then(|| "local".to_owned()),
        mode: Some(match point.mode.as_str() {
            // dockerd labels what a plain volume of old requests was given.
            "" if volume => "z".to_owned(),
            mode => mode.to_owned(),
        }),
        rw: Some(point.writable),
        propagation: Some(match kind {
            mount::Kind::Bind => point.propagation.as_str().to_owned(),
            _ => String::new(),
        }),
    }
}

/// The one network a container is on for now, by name.
pub(crate) fn networks(record: &Record, ids: &NetworkIds) -> HashMap<String, EndpointSettings> {
    let name = network_name(record);
    if name.starts_with("container:") {
        return HashMap::new();
    }
    let asked = record
        .networking
        .as_ref()
        .and_then(|n| n.endpoints_config.as_ref())
        .and_then(|e| e.get(&name).or_else(|| e.get("default")))
        .cloned()
        .unwrap_or_default();
    let endpoint = endpoint_of(record);
    let up = record.state.status.counts_as_running();
    let of = |read: fn(&Endpoint) -> String| Some(endpoint.map(read).unwrap_or_default());
    let settings = EndpointSettings {
        ipam_config: asked.ipam_config,
        links: asked.links,
        aliases: asked.aliases,
        driver_opts: asked.driver_opts,
        gw_priority: Some(asked.gw_priority.unwrap_or(0)),
        mac_address: of(|e| e.mac.to_string()),
        network_id: Some(if up || endpoint.is_some() {
            ids.of(&name)
        } else {
            String::new()
        }),
        endpoint_id: of(|e| e.id.clone()),
        gateway: of(|e| e.gateway.to_string()),
        ip_address: of(|e| e.address.to_string()),
        ip_prefix_len: Some(endpoint.map_or(0, |e| i64::from(e.prefix))),
        ipv6_gateway: Some(String::new()),
        global_ipv6_address: Some(String::new()),
        global_ipv6_prefix_len: Some(0),
        dns_names: None,
    };
    HashMap::from([(name, settings)])
}

/// The network mode's network: `bridge` where nothing or `default` is said.
pub(crate) fn network_name(record: &Record) -> String {
    match record.host_config.network_mode.as_deref() {
        None | Some("" | "default") => "bridge".to_owned(),
        Some(mode) => mode.to_owned(),
    }
}

/// The ids of the built-in networks.
#[derive(Debug, Clone)]
pub(crate) struct NetworkIds {
    pub bridge: String,
    pub host: String,
    pub none: String,
}

impl NetworkIds {
    /// The id of the network called `name`.
    pub fn of(&self, name: &str) -> String {
        match name {
            "bridge" => self.bridge.clone(),
            "host" => self.host.clone(),
            "none" => self.none.clone(),
            _ => String::new(),
        }
    }
}

/// `NetworkSettings.Ports`: every exposed port, with its bindings while the
/// container runs.
pub(crate) fn port_map(record: &Record) -> PortMap {
    let Some(endpoint) = endpoint_of(record) else {
        return PortMap::new();
    };
    let mut map: PortMap = record
        .config
        .exposed_ports
        .iter()
        .flatten()
        .map(|port| (with_protocol(port), None))
        .collect();
    for published in &endpoint.ports {
        let port = format!("{}/{}", published.container_port, published.protocol);
        let bindings = map.entry(port).or_default().get_or_insert_default();
        bindings.push(PortBinding {
            host_ip: Some(published.host.ip().to_string()),
            host_port: Some(published.host.port().to_string()),
        });
    }
    map
}

/// The container's place on the bridge, while it has one.
fn endpoint_of(record: &Record) -> Option<&Endpoint> {
    record.state.network.as_ref().map(|n| &n.endpoint)
}

/// The `Ports` of a list entry, in dockerd's order.
pub(crate) fn port_summaries(record: &Record) -> Vec<PortSummary> {
    let mut list = Vec::new();
    for (port, bindings) in port_map(record) {
        let (number, protocol) = port.split_once('/').unwrap_or((&port, "tcp"));
        let entry = |ip: Option<String>, public: Option<u16>| PortSummary {
            ip,
            private_port: number.parse().unwrap_or(0),
            public_port: public,
            typ: protocol.parse().ok(),
        };
        match bindings {
            None => list.push(entry(None, None)),
            Some(bindings) => list.extend(bindings.into_iter().map(|b| {
                let public = b.host_port.and_then(|p| p.parse().ok());
                entry(b.host_ip, public)
            })),
        }
    }
    list.sort_by(|a, b| {
        let key = |p: &PortSummary| {
            (
                p.private_port,
                p.typ.map(|t| t.to_string()),
                p.ip.as_ref().is_some_and(|ip| ip.contains(':')),
                p.public_port,
            )
        };
        key(a).cmp(&key(b))
    });
    list
}

/// `80` is `80/tcp`.
pub(crate) fn with_protocol(port: &str) -> String {
    if port.contains('/') {
        port.to_lowercase()
    } else {
        format!("{port}/tcp")
    }
}
