//! `info`: what the engine is and has.

use clap::Args;
use dhow_client::Request;
use dhow_client::version::NEWEST;
use dhow_model::size::binary_size;

use super::version::architecture;
use crate::commands::inspect;
use crate::failure::Failure;
use crate::format::{Functions, Kind, Nil, Object, Value, to_json};
use crate::output;
use crate::session::{Session, VERSION};

/// Show what the engine is and has
#[derive(Args)]
pub struct Arguments {
    /// Print through a Go template, or 'json' for JSON on one line
    #[arg(short, long, default_value = "")]
    format: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let template = inspect::template(&arguments.format)?;
    let answer = session.json(Request::get("/info")).await;
    if template.is_none() && arguments.format.is_empty() {
        return plain(session, answer);
    }
    let mut entries = match &answer {
        Ok(Value::Object(object)) => object.entries.clone(),
        _ => Vec::new(),
    };
    entries.push(("ClientInfo".to_owned(), client(session)?));
    let data = Value::Object(Object::new(Kind::Typed("system.dockerInfo"), entries));
    match &template {
        None => output::line(&to_json(&data)),
        Some(template) => {
            let mut text = String::new();
            let result = template.execute(&data, Functions::Usual, &mut text);
            output::line(&text);
            // What an engine that does not answer cannot say is no mistake of
            // the template's.
            if answer.is_ok() {
                result.map_err(|error| Failure::message(error.to_string()))?;
            }
        }
    }
    answer.map(|_| 0)
}

fn client(session: &Session) -> Result<Value, Failure> {
    let entries = [
        ("Debug", Value::Bool(session.debug)),
        ("Version", Value::text(VERSION)),
        ("DefaultAPIVersion", Value::text(NEWEST.to_string())),
        ("GitCommit", Value::text("")),
        ("GoVersion", Value::text("")),
        ("Os", Value::text(std::env::consts::OS)),
        ("Arch", Value::text(architecture())),
        ("BuildTime", Value::text("")),
        ("Context", Value::text(&session.target()?.context)),
        ("Plugins", Value::List(Vec::new())),
        ("Warnings", Value::Nil(Nil::List)),
    ];
    let entries = entries.map(|(key, value)| (key.to_owned(), value)).to_vec();
    Ok(Value::Object(Object::new(Kind::Struct, entries)))
}

fn plain(session: &Session, answer: Result<Value, Failure>) -> Result<i32, Failure> {
    let mut text = String::from("Client:\n");
    text.push_str(&format!(" Version:    {VERSION}\n"));
    text.push_str(&format!(" Context:    {}\n", session.target()?.context));
    text.push_str(&format!(" Debug Mode: {}\n", session.debug));
    text.push_str("\nServer:\n");
    let info = match answer {
        Ok(info) => info,
        Err(failure) => {
            output::print(&text);
            return Err(failure);
        }
    };
    text.push_str(&server(&info));
    output::print(&text);
    for warning in info.list("Warnings").iter().filter_map(Value::as_str) {
        output::warn(warning);
    }
    Ok(0)
}

/// Collects the lines, each only where there is something to say.
struct Lines(String);

impl Lines {
    fn always(&mut self, name: &str, value: &str) {
        self.0.push_str(&format!(" {name}: {value}\n"));
    }

    fn some(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.always(name, value);
        }
    }

    fn list(&mut self, name: &str, values: &[Value]) {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        if !values.is_empty() {
            self.0.push_str(&format!(" {name}:\n"));
            for value in values {
                self.0.push_str(&format!("  {value}\n"));
            }
        }
    }

    fn pairs(&mut self, pairs: &[Value]) {
        for pair in pairs {
            if let [name, value] = pair.items() {
                self.0.push_str(&format!("  {name}: {value}\n"));
            }
        }
    }
}

fn server(info: &Value) -> String {
    let mut lines = Lines(String::new());
    let number = |key: &str| info.int(key).to_string();
    let truth = |key: &str| info.bool(key).to_string();
    lines.always("Containers", &number("Containers"));
    lines.always(" Running", &number("ContainersRunning"));
    lines.always(" Paused", &number("ContainersPaused"));
    lines.always(" Stopped", &number("ContainersStopped"));
    lines.always("Images", &number("Images"));
    lines.some("Server Version", info.str("ServerVersion"));
    lines.some("Storage Driver", info.str("Driver"));
    lines.pairs(info.list("DriverStatus"));
    lines.pairs(info.list("SystemStatus"));
    lines.some("Logging Driver", info.str("LoggingDriver"));
    lines.some("Cgroup Driver", info.str("CgroupDriver"));
    lines.some("Cgroup Version", info.str("CgroupVersion"));
    plugins(info, &mut lines);
    let swarm = info.get("Swarm").str("LocalNodeState");
    lines.always("Swarm", if swarm.is_empty() { "inactive" } else { swarm });
    let mut runtimes: Vec<&str> = info
        .map("Runtimes")
        .iter()
        .map(|(n, _)| n.as_str())
        .collect();
    runtimes.sort_unstable();
    if !runtimes.is_empty() {
        lines.always("Runtimes", &runtimes.join(" "));
        lines.always("Default Runtime", info.str("DefaultRuntime"));
    }
    if info.str("OSType") == "linux" {
        lines.always("Init Binary", info.str("InitBinary"));
        for (name, key) in [
            ("containerd version", "ContainerdCommit"),
            ("runc version", "RuncCommit"),
            ("init version", "InitCommit"),
        ] {
            lines.always(name, info.get(key).str("ID"));
        }
        security(info, &mut lines);
    }
    lines.some("Kernel Version", info.str("KernelVersion"));
    lines.some("Operating System", info.str("OperatingSystem"));
    lines.some("OSType", info.str("OSType"));
    lines.some("Architecture", info.str("Architecture"));
    lines.always("CPUs", &number("NCPU"));
    lines.always("Total Memory", &binary_size(info.int("MemTotal")));
    lines.some("Name", info.str("Name"));
    lines.some("ID", info.str("ID"));
    lines.always("Docker Root Dir", info.str("DockerRootDir"));
    lines.always("Debug Mode", &truth("Debug"));
    if info.bool("Debug") {
        lines.always(" File Descriptors", &number("NFd"));
        lines.always(" Goroutines", &number("NGoroutines"));
        lines.always(" System Time", info.str("SystemTime"));
        lines.always(" EventsListeners", &number("NEventsListener"));
    }
    lines.some("HTTP Proxy", info.str("HttpProxy"));
    lines.some("HTTPS Proxy", info.str("HttpsProxy"));
    lines.some("No Proxy", info.str("NoProxy"));
    lines.list("Labels", info.list("Labels"));
    lines.always("Experimental", &truth("ExperimentalBuild"));
    registries(info, &mut lines);
    lines.always("Live Restore Enabled", &truth("LiveRestoreEnabled"));
    lines.some("Product License", info.str("ProductLicense"));
    lines.0.push('\n');
    lines.0
}

fn plugins(info: &Value, lines: &mut Lines) {
    let plugins = info.get("Plugins");
    lines.0.push_str(" Plugins:\n");
    for kind in ["Volume", "Network", "Authorization", "Log"] {
        let names: Vec<&str> = plugins
            .list(kind)
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if !names.is_empty() {
            lines.always(&format!(" {kind}"), &names.join(" "));
        }
    }
}

/// `name=seccomp,profile=default` as a name with its settings below.
fn security(info: &Value, lines: &mut Lines) {
    let options = info.list("SecurityOptions");
    if options.is_empty() {
        return;
    }
    lines.0.push_str(" Security Options:\n");
    for option in options.iter().filter_map(Value::as_str) {
        for pair in option.split(',') {
            match pair.split_once('=') {
                Some(("name", name)) => lines.0.push_str(&format!("  {name}\n")),
                Some(("profile", profile)) => {
                    lines.0.push_str(&format!("   Profile: {profile}\n"));
                }
                Some((key, value)) => lines.0.push_str(&format!("   {key}: {value}\n")),
                None => lines.0.push_str(&format!("  {pair}\n")),
            }
        }
    }
}

fn registries(info: &Value, lines: &mut Lines) {
    let config = info.get("RegistryConfig");
    let mut insecure: Vec<Value> = config
        .map("IndexConfigs")
        .iter()
        .filter(|(_, index)| !index.bool("Secure"))
        .map(|(name, _)| Value::text(name))
        .collect();
    insecure.extend(config.list("InsecureRegistryCIDRs").iter().cloned());
    lines.list("Insecure Registries", &insecure);
    lines.list("Registry Mirrors", config.list("Mirrors"));
}
