//! What a container mounts: `-v src:dst:opts`, `--mount type=…`, and the API's
//! own form, read and checked by Docker's rules and in its words.
//!
//! Whether a source exists, and what a volume's name stands for, is not known
//! here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorKind, HasKind};

mod flag;
mod path;

pub use flag::{InvalidMountFlag, parse_flag};
pub use path::{clean, is_local};

/// What is mounted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A file or directory of the host.
    Bind,
    /// A named or anonymous volume.
    #[default]
    Volume,
    /// Memory.
    Tmpfs,
    /// An image's file system, read-only.
    Image,
}

/// How mounts made on one side of a bind appear on the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    /// Not at all.
    Private,
    /// Not at all, submounts too.
    #[default]
    RPrivate,
    /// From the host into the container.
    Slave,
    /// From the host into the container, submounts too.
    RSlave,
    /// Both ways.
    Shared,
    /// Both ways, submounts too.
    RShared,
}

/// Options of a bind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BindOptions {
    /// As given; `None` is [`Propagation::RPrivate`].
    pub propagation: Option<Propagation>,
    /// Without the source's own submounts.
    pub non_recursive: bool,
    /// Make a missing source.
    pub create_mountpoint: bool,
    /// Read-only for the mount itself, not its submounts.
    pub read_only_non_recursive: bool,
    /// Read-only to the last submount, or an error.
    pub read_only_force_recursive: bool,
}

/// Options of a volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeOptions {
    /// Leave an empty volume empty.
    pub no_copy: bool,
    /// Labels for a volume that is made.
    pub labels: BTreeMap<String, String>,
    /// The driver, or the default one if empty.
    pub driver: String,
    /// Options for the driver.
    pub driver_options: BTreeMap<String, String>,
    /// A path within the volume.
    pub subpath: String,
}

/// Options of a tmpfs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TmpfsOptions {
    /// 0 is the kernel's default.
    pub size_bytes: i64,
    /// 0 is 1777.
    pub mode: u32,
    /// Each one or two words: a name, a value.
    pub options: Vec<Vec<String>>,
}

/// Options of an image mount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageOptions {
    /// A path within the image.
    pub subpath: String,
}

/// A mount as it is asked for; not yet checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spec {
    /// What is mounted.
    pub kind: Kind,
    /// A path of the host, a volume's name, an image; empty for an anonymous
    /// volume and for a tmpfs.
    pub source: String,
    /// The path in the container.
    pub target: String,
    /// Whether it cannot be written.
    pub read_only: bool,
    /// Taken and shown again, without effect on Linux.
    pub consistency: String,
    /// Only for a bind.
    pub bind: Option<BindOptions>,
    /// Only for a volume.
    pub volume: Option<VolumeOptions>,
    /// Only for a tmpfs.
    pub tmpfs: Option<TmpfsOptions>,
    /// Only for an image.
    pub image: Option<ImageOptions>,
}

/// A mount that has passed all checks, with its paths cleaned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Where it is in the container.
    pub destination: String,
    /// The host's path of a bind, the image of an image mount, else empty.
    pub source: String,
    /// The volume's name; empty for an anonymous one.
    pub name: String,
    /// The mode text of a `-v`, as given.
    pub mode: String,
    /// Whether it can be written.
    pub writable: bool,
    /// How mounts spread.
    pub propagation: Propagation,
    /// Whether an empty volume is filled from the image.
    pub copy_data: bool,
    /// Whether a missing source of a bind is made: always for `-v`.
    pub create_source: bool,
    /// What was asked for.
    pub spec: Spec,
}

/// A mount that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMount {
    /// A `-v` text of the wrong form.
    #[error("invalid volume specification: '{0}'")]
    Text(String),
    /// A `-v` text whose parts are wrong.
    #[error("invalid volume specification: '{text}': {reason}")]
    TextParts {
        /// What was given.
        text: String,
        /// What is wrong.
        reason: Box<InvalidMount>,
    },
    /// Options of `-v` or `--volumes-from` that do not exist or contradict.
    #[error("invalid mode: {0}")]
    Mode(String),
    /// An empty `--volumes-from`.
    #[error("volumes-from specification cannot be an empty string")]
    VolumesFrom,
    /// A field of the API's form is wrong.
    #[error("invalid mount config for type \"{kind}\": {reason}")]
    Config {
        /// The mount's type.
        kind: &'static str,
        /// What is wrong.
        reason: Reason,
    },
    /// Two mounts at one place.
    #[error("Duplicate mount point: {0}")]
    Duplicate(String),
    /// A type this engine does not have.
    #[error("invalid mount config for type \"{0}\": mount type unknown")]
    UnknownKind(String),
    /// A propagation that does not exist.
    #[error("invalid mount config for type \"bind\": invalid propagation mode: {0}")]
    Propagation(String),
    /// A tmpfs mounted nowhere sensible.
    #[error(transparent)]
    Tmpfs(Reason),
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It must be there.
    #[error("field {0} must not be empty")]
    Missing(&'static str),
    /// It must not be there.
    #[error("field {0} must not be specified")]
    Extra(&'static str),
    /// The container's own root.
    #[error("invalid specification: destination can't be '/'")]
    Root,
    /// Not an absolute path.
    #[error("invalid mount path: '{0}' mount path must be absolute")]
    Relative(String),
    /// The caller looked, and there is nothing.
    #[error("bind source path does not exist: {0}")]
    SourceMissing(String),
    /// A subpath of something that has no name.
    #[error("must not set Subpath when using anonymous volumes")]
    AnonymousSubpath,
    /// A subpath that leads out.
    #[error("subpath must be a relative path within the volume")]
    Subpath,
    /// A tmpfs option Docker does not take here.
    #[error("invalid option: {0}")]
    TmpfsOption(String),
    /// A tmpfs option of no or more than two words.
    #[error("invalid option array length")]
    TmpfsOptionLength,
}

impl HasKind for InvalidMount {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidParameter
    }
}

impl Kind {
    /// The word the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Volume => "volume",
            Self::Tmpfs => "tmpfs",
            Self::Image => "image",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Result<Self, InvalidMount> {
        [Self::Bind, Self::Volume, Self::Tmpfs, Self::Image]
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or_else(|| InvalidMount::UnknownKind(word.to_owned()))
    }
}

impl Propagation {
    /// The word the API and the kernel's documentation use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::RPrivate => "rprivate",
            Self::Slave => "slave",
            Self::RSlave => "rslave",
            Self::Shared => "shared",
            Self::RShared => "rshared",
        }
    }

    /// The propagation of this word; an empty one is not set.
    pub fn parse(word: &str) -> Result<Option<Self>, InvalidMount> {
        if word.is_empty() {
            return Ok(None);
        }
        match Self::from_word(word) {
            Some(propagation) => Ok(Some(propagation)),
            None => Err(InvalidMount::Propagation(word.to_owned())),
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [
            Self::Private,
            Self::RPrivate,
            Self::Slave,
            Self::RSlave,
            Self::Shared,
            Self::RShared,
        ]
        .into_iter()
        .find(|propagation| propagation.as_str() == word)
    }
}

impl Point {
    /// Reads `[source:]target[:mode]` as the API's `Binds` has it.
    pub fn from_bind(text: &str, volume_driver: &str) -> Result<Self, InvalidMount> {
        let wrong = || InvalidMount::Text(text.to_owned());
        let parts: Vec<&str> = text.split(':').collect();
        let (source, target, mode) = match parts[..] {
            ["", ..] => return Err(wrong()),
            [target] => ("", target, ""),
            // `/data:ro` is a place with a mode, which a volume cannot have.
            [_, mode] if Mode::parse(mode).is_some() => return Err(wrong()),
            [source, target] => (source, target, ""),
            [source, target, mode] => (source, target, mode),
            _ => return Err(wrong()),
        };
        let options = Mode::parse(mode).ok_or_else(|| InvalidMount::Mode(mode.to_owned()))?;
        let kind = if source.starts_with('/') {
            Kind::Bind
        } else {
            Kind::Volume
        };
        let driver = if kind == Kind::Volume {
            volume_driver
        } else {
            ""
        };
        let mut spec = Spec {
            kind,
            source: source.to_owned(),
            target: target.to_owned(),
            read_only: options.read_only,
            ..Spec::default()
        };
        if !driver.is_empty() || options.no_copy.is_some() {
            spec.volume = Some(VolumeOptions {
                driver: driver.to_owned(),
                no_copy: options.no_copy.unwrap_or_default(),
                ..VolumeOptions::default()
            });
        }
        if options.propagation.is_some() {
            spec.bind = Some(BindOptions {
                propagation: options.propagation,
                ..BindOptions::default()
            });
        }
        let point = spec.check().map_err(|reason| InvalidMount::TextParts {
            text: text.to_owned(),
            reason: Box::new(reason),
        })?;
        Ok(Self {
            mode: mode.to_owned(),
            create_source: kind == Kind::Bind,
            ..point
        })
    }

    /// The error for a source that the caller found missing.
    pub fn source_missing(&self) -> InvalidMount {
        InvalidMount::Config {
            kind: self.spec.kind.as_str(),
            reason: Reason::SourceMissing(self.source.clone()),
        }
    }
}

impl Spec {
    /// Checks everything that can be checked without looking at the host.
    pub fn check(&self) -> Result<Point, InvalidMount> {
        self.reasons().map_err(|reason| InvalidMount::Config {
            kind: self.kind.as_str(),
            reason,
        })?;
        let bind = self.bind.clone().unwrap_or_default();
        let no_copy = self.volume.as_ref().is_some_and(|volume| volume.no_copy);
        Ok(Point {
            destination: clean(&self.target),
            source: match self.kind {
                Kind::Bind => clean(&self.source),
                Kind::Image => self.source.clone(),
                Kind::Volume | Kind::Tmpfs => String::new(),
            },
            name: match self.kind {
                Kind::Volume => self.source.clone(),
                _ => String::new(),
            },
            mode: String::new(),
            writable: !self.read_only && self.kind != Kind::Image,
            propagation: bind.propagation.unwrap_or_default(),
            copy_data: self.kind == Kind::Volume && !no_copy,
            create_source: bind.create_mountpoint,
            spec: self.clone(),
        })
    }

    fn reasons(&self) -> Result<(), Reason> {
        for (kind, given, field) in [
            (Kind::Bind, self.bind.is_some(), "BindOptions"),
            (Kind::Volume, self.volume.is_some(), "VolumeOptions"),
            (Kind::Image, self.image.is_some(), "ImageOptions"),
            (Kind::Tmpfs, self.tmpfs.is_some(), "TmpfsOptions"),
        ] {
            if given && self.kind != kind {
                return Err(Reason::Extra(field));
            }
        }
        if self.target.is_empty() {
            return Err(Reason::Missing("Target"));
        }
        check_target(&self.target)?;
        match self.kind {
            Kind::Bind if self.source.is_empty() => Err(Reason::Missing("Source")),
            Kind::Bind => check_absolute(&self.source),
            Kind::Volume => match &self.volume {
                Some(options) if !options.subpath.is_empty() => {
                    if self.source.is_empty() {
                        Err(Reason::AnonymousSubpath)
                    } else {
                        check_subpath(&options.subpath)
                    }
                }
                _ => Ok(()),
            },
            Kind::Tmpfs if !self.source.is_empty() => Err(Reason::Extra("Source")),
            Kind::Tmpfs => self.tmpfs_options().map(|_| ()),
            Kind::Image if self.source.is_empty() => Err(Reason::Missing("Source")),
            Kind::Image => match &self.image {
                Some(options) if !options.subpath.is_empty() => check_subpath(&options.subpath),
                _ => Ok(()),
            },
        }
    }

    /// The mount options of a tmpfs, as `mount -o` takes them.
    pub fn tmpfs_options(&self) -> Result<Vec<String>, Reason> {
        let mut options = Vec::new();
        if self.read_only {
            options.push("ro".to_owned());
        }
        let Some(tmpfs) = &self.tmpfs else {
            return Ok(options);
        };
        if tmpfs.mode != 0 {
            options.push(format!("mode={:o}", tmpfs.mode));
        }
        if tmpfs.size_bytes != 0 {
            let (size, suffix) = [(30, "g"), (20, "m"), (10, "k")]
                .into_iter()
                .find(|(shift, _)| tmpfs.size_bytes % (1 << shift) == 0)
                .map_or((tmpfs.size_bytes, ""), |(shift, suffix)| {
                    (tmpfs.size_bytes >> shift, suffix)
                });
            options.push(format!("size={size}{suffix}"));
        }
        for words in &tmpfs.options {
            let (name, value) = match &words[..] {
                [name] => (name, None),
                [name, value] => (name, Some(value)),
                _ => return Err(Reason::TmpfsOptionLength),
            };
            if name != "exec" && name != "noexec" {
                return Err(Reason::TmpfsOption(name.clone()));
            }
            options.push(match value {
                Some(value) => format!("{name}={value}"),
                None => name.clone(),
            });
        }
        Ok(options)
    }
}

/// Checks the place of a `--tmpfs`.
pub fn check_tmpfs_destination(target: &str) -> Result<(), InvalidMount> {
    check_target(target).map_err(InvalidMount::Tmpfs)
}

/// Reads `container[:mode]` of `--volumes-from`: the container, and whether its
/// volumes may be written.
pub fn parse_volumes_from(text: &str) -> Result<(&str, bool), InvalidMount> {
    if text.is_empty() {
        return Err(InvalidMount::VolumesFrom);
    }
    let (container, mode) = text.split_once(':').unwrap_or((text, ""));
    match Mode::parse(mode) {
        Some(options) if options.propagation.is_none() && options.no_copy.is_none() => {
            Ok((container, !options.read_only))
        }
        _ => Err(InvalidMount::Mode(mode.to_owned())),
    }
}

/// The options after the second colon of a `-v`.
#[derive(Default)]
struct Mode {
    read_only: bool,
    no_copy: Option<bool>,
    propagation: Option<Propagation>,
}

impl Mode {
    /// `None` for unknown words and for two of a kind.
    fn parse(text: &str) -> Option<Self> {
        let mut mode = Self::default();
        if text.is_empty() {
            return Some(mode);
        }
        let mut seen = [false; 5];
        for word in text.split(',') {
            let group = match word {
                "ro" | "rw" => {
                    mode.read_only = word == "ro";
                    0
                }
                // SELinux labels: taken everywhere, without effect without it.
                "z" | "Z" => 1,
                "nocopy" => {
                    mode.no_copy = Some(true);
                    2
                }
                "consistent" | "cached" | "delegated" => 3,
                other => {
                    mode.propagation = Some(Propagation::from_word(other)?);
                    4
                }
            };
            if std::mem::replace(&mut seen[group], true) {
                return None;
            }
        }
        Some(mode)
    }
}

fn check_target(target: &str) -> Result<(), Reason> {
    if clean(target) == "/" {
        return Err(Reason::Root);
    }
    check_absolute(target)
}

fn check_absolute(path: &str) -> Result<(), Reason> {
    if path.starts_with('/') {
        Ok(())
    } else {
        Err(Reason::Relative(path.to_owned()))
    }
}

fn check_subpath(subpath: &str) -> Result<(), Reason> {
    if is_local(subpath) {
        Ok(())
    } else {
        Err(Reason::Subpath)
    }
}

#[cfg(test)]
mod tests;
