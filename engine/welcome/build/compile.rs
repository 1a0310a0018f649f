//! One call of the compiler: a small, static, reproducible program.
//! The engine's init is compiled by it as well.

use std::path::Path;
use std::process::Command;

/// Compiles `source` to `output` and returns the executable's bytes.
pub fn program(source: &str, output: &Path) -> Vec<u8> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let folder = variable("CARGO_MANIFEST_DIR");
    let mut rustc = Command::new(variable("RUSTC"));
    rustc
        .current_dir(&folder)
        .arg(source)
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "bin",
            "--target",
            &variable("TARGET"),
        ])
        .args([
            "-C",
            "opt-level=s",
            "-C",
            "lto=fat",
            "-C",
            "codegen-units=1",
            "-C",
            "panic=abort",
        ])
        .args([
            "-C",
            "target-feature=+crt-static",
            "-C",
            "relocation-model=static",
        ])
        .args(["-C", "strip=symbols"])
        // Where somebody keeps the sources is nobody's business, and must
        // not change the bytes.
        .arg(format!("--remap-path-prefix={folder}="))
        .arg("-o")
        .arg(output);
    if let Ok(linker) = std::env::var("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    let result = rustc
        .output()
        .unwrap_or_else(|error| panic!("cannot run {rustc:?}: {error}"));
    if !result.status.success() {
        panic!(
            "{source} does not compile:\n{}",
            String::from_utf8_lossy(&result.stderr)
        );
    }
    std::fs::read(output).expect("the compiler wrote its output")
}
