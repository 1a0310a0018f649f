//! Where `dhow` differs from `docker` on purpose, and why.

/// On an engine with one of everything.
pub const LINES: &[(&str, &str)] = &[
    ("version", "another program, another version"),
    ("version --format '{{.Client.Version}}'", "another program"),
    ("--version", "another program"),
    ("-v", "another program"),
    ("info", "Docker lists its own plugins and build"),
    ("info --format '{{.ClientInfo.Version}}'", "another program"),
    (
        "--help",
        "our own words, and only the commands that there are",
    ),
    ("ps --help", "our own words"),
    ("container --help", "our own words"),
    ("", "our own words"),
    (
        "inspect --format '{{.NetworkSettings.Networks}}' fresh",
        "Docker prints an address in its own memory",
    ),
    ("cp /nope over:/", "Docker's slip: it says //nope"),
];

/// Command lines that make no sense.
pub const WRONG: &[(&str, &str)] = &[
    ("images a b", "Docker's slip: SRun"),
    ("login a b", "Docker's slip: SRun"),
    ("logout a b", "Docker's slip: SRun"),
    ("volume create a b", "Docker's slip: SRun"),
    (
        "volume nope",
        "Docker's usage has COMMAND in this group only",
    ),
    (
        "context use",
        "Docker's slip: other words than everywhere, no usage",
    ),
    (
        "context export",
        "Docker's usage has [OPTIONS] for a flag that it hides",
    ),
    ("network rm nope", "Docker adds a line: exit status 1"),
    ("network rm bridge", "Docker adds a line: exit status 1"),
    (
        "run -v :x busybox",
        "Docker makes a volume at a relative path of it",
    ),
    (
        "run --mount type=nope,target=/x busybox",
        "the same sentence, but without asking the engine",
    ),
    ("-H x ps", "our own words where nobody answers"),
];
