//! Puts the built pages (`ui/dist`) into the program, each with the tag that
//! its bytes have. Where they were not built, there are none.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let manifest = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let interface = manifest.join("../../ui");
    let built = interface.join("dist");
    let mut files = Vec::new();
    if interface.is_dir() {
        // Cargo takes a path that is not there for one that changed, and
        // would compile this crate anew each time. An empty folder is enough
        // for it to notice when the pages are built. Where the sources cannot
        // be written to, nothing will be built either.
        let _ = std::fs::create_dir(&built);
        println!("cargo::rerun-if-changed={}", built.display());
        collect(&built, &mut files);
    }
    files.sort();
    let mut code = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&built).expect("it was found below");
        let bytes = std::fs::read(file)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
        let tag: String = Sha256::digest(&bytes)[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        writeln!(
            code,
            "    ({:?}, include_bytes!({:?}), {tag:?}),",
            name.to_string_lossy(),
            file
        )
        .expect("memory takes every byte");
    }
    code.push_str("]\n");
    std::fs::write(out.join("pages.rs"), code).expect("cargo's own folder can be written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_none_or(|extension| extension != "map") {
            files.push(path);
        }
    }
}
