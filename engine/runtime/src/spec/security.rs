//! The words of `--security-opt`, and which paths are hidden from containers.

use dhow_model::{ErrorKind, HasKind};
use serde::{Deserialize, Serialize};

/// What `--security-opt` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecurityOptions {
    /// Programs gain nothing by setuid bits.
    pub no_new_privileges: bool,
    /// The cgroup tree can be written.
    pub writable_cgroups: Option<bool>,
    /// An AppArmor profile's name.
    pub apparmor: Option<String>,
    /// `unconfined`, `builtin`, or the text of a profile.
    pub seccomp: Option<String>,
    /// SELinux labels.
    pub labels: Vec<String>,
}

/// A word that cannot be used, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecurityOption {
    /// Not of the form `name=value`.
    #[error("invalid --security-opt 1: {0:?}")]
    Form(String),
    /// No such name, or a wrong value.
    #[error("invalid --security-opt 2: {0:?}")]
    Word(String),
}

impl HasKind for InvalidSecurityOption {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl SecurityOptions {
    /// Reads the API's list; `no_new_privileges` is the engine's default.
    pub fn parse(
        options: &[String],
        no_new_privileges: bool,
    ) -> Result<Self, InvalidSecurityOption> {
        let mut parsed = Self {
            no_new_privileges,
            ..Self::default()
        };
        for option in options {
            let wrong = || InvalidSecurityOption::Word(option.clone());
            match option.as_str() {
                "no-new-privileges" => parsed.no_new_privileges = true,
                "writable-cgroups" => parsed.writable_cgroups = Some(true),
                "disable" => parsed.labels.push("disable".to_owned()),
                _ => {
                    let (name, value) =
                        option
                            .split_once('=')
                            .or_else(|| option.split_once(':'))
                            .ok_or_else(|| InvalidSecurityOption::Form(option.clone()))?;
                    match name {
                        "label" => parsed.labels.push(value.to_owned()),
                        "apparmor" => parsed.apparmor = Some(value.to_owned()),
                        "seccomp" => parsed.seccomp = Some(value.to_owned()),
                        "no-new-privileges" => {
                            parsed.no_new_privileges = boolean(value).ok_or_else(wrong)?;
                        }
                        "writable-cgroups" => {
                            parsed.writable_cgroups = Some(boolean(value).ok_or_else(wrong)?);
                        }
                        _ => return Err(wrong()),
                    }
                }
            }
        }
        Ok(parsed)
    }
}

/// Paths that look empty in a container that is not privileged. Further ones,
/// such as the processors' `thermal_throttle`, are the caller's to find.
pub const MASKED_PATHS: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];

/// Paths that cannot be written in a container that is not privileged.
pub const READONLY_PATHS: &[&str] = &[
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// The words Go's `ParseBool` takes.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(options: &[&str]) -> Result<SecurityOptions, InvalidSecurityOption> {
        let options: Vec<String> = options.iter().map(|option| option.to_string()).collect();
        SecurityOptions::parse(&options, false)
    }

    #[test]
    fn words_are_read() {
        let parsed = parse(&[
            "no-new-privileges",
            "apparmor=x",
            "seccomp=unconfined",
            "label:disable",
        ]);
        let parsed = parsed.unwrap();
        assert!(parsed.no_new_privileges);
        assert_eq!(parsed.apparmor.as_deref(), Some("x"));
        assert_eq!(parsed.seccomp.as_deref(), Some("unconfined"));
        assert_eq!(parsed.labels, ["disable"]);
        assert!(
            !parse(&["no-new-privileges=false"])
                .unwrap()
                .no_new_privileges
        );
        assert_eq!(
            parse(&["writable-cgroups=1"]).unwrap().writable_cgroups,
            Some(true)
        );
        let profile = r#"seccomp={"defaultAction":"SCMP_ACT_ALLOW"}"#;
        assert!(parse(&[profile]).unwrap().seccomp.unwrap().starts_with('{'));
    }

    #[test]
    fn other_words_are_refused() {
        let refuse = |option: &str, message: &str| {
            assert_eq!(parse(&[option]).unwrap_err().to_string(), message);
        };
        refuse("nonsense", "invalid --security-opt 1: \"nonsense\"");
        refuse("color=red", "invalid --security-opt 2: \"color=red\"");
        refuse(
            "no-new-privileges=maybe",
            "invalid --security-opt 2: \"no-new-privileges=maybe\"",
        );
    }
}
