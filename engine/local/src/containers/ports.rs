//! Which ports a container publishes: `-p`, `-P` and exposed ports, in the
//! words of the network crate. Pure.

use bollard_stubs::models::{ContainerConfig, HostConfig};
use dhow_model::port::{Port, PortSpec, Proto};
use dhow_network::{PortRequest, Protocol};

use super::view::with_protocol;
use crate::{Error, Result};

/// Refuses ports that are none.
pub(crate) fn check(config: &ContainerConfig, host: &HostConfig) -> Result<()> {
    for port in config.exposed_ports.iter().flatten() {
        Port::parse_range(port)
            .map_err(|_| Error::invalid(format!("invalid port specification: {port:?}")))?;
    }
    requests(config, host).map(|_| ())
}

/// The ports to publish, in order of the container's ports.
pub(crate) fn requests(config: &ContainerConfig, host: &HostConfig) -> Result<Vec<PortRequest>> {
    let mut specs: Vec<PortSpec> = Vec::new();
    for (port, bindings) in host.port_bindings.iter().flatten() {
        let ports = Port::parse_range(port)
            .map_err(|_| Error::invalid(format!("invalid port specification: {port:?}")))?;
        for port in ports {
            if port.number == 0 {
                return Err(Error::invalid(format!(
                    "invalid port specification: {:?}",
                    port.to_string()
                )));
            }
            match bindings.as_deref() {
                None | Some([]) => specs.push(PortSpec {
                    container: port,
                    address: None,
                    host: None,
                }),
                Some(bindings) => {
                    for binding in bindings {
                        let address = binding.host_ip.as_deref().unwrap_or_default();
                        let outside = binding.host_port.as_deref().unwrap_or_default();
                        // 0 and nothing both mean: any.
                        let outside = if outside == "0" { "" } else { outside };
                        specs.push(
                            PortSpec::from_binding(port, address, outside)
                                .map_err(|e| binding_error(e, address, outside))?,
                        );
                    }
                }
            }
        }
    }
    if host.publish_all_ports == Some(true) {
        for port in config.exposed_ports.iter().flatten() {
            let ports = Port::parse_range(&with_protocol(port))
                .map_err(|_| Error::invalid(format!("invalid port specification: {port:?}")))?;
            for port in ports {
                if !specs.iter().any(|s| s.container == port) {
                    specs.push(PortSpec {
                        container: port,
                        address: None,
                        host: None,
                    });
                }
            }
        }
    }
    specs.sort_by_key(|s| s.container);
    Ok(specs.into_iter().map(request).collect())
}

fn request(spec: PortSpec) -> PortRequest {
    PortRequest {
        protocol: match spec.container.proto {
            Proto::Tcp => Protocol::Tcp,
            Proto::Udp => Protocol::Udp,
            Proto::Sctp => Protocol::Sctp,
        },
        container_port: spec.container.number,
        // The unspecified IPv4 address is what "everywhere" is written as.
        host_address: spec.address,
        host_ports: spec.host.map(|range| range.start..=range.end),
    }
}

fn binding_error(error: dhow_model::port::InvalidPort, address: &str, port: &str) -> Error {
    match error {
        dhow_model::port::InvalidPort::Host(_) => {
            Error::invalid(format!("invalid port specification: {port:?}"))
        }
        dhow_model::port::InvalidPort::Address(_) => {
            Error::invalid(format!("invalid IP address: {address}"))
        }
        other => Error::of(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard_stubs::models::PortBinding;

    fn bindings(list: &[(&str, &str, &str)]) -> HostConfig {
        let mut host = HostConfig::default();
        let map = host.port_bindings.get_or_insert_default();
        for (port, ip, public) in list {
            map.entry(port.to_string())
                .or_default()
                .get_or_insert_default()
                .push(PortBinding {
                    host_ip: Some(ip.to_string()),
                    host_port: Some(public.to_string()),
                });
        }
        host
    }

    #[test]
    fn ranges_addresses_and_random_ports() {
        let host = bindings(&[("80/tcp", "127.0.0.1", "8000-8010"), ("53/udp", "", "0")]);
        let list = requests(&ContainerConfig::default(), &host).unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].container_port, 53);
        assert_eq!(list[0].host_ports, None);
        assert_eq!(list[1].host_ports, Some(8000..=8010));
    }

    #[test]
    fn publish_all_leaves_what_is_bound_already() {
        let mut host = bindings(&[("80/tcp", "", "8080")]);
        host.publish_all_ports = Some(true);
        let config = ContainerConfig {
            exposed_ports: Some(vec!["80/tcp".into(), "443".into()]),
            ..Default::default()
        };
        let list = requests(&config, &host).unwrap();
        assert_eq!(list.len(), 2);
    }

    #[test]
    fn nonsense_is_named() {
        let error = check(
            &ContainerConfig::default(),
            &bindings(&[("80/tcp", "", "x")]),
        );
        assert_eq!(
            error.unwrap_err().to_string(),
            "invalid port specification: \"x\""
        );
    }
}
