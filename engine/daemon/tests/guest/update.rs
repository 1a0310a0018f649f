//! Limits of running containers, changed.

use crate::house;

#[test]
fn limits_change_while_the_container_runs() {
    let mut house = house();
    house.idle("held", "-m 32m --memory-swap 64m");
    house.dhow(
        "update --memory 64m --memory-swap 128m --memory-reservation 20m --cpus 0.7 \
         --pids-limit 55 --cpuset-cpus 0 --cpu-shares 512 --blkio-weight 300 held",
    );
    let files = "memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus \
                 pids.max io.weight";
    assert_eq!(
        house.group_files("held", files),
        "memory.max:67108864\nmemory.swap.max:67108864\nmemory.low:20971520\n\
         cpu.max:70000 100000\ncpu.weight:59\ncpuset.cpus:0\npids.max:55\n\
         io.weight:default 2930"
    );
    // The sum stays, so swap shrinks as memory grows.
    house.dhow("update --memory 100m held");
    assert_eq!(
        house.group_files("held", "memory.max memory.swap.max"),
        "memory.max:104857600\nmemory.swap.max:29360128"
    );
    house.dhow("update --memory-swap -1 --pids-limit -1 held");
    assert_eq!(
        house.group_files("held", "memory.max memory.swap.max pids.max"),
        "memory.max:104857600\nmemory.swap.max:max\npids.max:max"
    );
    // The same again after a new start.
    house.dhow("restart -t 1 held");
    assert_eq!(
        house.group_files(
            "held",
            "memory.max memory.swap.max cpu.max cpu.weight pids.max"
        ),
        "memory.max:104857600\nmemory.swap.max:max\ncpu.max:70000 100000\ncpu.weight:59\n\
         pids.max:max"
    );
    house.clear("held");
}

#[test]
fn a_refused_change_changes_nothing() {
    let mut house = house();
    house.idle("held", "-m 32m --pids-limit 30");
    // Without room for what runs, and with a processor that there is not.
    let outcome = house.refused("update --memory 64m --pids-limit 40 --cpuset-cpus 7 held");
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(
        outcome.err().contains("Requested CPUs are not available"),
        "{outcome}"
    );
    assert_eq!(
        house.group_files("held", "memory.max pids.max"),
        "memory.max:33554432\npids.max:30"
    );
    house.clear("held");
}
