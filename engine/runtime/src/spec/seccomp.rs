//! System call filters: profiles in Docker's format, with rules that depend on
//! architecture, kernel and capabilities, made into the OCI spec's filter.
//!
//! `seccomp-default.json` holds the rules of Docker's default profile (the
//! `moby/profiles` project, Apache-2.0).

use dhow_model::{ErrorKind, HasKind};
use oci_spec::runtime::{
    Arch, Capability, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompArgBuilder,
    LinuxSeccompBuilder, LinuxSeccompFilterFlag, LinuxSeccompOperator, LinuxSyscall,
};
use serde::{Deserialize, Deserializer, Serialize};

use super::capability;

/// Which filter a container gets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seccomp {
    /// Docker's default profile.
    #[default]
    Default,
    /// None.
    Unconfined,
    /// The text of a profile.
    Profile(String),
}

/// What the rules of a profile depend on.
#[derive(Debug, Clone, Copy)]
pub struct Conditions<'a> {
    /// In Go's spelling: `amd64`, `arm64`.
    pub architecture: &'a str,
    /// The kernel's first two numbers.
    pub kernel: (u32, u32),
    /// What the container has.
    pub capabilities: &'a [Capability],
}

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidProfile {
    /// No JSON, or not of the form.
    #[error("Decoding seccomp profile failed")]
    Json(#[from] serde_json::Error),
    /// Two ways of saying it.
    #[error(
        "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'"
    )]
    Architectures,
    /// Two ways of saying it.
    #[error(
        "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'"
    )]
    Names,
}

impl HasKind for InvalidProfile {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl Seccomp {
    /// The filter, or `None` where everything is allowed.
    pub fn filter(
        &self,
        conditions: Conditions<'_>,
    ) -> Result<Option<LinuxSeccomp>, InvalidProfile> {
        match self {
            Self::Unconfined => Ok(None),
            Self::Default => convert(DEFAULT, conditions),
            Self::Profile(text) => convert(text, conditions),
        }
    }
}

/// Whether a text is a profile, before any container depends on it.
pub fn check(text: &str) -> Result<(), InvalidProfile> {
    let profile: Profile = serde_json::from_str(text)?;
    profile.check()
}

const DEFAULT: &str = include_str!("seccomp-default.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: Option<LinuxSeccompAction>,
    default_errno_ret: Option<u32>,
    #[serde(default, deserialize_with = "nullable")]
    architectures: Vec<Arch>,
    #[serde(default, deserialize_with = "nullable")]
    arch_map: Vec<ArchEntry>,
    #[serde(default, deserialize_with = "nullable")]
    flags: Vec<LinuxSeccompFilterFlag>,
    listener_path: Option<String>,
    listener_metadata: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    syscalls: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchEntry {
    architecture: Arch,
    #[serde(default, deserialize_with = "nullable")]
    sub_architectures: Vec<Arch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    names: Vec<String>,
    action: LinuxSeccompAction,
    errno_ret: Option<u32>,
    #[serde(default, deserialize_with = "nullable")]
    args: Vec<LinuxSeccompArg>,
    includes: Option<Filter>,
    excludes: Option<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(default, deserialize_with = "nullable")]
    caps: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    arches: Vec<String>,
    min_kernel: Option<KernelVersion>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct KernelVersion(Option<(u32, u32)>);

impl TryFrom<String> for KernelVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let parsed = text
            .split_once('.')
            .and_then(|(kernel, major)| Some((kernel.parse().ok()?, major.parse().ok()?)));
        match parsed {
            Some((0, 0)) | None => Err(format!(
                "invalid kernel version: {text:?}, expected \"<kernel>.<major>\""
            )),
            version => Ok(Self(version)),
        }
    }
}

fn convert(text: &str, conditions: Conditions<'_>) -> Result<Option<LinuxSeccomp>, InvalidProfile> {
    let profile: Profile = serde_json::from_str(text)?;
    profile.check()?;
    if profile.default_action.is_none() && profile.syscalls.is_empty() {
        return Ok(None);
    }
    let mut architectures = profile.architectures;
    if let Some(native) = native_arch(conditions.architecture) {
        let entry = profile
            .arch_map
            .into_iter()
            .find(|entry| entry.architecture == native);
        if let Some(entry) = entry {
            architectures.push(entry.architecture);
            architectures.extend(entry.sub_architectures);
        }
    }
    let rules = profile.syscalls.into_iter().filter(|rule| {
        rule.includes
            .as_ref()
            .is_none_or(|filter| filter.all(conditions))
            && !rule
                .excludes
                .as_ref()
                .is_some_and(|filter| filter.any(conditions))
    });
    let mut filter = LinuxSeccompBuilder::default()
        .default_action(profile.default_action.unwrap_or_default())
        .syscalls(rules.map(Rule::into_oci).collect::<Vec<_>>())
        .build()
        .expect("every field has a default");
    filter
        .set_default_errno_ret(profile.default_errno_ret)
        .set_architectures((!architectures.is_empty()).then_some(architectures))
        .set_flags((!profile.flags.is_empty()).then_some(profile.flags))
        .set_listener_path(profile.listener_path.map(Into::into))
        .set_listener_metadata(profile.listener_metadata);
    Ok(Some(filter))
}

impl Profile {
    fn check(&self) -> Result<(), InvalidProfile> {
        if !self.architectures.is_empty() && !self.arch_map.is_empty() {
            return Err(InvalidProfile::Architectures);
        }
        let both = |rule: &Rule| !rule.name.is_empty() && !rule.names.is_empty();
        if self.syscalls.iter().any(both) {
            return Err(InvalidProfile::Names);
        }
        Ok(())
    }
}

impl Filter {
    /// Whether everything named holds.
    fn all(&self, conditions: Conditions<'_>) -> bool {
        (self.arches.is_empty() || self.names_arch(conditions))
            && self.caps.iter().all(|name| has(conditions, name))
            && self.kernel().is_none_or(|least| conditions.kernel >= least)
    }

    /// Whether anything named holds.
    fn any(&self, conditions: Conditions<'_>) -> bool {
        self.names_arch(conditions)
            || self.caps.iter().any(|name| has(conditions, name))
            || self
                .kernel()
                .is_some_and(|least| conditions.kernel >= least)
    }

    fn names_arch(&self, conditions: Conditions<'_>) -> bool {
        self.arches
            .iter()
            .any(|arch| arch == profile_arch(conditions.architecture))
    }

    fn kernel(&self) -> Option<(u32, u32)> {
        self.min_kernel.and_then(|version| version.0)
    }
}

impl Rule {
    fn into_oci(self) -> LinuxSyscall {
        let names = match self.name.is_empty() {
            true => self.names,
            false => vec![self.name],
        };
        let args: Vec<LinuxSeccompArg> = self.args.into_iter().map(operands).collect();
        let mut syscall = LinuxSyscall::default();
        syscall
            .set_names(names)
            .set_action(self.action)
            .set_errno_ret(self.errno_ret)
            .set_args((!args.is_empty()).then_some(args));
        syscall
    }
}

/// A masked comparison has the mask first and the result second. The runtime
/// the shim uses (libcontainer 0.7) reads them the other way round, which would
/// turn the rule that forbids new namespaces into one that is always true. So
/// they are swapped here.
fn operands(arg: LinuxSeccompArg) -> LinuxSeccompArg {
    if arg.op() != LinuxSeccompOperator::ScmpCmpMaskedEq {
        return arg;
    }
    let (mask, result) = (arg.value(), arg.value_two().unwrap_or(0));
    LinuxSeccompArgBuilder::default()
        .index(arg.index())
        .op(arg.op())
        .value(result)
        .value_two(mask)
        .build()
        .expect("every field has a default")
}

fn has(conditions: Conditions<'_>, name: &str) -> bool {
    let mut held = conditions.capabilities.iter();
    held.any(|held| capability::name(*held) == name)
}

/// The names that rules use for architectures; most are Go's.
fn profile_arch(architecture: &str) -> &str {
    match architecture {
        "386" => "x86",
        "loong64" => "loongarch64",
        other => other,
    }
}

fn native_arch(architecture: &str) -> Option<Arch> {
    Some(match architecture {
        "386" => Arch::ScmpArchX86,
        "amd64" => Arch::ScmpArchX86_64,
        "arm" => Arch::ScmpArchArm,
        "arm64" => Arch::ScmpArchAarch64,
        "loong64" => Arch::ScmpArchLoongarch64,
        "ppc64le" => Arch::ScmpArchPpc64le,
        "riscv64" => Arch::ScmpArchRiscv64,
        "s390x" => Arch::ScmpArchS390x,
        _ => return None,
    })
}

/// Profiles made by Go programs have `null` for an empty list.
fn nullable<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(capabilities: &[Capability]) -> Conditions<'_> {
        Conditions {
            architecture: "amd64",
            kernel: (6, 1),
            capabilities,
        }
    }

    fn default_filter(capabilities: &[Capability]) -> LinuxSeccomp {
        let filter = Seccomp::Default.filter(conditions(capabilities));
        filter.unwrap().unwrap()
    }

    fn rules<'a>(filter: &'a LinuxSeccomp, name: &str) -> Vec<&'a LinuxSyscall> {
        let rules = filter.syscalls().as_ref().unwrap().iter();
        rules
            .filter(|rule| rule.names().iter().any(|n| n == name))
            .collect()
    }

    #[test]
    fn the_default_profile_denies_what_is_not_named() {
        let filter = default_filter(&capability::DEFAULT);
        assert_eq!(filter.default_action(), LinuxSeccompAction::ScmpActErrno);
        assert_eq!(
            filter.architectures().as_deref(),
            Some(&[Arch::ScmpArchX86_64, Arch::ScmpArchX86, Arch::ScmpArchX32][..])
        );
        assert_eq!(rules(&filter, "read").len(), 1);
        assert!(rules(&filter, "mount").is_empty());
        assert!(rules(&filter, "kexec_load").is_empty());
        assert_eq!(rules(&filter, "chroot").len(), 1);
        assert_eq!(rules(&filter, "arch_prctl").len(), 1);
        assert!(rules(&filter, "riscv_flush_icache").is_empty());
    }

    #[test]
    fn new_namespaces_need_a_capability() {
        let plain = default_filter(&capability::DEFAULT);
        let clone = rules(&plain, "clone");
        let arg = clone[0].args().as_ref().unwrap()[0];
        // Swapped for the runtime: the result, then the mask.
        assert_eq!((arg.value(), arg.value_two()), (0, Some(0x7e02_0000)));
        assert_eq!(rules(&plain, "clone3")[0].errno_ret(), Some(38));
        let admin = default_filter(&[Capability::SysAdmin]);
        assert!(
            rules(&admin, "clone")
                .iter()
                .all(|rule| rule.args().is_none())
        );
        assert_eq!(rules(&admin, "mount").len(), 1);
    }

    #[test]
    fn rules_depend_on_the_kernel() {
        let old = Conditions {
            kernel: (4, 7),
            ..conditions(&[])
        };
        let old = Seccomp::Default.filter(old).unwrap().unwrap();
        assert!(rules(&old, "ptrace").is_empty());
        assert_eq!(rules(&default_filter(&[]), "ptrace").len(), 1);
    }

    #[test]
    fn own_profiles_are_converted() {
        let filter =
            |text: &str| Seccomp::Profile(text.to_owned()).filter(conditions(&[Capability::Chown]));
        assert_eq!(filter("{}").unwrap(), None);
        let own = filter(
            r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],
                "flags":["SECCOMP_FILTER_FLAG_LOG"],
                "syscalls":[
                  {"name":"chmod","action":"SCMP_ACT_ERRNO","args":null},
                  {"names":["chown"],"action":"SCMP_ACT_ERRNO","args":[],
                   "excludes":{"caps":["CAP_CHOWN"]}},
                  {"names":["kill"],"action":"SCMP_ACT_ERRNO","includes":{"minKernel":"99.0"}}]}"#,
        )
        .unwrap()
        .unwrap();
        assert_eq!(own.syscalls().as_ref().unwrap().len(), 1);
        let rule = rules(&own, "chmod")[0];
        assert_eq!((rule.names().len(), rule.args()), (1, &None));
        assert_eq!(Seccomp::Unconfined.filter(conditions(&[])).unwrap(), None);
    }

    #[test]
    fn wrong_profiles_are_refused() {
        let refuse = |text: &str, part: &str| {
            let error = check(text).expect_err(text);
            let message = dhow_model::error::chain(&error);
            assert!(message.contains(part), "{message}");
        };
        refuse("{", "Decoding seccomp profile failed: EOF");
        refuse(r#"{"defaultAction":"SCMP_ACT_FLY"}"#, "unknown variant");
        refuse(
            r#"{"architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86"}]}"#,
            "both 'architectures' and 'archMap'",
        );
        refuse(
            r#"{"syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_ALLOW"}]}"#,
            "both 'name' and 'names'",
        );
        refuse(
            r#"{"syscalls":[{"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4"}}]}"#,
            "invalid kernel version",
        );
        assert!(check(DEFAULT).is_ok());
    }
}
