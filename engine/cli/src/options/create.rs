//! The flags of `create` and `run`.

use clap::Args;

use super::flag;

/// Everything a new container can be told.
#[derive(Args, Debug, Default)]
pub struct CreateFlags {
    /// Add an entry to the container's hosts file (name:address)
    #[arg(long, value_name = "list", value_parser = flag::extra_host)]
    pub add_host: Vec<String>,
    /// Annotate the container's OCI configuration
    #[arg(long, value_name = "map")]
    pub annotation: Vec<String>,
    /// Attach to stdin, stdout or stderr
    #[arg(short, long, value_name = "list", value_parser = flag::stream)]
    pub attach: Vec<String>,
    /// Share of block IO, from 10 to 1000; 0 for none
    #[arg(long, value_name = "uint16", value_parser = flag::uint16)]
    pub blkio_weight: Option<u16>,
    /// Share of block IO for one device (path:weight)
    #[arg(long, value_name = "list", value_parser = super::device::weight)]
    pub blkio_weight_device: Vec<serde_json::Value>,
    /// Add Linux capabilities
    #[arg(long, value_name = "list")]
    pub cap_add: Vec<String>,
    /// Drop Linux capabilities
    #[arg(long, value_name = "list")]
    pub cap_drop: Vec<String>,
    /// The cgroup to put the container's under
    #[arg(long, default_value = "", hide_default_value = true)]
    pub cgroup_parent: String,
    /// Cgroup namespace: host or private
    #[arg(long, default_value = "")]
    pub cgroupns: String,
    /// Write the container's id to this file
    #[arg(long, default_value = "")]
    pub cidfile: String,
    /// Length of a CPU period in microseconds
    #[arg(long, value_name = "int", value_parser = flag::int)]
    pub cpu_period: Option<i64>,
    /// CPU time within a period in microseconds
    #[arg(long, value_name = "int", value_parser = flag::int)]
    pub cpu_quota: Option<i64>,
    /// Length of a real-time CPU period in microseconds
    #[arg(long, value_name = "int", value_parser = flag::int)]
    pub cpu_rt_period: Option<i64>,
    /// Real-time CPU time within a period in microseconds
    #[arg(long, value_name = "int", value_parser = flag::int)]
    pub cpu_rt_runtime: Option<i64>,
    /// Share of CPU time beside other containers
    #[arg(short, long, value_name = "int", value_parser = flag::int)]
    pub cpu_shares: Option<i64>,
    /// How many CPUs' time to use at most
    #[arg(long, value_name = "decimal", value_parser = flag::nano_cpus)]
    pub cpus: Option<i64>,
    /// Which CPUs to run on (0-3, 0,1)
    #[arg(long, default_value = "")]
    pub cpuset_cpus: String,
    /// Which memory nodes to use (0-3, 0,1)
    #[arg(long, default_value = "")]
    pub cpuset_mems: String,
    /// Give the container a device of the host
    #[arg(long, value_name = "list")]
    pub device: Vec<String>,
    /// Add a rule to the container's device list
    #[arg(long, value_name = "list", value_parser = flag::device_cgroup_rule)]
    pub device_cgroup_rule: Vec<String>,
    /// Limit reading from a device (path:bytes per second)
    #[arg(long, value_name = "list", value_parser = super::device::bytes_per_second)]
    pub device_read_bps: Vec<serde_json::Value>,
    /// Limit reading from a device (path:operations per second)
    #[arg(long, value_name = "list", value_parser = super::device::operations_per_second)]
    pub device_read_iops: Vec<serde_json::Value>,
    /// Limit writing to a device (path:bytes per second)
    #[arg(long, value_name = "list", value_parser = super::device::bytes_per_second)]
    pub device_write_bps: Vec<serde_json::Value>,
    /// Limit writing to a device (path:operations per second)
    #[arg(long, value_name = "list", value_parser = super::device::operations_per_second)]
    pub device_write_iops: Vec<serde_json::Value>,
    /// Taken for compatibility, without effect
    #[arg(long, action = clap::ArgAction::Set, default_value = "true")]
    pub disable_content_trust: bool,
    /// Name servers to use
    #[arg(long, value_name = "list", value_parser = flag::ip_address)]
    pub dns: Vec<String>,
    /// Options of the resolver
    #[arg(long = "dns-option", alias = "dns-opt", value_name = "list")]
    pub dns_option: Vec<String>,
    /// Domains to search names in
    #[arg(long, value_name = "list", value_parser = flag::dns_search)]
    pub dns_search: Vec<String>,
    /// NIS domain name
    #[arg(long, default_value = "")]
    pub domainname: String,
    /// Run this instead of the image's entrypoint
    #[arg(long)]
    pub entrypoint: Option<String>,
    /// Set an environment variable
    #[arg(short, long, value_name = "list", value_parser = super::env::variable)]
    pub env: Vec<String>,
    /// Read environment variables from a file
    #[arg(long, value_name = "list")]
    pub env_file: Vec<String>,
    /// Expose a port or a range of them
    #[arg(long, value_name = "list")]
    pub expose: Vec<String>,
    /// GPUs to give the container ('all' for every one)
    #[arg(long, value_name = "gpu-request", value_parser = super::device::gpus)]
    pub gpus: Vec<serde_json::Value>,
    /// Groups to be in as well
    #[arg(long, value_name = "list")]
    pub group_add: Vec<String>,
    /// A command that checks the container's health
    #[arg(long, default_value = "")]
    pub health_cmd: String,
    /// Time between two checks
    #[arg(long, value_name = "duration", value_parser = flag::duration)]
    pub health_interval: Option<i64>,
    /// How many checks in a row have to fail
    #[arg(long, value_name = "int", value_parser = flag::int)]
    pub health_retries: Option<i64>,
    /// Time between two checks while the container starts
    #[arg(long, value_name = "duration", value_parser = flag::duration)]
    pub health_start_interval: Option<i64>,
    /// Time to start in which failed checks do not count
    #[arg(long, value_name = "duration", value_parser = flag::duration)]
    pub health_start_period: Option<i64>,
    /// How long one check may take
    #[arg(long, value_name = "duration", value_parser = flag::duration)]
    pub health_timeout: Option<i64>,
    /// Host name inside the container
    #[arg(short = 'h', long, default_value = "")]
    pub hostname: String,
    /// Run an init that passes signals on and reaps processes
    #[arg(long, action = clap::ArgAction::Set)]
    pub init: Option<bool>,
    /// Keep standard input open
    #[arg(short, long)]
    pub interactive: bool,
    /// IPv4 address
    #[arg(long, default_value = "")]
    pub ip: String,
    /// IPv6 address
    #[arg(long, default_value = "")]
    pub ip6: String,
    /// IPC namespace
    #[arg(long, default_value = "")]
    pub ipc: String,
    /// Taken for compatibility, without effect on Linux
    #[arg(long, default_value = "")]
    pub isolation: String,
    /// Taken for compatibility: the kernel has no such limit any more
    #[arg(long, value_name = "bytes", value_parser = flag::bytes)]
    pub kernel_memory: Option<i64>,
    /// Label the container (name=value)
    #[arg(short, long, value_name = "list")]
    pub label: Vec<String>,
    /// Read labels from a file
    #[arg(long, value_name = "list")]
    pub label_file: Vec<String>,
    /// Link to another container
    #[arg(long, value_name = "list", value_parser = flag::link)]
    pub link: Vec<String>,
    /// Link-local addresses
    #[arg(long, value_name = "list", value_parser = flag::plain_ip)]
    pub link_local_ip: Vec<String>,
    /// The log driver
    #[arg(long, default_value = "")]
    pub log_driver: String,
    /// Options of the log driver
    #[arg(long, value_name = "list")]
    pub log_opt: Vec<String>,
    /// MAC address
    #[arg(long, default_value = "")]
    pub mac_address: String,
    /// Memory limit
    #[arg(short, long, value_name = "bytes", value_parser = flag::bytes)]
    pub memory: Option<i64>,
    /// Memory to keep back when it is short
    #[arg(long, value_name = "bytes", value_parser = flag::bytes)]
    pub memory_reservation: Option<i64>,
    /// Limit of memory and swap together; -1 for no limit on swap
    #[arg(long, value_name = "bytes", allow_hyphen_values = true, value_parser = flag::bytes_or_unlimited)]
    pub memory_swap: Option<i64>,
    /// How readily memory is swapped out, from 0 to 100
    #[arg(long, value_name = "int", allow_hyphen_values = true, value_parser = flag::int)]
    pub memory_swappiness: Option<i64>,
    /// Mount something into the container
    #[arg(long, value_name = "mount", value_parser = super::mount::flag)]
    pub mount: Vec<serde_json::Value>,
    /// Name the container
    #[arg(long, default_value = "")]
    pub name: String,
    /// The network to join
    #[arg(long, alias = "net", value_name = "network", value_parser = super::network::parse)]
    pub network: Vec<super::network::Attachment>,
    /// Another name of the container within its network
    #[arg(long, alias = "net-alias", value_name = "list")]
    pub network_alias: Vec<String>,
    /// Ignore the image's health check
    #[arg(long)]
    pub no_healthcheck: bool,
    /// Never kill the container for lack of memory
    #[arg(long, action = clap::ArgAction::Set)]
    pub oom_kill_disable: Option<bool>,
    /// How readily it is killed for lack of memory (-1000 to 1000)
    #[arg(long, value_name = "int", allow_hyphen_values = true, value_parser = flag::int)]
    pub oom_score_adj: Option<i64>,
    /// PID namespace
    #[arg(long, default_value = "")]
    pub pid: String,
    /// How many processes there may be; -1 for any number
    #[arg(long, value_name = "int", allow_hyphen_values = true, value_parser = flag::int)]
    pub pids_limit: Option<i64>,
    /// The platform of the image (os/architecture)
    #[arg(long, default_value = "")]
    pub platform: String,
    /// Give the container everything root has here
    #[arg(long)]
    pub privileged: bool,
    /// Publish a port on the host
    #[arg(short = 'p', long, value_name = "list")]
    pub publish: Vec<String>,
    /// Publish every exposed port on a free one of the host
    #[arg(short = 'P', long)]
    pub publish_all: bool,
    /// Whether to pull the image first: always, missing, never
    #[arg(long, default_value = "missing")]
    pub pull: String,
    /// Say nothing while pulling
    #[arg(short, long)]
    pub quiet: bool,
    /// Make the container's own files read-only
    #[arg(long)]
    pub read_only: bool,
    /// When to start the container again after it exits
    #[arg(long, default_value = "no")]
    pub restart: String,
    /// Remove the container, and its anonymous volumes, when it exits
    #[arg(long)]
    pub rm: bool,
    /// The runtime to use
    #[arg(long, default_value = "")]
    pub runtime: String,
    /// Security options
    #[arg(long, value_name = "list")]
    pub security_opt: Vec<String>,
    /// Size of /dev/shm
    #[arg(long, value_name = "bytes", value_parser = flag::bytes)]
    pub shm_size: Option<i64>,
    /// The signal that stops the container
    #[arg(long, default_value = "")]
    pub stop_signal: String,
    /// Seconds to wait for it to stop
    #[arg(long, value_name = "int", allow_hyphen_values = true, value_parser = flag::int)]
    pub stop_timeout: Option<i64>,
    /// Options of the storage driver
    #[arg(long, value_name = "list")]
    pub storage_opt: Vec<String>,
    /// Set a kernel parameter of the container's namespaces
    #[arg(long, value_name = "map", value_parser = flag::sysctl)]
    pub sysctl: Vec<String>,
    /// Mount memory as a directory
    #[arg(long, value_name = "list")]
    pub tmpfs: Vec<String>,
    /// Give the container a terminal
    #[arg(short, long)]
    pub tty: bool,
    /// Set a resource limit (name=soft[:hard])
    #[arg(long, value_name = "ulimit", value_parser = super::limits::ulimit)]
    pub ulimit: Vec<super::limits::Ulimit>,
    /// The user to run as (name or id, and group after a colon)
    #[arg(short, long, default_value = "")]
    pub user: String,
    /// User namespace
    #[arg(long, default_value = "")]
    pub userns: String,
    /// UTS namespace
    #[arg(long, default_value = "")]
    pub uts: String,
    /// Mount a volume or a path of the host
    #[arg(short, long, value_name = "list")]
    pub volume: Vec<String>,
    /// The driver of new volumes
    #[arg(long, default_value = "")]
    pub volume_driver: String,
    /// Mount what another container has mounted
    #[arg(long, value_name = "list")]
    pub volumes_from: Vec<String>,
    /// The directory to start in
    #[arg(short, long, default_value = "")]
    pub workdir: String,
}
