//! Puts the page, the icons and the list of commands that it may call into
//! the program.

/// Every command. A command that is not here does not exist for any page;
/// one that is has to be allowed in capabilities/window.json as well.
const COMMANDS: &[&str] = &[
    "app_settings",
    "app_set_setting",
    "app_engine",
    "app_start_engine",
    "app_retry_engine",
    "app_open_external",
    "app_save_file",
    "app_notify",
    "registries",
    "registry_log_in",
    "registry_log_out",
    "command_line",
    "install_command_line",
    "remove_command_line",
    "engine_expect",
    "engine_request",
    "engine_open",
    "engine_write",
    "engine_finish",
    "engine_read",
    "engine_cancel",
];

fn main() {
    println!("cargo::rerun-if-changed=../ui/dist");
    if !std::path::Path::new("../ui/dist/index.html").is_file() {
        println!(
            "cargo::error=the page is not built: run `npm ci && npm run build` in ui/, or `cargo xtask app`"
        );
        return;
    }
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    let attributes = tauri_build::Attributes::new().app_manifest(manifest);
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error={error:#}");
    }
}
