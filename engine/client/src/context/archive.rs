//! A context as one tar archive: `meta.json` and `tls/<endpoint>/<file>`, as
//! Docker's `context export` writes it and `context import` reads it.
//!
//! An archive comes from someone else: no path of it is used but as a name
//! that was checked, and nothing is written before all of it was read.

use std::io::{self, Read};

use tar::{Builder, EntryType, Header};

use super::error::ContextError;
use super::store::{from_json, to_json};
use super::{Context, Material};

/// The most that is read from an archive.
const MOST: u64 = 10 << 20;

/// What tar archives are made of.
const BLOCK: usize = 512;

/// Packs a context with all of its material: keys included.
pub fn pack(context: &Context, material: &Material) -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    let meta = to_json(context);
    add(
        &mut archive,
        "meta.json",
        EntryType::Regular,
        0o644,
        meta.as_bytes(),
    )?;
    add(&mut archive, "tls", EntryType::Directory, 0o700, b"")?;
    for (endpoint, files) in material {
        let folder = format!("tls/{endpoint}");
        add(&mut archive, &folder, EntryType::Directory, 0o700, b"")?;
        for (name, bytes) in files {
            let path = format!("{folder}/{name}");
            add(&mut archive, &path, EntryType::Regular, 0o600, bytes)?;
        }
    }
    archive.into_inner()
}

/// Unpacks a context; it will be called `name`, whatever it was called.
pub fn unpack(source: impl Read, name: &str) -> Result<(Context, Material), ContextError> {
    let mut source = source.take(MOST + 1);
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > MOST {
        return Err(wrong("read exceeds the defined limit"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(wrong(
            "zip archives cannot be imported: pack the context as a tar archive",
        ));
    }
    if !bytes.is_empty() && bytes.len() < BLOCK {
        return Err(wrong("unexpected EOF"));
    }
    // Docker leaves away what fills the last block and ends the archive.
    bytes.resize(bytes.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    let mut context = None;
    let mut material = Material::new();
    let unreadable = |_| wrong("archive/tar: invalid tar header");
    let mut archive = tar::Archive::new(bytes.as_slice());
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        if entry.header().entry_type() == EntryType::Directory {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).map_err(unreadable)?;
        match place(&path)? {
            Place::Metadata => context = Some(metadata(&contents)?),
            Place::Material(endpoint, file) => {
                let files = material.entry(endpoint.to_owned()).or_default();
                files.insert(file.to_owned(), contents);
            }
        }
    }
    let mut context: Context =
        context.ok_or_else(|| wrong("invalid context: no metadata found"))?;
    context.name = name.to_owned();
    Ok((context, material))
}

/// What a file of the archive is.
enum Place<'a> {
    Metadata,
    Material(&'a str, &'a str),
}

fn place(path: &str) -> Result<Place<'_>, ContextError> {
    if path == "meta.json" {
        return Ok(Place::Metadata);
    }
    let refused = |reason: &str| Err(wrong(format!("{path}: {reason}")));
    let Some(rest) = path.strip_prefix("tls/") else {
        return refused("unexpected context file");
    };
    if path.contains('\\') {
        return refused("unexpected '\\' in path");
    }
    let parts: Vec<&str> = rest.split('/').collect();
    match parts.as_slice() {
        [endpoint, file] if [endpoint, file].iter().all(|part| is_name(part)) => {
            Ok(Place::Material(endpoint, file))
        }
        _ => refused("unexpected path format"),
    }
}

fn is_name(part: &str) -> bool {
    !part.is_empty() && part != "." && part != ".." && !part.contains('\0')
}

fn metadata(bytes: &[u8]) -> Result<Context, ContextError> {
    from_json(bytes).map_err(|error| {
        if error.is_eof() {
            return wrong("unexpected end of JSON input");
        }
        wrong(format!("meta.json: {error}"))
    })
}

fn add(
    archive: &mut Builder<Vec<u8>>,
    path: &str,
    kind: EntryType,
    mode: u32,
    bytes: &[u8],
) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_path(path)?;
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    archive.append(&header, bytes)
}

fn wrong(reason: impl ToString) -> ContextError {
    ContextError::Archive(reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{CA, DOCKER};

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        for (path, contents) in files {
            let mut header = Header::new_gnu();
            // Past the library's own refusal of such paths.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_mode(0o644);
            header.set_size(contents.len() as u64);
            header.set_cksum();
            archive.append(&header, contents.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[track_caller]
    fn refused(files: &[(&str, &str)], expected: &str) {
        match unpack(archive(files).as_slice(), "new") {
            Ok(_) => panic!("taken: {files:?}"),
            Err(error) => assert_eq!(error.to_string(), expected),
        }
    }

    #[test]
    fn what_was_packed_comes_out_under_the_new_name() {
        let mut context = Context {
            name: "old".into(),
            ..Context::default()
        };
        context.set_docker("tcp://far:2376", false);
        let files = [(CA.to_owned(), b"ca".to_vec())];
        let material = Material::from([(DOCKER.to_owned(), files.into())]);
        let packed = pack(&context, &material).unwrap();
        let (unpacked, files) = unpack(packed.as_slice(), "new").unwrap();
        context.name = "new".into();
        assert_eq!(unpacked, context);
        assert!(files == material);
    }

    #[test]
    fn what_is_no_context_is_refused() {
        let meta = ("meta.json", r#"{"Name":"x"}"#);
        refused(&[], "invalid context: no metadata found");
        refused(&[("meta.json", "{")], "unexpected end of JSON input");
        refused(&[meta, ("other", "")], "other: unexpected context file");
        refused(
            &[("../meta.json", "{}")],
            "../meta.json: unexpected context file",
        );
        for path in [
            "tls/docker/../key.pem",
            "tls/../x",
            "tls/docker/a/b",
            "tls//x",
        ] {
            refused(
                &[meta, (path, "")],
                &format!("{path}: unexpected path format"),
            );
        }
        assert!(unpack(&b"PK\x03\x04"[..], "new").is_err());
        assert!(unpack(&[b'x'; 600][..], "new").is_err());
        let endless = io::repeat(0);
        assert!(
            matches!(unpack(endless, "new"), Err(error) if error.to_string() == "read exceeds the defined limit")
        );
    }
}
