//! `ps`: lists containers.

use clap::Args;
use dhow_client::Request;
use dhow_model::reference::Reference;

use crate::failure::Failure;
use crate::format::{Nil, Value};
use crate::options::{filter, flag};
use crate::output;
use crate::output::human;
use crate::output::list::{self, Columns, Format, Row};
use crate::session::Session;

/// List containers
#[derive(Args)]
pub struct Arguments {
    /// Show containers that do not run, too
    #[arg(short, long)]
    all: bool,
    /// Show only what fits (name=value)
    #[arg(short, long = "filter", value_name = "filter", value_parser = filter::parse)]
    filters: Vec<(String, String)>,
    /// Print through a Go template: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'
    #[arg(long)]
    format: Option<String>,
    /// Show the last n containers made, whatever their state
    #[arg(short = 'n', long, value_name = "int", allow_hyphen_values = true, value_parser = flag::int)]
    last: Option<i64>,
    /// Show the last container made, whatever its state
    #[arg(short, long)]
    latest: bool,
    /// Show everything in full
    #[arg(long)]
    no_trunc: bool,
    /// Show ids only
    #[arg(short, long)]
    quiet: bool,
    /// Show sizes
    #[arg(short, long)]
    size: bool,
}

/// The columns of a list of containers.
pub const COLUMNS: Columns = Columns {
    go_type: "*formatter.ContainerContext",
    failure: list::EXECUTING,
    headers: &[
        ("ID", "CONTAINER ID"),
        ("Names", "NAMES"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"),
        ("Ports", "PORTS"),
        ("State", "STATE"),
        ("Status", "STATUS"),
        ("Size", "SIZE"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Networks", "NETWORKS"),
        ("Platform", "PLATFORM"),
    ],
};

const USUAL: &str =
    "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";

const RAW: &str = "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\nstate: {{.State}}\nstatus: {{.Status}}\nnames: {{.Names}}\nlabels:{{if .Labels}} {{.Labels}}{{end}}\nports:{{if .Ports}} {{.Ports}}{{end}}\n";

/// Runs it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<i32, Failure> {
    let config = &session.target()?.config;
    let spec = match arguments.format.as_deref() {
        Some(spec) => spec,
        None if arguments.quiet => "",
        None => config.text("psFormat").unwrap_or(""),
    };
    if arguments.quiet && !spec.is_empty() {
        output::warn("WARNING: Ignoring custom format, because both --format and --quiet are set.");
    }
    let spec = if arguments.quiet { "" } else { spec };
    let format = match spec {
        _ if arguments.quiet => Format::parse("{{.ID}}", "")?,
        "raw" if arguments.size => Format::parse(&format!("{RAW}size: {{{{.Size}}}}\n"), "")?,
        "raw" => Format::parse(RAW, "")?,
        spec if arguments.size => Format::parse(spec, &format!("{USUAL}\t{{{{.Size}}}}"))?,
        spec => Format::parse(spec, USUAL)?,
    };
    // Sizes cost the engine a walk through the files: only if they are shown.
    let wants_size = arguments.size || spec.contains(".Size") || spec.contains("json .}}");
    let limit = match (arguments.latest, arguments.last) {
        (true, None) => Some(1),
        (_, last) => last.filter(|n| *n > 0),
    };
    let request = Request::get("/containers/json")
        .flag("all", arguments.all)
        .query_if("limit", limit)
        .flag("size", wants_size)
        .query_if("filters", filter::to_query(&arguments.filters));
    let containers = session.json(request).await?;
    let rows = containers
        .items()
        .iter()
        .map(|container| row(container, !arguments.no_trunc, wants_size))
        .collect();
    format.print(&COLUMNS, rows)?;
    Ok(0)
}

/// A container as a row.
pub fn row(container: &Value, short: bool, with_total: bool) -> Row {
    let labels = container.texts("Labels");
    let id = container.str("Id");
    let mut networks: Vec<&str> = container
        .get("NetworkSettings")
        .map("Networks")
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    networks.sort_unstable();
    let mounts = container.list("Mounts");
    let volumes = mounts.iter().filter(|m| m.str("Driver") == "local").count();
    let command = container.str("Command");
    let command = if short {
        list::ellipsis(command, 20)
    } else {
        command.to_owned()
    };
    let written = human::size3(container.int("SizeRw"));
    let total = container.int("SizeRootFs");
    let size = if total > 0 && with_total {
        format!("{written} (virtual {})", human::size3(total))
    } else {
        written
    };
    let created = container.int("Created");
    Row::new(&COLUMNS)
        .text("Command", quoted(&command))
        .text("CreatedAt", human::local_time(created))
        .text("ID", if short { list::short_id(id) } else { id })
        .text("Image", image(container, short))
        .text("Labels", list::joined(&labels))
        .text("LocalVolumes", volumes.to_string())
        .text("Mounts", mount_names(mounts, short))
        .text("Names", names(container, short))
        .text("Networks", networks.join(","))
        .value("Platform", platform(container))
        .text("Ports", ports(container.list("Ports")))
        .text("RunningFor", human::ago(created))
        .text("Size", size)
        .text("State", container.str("State"))
        .text("Status", container.str("Status"))
        .labels(labels)
}

/// Names without the slash before them; links' names only where asked for.
fn names(container: &Value, short: bool) -> String {
    let names: Vec<&str> = container
        .list("Names")
        .iter()
        .filter_map(Value::as_str)
        .map(|name| name.strip_prefix('/').unwrap_or(name))
        .collect();
    let own = names.iter().find(|name| !name.contains('/'));
    match own {
        Some(own) if short => (*own).to_owned(),
        _ => names.join(","),
    }
}

fn image(container: &Value, short: bool) -> String {
    let image = container.str("Image");
    if image.is_empty() {
        return "<no image>".to_owned();
    }
    if !short {
        return image.to_owned();
    }
    let short_id = list::short_id(container.str("ImageID"));
    if !short_id.is_empty() && short_id == list::short_id(image) {
        return short_id.to_owned();
    }
    let Ok(reference) = Reference::parse_normalized(image) else {
        return image.to_owned();
    };
    match reference.tag() {
        Some(tag) => format!("{}:{tag}", reference.familiar_name()),
        None => reference.familiar_name(),
    }
}

fn mount_names(mounts: &[Value], short: bool) -> String {
    let names: Vec<String> = mounts
        .iter()
        .map(|mount| {
            let name = match mount.str("Name") {
                "" => mount.str("Source"),
                name => name,
            };
            if short {
                list::ellipsis(name, 15)
            } else {
                name.to_owned()
            }
        })
        .collect();
    names.join(",")
}

fn platform(container: &Value) -> Value {
    match container.get("ImageManifestDescriptor").get("platform") {
        Value::Nil(_) => Value::Nil(Nil::Pointer),
        platform => platform.clone(),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => quoted.push_str(&format!("\\x{:02x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Ports as people read them: neighbours that go to the same port outside are
/// joined to ranges, others follow one by one.
pub fn ports(ports: &[Value]) -> String {
    let mut ports: Vec<(i64, &str, i64, &str)> = ports
        .iter()
        .map(|p| {
            (
                p.int("PrivatePort"),
                p.str("IP"),
                p.int("PublicPort"),
                p.str("Type"),
            )
        })
        .collect();
    ports.sort_unstable();
    let mut done = Vec::new();
    let mut open: Vec<((&str, &str), i64, i64)> = Vec::new();
    let mut mapped = Vec::new();
    for (inside, address, outside, kind) in ports {
        if !address.is_empty() && outside != inside {
            mapped.push(format!(
                "{}->{inside}/{kind}",
                joined(address, &outside.to_string())
            ));
            continue;
        }
        let key = (address, kind);
        match open.iter_mut().find(|(k, _, _)| *k == key) {
            None => open.push((key, inside, inside)),
            Some((_, _, last)) if *last + 1 == inside => *last = inside,
            Some((_, first, last)) => {
                done.push(range(key, *first, *last));
                (*first, *last) = (inside, inside);
            }
        }
    }
    done.extend(
        open.into_iter()
            .map(|(key, first, last)| range(key, first, last)),
    );
    done.extend(mapped);
    done.join(", ")
}

fn range((address, kind): (&str, &str), first: i64, last: i64) -> String {
    let ports = if first == last {
        first.to_string()
    } else {
        format!("{first}-{last}")
    };
    if address.is_empty() {
        return format!("{ports}/{kind}");
    }
    format!("{}->{ports}/{kind}", joined(address, &ports))
}

fn joined(address: &str, port: &str) -> String {
    if address.contains(':') {
        format!("[{address}]:{port}")
    } else {
        format!("{address}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let value = Value::from_json(json.as_bytes()).unwrap();
        assert_eq!(ports(value.items()), expected);
    }

    #[test]
    fn ports_are_grouped() {
        check("[]", "");
        check(
            r#"[{"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},
                {"IP":"::","PrivatePort":80,"PublicPort":8080,"Type":"tcp"},
                {"PrivatePort":443,"Type":"tcp"}]"#,
            "443/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp",
        );
        check(
            r#"[{"IP":"0.0.0.0","PrivatePort":82,"PublicPort":82,"Type":"tcp"},
                {"IP":"0.0.0.0","PrivatePort":80,"PublicPort":80,"Type":"tcp"},
                {"IP":"0.0.0.0","PrivatePort":81,"PublicPort":81,"Type":"tcp"},
                {"IP":"0.0.0.0","PrivatePort":90,"PublicPort":90,"Type":"tcp"},
                {"PrivatePort":53,"Type":"udp"},{"PrivatePort":54,"Type":"udp"}]"#,
            "0.0.0.0:80-82->80-82/tcp, 53-54/udp, 0.0.0.0:90->90/tcp",
        );
    }
}
