//! AppArmor: this kernel has it, as Debian's and Ubuntu's do.

use crate::house;

/// What the first program of a container is confined by.
const CONFINEMENT: &str = "cat /proc/1/attr/apparmor/current";

#[test]
fn containers_are_confined_by_the_default_profile() {
    let mut house = house();
    let options = house.dhow("info -f '{{json .SecurityOptions}}'");
    assert!(options.contains("name=apparmor"), "{options}");

    house.idle("plain", "");
    assert_eq!(
        house.dhow(&format!("exec plain {CONFINEMENT}")),
        "docker-default (enforce)"
    );
    assert_eq!(
        house.dhow("exec plain cat /proc/self/attr/apparmor/current"),
        "docker-default (enforce)",
        "an exec is confined as well"
    );
    assert_eq!(house.inspect("plain")["AppArmorProfile"], "docker-default");
    let loaded = house.run("cat /sys/kernel/security/apparmor/profiles").ok();
    assert!(loaded.contains("docker-default (enforce)"), "{loaded}");
    house.clear("plain");
}

#[test]
fn the_profile_denies_what_the_user_may() {
    let mut house = house();
    // Capabilities allow it, and no seccomp stands before it.
    let flags = "--rm --cap-add SYS_ADMIN --security-opt seccomp=unconfined";
    let mount = "mount -t tmpfs none /tmp";
    let denied = house.refused(&format!("run {flags} busybox {mount}"));
    assert!(denied.err().contains("ermission denied"), "{denied}");
    house.dhow(&format!(
        "run {flags} --security-opt apparmor=unconfined busybox {mount}"
    ));
    house.clear("");
}

#[test]
fn profiles_are_chosen_as_docker_does() {
    let mut house = house();
    for (name, flags, profile, confinement) in [
        (
            "free",
            "--security-opt apparmor=unconfined",
            "unconfined",
            "unconfined",
        ),
        ("mighty", "--privileged", "unconfined", "unconfined"),
        (
            "named",
            "--security-opt apparmor=docker-default",
            "docker-default",
            "docker-default (enforce)",
        ),
    ] {
        house.idle(name, flags);
        assert_eq!(
            house.dhow(&format!("exec {name} {CONFINEMENT}")),
            confinement,
            "{flags}"
        );
        assert_eq!(house.inspect(name)["AppArmorProfile"], profile, "{flags}");
    }
    house.clear("free mighty named");

    let missing = house.refused("run --rm --security-opt apparmor=no-such-profile busybox true");
    assert!(
        missing.err().contains("unable to apply apparmor profile"),
        "{missing}"
    );
    house.clear("");
}

#[test]
fn a_profile_that_was_unloaded_is_loaded_again() {
    let mut house = house();
    house.dhow("run --rm busybox true");
    house
        .run("echo -n docker-default >/sys/kernel/security/apparmor/.remove")
        .ok();
    assert_eq!(
        house.dhow(&format!("run --rm busybox {CONFINEMENT}")),
        "docker-default (enforce)"
    );
    house.clear("");
}
