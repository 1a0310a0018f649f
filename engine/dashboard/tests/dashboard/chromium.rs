//! A real browser: a person has the dashboard open, and then looks at a page
//! that a container serves on another port. That page tries everything.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dhow_testkit::{Engine, program};
use http::Request;
use serde_json::Value;

use crate::served::{Served, pages, send};

/// Our page: it lets itself in, shows that it may, and leaves for the other,
/// to which it gives the key, so that this alone does not decide.
const OURS: &str = r##"
const [token, other] = location.hash.slice('#token='.length).split('&');
const session = await fetch('/session', { method: 'POST', body: JSON.stringify({ token }) });
const { key } = await session.json();
const headers = { 'dhow-session': key };
const ping = await fetch('/engine/_ping', { headers });
const opened = await new Promise((resolve) => {
    const socket = new WebSocket(`ws://${location.host}/engine-open`);
    socket.onopen = () => socket.send(JSON.stringify({ method: 'GET', path: '/_ping', session: key }));
    socket.onmessage = ({ data }) => resolve(JSON.parse(data).status);
    socket.onerror = () => resolve('error');
});
location.href = `http://${other}/#${location.host}&${key}&${ping.status},${opened}`;
"##;

/// The other page. Each attempt ends in what it came to.
const THEIRS: &str = r##"<!doctype html><iframe name="frame"></iframe><script type="module">
const [host, key, ours] = location.hash.slice(1).split('&');
const base = `http://${host}`;
const outcome = { ours };
const kill = `${base}/engine/containers/precious/kill`;
async function attempt(name, action) {
    try { outcome[name] = String(await action()); } catch (error) { outcome[name] = error.name; }
}
const read = (path, options) => async () => (await fetch(base + path, options)).status;
const credentials = 'include';
await attempt('read', read('/engine/containers/json', { credentials }));
await attempt('read with the key', read('/engine/containers/json', { credentials, headers: { 'dhow-session': key } }));
await attempt('host', read('/host.json', { credentials }));
await attempt('opaque', async () => (await fetch(`${base}/engine/containers/json`, { credentials, mode: 'no-cors' })).type);
await attempt('kill', async () => (await fetch(kill, { method: 'POST', credentials, mode: 'no-cors' })).type);
await attempt('kill with the key', read('/engine/containers/precious/kill', { method: 'POST', credentials, headers: { 'dhow-session': key } }));
await attempt('beacon', () => navigator.sendBeacon(kill));
await attempt('socket', () => new Promise((resolve) => {
    const socket = new WebSocket(`ws://${host}/engine-open`);
    socket.onopen = () => resolve('open');
    socket.onerror = () => resolve('error');
}));
await attempt('script', () => new Promise((resolve) => {
    const script = document.createElement('script');
    script.src = `${base}/assets/index-Ab3dEf9Z.js`;
    script.onload = () => resolve('load');
    script.onerror = () => resolve('error');
    document.head.append(script);
}));
await attempt('frame', () => new Promise((resolve) => {
    const frame = document.querySelector('iframe');
    frame.onload = () => { try { resolve(frame.contentWindow.location.href); } catch (error) { resolve(error.name); } };
    frame.src = base;
}));
await attempt('form', () => new Promise((resolve) => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action: kill, target: 'frame' });
    document.body.append(form);
    document.querySelector('iframe').onload = () => resolve('sent');
    form.submit();
    setTimeout(() => resolve('nothing'), 2000);
}));
await fetch('/outcome', { method: 'POST', body: JSON.stringify(outcome) });
</script>"##;

/// What the other server saw: the cookies it was sent, and how its page fared.
enum Seen {
    Cookies(String),
    Outcome(BTreeMap<String, Value>),
}

fn serve() -> (String, Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for seen in answer(stream) {
                    let _ = sender.send(seen);
                }
            });
        }
    });
    (address, receiver)
}

/// Answers one request.
fn answer(mut stream: TcpStream) -> Vec<Seen> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut length, mut seen, mut first) = (0, Vec::new(), String::new());
    let _ = reader.read_line(&mut first);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "cookie" => seen.push(Seen::Cookies(value.trim().to_owned())),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    if first.starts_with("POST /outcome") {
        seen.push(Seen::Outcome(serde_json::from_slice(&body).unwrap()));
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
    let _ = write!(
        stream,
        "{head}Content-Length: {}\r\n\r\n{THEIRS}",
        THEIRS.len()
    );
    seen
}

struct Chromium(Child);

impl Chromium {
    fn start(address: &str, profile: &std::path::Path) -> Self {
        let chromium = program::on_path("chromium").expect("Debian's chromium is installed");
        let child = Command::new(chromium)
            // The tests are root, as which it has no sandbox.
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args(["--disable-dev-shm-usage", "--disable-background-networking"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(address)
            // What it leaves when it is killed goes with the test.
            .env("TMPDIR", profile)
            .env("HOME", profile)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_containers_page_reaches_nothing() {
    let engine = Engine::with_busybox();
    engine
        .docker(&["run", "-d", "--name", "precious", "busybox", "sleep", "600"])
        .ok();
    let folder = pages(&engine.scratch());
    std::fs::write(folder.join("assets/index-Ab3dEf9Z.js"), OURS).unwrap();
    let folder = folder.display().to_string();
    let words = ["dashboard", "--no-open", "--pages", &folder];
    let served = Served::run(engine.dhow_command(&words));
    let (other, seen) = serve();
    let profile = tempfile::tempdir().unwrap();
    let link = format!("http://{}/#token={}&{other}", served.address, served.token);
    let browser = Chromium::start(&link, profile.path());

    let (mut cookies, mut outcome) = (String::new(), None);
    while outcome.is_none() {
        match seen.recv_timeout(Duration::from_secs(60)) {
            Ok(Seen::Cookies(text)) => cookies = text,
            Ok(Seen::Outcome(found)) => outcome = Some(found),
            Err(error) => panic!("the page never told how it fared: {error}"),
        }
    }
    drop(browser);
    let outcome = outcome.unwrap();
    assert_eq!(outcome["ours"], "200,200", "our own page gets through");
    for (name, expected) in [
        ("read", "TypeError"),
        ("read with the key", "TypeError"),
        ("host", "TypeError"),
        ("opaque", "TypeError"),
        ("kill", "TypeError"),
        ("kill with the key", "TypeError"),
        ("socket", "error"),
        ("script", "error"),
        ("frame", "SecurityError"),
    ] {
        assert_eq!(outcome[name], expected, "{name}: {outcome:?}");
    }
    let running = engine
        .docker(&["ps", "-q", "--filter", "name=precious"])
        .ok();
    assert!(!running.is_empty(), "{outcome:?}");

    // Cookies know no ports: the other server was sent ours, and it is no use
    // to a program that says it is our page.
    assert!(cookies.contains("dhow-session"), "{cookies:?}");
    let forged = Request::get("/engine/containers/json")
        .header("host", &served.address)
        .header("origin", format!("http://{}", served.address))
        .header("sec-fetch-site", "same-origin")
        .header("cookie", cookies);
    assert_eq!(send(&served.address, forged, "").await.status(), 401);
}
