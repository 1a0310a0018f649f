//! A running `dhow dashboard`, and browsers as far as HTTP shows them.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use bytes::Bytes;
use dhow_testkit::{Engine, until};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// The program, ended with the test.
pub struct Served {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// `127.0.0.1:PORT`
    pub address: String,
    /// Of the first link.
    pub token: String,
}

impl Served {
    /// The dashboard of `engine`, with pages that were made up.
    #[track_caller]
    pub fn start(engine: &Engine) -> Self {
        let pages = pages(&engine.scratch()).display().to_string();
        Self::run(engine.dhow_command(&["dashboard", "--no-open", "--pages", &pages]))
    }

    #[track_caller]
    pub fn run(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut served = Self {
            stdout: BufReader::new(child.stdout.take().unwrap()),
            child,
            address: String::new(),
            token: String::new(),
        };
        (served.address, served.token) = served.next_link();
        served
    }

    /// What somebody who presses Enter gets.
    #[track_caller]
    pub fn another_token(&mut self) -> String {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        self.next_link().1
    }

    #[track_caller]
    fn next_link(&mut self) -> (String, String) {
        let mut said = String::new();
        loop {
            let mut line = String::new();
            let length = self.stdout.read_line(&mut line).unwrap();
            assert!(length > 0, "it ended after: {said}");
            said.push_str(&line);
            if let Some(rest) = line.trim().strip_prefix("http://") {
                let (address, token) = rest.split_once("/#token=").unwrap();
                return (address.to_owned(), token.to_owned());
            }
        }
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal and waits for the end; what it still said comes along.
    #[track_caller]
    pub fn end(mut self, signal: Signal) -> (ExitStatus, String) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
        let status = until("the dashboard ends", || self.child.try_wait().unwrap());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (status, rest)
    }

    /// A browser that opened the link.
    pub async fn browser(&self) -> Browser {
        Browser::enter(&self.address, &self.token).await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Pages as a bundler would have made them.
pub fn pages(scratch: &Path) -> PathBuf {
    let folder = scratch.join("pages");
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write(
        "index.html",
        "<!doctype html><script type=module src=./assets/index-Ab3dEf9Z.js></script>",
    );
    write("assets/index-Ab3dEf9Z.js", "export {};");
    write("assets/index-Ab3dEf9Z.css", "body{}");
    write("mark.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
    folder
}

/// A browser with a session.
#[derive(Clone)]
pub struct Browser {
    pub address: String,
    /// `name=value`
    pub cookie: String,
    pub key: String,
}

impl Browser {
    pub async fn enter(address: &str, token: &str) -> Self {
        let answer = present(address, token).await;
        assert_eq!(answer.status(), 200);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let key = json_of(answer).await["key"].as_str().unwrap().to_owned();
        Self {
            address: address.to_owned(),
            cookie,
            key,
        }
    }

    /// A request as our own page makes it.
    pub fn request(&self, method: &str, target: &str) -> http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", &self.address)
            .header("cookie", &self.cookie)
            .header("dhow-session", &self.key)
            .header("sec-fetch-site", "same-origin");
        if method == "GET" || method == "HEAD" {
            return request;
        }
        request.header("origin", format!("http://{}", self.address))
    }

    pub async fn get(&self, target: &str) -> Response<Incoming> {
        send(&self.address, self.request("GET", target), "").await
    }

    pub async fn post(&self, target: &str, body: &Value) -> Response<Incoming> {
        let request = self
            .request("POST", target)
            .header("content-type", "application/json");
        send(&self.address, request, body.to_string()).await
    }
}

/// Posts `token` as the first page does.
pub async fn present(address: &str, token: &str) -> Response<Incoming> {
    let request = Request::post("/session")
        .header("host", address)
        .header("origin", format!("http://{address}"));
    send(address, request, json!({ "token": token }).to_string()).await
}

/// Sends a request over a connection of its own.
pub async fn send(
    address: &str,
    request: http::request::Builder,
    body: impl Into<Bytes>,
) -> Response<Incoming> {
    let body = Full::new(body.into()).map_err(|never| match never {});
    exchange(address, request.body(body.boxed_unsync()).unwrap()).await
}

/// The same with any body.
pub async fn exchange(address: &str, request: Request<Body>) -> Response<Incoming> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    // Whoever drops the request is gone.
    let mut connection = Box::pin(connection);
    let answer = tokio::select! {
        answer = sender.send_request(request) => answer.unwrap(),
        ended = &mut connection => panic!("the connection ended without an answer: {ended:?}"),
    };
    tokio::spawn(connection);
    answer
}

pub async fn text_of(answer: Response<Incoming>) -> String {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub async fn json_of(answer: Response<Incoming>) -> Value {
    serde_json::from_str(&text_of(answer).await).unwrap()
}
