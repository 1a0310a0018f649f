//! `-v`, `--mount` and `--tmpfs` as the API takes them. The grammar is
//! [`dhow_model::mount`]'s.

use dhow_model::mount::{self, Spec};
use serde_json::{Map, Value, json};

/// A `-v`: something of the host or a named volume to bind, or an anonymous
/// volume at a path.
#[derive(Debug, PartialEq, Eq)]
pub enum Volume {
    Bind(String),
    Anonymous(String),
}

/// Reads a `-v`; `cwd` is what sources starting with a dot are relative to.
pub fn volume(text: &str, cwd: &str) -> Result<Volume, String> {
    let wrong = |reason: &str| format!("invalid spec: {text}: {reason}");
    let sections: Vec<&str> = text.split(':').collect();
    if text.is_empty() {
        return Err("invalid empty volume spec".to_owned());
    }
    if sections.iter().any(|section| section.is_empty()) {
        return Err(wrong("empty section between colons"));
    }
    if sections.len() == 1 {
        return Ok(Volume::Anonymous(text.to_owned()));
    }
    let source = sections[0];
    let source = if source.starts_with('.') {
        mount::clean(&format!("{cwd}/{source}"))
    } else {
        source.to_owned()
    };
    Ok(Volume::Bind(format!(
        "{source}:{}",
        sections[1..].join(":")
    )))
}

/// Reads a `--mount`.
pub fn flag(text: &str) -> Result<Value, String> {
    let cwd = std::env::current_dir().unwrap_or_default();
    let spec = mount::parse_flag(text, &cwd.to_string_lossy()).map_err(|e| e.to_string())?;
    if spec.target.is_empty() {
        return Err("target is required".to_owned());
    }
    Ok(to_json(&spec))
}

/// Reads a `--tmpfs path[:options]`.
pub fn tmpfs(text: &str) -> (String, String) {
    let (path, options) = text.split_once(':').unwrap_or((text, ""));
    (path.to_owned(), options.to_owned())
}

fn to_json(spec: &Spec) -> Value {
    let mut value = Map::new();
    value.insert("Type".into(), spec.kind.as_str().into());
    set(&mut value, "Source", &spec.source);
    set(&mut value, "Target", &spec.target);
    if spec.read_only {
        value.insert("ReadOnly".into(), true.into());
    }
    set(&mut value, "Consistency", &spec.consistency);
    if let Some(bind) = &spec.bind {
        let mut options = Map::new();
        if let Some(propagation) = bind.propagation {
            options.insert("Propagation".into(), propagation.as_str().into());
        }
        flags(
            &mut options,
            &[
                ("NonRecursive", bind.non_recursive),
                ("CreateMountpoint", bind.create_mountpoint),
                ("ReadOnlyNonRecursive", bind.read_only_non_recursive),
                ("ReadOnlyForceRecursive", bind.read_only_force_recursive),
            ],
        );
        value.insert("BindOptions".into(), options.into());
    }
    if let Some(volume) = &spec.volume {
        let mut options = Map::new();
        flags(&mut options, &[("NoCopy", volume.no_copy)]);
        if !volume.labels.is_empty() {
            options.insert("Labels".into(), json!(volume.labels));
        }
        if !volume.driver.is_empty() || !volume.driver_options.is_empty() {
            let driver = json!({"Name": volume.driver, "Options": volume.driver_options});
            options.insert("DriverConfig".into(), driver);
        }
        set(&mut options, "Subpath", &volume.subpath);
        value.insert("VolumeOptions".into(), options.into());
    }
    if let Some(tmpfs) = &spec.tmpfs {
        let mut options = Map::new();
        if tmpfs.size_bytes != 0 {
            options.insert("SizeBytes".into(), tmpfs.size_bytes.into());
        }
        if tmpfs.mode != 0 {
            options.insert("Mode".into(), tmpfs.mode.into());
        }
        if !tmpfs.options.is_empty() {
            options.insert("Options".into(), json!(tmpfs.options));
        }
        value.insert("TmpfsOptions".into(), options.into());
    }
    if let Some(image) = &spec.image {
        let mut options = Map::new();
        set(&mut options, "Subpath", &image.subpath);
        value.insert("ImageOptions".into(), options.into());
    }
    value.into()
}

fn set(map: &mut Map<String, Value>, key: &str, text: &str) {
    if !text.is_empty() {
        map.insert(key.to_owned(), text.into());
    }
}

fn flags(map: &mut Map<String, Value>, flags: &[(&str, bool)]) {
    for (key, on) in flags {
        if *on {
            map.insert((*key).to_owned(), true.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes() {
        let bind = |text: &str| Ok(Volume::Bind(text.to_owned()));
        assert_eq!(volume("/a:/b:ro", "/w"), bind("/a:/b:ro"));
        assert_eq!(volume("./a:/b", "/w/x"), bind("/w/x/a:/b"));
        assert_eq!(volume("..:/b", "/w/x"), bind("/w:/b"));
        assert_eq!(volume("name:/b", "/w"), bind("name:/b"));
        assert_eq!(volume("/b", "/w"), Ok(Volume::Anonymous("/b".into())));
        assert_eq!(
            volume("/a::ro", "/w").unwrap_err(),
            "invalid spec: /a::ro: empty section between colons"
        );
    }

    #[test]
    fn mounts() {
        assert_eq!(
            flag("type=bind,src=/a,dst=/b,readonly,bind-propagation=rslave").unwrap(),
            json!({"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true,
                   "BindOptions": {"Propagation": "rslave"}})
        );
        assert_eq!(
            flag("type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700").unwrap(),
            json!({"Type": "tmpfs", "Target": "/t",
                   "TmpfsOptions": {"SizeBytes": 1 << 20, "Mode": 0o700}})
        );
        assert_eq!(flag("type=bind").unwrap_err(), "target is required");
    }
}
