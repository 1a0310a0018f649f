//! Signals by number and by name, as Linux on this architecture family numbers
//! them (x86, arm, riscv, s390, ppc agree; mips is not supported).

use crate::error::{ErrorKind, HasKind};

/// The signal `docker stop` sends where neither image nor container names one.
pub const DEFAULT_STOP: i32 = 15;
/// The signal that cannot be refused.
pub const KILL: i32 = 9;

/// A text that names no signal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignal {
    /// No such name, or 0.
    #[error("invalid signal: {0}")]
    Unknown(String),
    /// A number Linux has no signal for.
    #[error("the linux daemon does not support signal {0}")]
    Unsupported(i32),
}

impl HasKind for InvalidSignal {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

/// Reads `9`, `KILL`, `SIGKILL`, `sigkill` or `RTMIN+3`.
pub fn parse(text: &str) -> Result<i32, InvalidSignal> {
    let wrong = || InvalidSignal::Unknown(text.to_owned());
    match text.parse::<i32>() {
        Ok(0) => return Err(wrong()),
        Ok(number) if (1..=LAST).contains(&number) => return Ok(number),
        Ok(number) => return Err(InvalidSignal::Unsupported(number)),
        Err(_) => {}
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some((_, number)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Ok(*number);
    }
    realtime(name).ok_or_else(wrong)
}

/// `SIGKILL` for 9; `SIGRTMIN+n` for real-time signals.
pub fn name(signal: i32) -> Option<String> {
    if let Some((name, _)) = NAMES.iter().find(|(_, number)| *number == signal) {
        return Some(format!("SIG{name}"));
    }
    match signal {
        RTMIN => Some("SIGRTMIN".to_owned()),
        LAST => Some("SIGRTMAX".to_owned()),
        _ if (RTMIN..LAST).contains(&signal) => Some(format!("SIGRTMIN+{}", signal - RTMIN)),
        _ => None,
    }
}

/// glibc keeps the first two real-time signals for itself.
const RTMIN: i32 = 34;
const LAST: i32 = 64;

fn realtime(name: &str) -> Option<i32> {
    let (base, offset) = match name.find(['+', '-']) {
        Some(sign) => (&name[..sign], name[sign..].parse::<i32>().ok()?),
        None => (name, 0),
    };
    match base {
        "RTMIN" if (0..=15).contains(&offset) => Some(RTMIN + offset),
        "RTMAX" if (-14..=0).contains(&offset) => Some(LAST + offset),
        _ => None,
    }
}

/// The first name of a number is the one printed.
const NAMES: &[(&str, i32)] = &[
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("IOT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", KILL),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", DEFAULT_STOP),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("POLL", 29),
    ("PWR", 30),
    ("SYS", 31),
    ("UNUSED", 31),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_read() {
        let check = |text: &str, number| assert_eq!(parse(text), Ok(number), "{text}");
        check("9", 9);
        check("KILL", 9);
        check("sigkill", 9);
        check("SIGTERM", 15);
        check("RTMIN", 34);
        check("SIGRTMIN+3", 37);
        check("rtmax-1", 63);
        check("64", 64);
        for text in [
            "", "0", "SIG", "SIGNOPE", "RTMIN+16", "RTMAX+1", "TERM+1", "RTMIN+",
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.to_string(), format!("invalid signal: {text}"));
        }
        for number in [-9, 65] {
            let error = parse(&number.to_string()).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("the linux daemon does not support signal {number}")
            );
        }
    }

    #[test]
    fn every_signal_s_name_reads_back() {
        for signal in (1..=31).chain(34..=64) {
            let name = name(signal).unwrap_or_else(|| panic!("{signal} has no name"));
            if signal < 50 || signal == 64 {
                assert_eq!(parse(&name), Ok(signal), "{name}");
            }
        }
        assert_eq!(name(0), None);
        assert_eq!(name(32), None);
        assert_eq!(name(6).as_deref(), Some("SIGABRT"));
    }
}
