//! A pull of 600 MB in eight layers from a registry on loopback, beside the
//! floor: what `zcat | tar x` of the same layers costs, all at once.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use dhow_testkit::{Image, Layer, debian};

use super::Place;
use crate::peer::Peer;
use crate::report::Row;
use crate::sample::{Sample, timed};

const LAYERS: usize = 8;
const FILES: usize = 2000;
/// On average, so that eight layers make 600 MB.
const FILE_SIZE: usize = 37_500;

pub fn measure(place: &Place<'_>) -> Result<Vec<Row>> {
    let archive = archive()?;
    let reference = place
        .registry
        .push_archive(&archive, "bench/large:1", "v2s2");
    let layers = layers_of(place)?;
    let engines: Vec<&Peer> = place.engines().collect();
    let mut floor = Sample::default();
    let mut row = place.rounds("pull of 600 MB in 8 layers", 15, &engines, |peer, round| {
        if std::ptr::eq(peer, engines[0]) && round > 0 {
            floor.push_time(unpack_by_hand(&layers));
        }
        settle();
        let took = peer.time(&["pull", "--quiet", &reference]);
        peer.run(&["rmi", &reference]);
        took
    });
    row.samples.push(("zcat | tar x".to_owned(), floor));
    Ok(vec![row])
}

/// Writes what earlier rounds left in the page cache, so that nobody pays
/// for another.
fn settle() {
    let _ = Command::new("sync").status();
}

fn layers_of(place: &Place<'_>) -> Result<Vec<PathBuf>> {
    let manifest = place.registry.get("bench/large/manifests/1").json();
    let layers = manifest["layers"]
        .as_array()
        .context("the registry has no manifest")?;
    Ok(layers
        .iter()
        .filter_map(|layer| layer["digest"].as_str())
        .map(|digest| place.registry.blob(digest))
        .collect())
}

fn unpack_by_hand(layers: &[PathBuf]) -> std::time::Duration {
    let folder = tempfile::tempdir_in("/var/tmp").expect("a temporary folder can be made");
    settle();
    let (took, ()) = timed(|| {
        let running: Vec<(Child, Child)> = layers
            .iter()
            .enumerate()
            .map(|(index, layer)| unpack(layer, &folder.path().join(index.to_string())))
            .collect();
        for (mut inflate, mut extract) in running {
            for child in [&mut inflate, &mut extract] {
                assert!(
                    child.wait().is_ok_and(|status| status.success()),
                    "zcat | tar x fails"
                );
            }
        }
    });
    took
}

fn unpack(layer: &Path, into: &Path) -> (Child, Child) {
    std::fs::create_dir(into).expect("a temporary folder can be made");
    let file = std::fs::File::open(layer).expect("the registry's blobs can be read");
    let mut inflate = Command::new("zcat")
        .stdin(file)
        .stdout(Stdio::piped())
        .spawn()
        .expect("zcat runs");
    let plain = inflate.stdout.take().expect("its output is piped");
    let extract = Command::new("tar")
        .arg("x")
        .current_dir(into)
        .stdin(plain)
        .spawn()
        .expect("tar runs");
    (inflate, extract)
}

/// The image as an archive, made once and kept.
fn archive() -> Result<PathBuf> {
    let folder = debian::once(
        &format!("bench/large-{LAYERS}x{FILES}x{FILE_SIZE}"),
        |folder| {
            let mut image = Image::new().gzip().cmd(&["true"]);
            for layer in 0..LAYERS {
                image = image.layer(layer_of_files(layer));
            }
            std::fs::write(folder.join("image.tar"), image.archive("bench/large:1"))
                .expect("the cache can be written");
        },
    );
    Ok(folder.join("image.tar"))
}

/// Files of many sizes in many folders that compress about as programs do.
fn layer_of_files(number: usize) -> Layer {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (number as u64 + 1));
    let mut layer = Layer::new().folder(&format!("layer{number}"), 0o755);
    for file in 0..FILES {
        if file % 40 == 0 {
            layer = layer.folder(&format!("layer{number}/{}", file / 40), 0o755);
        }
        // Most files are small, some are large; the sum is as promised.
        let size = match file % 10 {
            0 => FILE_SIZE * 5,
            1..=4 => FILE_SIZE,
            _ => FILE_SIZE / 5,
        };
        let path = format!("layer{number}/{}/{file}", file / 40);
        layer = layer.file(&path, 0o644, &bytes(&mut random, size));
    }
    layer
}

/// Random bytes in between repeated ones.
fn bytes(random: &mut Random, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + 64);
    while bytes.len() < size {
        let word = random.next();
        if word % 5 < 2 {
            bytes.extend_from_slice(&word.to_le_bytes());
        } else {
            let from = bytes.len().saturating_sub(64 + (word >> 8) as usize % 4096);
            let until = (from + 12).min(bytes.len());
            bytes.extend_from_within(from..until);
            bytes.push(word as u8);
        }
    }
    bytes.truncate(size);
    bytes
}

/// A small generator with a fixed seed: every machine measures the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
