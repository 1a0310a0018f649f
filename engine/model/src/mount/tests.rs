use super::*;

fn point(text: &str) -> Point {
    Point::from_bind(text, "").unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn binds_are_read() {
    let bind = point("/host//a/:/in/./side:ro,rshared");
    assert_eq!(bind.spec.kind, Kind::Bind);
    assert_eq!(
        (bind.source.as_str(), bind.destination.as_str()),
        ("/host/a", "/in/side")
    );
    assert_eq!(
        (bind.writable, bind.propagation),
        (false, Propagation::RShared)
    );
    assert_eq!(bind.mode, "ro,rshared");
    assert!(bind.create_source && !bind.copy_data);

    let volume = point("data:/var/lib/data");
    assert_eq!(
        (volume.spec.kind, volume.name.as_str()),
        (Kind::Volume, "data")
    );
    assert!(volume.copy_data && volume.writable && volume.source.is_empty());
    assert!(!point("data:/d:nocopy").copy_data);
    assert!(!point("data:/d:ro,z").writable);

    let anonymous = point("/data");
    assert_eq!(
        (anonymous.spec.kind, anonymous.name.as_str()),
        (Kind::Volume, "")
    );

    let driver = Point::from_bind("data:/d", "other").unwrap();
    assert_eq!(driver.spec.volume.unwrap().driver, "other");
    assert_eq!(
        Point::from_bind("/a:/d", "other").unwrap().spec.volume,
        None
    );
}

#[test]
fn wrong_binds_are_refused() {
    let refuse = |text: &str, message: &str| {
        assert_eq!(
            Point::from_bind(text, "").expect_err(text).to_string(),
            message
        );
    };
    refuse("", "invalid volume specification: ''");
    refuse(":/a", "invalid volume specification: ':/a'");
    refuse("/a:ro", "invalid volume specification: '/a:ro'");
    refuse("/a:", "invalid volume specification: '/a:'");
    refuse("/a:/b:ro:x", "invalid volume specification: '/a:/b:ro:x'");
    refuse("/a:/b:foo", "invalid mode: foo");
    refuse("/a:/b:ro,rw", "invalid mode: ro,rw");
    refuse("/a:/b:shared,slave", "invalid mode: shared,slave");
    refuse(
        "/a:/",
        "invalid volume specification: '/a:/': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
    );
    refuse(
        "/a:/b/..",
        "invalid volume specification: '/a:/b/..': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
    );
    refuse(
        "a:b",
        "invalid volume specification: 'a:b': invalid mount config for type \"volume\": invalid mount path: 'b' mount path must be absolute",
    );
    refuse(
        "a:/b:shared",
        "invalid volume specification: 'a:/b:shared': invalid mount config for type \"volume\": field BindOptions must not be specified",
    );
}

#[test]
fn api_mounts_are_checked() {
    let refuse = |spec: Spec, message: &str| {
        let kind = spec.kind.as_str();
        let error = spec.check().unwrap_err().to_string();
        assert_eq!(
            error,
            format!("invalid mount config for type \"{kind}\": {message}")
        );
    };
    let of = |kind, source: &str, target: &str| Spec {
        kind,
        source: source.to_owned(),
        target: target.to_owned(),
        ..Spec::default()
    };
    refuse(of(Kind::Bind, "/a", ""), "field Target must not be empty");
    refuse(of(Kind::Bind, "", "/b"), "field Source must not be empty");
    refuse(
        of(Kind::Bind, "a", "/b"),
        "invalid mount path: 'a' mount path must be absolute",
    );
    refuse(
        of(Kind::Tmpfs, "/a", "/b"),
        "field Source must not be specified",
    );
    refuse(of(Kind::Image, "", "/b"), "field Source must not be empty");
    refuse(
        Spec {
            tmpfs: Some(TmpfsOptions::default()),
            ..of(Kind::Bind, "/a", "/b")
        },
        "field TmpfsOptions must not be specified",
    );
    let subpath = |source: &str, subpath: &str| Spec {
        volume: Some(VolumeOptions {
            subpath: subpath.to_owned(),
            ..VolumeOptions::default()
        }),
        ..of(Kind::Volume, source, "/b")
    };
    refuse(
        subpath("", "x"),
        "must not set Subpath when using anonymous volumes",
    );
    refuse(
        subpath("a", "../x"),
        "subpath must be a relative path within the volume",
    );
    assert!(subpath("a", "x/y").check().is_ok());
    let option = |words: &[&str]| Spec {
        tmpfs: Some(TmpfsOptions {
            options: vec![words.iter().map(|word| word.to_string()).collect()],
            ..TmpfsOptions::default()
        }),
        ..of(Kind::Tmpfs, "", "/b")
    };
    refuse(option(&["suid"]), "invalid option: suid");
    refuse(option(&[]), "invalid option array length");

    let bind = of(Kind::Bind, "/a", "/b").check().unwrap();
    assert!(!bind.create_source);
    assert_eq!(
        bind.source_missing().to_string(),
        "invalid mount config for type \"bind\": bind source path does not exist: /a"
    );
    assert!(!of(Kind::Image, "busybox", "/b").check().unwrap().writable);
}

#[test]
fn tmpfs_options_are_written_for_mount() {
    let spec = Spec {
        kind: Kind::Tmpfs,
        target: "/t".to_owned(),
        read_only: true,
        tmpfs: Some(TmpfsOptions {
            size_bytes: 3 << 20,
            mode: 0o700,
            options: vec![vec!["exec".to_owned()]],
        }),
        ..Spec::default()
    };
    assert_eq!(
        spec.tmpfs_options().unwrap(),
        ["ro", "mode=700", "size=3m", "exec"]
    );
}

#[test]
fn volumes_from_are_read() {
    assert_eq!(parse_volumes_from("c1"), Ok(("c1", true)));
    assert_eq!(parse_volumes_from("c1:ro"), Ok(("c1", false)));
    assert_eq!(parse_volumes_from("c1:z,rw"), Ok(("c1", true)));
    let refuse = |text: &str, message: &str| {
        assert_eq!(parse_volumes_from(text).unwrap_err().to_string(), message);
    };
    refuse("", "volumes-from specification cannot be an empty string");
    refuse("c1:shared", "invalid mode: shared");
    refuse("c1:nocopy", "invalid mode: nocopy");
    refuse("c1:x", "invalid mode: x");
}

#[test]
fn a_tmpfs_needs_a_place() {
    assert_eq!(check_tmpfs_destination("/run"), Ok(()));
    let refuse = |text: &str, message: &str| {
        assert_eq!(
            check_tmpfs_destination(text).unwrap_err().to_string(),
            message
        );
    };
    refuse("/", "invalid specification: destination can't be '/'");
    refuse(
        "run",
        "invalid mount path: 'run' mount path must be absolute",
    );
}
