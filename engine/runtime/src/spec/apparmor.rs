//! AppArmor: which profile a container gets, and the text of the default one.
//!
//! The default has Docker's name, `docker-default`, because people write it
//! behind `--security-opt`, and because one that another engine has loaded
//! under it serves as well. Loading it is the caller's business.

/// The default profile's name.
pub const DEFAULT: &str = "docker-default";
/// No profile.
pub const UNCONFINED: &str = "unconfined";

/// The profile of a container on a host that has AppArmor: the one asked for,
/// none for a privileged one, else the default.
pub fn profile(asked: Option<&str>, privileged: bool) -> &str {
    match asked {
        Some(name) if !name.is_empty() => name,
        _ if privileged => UNCONFINED,
        _ => DEFAULT,
    }
}

/// Whether the kernel's list of profiles (`name (mode)` a line) has this one.
pub fn is_loaded(list: &str, name: &str) -> bool {
    list.lines()
        .filter_map(|line| line.rsplit_once(" ("))
        .any(|(loaded, _)| loaded == name)
}

/// What the parser's configuration has that the text can refer to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parser {
    /// `abi/3.0`: the rules mean what they meant then. Later ones deny Unix
    /// sockets to a profile that allows the network.
    pub abi: bool,
    /// `tunables/global`.
    pub tunables: bool,
    /// `abstractions/base`.
    pub base: bool,
}

/// The text of the default profile. `daemon` is the profile that the engine
/// itself is confined by, for its signals to arrive.
pub fn default_profile(daemon: &str, parser: Parser) -> String {
    let line = |there: bool, text: &'static str| if there { text } else { "" };
    let abi = line(parser.abi, "abi <abi/3.0>,\n");
    let tunables = line(parser.tunables, "include <tunables/global>\n");
    let base = line(parser.base, "  include <abstractions/base>\n");
    let daemon = match daemon {
        UNCONFINED | "" => String::new(),
        name => format!("  signal (receive) peer=\"{name}\",\n"),
    };
    format!(
        r#"{abi}{tunables}
profile {DEFAULT} flags=(attach_disconnected,mediate_deleted) {{
{base}
  network,
  capability,
  file,
  umount,

  # The engine may signal, and the container's own processes each other.
  signal (receive) peer={UNCONFINED},
{daemon}  signal (send,receive) peer={DEFAULT},
  ptrace (trace,read,tracedby,readby) peer={DEFAULT},

  deny mount,

  # Of /proc only what belongs to processes, and shm* of the kernel's settings.
  deny /proc/* w,
  deny /proc/[^1-9s]*/** w,
  deny /proc/s[^y]*/** w,
  deny /proc/sy[^s]*/** w,
  deny /proc/sys[^/]*/** w,
  deny /proc/sys/[^k]** w,
  deny /proc/sys/k[^e]** w,
  deny /proc/sys/kernel/[^s]** w,
  deny /proc/sys/kernel/s[^h]** w,
  deny /proc/sys/kernel/sh[^m]** w,
  deny /proc/sysrq-trigger rwklx,
  deny /proc/kcore rwklx,

  # Of /sys only the control groups.
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_nothing_gets_the_default_unless_privileged() {
        assert_eq!(profile(None, false), DEFAULT);
        assert_eq!(profile(Some(""), false), DEFAULT);
        assert_eq!(profile(None, true), UNCONFINED);
        assert_eq!(profile(Some("own"), true), "own");
        assert_eq!(profile(Some(UNCONFINED), false), UNCONFINED);
    }

    #[test]
    fn the_kernels_list_is_read() {
        let list = "/usr/bin/man (enforce)\ndocker-default (enforce)\na (b) (complain)\n";
        assert!(is_loaded(list, DEFAULT));
        assert!(is_loaded(list, "a (b)"));
        assert!(!is_loaded(list, "docker"));
        assert!(!is_loaded("", DEFAULT));
    }

    #[test]
    fn the_text_refers_only_to_what_is_there() {
        let plain = default_profile(UNCONFINED, Parser::default());
        assert!(!plain.contains("abi <") && !plain.contains("include"));
        assert_eq!(plain.matches("signal").count(), 3, "{plain}");
        let all = Parser {
            abi: true,
            tunables: true,
            base: true,
        };
        let full = default_profile("engine", all);
        assert!(full.starts_with("abi <abi/3.0>,\ninclude <tunables/global>\n"));
        assert!(full.contains("  include <abstractions/base>\n"));
        assert!(full.contains("peer=\"engine\""));
    }
}
