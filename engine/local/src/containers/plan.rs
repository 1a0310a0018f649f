//! From a container's record to what its shim is told: the OCI spec and the
//! shim's configuration.

use bollard_stubs::models::HostConfig;
use dhow_model::health;

use super::record::{Plugged, Record};
use super::start::Plan;
use crate::{Error, LocalEngine, Result};

impl LocalEngine {
    pub(super) fn plan(&self, _record: &Record, _plugged: Option<&Plugged>) -> Result<Plan> {
        Err(Error::system("not written yet"))
    }

    pub(super) fn exec_process(
        &self,
        _exec: &super::exec::Exec,
        _console: Option<dhow_runtime::protocol::Console>,
    ) -> Result<oci_spec::runtime::Process> {
        Err(Error::system("not written yet"))
    }
}

/// The container's health check, where it has one.
pub(super) fn probe(record: &Record) -> Option<health::Probe> {
    let check = record.config.healthcheck.as_ref()?;
    super::create::health_config(check).probe(record.config.shell.as_deref().unwrap_or_default())
}

/// Refuses security options nobody knows.
pub(super) fn check_security(_host: &HostConfig) -> Result<()> {
    Ok(())
}

/// The AppArmor profile it runs under, where the host has AppArmor.
pub(super) fn app_armor_profile(_record: &Record) -> Option<&str> {
    None
}
