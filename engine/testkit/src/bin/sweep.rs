//! `dhow-sweep`: removes what engines left behind.
//!
//! Without arguments it clears every test slot that nobody holds. With the
//! path of a footprint file (JSON) it clears exactly that one, which is how
//! `cargo xtask run` and `bench` leave nothing.
#![forbid(unsafe_code)]

use anyhow::{Context, Result};
use dhow_testkit::{footprint::Footprint, registry, slot};

fn main() -> Result<()> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    for file in &files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        let footprint: Footprint =
            serde_json::from_str(&text).with_context(|| format!("{file} is no footprint"))?;
        footprint.remove()?;
    }
    if files.is_empty() {
        let slots = slot::sweep()?;
        let registries = registry::sweep()?;
        if slots + registries > 0 {
            println!("swept {slots} engines and {registries} registries that were left over");
        }
    }
    Ok(())
}
