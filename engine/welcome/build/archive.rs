//! The image's archive: an OCI layout that is also what `docker save`
//! writes, with fixed times, so that equal servers give equal images.

use sha2::{Digest as _, Sha256};

/// The archive, and the digest of the configuration in it.
pub struct Image {
    pub archive: Vec<u8>,
    pub id: String,
}

const CREATED: &str = "2026-01-01T00:00:00Z";
/// The same instant in seconds.
const MODIFIED: u64 = 1_767_225_600;

/// The image whose only file is `server`.
pub fn of(server: &[u8]) -> Image {
    let layer = tar(&[("welcome", 0o755, server)]);
    let diff_id = digest(&layer);
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let config = format!(
        concat!(
            r#"{{"architecture":"{architecture}","os":"linux","created":"{created}","#,
            r#""config":{{"Cmd":["/welcome"],"Env":["PATH=/"],"ExposedPorts":{{"80/tcp":{{}}}},"#,
            r#""Labels":{{"org.opencontainers.image.title":"dhow/welcome","#,
            r#""org.opencontainers.image.description":"A page that greets and shows where it runs.","#,
            r#""org.opencontainers.image.version":"{version}","org.opencontainers.image.licenses":"Apache-2.0"}}}},"#,
            r#""rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}},"#,
            r#""history":[{{"created":"{created}","created_by":"dhow","comment":"built into the engine"}}]}}"#,
        ),
        architecture = architecture(),
        created = CREATED,
        version = version,
        diff_id = diff_id,
    )
    .into_bytes();
    let id = digest(&config);
    let manifest = format!(
        concat!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","#,
            r#""config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{id}","size":{config_size}}},"#,
            r#""layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{diff_id}","size":{layer_size}}}]}}"#,
        ),
        id = id,
        config_size = config.len(),
        diff_id = diff_id,
        layer_size = layer.len(),
    )
    .into_bytes();
    let index = format!(
        concat!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":["#,
            r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":{size},"#,
            r#""annotations":{{"io.containerd.image.name":"docker.io/dhow/welcome:latest","org.opencontainers.image.ref.name":"latest"}}}}]}}"#,
        ),
        digest = digest(&manifest),
        size = manifest.len(),
    );
    let names = format!(
        r#"[{{"Config":"{}","RepoTags":["dhow/welcome:latest"],"Layers":["{}"]}}]"#,
        blob(&id),
        blob(&diff_id),
    );
    let archive = tar(&[
        (&blob(&diff_id), 0o644, &layer),
        (&blob(&id), 0o644, &config),
        (&blob(&digest(&manifest)), 0o644, &manifest),
        ("index.json", 0o644, index.as_bytes()),
        ("manifest.json", 0o644, names.as_bytes()),
        ("oci-layout", 0o644, br#"{"imageLayoutVersion":"1.0.0"}"#),
    ]);
    Image { archive, id }
}

fn architecture() -> String {
    let architecture = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    match architecture.as_str() {
        "x86_64" => "amd64".to_owned(),
        "aarch64" => "arm64".to_owned(),
        _ => architecture,
    }
}

fn blob(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

fn digest(bytes: &[u8]) -> String {
    let sum = Sha256::digest(bytes);
    let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A ustar archive of plain files that belong to root.
fn tar(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, mode, bytes) in files {
        let mut header = [0_u8; 512];
        put(&mut header, 0, name);
        put(&mut header, 100, &format!("{mode:07o}"));
        put(&mut header, 108, "0000000");
        put(&mut header, 116, "0000000");
        put(&mut header, 124, &format!("{:011o}", bytes.len()));
        put(&mut header, 136, &format!("{MODIFIED:011o}"));
        // The checksum counts its own field as blanks.
        put(&mut header, 148, "        ");
        put(&mut header, 156, "0");
        put(&mut header, 257, "ustar\u{0}00");
        let sum: u32 = header.iter().copied().map(u32::from).sum();
        put(&mut header, 148, &format!("{sum:06o}\u{0} "));
        archive.extend_from_slice(&header);
        archive.extend_from_slice(bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn put(header: &mut [u8; 512], at: usize, text: &str) {
    header[at..at + text.len()].copy_from_slice(text.as_bytes());
}
