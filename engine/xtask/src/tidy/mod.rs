//! `cargo xtask tidy`: the rules of the house that a machine can check.
//!
//! Rules about dependencies are in [`table`] and checked by
//! [`dependencies`]; rules about single files are in [`sources`]. The
//! compiler, rustfmt and clippy have the rest.

mod dependencies;
mod sources;
mod table;

use anyhow::{Result, bail};

use crate::cargo::{metadata, workspace};

/// What a check found.
#[derive(Default)]
pub struct Findings {
    /// Rules broken: tidy fails.
    pub errors: Vec<String>,
    /// Rules bent: tidy only says so.
    pub warnings: Vec<String>,
}

/// Checks everything and prints what it found.
pub fn run() -> Result<()> {
    let findings = check()?;
    for warning in &findings.warnings {
        println!("warning: {warning}");
    }
    for error in &findings.errors {
        println!("error: {error}");
    }
    if !findings.errors.is_empty() {
        bail!("tidy: {} rules broken", findings.errors.len());
    }
    println!("tidy: no rule broken, {} warnings", findings.warnings.len());
    Ok(())
}

fn check() -> Result<Findings> {
    let mut findings = Findings::default();
    dependencies::check(&metadata(true)?, &mut findings);
    sources::check(workspace(), &mut findings)?;
    Ok(findings)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_workspace_is_tidy() {
        let findings = super::check().expect("tidy can read the workspace");
        assert!(findings.errors.is_empty(), "{}", findings.errors.join("\n"));
    }
}
