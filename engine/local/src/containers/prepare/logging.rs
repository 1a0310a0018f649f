//! Where a container's output goes, in the words of the shim.

use std::collections::BTreeMap;
use std::path::Path;

use dhow_model::size;
use dhow_runtime::protocol::{LogConfig, LogDriver};

use crate::LocalEngine;
use crate::containers::logs;
use crate::containers::record::Record;

/// dockerd's defaults of the `local` driver: five files of 20 MB.
const LOCAL_MAX_SIZE: u64 = 20 * 1000 * 1000;
const LOCAL_MAX_FILE: u32 = 5;

impl LocalEngine {
    /// The record's log configuration; it was checked when it was created.
    pub(super) fn log_of(&self, record: &Record, directory: &Path) -> LogConfig {
        let options = record
            .host_config
            .log_config
            .as_ref()
            .and_then(|c| c.config.as_ref());
        let option = |key: &str| options.and_then(|o| o.get(key)).map(String::as_str);
        let driver = match logs::driver(record) {
            "none" => LogDriver::None,
            "local" => LogDriver::Local,
            _ => LogDriver::JsonFile,
        };
        let local = driver == LogDriver::Local;
        let truth = |text: &str| matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True");
        LogConfig {
            driver,
            path: logs::path(record, directory),
            max_size: option("max-size")
                .filter(|text| *text != "-1")
                .and_then(|text| size::parse_bytes(text).ok())
                .and_then(|bytes| u64::try_from(bytes).ok())
                .or(local.then_some(LOCAL_MAX_SIZE)),
            max_file: option("max-file")
                .and_then(|text| text.parse().ok())
                .unwrap_or(if local { LOCAL_MAX_FILE } else { 1 }),
            compress: option("compress").map_or(local, truth),
            attrs: self.log_attributes(record, &option),
        }
    }

    /// What is written with every line: chosen labels, variables, the tag.
    fn log_attributes<'a>(
        &self,
        record: &Record,
        option: &impl Fn(&str) -> Option<&'a str>,
    ) -> BTreeMap<String, String> {
        let mut attributes = BTreeMap::new();
        let chosen = |list: &str, regex: &str| {
            let names: Vec<&str> = option(list)
                .into_iter()
                .flat_map(|l| l.split(','))
                .collect();
            let pattern = option(regex).and_then(|r| regex_lite::Regex::new(r).ok());
            move |name: &str| {
                names.contains(&name) || pattern.as_ref().is_some_and(|p| p.is_match(name))
            }
        };
        let label = chosen("labels", "labels-regex");
        for (name, value) in record.config.labels.iter().flatten() {
            if label(name) {
                attributes.insert(name.clone(), value.clone());
            }
        }
        let variable = chosen("env", "env-regex");
        for (name, value) in record
            .config
            .env
            .iter()
            .flatten()
            .filter_map(|v| v.split_once('='))
        {
            if variable(name) {
                attributes.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some(tag) = option("tag").filter(|t| !t.is_empty()) {
            attributes.insert("tag".to_owned(), self.log_tag(record, tag));
        }
        attributes
    }

    /// The fields dockerd's tag templates know.
    fn log_tag(&self, record: &Record, template: &str) -> String {
        let fields = [
            ("ID", record.id.short().to_owned()),
            ("FullID", record.id.to_string()),
            ("Name", record.name.clone()),
            ("ImageID", record.image.short().to_owned()),
            ("ImageFullID", record.image.to_string()),
            ("ImageName", record.config.image.clone().unwrap_or_default()),
            ("DaemonName", "docker".to_owned()),
        ];
        let mut text = template.to_owned();
        for (name, value) in fields {
            text = text.replace(&format!("{{{{.{name}}}}}"), &value);
        }
        text
    }
}
