//! Just enough DER to read when a certificate is valid (RFC 5280, 4.1.2.5).
//!
//! Not a certificate parser: names, keys and signatures are left to webpki.

/// The two ends of a certificate's validity, as seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The validity of the certificate in `der`, or `None` if it can't be read.
pub(crate) fn validity(der: &[u8]) -> Option<Validity> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (signed, _) = expect(certificate, SEQUENCE)?;
    // version, serial number, algorithm, issuer, then the validity.
    let rest = expect(signed, VERSION).map_or(signed, |(_, rest)| rest);
    let (_, rest) = expect(rest, INTEGER)?;
    let (_, rest) = expect(rest, SEQUENCE)?;
    let (_, rest) = expect(rest, SEQUENCE)?;
    let (validity, _) = expect(rest, SEQUENCE)?;
    let (not_before, rest) = time(validity)?;
    let (not_after, _) = time(rest)?;
    Some(Validity {
        not_before,
        not_after,
    })
}

/// The content of the element at the start of `der`, if its tag is `tag`, and
/// what follows it.
fn expect(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(der)?;
    (found == tag).then_some((content, rest))
}

fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, der) = der.split_first()?;
    let (&first, der) = der.split_first()?;
    let (length, der) = if first < 0x80 {
        (usize::from(first), der)
    } else {
        let digits = usize::from(first & 0x7f);
        if !(1..=4).contains(&digits) || der.len() < digits {
            return None;
        }
        let (digits, der) = der.split_at(digits);
        let length = digits.iter().fold(0, |sum, &d| sum << 8 | usize::from(d));
        (length, der)
    };
    if der.len() < length {
        return None;
    }
    let (content, rest) = der.split_at(length);
    Some((tag, content, rest))
}

fn time(der: &[u8]) -> Option<(i64, &[u8])> {
    let (tag, text, rest) = element(der)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, text) = match (tag, text.len()) {
        (UTC_TIME, 12) => {
            let year: i64 = text[..2].parse().ok()?;
            (year + if year < 50 { 2000 } else { 1900 }, &text[2..])
        }
        (GENERALIZED_TIME, 14) => (text[..4].parse().ok()?, &text[4..]),
        _ => return None,
    };
    let field = |at: usize| text[at..at + 2].parse::<i64>().ok();
    let (month, day) = (field(0)?, field(2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = field(4)? * 3600 + field(6)? * 60 + field(8)?;
    Some((days_from_epoch(year, month, day) * 86400 + seconds, rest))
}

/// Days since 1970-01-01 in the Gregorian calendar: the year is taken to begin
/// in March, so that the leap day is its last.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_leap_years() {
        assert_eq!(days_from_epoch(1970, 1, 1), 0);
        assert_eq!(days_from_epoch(2000, 3, 1), 11_017);
        assert_eq!(days_from_epoch(2026, 11, 22), 20_779);
    }

    #[test]
    fn times_in_both_forms() {
        let check = |tag: u8, text: &str, expected: Option<i64>| {
            let mut der = vec![tag, u8::try_from(text.len()).unwrap()];
            der.extend_from_slice(text.as_bytes());
            assert_eq!(time(&der).map(|(t, _)| t), expected, "{text}");
        };
        check(UTC_TIME, "700101000001Z", Some(1));
        check(UTC_TIME, "491231235959Z", Some(2_524_607_999));
        check(GENERALIZED_TIME, "20500101000000Z", Some(2_524_608_000));
        check(GENERALIZED_TIME, "20501301000000Z", None);
        check(UTC_TIME, "7001010000+1Z", None);
        check(UTC_TIME, "", None);
    }

    #[test]
    fn cut_or_lying_lengths_are_refused() {
        for der in [
            &b""[..],
            b"\x30",
            b"\x30\x05abc",
            b"\x30\x85aaaaa",
            b"\x30\x80",
        ] {
            assert_eq!(validity(der), None);
        }
    }
}
