//! Fifty containers started at once, as after a boot or by Compose.
//!
//! Fifty clients would mostly measure fifty clients, so the requests go
//! straight to the API.

use anyhow::Result;

use super::Place;
use crate::peer::Peer;
use crate::report::Row;
use crate::sample::timed;

const COUNT: usize = 50;

pub fn measure(place: &Place<'_>) -> Result<Vec<Row>> {
    let engines: Vec<&Peer> = place.engines().collect();
    let row = place.rounds("start of 50 at once", 15, &engines, |peer, round| {
        let names: Vec<String> = (0..COUNT)
            .map(|index| format!("bench-{round}-{index}"))
            .collect();
        for name in &names {
            peer.run(&["create", "--name", name, "busybox", "sleep", "100000"]);
        }
        let (took, ()) = timed(|| start(peer, &names));
        let mut remove = vec!["rm", "-f"];
        remove.extend(names.iter().map(String::as_str));
        peer.run(&remove);
        took.as_secs_f64() * 1000.0
    });
    Ok(vec![row])
}

fn start(peer: &Peer, names: &[String]) {
    let socket = peer.socket();
    std::thread::scope(|scope| {
        for name in names {
            scope.spawn(move || {
                let target = format!("/containers/{name}/start");
                let answer = dhow_testkit::api::unix(socket, "POST", &target, Some(b""));
                let answer = answer.unwrap_or_else(|error| panic!("{target}: {error:#}"));
                assert_eq!(answer.status, 204, "{target}: {}", answer.text());
            });
        }
    });
}
