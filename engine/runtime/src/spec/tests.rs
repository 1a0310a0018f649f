use oci_spec::runtime::LinuxNamespaceType;

use super::*;

fn host() -> Host {
    Host {
        architecture: "amd64".to_owned(),
        kernel: (6, 1),
        capabilities: capability::ALL.to_vec(),
        unified_cgroups: false,
        masked_paths: vec!["/sys/devices/system/cpu/cpu0/thermal_throttle".to_owned()],
    }
}

fn plan() -> SpecPlan {
    SpecPlan {
        process: ProcessPlan {
            args: vec!["true".to_owned()],
            env: vec!["PATH=/bin".to_owned()],
            ..ProcessPlan::default()
        },
        rootfs: "/rootfs".into(),
        hostname: "web".to_owned(),
        cgroups_path: "/dhow/1".into(),
        ..SpecPlan::default()
    }
}

#[test]
fn kernel_releases_are_read() {
    for (release, version) in [
        ("6.1.0-25-amd64", (6, 1)),
        ("5.10", (5, 10)),
        ("6.8-rc1", (6, 8)),
        ("odd", (0, 0)),
    ] {
        assert_eq!(Host::kernel_version(release), version, "{release}");
    }
}

#[test]
fn a_plain_container() {
    let spec = plan().build(&host()).unwrap();
    assert_eq!(spec.hostname().as_deref(), Some("web"));
    assert_eq!(spec.domainname(), &None);
    let process = spec.process().as_ref().unwrap();
    assert_eq!(process.cwd(), std::path::Path::new("/"));
    assert_eq!(process.no_new_privileges(), None);
    assert_eq!(process.console_size(), None);
    assert_eq!(process.rlimits(), &Some(Vec::new()));
    let bounding = process.capabilities().as_ref().unwrap().bounding().clone();
    assert_eq!(bounding.unwrap().len(), 14);
    let linux = spec.linux().as_ref().unwrap();
    assert!(linux.seccomp().is_some());
    let masked = linux.masked_paths().clone().unwrap();
    assert!(masked.contains(&"/proc/kcore".to_owned()));
    assert!(masked.last().unwrap().ends_with("thermal_throttle"));
    // It must survive the way to the shim.
    let text = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<Spec>(&text).unwrap(), spec);
    let text = serde_json::to_string(&plan()).unwrap();
    assert_eq!(serde_json::from_str::<SpecPlan>(&text).unwrap(), plan());
}

#[test]
fn a_privileged_container_hides_nothing() {
    let mut privileged = plan();
    privileged.privileged = true;
    privileged.process.capabilities.privileged = true;
    let spec = privileged.build(&host()).unwrap();
    let linux = spec.linux().as_ref().unwrap();
    assert_eq!(linux.masked_paths(), &Some(Vec::new()));
    assert_eq!(linux.readonly_paths(), &Some(Vec::new()));
    assert_eq!(linux.seccomp(), &None);
    let rules = linux
        .resources()
        .as_ref()
        .unwrap()
        .devices()
        .clone()
        .unwrap();
    assert!(rules.len() == 1 && rules[0].allow());
    privileged.seccomp = Seccomp::Profile(r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#.to_owned());
    let spec = privileged.build(&host()).unwrap();
    assert!(spec.linux().as_ref().unwrap().seccomp().is_some());
}

#[test]
fn an_init_program_goes_before_the_command() {
    let mut with_init = plan();
    with_init.init = Some("/usr/libexec/init".into());
    let spec = with_init.build(&host()).unwrap();
    let args = spec.process().as_ref().unwrap().args().clone().unwrap();
    assert_eq!(args, ["/sbin/docker-init", "--", "true"]);
    let has_init = |spec: &Spec| {
        let mounts = spec.mounts().as_ref().unwrap();
        mounts
            .iter()
            .any(|mount| mount.destination().ends_with("docker-init"))
    };
    assert!(has_init(&spec));
    with_init.namespaces.pid = Namespace::Path("/proc/7/ns/pid".into());
    let spec = with_init.build(&host()).unwrap();
    let args = spec.process().as_ref().unwrap().args().clone().unwrap();
    assert!(!has_init(&spec) && args == ["true"]);
}

#[test]
fn the_host_s_name_is_left_alone() {
    let mut shared = plan();
    shared.namespaces.uts = Namespace::Host;
    let spec = shared.build(&host()).unwrap();
    assert_eq!(spec.hostname(), &None);
    let namespaces = spec.linux().as_ref().unwrap().namespaces().clone().unwrap();
    assert!(
        namespaces
            .iter()
            .all(|ns| ns.typ() != LinuxNamespaceType::Uts)
    );
}

#[test]
fn own_lists_of_paths_replace_the_usual_ones() {
    let mut open = plan();
    open.masked_paths = Some(Vec::new());
    open.readonly_paths = Some(vec!["/proc/sys".to_owned()]);
    let spec = open.build(&host()).unwrap();
    let linux = spec.linux().as_ref().unwrap();
    assert_eq!(linux.masked_paths(), &Some(Vec::new()));
    let readonly = linux.readonly_paths().clone().unwrap();
    // The cgroup tree stays protected.
    assert_eq!(readonly[..2], ["/proc/sys", "/sys/fs/cgroup"]);
    let mut v2 = host();
    v2.unified_cgroups = true;
    let spec = open.build(&v2).unwrap();
    let readonly = spec
        .linux()
        .as_ref()
        .unwrap()
        .readonly_paths()
        .clone()
        .unwrap();
    assert_eq!(readonly, ["/proc/sys"]);
}

#[test]
fn process_options_are_carried_over() {
    let process = ProcessPlan {
        args: vec!["sh".to_owned()],
        cwd: "/srv".to_owned(),
        user: User {
            uid: 5,
            gid: 6,
            groups: vec![6, 7],
            home: "/".to_owned(),
        },
        terminal: true,
        console_size: Some((24, 80)),
        ulimits: vec!["nofile=10:20".parse().unwrap()],
        no_new_privileges: true,
        oom_score_adj: Some(-5),
        ..ProcessPlan::default()
    };
    let built = process.build(&host()).unwrap();
    assert_eq!((built.user().uid(), built.user().gid()), (5, 6));
    assert_eq!(built.user().additional_gids(), &Some(vec![6, 7]));
    assert_eq!(
        built
            .console_size()
            .map(|size| (size.height(), size.width())),
        Some((24, 80))
    );
    assert_eq!(built.rlimits().as_ref().unwrap()[0].hard(), 20);
    assert_eq!(
        (built.no_new_privileges(), built.oom_score_adj()),
        (Some(true), Some(-5))
    );
}

#[test]
fn what_cannot_be_is_refused() {
    let mut bad = plan();
    bad.process.args.clear();
    assert_eq!(
        bad.build(&host()).unwrap_err().to_string(),
        "no command specified"
    );
    let mut bad = plan();
    bad.process.capabilities.add = vec!["fly".to_owned()];
    assert_eq!(
        bad.build(&host()).unwrap_err().to_string(),
        "unknown capability: \"CAP_FLY\""
    );
    let mut bad = plan();
    bad.sysctls
        .insert("vm.swappiness".to_owned(), "1".to_owned());
    assert!(bad.build(&host()).is_err());
}
