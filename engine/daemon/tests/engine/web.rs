//! Servers of a few lines on real sockets: a web server that answers what a
//! test says, and a proxy that leads everything to one place.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The head of a request, line by line.
#[derive(Debug, Clone)]
pub struct Request(Vec<String>);

/// A listening server. It ends with the test.
pub struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    ending: Arc<AtomicBool>,
}

impl Request {
    /// `GET /path HTTP/1.1`.
    pub fn line(&self) -> &str {
        &self.0[0]
    }

    /// What stands between the method and the version.
    pub fn target(&self) -> &str {
        self.line().split(' ').nth(1).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.iter().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Server {
    /// `answer` writes on the connection, which is closed after it.
    pub fn start(answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let ending = Arc::new(AtomicBool::new(false));
        let (log, end) = (seen.clone(), ending.clone());
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let (log, answer) = (log.clone(), answer.clone());
                std::thread::spawn(move || {
                    if let Some(request) = read(&stream) {
                        log.lock().unwrap().push(request.clone());
                        answer(&request, &mut stream);
                    }
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self {
            address,
            seen,
            ending,
        }
    }

    /// A proxy for `credentials` alone that knows only plain HTTP, and takes
    /// whatever host is asked for to be the one at `upstream`.
    pub fn proxy(upstream: &str, credentials: &'static str) -> Self {
        let upstream = upstream.to_owned();
        Self::start(move |request, stream| {
            if request.header("proxy-authorization") != Some(credentials) {
                return reply(stream, "407 Proxy Authentication Required", b"who are you?");
            }
            let Some(rest) = request.target().strip_prefix("http://") else {
                return reply(stream, "502 Bad Gateway", b"plain HTTP only");
            };
            let path = rest.find('/').map_or("/", |slash| &rest[slash..]);
            let method = request.line().split(' ').next().unwrap();
            let mut onward = TcpStream::connect(&upstream).unwrap();
            let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
            for line in &request.0[1..] {
                if !line.to_ascii_lowercase().starts_with("proxy-") {
                    head.push_str(&format!("{line}\r\n"));
                }
            }
            onward.write_all(format!("{head}\r\n").as_bytes()).unwrap();
            let _the_client_may_go = std::io::copy(&mut onward, stream);
        })
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// Writes a whole answer.
pub fn reply(stream: &mut TcpStream, status: &str, body: &[u8]) {
    let length = body.len();
    head(stream, status, &format!("Content-Length: {length}\r\n"));
    let _ = stream.write_all(body);
}

/// Writes the head of an answer with more lines, each ended.
pub fn head(stream: &mut TcpStream, status: &str, lines: &str) {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n{lines}\r\n");
    let _ = stream.write_all(head.as_bytes());
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream.take(64 * 1024)).lines();
    let mut head = Vec::new();
    loop {
        let line = lines.next()?.ok()?;
        if line.is_empty() {
            return (!head.is_empty()).then_some(Request(head));
        }
        head.push(line);
    }
}
