//! The server is run as it is, outside any container, and asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

/// The running server, ended with the test.
struct Server {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    port: u16,
    _folder: Folder,
}

struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Server {
    fn start(test: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("dhow-welcome-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("welcome");
        std::fs::write(&program, super::server()).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        // A test that forks at this moment may hold the file open for
        // writing a little longer than we do.
        let mut child = loop {
            match Command::new(&program)
                .env("PORT", "0")
                .stdout(Stdio::piped())
                .spawn()
            {
                Ok(child) => break child,
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                    std::thread::yield_now()
                }
                Err(error) => panic!("the server does not run: {error}"),
            }
        };
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let port = line
            .trim()
            .rsplit(' ')
            .next()
            .and_then(|word| word.parse().ok());
        let port = port.unwrap_or_else(|| panic!("the server says: {line}"));
        Self {
            child,
            stdout,
            port,
            _folder: Folder(folder),
        }
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn terminate(&self) {
        let status = Command::new("kill")
            .arg(self.child.id().to_string())
            .status()
            .unwrap();
        assert!(status.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_page_tells_where_it_runs_and_counts() {
    let server = Server::start("page");
    let first = server.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(first.starts_with("HTTP/1.1 200 OK\r\n"), "{first}");
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for expected in [
        "<title>Welcome to Dhow</title>",
        hostname.trim(),
        std::env::consts::ARCH,
        super::REFERENCE,
    ] {
        assert!(first.contains(expected), "no {expected} in {first}");
    }
    assert!(
        first.contains("<dt>Requests served</dt><dd>1</dd>"),
        "{first}"
    );
    let second = server.ask("GET /?again HTTP/1.0\r\n\r\n");
    assert!(
        second.contains("<dt>Requests served</dt><dd>2</dd>"),
        "{second}"
    );
}

#[test]
fn the_page_asks_nothing_of_the_network() {
    let server = Server::start("offline");
    let page = server.ask("GET / HTTP/1.1\r\n\r\n");
    for reference in ["src=\"http", "href=\"http", "url(", "@import", "<script"] {
        assert!(!page.contains(reference), "{reference}");
    }
}

#[test]
fn other_requests_get_what_they_deserve() {
    let server = Server::start("others");
    let status = |request: &str| {
        server
            .ask(request)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(status("GET /healthz HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK");
    assert_eq!(
        status("GET /nothing HTTP/1.1\r\n\r\n"),
        "HTTP/1.1 404 Not Found"
    );
    assert_eq!(
        status("POST / HTTP/1.1\r\n\r\n"),
        "HTTP/1.1 405 Method Not Allowed"
    );
    let head = server.ask("HEAD / HTTP/1.1\r\n\r\n");
    assert!(head.ends_with("\r\n\r\n"), "HEAD has no body: {head}");
}

#[test]
fn a_signal_ends_it_after_the_requests_in_flight() {
    let mut server = Server::start("signal");
    let mut slow = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
    // An answered request behind it proves that the slow one was accepted.
    server.ask("GET /healthz HTTP/1.1\r\n\r\n");
    server.terminate();
    slow.write_all(b"\r\n").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("ok\n"), "{answer}");
    assert!(server.child.wait().unwrap().success());
    let mut rest = String::new();
    server.stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "welcome: fair winds\n");
}

#[test]
fn the_server_is_static_and_small() {
    let server = super::server();
    assert!(server.starts_with(b"\x7fELF"));
    assert!(
        !contains(server, b"/ld-linux"),
        "a static program names no loader"
    );
    assert!(server.len() < 3 << 19, "{} bytes", server.len());
    assert!(contains(super::archive(), super::REFERENCE.as_bytes()));
    assert_eq!(super::ID.len(), "sha256:".len() + 64);
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
