//! Device rules: no files in version 2, but a program in the kernel.

use crate::house;

/// Tells whether the kernel's log can be opened to write, by a node made on
/// the spot.
const MADE: &str = "mknod /made c 1 11; true >/made; echo $?";

#[test]
fn devices_that_were_not_given_cannot_be_opened() {
    let mut house = house();
    let mut said = |flags: &str, script: &str| {
        house.dhow(&format!("run --rm {flags} busybox sh -c '{script}'"))
    };
    assert_eq!(said("", MADE), "1");
    let usual = "for name in null zero full random urandom tty; do \
                 [ -e /dev/$name ] || echo no $name; done; \
                 true >/dev/null; echo $?; head -c 1 /dev/zero | wc -c";
    assert_eq!(said("", usual), "0\n1");
    let disk = "mknod /disk b $(cat /sys/block/vda/dev | tr : \" \"); head -c 1 /disk | wc -c";
    assert_eq!(said("", disk), "0");
    assert_eq!(said("--privileged", disk), "1");
    assert_eq!(said("--privileged", MADE), "0");
    house.clear("");
}

#[test]
fn devices_are_given_with_the_access_that_is_named() {
    let mut house = house();
    let mut said = |flags: &str, script: &str| {
        house.dhow(&format!("run --rm {flags} busybox sh -c '{script}'"))
    };
    let script = "true >/dev/mine; echo $?; head -c 1 /dev/mine >/dev/null; echo $?";
    let given = |access: &str| format!("--device /dev/vda:/dev/mine:{access}");
    assert_eq!(said(&given("r"), script), "1\n0");
    assert_eq!(said(&given("rw"), script), "0\n0");
    assert_eq!(said(&given("w"), script), "0\n1");
    assert_eq!(said("--device-cgroup-rule \"c 1:11 w\"", MADE), "0");
    assert_eq!(said("--device-cgroup-rule \"c 1:* rwm\"", MADE), "0");
    assert_eq!(said("--device-cgroup-rule \"c 1:11 r\"", MADE), "1");
    house.clear("");
}

#[test]
fn execs_are_held_by_the_same_rules() {
    let mut house = house();
    house.idle("held", "");
    assert_eq!(house.dhow(&format!("exec held sh -c '{MADE}'")), "1");
    house.clear("held");
}
