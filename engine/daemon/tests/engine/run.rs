//! `docker run`: streams, exit codes, and the process that was asked for.

use dhow_testkit::Engine;

#[test]
fn streams_and_exit_code_are_the_programs_own() {
    let engine = Engine::with_busybox();
    let outcome = engine.docker(&[
        "run",
        "--rm",
        "busybox",
        "sh",
        "-c",
        "echo out; echo err >&2; exit 3",
    ]);
    assert_eq!(
        (outcome.out().as_str(), outcome.err().as_str(), outcome.code),
        ("out", "err", 3),
        "{outcome}"
    );
}

#[test]
fn the_end_of_stdin_reaches_the_program() {
    let engine = Engine::with_busybox();
    let outcome = engine.docker_fed(&["run", "--rm", "-i", "busybox", "cat"], b"hi\n");
    assert_eq!(outcome.ok(), "hi");
    let megabytes = vec![b'x'; 3 << 20];
    let outcome = engine.docker_fed(&["run", "--rm", "-i", "busybox", "wc", "-c"], &megabytes);
    assert_eq!(outcome.ok().trim(), megabytes.len().to_string());
}

#[test]
fn without_i_stdin_is_empty() {
    let engine = Engine::with_busybox();
    assert_eq!(
        engine
            .docker_fed(&["run", "--rm", "busybox", "cat"], b"unread")
            .ok(),
        ""
    );
}

#[test]
fn exit_codes_are_dockers() {
    let engine = Engine::with_busybox();
    let code = |words: &[&str]| engine.docker(&[&["run", "--rm"], words].concat()).code;
    assert_eq!(code(&["busybox", "true"]), 0);
    assert_eq!(code(&["busybox", "false"]), 1);
    assert_eq!(
        code(&["busybox", "sh", "-c", "sh -c 'kill -KILL $$'; exit $?"]),
        137
    );
    assert_eq!(code(&["busybox", "no-such-program"]), 127);
    assert_eq!(code(&["busybox", "/etc/passwd"]), 126);
    assert_eq!(code(&["--no-such-flag", "busybox"]), 125);
    assert_eq!(
        code(&["--user", "nobody-of-that-name", "busybox", "true"]),
        125
    );
}

#[test]
fn a_program_that_is_missing_is_named() {
    let engine = Engine::with_busybox();
    let said = engine
        .docker(&["run", "--rm", "busybox", "no-such-program"])
        .fails(127);
    assert!(
        said.contains("no-such-program") && said.contains("executable file not found in $PATH"),
        "{said}"
    );
    assert_eq!(
        engine.docker(&["ps", "-aq"]).ok(),
        "",
        "--rm holds for containers that never started"
    );
}

#[test]
fn environment_folder_and_user_are_as_asked() {
    let engine = Engine::with_busybox();
    let script = "echo $CARGO; pwd; id -u; id -g; hostname";
    let outcome = engine.docker(&[
        "run",
        "--rm",
        "-e",
        "CARGO=dates",
        "-w",
        "/made/up",
        "-u",
        "1234:99",
        "-h",
        "lateen",
        "busybox",
        "sh",
        "-c",
        script,
    ]);
    assert_eq!(outcome.ok(), "dates\n/made/up\n1234\n99\nlateen");
    let groups = engine
        .docker(&[
            "run",
            "--rm",
            "-u",
            "www-data",
            "--group-add",
            "7",
            "busybox",
            "id",
        ])
        .ok();
    assert!(
        groups.starts_with("uid=33(www-data) gid=33(www-data)") && groups.contains('7'),
        "{groups}"
    );
}

#[test]
fn the_environment_is_what_docker_gives() {
    let engine = Engine::with_busybox();
    let id = engine.docker(&["create", "busybox", "env"]).ok();
    let mut lines: Vec<String> = engine
        .docker(&["start", "-a", &id])
        .ok()
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(
        lines,
        [
            "HOME=/root".to_owned(),
            format!("HOSTNAME={}", &id[..12]),
            path.to_owned()
        ]
    );
}

#[test]
fn entrypoint_and_command_combine() {
    let engine = Engine::with_busybox();
    let said = engine
        .docker(&[
            "run",
            "--rm",
            "--entrypoint",
            "/bin/echo",
            "busybox",
            "a",
            "b",
        ])
        .ok();
    assert_eq!(said, "a b");
    let image = dhow_testkit::fixture::busybox()
        .set("Entrypoint", serde_json::json!(["/bin/echo", "from image"]))
        .cmd(&["and default"]);
    engine.load(&image, "echo:1");
    assert_eq!(
        engine.docker(&["run", "--rm", "echo:1"]).ok(),
        "from image and default"
    );
    assert_eq!(
        engine.docker(&["run", "--rm", "echo:1", "mine"]).ok(),
        "from image mine"
    );
    assert_eq!(
        engine
            .docker(&["run", "--rm", "--entrypoint", "/bin/echo", "echo:1"])
            .ok(),
        "",
        "its command goes too"
    );
}

#[test]
fn a_terminal_is_a_terminal() {
    let engine = Engine::with_busybox();
    let outcome = engine.docker(&[
        "run",
        "--rm",
        "-t",
        "busybox",
        "sh",
        "-c",
        "tty; echo err >&2",
    ]);
    assert_eq!(outcome.out(), "/dev/pts/0\r\nerr\r", "{outcome}");
}

#[test]
fn the_container_looks_like_a_container() {
    let engine = Engine::with_busybox();
    let script = "echo $$; ls /dev | sort | tr '\\n' ' '; echo; cat /proc/1/comm; mount | grep -c ' / type overlay'";
    let lines = engine
        .docker(&["run", "--rm", "busybox", "sh", "-c", script])
        .ok();
    let mut lines = lines.lines();
    assert_eq!(lines.next(), Some("1"));
    let devices = lines.next().unwrap_or_default();
    for name in [
        "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "tty", "urandom",
        "zero",
    ] {
        assert!(
            devices.split(' ').any(|device| device == name),
            "no /dev/{name} in {devices}"
        );
    }
    assert!(
        !devices.contains("sd") && !devices.contains("vda"),
        "{devices}"
    );
    assert_eq!(lines.next(), Some("sh"));
    assert_eq!(lines.next(), Some("1"));
}

#[test]
fn init_goes_first_and_buries() {
    let engine = Engine::with_busybox();
    let script = "cat /proc/1/comm; ls -l /proc/1/exe; echo $$";
    let said = engine
        .docker(&["run", "--rm", "--init", "busybox", "sh", "-c", script])
        .ok();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "docker-init", "{said}");
    assert!(lines[1].ends_with("/sbin/docker-init"), "{said}");
    assert_ne!(lines[2], "1");
}

#[test]
fn who_is_attached_later_has_the_streams() {
    let engine = Engine::with_busybox();
    let id = engine
        .docker(&["create", "-i", "--name", "echo", "busybox", "cat"])
        .ok();
    assert_eq!(id.len(), 64);
    engine.docker(&["start", "echo"]).ok();
    assert_eq!(
        engine.docker_fed(&["attach", "echo"], b"through\n").ok(),
        "through"
    );
    assert_eq!(
        engine.docker(&["wait", "echo"]).ok(),
        "0",
        "the end of stdin ended it"
    );
}

#[test]
fn a_container_id_file_is_written() {
    let engine = Engine::with_busybox();
    let file = engine.scratch().join("id");
    let path = file.display().to_string();
    engine
        .docker(&["run", "--rm", "--cidfile", &path, "busybox", "true"])
        .ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap().len(), 64);
}

#[test]
fn an_unknown_image_is_not_there() {
    let engine = Engine::start();
    let said = engine
        .docker(&["run", "--pull", "never", "no-such-image"])
        .fails(125);
    assert!(
        said.contains("No such image: no-such-image:latest"),
        "{said}"
    );
}

#[test]
fn both_clients_run_the_same() {
    let engine = Engine::with_busybox();
    let words = ["run", "--rm", "busybox", "sh", "-c", "echo same; exit 5"];
    let (docker, dhow) = (engine.docker(&words), engine.dhow(&words));
    assert_eq!(
        (docker.out(), docker.code),
        (dhow.out(), dhow.code),
        "{docker}\n{dhow}"
    );
    assert_eq!(docker.code, 5);
}
