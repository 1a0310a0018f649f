//! `GET /containers/{id}/json`.

use std::collections::HashMap;

use bollard_stubs::models::{ContainerInspectResponse, DriverData, NetworkSettings};
use bollard_stubs::query_parameters::InspectContainerOptions;

use super::ContainerExit;
use super::container::Container;
use super::view;
use crate::{LocalEngine, Result};

impl LocalEngine {
    /// Everything about one container; sizes when `options.size`.
    pub async fn inspect_container(
        &self,
        name: &str,
        options: Option<InspectContainerOptions>,
    ) -> Result<ContainerInspectResponse> {
        let container = self.shared.containers.find(name)?;
        let mut answer = self.inspection(&container);
        if options.is_some_and(|o| o.size) {
            let (own, whole) = self.sizes(&container).await?;
            answer.size_rw = Some(own);
            answer.size_root_fs = Some(whole);
        }
        Ok(answer)
    }

    /// How the container's last run ended, with what Docker's answers have no
    /// field for.
    pub fn container_exit(&self, name: &str) -> Result<ContainerExit> {
        let container = self.shared.containers.find(name)?;
        Ok(container.read(|record| ContainerExit {
            exit_code: record.state.exit_code,
            oom_killed: record.state.oom_killed,
            memory_peak: record.state.memory_peak,
        }))
    }

    fn inspection(&self, container: &Container) -> ContainerInspectResponse {
        let record = container.record();
        let directory = container.directory(&self.config().data_root);
        let file = |name: &str| Some(directory.join(name).display().to_string());
        let network = record.state.network.as_ref();
        let has_files = record.state.started_at != 0;
        let sandbox = network.map(|n| n.sandbox.to_string()).unwrap_or_default();
        let exec_ids = container
            .running_execs()
            .into_iter()
            .map(|id| id.to_string())
            .collect::<Vec<_>>();
        let layers = self.layer_directories(&record);
        ContainerInspectResponse {
            id: Some(record.id.to_string()),
            created: Some(view::time(record.created)),
            path: Some(record.path.clone()),
            args: Some(record.args.clone()),
            state: Some(view::state(&record.state)),
            image: Some(record.image.to_string()),
            resolv_conf_path: if has_files {
                file("resolv.conf")
            } else {
                Some(String::new())
            },
            hostname_path: if has_files {
                file("hostname")
            } else {
                Some(String::new())
            },
            hosts_path: if has_files {
                file("hosts")
            } else {
                Some(String::new())
            },
            log_path: match super::logs::driver(&record) {
                "json-file" => file(&format!("{}-json.log", record.id)),
                _ => Some(String::new()),
            },
            name: Some(format!("/{}", record.name)),
            restart_count: Some(record.state.restart_count as i64),
            driver: Some("overlay2".to_owned()),
            platform: Some("linux".to_owned()),
            mount_label: Some(String::new()),
            process_label: Some(String::new()),
            app_armor_profile: super::prepare::app_armor_profile(&record, &self.shared.host)
                .or(Some(String::new())),
            exec_ids: (!exec_ids.is_empty()).then_some(exec_ids),
            graph_driver: Some(DriverData {
                name: "overlay2".to_owned(),
                data: HashMap::from([
                    ("ID".to_owned(), record.id.to_string()),
                    ("LowerDir".to_owned(), layers.join(":")),
                    (
                        "UpperDir".to_owned(),
                        directory.join("upper").display().to_string(),
                    ),
                    (
                        "WorkDir".to_owned(),
                        directory.join("work").display().to_string(),
                    ),
                    (
                        "MergedDir".to_owned(),
                        directory.join("merged").display().to_string(),
                    ),
                ]),
            }),
            mounts: Some(view::mounts(&record)),
            network_settings: Some(NetworkSettings {
                sandbox_key: Some(match record.state.pid {
                    Some(pid) if network.is_some() => format!("/proc/{pid}/ns/net"),
                    _ => String::new(),
                }),
                sandbox_id: Some(sandbox),
                ports: Some(view::port_map(&record)),
                networks: Some(view::networks(&record, &self.shared.network_ids)),
            }),
            host_config: Some(record.host_config),
            config: Some(record.config),
            ..Default::default()
        }
    }
}
