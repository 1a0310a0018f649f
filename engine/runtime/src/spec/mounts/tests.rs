use super::*;

fn wishes<'a>(mounts: &'a [UserMount], shm: &'a Shm) -> Wishes<'a> {
    Wishes {
        mounts,
        shm,
        init: None,
        read_only_root: false,
        privileged: false,
        writable_cgroups: false,
    }
}

fn bind(destination: &str) -> UserMount {
    UserMount::file("/srv/x".as_ref(), destination, false)
}

fn destinations(mounts: &[Mount]) -> Vec<&str> {
    let paths = mounts
        .iter()
        .map(|mount| mount.destination().to_str().unwrap());
    paths.collect()
}

fn options<'a>(mounts: &'a [Mount], destination: &str) -> Vec<&'a str> {
    let mount = mounts
        .iter()
        .find(|mount| mount.destination() == Path::new(destination))
        .unwrap_or_else(|| panic!("nothing is mounted on {destination}"));
    mount
        .options()
        .as_ref()
        .unwrap()
        .iter()
        .map(String::as_str)
        .collect()
}

#[test]
fn a_plain_container_has_the_essentials() {
    let shm = Shm::Private(1 << 20);
    let mounts = build(&wishes(&[], &shm)).unwrap();
    assert_eq!(
        destinations(&mounts),
        [
            "/proc",
            "/dev",
            "/dev/pts",
            "/sys",
            "/sys/fs/cgroup",
            "/dev/mqueue",
            "/dev/shm"
        ]
    );
    assert!(options(&mounts, "/sys").contains(&"ro"));
    assert!(options(&mounts, "/dev/shm").contains(&"size=1048576"));
    let none = build(&wishes(&[], &Shm::None)).unwrap();
    assert!(!destinations(&none).contains(&"/dev/shm"));
    let shared = Shm::Bind("/dev/shm".into());
    let mounts = build(&wishes(&[], &shared)).unwrap();
    assert_eq!(options(&mounts, "/dev/shm"), ["rbind", "rprivate"]);
}

#[test]
fn what_is_asked_for_replaces_and_comes_in_order_of_depth() {
    let shm = Shm::default();
    let asked = [bind("/a/b/c"), bind("/sys"), bind("/a"), bind("/dev/shm")];
    let mounts = build(&wishes(&asked, &shm)).unwrap();
    let order = destinations(&mounts);
    assert_eq!(order[5..], ["/sys", "/a", "/dev/shm", "/a/b/c"]);
    assert_eq!(order.iter().filter(|path| **path == "/sys").count(), 1);
    let asked = [bind("/dev")];
    let mounts = build(&wishes(&asked, &shm)).unwrap();
    assert_eq!(
        destinations(&mounts),
        ["/proc", "/sys", "/sys/fs/cgroup", "/dev"]
    );
}

#[test]
fn a_read_only_root_leaves_what_programs_need() {
    let shm = Shm::default();
    let asked = [bind("/data")];
    let plan = Wishes {
        read_only_root: true,
        ..wishes(&asked, &shm)
    };
    let mounts = build(&plan).unwrap();
    for path in ["/proc", "/dev", "/dev/shm", "/data"] {
        assert!(!options(&mounts, path).contains(&"ro"), "{path}");
    }
}

#[test]
fn privileged_containers_may_write_to_sys() {
    let shm = Shm::default();
    let plan = Wishes {
        privileged: true,
        writable_cgroups: true,
        ..wishes(&[], &shm)
    };
    let mounts = build(&plan).unwrap();
    assert!(!options(&mounts, "/sys").contains(&"ro"));
    assert!(!options(&mounts, "/sys/fs/cgroup").contains(&"ro"));
}

#[test]
fn the_init_program_is_bound_before_what_is_asked_for() {
    let shm = Shm::default();
    let asked = [bind("/sbin")];
    let init = Path::new("/usr/libexec/init");
    let plan = Wishes {
        init: Some(init),
        ..wishes(&asked, &shm)
    };
    let mounts = build(&plan).unwrap();
    assert_eq!(options(&mounts, INIT), ["bind", "ro"]);
    assert_eq!(destinations(&mounts).last(), Some(&"/sbin"));
}

#[test]
fn tmpfs_options_override_the_defaults() {
    let check = |asked: &[&str], expected: &[&str]| {
        let asked: Vec<String> = asked.iter().map(|option| option.to_string()).collect();
        assert_eq!(tmpfs_options(&asked).unwrap(), expected);
    };
    check(&[], &["noexec", "nosuid", "nodev", "rprivate"]);
    check(
        &["exec,size=64m", "size=32m,mode=1770"],
        &[
            "nosuid",
            "nodev",
            "rprivate",
            "exec",
            "size=32m",
            "mode=1770",
        ],
    );
    check(
        &["defaults", "ro"],
        &["noexec", "nosuid", "nodev", "rprivate", "ro"],
    );
    let error = tmpfs_options(&["lazy".to_owned()]).unwrap_err();
    assert_eq!(error.to_string(), "invalid tmpfs option [\"lazy\"]");
    let error = tmpfs_options(&["color=red".to_owned()]).unwrap_err();
    assert_eq!(error.to_string(), "invalid tmpfs option [\"color\"]");
}

#[test]
fn points_become_mounts() {
    let point = |text: &str| Point::from_bind(text, "").unwrap();
    let source = PathBuf::from("/var/lib/x");
    let mount = UserMount::from_point(&point("data:/d:ro"), source.clone()).unwrap();
    assert_eq!(
        mount,
        UserMount::Bind {
            source: source.clone(),
            destination: "/d".to_owned(),
            read_only: ReadOnly::Recursive,
            propagation: Propagation::RPrivate,
            recursive: true,
        }
    );
    let mount = UserMount::from_point(&point("/a:/d:rshared"), source).unwrap();
    assert_eq!(root_propagation(&[bind("/x"), mount]), Some("shared"));
    assert_eq!(root_propagation(&[bind("/x")]), Some("private"));
}
