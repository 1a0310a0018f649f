//! Contexts: made, changed, removed, carried in files, by either client.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use dhow_testkit::certificate::Authority;

use crate::both::Client;

/// A script for both clients, each in a folder of its own with the same
/// certificates. The engine's usual socket is not the same, so the lines name
/// their hosts.
const SCRIPT: &[&str] = &[
    // Names.
    "context create a --docker host=tcp://far",
    "context create default --docker host=tcp://far",
    "context create b@d --docker host=tcp://far",
    "context create ../x --docker host=tcp://far",
    "context create",
    "context create one two",
    "context create one --nope",
    "context create one --description",
    // Endpoints.
    "context create one --docker host=tcp://far --description over_there",
    "context create one --docker host=tcp://far",
    "context create bad --docker host",
    "context create bad --docker foo=tcp://far",
    "context create bad --docker host=far",
    "context create bad --docker host=/far",
    "context create bad --docker host=tcp://",
    "context create bad --docker host=unix://",
    "context create bad --docker host=fd://",
    "context create bad --docker host=npipe:////./pipe/x",
    "context create bad --docker host=tcp://far:port",
    "context create bad --docker host=tcp://[::1",
    "context create bad --docker host=ssh://",
    "context create bad --docker host=ssh://me:secret@far",
    "context create bad --docker host=ssh://far?q=1",
    "context create bad --docker host=ssh://far#f",
    "context create bad --docker host=ssh://far:abc",
    "context create bad --docker host=tcp://far,skip-tls-verify=maybe",
    "context create bad --docker host=tcp://far,skip-tls-verify=",
    "context create bad --docker host=x,b=\"q",
    "context create ssh --docker host=ssh://me@far:22",
    "context create skip --docker host=tcp://far:2376,skip-tls-verify=T",
    "context create twice --docker host=tcp://a,host=tcp://b",
    "context create commas --docker host=tcp://a,,",
    "context create open --docker host=",
    // TLS material.
    "context create tls --docker host=tcp://far:2376,ca=ca.pem,cert=me.pem,key=me-key.pem",
    "context create caonly --docker host=tcp://far:2376,ca=ca.pem",
    "context create socket --docker host=unix:///x.sock,ca=me-key.pem",
    "context create bad --docker host=tcp://far,ca=nope.pem",
    "context create bad --docker host=tcp://far,ca=me-key.pem",
    "context create bad --docker host=tcp://far,ca=.",
    "context create bad --docker host=tcp://far,cert=me.pem,key=ca.pem",
    "context create bad --docker host=tcp://far,cert=me.pem,key=text",
    "context create bad --docker host=tcp://far,cert=text,key=me-key.pem",
    "context create bad --docker host=tcp://far,cert=me-key.pem,key=me-key.pem",
    "context create bad --docker host=tcp://far,cert=me.pem,key=other-key.pem",
    // Copies.
    "context create copy --from tls --description <copied>&",
    "context create copy2 --docker from=one",
    "context create bad --from nope",
    "context create bad --docker from=nope",
    "context create bad --from tls --docker host=tcp://far",
    "--context tls context create copy10",
    "--context nope context create bad",
    "-H tcp://near context create near",
    "context inspect near one tls copy copy2 copy10 open skip socket nope",
    "context inspect tls --format {{.Endpoints.docker.Host}}",
    "context inspect b@d",
    // Changes.
    "context update one",
    "context update one --description elsewhere",
    "context update one --docker host=tcp://elsewhere",
    "context update tls --docker host=tcp://far:2377",
    "context update copy --docker from=ssh",
    "context update copy2 --docker skip-tls-verify=1,ca=ca.pem",
    "context update copy2 --docker foo=bar",
    "context update copy2 --docker from=nope",
    "context update nope",
    "context update default --description x",
    "context update a",
    "context update",
    "context update one --from tls",
    "context inspect one tls copy copy2",
    "-H tcp://near context ls -q",
    "--context one context ls --format table{{.Name}}|{{.Description}}|{{.Error}}",
    "-H tcp://near context ls",
    "-H tcp://near context ls --format {{.Name}}:{{.DockerEndpoint}}",
    "-H tcp://near context ls --format json",
    "--context nope context ls -q",
    "context ls extra",
    // Files.
    "context export nope",
    "context export a",
    "context export copy10",
    "context export copy10",
    "context export one /nowhere/file",
    "context export one named.tar",
    "context import",
    "context import one copy10.dockercontext",
    "context import default copy10.dockercontext",
    "context import b@d copy10.dockercontext",
    "context import new nope",
    "context import new text",
    "context import new /dev/null",
    "context import new copy10.dockercontext",
    "context import new2 named.tar",
    "context inspect new new2",
    // The one in use.
    "context use nope",
    "context use b@d",
    "context use one",
    "context show",
    "context show extra",
    "context rm one",
    "context rm one nope new",
    "context rm -f one nope",
    "-H tcp://near context show",
    "--context tls context show",
    "--context tls context rm tls",
    "context rm default",
    "context rm -f default",
    "context remove new2 ssh",
    "context use tls",
    "context use default",
    "context show",
    "context nope",
];

/// What `dhow` does otherwise, after the script, and why.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "context export",
        "Docker's usage has [OPTIONS] for a flag that it does not show",
    ),
    ("context use", "Docker's own slip: no usage, other words"),
    (
        "context create kept --docker from=caonly",
        "Docker leaves the certificates behind, without which the copy is of no use",
    ),
];

fn certificates(folder: &Path) {
    let authority = Authority::new(folder);
    authority.issue("me");
    authority.issue("other");
    std::fs::write(folder.join("text"), "no certificate\n").unwrap();
}

#[test]
fn says_what_docker_says() {
    let place = tempfile::tempdir().unwrap();
    let docker = Client::docker(&place.path().join("a"));
    let dhow = Client::dhow(&place.path().join("b"));
    certificates(&docker.folder);
    for file in std::fs::read_dir(&docker.folder).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, dhow.folder.join(path.file_name().unwrap())).unwrap();
    }
    let mut different = Vec::new();
    for line in SCRIPT {
        let words: Vec<&str> = line.split(' ').collect();
        let expected = docker.said(&docker.run(&words));
        let found = dhow.said(&dhow.run(&words));
        if found != expected {
            different.push(format!("{line}\n  docker {expected:?}\n  dhow   {found:?}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(
        tree(&dhow.config().join("contexts")),
        tree(&docker.config().join("contexts")),
        "what is left on disk"
    );
    for (line, reason) in DIFFERENT {
        let words: Vec<&str> = line.split(' ').collect();
        let seen = |client: &Client| {
            let said = client.said(&client.run(&words));
            (said, tree(&client.config().join("contexts")))
        };
        assert_ne!(seen(&dhow), seen(&docker), "{line}: no longer so: {reason}");
    }
}

/// Every file below `folder` with its contents and, for keys, its mode.
fn tree(folder: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            files.push((name, mode, std::fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn each_client_uses_what_the_other_made() {
    let place = tempfile::tempdir().unwrap();
    let docker = Client::docker(place.path());
    let dhow = Client::dhow(place.path());
    certificates(place.path());
    let tls = "host=tcp://far:2376,ca=ca.pem,cert=me.pem,key=me-key.pem";
    docker
        .run(&["context", "create", "theirs", "--docker", tls])
        .ok();
    dhow.run(&["context", "create", "ours", "--docker", tls])
        .ok();
    for name in ["theirs", "ours"] {
        let expected = docker.run(&["context", "inspect", name]).ok();
        assert_eq!(dhow.run(&["context", "inspect", name]).ok(), expected);
    }
    docker
        .run(&["context", "export", "ours", "from-docker"])
        .ok();
    dhow.run(&["context", "export", "theirs", "from-dhow"]).ok();
    dhow.run(&["context", "import", "ours2", "from-docker"])
        .ok();
    docker
        .run(&["context", "import", "theirs2", "from-dhow"])
        .ok();
    let piped = dhow.run(&["context", "export", "ours", "-"]);
    docker
        .run_fed(&["context", "import", "piped", "-"], &piped.stdout)
        .ok();
    let exported = place.path().join("from-dhow");
    let mode = std::fs::metadata(exported).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "there is a key in it");
    let keys = "{{.Name}} {{.TLSMaterial}}";
    for (name, client) in [("theirs2", &dhow), ("piped", &dhow), ("ours2", &docker)] {
        assert_eq!(
            client.run(&["context", "inspect", "-f", keys, name]).ok(),
            format!("{name} map[docker:[ca.pem cert.pem key.pem]]")
        );
    }
    dhow.run(&["context", "rm", "theirs", "theirs2"]).ok();
    docker.run(&["context", "rm", "ours", "ours2"]).ok();
    let names = ["context", "ls", "-q"];
    assert_eq!(docker.run(&names).ok(), "default\npiped");
    assert_eq!(dhow.run(&names).ok(), "default\npiped");
}

/// Each client has a current context of its own; neither lets go of one that
/// the other means.
#[test]
fn the_current_context_of_either_is_in_use() {
    let place = tempfile::tempdir().unwrap();
    let docker = Client::docker(place.path());
    let dhow = Client::dhow(place.path());
    for name in ["one", "two"] {
        let endpoint = "host=tcp://far";
        docker
            .run(&["context", "create", name, "--docker", endpoint])
            .ok();
    }
    docker.run(&["context", "use", "one"]).ok();
    assert_eq!(dhow.run(&["context", "show"]).ok(), "one");
    dhow.run(&["context", "use", "two"]).ok();
    assert_eq!(docker.run(&["context", "show"]).ok(), "one");
    for name in ["one", "two"] {
        assert_eq!(
            dhow.run(&["context", "rm", name]).fails(1),
            format!("context {name:?} is in use, set -f flag to force remove")
        );
    }
    dhow.run(&["context", "rm", "-f", "one", "two"]).ok();
    assert_eq!(docker.run(&["context", "show"]).ok(), "default");
    assert_eq!(dhow.run(&["context", "show"]).ok(), "default");
}
