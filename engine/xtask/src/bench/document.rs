//! `engine/BENCHMARKS.md`: parts that begin with a heading of the first level,
//! each written by the measurement of its name.

use anyhow::{Context, Result};

use crate::cargo::workspace;

/// The headings, in the order of the document.
pub const ENGINE: &str = "# Measured against dockerd";
pub const WINDOW: &str = "# The window";

/// Puts `part`, which begins with `heading`, in the place of the old one.
pub fn replace(heading: &str, part: &str) -> Result<()> {
    let file = workspace().join("engine/BENCHMARKS.md");
    let said = || format!("cannot use {}", file.display());
    let old = std::fs::read_to_string(&file).with_context(said)?;
    std::fs::write(&file, replaced(&old, heading, part)).with_context(said)
}

fn replaced(document: &str, heading: &str, part: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for line in document.lines() {
        match parts.last_mut() {
            Some(last) if !line.starts_with("# ") => {
                last.push('\n');
                last.push_str(line);
            }
            _ => parts.push(line.to_owned()),
        }
    }
    let place = |part: &str| [ENGINE, WINDOW].iter().position(|h| part.starts_with(h));
    parts.retain(|other| place(other).is_some() && !other.starts_with(heading));
    parts.push(part.to_owned());
    parts.sort_by_key(|part| place(part));
    let parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).collect();
    parts.join("\n\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_and_the_others_stay() {
        let engine = format!("{ENGINE}\n\n- a\n\n| t |\n");
        let window = format!("{WINDOW}\n\nold\n");
        let new = format!("{WINDOW}\n\nnew\n");
        assert_eq!(replaced(&engine, WINDOW, &new), format!("{engine}\n{new}"));
        let both = format!("{engine}\n{window}");
        assert_eq!(replaced(&both, WINDOW, &new), format!("{engine}\n{new}"));
        let other = format!("{ENGINE}\n\n- b\n");
        assert_eq!(
            replaced(&both, ENGINE, &other),
            format!("{other}\n{window}")
        );
    }
}
