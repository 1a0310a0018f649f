//! Whether mounts can spread from where a bind's source is.

use std::path::Path;

use dhow_model::mount::Propagation;

use super::InvalidMountPlan;

/// Checks a bind's propagation against the host's `mountinfo` text. `source` is
/// free of symbolic links.
pub fn check_propagation(
    mountinfo: &str,
    source: &Path,
    propagation: Propagation,
) -> Result<(), InvalidMountPlan> {
    let (needed, tags): (&'static str, &[&str]) = match propagation {
        Propagation::Private | Propagation::RPrivate => return Ok(()),
        Propagation::Shared | Propagation::RShared => ("shared", &["shared:"]),
        Propagation::Slave | Propagation::RSlave => ("shared or slave", &["shared:", "master:"]),
    };
    let holding = mountinfo
        .lines()
        .filter_map(Line::parse)
        .filter(|line| source.starts_with(&line.mount_point))
        // The last of equals is the one on top.
        .max_by_key(|line| line.mount_point.len())
        .ok_or_else(|| InvalidMountPlan::NoMountPoint(source.display().to_string()))?;
    let spreads = holding
        .tags
        .iter()
        .any(|tag| tags.iter().any(|wanted| tag.starts_with(wanted)));
    if spreads {
        Ok(())
    } else {
        Err(InvalidMountPlan::Propagation {
            path: source.display().to_string(),
            mounted_on: holding.mount_point,
            needed,
        })
    }
}

struct Line<'a> {
    mount_point: String,
    tags: Vec<&'a str>,
}

impl<'a> Line<'a> {
    /// `id parent major:minor root mount-point options tag… - type source …`
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(' ');
        let mount_point = unescape(fields.nth(4)?);
        fields.next()?;
        Some(Self {
            mount_point,
            tags: fields.take_while(|field| *field != "-").collect(),
        })
    }
}

/// The kernel writes space, tab, newline and backslash in octal.
fn unescape(field: &str) -> String {
    field
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
        22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        23 22 0:20 / /mnt/shared rw shared:7 - tmpfs none rw\n\
        24 22 0:21 / /mnt/a\\040b rw master:7 - tmpfs none rw\n";

    #[test]
    fn spreading_needs_a_mount_that_spreads() {
        let check = |source: &str, propagation, message: Option<&str>| {
            let result = check_propagation(MOUNTINFO, source.as_ref(), propagation);
            assert_eq!(
                result.err().map(|e| e.to_string()).as_deref(),
                message,
                "{source}"
            );
        };
        check("/srv", Propagation::RPrivate, None);
        check("/mnt/shared/x", Propagation::RShared, None);
        check("/mnt/shared", Propagation::RSlave, None);
        check("/mnt/a b/x", Propagation::Slave, None);
        check(
            "/mnt/a b/x",
            Propagation::Shared,
            Some("path /mnt/a b/x is mounted on /mnt/a b but it is not a shared mount"),
        );
        check(
            "/mnt/sharedx",
            Propagation::RSlave,
            Some("path /mnt/sharedx is mounted on / but it is not a shared or slave mount"),
        );
    }
}
