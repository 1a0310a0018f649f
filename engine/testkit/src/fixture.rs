//! The images that tests run: small ones made here, and real servers made
//! of Debian's packages.

use std::path::Path;

use serde_json::json;

use crate::debian;
use crate::image::{Image, Layer};
use crate::program;

/// The programs that the small image has names for.
const APPLETS: &[&str] = &[
    "[",
    "adduser",
    "arping",
    "ash",
    "awk",
    "base64",
    "basename",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "chroot",
    "cmp",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "diff",
    "dirname",
    "dmesg",
    "du",
    "echo",
    "egrep",
    "env",
    "expr",
    "false",
    "fgrep",
    "find",
    "free",
    "grep",
    "groups",
    "gunzip",
    "gzip",
    "head",
    "hexdump",
    "hostname",
    "httpd",
    "id",
    "ifconfig",
    "install",
    "ip",
    "ipcs",
    "kill",
    "killall",
    "less",
    "ln",
    "logger",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mknod",
    "mktemp",
    "more",
    "mount",
    "mv",
    "nc",
    "netstat",
    "nice",
    "nohup",
    "nslookup",
    "od",
    "pgrep",
    "pidof",
    "ping",
    "pkill",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "renice",
    "reset",
    "rm",
    "rmdir",
    "route",
    "sed",
    "seq",
    "setsid",
    "sh",
    "sha256sum",
    "shuf",
    "sleep",
    "sort",
    "stat",
    "strings",
    "stty",
    "su",
    "sync",
    "sysctl",
    "tac",
    "tail",
    "tar",
    "tee",
    "telnet",
    "test",
    "time",
    "timeout",
    "top",
    "touch",
    "tr",
    "traceroute",
    "true",
    "truncate",
    "tty",
    "umount",
    "uname",
    "uniq",
    "unshare",
    "uptime",
    "usleep",
    "vi",
    "watch",
    "wc",
    "wget",
    "which",
    "who",
    "whoami",
    "xargs",
    "xxd",
    "yes",
    "zcat",
];

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\npostgres:x:70:70:postgres:/var/lib/postgresql:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n";
const GROUP: &str =
    "root:x:0:\ndaemon:x:1:\nadm:x:4:daemon\nwww-data:x:33:\npostgres:x:70:\nnogroup:x:65534:\n";

/// Debian's static busybox with a name for each of its programs: a shell
/// and the usual tools in two megabytes.
pub fn busybox() -> Image {
    Image::new()
        .layer(busybox_layer())
        .cmd(&["sh"])
        .set("Env", json!([PATH]))
}

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Three layers in which the upper ones change, hide and remove what the
/// lower ones have, with links, an owner and an extended attribute.
pub fn layered() -> Image {
    let middle = Layer::new()
        .folder("data", 0o755)
        .file("data/kept", 0o644, b"kept\n")
        .file("data/changed", 0o644, b"before\n")
        .file("data/removed", 0o644, b"removed\n")
        .folder("data/hidden", 0o755)
        .file("data/hidden/below", 0o644, b"below\n")
        .symlink("data/link", "kept")
        .symlink("data/absolute", "/etc/passwd")
        .hardlink("data/hard", "data/kept")
        .owned_file("data/owned", (1000, 1001), 0o640, b"owned\n")
        .file_with_xattr("data/marked", b"marked\n", "user.dhow", b"cargo")
        .file("data/set-user-id", 0o4755, b"set\n");
    let top = Layer::new()
        .folder("data", 0o755)
        .file("data/changed", 0o600, b"after\n")
        .whiteout("data/removed")
        .folder("data/hidden", 0o700)
        .opaque("data/hidden")
        .file("data/hidden/above", 0o644, b"above\n")
        .file(
            &format!("data/{}", "long-name-".repeat(20)),
            0o644,
            b"long\n",
        );
    busybox().layer(middle).layer(top).gzip()
}

/// Debian's nginx serving a page on port 80.
pub fn nginx() -> Image {
    let skip = &[
        "debconf",
        "libc-bin",
        "libdb",
        "libcap2-bin",
        "perl",
        "dpkg",
        "iproute2",
        "libbpf",
        "libelf",
    ];
    let root = debian::closure("nginx", skip);
    let own = Layer::new()
        .folder("var", 0o755)
        .folder("var/www", 0o755)
        .folder("var/www/html", 0o755)
        .file(
            "var/www/html/index.html",
            0o644,
            b"<h1>nginx of Debian, in Dhow</h1>\n",
        )
        .folder("var/lib", 0o755)
        .owned_folder("var/lib/nginx", (33, 33), 0o755)
        .folder("var/log", 0o755)
        .folder("var/log/nginx", 0o755)
        .symlink("var/log/nginx/access.log", "/dev/stdout")
        .symlink("var/log/nginx/error.log", "/dev/stderr")
        .folder("etc", 0o755)
        .folder("etc/nginx", 0o755)
        .folder("etc/nginx/sites-enabled", 0o755)
        .file(
            "etc/nginx/sites-enabled/default",
            0o644,
            NGINX_SITE.as_bytes(),
        );
    with_packages(&root)
        .layer(own)
        .cmd(&["/usr/sbin/nginx", "-g", "daemon off;"])
        .set("ExposedPorts", json!({ "80/tcp": {} }))
        .set("StopSignal", json!("SIGQUIT"))
}

const NGINX_SITE: &str = "server {\n  listen 80 default_server;\n  root /var/www/html;\n  location / { try_files $uri $uri/ =404; }\n}\n";

/// Debian's socat, for what busybox cannot speak: datagrams.
pub fn socat() -> Image {
    let skip = &["debconf", "libc-bin", "perl", "dpkg"];
    with_packages(&debian::closure("socat", skip))
}

/// Debian's PostgreSQL, with its data in a volume, run by its own user.
pub fn postgres() -> Image {
    let skip = &[
        "adduser",
        "debconf",
        "dpkg",
        "init-system-helpers",
        "libllvm",
        "libz3",
        "libperl",
        "locales",
        "openssl",
        "passwd",
        "perl",
        "postgresql-client-common",
        "postgresql-common",
        "ssl-cert",
        "tar",
        "ucf",
    ];
    let root = debian::closure("postgresql", skip);
    let versions = root.join("usr/lib/postgresql");
    let version = std::fs::read_dir(&versions)
        .expect("PostgreSQL's files were unpacked")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .max()
        .expect("PostgreSQL has a version");
    let own = Layer::new()
        .folder("var", 0o755)
        .folder("var/lib", 0o755)
        .owned_folder("var/lib/postgresql", (70, 70), 0o755)
        .owned_folder("var/lib/postgresql/data", (70, 70), 0o700)
        .folder("var/run", 0o755)
        .owned_folder("var/run/postgresql", (70, 70), 0o775)
        .folder("usr", 0o755)
        .folder("usr/local", 0o755)
        .folder("usr/local/bin", 0o755)
        .file("usr/local/bin/serve", 0o755, POSTGRES_SERVE.as_bytes());
    with_packages(&root)
        .layer(own)
        .set("Entrypoint", json!(["/usr/local/bin/serve"]))
        .set("User", json!("postgres"))
        .set(
            "Env",
            json!([
                format!("PATH=/usr/lib/postgresql/{version}/bin:/usr/local/bin:/usr/bin:/bin"),
                "PGDATA=/var/lib/postgresql/data",
                "LC_ALL=C"
            ]),
        )
        .set("Volumes", json!({ "/var/lib/postgresql/data": {} }))
        .set("ExposedPorts", json!({ "5432/tcp": {} }))
        .set("StopSignal", json!("SIGINT"))
}

const POSTGRES_SERVE: &str = "#!/bin/sh
set -e
if [ ! -s \"$PGDATA/PG_VERSION\" ]; then
  initdb --auth=trust --no-sync --username=postgres >/dev/null
  echo \"host all all all trust\" >> \"$PGDATA/pg_hba.conf\"
fi
exec postgres -c listen_addresses='*' -c fsync=off \"$@\"
";

/// A shell, people, and the files of packages in a second layer.
fn with_packages(root: &Path) -> Image {
    let skip = |path: &str| {
        [
            "usr/share/doc",
            "usr/share/man",
            "usr/share/locale",
            "usr/share/i18n",
            "usr/share/info",
            "usr/share/lintian",
        ]
        .contains(&path)
            || path.ends_with("llvmjit.so")
            || path.contains("/bitcode")
    };
    let mut packages = Layer::new().tree(root, &skip);
    // Newer packages rely on these links, which an installer would make.
    for folder in ["lib", "lib64"] {
        if !root.join(folder).exists() && root.join("usr").join(folder).exists() {
            packages = packages.symlink(folder, &format!("usr/{folder}"));
        }
    }
    Image::new()
        .layer(busybox_layer())
        .layer(packages)
        .set("Env", json!([PATH]))
        .gzip()
}

fn busybox_layer() -> Layer {
    let program = program::on_path("busybox")
        .unwrap_or_else(|| debian::unpacked(&["busybox-static"]).join("bin/busybox"));
    let bytes = std::fs::read(&program)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", program.display()));
    let mut layer = Layer::new();
    for folder in [
        "bin", "dev", "etc", "home", "proc", "root", "run", "sys", "usr", "usr/bin", "usr/sbin",
        "var",
    ] {
        layer = layer.folder(folder, 0o755);
    }
    layer = layer
        .folder("tmp", 0o1777)
        .file("bin/busybox", 0o755, &bytes);
    for applet in APPLETS {
        // A link carries the mode of what it links to, as archivers write it.
        layer = layer.raw(
            &format!("bin/{applet}"),
            tar::EntryType::Link,
            "bin/busybox",
            0o755,
            b"",
        );
    }
    layer
        .file("etc/passwd", 0o644, PASSWD.as_bytes())
        .file("etc/group", 0o644, GROUP.as_bytes())
        .file("etc/shadow", 0o640, b"root:*:20000:0:99999:7:::\n")
}

#[cfg(test)]
mod tests {
    use super::{layered, nginx, postgres};

    #[test]
    fn servers_are_made_of_debian_packages() {
        for (image, program) in [(nginx(), "usr/sbin/nginx"), (postgres(), "bin/postgres")] {
            let archive = image.archive("x:1");
            assert!(
                archive.len() > 4 << 20,
                "{program}: only {} bytes",
                archive.len()
            );
            assert_eq!(image.diff_ids().len(), 3);
        }
    }

    #[test]
    fn the_layered_image_is_the_same_every_time() {
        assert_eq!(layered().id(), layered().id());
    }
}
