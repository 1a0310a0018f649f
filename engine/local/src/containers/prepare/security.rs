//! `--security-opt`, read.

use bollard_stubs::models::HostConfig;
use dhow_runtime::spec::capability;
use dhow_runtime::spec::seccomp::{self, Seccomp};
use dhow_runtime::spec::security::SecurityOptions;

use crate::system::host::Host;
use crate::{Error, Result};

/// The options of a container. `systempaths` is the client's affair: it sends
/// the paths.
pub(super) fn options(host: &HostConfig) -> Result<SecurityOptions> {
    let list: Vec<String> = host
        .security_opt
        .iter()
        .flatten()
        .filter(|option| !option.starts_with("systempaths="))
        .cloned()
        .collect();
    SecurityOptions::parse(&list, false).map_err(Error::of)
}

/// Refuses options, profiles and capabilities nobody knows or nobody has.
pub(in crate::containers) fn check(host: &HostConfig, machine: &Host) -> Result<()> {
    let options = options(host)?;
    if let Some(text) = options.seccomp.as_deref()
        && !matches!(text, "unconfined" | "builtin")
    {
        seccomp::check(text).map_err(Error::of)?;
    }
    if let Some(profile) = options.apparmor.as_deref()
        && !machine.has_app_armor
        && !matches!(profile, "" | "unconfined")
    {
        return Err(Error::invalid(format!(
            "AppArmor is not enabled on this host, cannot use profile {profile:?}"
        )));
    }
    let words = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let available = machine.for_specs().capabilities;
    capability::parse(&words(&host.cap_add), &available)
        .map_err(|e| Error::of(e).context("invalid CapAdd"))?;
    // What the engine lacks can be dropped all the same.
    capability::parse(&words(&host.cap_drop), &capability::ALL)
        .map_err(|e| Error::of(e).context("invalid CapDrop"))?;
    Ok(())
}

/// What to tell somebody who asks for everything where root has less.
pub(in crate::containers) fn warnings(host: &HostConfig, machine: &Host) -> Vec<String> {
    let all = |words: &Option<Vec<String>>| {
        let mut words = words.iter().flatten();
        words.any(|w| w.eq_ignore_ascii_case("all"))
    };
    let what = match host.privileged {
        Some(true) => "a privileged container",
        _ if all(&host.cap_add) => "all capabilities",
        _ => return Vec::new(),
    };
    let available = machine.for_specs().capabilities;
    let known = std::fs::read_to_string("/proc/sys/kernel/cap_last_cap");
    let known = known
        .ok()
        .and_then(|last| last.trim().parse::<usize>().ok());
    let missing: Vec<String> = capability::ALL
        .iter()
        .take(known.map_or(usize::MAX, |last| last + 1))
        .filter(|c| !available.contains(c))
        .map(|c| capability::name(*c))
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    let missing = missing.join(", ");
    vec![format!(
        "The engine itself lacks {missing} on this host, so {what} has to do without."
    )]
}

/// The filter of system calls.
pub(super) fn seccomp(options: &SecurityOptions, kernel_has_it: bool) -> Seccomp {
    match options.seccomp.as_deref() {
        _ if !kernel_has_it => Seccomp::Unconfined,
        Some("unconfined") => Seccomp::Unconfined,
        None | Some("builtin" | "") => Seccomp::Default,
        Some(text) => Seccomp::Profile(text.to_owned()),
    }
}
