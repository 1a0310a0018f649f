//! What the types of the specification do not say of dockerd's own: read off a
//! dockerd's answers. Data only.

/// Fields that dockerd never leaves out, by the type they are in. Programs
/// that read answers without types (`jq`, JavaScript) expect them.
pub const ALWAYS: &[(&str, &[&str])] = &[
    ("BuildPruneResponse", &["CachesDeleted"]),
    (
        "ContainerConfig",
        &["Cmd", "Entrypoint", "Env", "Labels", "OnBuild", "Volumes"],
    ),
    ("ContainerInspectResponse", &["ExecIDs"]),
    (
        "EndpointSettings",
        &["Aliases", "DNSNames", "DriverOpts", "IPAMConfig", "Links"],
    ),
    ("ExecInspectResponse", &["ExitCode"]),
    (
        "HostConfig",
        &[
            "Binds",
            "BlkioDeviceReadBps",
            "BlkioDeviceReadIOps",
            "BlkioDeviceWriteBps",
            "BlkioDeviceWriteIOps",
            "BlkioWeightDevice",
            "CapAdd",
            "CapDrop",
            "DeviceCgroupRules",
            "DeviceRequests",
            "Devices",
            "ExtraHosts",
            "GroupAdd",
            "Links",
            "MemorySwappiness",
            "OomKillDisable",
            "PidsLimit",
            "SecurityOpt",
            "Ulimits",
            "VolumesFrom",
        ],
    ),
    ("Ipam", &["Options"]),
    ("NetworkPruneResponse", &["NetworksDeleted"]),
    ("PluginsInfo", &["Authorization"]),
    ("Volume", &["Labels", "Options"]),
    ("VolumeListResponse", &["Warnings"]),
];

/// Types of dockerd's whose fields stand in the alphabet's order.
pub const SORTED: &[&str] = &[
    "ContainerTopResponse",
    "ContainerWaitResponse",
    "FilesystemChange",
    "HistoryResponseItem",
    "ImageDeleteResponseItem",
    "ImageSummary",
    "Volume",
    "VolumeListResponse",
];
