//! The web server inside `dhow/welcome`: one page that greets and shows
//! where it runs, and nothing else.
//!
//! Standard library only, because its whole point is to be small. One thread
//! for each connection, answers to GET and HEAD, no keep-alive. SIGTERM and
//! SIGINT end it once the requests in flight are answered.

mod http;
mod page;
mod stop;

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use page::Facts;

fn main() -> ExitCode {
    let port = std::env::var("PORT").ok().and_then(|text| text.parse().ok()).unwrap_or(80_u16);
    let listener = match TcpListener::bind(("::", port)).or_else(|_| TcpListener::bind(("0.0.0.0", port))) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("welcome: cannot listen on port {port}: {error}");
            return ExitCode::FAILURE;
        }
    };
    stop::on_signals(&listener);
    let bound = listener.local_addr().map_or(port, |address| address.port());
    println!("welcome: listening on port {bound}");

    let facts = Arc::new(Facts::gather(Instant::now()));
    let in_flight = Arc::new(AtomicU64::new(0));
    loop {
        match listener.accept() {
            Ok((stream, _)) if !stop::asked() => {
                let (facts, in_flight) = (Arc::clone(&facts), Arc::clone(&in_flight));
                in_flight.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    http::serve(stream, &facts);
                    in_flight.fetch_sub(1, Ordering::SeqCst);
                });
            }
            _ if stop::asked() => break,
            // Out of file descriptors, most likely: let some requests end.
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while in_flight.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("welcome: fair winds");
    ExitCode::SUCCESS
}
