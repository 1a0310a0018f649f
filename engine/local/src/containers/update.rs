//! `POST /containers/{id}/update`.

use bollard_stubs::models::{ContainerUpdateBody, ContainerUpdateResponse, HostConfig};
use dhow_model::lifecycle::Request;
use dhow_model::restart;
use oci_spec::runtime::LinuxResources;

use super::record::Record;
use super::{create, prepare};
use crate::db::Commit;
use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    /// Changes limits and restart policy, of a running container at once.
    pub async fn update_container(
        &self,
        name: &str,
        body: ContainerUpdateBody,
    ) -> Result<ContainerUpdateResponse> {
        let container = self.shared.containers.find(name)?;
        let _turn = container.operation.lock().await;
        let status = container.status();
        status
            .permits(Request::Update, container.id.as_str())
            .map_err(Error::of)?;
        let policy = body
            .restart_policy
            .as_ref()
            .filter(|p| p.name.is_some_and(|n| !n.to_string().is_empty()))
            .map(|p| create::restart_policy(Some(p)))
            .transpose()?;
        let record = container.record();
        if policy.is_some_and(|p| p != restart::Policy::No) && record.auto_remove() {
            return Err(Error::invalid(
                "Restart policy cannot be updated because AutoRemove is enabled for the container",
            ));
        }
        let mut changed = record.clone();
        lay_over(&mut changed.host_config, &body)?;
        let support = &self.shared.host.support;
        let warnings = create::check_resources(&mut changed.host_config, support, true)?;
        if status.counts_as_running() {
            let limits = prepare::limits(&changed.host_config)?;
            let unified = self.shared.host.cgroup_version == 2;
            let mut resources = limits.to_oci(Vec::new(), unified);
            if limits.memory_swap < 0 && support.swap_limit {
                lift_swap_limit(&mut resources);
            }
            let shim = container.running_shim()?;
            shim.update(policy, Some(resources))
                .await
                .map_err(|e| e.context(format!("Cannot update container {}", container.id)))?;
        }
        let host_config = changed.host_config;
        container.change(&self.shared.db, Commit::Durable, |r: &mut Record| {
            r.host_config = host_config;
        })?;
        self.container_event(&container, "update", &[]);
        Ok(ContainerUpdateResponse {
            warnings: Some(warnings),
        })
    }
}

/// Has "no limit" written down: a running container may have one.
fn lift_swap_limit(resources: &mut LinuxResources) {
    let mut memory = resources.memory().unwrap_or_default();
    memory.set_swap(Some(-1));
    resources.set_memory(Some(memory));
}

/// Lays the request's values over the container's: 0 and nothing leave what
/// is there, as with dockerd.
fn lay_over(host: &mut HostConfig, body: &ContainerUpdateBody) -> Result<()> {
    let nano = body.nano_cpus.unwrap_or(0) > 0;
    let has_period = host.cpu_period.unwrap_or(0) > 0 || host.cpu_quota.unwrap_or(0) > 0;
    if nano && has_period {
        return Err(Error::invalid(
            "Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set",
        ));
    }
    let asks_period = body.cpu_period.unwrap_or(0) > 0 || body.cpu_quota.unwrap_or(0) > 0;
    if asks_period && host.nano_cpus.unwrap_or(0) > 0 {
        return Err(Error::invalid(
            "Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set",
        ));
    }
    let numbers = [
        (&mut host.cpu_shares, body.cpu_shares),
        (&mut host.memory, body.memory),
        (&mut host.memory_swap, body.memory_swap),
        (&mut host.memory_reservation, body.memory_reservation),
        (&mut host.cpu_period, body.cpu_period),
        (&mut host.cpu_quota, body.cpu_quota),
        (&mut host.nano_cpus, body.nano_cpus),
        (&mut host.cpu_realtime_period, body.cpu_realtime_period),
        (&mut host.cpu_realtime_runtime, body.cpu_realtime_runtime),
    ];
    for (own, new) in numbers {
        if let Some(new) = new.filter(|n| *n != 0) {
            *own = Some(new);
        }
    }
    for (own, new) in [
        (&mut host.cpuset_cpus, &body.cpuset_cpus),
        (&mut host.cpuset_mems, &body.cpuset_mems),
    ] {
        if let Some(new) = new.as_ref().filter(|n| !n.is_empty()) {
            *own = Some(new.clone());
        }
    }
    if let Some(weight) = body.blkio_weight.filter(|w| *w != 0) {
        host.blkio_weight = Some(weight);
    }
    if let Some(pids) = body.pids_limit {
        // -1 and 0 take the limit away; not to say it would leave it.
        host.pids_limit = Some(pids.max(0));
    }
    if let Some(policy) = &body.restart_policy
        && policy.name.is_some_and(|n| !n.to_string().is_empty())
    {
        host.restart_policy = Some(policy.clone());
    }
    let (memory, swap) = (host.memory.unwrap_or(0), host.memory_swap.unwrap_or(0));
    if memory > 0 && swap > 0 && swap < memory {
        return Err(Error::invalid(
            "Memory limit should be smaller than already set memoryswap limit, update the \
             memoryswap at the same time",
        ));
    }
    Ok(())
}
