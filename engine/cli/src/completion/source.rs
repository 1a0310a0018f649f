//! Where the candidates for a word or a flag's value come from, as data.

use clap::Arg;

/// Where candidates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Nothing that anyone could guess.
    Nothing,
    /// The shell's own files.
    Files,
    /// Always the same words.
    Words(&'static [&'static str]),
    /// What the engine or the context store has.
    Names(Names),
}

/// Things with names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    Containers(Which),
    Images,
    Networks,
    Volumes,
    Contexts,
    /// Of every kind.
    Objects,
}

/// The containers that a command makes sense for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    All,
    Running,
    /// Running and not paused.
    Awake,
    Paused,
    /// Never started or ended.
    Stopped,
}

impl Source {
    /// The same for a command with `--force`: it removes running ones too.
    pub fn forced(self, forced: bool) -> Self {
        match self {
            Self::Names(Names::Containers(Which::Stopped)) if forced => ALL,
            other => other,
        }
    }
}

const ALL: Source = containers(Which::All);
const RUNNING: Source = containers(Which::Running);
const AWAKE: Source = containers(Which::Awake);
const IMAGES: Source = Source::Names(Names::Images);
const NETWORKS: Source = Source::Names(Names::Networks);
const VOLUMES: Source = Source::Names(Names::Volumes);
const CONTEXTS: Source = Source::Names(Names::Contexts);

const fn containers(which: Which) -> Source {
    Source::Names(Names::Containers(which))
}

/// A command, its first words' sources, and what further ones have.
type Rule = (&'static str, &'static [Source], Source);

/// Commands below `container` and `image` stand here once, under the names
/// that they have there.
const WORDS: &[Rule] = &[
    ("container attach", &[AWAKE], Source::Nothing),
    ("container commit", &[RUNNING], Source::Nothing),
    ("container cp", &[], Source::Files),
    ("container create", &[IMAGES], Source::Nothing),
    ("container diff", &[RUNNING], Source::Nothing),
    ("container exec", &[AWAKE], Source::Nothing),
    ("container export", &[ALL], Source::Nothing),
    ("container inspect", &[], ALL),
    ("container kill", &[], RUNNING),
    ("container logs", &[ALL], Source::Nothing),
    ("container pause", &[], AWAKE),
    ("container port", &[RUNNING], Source::Nothing),
    ("container rename", &[ALL], Source::Nothing),
    ("container restart", &[], ALL),
    ("container rm", &[], containers(Which::Stopped)),
    ("container run", &[IMAGES], Source::Nothing),
    ("container start", &[], containers(Which::Stopped)),
    ("container stats", &[], RUNNING),
    ("container stop", &[], RUNNING),
    ("container top", &[RUNNING], Source::Nothing),
    ("container unpause", &[], containers(Which::Paused)),
    ("container update", &[], ALL),
    ("container wait", &[], RUNNING),
    ("context export", &[CONTEXTS], Source::Files),
    ("context import", &[Source::Nothing], Source::Files),
    ("context inspect", &[], CONTEXTS),
    ("context rm", &[], CONTEXTS),
    ("context update", &[CONTEXTS], Source::Nothing),
    ("context use", &[CONTEXTS], Source::Nothing),
    (
        "completion",
        &[Source::Words(&[
            "bash",
            "elvish",
            "fish",
            "powershell",
            "zsh",
        ])],
        Source::Nothing,
    ),
    ("image history", &[IMAGES], Source::Nothing),
    ("image import", &[Source::Files], Source::Nothing),
    ("image inspect", &[], IMAGES),
    ("image ls", &[IMAGES], Source::Nothing),
    ("image push", &[IMAGES], Source::Nothing),
    ("image rm", &[], IMAGES),
    ("image save", &[], IMAGES),
    ("image tag", &[IMAGES, IMAGES], Source::Nothing),
    ("inspect", &[], Source::Names(Names::Objects)),
    ("network connect", &[NETWORKS, ALL], Source::Nothing),
    ("network disconnect", &[NETWORKS, ALL], Source::Nothing),
    ("network inspect", &[], NETWORKS),
    ("network rm", &[], NETWORKS),
    ("volume inspect", &[], VOLUMES),
    ("volume rm", &[], VOLUMES),
];

/// Short forms, and the commands they are short for.
const SHORT: &[(&str, &str)] = &[
    ("images", "image ls"),
    ("ps", "container ls"),
    ("rmi", "image rm"),
];

/// The source of the word after `given` others of the command at `path`.
pub fn of_word(path: &[&str], given: usize) -> Source {
    let name = path.join(" ");
    let long = SHORT.iter().find(|(short, _)| *short == name);
    let name = long.map_or(name.as_str(), |(_, long)| long);
    let known = |name: &str| WORDS.iter().find(|(command, _, _)| *command == name);
    let rule = known(name)
        .or_else(|| known(&format!("container {name}")))
        .or_else(|| known(&format!("image {name}")));
    match rule {
        Some((_, first, more)) => first.get(given).copied().unwrap_or(*more),
        None => Source::Nothing,
    }
}

/// The source of a flag's value.
pub fn of_flag(flag: &Arg) -> Source {
    match flag.get_long().unwrap_or_default() {
        "cap-add" | "cap-drop" => Source::Words(CAPABILITIES),
        "cgroupns" => Source::Words(&["host", "private"]),
        "context" | "from" => CONTEXTS,
        "link" => RUNNING,
        "log-driver" => Source::Words(&["json-file", "local", "none"]),
        "log-level" => Source::Words(&["debug", "info", "warn", "error", "fatal"]),
        "network" | "net" => NETWORKS,
        "pull" => Source::Words(&["always", "missing", "never"]),
        "restart" => Source::Words(&["no", "always", "on-failure", "unless-stopped"]),
        "signal" | "stop-signal" => Source::Words(SIGNALS),
        "type" => Source::Words(&["container", "image", "network", "volume"]),
        "userns" | "uts" => Source::Words(&["host"]),
        "volumes-from" => ALL,
        _ => Source::Files,
    }
}

const SIGNALS: &[&str] = &[
    "ABRT", "ALRM", "BUS", "CHLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "KILL", "PIPE",
    "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU",
    "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
];

const CAPABILITIES: &[&str] = &[
    "ALL",
    "CAP_AUDIT_CONTROL",
    "CAP_AUDIT_READ",
    "CAP_AUDIT_WRITE",
    "CAP_BLOCK_SUSPEND",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_KILL",
    "CAP_LEASE",
    "CAP_LINUX_IMMUTABLE",
    "CAP_MAC_ADMIN",
    "CAP_MAC_OVERRIDE",
    "CAP_MKNOD",
    "CAP_NET_ADMIN",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_RAW",
    "CAP_PERFMON",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYSLOG",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_CHROOT",
    "CAP_SYS_MODULE",
    "CAP_SYS_NICE",
    "CAP_SYS_PACCT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_WAKE_ALARM",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::grammar;
    use crate::program::Program;

    #[test]
    fn every_rule_is_about_a_command() {
        let root = grammar(Program::DHOW);
        for (name, _, _) in WORDS {
            let mut command = &root;
            for word in name.split(' ') {
                let found = command.find_subcommand(word);
                command = found.unwrap_or_else(|| panic!("no command {name}"));
            }
        }
    }

    #[test]
    fn short_forms_are_as_good_as_long_ones() {
        assert_eq!(of_word(&["rm"], 3), containers(Which::Stopped));
        assert_eq!(of_word(&["container", "rm"], 0), of_word(&["rm"], 0));
        assert_eq!(of_word(&["rmi"], 0), IMAGES);
        assert_eq!(of_word(&["exec"], 1), Source::Nothing);
        assert_eq!(of_word(&["network", "rm"], 0), NETWORKS);
        assert_eq!(of_word(&["ps"], 0), Source::Nothing);
    }
}
