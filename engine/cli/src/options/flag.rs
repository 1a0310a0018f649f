//! Values of single flags, read as Docker's client reads them and refused in
//! its words.

use dhow_model::{duration, size};

/// Go's idea of a boolean.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!(
            "strconv.ParseBool: parsing {text:?}: invalid syntax"
        )),
    }
}

/// A size: `512m`.
pub fn bytes(text: &str) -> Result<i64, String> {
    size::parse_bytes(text).map_err(|error| error.to_string())
}

/// A size, or -1 for no limit.
pub fn bytes_or_unlimited(text: &str) -> Result<i64, String> {
    if text == "-1" { Ok(-1) } else { bytes(text) }
}

/// A duration in nanoseconds.
pub fn duration(text: &str) -> Result<i64, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

/// A whole number.
pub fn int(text: &str) -> Result<i64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| {
        let reason = match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => {
                "value out of range"
            }
            _ => "invalid syntax",
        };
        format!("strconv.ParseInt: parsing {text:?}: {reason}")
    })
}

/// A whole number that fits 16 bits.
pub fn uint16(text: &str) -> Result<u16, String> {
    text.parse::<u16>().map_err(|error| {
        let reason = match error.kind() {
            std::num::IntErrorKind::PosOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("strconv.ParseUint: parsing {text:?}: {reason}")
    })
}

/// A number of CPUs, in billionths.
pub fn nano_cpus(text: &str) -> Result<i64, String> {
    let wrong = || format!("failed to parse {text} as a rational number");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(wrong());
    }
    if fraction.trim_end_matches('0').len() > 9 {
        return Err("value is too precise".to_owned());
    }
    let nanos = format!("{fraction:0<9}");
    let nanos: i64 = nanos[..9].parse().map_err(|_| wrong())?;
    let whole: i64 = match whole {
        "" => 0,
        whole => whole.parse().map_err(|_| wrong())?,
    };
    whole
        .checked_mul(1_000_000_000)
        .and_then(|whole| whole.checked_add(nanos))
        .ok_or_else(wrong)
}

/// `-a`: one of the three streams.
pub fn stream(text: &str) -> Result<String, String> {
    let lower = text.to_lowercase();
    match lower.as_str() {
        "stdin" | "stdout" | "stderr" => Ok(lower),
        _ => Err("valid streams are STDIN, STDOUT and STDERR".to_owned()),
    }
}

/// `--dns`.
pub fn ip_address(text: &str) -> Result<String, String> {
    let address: std::net::IpAddr = text
        .trim()
        .parse()
        .map_err(|_| format!("IP address is not correctly formatted: {}", text.trim()))?;
    Ok(address.to_string())
}

/// `--dns-search`: a domain, or `.` for none.
pub fn dns_search(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text == "." {
        return Ok(text.to_owned());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let has_letter = text.chars().any(|c| c.is_ascii_alphabetic());
    let labels = text.trim_end_matches('.').split('.').all(|label| {
        !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    });
    if has_letter && labels && text.len() < 255 && text.chars().all(plain) {
        return Ok(text.to_owned());
    }
    Err(format!("{text} is not a valid domain"))
}

/// `--add-host name:address` or `name=address`.
pub fn extra_host(text: &str) -> Result<String, String> {
    let wrong = || format!("bad format for add-host: {text:?}");
    let (name, address) = text
        .split_once('=')
        .or_else(|| text.split_once(':'))
        .ok_or_else(wrong)?;
    if name.is_empty() {
        return Err(wrong());
    }
    let bare = match address.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').unwrap_or(address),
        None => address,
    };
    // The engine knows what host-gateway stands for.
    if bare != "host-gateway" {
        bare.parse::<std::net::IpAddr>()
            .map_err(|_| format!("invalid IP address in add-host: {address:?}"))?;
    }
    Ok(format!("{name}:{bare}"))
}

/// `--device-cgroup-rule 'c 1:3 rwm'`.
pub fn device_cgroup_rule(text: &str) -> Result<String, String> {
    let wrong = || format!("invalid device cgroup format '{text}'");
    let parts: Vec<&str> = text.split(' ').collect();
    let [kind, numbers, access] = parts.as_slice() else {
        return Err(wrong());
    };
    let number =
        |text: &str| text == "*" || (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    let (major, minor) = numbers.split_once(':').ok_or_else(wrong)?;
    let fits = matches!(*kind, "a" | "b" | "c")
        && number(major)
        && number(minor)
        && (1..=3).contains(&access.len())
        && access.chars().all(|c| "rwm".contains(c));
    if fits {
        Ok(text.to_owned())
    } else {
        Err(wrong())
    }
}

/// `--sysctl name=value`: names that are not namespaced are refused, because
/// they would change the host.
pub fn sysctl(text: &str) -> Result<String, String> {
    const KNOWN: &[&str] = &[
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    ];
    const PREFIXES: &[&str] = &["net.", "fs.mqueue."];
    if let Some((name, _)) = text.split_once('=')
        && (KNOWN.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
    {
        return Ok(text.to_owned());
    }
    Err(format!("sysctl '{text}' is not allowed"))
}

/// `--link container[:alias]`.
pub fn link(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("empty string specified for links".to_owned());
    }
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 2 {
        return Err(format!("bad format for links: {text}"));
    }
    Ok(text.to_owned())
}

/// `--ip`, `--ip6`, `--link-local-ip`.
pub fn plain_ip(text: &str) -> Result<String, String> {
    text.parse::<std::net::IpAddr>()
        .map(|address| address.to_string())
        .map_err(|_| format!("failed to parse IP: {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_as_go_reads_them() {
        assert_eq!(boolean("T"), Ok(true));
        assert_eq!(boolean("0"), Ok(false));
        assert_eq!(
            boolean("maybe").unwrap_err(),
            "strconv.ParseBool: parsing \"maybe\": invalid syntax"
        );
    }

    #[test]
    fn cpus_are_decimal() {
        assert_eq!(nano_cpus("1.5"), Ok(1_500_000_000));
        assert_eq!(nano_cpus("2"), Ok(2_000_000_000));
        assert_eq!(nano_cpus(".25"), Ok(250_000_000));
        assert_eq!(
            nano_cpus("x").unwrap_err(),
            "failed to parse x as a rational number"
        );
        assert!(nano_cpus("0.0000000001").is_err());
        assert!(nano_cpus("-1").is_err());
        assert!(nano_cpus("99999999999999999999").is_err());
    }

    #[test]
    fn hosts_links_and_rules() {
        assert_eq!(extra_host("a:1.2.3.4"), Ok("a:1.2.3.4".into()));
        assert_eq!(extra_host("a=[::1]"), Ok("a:::1".into()));
        assert_eq!(extra_host("a:::1"), Ok("a:::1".into()));
        assert_eq!(extra_host("a:host-gateway"), Ok("a:host-gateway".into()));
        assert_eq!(
            extra_host("foo").unwrap_err(),
            "bad format for add-host: \"foo\""
        );
        assert_eq!(
            extra_host("a:b").unwrap_err(),
            "invalid IP address in add-host: \"b\""
        );
        assert!(device_cgroup_rule("c 1:* rwm").is_ok());
        assert!(device_cgroup_rule("d 1:3 rwm").is_err());
        assert!(device_cgroup_rule("c 1:3 rwmx").is_err());
        assert!(sysctl("net.core.somaxconn=1").is_ok());
        assert!(sysctl("kernel.hostname=x").is_err());
        assert!(sysctl("net.core.somaxconn").is_err());
        assert!(dns_search("example.com").is_ok() && dns_search("a b").is_err());
        assert!(link("a:b").is_ok() && link("a:b:c").is_err());
    }
}
