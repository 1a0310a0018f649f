//! Names of containers: which are allowed, and the ones made up for those who
//! give none.

use crate::error::{ErrorKind, HasKind};

/// The characters of a name, as error texts show them.
pub const ALLOWED: &str = "[a-zA-Z0-9][a-zA-Z0-9_.-]";

/// A name with other characters, or of a single one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid container name ({0}), only {ALLOWED} are allowed")]
pub struct InvalidName(pub String);

impl HasKind for InvalidName {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

/// The name without the slash some clients put before it, if it is allowed.
pub fn container(text: &str) -> Result<&str, InvalidName> {
    let name = text.strip_prefix('/').unwrap_or(text);
    if is_plain(name) {
        Ok(name)
    } else {
        Err(InvalidName(text.to_owned()))
    }
}

/// Whether `name` consists of at least two of the [`ALLOWED`] characters. Such
/// a name is also safe as a file name.
pub fn is_plain(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() >= 2
        && bytes[0].is_ascii_alphanumeric()
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// A name made of `random`. From the second `attempt` on a digit follows, as
/// the plain ones seem to be taken.
pub fn random(random: u64, attempt: u32) -> String {
    let pick = |list: &[&'static str], bits: u64| list[bits as usize % list.len()];
    let manner = pick(MANNERS, random & 0xffff);
    let sailor = pick(SAILORS, (random >> 16) & 0xffff);
    if attempt == 0 {
        format!("{manner}_{sailor}")
    } else {
        format!("{manner}_{sailor}{}", (random >> 32) % 10)
    }
}

const MANNERS: &[&str] = &[
    "able",
    "agile",
    "amber",
    "ample",
    "ardent",
    "balmy",
    "blithe",
    "bold",
    "bonny",
    "brave",
    "breezy",
    "bright",
    "brisk",
    "buoyant",
    "calm",
    "candid",
    "cheery",
    "clear",
    "coastal",
    "cobalt",
    "coral",
    "cordial",
    "crisp",
    "daring",
    "dauntless",
    "deft",
    "diligent",
    "eager",
    "earnest",
    "easterly",
    "fair",
    "fearless",
    "fleet",
    "fluent",
    "fond",
    "frank",
    "free",
    "fresh",
    "gallant",
    "genial",
    "gentle",
    "gleaming",
    "glad",
    "golden",
    "graceful",
    "hale",
    "hardy",
    "hearty",
    "heedful",
    "humble",
    "intrepid",
    "jaunty",
    "jolly",
    "jovial",
    "just",
    "keen",
    "kind",
    "laden",
    "leeward",
    "light",
    "limber",
    "lively",
    "lucid",
    "lunar",
    "mellow",
    "merry",
    "mighty",
    "mild",
    "mindful",
    "moonlit",
    "natty",
    "nautical",
    "neat",
    "nimble",
    "noble",
    "northerly",
    "open",
    "patient",
    "pearly",
    "placid",
    "plucky",
    "polite",
    "prompt",
    "proud",
    "quick",
    "quiet",
    "ready",
    "robust",
    "rosy",
    "roving",
    "sage",
    "sailing",
    "salty",
    "seaworthy",
    "sedate",
    "serene",
    "sharp",
    "silver",
    "sleek",
    "smart",
    "snug",
    "solar",
    "sound",
    "southerly",
    "spirited",
    "sprightly",
    "spry",
    "stalwart",
    "starlit",
    "staunch",
    "steady",
    "stout",
    "sturdy",
    "sunny",
    "sure",
    "swift",
    "tidal",
    "tidy",
    "tranquil",
    "trim",
    "true",
    "trusty",
    "upbeat",
    "upright",
    "valiant",
    "vast",
    "vivid",
    "warm",
    "wary",
    "watchful",
    "westerly",
    "willing",
    "windward",
    "wise",
    "witty",
    "worthy",
    "zealous",
    "zesty",
];

/// Navigators, shipbuilders, mapmakers, oceanographers and sea travellers.
const SAILORS: &[&str] = &[
    "amundsen",
    "anson",
    "baffin",
    "banks",
    "baret",
    "barents",
    "battuta",
    "beaufort",
    "bellingshausen",
    "bering",
    "blackwell",
    "bligh",
    "bougainville",
    "bowditch",
    "cabot",
    "cabral",
    "cartier",
    "champlain",
    "chichester",
    "cook",
    "cousteau",
    "cunningham",
    "dampier",
    "davis",
    "diaz",
    "drake",
    "dumont",
    "earle",
    "ekman",
    "elcano",
    "erikson",
    "faxian",
    "fitzroy",
    "flinders",
    "forster",
    "franklin",
    "freydis",
    "frobisher",
    "gama",
    "gerritsz",
    "graham",
    "halley",
    "hanno",
    "harrison",
    "hartog",
    "hensen",
    "heyerdahl",
    "himilco",
    "hudson",
    "humboldt",
    "hydari",
    "janszoon",
    "kotzebue",
    "krusenstern",
    "laperouse",
    "lazarev",
    "lind",
    "linschoten",
    "lovell",
    "macarthur",
    "mackenzie",
    "magellan",
    "majid",
    "marsden",
    "maury",
    "mercator",
    "moitessier",
    "munk",
    "nansen",
    "nearchus",
    "nordenskjold",
    "ortelius",
    "parry",
    "piccard",
    "pigafetta",
    "polo",
    "pytheas",
    "quiros",
    "raleigh",
    "ross",
    "sacagawea",
    "scoresby",
    "scylax",
    "selkirk",
    "shackleton",
    "sindbad",
    "slocum",
    "sverdrup",
    "tasman",
    "tharp",
    "torres",
    "tupaia",
    "urdaneta",
    "vancouver",
    "verrazzano",
    "vespucci",
    "waldseemuller",
    "wallis",
    "weddell",
    "wilkes",
    "worsley",
    "zheng",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_allowed_or_refused() {
        for (given, name) in [
            ("web", "web"),
            ("/web", "web"),
            ("a_B.1-", "a_B.1-"),
            ("00", "00"),
        ] {
            assert_eq!(container(given), Ok(name));
        }
        for given in [
            "", "/", "a", "/a", "_a", "-a", ".a", "a b", "a/b", "//ab", "é1", "a\n",
        ] {
            let error = container(given).expect_err(given).to_string();
            assert_eq!(
                error,
                format!(
                    "Invalid container name ({given}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
                )
            );
        }
    }

    #[test]
    fn no_word_is_listed_twice() {
        for list in [MANNERS, SAILORS] {
            assert_eq!(list.iter().collect::<HashSet<_>>().len(), list.len());
        }
    }

    proptest! {
        #[test]
        fn made_up_names_are_allowed(bits in any::<u64>(), attempt in 0u32..6) {
            let name = random(bits, attempt);
            prop_assert_eq!(container(&name), Ok(name.as_str()));
            prop_assert_eq!(name.ends_with(|c: char| c.is_ascii_digit()), attempt > 0);
        }
    }
}
