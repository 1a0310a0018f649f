//! A server of a few lines that does what a test tells it, on a real socket.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    headers: HashMap<String, String>,
    pub body: Vec<u8>,
    /// Whether all of the body came, or the server cut it.
    pub whole: bool,
}

/// A listening server. It ends with the test.
pub struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// The first byte of `Range: bytes=5-`.
    pub fn range(&self) -> Option<usize> {
        let range = self.header("range")?.strip_prefix("bytes=")?;
        range.trim_end_matches('-').parse().ok()
    }
}

impl Server {
    /// Listens. `answer` gets each request and the connection, on which it may
    /// write what it likes; the connection is closed after it.
    pub fn start(
        answer: impl Fn(&Request, &mut TcpStream, SocketAddr) + Send + Sync + 'static,
    ) -> Self {
        Self::start_cutting(Vec::new(), answer)
    }

    /// The same, but of the first PATCH requests no more than so many bytes of
    /// the body are read before the connection is closed.
    pub fn start_cutting(
        cuts: Vec<usize>,
        answer: impl Fn(&Request, &mut TcpStream, SocketAddr) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let ending = Arc::new(AtomicBool::new(false));
        let (log, end) = (seen.clone(), ending.clone());
        let answer = Arc::new(answer);
        let cuts = Arc::new(Mutex::new(cuts.into_iter()));
        let thread = std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let (log, answer, cuts) = (log.clone(), answer.clone(), cuts.clone());
                std::thread::spawn(move || {
                    let cut = |method: &str| match method {
                        "PATCH" => cuts.lock().unwrap().next(),
                        _ => None,
                    };
                    if let Some(request) = read(&stream, cut) {
                        log.lock().unwrap().push(request.clone());
                        answer(&request, &mut stream, address);
                    }
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self {
            address,
            seen,
            ending,
            thread: Some(thread),
        }
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The requests so far, without the questions for `/v2/`.
    pub fn seen(&self) -> Vec<Request> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|r| r.target != "/v2/")
            .cloned()
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Writes a whole answer.
pub fn reply(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) {
    head(stream, status, headers, Some(body.len()));
    let _ = stream.write_all(body);
}

/// Writes the head of an answer, with a length or without.
pub fn head(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], length: Option<usize>) {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    if let Some(length) = length {
        text.push_str(&format!("Content-Length: {length}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let _ = stream.write_all(text.as_bytes());
}

fn read(stream: &TcpStream, cut: impl Fn(&str) -> Option<usize>) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let line = line(&mut reader)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let text = self::line(&mut reader)?;
        if text.is_empty() {
            break;
        }
        let (name, value) = text.split_once(':')?;
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|v| v.parse().ok());
    let length = length.unwrap_or(0);
    let most = cut(&method).unwrap_or(length).min(length);
    let mut body = vec![0; most];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        target,
        headers,
        whole: most == length,
        body,
    })
}

/// A line of text; a TLS greeting is none, as for a real server.
fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut bytes = Vec::new();
    reader.take(8192).read_until(b'\n', &mut bytes).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.strip_suffix('\n')?.trim_end().to_owned())
}
