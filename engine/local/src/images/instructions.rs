//! The Dockerfile instructions that `commit` and `import` take as `changes`:
//! those that change a configuration and no file. Pure.

use std::collections::HashMap;

use bollard_stubs::models::{ContainerConfig, HealthConfig};
use dhow_model::{duration, port, signal};
use serde_json::{Map, Value};

use crate::{Error, Result};

/// Applies instructions, one a line, to `config`.
pub(super) fn apply(config: &mut ContainerConfig, changes: &str) -> Result<()> {
    let mut command_given = false;
    for line in lines(changes) {
        let (word, rest) = match line.split_once(char::is_whitespace) {
            Some((word, rest)) => (word, rest.trim()),
            None => (line.as_str(), ""),
        };
        let word = word.to_ascii_uppercase();
        if rest.is_empty() {
            return Err(Error::invalid(format!(
                "{word} requires at least one argument"
            )));
        }
        match word.as_str() {
            "CMD" => {
                config.cmd = Some(command(rest, config));
                command_given = true;
            }
            "ENTRYPOINT" => {
                config.entrypoint = Some(command(rest, config));
                // The old arguments mean nothing to a new entrypoint.
                if !command_given {
                    config.cmd = None;
                }
            }
            "ENV" => {
                for (name, value) in pairs(&word, rest, config)? {
                    set_variable(config, &name, &value);
                }
            }
            "EXPOSE" => expose(config, rest)?,
            "HEALTHCHECK" => config.healthcheck = Some(health_check(rest)?),
            "LABEL" => {
                let labels = pairs(&word, rest, config)?;
                config.labels.get_or_insert_default().extend(labels);
            }
            "ONBUILD" => config
                .on_build
                .get_or_insert_default()
                .push(rest.to_owned()),
            "STOPSIGNAL" => {
                let text = expanded(rest, config)?;
                signal::parse(&text).map_err(Error::of)?;
                config.stop_signal = Some(text);
            }
            "USER" => config.user = Some(expanded(rest, config)?),
            "VOLUME" => {
                let paths = match json_list(rest) {
                    Some(list) => list,
                    None => words(rest, config)?,
                };
                for path in paths {
                    if path.trim().is_empty() {
                        return Err(Error::invalid(
                            "VOLUME specified can not be an empty string",
                        ));
                    }
                    let volumes = config.volumes.get_or_insert_default();
                    if !volumes.contains(&path) {
                        volumes.push(path);
                    }
                }
            }
            "WORKDIR" => {
                let dir = expanded(rest, config)?;
                let old = config.working_dir.take().unwrap_or_default();
                config.working_dir = Some(dhow_model::mount::clean(&match dir.starts_with('/') {
                    true => dir,
                    false => format!("/{old}/{dir}"),
                }));
            }
            _ => {
                return Err(Error::invalid(format!(
                    "{word} is not a valid change command"
                )));
            }
        }
    }
    Ok(())
}

/// The part of a container's configuration that an image keeps, as images
/// spell it.
pub(super) fn image_config(config: &ContainerConfig) -> Result<Map<String, Value>> {
    const KEPT: &[&str] = &[
        "ArgsEscaped",
        "Cmd",
        "Entrypoint",
        "Env",
        "ExposedPorts",
        "Healthcheck",
        "Labels",
        "OnBuild",
        "Shell",
        "StopSignal",
        "User",
        "Volumes",
        "WorkingDir",
    ];
    let Value::Object(mut map) = serde_json::to_value(config)? else {
        return Ok(Map::new());
    };
    map.retain(|key, value| KEPT.contains(&key.as_str()) && !value.is_null());
    Ok(map)
}

/// Lines without blanks around them and without comments; a backslash at its
/// end joins a line to the next.
fn lines(text: &str) -> Vec<String> {
    let mut whole = Vec::new();
    let mut current = String::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(part) => current.push_str(part),
            None => {
                current.push_str(line);
                whole.push(std::mem::take(&mut current));
            }
        }
    }
    whole.push(current);
    whole.retain(|line| !line.trim().is_empty());
    whole
}

/// A JSON list is run as it is, anything else by a shell.
fn command(text: &str, config: &ContainerConfig) -> Vec<String> {
    if let Some(list) = json_list(text) {
        return list;
    }
    let shell = config.shell.clone().filter(|shell| !shell.is_empty());
    let mut command = shell.unwrap_or_else(|| vec!["/bin/sh".to_owned(), "-c".to_owned()]);
    command.push(text.to_owned());
    command
}

fn json_list(text: &str) -> Option<Vec<String>> {
    text.starts_with('[')
        .then(|| serde_json::from_str(text).ok())?
}

/// `name=value …`, or `name value` with the rest of the line as the value.
fn pairs(word: &str, text: &str, config: &ContainerConfig) -> Result<Vec<(String, String)>> {
    let first = text.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let (name, value) = text
            .split_once(char::is_whitespace)
            .ok_or_else(|| Error::invalid(format!("{word} must have two arguments")))?;
        return Ok(vec![(name.to_owned(), expanded(value.trim(), config)?)]);
    }
    let mut pairs = Vec::new();
    for pair in words(text, config)? {
        match pair.split_once('=') {
            Some(("", _)) => {
                return Err(Error::invalid(format!("{word} names can not be blank")));
            }
            Some((name, value)) => pairs.push((name.to_owned(), value.to_owned())),
            None => {
                return Err(Error::invalid(format!(
                    "Syntax error - can't find = in {pair:?}. Must be of the form: name=value"
                )));
            }
        }
    }
    Ok(pairs)
}

fn set_variable(config: &mut ContainerConfig, name: &str, value: &str) {
    let env = config.env.get_or_insert_default();
    let text = format!("{name}={value}");
    let same = |variable: &&mut String| variable.split('=').next() == Some(name);
    match env.iter_mut().find(same) {
        Some(variable) => *variable = text,
        None => env.push(text),
    }
}

fn expose(config: &mut ContainerConfig, text: &str) -> Result<()> {
    for word in words(text, config)? {
        let (range, proto) = word.split_once('/').unwrap_or((&word, "tcp"));
        let range: port::PortRange = range.parse().map_err(Error::of)?;
        let proto: port::Proto = proto.to_ascii_lowercase().parse().map_err(Error::of)?;
        for number in range.iter() {
            let ports = config.exposed_ports.get_or_insert_default();
            let port = format!("{number}/{proto}");
            if !ports.contains(&port) {
                ports.push(port);
            }
        }
    }
    Ok(())
}

fn health_check(text: &str) -> Result<HealthConfig> {
    let mut check = HealthConfig::default();
    let mut rest = text;
    while let Some(flag) = rest.strip_prefix("--") {
        let (flag, after) = flag.split_once(char::is_whitespace).unwrap_or((flag, ""));
        let (name, value) = flag
            .split_once('=')
            .ok_or_else(|| Error::invalid(format!("Missing a value on flag: {flag}")))?;
        let nanos = || duration::parse(value).map_err(Error::of);
        match name {
            "interval" => check.interval = Some(nanos()?),
            "timeout" => check.timeout = Some(nanos()?),
            "start-period" => check.start_period = Some(nanos()?),
            "start-interval" => check.start_interval = Some(nanos()?),
            "retries" => {
                let retries = value.parse();
                check.retries = Some(retries.map_err(|_| {
                    Error::invalid(format!("--retries: {value:?} is not a number"))
                })?);
            }
            _ => return Err(Error::invalid(format!("Unknown flag: {name}"))),
        }
        rest = after.trim_start();
    }
    let (kind, command_text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let command_text = command_text.trim();
    check.test = Some(match kind.to_ascii_uppercase().as_str() {
        "NONE" if command_text.is_empty() => vec!["NONE".to_owned()],
        "NONE" => return Err(Error::invalid("HEALTHCHECK NONE takes no arguments")),
        "CMD" if command_text.is_empty() => {
            return Err(Error::invalid("Missing command after HEALTHCHECK CMD"));
        }
        "CMD" => match json_list(command_text) {
            Some(list) => [vec!["CMD".to_owned()], list].concat(),
            None => vec!["CMD-SHELL".to_owned(), command_text.to_owned()],
        },
        other => {
            return Err(Error::invalid(format!(
                "Unknown type {other:?} in HEALTHCHECK (try CMD)"
            )));
        }
    });
    Ok(check)
}

/// One value: quotes taken off, variables put in, blanks kept.
fn expanded(text: &str, config: &ContainerConfig) -> Result<String> {
    Ok(split(text, config, false)?.concat())
}

/// The blank-separated words of `text`, treated alike.
fn words(text: &str, config: &ContainerConfig) -> Result<Vec<String>> {
    split(text, config, true)
}

fn split(text: &str, config: &ContainerConfig, at_blanks: bool) -> Result<Vec<String>> {
    let variables: HashMap<&str, &str> = config
        .env
        .iter()
        .flatten()
        .filter_map(|variable| variable.split_once('='))
        .collect();
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, quote) {
            ('\'', Some('\'')) | ('"', Some('"')) => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('\\', None | Some('"')) => match rest.next() {
                Some(next) if quote.is_none() || matches!(next, '"' | '$' | '\\') => {
                    word.get_or_insert_default().push(next);
                }
                Some(next) => word.get_or_insert_default().extend(['\\', next]),
                None => word.get_or_insert_default().push('\\'),
            },
            ('$', None | Some('"')) => {
                let value = variable(&mut rest, &variables)?;
                word.get_or_insert_default().push_str(&value);
            }
            (c, None) if at_blanks && c.is_whitespace() => found.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(quote) = quote {
        return Err(Error::invalid(format!(
            "unexpected end of statement while looking for matching {quote}"
        )));
    }
    found.extend(word);
    Ok(found)
}

/// What stands behind a dollar sign: `name`, `{name}`, `{name:-else}`,
/// `{name:+then}`.
fn variable(rest: &mut std::str::Chars<'_>, variables: &HashMap<&str, &str>) -> Result<String> {
    let text = rest.as_str();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(braced) = text.strip_prefix('{') {
        let end = braced
            .find('}')
            .ok_or_else(|| Error::invalid("syntax error: missing '}'"))?;
        *rest = braced[end + 1..].chars();
        let inner = &braced[..end];
        let name_end = inner.find(|c| !is_name(c)).unwrap_or(inner.len());
        let value = variables.get(&inner[..name_end]).copied().unwrap_or("");
        let modifier = &inner[name_end..];
        return match modifier {
            "" => Ok(value.to_owned()),
            _ => match (modifier.strip_prefix(":-"), modifier.strip_prefix(":+")) {
                (Some(otherwise), _) if value.is_empty() => Ok(otherwise.to_owned()),
                (Some(_), _) => Ok(value.to_owned()),
                (None, Some(then)) if !value.is_empty() => Ok(then.to_owned()),
                (None, Some(_)) => Ok(String::new()),
                (None, None) => Err(Error::invalid(format!(
                    "unsupported modifier in substitution: {modifier}"
                ))),
            },
        };
    }
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    *rest = text[end..].chars();
    Ok(match end {
        0 => "$".to_owned(),
        _ => variables
            .get(&text[..end])
            .copied()
            .unwrap_or("")
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Option<Vec<String>> {
        Some(words.iter().map(|w| (*w).to_owned()).collect())
    }

    fn applied(changes: &str) -> ContainerConfig {
        let mut config = ContainerConfig {
            env: list(&["A=1"]),
            cmd: list(&["old"]),
            working_dir: Some("/srv".to_owned()),
            ..Default::default()
        };
        apply(&mut config, changes).expect(changes);
        config
    }

    #[test]
    fn every_instruction() {
        let config = applied(
            "cmd [\"a\", \"b c\"]\nENV B=$A-x C='$A' D=\"q ${A} ${E:-else}${A:+then}\"\nENV A all the rest\n\
             LABEL k=v \"two words\"=x\nEXPOSE 80 90-91/UDP\nUSER 1000:$C\nVOLUME /a /b\nVOLUME [\"/a\", \"/c d\"]\n\
             WORKDIR sub/../dir\nONBUILD RUN x\nSTOPSIGNAL SIGQUIT",
        );
        assert_eq!(config.cmd, list(&["a", "b c"]));
        assert_eq!(
            config.env,
            list(&["A=all the rest", "B=1-x", "C=$A", "D=q 1 elsethen"])
        );
        let labels = config.labels.unwrap();
        assert_eq!(
            (labels["k"].as_str(), labels["two words"].as_str()),
            ("v", "x")
        );
        assert_eq!(config.exposed_ports, list(&["80/tcp", "90/udp", "91/udp"]));
        assert_eq!(config.user.as_deref(), Some("1000:$A"));
        assert_eq!(config.volumes, list(&["/a", "/b", "/c d"]));
        assert_eq!(config.working_dir.as_deref(), Some("/srv/dir"));
        assert_eq!(config.on_build, list(&["RUN x"]));
        assert_eq!(config.stop_signal.as_deref(), Some("SIGQUIT"));
    }

    #[test]
    fn a_new_entrypoint_takes_the_old_command_away() {
        let config = applied("ENTRYPOINT run it");
        assert_eq!(config.entrypoint, list(&["/bin/sh", "-c", "run it"]));
        assert_eq!(config.cmd, None);
        let config = applied("CMD [\"x\"]\nENTRYPOINT [\"y\"]");
        assert_eq!(config.cmd, list(&["x"]));
    }

    #[test]
    fn health_checks() {
        let check = |text: &str| applied(text).healthcheck.unwrap();
        let shell = check("HEALTHCHECK --interval=5s --retries=3 CMD curl -f x || exit 1");
        assert_eq!(shell.test, list(&["CMD-SHELL", "curl -f x || exit 1"]));
        assert_eq!(
            (shell.interval, shell.retries),
            (Some(5_000_000_000), Some(3))
        );
        assert_eq!(check("HEALTHCHECK CMD [\"a\"]").test, list(&["CMD", "a"]));
        assert_eq!(check("HEALTHCHECK NONE").test, list(&["NONE"]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let fails = |changes: &str, expected: &str| {
            let error = apply(&mut ContainerConfig::default(), changes).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        fails("RUN ls", "RUN is not a valid change command");
        fails("CMD", "CMD requires at least one argument");
        fails("ENV A", "ENV must have two arguments");
        fails("LABEL a=b c", "can't find = in \"c\"");
        fails("LABEL a='b", "looking for matching '");
        fails("USER ${A", "missing '}'");
        fails("HEALTHCHECK RUN x", "Unknown type \"RUN\" in HEALTHCHECK");
    }

    #[test]
    fn images_keep_what_is_theirs() {
        let config = ContainerConfig {
            hostname: Some("h".to_owned()),
            tty: Some(true),
            exposed_ports: list(&["80/tcp"]),
            ..Default::default()
        };
        let map = image_config(&config).unwrap();
        assert_eq!(
            serde_json::to_string(&map).unwrap(),
            r#"{"ExposedPorts":{"80/tcp":{}}}"#
        );
    }
}
