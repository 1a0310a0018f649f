//! As much of HTTP/1.1 as a page needs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::page::Facts;

/// A request's head may be this long; nobody greets with more.
const HEAD: u64 = 16 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);
const LINGER: Duration = Duration::from_millis(200);

/// Answers the one request of a connection.
pub fn serve(mut stream: TcpStream, facts: &Facts) {
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let _ = stream.set_write_timeout(Some(PATIENCE));
    let Some((method, path)) = request(&stream) else { return };
    let answer = answer(&method, &path, facts);
    // The browser may have gone; then nobody misses the answer.
    let _ = stream.write_all(&answer);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    // Unread bytes would turn our closing into a reset on the other side; a
    // client that neither sends nor closes is not waited for.
    let _ = stream.set_read_timeout(Some(LINGER));
    let _ = std::io::copy(&mut (&stream).take(HEAD), &mut std::io::sink());
}

fn answer(method: &str, path: &str, facts: &Facts) -> Vec<u8> {
    let path = path.split('?').next().unwrap_or(path);
    let (status, kind, body) = match (method, path) {
        ("GET" | "HEAD", "/" | "/index.html") => ("200 OK", "text/html; charset=utf-8", facts.page()),
        ("GET" | "HEAD", "/healthz") => ("200 OK", "text/plain; charset=utf-8", "ok\n".to_owned()),
        ("GET" | "HEAD", _) => ("404 Not Found", "text/plain; charset=utf-8", "there is only one page: /\n".to_owned()),
        _ => ("405 Method Not Allowed", "text/plain; charset=utf-8", "only GET and HEAD\n".to_owned()),
    };
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{allow}Cache-Control: no-store\r\nContent-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len(),
    );
    if method != "HEAD" {
        answer.push_str(&body);
    }
    answer.into_bytes()
}

/// The method and the path, once the whole head has been read.
fn request(stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream.take(HEAD));
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut line = String::new();
    loop {
        line.clear();
        let length = reader.read_line(&mut line).ok()?;
        if length == 0 {
            return None;
        }
        if line == "\r\n" || line == "\n" {
            return Some((method, path));
        }
    }
}
