//! A guest by itself, booted once.

use super::{Guest, Root, Size};

const SMALL: Size = Size {
    processors: 1,
    memory: 256,
};

#[test]
fn a_guest_runs_scripts_and_has_its_own_kernel_and_disk() {
    let root = Root::default().file("/srv/brought", 0o644, b"along");
    let mut guest = Guest::boot(root, SMALL);
    let outcome = guest.run("cat; cat /srv/brought; echo oops >&2; exit 3");
    assert_eq!((outcome.code, outcome.out().as_str()), (3, "along"));
    assert_eq!(outcome.err(), "oops");

    let own = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let other = guest.run("cat /proc/sys/kernel/random/boot_id").ok();
    assert_ne!(own.trim(), other);
    let groups = guest.run("grep cgroup /proc/mounts | cut -d' ' -f3").ok();
    assert_eq!(groups, "cgroup2", "version 2 and nothing else");

    // More than the pipes and the port hold at once.
    let large = guest.run("dd if=/dev/zero bs=1M count=4; echo end >&2");
    assert_eq!(large.stdout.len(), 4 << 20);
    assert!(large.err().ends_with("end"));
}
