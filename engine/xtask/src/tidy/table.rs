//! Who may import whom: the design's table, as data.
//!
//! A new edge between two of our crates is a decision. It is made here, in
//! the same commit as its ADR.

/// What one package may and must not depend on.
pub struct Rule {
    pub package: &'static str,
    /// The crates of ours that it may import.
    pub may: &'static [&'static str],
    /// What must not be in it, not even through others.
    pub never: &'static [&'static str],
}

const HTTP: &[&str] = &["axum", "http", "hyper", "reqwest", "tokio"];
const PURE: &[&str] = &["jiff", "libc", "nix", "rusqlite", "rustix", "tokio"];
const NO_LIBCONTAINER: &[&str] = &["libcontainer", "tokio"];
const SYNC: &[&str] = &["tokio"];

/// One rule for each package of the workspace.
pub const RULES: &[Rule] = &[
    rule("dhow-model", &[], PURE),
    rule("dhow-sys", &["dhow-model"], HTTP),
    rule("dhow-runtime", &["dhow-model", "dhow-sys"], NO_LIBCONTAINER),
    rule(
        "dhow-shim",
        &["dhow-model", "dhow-sys", "dhow-runtime"],
        HTTP,
    ),
    rule(
        "dhow-registry",
        &["dhow-model"],
        &["libcontainer", "rusqlite"],
    ),
    rule("dhow-image", &["dhow-model", "dhow-sys"], SYNC),
    rule("dhow-network", &["dhow-model", "dhow-sys"], SYNC),
    rule("dhow-volume", &["dhow-model", "dhow-sys"], SYNC),
    rule("dhow-build", &["dhow-model", "dhow-sys"], &["libcontainer"]),
    rule(
        "dhow-local",
        &[
            "dhow-build",
            "dhow-image",
            "dhow-init",
            "dhow-model",
            "dhow-network",
            "dhow-registry",
            "dhow-runtime",
            "dhow-sys",
            "dhow-volume",
            "dhow-welcome",
        ],
        &["axum", "clap", "libcontainer"],
    ),
    rule("dhow-server", &["dhow-local", "dhow-model"], &["clap"]),
    rule(
        "dhow-daemon",
        &["dhow-local", "dhow-model", "dhow-server", "dhow-sys"],
        &["libcontainer"],
    ),
    rule("dhow-client", &["dhow-model"], &["axum", "libcontainer"]),
    rule("dhow-compose", &["dhow-client", "dhow-model"], &["axum"]),
    rule("dhow-machine", &["dhow-model"], &["axum"]),
    rule(
        "dhow-cli",
        &["dhow-client", "dhow-compose", "dhow-machine", "dhow-model"],
        &["axum", "libcontainer", "tauri"],
    ),
    // The window and the tray: a face, which knows the engine as any client.
    rule("dhow-app", &["dhow-client"], &["axum", "libcontainer"]),
    // Programs that are carried inside the engine as bytes.
    rule("dhow-init", &[], SYNC),
    rule("dhow-welcome", &[], SYNC),
    rule("dhow-testkit", &[], SYNC),
    rule("xtask", &[], SYNC),
];

/// A package that others may import in their tests only.
pub const DEV_ONLY: &str = "dhow-testkit";

const fn rule(
    package: &'static str,
    may: &'static [&'static str],
    never: &'static [&'static str],
) -> Rule {
    Rule {
        package,
        may,
        never,
    }
}
