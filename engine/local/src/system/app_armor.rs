//! AppArmor in this kernel: whether it is there, and having a profile there
//! when a container is to be confined by it.
//!
//! Other programs unload profiles that no file under `/etc` stands for, so the
//! default one is looked for at every start, and loaded where it is missing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dhow_runtime::spec::apparmor::{self, Parser};

use crate::{Error, Result};

const FOLDER: &str = "/sys/kernel/security/apparmor";
const ENABLED: &str = "/sys/module/apparmor/parameters/enabled";
/// Where the parser looks for what profiles include.
const CONFIGURATION: &str = "/etc/apparmor.d";

/// Whether containers can be confined: the kernel does it, shows it, and there
/// is a program to tell it how.
pub(crate) fn is_supported() -> bool {
    let enabled = fs::read_to_string(ENABLED).is_ok_and(|text| text.starts_with('Y'));
    enabled && Path::new(FOLDER).is_dir() && parser().is_some()
}

/// Sees to it that the kernel has this profile. Blocks.
pub(crate) fn ensure(profile: &str) -> Result<()> {
    let list = fs::read_to_string(Path::new(FOLDER).join("profiles")).map_err(|e| {
        Error::system(format!(
            "Could not check if {profile} AppArmor profile was loaded: {e}"
        ))
    })?;
    if apparmor::is_loaded(&list, profile) {
        return Ok(());
    }
    if profile != apparmor::DEFAULT {
        return Err(missing());
    }
    let base = Path::new(CONFIGURATION);
    let text = apparmor::default_profile(&own_profile(), configuration(base));
    parser()
        .ok_or_else(|| "apparmor_parser is not installed".to_owned())
        // Not cached, and in place of one that was loaded meanwhile.
        .and_then(|parser| parse(&parser, &["-K", "-r"], &text))
        .map_err(|why| {
            Error::system(format!(
                "AppArmor enabled on system but the {profile} profile could not be loaded: {why}"
            ))
        })
}

/// What the program would be told by a kernel that lacks its profile, in the
/// words of those who let it come to that.
fn missing() -> Error {
    Error::system(
        "failed to create task for container: failed to create shim task: OCI runtime create \
         failed: unable to start container process: error during container init: unable to apply \
         apparmor profile: apparmor failed to apply profile: write \
         /proc/self/attr/apparmor/exec: no such file or directory: unknown",
    )
}

/// The profile that confines this process.
fn own_profile() -> String {
    let own = fs::read_to_string("/proc/self/attr/apparmor/current")
        .or_else(|_| fs::read_to_string("/proc/self/attr/current"))
        .unwrap_or_default();
    let own = own.trim_end();
    own.rsplit_once(" (")
        .map_or(own, |(name, _)| name)
        .to_owned()
}

fn configuration(base: &Path) -> Parser {
    Parser {
        abi: base.join("abi/3.0").exists(),
        tunables: base.join("tunables/global").exists(),
        base: base.join("abstractions/base").exists(),
    }
}

fn parser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let usual = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    folders
        .into_iter()
        .chain(usual)
        .map(|folder| folder.join("apparmor_parser"))
        .find(|program| program.is_file())
}

/// Gives the parser a profile's text; what it complains of is the error.
fn parse(parser: &Path, arguments: &[&str], text: &str) -> std::result::Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", parser.display());
    let mut child = Command::new(parser)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that stops reading says why.
        let _told_below = stdin.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "running `apparmor_parser {}` failed with output: {}",
        arguments.join(" "),
        said.trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_parser_takes_the_default_profile() {
        let package = dhow_testkit::debian::unpacked(&["apparmor"]);
        let parser = package.join("sbin/apparmor_parser");
        let base = package.join("etc/apparmor.d");
        let base_text = base.display().to_string();
        // Compiled, not given to the kernel, which may not even have AppArmor.
        let arguments = ["-b", &base_text, "-Q", "-K"];
        let all = configuration(&base);
        assert!(all.abi && all.tunables && all.base);
        for daemon in ["unconfined", "/usr/sbin/engine"] {
            for there in [all, Parser::default()] {
                let text = apparmor::default_profile(daemon, there);
                parse(&parser, &arguments, &text).unwrap();
            }
        }
        let wrong = apparmor::default_profile("unconfined", all).replace("umount", "nonsense");
        let refused = parse(&parser, &arguments, &wrong).unwrap_err();
        assert!(
            refused.contains("running `apparmor_parser -b") && refused.contains("syntax error"),
            "{refused}"
        );
    }
}
