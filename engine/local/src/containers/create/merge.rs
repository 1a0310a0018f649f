//! What a container takes from its image where its creator said nothing
//! (dockerd's `merge`): pure.

use std::collections::HashMap;

use bollard_stubs::models::{ContainerConfig, HealthConfig};

/// Completes `config` by the image's configuration.
///
/// The command is the image's only where the entrypoint is not the caller's: a
/// new entrypoint makes the image's arguments meaningless.
pub(crate) fn merge(config: &mut ContainerConfig, image: &ContainerConfig) {
    if is_blank(&config.user) {
        config.user = image.user.clone();
    }
    merge_set(&mut config.exposed_ports, &image.exposed_ports);
    merge_set(&mut config.volumes, &image.volumes);
    merge_env(&mut config.env, image.env.as_deref().unwrap_or_default());
    merge_labels(&mut config.labels, image.labels.as_ref());

    if is_empty(&config.entrypoint) {
        if is_empty(&config.cmd) {
            config.cmd = image.cmd.clone();
            config.args_escaped = image.args_escaped;
        }
        // `--entrypoint ""` arrives as one empty string and means: none.
        if config.entrypoint.is_none() {
            config.entrypoint = image.entrypoint.clone();
        }
    }
    if is_blank(&config.working_dir) {
        config.working_dir = image.working_dir.clone();
    }
    if let Some(image_check) = &image.healthcheck {
        merge_health(&mut config.healthcheck, image_check);
    }
    if is_blank(&config.stop_signal) {
        config.stop_signal = image.stop_signal.clone();
    }
    if is_empty(&config.shell) {
        config.shell = image.shell.clone();
    }
}

fn merge_health(own: &mut Option<HealthConfig>, image: &HealthConfig) {
    let own = own.get_or_insert_with(HealthConfig::default);
    let unset = |value: Option<i64>| value.unwrap_or(0) == 0;
    if own.test.as_ref().is_none_or(Vec::is_empty) {
        own.test = image.test.clone();
    }
    if unset(own.interval) {
        own.interval = image.interval;
    }
    if unset(own.timeout) {
        own.timeout = image.timeout;
    }
    if unset(own.start_period) {
        own.start_period = image.start_period;
    }
    if unset(own.start_interval) {
        own.start_interval = image.start_interval;
    }
    if unset(own.retries) {
        own.retries = image.retries;
    }
}

fn merge_set(own: &mut Option<Vec<String>>, image: &Option<Vec<String>>) {
    for value in image.iter().flatten() {
        let own = own.get_or_insert_default();
        if !own.contains(value) {
            own.push(value.clone());
        }
    }
}

fn merge_env(own: &mut Option<Vec<String>>, image: &[String]) {
    if image.is_empty() {
        return;
    }
    let name = |variable: &str| variable.split('=').next().unwrap_or_default().to_owned();
    let own = own.get_or_insert_default();
    let set: Vec<String> = own.iter().map(|v| name(v)).collect();
    for variable in image {
        if !set.contains(&name(variable)) {
            own.push(variable.clone());
        }
    }
}

fn merge_labels(
    own: &mut Option<HashMap<String, String>>,
    image: Option<&HashMap<String, String>>,
) {
    for (key, value) in image.into_iter().flatten() {
        own.get_or_insert_default()
            .entry(key.clone())
            .or_insert_with(|| value.clone());
    }
}

fn is_blank(text: &Option<String>) -> bool {
    text.as_deref().unwrap_or_default().is_empty()
}

fn is_empty(list: &Option<Vec<String>>) -> bool {
    list.as_ref().is_none_or(Vec::is_empty)
}

/// The program and its arguments: entrypoint and command joined. `None` when
/// there is nothing to run.
pub(crate) fn command(config: &ContainerConfig) -> Option<(String, Vec<String>)> {
    let entrypoint: &[String] = match config.entrypoint.as_deref() {
        Some([only]) if only.is_empty() => &[],
        Some(entrypoint) => entrypoint,
        None => &[],
    };
    let mut words = entrypoint
        .iter()
        .chain(config.cmd.iter().flatten())
        .cloned();
    let path = words.next()?;
    Some((path, words.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Option<Vec<String>> {
        Some(list.iter().map(|s| s.to_string()).collect())
    }

    #[test]
    fn own_entrypoint_drops_the_images_command() {
        let image = ContainerConfig {
            entrypoint: words(&["/entry"]),
            cmd: words(&["serve"]),
            ..Default::default()
        };
        let check = |own: ContainerConfig, expected: &[&str]| {
            let mut own = own;
            merge(&mut own, &image);
            let (path, args) = command(&own).unwrap();
            let got: Vec<_> = std::iter::once(path).chain(args).collect();
            assert_eq!(got, expected);
        };
        check(ContainerConfig::default(), &["/entry", "serve"]);
        check(
            ContainerConfig {
                cmd: words(&["ls"]),
                ..Default::default()
            },
            &["/entry", "ls"],
        );
        check(
            ContainerConfig {
                entrypoint: words(&["sh"]),
                ..Default::default()
            },
            &["sh"],
        );
        check(
            ContainerConfig {
                entrypoint: words(&[""]),
                cmd: words(&["id"]),
                ..Default::default()
            },
            &["id"],
        );
    }

    #[test]
    fn own_variables_win() {
        let mut own = ContainerConfig {
            env: words(&["A=1"]),
            ..Default::default()
        };
        let image = ContainerConfig {
            env: words(&["A=0", "B=2"]),
            ..Default::default()
        };
        merge(&mut own, &image);
        assert_eq!(own.env, words(&["A=1", "B=2"]));
    }
}
