//! A container's network: its namespace, its place on the default bridge, its
//! ports, and the files that tell it its names.

use std::fs;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::Path;

use bollard_stubs::models::{EventMessageTypeEnum, HostConfig, IpamConfig, NetworkingConfig};
use dhow_network::files::{self, DnsOptions, ExtraHost};
use dhow_network::{EndpointRequest, Listener, MacAddress};
use dhow_runtime::launch::Inherited;
use dhow_runtime::protocol::Protocol;

use super::container::Container;
use super::record::{Plugged, Record};
use super::{ports, view};
use crate::db::Commit;
use crate::{Error, LocalEngine, Result};

/// What a start needs of the network.
pub(crate) struct Prepared {
    /// Absent for those who share another's namespace, or the host's.
    pub plugged: Option<Plugged>,
    /// What the shim is to hold.
    pub inherited: Inherited,
}

impl LocalEngine {
    /// Makes the container's network ready: takes a namespace from the pool
    /// and publishes the ports. Blocks.
    pub(crate) fn prepare_network(&self, record: &Record) -> Result<Prepared> {
        let nothing = |netns: Option<OwnedFd>| Prepared {
            plugged: None,
            inherited: Inherited {
                netns,
                ports: Vec::new(),
            },
        };
        match view::network_name(record).as_str() {
            "none" => {
                let namespace = dhow_network::unplugged().map_err(Error::of)?;
                Ok(nothing(Some(namespace)))
            }
            "bridge" => self.plug_in(record),
            "host" => Ok(nothing(None)),
            name if name.starts_with("container:") => Ok(nothing(None)),
            name => Err(Error::not_found(format!("network {name} not found"))),
        }
    }

    fn plug_in(&self, record: &Record) -> Result<Prepared> {
        let id = super::create::new_id()?;
        let request = EndpointRequest {
            id: id.to_string(),
            mac: wanted_mac(record)?,
            ports: ports::requests(&record.config, &record.host_config)?,
        };
        let attached = self.shared.network.attach(&request).map_err(|error| {
            Error::of(error)
                .context(format!(
                    "driver failed programming external connectivity on endpoint {} ({id})",
                    record.name
                ))
                .context("failed to set up container networking")
        })?;
        let container = IpAddr::V4(attached.endpoint.address);
        let held = |listener: Listener| {
            let protocol = match listener.port.protocol {
                dhow_network::Protocol::Tcp => Protocol::Tcp,
                dhow_network::Protocol::Udp => Protocol::Udp,
                // Held open by being inherited; the kernel's rules carry it.
                dhow_network::Protocol::Sctp => Protocol::Tcp,
            };
            let target = (container, listener.port.container_port).into();
            (protocol, listener.socket, target)
        };
        Ok(Prepared {
            plugged: Some(Plugged {
                sandbox: super::create::new_id()?,
                endpoint: attached.endpoint,
            }),
            inherited: Inherited {
                netns: Some(attached.namespace),
                ports: attached.listeners.into_iter().map(held).collect(),
            },
        })
    }

    /// Takes back what [`Self::prepare_network`] gave, of a start that failed.
    pub(crate) fn give_back_network(&self, plugged: Option<&Plugged>) {
        if let Some(plugged) = plugged
            && let Err(error) = self.shared.network.detach(&plugged.endpoint.id)
        {
            tracing::warn!(%error, "an endpoint could not be detached");
        }
    }

    /// The container ended: its ports and its address are free again.
    pub(crate) async fn release_network(&self, container: &Container) {
        if let Some(plugged) = container.read(|r| r.state.network.clone()) {
            let engine = self.clone();
            let endpoint = plugged.endpoint.id;
            let detached =
                tokio::task::spawn_blocking(move || engine.shared.network.detach(&endpoint)).await;
            if let Ok(Err(error)) = detached {
                tracing::warn!(container = %container.id, %error, "not detached from the bridge");
            }
            container
                .change(&self.shared.db, Commit::Quick, |r| r.state.network = None)
                .ok();
        }
    }

    /// Tells that the container joined or left its network.
    pub(crate) fn network_event(&self, container: &Container, action: &str) {
        let network = container.read(view::network_name);
        if network.starts_with("container:") {
            return;
        }
        let kind = match network.as_str() {
            "none" => "null",
            other => other,
        };
        let id = self.shared.network_ids.of(&network);
        self.daemon_event(
            EventMessageTypeEnum::NETWORK,
            action,
            &id,
            &[
                ("container", container.id.as_str()),
                ("name", &network),
                ("type", kind),
            ],
        );
    }

    /// Registers the endpoints of containers that kept running.
    pub(crate) fn adopt_endpoints(&self) {
        for container in self.shared.containers.all() {
            let plugged = container.read(|r| r.state.network.clone());
            if let Some(plugged) = plugged
                && let Err(error) = self.shared.network.bridge().adopt(&plugged.endpoint)
            {
                tracing::warn!(container = %container.id, %error, "its endpoint is not ours any more");
            }
        }
    }

    /// Makes the kernel agree with what is recorded.
    pub(crate) fn reconcile_endpoints(&self) {
        let living: Vec<_> = self
            .shared
            .containers
            .all()
            .iter()
            .filter_map(|c| c.read(|r| r.state.network.as_ref().map(|n| n.endpoint.clone())))
            .collect();
        if let Err(error) = self.shared.network.bridge().reconcile(&living) {
            tracing::warn!(%error, "the bridge could not be put in order");
        }
    }

    /// Sentences for `/info`.
    pub(crate) fn network_warnings(&self) -> Vec<String> {
        self.shared.network.bridge().warnings()
    }

    /// The default bridge's address plan as the API shows it.
    pub(crate) fn bridge_subnet(&self) -> IpamConfig {
        let bridge = self.shared.network.bridge();
        IpamConfig {
            subnet: Some(bridge.subnet().to_string()),
            gateway: Some(bridge.gateway().to_string()),
            ..Default::default()
        }
    }

    /// Writes `hostname`, `hosts` and `resolv.conf` into the container's
    /// directory.
    pub(crate) fn write_network_files(
        &self,
        record: &Record,
        plugged: Option<&Plugged>,
        directory: &Path,
    ) -> Result<()> {
        let network = view::network_name(record);
        let name = record.config.hostname.clone().unwrap_or_default();
        let domain = record
            .config
            .domainname
            .as_deref()
            .filter(|d| !d.is_empty());
        let mut extra = extra_hosts(record)?;
        if network == "bridge" {
            extra.extend(self.linked_hosts(record)?);
        }
        let gateway = IpAddr::V4(self.shared.network.bridge().gateway());
        let addresses: Vec<IpAddr> = plugged
            .iter()
            .map(|p| IpAddr::V4(p.endpoint.address))
            .collect();
        let hosts = if network == "host" {
            let mut text = fs::read_to_string("/etc/hosts").unwrap_or_default();
            for host in &extra {
                let address = host.address.unwrap_or(gateway);
                text.push_str(&format!("{address}\t{}\n", host.name));
            }
            text
        } else {
            files::hosts(&name, domain, &addresses, &extra, Some(gateway))
        };
        write(&directory.join("hosts"), &hosts)?;
        write(&directory.join("hostname"), &files::hostname(&name))?;
        write(
            &directory.join("resolv.conf"),
            &self.resolv_conf(record, &network),
        )
    }

    /// Refuses links to nobody. Clients would take "not found" for the image.
    pub(crate) fn check_links(&self, host: &HostConfig) -> Result<()> {
        for text in host.links.iter().flatten() {
            let (name, _) = link(text);
            self.shared.containers.find(name).map_err(|e| {
                Error::invalid(e.to_string()).context(format!("could not get container for {name}"))
            })?;
        }
        Ok(())
    }

    /// What `--link` writes into `/etc/hosts`: the other's address by its
    /// alias, its host name and its name.
    fn linked_hosts(&self, record: &Record) -> Result<Vec<ExtraHost>> {
        let links = record.host_config.links.iter().flatten();
        links
            .map(|text| {
                let (name, alias) = link(text);
                let other = self.shared.containers.find(name)?.record();
                let Some(plugged) = &other.state.network else {
                    return Err(Error::system(format!(
                        "Cannot link to a non running container: /{} AS /{}/{alias}",
                        other.name, record.name
                    )));
                };
                let hostname = other.config.hostname.as_deref().unwrap_or_default();
                Ok(ExtraHost {
                    name: format!("{alias} {hostname} {}", other.name),
                    address: Some(IpAddr::V4(plugged.endpoint.address)),
                })
            })
            .collect()
    }

    fn resolv_conf(&self, record: &Record, network: &str) -> String {
        let config = self.config();
        let own = |list: &Option<Vec<String>>, default: &[String]| match list.as_deref() {
            None | Some([]) => default.to_vec(),
            Some(list) => list.to_vec(),
        };
        let servers: Vec<String> = config.dns.iter().map(IpAddr::to_string).collect();
        let wanted = DnsOptions {
            servers: own(&record.host_config.dns, &servers)
                .iter()
                .filter_map(|s| s.parse().ok())
                .collect(),
            search: own(&record.host_config.dns_search, &config.dns_search),
            options: own(&record.host_config.dns_options, &config.dns_options),
        };
        let host = fs::read_to_string(files::RESOLV_CONF).unwrap_or_default();
        let nothing_asked =
            wanted.servers.is_empty() && wanted.search.is_empty() && wanted.options.is_empty();
        if network == "host" && nothing_asked {
            return host;
        }
        let host = fs::read_to_string(files::host_file(&host)).unwrap_or(host);
        files::resolv_conf(&host, &wanted, false)
    }
}

/// Refuses what no network of ours can give: there is only the default bridge.
pub(super) fn check(host: &HostConfig, networking: Option<&NetworkingConfig>) -> Result<()> {
    for text in host.extra_hosts.iter().flatten() {
        extra_host(text)?;
    }
    if host.network_mode.as_deref() != Some("bridge") {
        return Ok(());
    }
    let endpoints = networking.and_then(|n| n.endpoints_config.as_ref());
    for settings in endpoints.into_iter().flat_map(|e| e.values()) {
        if settings.aliases.as_ref().is_some_and(|a| !a.is_empty()) {
            return Err(Error::invalid(
                "network-scoped aliases are only supported for user-defined networks",
            ));
        }
        let fixed = settings
            .ipam_config
            .as_ref()
            .is_some_and(|i| i.ipv4_address.as_ref().is_some_and(|a| !a.is_empty()));
        if fixed {
            return Err(Error::invalid(
                "invalid config for network bridge: invalid endpoint settings:\nuser specified \
                 IP address is supported on user defined networks only",
            ));
        }
    }
    Ok(())
}

fn wanted_mac(record: &Record) -> Result<Option<MacAddress>> {
    let endpoints = record
        .networking
        .as_ref()
        .and_then(|n| n.endpoints_config.as_ref());
    let wanted = endpoints
        .into_iter()
        .flat_map(|e| e.values())
        .find_map(|e| e.mac_address.as_deref().filter(|m| !m.is_empty()));
    wanted
        .map(|text| {
            text.parse()
                .map_err(|_| Error::invalid(format!("invalid MAC address: {text}")))
        })
        .transpose()
}

/// Name and alias of a `--link`; the alias is the name where none is given.
fn link(text: &str) -> (&str, &str) {
    let (name, alias) = text.split_once(':').unwrap_or((text, text));
    let alias = alias.rsplit('/').next().unwrap_or(alias);
    (name.trim_start_matches('/'), alias)
}

/// `--add-host`, read.
pub(crate) fn extra_hosts(record: &Record) -> Result<Vec<ExtraHost>> {
    let list = record.host_config.extra_hosts.iter().flatten();
    list.map(|text| extra_host(text)).collect()
}

fn extra_host(text: &str) -> Result<ExtraHost> {
    text.parse()
        .map_err(|e: files::InvalidExtraHost| Error::invalid(e.to_string()))
}

/// Docker gives containers these files readable by all, whatever the umask.
fn write(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |e: std::io::Error| Error::system(format!("{}: {e}", path.display()));
    fs::write(path, text).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).map_err(failed)
}
