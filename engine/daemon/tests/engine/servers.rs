//! Real servers, made of Debian's packages, serving over published ports.

use dhow_testkit::{Engine, Registry, fixture, until};

#[test]
fn nginx_serves_a_page() {
    let engine = Engine::start();
    let registry = Registry::start();
    let reference = registry.push_docker(&fixture::nginx(), "nginx:debian");
    engine
        .docker(&[
            "run",
            "-d",
            "--name",
            "web",
            "-p",
            "127.0.0.1::80",
            &reference,
        ])
        .ok();
    let address = engine.docker(&["port", "web", "80/tcp"]).ok();
    let curl = || {
        let mut command = std::process::Command::new("curl");
        command.args(["-s", "--max-time", "5", &format!("http://{address}/")]);
        dhow_testkit::Outcome::of(command, b"")
    };
    let page = until("nginx serves", || {
        Some(curl()).filter(|outcome| outcome.code == 0)
    });
    assert_eq!(page.out(), "<h1>nginx of Debian, in Dhow</h1>");
    until("the request is logged", || {
        engine
            .docker(&["logs", "web"])
            .out()
            .contains("GET / HTTP/1.1")
            .then_some(())
    });
    engine.docker(&["stop", "web"]).ok();
    assert_eq!(
        crate::field(&engine, "web", "{{.State.ExitCode}}"),
        "0",
        "SIGQUIT ends nginx well"
    );
}

#[test]
fn postgresql_keeps_its_data() {
    let engine = Engine::start();
    let registry = Registry::start();
    let reference = registry.push_docker(&fixture::postgres(), "postgres:debian");
    let start = |name: &str| {
        engine
            .docker(&[
                "run",
                "-d",
                "--name",
                name,
                "-v",
                "cargo:/var/lib/postgresql/data",
                "-p",
                "127.0.0.1::5432",
                &reference,
            ])
            .ok();
        until("PostgreSQL is ready", || {
            (sql(&engine, name, "select 1") == "1").then_some(())
        });
    };
    start("first");
    // Through the published port, from a container in the host's network.
    let port = engine.docker(&["port", "first", "5432/tcp"]).ok();
    let port = port.rsplit(':').next().unwrap_or_default().to_owned();
    let outside = engine.docker(&[
        "run", "--rm", "--network", "host", "--entrypoint", "psql", &reference, "-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-Atc",
        "create table cargo (what text); insert into cargo values ('dates'); select count(*) from cargo",
    ]);
    assert!(outside.clone().ok().ends_with('1'), "{outside}");
    engine.docker(&["stop", "first"]).ok();
    assert_eq!(
        crate::field(&engine, "first", "{{.State.ExitCode}}"),
        "0",
        "SIGINT ends PostgreSQL well"
    );
    engine.docker(&["rm", "first"]).ok();
    start("second");
    assert_eq!(
        sql(&engine, "second", "select what from cargo"),
        "dates",
        "the volume kept it"
    );
}

fn sql(engine: &Engine, name: &str, statement: &str) -> String {
    engine
        .docker(&[
            "exec",
            name,
            "psql",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-Atc",
            statement,
        ])
        .out()
}
