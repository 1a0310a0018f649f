//! The `--mount` option of the command line: `type=bind,source=/a,target=/b`.

use super::{
    BindOptions, ImageOptions, Kind, Propagation, Spec, TmpfsOptions, VolumeOptions, clean,
};
use crate::error::{ErrorKind, HasKind};
use crate::size;

/// A `--mount` text that cannot be used, in the words of Docker's client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMountFlag {
    /// Nothing in it.
    #[error("value is empty")]
    Empty,
    /// Quotes that do not match.
    #[error("parse error on line 1: bare or unfinished quote in {0:?}")]
    Quotes(String),
    /// Spaces around a name.
    #[error("invalid option '{name}' in '{field}': option should not have whitespace")]
    NameSpace {
        /// The name.
        name: String,
        /// The whole field.
        field: String,
    },
    /// Nothing after the equals sign.
    #[error("invalid value for '{0}': value is empty")]
    EmptyValue(String),
    /// Spaces around a value.
    #[error("invalid value for '{name}' in '{field}': value should not have whitespace")]
    ValueSpace {
        /// The name.
        name: String,
        /// The whole field.
        field: String,
    },
    /// A name alone that needs a value.
    #[error("invalid field '{0}' must be a key=value pair")]
    NotAPair(String),
    /// No such name.
    #[error("unexpected key '{name}' in '{field}'")]
    Unknown {
        /// The name.
        name: String,
        /// The whole field.
        field: String,
    },
    /// A value its name does not take.
    #[error("invalid value for {name}: {value}")]
    Value {
        /// The name.
        name: String,
        /// The value.
        value: String,
    },
    /// Neither true nor false.
    #[error(
        "invalid value for '{name}': invalid boolean value ({value:?}): must be one of \"true\", \"1\", \"false\", or \"0\" (default \"true\")"
    )]
    Boolean {
        /// The name.
        name: String,
        /// The value.
        value: String,
    },
    /// Options of another type.
    #[error("cannot mix '{options}-*' options with mount type '{kind}'")]
    Mixed {
        /// Whose options they are.
        options: &'static str,
        /// The type asked for.
        kind: &'static str,
    },
    /// An option that means nothing without another.
    #[error("option '{option}' requires '{needs}' to be specified in conjunction")]
    Needs {
        /// The option.
        option: &'static str,
        /// The other.
        needs: &'static str,
    },
    /// An option Docker took back.
    #[error("bind-nonrecursive is deprecated, use bind-recursive=disabled instead")]
    Deprecated,
    /// A type or propagation the engine would refuse.
    #[error(transparent)]
    Mount(#[from] super::InvalidMount),
}

impl HasKind for InvalidMountFlag {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

/// Reads a `--mount` text. `cwd` is what relative sources start from.
pub fn parse_flag(text: &str, cwd: &str) -> Result<Spec, InvalidMountFlag> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidMountFlag::Empty);
    }
    let mut spec = Spec::default();
    for field in fields(text)? {
        apply(&mut spec, &field, cwd)?;
    }
    check(&spec)?;
    Ok(spec)
}

fn apply(spec: &mut Spec, field: &str, cwd: &str) -> Result<(), InvalidMountFlag> {
    let (name, value) = match field.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (field, None),
    };
    if name.trim() != name {
        return Err(InvalidMountFlag::NameSpace {
            name: name.trim().to_owned(),
            field: field.to_owned(),
        });
    }
    match value {
        Some(value) if value.trim().is_empty() => {
            return Err(InvalidMountFlag::EmptyValue(name.to_owned()));
        }
        Some(value) if value.trim() != value => {
            return Err(InvalidMountFlag::ValueSpace {
                name: name.to_owned(),
                field: field.to_owned(),
            });
        }
        _ => {}
    }
    let name = name.to_lowercase();
    let yes = || boolean(&name, value);
    match (name.as_str(), value) {
        ("readonly" | "ro", _) => spec.read_only = yes()?,
        ("volume-nocopy", _) => volume(spec).no_copy = yes()?,
        ("bind-create-src", _) => bind(spec).create_mountpoint = yes()?,
        ("bind-nonrecursive", _) => return Err(InvalidMountFlag::Deprecated),
        (_, None) => return Err(InvalidMountFlag::NotAPair(field.to_owned())),
        ("type", Some(value)) => spec.kind = Kind::parse(&value.to_lowercase())?,
        ("source" | "src", Some(value)) if value.starts_with('.') => {
            spec.source = clean(&format!("{cwd}/{value}"));
        }
        ("source" | "src", Some(value)) => spec.source = value.to_owned(),
        ("target" | "dst" | "destination", Some(value)) => spec.target = value.to_owned(),
        ("consistency", Some(value)) => spec.consistency = value.to_lowercase(),
        ("bind-propagation", Some(value)) => {
            bind(spec).propagation = Propagation::parse(&value.to_lowercase())?;
        }
        ("bind-recursive", Some(value)) => match value {
            "enabled" => {}
            "disabled" => bind(spec).non_recursive = true,
            "writable" => bind(spec).read_only_non_recursive = true,
            "readonly" => bind(spec).read_only_force_recursive = true,
            _ => {
                return Err(InvalidMountFlag::Value {
                    name,
                    value: format!(
                        "{value} (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")"
                    ),
                });
            }
        },
        ("volume-subpath", Some(value)) => volume(spec).subpath = value.to_owned(),
        ("volume-driver", Some(value)) => volume(spec).driver = value.to_owned(),
        ("volume-label", Some(value)) => {
            let (key, value) = value.split_once('=').unwrap_or((value, ""));
            volume(spec).labels.insert(key.to_owned(), value.to_owned());
        }
        ("volume-opt", Some(value)) => {
            let (key, value) = value.split_once('=').unwrap_or((value, ""));
            let options = &mut volume(spec).driver_options;
            options.insert(key.to_owned(), value.to_owned());
        }
        ("image-subpath", Some(value)) => {
            spec.image.get_or_insert_with(ImageOptions::default).subpath = value.to_owned();
        }
        ("tmpfs-size", Some(value)) => match size::parse_bytes(value) {
            Ok(bytes) => tmpfs(spec).size_bytes = bytes,
            Err(_) => return Err(wrong_value(&name, value)),
        },
        ("tmpfs-mode", Some(value)) => match u32::from_str_radix(value, 8) {
            Ok(mode) => tmpfs(spec).mode = mode,
            Err(_) => return Err(wrong_value(&name, value)),
        },
        _ => {
            return Err(InvalidMountFlag::Unknown {
                name,
                field: field.to_owned(),
            });
        }
    }
    Ok(())
}

fn check(spec: &Spec) -> Result<(), InvalidMountFlag> {
    for (kind, given) in [
        (Kind::Bind, spec.bind.is_some()),
        (Kind::Volume, spec.volume.is_some()),
        (Kind::Image, spec.image.is_some()),
        (Kind::Tmpfs, spec.tmpfs.is_some()),
    ] {
        if given && spec.kind != kind {
            return Err(InvalidMountFlag::Mixed {
                options: kind.as_str(),
                kind: spec.kind.as_str(),
            });
        }
    }
    let bind = spec.bind.clone().unwrap_or_default();
    let needs = |option, needs| Err(InvalidMountFlag::Needs { option, needs });
    if bind.read_only_non_recursive && !spec.read_only {
        return needs("bind-recursive=writable", "readonly");
    }
    if bind.read_only_force_recursive && !spec.read_only {
        return needs("bind-recursive=readonly", "readonly");
    }
    if bind.read_only_force_recursive && bind.propagation != Some(Propagation::RPrivate) {
        return needs("bind-recursive=readonly", "bind-propagation=rprivate");
    }
    Ok(())
}

/// One line of comma-separated values: a field that starts with a quote goes on
/// to the closing one, and two quotes in it are one.
fn fields(text: &str) -> Result<Vec<String>, InvalidMountFlag> {
    let wrong = || InvalidMountFlag::Quotes(text.to_owned());
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let after = if let Some(mut quoted) = rest.strip_prefix('"') {
            let mut field = String::new();
            loop {
                let (part, after) = quoted.split_once('"').ok_or_else(wrong)?;
                field.push_str(part);
                match after.strip_prefix('"') {
                    Some(after) => {
                        field.push('"');
                        quoted = after;
                    }
                    None => {
                        fields.push(field);
                        break after;
                    }
                }
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (field, after) = rest.split_at(end);
            if field.contains('"') {
                return Err(wrong());
            }
            fields.push(field.to_owned());
            after
        };
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => return Err(wrong()),
        }
    }
}

fn boolean(name: &str, value: Option<&str>) -> Result<bool, InvalidMountFlag> {
    match value {
        None | Some("1" | "true") => Ok(true),
        Some("0" | "false") => Ok(false),
        Some(value) => Err(InvalidMountFlag::Boolean {
            name: name.to_owned(),
            value: value.to_owned(),
        }),
    }
}

fn wrong_value(name: &str, value: &str) -> InvalidMountFlag {
    InvalidMountFlag::Value {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

fn bind(spec: &mut Spec) -> &mut BindOptions {
    spec.bind.get_or_insert_with(BindOptions::default)
}

fn volume(spec: &mut Spec) -> &mut VolumeOptions {
    spec.volume.get_or_insert_with(VolumeOptions::default)
}

fn tmpfs(spec: &mut Spec) -> &mut TmpfsOptions {
    spec.tmpfs.get_or_insert_with(TmpfsOptions::default)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Spec {
        parse_flag(text, "/home/me").unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn flags_are_read() {
        let spec = parse("type=bind,source=/a,target=/b,readonly,bind-propagation=rslave");
        assert_eq!((spec.kind, spec.read_only), (Kind::Bind, true));
        assert_eq!((spec.source.as_str(), spec.target.as_str()), ("/a", "/b"));
        assert_eq!(spec.bind.unwrap().propagation, Some(Propagation::RSlave));

        assert_eq!(parse("type=bind,src=./x,dst=/b").source, "/home/me/x");
        assert_eq!(parse("type=bind,src=..,dst=/b,ro=false").source, "/home");

        let spec = parse(
            "src=data,destination=/d,volume-nocopy,volume-label=a=b,volume-driver=local,volume-opt=type=nfs,volume-subpath=x",
        );
        let volume = spec.volume.unwrap();
        assert!(volume.no_copy);
        assert_eq!(volume.labels["a"], "b");
        assert_eq!(volume.driver_options["type"], "nfs");
        assert_eq!(
            (volume.driver.as_str(), volume.subpath.as_str()),
            ("local", "x")
        );

        let spec = parse("type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1770");
        let tmpfs = spec.tmpfs.unwrap();
        assert_eq!((tmpfs.size_bytes, tmpfs.mode), (64 << 20, 0o1770));

        assert_eq!(
            parse("\"type=bind\",\"src=/a,b\",\"dst=/\"\"q\"\"\"").target,
            "/\"q\""
        );
        assert_eq!(parse("type=image,src=busybox,dst=/i").kind, Kind::Image);
    }

    #[test]
    fn wrong_flags_are_refused() {
        let refuse = |text: &str, message: &str| {
            assert_eq!(parse_flag(text, "/").expect_err(text).to_string(), message);
        };
        refuse("  ", "value is empty");
        refuse("type", "invalid field 'type' must be a key=value pair");
        refuse("type=", "invalid value for 'type': value is empty");
        refuse(
            "type= bind",
            "invalid value for 'type' in 'type= bind': value should not have whitespace",
        );
        refuse("a=b, c=d", "unexpected key 'a' in 'a=b'");
        refuse(
            "dst=/a, ro",
            "invalid option 'ro' in ' ro': option should not have whitespace",
        );
        refuse(
            "type=floppy",
            "invalid mount config for type \"floppy\": mount type unknown",
        );
        refuse(
            "ro=maybe",
            "invalid value for 'ro': invalid boolean value (\"maybe\"): must be one of \"true\", \"1\", \"false\", or \"0\" (default \"true\")",
        );
        refuse(
            "type=tmpfs,tmpfs-size=big",
            "invalid value for tmpfs-size: big",
        );
        refuse(
            "type=bind,volume-nocopy",
            "cannot mix 'volume-*' options with mount type 'bind'",
        );
        refuse(
            "tmpfs-mode=777",
            "cannot mix 'tmpfs-*' options with mount type 'volume'",
        );
        refuse(
            "type=bind,bind-recursive=readonly",
            "option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction",
        );
        refuse(
            "type=bind,ro,bind-recursive=readonly",
            "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
        );
        refuse(
            "bind-nonrecursive",
            "bind-nonrecursive is deprecated, use bind-recursive=disabled instead",
        );
        refuse(
            "a\"b",
            "parse error on line 1: bare or unfinished quote in \"a\\\"b\"",
        );
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "[a-z=,\"/ ]{0,30}") {
            let _ = parse_flag(&text, "/");
        }
    }
}
