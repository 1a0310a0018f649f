//! Compiles the server as a static executable and wraps it in an image.
//!
//! The server cannot be an ordinary dependency: it is linked differently,
//! and cargo has no stable way to depend on a program. So the compiler is
//! called as cargo would call it, for the same target.

#[path = "build/archive.rs"]
mod archive;
#[path = "build/compile.rs"]
mod compile;

use std::path::Path;

fn main() {
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);
    let server = compile::program("server/main.rs", &out.join("welcome"));
    let image = archive::of(&server);
    std::fs::write(out.join("welcome.tar"), &image.archive).expect("OUT_DIR can be written");
    println!("cargo::rustc-env=DHOW_WELCOME_ID={}", image.id);
    for input in ["server", "build", "build.rs"] {
        println!("cargo::rerun-if-changed={input}");
    }
}
