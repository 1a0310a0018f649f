//! The process dies at any instant; what it acknowledged is there, what it had
//! not finished is not.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::fixture::*;

/// Set in the child, which works until it is killed.
const ROLE: &str = "DHOW_IMAGE_TEST_STORE";

/// This test twice over: as the parent that kills, and as the child that dies.
#[test]
fn nothing_half_done_after_a_kill() {
    if let Some(root) = std::env::var_os(ROLE) {
        return work(Path::new(&root));
    }
    let (dir, store) = store();
    drop(store);
    // A spread of instants, the same ones each time.
    let mut acknowledged = Vec::new();
    for round in 0..12u64 {
        acknowledged.extend(run_and_kill(
            dir.path(),
            Duration::from_millis(3 + round * 17),
        ));
        check(dir.path(), &acknowledged);
    }
    assert!(!acknowledged.is_empty(), "the child got something done");
}

fn run_and_kill(root: &Path, after: Duration) -> Vec<u32> {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args([
            "--exact",
            "killed::nothing_half_done_after_a_kill",
            "--nocapture",
        ])
        .env(ROLE, root)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("child");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    // Counted from when it has begun, not from when it was started.
    for line in lines.by_ref() {
        if line.expect("line").ends_with("ready") {
            break;
        }
    }
    std::thread::sleep(after);
    child.kill().expect("kill");
    child.wait().expect("wait");
    let done = lines.filter_map(|line| {
        let line = line.expect("line");
        line.strip_prefix("done ")?.parse().ok()
    });
    done.collect()
}

/// The child: images of two layers, one after the other, without an end.
fn work(root: &Path) {
    let store = open(root);
    println!("ready");
    let from = store.images().expect("images").len() as u32;
    for number in from.. {
        image(&store, &layers(number), &[&format!("app:{number}")]);
        println!("done {number}");
    }
}

fn layers(number: u32) -> [Layer; 2] {
    let plain = archive(|tar| {
        for n in 0..20 {
            file(tar, &format!("f{n}"), format!("{number} {n}").as_bytes());
        }
    });
    [small_layer("base", b"base"), layer(&plain, Pack::Gzip)]
}

fn check(root: &Path, acknowledged: &[u32]) {
    let store = open(root);
    for number in acknowledged {
        store.get(&format!("app:{number}")).expect("acknowledged");
    }
    for image in store.images().expect("images") {
        let dirs = store.rootfs(&image.id).expect("rootfs");
        let number = image.names[0].tag().expect("tag");
        for n in 0..20 {
            let path: PathBuf = dirs[0].path.join(format!("f{n}"));
            let content = std::fs::read_to_string(&path).expect("file");
            assert_eq!(content, format!("{number} {n}"));
        }
    }
    // Every layer that is visible belongs to a row, and the other way round.
    let mut visible: Vec<String> = std::fs::read_dir(root.join("layers"))
        .expect("layers")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "l")
        .collect();
    visible.sort();
    let db = rusqlite::Connection::open(root.join("images.db")).expect("database");
    let mut query = db
        .prepare("SELECT substr(diff_id, 8) FROM layers ORDER BY 1")
        .expect("query");
    let rows = query
        .query_map([], |row| row.get::<_, String>(0))
        .expect("rows");
    let known: Vec<String> = rows.collect::<Result<_, _>>().expect("rows");
    assert_eq!(visible, known);
}
