//! Binds, volumes, tmpfs, shared memory.

use std::path::PathBuf;
use std::process::Command;

use dhow_testkit::{Engine, fixture};

use super::{prints, refuses};
use crate::idle;

#[test]
fn binds_of_files_and_folders() {
    let engine = Engine::with_busybox();
    let folder = engine.scratch().join("bind");
    std::fs::create_dir_all(folder.join("below")).unwrap();
    std::fs::write(folder.join("file"), "cargo").unwrap();
    let folder = folder.display();
    prints(
        &engine,
        &[
            (
                &format!("-v {folder}/file:/x/file:ro"),
                "cat /x/file",
                "cargo",
            ),
            (
                &format!("-v {folder}:/x:ro"),
                "touch /x/y 2>&1; cat /x/file",
                "touch: /x/y: Read-only file system\ncargo",
            ),
            (
                &format!("-v {folder}/file:/etc/hosts"),
                "cat /etc/hosts",
                "cargo",
            ),
            (
                &format!("-v {folder}:/x -v {folder}/below:/x/inner"),
                "touch /x/inner/made; ls /x/below",
                "made",
            ),
            (
                &format!("--mount type=bind,src={folder},dst=/x,readonly"),
                "touch /x/y 2>/dev/null || cat /x/file",
                "cargo",
            ),
            (
                &format!("--mount type=bind,src={folder},dst=/x,bind-recursive=disabled"),
                "cat /x/file",
                "cargo",
            ),
        ],
    );
}

/// A tmpfs on the host that mounts spread from; gone with the value.
struct Shared(PathBuf);

impl Shared {
    fn at(path: PathBuf) -> Self {
        std::fs::create_dir_all(&path).unwrap();
        let shared = Self(path);
        shared.mount("");
        let made = Command::new("mount")
            .arg("--make-shared")
            .arg(&shared.0)
            .status();
        assert!(made.unwrap().success());
        shared
    }

    fn mount(&self, below: &str) {
        let target = self.0.join(below);
        std::fs::create_dir_all(&target).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "none"])
            .arg(&target)
            .status();
        assert!(mounted.unwrap().success());
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let gone = Command::new("umount").arg("-R").arg(&self.0).status();
        assert!(gone.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[test]
fn mounts_spread_as_far_as_asked() {
    let engine = Engine::with_busybox();
    let host = Shared::at(engine.scratch().join("shared"));
    std::fs::create_dir_all(host.0.join("inside")).unwrap();
    let path = host.0.display();
    let modes = ["rprivate", "rslave", "rshared"];
    for mode in modes {
        let bind = format!("{path}:/x:{mode}");
        engine
            .docker(&[
                "run",
                "-d",
                "--name",
                mode,
                "--init",
                "--cap-add",
                "SYS_ADMIN",
                "-v",
                &bind,
                "busybox",
                "sleep",
                "1000",
            ])
            .ok();
    }
    host.mount("later");
    std::fs::write(host.0.join("later/seen"), "").unwrap();
    let sees = |mode: &str| engine.docker(&["exec", mode, "ls", "/x/later"]).ok();
    assert_eq!(modes.map(sees), ["", "seen", "seen"], "from the host");
    for mode in modes {
        let script = format!("mount -t tmpfs none /x/inside && touch /x/inside/{mode}");
        engine.docker(&["exec", mode, "sh", "-c", &script]).ok();
    }
    let found = std::fs::read_dir(host.0.join("inside")).unwrap();
    let found: Vec<_> = found.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(found, ["rshared"], "to the host");
    engine
        .docker(&["rm", "-f", "rprivate", "rslave", "rshared"])
        .ok();
}

#[test]
fn mounts_do_not_spread_from_where_they_do_not() {
    let engine = Engine::with_busybox();
    let host = Shared::at(engine.scratch().join("alone"));
    let private = Command::new("mount")
        .arg("--make-private")
        .arg(&host.0)
        .status();
    assert!(private.unwrap().success());
    let path = host.0.display();
    refuses(
        &engine,
        &[
            (
                &format!("-v {path}:/x:rshared"),
                &format!("path {path} is mounted on {path} but it is not a shared mount"),
            ),
            (
                &format!("-v {path}:/x:rslave"),
                &format!("path {path} is mounted on {path} but it is not a shared or slave mount"),
            ),
        ],
    );
}

#[test]
fn volumes_are_filled_shared_and_kept_apart() {
    let engine = Engine::start();
    engine.load(&fixture::layered(), "busybox:latest");
    prints(
        &engine,
        &[
            (
                "-v named:/data",
                "cat /data/changed; echo mine > /data/changed",
                "after",
            ),
            ("-v named:/else", "cat /else/changed", "mine"),
            (
                "-v named:/x:ro",
                "touch /x/y 2>/dev/null || echo read only",
                "read only",
            ),
            ("-v /data", "cat /data/changed", "after"),
            ("-v bare:/data:nocopy", "ls /data", ""),
            (
                "--mount type=volume,src=new,dst=/data",
                "cat /data/changed",
                "after",
            ),
            (
                "--mount type=volume,src=empty,dst=/data,volume-nocopy",
                "ls /data",
                "",
            ),
            (
                "--mount type=volume,src=named,dst=/x,readonly",
                "touch /x/y 2>/dev/null || echo read only",
                "read only",
            ),
        ],
    );
    engine
        .docker(&[
            "create",
            "--mount",
            "type=volume,src=told,dst=/x,volume-label=a=b",
            "busybox",
        ])
        .ok();
    let labels = engine.docker(&["volume", "inspect", "-f", "{{.Labels}}", "told"]);
    assert_eq!(labels.ok(), "map[a:b]");
}

#[test]
fn volumes_stand_for_what_their_options_say() {
    let engine = Engine::with_busybox();
    let folder = engine.scratch().join("stands");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("file"), "cargo").unwrap();
    let driver = "volume-driver=local,volume-opt=type";
    let bound = format!(
        "--mount type=volume,src=bound,dst=/x,{driver}=none,volume-opt=device={},volume-opt=o=bind",
        folder.display()
    );
    prints(
        &engine,
        &[
            (&bound, "cat /x/file", "cargo"),
            ("-v bound:/again", "cat /again/file", "cargo"),
        ],
    );
}

#[test]
fn a_part_of_a_volume_never_leads_out_of_it() {
    let engine = Engine::with_busybox();
    prints(
        &engine,
        &[(
            "-v whole:/x",
            "mkdir /x/part; echo cargo > /x/part/file; ln -s / /x/out",
            "",
        )],
    );
    let part = |path: &str| format!("--mount type=volume,src=whole,dst=/x,volume-subpath={path}");
    prints(&engine, &[(&part("part"), "cat /x/file", "cargo")]);
    refuses(
        &engine,
        &[
            (&part("missing"), "missing: no such file or directory"),
            (
                &part("../other"),
                "subpath must be a relative path within the volume",
            ),
            (
                &part("out"),
                "path concatenation escapes the base directory",
            ),
        ],
    );
}

#[test]
fn volumes_from_others() {
    let engine = Engine::with_busybox();
    let folder = engine.scratch().join("from");
    std::fs::create_dir_all(&folder).unwrap();
    let bind = format!("{}:/bound:ro", folder.display());
    engine
        .docker(&[
            "create",
            "--name",
            "source",
            "-v",
            "named:/named",
            "-v",
            &bind,
            "-v",
            "/own",
            "busybox",
        ])
        .ok();
    let script = "for d in /named /bound /own; do touch $d/x 2>/dev/null && echo $d; done; true";
    prints(
        &engine,
        &[
            ("--volumes-from source", script, "/named\n/own"),
            ("--volumes-from source:ro", script, ""),
        ],
    );
    refuses(
        &engine,
        &[("--volumes-from nobody", "No such container: nobody")],
    );
}

#[test]
fn memory_as_a_file_system() {
    let engine = Engine::with_busybox();
    let options = "grep ' /x ' /proc/mounts | cut -d' ' -f4; stat -c %a /x";
    let size = "df -k /x | tail -1 | awk '{print $2}'";
    prints(
        &engine,
        &[
            (
                "--tmpfs /x",
                options,
                "rw,nosuid,nodev,noexec,relatime\n1777",
            ),
            (
                "--tmpfs /x:exec,size=2m,mode=700,uid=1000",
                options,
                "rw,nosuid,nodev,relatime,size=2048k,mode=700,uid=1000\n700",
            ),
            (
                "--mount type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=1770",
                size,
                "1024",
            ),
            (
                "--mount type=tmpfs,dst=/x,tmpfs-mode=1770",
                "stat -c %a /x",
                "1770",
            ),
            (
                "--read-only --tmpfs /x",
                "touch /x/y && ls /x; touch /y 2>&1; true",
                "y\ntouch: /y: Read-only file system",
            ),
        ],
    );
}

#[test]
fn shared_memory_is_shared_with_whom_it_should_be() {
    let engine = Engine::with_busybox();
    let size = "df -k /dev/shm | tail -1 | awk '{print $2}'";
    prints(
        &engine,
        &[
            ("", size, "65536"),
            ("--shm-size 3m", size, "3072"),
            ("--ipc none", "ls /dev/shm 2>/dev/null || echo none", "none"),
        ],
    );
    idle(&engine, "private");
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "donor",
            "--init",
            "--ipc",
            "shareable",
            "--shm-size",
            "2m",
            "busybox",
            "sleep",
            "1000",
        ])
        .ok();
    engine
        .docker(&["exec", "donor", "touch", "/dev/shm/mark"])
        .ok();
    let own = engine
        .docker(&["exec", "donor", "readlink", "/proc/self/ns/ipc"])
        .ok();
    prints(
        &engine,
        &[(
            "--ipc container:donor",
            &format!("ls /dev/shm; readlink /proc/self/ns/ipc; {size}"),
            &format!("mark\n{own}\n2048"),
        )],
    );
    refuses(
        &engine,
        &[
            ("--ipc container:private", "non-shareable IPC"),
            ("--ipc container:nobody", "No such container: nobody"),
        ],
    );
}

#[test]
fn mounts_that_make_no_sense() {
    let engine = Engine::with_busybox();
    let name = "includes invalid characters for a local volume name";
    let relative = "mount path must be absolute";
    refuses(
        &engine,
        &[
            ("-v rel/x:/y", name),
            ("-v b@d:/y", name),
            ("-v /tmp:relative", relative),
            (
                "-v /tmp:/",
                "invalid specification: destination can't be '/'",
            ),
            ("-v /tmp:/x:bad", "invalid mode: bad"),
            ("-v /tmp:/x:ro,rw", "invalid mode: ro,rw"),
            ("-v one:/x -v two:/x", "Duplicate mount point: /x"),
            (
                "--mount type=bind,src=/no-such,dst=/x",
                "bind source path does not exist: /no-such",
            ),
            ("--mount type=bind,src=relative,dst=/x", relative),
            ("--mount type=odd,src=/tmp,dst=/x", "mount type unknown"),
            (
                "--mount type=tmpfs,src=/tmp,dst=/x",
                "field Source must not be specified",
            ),
            ("--tmpfs /x:odd", "invalid tmpfs option [\"odd\"]"),
            ("--tmpfs relative", relative),
            ("--tmpfs /", "destination can't be '/'"),
            ("--ipc odd", "nvalid IPC mode: odd"),
        ],
    );
    let plugin = engine.docker(&[
        "create",
        "--volume-driver",
        "odd",
        "-v",
        "new:/x",
        "busybox",
    ]);
    assert_ne!(plugin.code, 0, "{plugin}");
    assert_eq!(engine.docker(&["volume", "ls", "-q"]).ok(), "");
    assert_eq!(engine.docker(&["ps", "-aq"]).ok(), "", "nothing is left");
}
