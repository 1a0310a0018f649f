//! What is mounted for a container beyond binds: volumes that are file systems
//! of their own, and images.

use std::path::Path;
use std::process::Command;

use dhow_testkit::{Engine, Image, Layer, until};

use super::{prints, refuses};
use crate::field;

/// Makes a volume of these options.
#[track_caller]
fn volume(engine: &Engine, name: &str, fs_type: &str, device: &str, options: &str) {
    let words = ["volume", "create"];
    let of = |key: &str, value: &str| format!("{key}={value}");
    let options = match options {
        "" => vec![of("type", fs_type), of("device", device)],
        _ => vec![of("type", fs_type), of("device", device), of("o", options)],
    };
    let flags: Vec<&str> = options.iter().flat_map(|o| ["-o", o.as_str()]).collect();
    engine.docker(&[&words[..], &flags, &[name]].concat()).ok();
}

#[test]
fn a_volume_of_memory_is_one_for_all_who_have_it() {
    let mut engine = Engine::with_busybox();
    volume(&engine, "memory", "tmpfs", "tmpfs", "size=1m,uid=7,noexec");
    let options = engine.docker(&["volume", "inspect", "-f", "{{json .Options}}", "memory"]);
    assert_eq!(
        options.ok(),
        r#"{"device":"tmpfs","o":"size=1m,uid=7,noexec","type":"tmpfs"}"#
    );
    let idle = |name: &str| {
        let words = ["run", "-d", "--init", "--name", name, "-v", "memory:/m"];
        let program = ["busybox", "sleep", "100000"];
        engine.docker(&[&words[..], &program].concat()).ok();
    };
    idle("one");
    let mounted = engine.docker(&["exec", "one", "sh", "-c", "grep ' /m ' /proc/mounts"]);
    let mounted = mounted.ok();
    assert!(mounted.contains("tmpfs /m tmpfs rw"), "{mounted}");
    for word in ["noexec", "size=1024k", "uid=7"] {
        assert!(mounted.contains(word), "no {word} in {mounted}");
    }
    engine
        .docker(&["exec", "one", "sh", "-c", "echo cargo > /m/file"])
        .ok();
    idle("two");
    let reads = |name: &str| engine.docker(&["exec", name, "cat", "/m/file"]).out();
    assert_eq!(reads("two"), "cargo");
    let place = field(&engine, "two", "{{range .Mounts}}{{.Source}}{{end}}");
    assert!(place.ends_with("volumes/memory/_data"), "{place}");
    assert_eq!(
        std::fs::read_dir(&place).unwrap().count(),
        0,
        "the host sees nothing of it"
    );
    // It lives as long as somebody has it: over ends, restarts, the daemon's.
    engine.docker(&["restart", "-t", "0", "one"]).ok();
    assert_eq!(reads("one"), "cargo");
    engine.docker(&["rm", "-f", "one"]).ok();
    engine.crash();
    engine.start_again();
    prints(&engine, &[("-v memory:/m", "cat /m/file", "cargo")]);
    engine.docker(&["rm", "-f", "two"]).ok();
    prints(&engine, &[("-v memory:/m", "ls /m", "")]);
    engine.docker(&["volume", "rm", "memory"]).ok();
}

#[test]
fn two_who_start_at_once_have_the_same_memory() {
    let engine = Engine::with_busybox();
    volume(&engine, "memory", "tmpfs", "tmpfs", "");
    let names: Vec<String> = (0..4).map(|i| format!("c{i}")).collect();
    let starts: Vec<_> = names
        .iter()
        .map(|name| {
            let script = format!("touch /m/{name}; sleep 100000");
            let words = ["run", "-d", "--name", name, "-v", "memory:/m"];
            let program = ["busybox", "sh", "-c", &script];
            let mut command = engine.docker_command(&[&words[..], &program].concat());
            command.spawn().unwrap()
        })
        .collect();
    for mut start in starts {
        assert!(start.wait().unwrap().success());
    }
    until("all are there", || {
        let seen = engine.docker(&["exec", "c0", "ls", "/m"]).out();
        (seen == "c0\nc1\nc2\nc3").then_some(())
    });
}

#[test]
fn a_part_of_a_mounted_volume() {
    let engine = Engine::with_busybox();
    volume(&engine, "memory", "tmpfs", "tmpfs", "");
    let keeps = ["run", "-d", "--name", "keeps", "-v", "memory:/m", "busybox"];
    let script = "mkdir /m/part; echo cargo > /m/part/file; ln -s / /m/out; sleep 100000";
    engine
        .docker(&[&keeps[..], &["sh", "-c", script]].concat())
        .ok();
    let part = |path: &str| format!("--mount type=volume,src=memory,dst=/x,volume-subpath={path}");
    until("it is filled", || {
        let outcome = engine.docker(&["exec", "keeps", "ls", "/m"]).out();
        outcome.contains("out").then_some(())
    });
    prints(
        &engine,
        &[
            (&part("part"), "cat /x/file", "cargo"),
            (&part("part/file"), "cat /x", "cargo"),
        ],
    );
    refuses(
        &engine,
        &[
            (&part("missing"), "cannot access path"),
            (&part("out/etc"), "path concatenation escapes the base"),
        ],
    );
}

#[test]
fn a_folder_of_the_host_as_its_options_say() {
    let engine = Engine::with_busybox();
    let folder = engine.scratch().join("stands");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("file"), "cargo").unwrap();
    let folder = folder.display().to_string();
    volume(&engine, "bound", "none", &folder, "bind");
    volume(&engine, "fixed", "none", &folder, "bind,ro");
    prints(
        &engine,
        &[
            ("-v bound:/x", "cat /x/file; touch /x/new", "cargo"),
            (
                "-v fixed:/x",
                "touch /x/no 2>&1; ls /x",
                "touch: /x/no: Read-only file system\nfile\nnew",
            ),
        ],
    );
    assert!(Path::new(&folder).join("new").exists());
    // An empty one is filled from the image, as dockerd does.
    let empty = engine.scratch().join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    let empty = empty.display().to_string();
    volume(&engine, "empty", "none", &empty, "bind");
    prints(&engine, &[("-v empty:/etc", "true", "")]);
    assert!(Path::new(&empty).join("passwd").exists());
}

#[test]
fn a_device_is_mounted_while_somebody_has_it() {
    let engine = Engine::with_busybox();
    let file = engine.scratch().join("disk");
    std::fs::File::create(&file)
        .and_then(|file| file.set_len(8 << 20))
        .unwrap();
    let disk = Loop::of(&file);
    run("mkfs.ext4", &["-q", "-E", "root_owner=0:0", &disk.0]);
    run("tune2fs", &["-m", "0", &disk.0]);
    volume(&engine, "disk", "ext4", &disk.0, "noatime");
    prints(
        &engine,
        &[
            (
                "-v disk:/d",
                "grep -o ' /d ext4 [a-z]*,noatime' /proc/mounts; echo cargo > /d/file",
                " /d ext4 rw,noatime",
            ),
            ("-v disk:/d", "cat /d/file", "cargo"),
        ],
    );
    // What a container at rest has there can be read as well.
    let rests = ["create", "--name", "rests", "-v", "disk:/d", "busybox"];
    engine.docker(&rests).ok();
    let copied = engine.scratch().join("copied");
    let to = copied.display().to_string();
    engine.docker(&["cp", "rests:/d/file", &to]).ok();
    assert_eq!(std::fs::read_to_string(&copied).unwrap(), "cargo\n");
    until("nobody holds the device", || {
        let mut options = std::fs::File::options();
        use std::os::unix::fs::OpenOptionsExt;
        options.read(true).custom_flags(nix::libc::O_EXCL);
        options.open(&disk.0).ok()
    });
}

#[test]
fn volumes_that_cannot_be_mounted_say_why_in_dockers_words() {
    let engine = Engine::with_busybox();
    volume(&engine, "lost", "none", "/no/such/folder", "bind");
    volume(&engine, "odd", "oddfs", "odd", "word");
    volume(&engine, "bare", "ext4", "/dev/null", "");
    volume(&engine, "far", "nfs", ":/srv", "addr=no-such.invalid,rw");
    volume(&engine, "wall", "nfs", ":/srv", "addr=127.0.0.1,password=x");
    let root = engine.data_root().join("volumes");
    let data = |name: &str| root.join(name).join("_data").display().to_string();
    let failed = |name: &str, call: &str| {
        let data = data(name);
        let call = call.replace("DATA", &data);
        format!("error while mounting volume '{data}': failed to mount local volume: mount {call}")
    };
    let lost = "/no/such/folder:DATA, flags: 0x1000: no such file or directory";
    let nowhere = format!(
        "error while mounting volume '{}': error resolving passed in network volume address: \
         lookup no-such.invalid",
        data("far")
    );
    let told = [
        ("lost", failed("lost", lost)),
        ("odd", failed("odd", "odd:DATA, data: word: no such device")),
        (
            "bare",
            failed("bare", "/dev/null:DATA: block device required"),
        ),
        ("far", nowhere),
        // A kernel without NFS says that it does not know it.
        (
            "wall",
            failed(
                "wall",
                ":/srv:DATA, data: addr=127.0.0.1,password=********: ",
            ),
        ),
    ];
    for (name, message) in &told {
        // When it is to be filled with what the image has, or at the start.
        let populate = format!("failed to populate volume: {message}");
        refuses(&engine, &[(&format!("-v {name}:/etc"), &populate)]);
        let plain = format!("Error response from daemon: {message}");
        for place in ["/x", "/etc:nocopy"] {
            refuses(&engine, &[(&format!("-v {name}:{place}"), &plain)]);
        }
    }
    let late = [
        "create",
        "--name",
        "late",
        "-v",
        "lost:/x:nocopy",
        "busybox",
    ];
    engine.docker(&late).ok();
    engine.docker(&["start", "late"]).fails(1);
    assert_eq!(
        field(&engine, "late", "{{.State.ExitCode}} {{.State.Error}}"),
        format!("128 {}", told[0].1)
    );
    let sized = ["volume", "create", "-o", "size=1m", "sized"];
    let refused = engine.docker(&sized).fails(1);
    assert!(
        refused.contains("quota size requested but no quota support"),
        "{refused}"
    );
}

#[test]
fn an_image_is_mounted_read_only_and_held() {
    let engine = Engine::with_busybox();
    let lower = Layer::new()
        .folder("etc", 0o755)
        .file("etc/gone", 0o644, b"old")
        .file("hold", 0o644, b"below");
    let upper = Layer::new()
        .whiteout("etc/gone")
        .file("hold", 0o644, b"cargo")
        .folder("part", 0o755)
        .file("part/file", 0o644, b"part")
        .symlink("part/good", "../part/file")
        .symlink("part/bad", "../../../../etc");
    let image = Image::new().layer(lower).layer(upper);
    engine.load(&image, "ship:1");
    engine.load(
        &Image::new().layer(Layer::new().file("one", 0o644, b"1")),
        "single",
    );
    let at = |extra: &str| format!("--mount type=image,src=ship:1,dst=/i{extra}");
    let part = |path: &str| at(&format!(",image-subpath={path}"));
    let twice = format!("{} --mount type=image,src=single,dst=/j", at(""));
    prints(
        &engine,
        &[
            (
                &at(""),
                "cat /i/hold; ls /i /i/etc",
                "cargo/i:\netc\nhold\npart\n\n/i/etc:",
            ),
            (
                &at(""),
                "touch /i/x 2>&1 || true",
                "touch: /i/x: Read-only file system",
            ),
            (&part("part"), "cat /i/file", "part"),
            (&part("part/good"), "cat /i", "part"),
            (&twice, "cat /i/hold /j/one; ls /j", "cargo1one"),
        ],
    );
    refuses(
        &engine,
        &[
            (
                &part("part/bad"),
                "path concatenation escapes the base directory",
            ),
            (&part("missing"), "cannot access path"),
            (
                &part("../x"),
                "subpath must be a relative path within the volume",
            ),
            (
                "--mount type=image,src=no-such,dst=/i",
                "No such image: no-such:latest",
            ),
        ],
    );

    let words = ["run", "-d", "--init", "--name", "has", "--mount"];
    let mount = ["type=image,src=ship:1,dst=/i", "busybox", "sleep", "100000"];
    let id = engine.docker(&[&words[..], &mount].concat()).ok();
    let template = "{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.RW}}{{end}}";
    assert_eq!(field(&engine, "has", template), "image ship:1 /i false");
    let refused = engine.docker(&["rmi", "ship:1"]).fails(1);
    let image_id = image.id();
    let short = &image_id.trim_start_matches("sha256:")[..12];
    let using = format!(
        "container {} is using its referenced image {short}",
        &id[..12]
    );
    assert!(refused.contains(&using), "{refused}");
    let running = engine.docker(&["rmi", "-f", &image_id]).fails(1);
    assert!(running.contains("cannot be forced"), "{running}");
    // A container that rests keeps what it mounts, whatever becomes of the
    // image's name.
    engine.docker(&["stop", "-t", "0", "has"]).ok();
    engine.docker(&["rmi", "-f", "ship:1"]).ok();
    engine.docker(&["start", "has"]).ok();
    assert_eq!(
        engine.docker(&["exec", "has", "cat", "/i/hold"]).ok(),
        "cargo"
    );
    engine.docker(&["stop", "-t", "0", "has"]).ok();
    let copied = engine.scratch().join("copied");
    let to = copied.display().to_string();
    engine.docker(&["cp", "has:/i/part/file", &to]).ok();
    assert_eq!(std::fs::read_to_string(&copied).unwrap(), "part");
    engine.docker(&["rm", "has"]).ok();
}

/// A file as a block device, until it is dropped.
struct Loop(String);

impl Loop {
    fn of(file: &Path) -> Self {
        let file = file.display().to_string();
        Self(run("losetup", &["--find", "--show", &file]))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _gone_already = Command::new("losetup").args(["--detach", &self.0]).status();
    }
}

#[track_caller]
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
