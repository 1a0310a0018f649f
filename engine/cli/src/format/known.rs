//! Fields that Docker's types always have and engines leave out of their JSON
//! when they are empty: asked for, they are their type's zero value rather
//! than unknown.

use super::value::{Nil, Value};

/// The zero value of `field` in the object that stands under the key `origin`
/// (empty at the top), if Docker's types have such a field there.
pub fn zero(origin: &str, field: &str) -> Option<Value> {
    let has = |fields: &str| fields.split_whitespace().any(|known| known == field);
    let kinds = &KNOWN.iter().find(|known| known.origin == origin)?;
    if has(kinds.texts) {
        Some(Value::text(""))
    } else if has(kinds.numbers) {
        Some(Value::Int(0))
    } else if has(kinds.truths) {
        Some(Value::Bool(false))
    } else if has(kinds.lists) {
        Some(Value::Nil(Nil::List))
    } else if has(kinds.maps) {
        Some(Value::Nil(Nil::Map))
    } else if has(kinds.pointers) {
        Some(Value::Nil(Nil::Pointer))
    } else {
        None
    }
}

/// The keys whose objects are known here.
pub fn origin(key: &str) -> &'static str {
    KNOWN
        .iter()
        .find(|known| known.origin == key)
        .map_or("?", |known| known.origin)
}

struct Known {
    origin: &'static str,
    texts: &'static str,
    numbers: &'static str,
    truths: &'static str,
    lists: &'static str,
    maps: &'static str,
    pointers: &'static str,
}

const KNOWN: &[Known] = &[
    Known {
        origin: "",
        texts: "AppArmorProfile Author Comment Container DockerVersion MountLabel OsVersion Parent \
                ProcessLabel Variant",
        numbers: "RestartCount Size",
        truths: "Attachable ConfigOnly EnableIPv4 EnableIPv6 Ingress Internal",
        lists: "Args ExecIDs Manifests Mounts RepoDigests RepoTags",
        maps: "Containers Labels Options Status",
        pointers: "Descriptor GraphDriver ImageManifestDescriptor Platform SizeRootFs SizeRw \
                   UsageData VirtualSize",
    },
    Known {
        origin: "State",
        texts: "Error FinishedAt StartedAt",
        numbers: "ExitCode Pid",
        truths: "Dead OOMKilled Paused Restarting Running",
        lists: "",
        maps: "",
        pointers: "Health",
    },
    Known {
        origin: "Config",
        texts: "Domainname Hostname Image MacAddress StopSignal User WorkingDir",
        numbers: "",
        truths: "ArgsEscaped AttachStderr AttachStdin AttachStdout NetworkDisabled OpenStdin \
                 StdinOnce Tty",
        lists: "Cmd Entrypoint Env OnBuild Shell",
        maps: "ExposedPorts Labels Volumes",
        pointers: "Healthcheck StopTimeout",
    },
    Known {
        origin: "HostConfig",
        texts: "Cgroup CgroupParent CgroupnsMode ContainerIDFile CpusetCpus CpusetMems IpcMode \
                Isolation NetworkMode PidMode Runtime UTSMode UsernsMode VolumeDriver",
        numbers: "BlkioWeight CpuCount CpuPercent CpuPeriod CpuQuota CpuRealtimePeriod \
                  CpuRealtimeRuntime CpuShares IOMaximumBandwidth IOMaximumIOps KernelMemory \
                  KernelMemoryTCP Memory MemoryReservation MemorySwap NanoCpus OomScoreAdj ShmSize",
        truths: "AutoRemove Privileged PublishAllPorts ReadonlyRootfs",
        lists: "Binds BlkioDeviceReadBps BlkioDeviceReadIOps BlkioDeviceWriteBps \
                BlkioDeviceWriteIOps BlkioWeightDevice CapAdd CapDrop DeviceCgroupRules \
                DeviceRequests Devices Dns DnsOptions DnsSearch ExtraHosts GroupAdd Links \
                MaskedPaths Mounts ReadonlyPaths SecurityOpt Ulimits VolumesFrom",
        maps: "Annotations PortBindings StorageOpt Sysctls Tmpfs",
        pointers: "Init MemorySwappiness OomKillDisable PidsLimit",
    },
    Known {
        origin: "NetworkSettings",
        texts: "Bridge EndpointID Gateway GlobalIPv6Address IPAddress IPv6Gateway \
                LinkLocalIPv6Address MacAddress SandboxID SandboxKey",
        numbers: "GlobalIPv6PrefixLen IPPrefixLen LinkLocalIPv6PrefixLen",
        truths: "HairpinMode",
        lists: "SecondaryIPAddresses SecondaryIPv6Addresses",
        maps: "Networks Ports",
        pointers: "",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_known_only_where_it_belongs() {
        assert_eq!(zero("HostConfig", "Binds"), Some(Value::Nil(Nil::List)));
        assert_eq!(zero("State", "Binds"), None);
        assert_eq!(zero(origin("Config"), "User"), Some(Value::text("")));
        assert_eq!(zero(origin("Somewhere"), "User"), None);
    }
}
