//! The command line: dockerd's flags for what this engine has, and a few of
//! its own. A wrong flag is one line that names it.

use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory, Parser};
use dhow_local::config::ProxyAddress;

use crate::config::{self, Settings};

/// A container engine that speaks Docker's API.
#[derive(Debug, Parser)]
#[command(
    name = "dhowd",
    version,
    disable_version_flag = true,
    max_term_width = 100
)]
pub struct Flags {
    /// Listen here: unix://, tcp:// or fd:// (repeatable)
    #[arg(short = 'H', long = "host", value_name = "address")]
    hosts: Vec<String>,
    /// Keep images, containers and volumes here
    #[arg(long, value_name = "dir")]
    data_root: Option<String>,
    /// Keep sockets and state of running containers here
    #[arg(long, value_name = "dir")]
    exec_root: Option<String>,
    /// Write the daemon's process id here
    #[arg(short = 'p', long, value_name = "file")]
    pidfile: Option<String>,
    /// Read daemon.json from here
    #[arg(long, value_name = "file")]
    pub config_file: Option<String>,
    /// Let this group use unix sockets
    #[arg(short = 'G', long, value_name = "group")]
    group: Option<String>,
    /// The container shim's executable
    #[arg(long, value_name = "file")]
    shim_path: Option<String>,

    /// Log everything
    #[arg(short = 'D', long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "bool", value_parser = BoolishValueParser::new())]
    debug: Option<bool>,
    /// Log this and worse: debug, info, warn, error
    #[arg(short = 'l', long, value_name = "level")]
    log_level: Option<String>,
    /// How to log: text or json
    #[arg(long, value_name = "format")]
    log_format: Option<String>,

    #[command(flatten)]
    tls: Tls,

    /// Labels of this engine (repeatable)
    #[arg(long = "label", value_name = "key=value")]
    labels: Vec<String>,
    /// The default bridge's interface
    #[arg(short = 'b', long, value_name = "name")]
    bridge: Option<String>,
    /// The default bridge's address
    #[arg(long, value_name = "cidr")]
    bip: Option<String>,
    /// The default bridge's MTU
    #[arg(long, value_name = "bytes")]
    mtu: Option<u32>,
    /// The address that ports are published on by default
    #[arg(long, value_name = "address")]
    ip: Option<String>,
    /// The nftables table for all rules
    #[arg(long, value_name = "name")]
    nft_table: Option<String>,
    /// The cgroup above all containers
    #[arg(long, value_name = "path")]
    cgroup_parent: Option<String>,
    /// Name servers for containers (repeatable)
    #[arg(long, value_name = "address")]
    dns: Vec<String>,
    /// Resolver options for containers (repeatable)
    #[arg(long = "dns-opt", visible_alias = "dns-option", value_name = "option")]
    dns_opts: Vec<String>,
    /// Search domains for containers (repeatable)
    #[arg(long, value_name = "domain")]
    dns_search: Vec<String>,
    /// The log driver of containers that name none
    #[arg(long, value_name = "driver")]
    log_driver: Option<String>,
    /// Its options (repeatable)
    #[arg(long = "log-opt", value_name = "key=value")]
    log_opts: Vec<String>,
    /// Size of /dev/shm in containers that name none
    #[arg(long, value_name = "size")]
    default_shm_size: Option<String>,
    /// Ulimits of containers that name none (repeatable)
    #[arg(long = "default-ulimit", value_name = "name=soft:hard")]
    default_ulimits: Vec<String>,
    /// Give containers an init process
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "bool", value_parser = BoolishValueParser::new())]
    init: Option<bool>,

    /// Ask here before Docker Hub, or before another registry (repeatable)
    #[arg(long = "registry-mirror", value_name = "[registry=]url")]
    registry_mirrors: Vec<String>,
    /// Registries without TLS or a trusted certificate (repeatable)
    #[arg(long = "insecure-registry", value_name = "host or cidr")]
    insecure_registries: Vec<String>,
    /// Layers fetched at once in a pull
    #[arg(long, value_name = "number")]
    max_concurrent_downloads: Option<usize>,
    /// Layers sent at once in a push
    #[arg(long, value_name = "number")]
    max_concurrent_uploads: Option<usize>,
    /// Tries for one layer before a pull fails
    #[arg(long, value_name = "number")]
    max_download_attempts: Option<usize>,
    /// Reach HTTP servers through this proxy, instead of $HTTP_PROXY's
    #[arg(long, value_name = "url", value_parser = proxy)]
    http_proxy: Option<ProxyAddress>,
    /// Reach HTTPS servers through this proxy, instead of $HTTPS_PROXY's
    #[arg(long, value_name = "url", value_parser = proxy)]
    https_proxy: Option<ProxyAddress>,
    /// Hosts and ranges reached without a proxy, instead of $NO_PROXY's
    #[arg(long, value_name = "list")]
    no_proxy: Option<String>,

    /// Keep containers running without the daemon (the default)
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "bool", value_parser = BoolishValueParser::new())]
    live_restore: Option<bool>,
    /// Stop all containers when the daemon stops: --live-restore=false
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "live_restore")]
    stop_containers_on_exit: bool,
    /// Seconds that running requests get when the daemon stops
    #[arg(long, value_name = "seconds", allow_negative_numbers = true)]
    shutdown_timeout: Option<i64>,

    /// Only check the configuration
    #[arg(long)]
    pub validate: bool,
    /// Print the version
    #[arg(short = 'v', long, action = ArgAction::Version)]
    version: (),
}

#[derive(Debug, clap::Args)]
struct Tls {
    /// Secure TCP with TLS
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "bool", value_parser = BoolishValueParser::new())]
    tls: Option<bool>,
    /// Secure TCP with TLS and let in only clients with a certificate
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "bool", value_parser = BoolishValueParser::new())]
    tlsverify: Option<bool>,
    /// Who signs clients' certificates
    #[arg(long, value_name = "file")]
    tlscacert: Option<String>,
    /// The daemon's certificate
    #[arg(long, value_name = "file")]
    tlscert: Option<String>,
    /// Its key
    #[arg(long, value_name = "file")]
    tlskey: Option<String>,
    /// Half of the permission for open TCP; the other is DHOW_ALLOW_INSECURE_TCP=1
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, value_name = "bool", value_parser = BoolishValueParser::new())]
    allow_insecure_tcp: Option<bool>,
}

/// What to do instead of starting.
pub enum Instead {
    /// Print this and be done: help, version.
    Print(String),
    /// Refuse, with one line.
    Refuse(String),
}

impl Flags {
    /// Reads the command line.
    pub fn read(arguments: impl Iterator<Item = std::ffi::OsString>) -> Result<Self, Instead> {
        Self::try_parse_from(arguments).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Instead::Print(error.render().to_string())
            }
            _ => {
                let text = error.render().to_string();
                let line = text.lines().next().unwrap_or_default();
                Instead::Refuse(line.trim_start_matches("error: ").to_owned())
            }
        })
    }

    /// What the flags say, as the file would say it.
    pub fn settings(self) -> Result<Settings, config::Error> {
        let list = |values: Vec<String>| (!values.is_empty()).then_some(values);
        let log_opts = config::options_map("log-opt", &self.log_opts)?;
        let ulimits = config::ulimits_map(&self.default_ulimits)?;
        Ok(Settings {
            hosts: list(self.hosts),
            data_root: self.data_root,
            exec_root: self.exec_root,
            pidfile: self.pidfile,
            group: self.group,
            shim_path: self.shim_path,
            debug: self.debug,
            log_level: self.log_level,
            log_format: self.log_format,
            tls: self.tls.tls,
            tlsverify: self.tls.tlsverify,
            tlscacert: self.tls.tlscacert,
            tlscert: self.tls.tlscert,
            tlskey: self.tls.tlskey,
            allow_insecure_tcp: self.tls.allow_insecure_tcp,
            labels: list(self.labels),
            bridge: self.bridge,
            bip: self.bip,
            mtu: self.mtu,
            ip: self.ip,
            nft_table: self.nft_table,
            cgroup_parent: self.cgroup_parent,
            dns: list(self.dns),
            dns_opts: list(self.dns_opts),
            dns_search: list(self.dns_search),
            log_driver: self.log_driver,
            log_opts: (!log_opts.is_empty()).then_some(log_opts),
            default_shm_size: self.default_shm_size,
            default_ulimits: (!ulimits.is_empty()).then_some(ulimits),
            init: self.init,
            registry_mirrors: list(self.registry_mirrors),
            insecure_registries: list(self.insecure_registries),
            max_concurrent_downloads: self.max_concurrent_downloads,
            max_concurrent_uploads: self.max_concurrent_uploads,
            max_download_attempts: self.max_download_attempts,
            http_proxy: self.http_proxy,
            https_proxy: self.https_proxy,
            no_proxy: self.no_proxy,
            live_restore: if self.stop_containers_on_exit {
                Some(false)
            } else {
                self.live_restore
            },
            shutdown_timeout: self.shutdown_timeout,
            ..Settings::default()
        })
    }
}

/// The flags with what each is for.
pub fn described() -> clap::Command {
    Flags::command()
}

/// What the flag for `key` of the file is for, in one line; many flags have
/// the singular of a key.
pub fn help(described: &clap::Command, key: &str) -> String {
    let mut flags = described.get_arguments();
    let found = flags.find(|flag| {
        let long = flag.get_long().unwrap_or_default();
        [key, key.trim_end_matches('s')].contains(&long)
            || key
                .strip_suffix("ies")
                .is_some_and(|stem| long == format!("{stem}y"))
    });
    let text = found.and_then(clap::Arg::get_help).map(ToString::to_string);
    let text = text.unwrap_or_default();
    text.trim_end_matches(" (repeatable)").to_owned()
}

fn proxy(text: &str) -> Result<ProxyAddress, std::convert::Infallible> {
    Ok(ProxyAddress::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Settings, String> {
        let words = std::iter::once("dhowd").chain(line.split_whitespace());
        match Flags::read(words.map(Into::into)) {
            Ok(flags) => flags.settings().map_err(|e| e.to_string()),
            Err(Instead::Refuse(line)) => Err(line),
            Err(Instead::Print(text)) => Err(format!("print {text}")),
        }
    }

    #[test]
    fn reads_dockerds_spellings() {
        let settings = read(
            "-H unix:///a -H tcp://127.0.0.1:0 -D -l warn -p /run/p -G docker --label a=b --tlsverify \
             --log-opt max-size=1m --default-ulimit nofile=1:2 --live-restore=false --shutdown-timeout -1",
        )
        .unwrap();
        assert_eq!(settings.hosts.unwrap().len(), 2);
        assert_eq!(
            (settings.debug, settings.tlsverify),
            (Some(true), Some(true))
        );
        assert_eq!(settings.log_opts.unwrap()["max-size"], "1m");
        assert_eq!(settings.default_ulimits.unwrap()["nofile"].soft, 1);
        assert_eq!(
            (settings.live_restore, settings.shutdown_timeout),
            (Some(false), Some(-1))
        );
        assert_eq!(read("").unwrap(), Settings::default());
        assert_eq!(
            read("--stop-containers-on-exit").unwrap().live_restore,
            Some(false)
        );
        assert_eq!(read("--debug=false").unwrap().debug, Some(false));
    }

    #[test]
    fn names_what_is_wrong_in_one_line() {
        for (line, name) in [
            ("--bogus", "--bogus"),
            ("-Z", "-Z"),
            ("extra", "extra"),
            ("--mtu big", "--mtu"),
            ("--debug=perhaps", "--debug"),
            ("--data-root", "--data-root"),
            ("--log-opt x", "log-opt: x"),
            ("--default-ulimit nofile=x", "nofile=x"),
            ("--bip a --bip b", "--bip"),
        ] {
            let error = read(line).unwrap_err();
            assert!(
                error.contains(name) && !error.contains('\n'),
                "{line}: {error:?}"
            );
        }
    }

    #[test]
    fn prints_its_version() {
        let text = read("-v").unwrap_err();
        assert_eq!(
            text.trim_end(),
            format!("print dhowd {}", env!("CARGO_PKG_VERSION"))
        );
    }
}
