use super::super::DeviceRate;
use super::*;

fn all() -> Support {
    Support {
        memory_limit: true,
        swap_limit: true,
        memory_reservation: true,
        memory_swappiness: true,
        oom_kill_disable: true,
        pids_limit: true,
        cpu_shares: true,
        cpu_cfs: true,
        cpuset: true,
        cpus: "0-1".to_owned(),
        mems: "0".to_owned(),
        cpu_count: 2,
        blkio_weight: true,
        blkio_weight_device: true,
        blkio_read_bps: true,
        blkio_write_bps: true,
        blkio_read_iops: true,
        blkio_write_iops: true,
    }
}

#[test]
fn contradicting_limits_are_refused_in_docker_s_words() {
    let check = |mut limits: Resources, message: &str| {
        assert_eq!(
            limits.adjust(&all(), false).unwrap_err().to_string(),
            message
        );
    };
    let none = Resources::default;
    check(
        Resources {
            memory: 1 << 20,
            ..none()
        },
        "Minimum memory limit allowed is 6MB",
    );
    check(
        Resources {
            memory: 64 << 20,
            memory_swap: 32 << 20,
            ..none()
        },
        "Minimum memoryswap limit should be larger than memory limit, see usage",
    );
    check(
        Resources {
            memory_swap: 32 << 20,
            ..none()
        },
        "You should always set the Memory limit when using Memoryswap limit, see usage",
    );
    check(
        Resources {
            memory_swappiness: Some(101),
            ..none()
        },
        "Invalid value: 101, valid memory swappiness range is 0-100",
    );
    check(
        Resources {
            memory: 8 << 20,
            memory_reservation: 9 << 20,
            ..none()
        },
        "Minimum memory limit can not be less than memory reservation limit, see usage",
    );
    check(
        Resources {
            nano_cpus: 3_000_000_000,
            ..none()
        },
        "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
    );
    check(
        Resources {
            nano_cpus: 1,
            cpu_quota: 5,
            ..none()
        },
        "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
    );
    check(
        Resources {
            cpu_period: 5,
            ..none()
        },
        "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
    );
    check(
        Resources {
            cpuset_cpus: "0,5".to_owned(),
            ..none()
        },
        "Requested CPUs are not available - requested 0,5, available: 0-1",
    );
    check(
        Resources {
            cpuset_mems: "0-9223372036854775807".to_owned(),
            ..none()
        },
        "Invalid value 0-9223372036854775807 for cpuset mems: invalid format: 0-9223372036854775807",
    );
    check(
        Resources {
            blkio_weight: 5,
            ..none()
        },
        "Range of blkio weight is from 10 to 1000",
    );
    let mut limits = Resources {
        memory_swap: 32 << 20,
        ..none()
    };
    assert_eq!(limits.adjust(&all(), true), Ok(Vec::new()));
}

#[test]
fn sensible_limits_pass_unchanged() {
    let limits = Resources {
        memory: 64 << 20,
        memory_swap: 128 << 20,
        nano_cpus: 1_500_000_000,
        cpuset_cpus: "0-1".to_owned(),
        pids_limit: Some(100),
        ..Resources::default()
    };
    let mut adjusted = limits.clone();
    assert_eq!(adjusted.adjust(&all(), false), Ok(Vec::new()));
    assert_eq!(adjusted, limits);
}

#[test]
fn what_the_kernel_lacks_is_dropped_with_docker_s_warning() {
    let mut limits = Resources {
        memory: 64 << 20,
        memory_swap: 128 << 20,
        oom_kill_disable: Some(true),
        pids_limit: Some(100),
        cpu_shares: 5,
        cpu_quota: 5000,
        cpuset_cpus: "0".to_owned(),
        blkio_weight: 500,
        blkio_read_bps: vec![DeviceRate {
            major: 8,
            minor: 0,
            rate: 1,
        }],
        ..Resources::default()
    };
    let bare = Support {
        memory_limit: true,
        cpu_count: 2,
        ..Support::default()
    };
    let warnings = limits.adjust(&bare, false).unwrap();
    assert_eq!(warnings.len(), 8, "{warnings:#?}");
    assert_eq!(
        warnings[0],
        "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap."
    );
    let left = Resources {
        memory: 64 << 20,
        memory_swap: -1,
        ..Resources::default()
    };
    assert_eq!(limits, left);
}
