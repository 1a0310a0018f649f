//! Networks as far as they are there: the three built-in ones.

use std::collections::HashMap;

use bollard_stubs::models::*;
use bollard_stubs::query_parameters::*;
use dhow_model::Filters;

use crate::containers::view;
use crate::{Error, LocalEngine, Result};

const BUILT_IN: [(&str, &str); 3] = [("bridge", "bridge"), ("host", "host"), ("none", "null")];

impl LocalEngine {
    /// The networks that pass the filters.
    pub async fn list_networks(
        &self,
        options: Option<ListNetworksOptions>,
    ) -> Result<Vec<NetworkInspect>> {
        let filters = Filters::from_map(options.and_then(|o| o.filters).unwrap_or_default());
        filters
            .validate(&["dangling", "driver", "id", "label", "name", "scope", "type"])
            .map_err(Error::of)?;
        let dangling = filters.boolean("dangling", false).map_err(Error::of)?;
        let list = BUILT_IN
            .iter()
            .map(|(name, driver)| self.describe(name, driver, false));
        Ok(list
            .filter(|network| {
                let text = |t: &Option<String>| t.clone().unwrap_or_default();
                filters.matches_pattern("name", &text(&network.name))
                    && filters.matches_prefix("id", &text(&network.id))
                    && filters.matches_exactly("driver", &text(&network.driver))
                    && filters.matches_exactly("scope", "local")
                    && filters.matches_exactly("type", "builtin")
                    && filters.matches_labels("label", &HashMap::new())
                    // The built-in ones are never called dangling.
                    && !dangling
            })
            .collect())
    }

    /// One network, by name or the beginning of its id.
    pub async fn inspect_network(
        &self,
        name: &str,
        _options: Option<InspectNetworkOptions>,
    ) -> Result<NetworkInspect> {
        let found = BUILT_IN.iter().find(|(n, _)| *n == name).or_else(|| {
            BUILT_IN
                .iter()
                .find(|(n, _)| !name.is_empty() && self.shared.network_ids.of(n).starts_with(name))
        });
        match found {
            Some((name, driver)) => Ok(self.describe(name, driver, true)),
            None => Err(Error::not_found(format!("network {name} not found"))),
        }
    }

    /// Nothing to prune: the built-in networks stay.
    pub async fn prune_networks(
        &self,
        options: Option<PruneNetworksOptions>,
    ) -> Result<NetworkPruneResponse> {
        let filters = Filters::from_map(options.and_then(|o| o.filters).unwrap_or_default());
        filters
            .validate(&["label", "label!", "until"])
            .map_err(Error::of)?;
        Ok(NetworkPruneResponse {
            networks_deleted: None,
        })
    }

    fn describe(&self, name: &str, driver: &str, with_containers: bool) -> NetworkInspect {
        let mut containers = HashMap::new();
        if with_containers {
            for container in self.shared.containers.all() {
                let record = container.record();
                if view::network_name(&record) != name || !record.state.status.counts_as_running() {
                    continue;
                }
                let endpoint = record.state.network.as_ref().map(|n| &n.endpoint);
                containers.insert(
                    record.id.to_string(),
                    EndpointResource {
                        name: Some(record.name.clone()),
                        endpoint_id: Some(endpoint.map(|e| e.id.clone()).unwrap_or_default()),
                        mac_address: Some(endpoint.map(|e| e.mac.to_string()).unwrap_or_default()),
                        ipv4_address: Some(
                            endpoint
                                .map(|e| format!("{}/{}", e.address, e.prefix))
                                .unwrap_or_default(),
                        ),
                        ipv6_address: Some(String::new()),
                    },
                );
            }
        }
        let bridge = name == "bridge";
        NetworkInspect {
            name: Some(name.to_owned()),
            id: Some(self.shared.network_ids.of(name)),
            created: Some(view::time(self.shared.created)),
            scope: Some("local".to_owned()),
            driver: Some(driver.to_owned()),
            enable_ipv4: Some(true),
            enable_ipv6: Some(false),
            ipam: Some(Ipam {
                driver: Some("default".to_owned()),
                config: Some(if bridge {
                    vec![self.bridge_subnet()]
                } else {
                    Vec::new()
                }),
                options: None,
            }),
            internal: Some(false),
            attachable: Some(false),
            ingress: Some(false),
            config_from: Some(ConfigReference {
                network: Some(String::new()),
            }),
            config_only: Some(false),
            options: Some(if bridge {
                self.bridge_options()
            } else {
                HashMap::new()
            }),
            labels: Some(HashMap::new()),
            containers: Some(containers),
            ..Default::default()
        }
    }

    fn bridge_options(&self) -> HashMap<String, String> {
        let config = self.config();
        [
            (
                "com.docker.network.bridge.default_bridge",
                "true".to_owned(),
            ),
            ("com.docker.network.bridge.enable_icc", "true".to_owned()),
            (
                "com.docker.network.bridge.enable_ip_masquerade",
                "true".to_owned(),
            ),
            (
                "com.docker.network.bridge.host_binding_ipv4",
                config.publish_address.to_string(),
            ),
            ("com.docker.network.bridge.name", config.bridge.clone()),
            ("com.docker.network.driver.mtu", config.mtu.to_string()),
        ]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v))
        .collect()
    }
}
