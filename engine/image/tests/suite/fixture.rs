//! Layers, images and stores made on the spot.

use std::io::Write;
use std::path::Path;

use dhow_image::image::{Document, Manifest, media_type};
use dhow_image::{Descriptor, ImageStore, LayerError, LayerStart, Lease, NewImage, OpenOptions};
use dhow_model::{Digest, reference::Reference};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pack {
    Plain,
    Gzip,
    GzipMembers,
    Zstd,
}

/// A layer as a registry would send it.
#[derive(Debug, Clone)]
pub struct Layer {
    pub blob: Vec<u8>,
    pub descriptor: Descriptor,
    pub diff_id: Digest,
}

pub fn digest(data: &[u8]) -> Digest {
    Digest::from_sha256(Sha256::digest(data).into())
}

pub fn reference(text: &str) -> Reference {
    Reference::parse_normalized(text).expect("reference")
}

/// A store in a directory that is removed with it.
pub fn store() -> (TempDir, ImageStore) {
    assert!(
        rustix::process::geteuid().is_root(),
        "these tests need root: whiteouts and owners are set for real"
    );
    let dir = tempfile::Builder::new()
        .prefix("dhow-image-")
        .tempdir()
        .expect("temporary directory");
    let store = open(dir.path());
    (dir, store)
}

pub fn open(root: &Path) -> ImageStore {
    open_in_boot(root, "boot-1")
}

pub fn open_in_boot(root: &Path, boot_id: &str) -> ImageStore {
    let boot_id = boot_id.to_owned();
    ImageStore::open(root, OpenOptions { boot_id }).expect("store opens")
}

/// An archive from a closure that fills it.
pub fn archive(fill: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    fill(&mut builder);
    builder.into_inner().expect("archive")
}

pub fn header(kind: tar::EntryType, size: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_700_000_000);
    header
}

pub fn file(builder: &mut tar::Builder<Vec<u8>>, path: &str, data: &[u8]) {
    let mut header = header(tar::EntryType::Regular, data.len() as u64, 0o644);
    builder.append_data(&mut header, path, data).expect("file");
}

pub fn dir(builder: &mut tar::Builder<Vec<u8>>, path: &str) {
    let mut header = header(tar::EntryType::Directory, 0, 0o755);
    builder
        .append_data(&mut header, path, std::io::empty())
        .expect("directory");
}

/// An entry whose names are taken as they stand, however wrong.
pub fn raw(builder: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, path: &str, link: &str) {
    let mut header = header(kind, 0, 0o755);
    let gnu = header.as_gnu_mut().expect("gnu header");
    gnu.name[..path.len()].copy_from_slice(path.as_bytes());
    gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    builder
        .append(&header, std::io::empty())
        .expect("raw entry");
}

pub fn layer(plain: &[u8], pack: Pack) -> Layer {
    let gzip = |data: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).expect("gzip");
        encoder.finish().expect("gzip")
    };
    let (blob, media_type) = match pack {
        Pack::Plain => (plain.to_vec(), "application/vnd.oci.image.layer.v1.tar"),
        Pack::Gzip => (gzip(plain), "application/vnd.oci.image.layer.v1.tar+gzip"),
        Pack::GzipMembers => {
            let (first, second) = plain.split_at(plain.len() / 2);
            let members = [gzip(first), gzip(second)].concat();
            (members, "application/vnd.docker.image.rootfs.diff.tar.gzip")
        }
        Pack::Zstd => (
            zstd::encode_all(plain, 1).expect("zstd"),
            // Wrong on purpose: the bytes decide.
            "application/vnd.oci.image.layer.v1.tar+gzip",
        ),
    };
    Layer {
        descriptor: Descriptor::new(media_type, digest(&blob), blob.len() as u64),
        diff_id: digest(plain),
        blob,
    }
}

/// A layer with one file.
pub fn small_layer(name: &str, content: &[u8]) -> Layer {
    layer(&archive(|tar| file(tar, name, content)), Pack::Gzip)
}

/// Feeds all of `layer`, in pieces that fit nothing.
pub fn ingest(store: &ImageStore, lease: &Lease, layer: &Layer) -> Result<(), LayerError> {
    match store.begin_layer(lease, &layer.descriptor, &layer.diff_id)? {
        LayerStart::Present => Ok(()),
        LayerStart::InFlight(_) => panic!("nobody else fetches this layer"),
        LayerStart::Ingest(mut ingest) => {
            let from = usize::try_from(ingest.resume_offset()).expect("offset");
            for piece in layer.blob[from..].chunks(1009) {
                ingest.write(piece)?;
            }
            ingest.finish()
        }
    }
}

/// An image's documents.
pub fn documents(layers: &[Layer], config: serde_json::Value) -> (Vec<u8>, Document) {
    let mut whole = serde_json::json!({
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-01-02T03:04:05Z",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|l| &l.diff_id).collect::<Vec<_>>()},
    });
    whole["history"] = layers
        .iter()
        .map(|_| serde_json::json!({"created": "2026-01-02T03:04:05Z", "created_by": "test"}))
        .collect();
    let config = serde_json::to_vec(&whole).expect("json");
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(media_type::OCI_MANIFEST.into()),
        config: Descriptor::new(media_type::OCI_CONFIG, digest(&config), config.len() as u64),
        layers: layers.iter().map(|l| l.descriptor.clone()).collect(),
    };
    let document = Document {
        media_type: media_type::OCI_MANIFEST.into(),
        data: serde_json::to_vec(&manifest).expect("json"),
    };
    (config, document)
}

/// Takes in an image as a pull would.
pub fn image(store: &ImageStore, layers: &[Layer], names: &[&str]) -> Digest {
    image_with(
        store,
        layers,
        names,
        serde_json::json!({"Cmd": ["/bin/sh"]}),
    )
}

pub fn image_with(
    store: &ImageStore,
    layers: &[Layer],
    names: &[&str],
    config: serde_json::Value,
) -> Digest {
    let lease = store.lease();
    for layer in layers {
        ingest(store, &lease, layer).expect("layer");
    }
    let (config, manifest) = documents(layers, config);
    let names: Vec<Reference> = names.iter().map(|n| reference(n)).collect();
    let image = NewImage {
        config: &config,
        manifest: Some(&manifest),
        names: &names,
        ..NewImage::default()
    };
    store.commit_image(&lease, &image).expect("image")
}
