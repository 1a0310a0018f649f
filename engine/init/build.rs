//! Compiles the init as a static executable, the way that the welcome
//! image's server is compiled.

#[path = "../welcome/build/compile.rs"]
mod compile;

use std::path::Path;

fn main() {
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    compile::program("program/main.rs", &Path::new(&out).join("init"));
    for input in ["program", "build.rs", "../welcome/build/compile.rs"] {
        println!("cargo::rerun-if-changed={input}");
    }
}
