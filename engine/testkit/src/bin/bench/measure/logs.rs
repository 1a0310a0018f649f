//! A million lines: writing them through the engine, and reading them back.

use anyhow::Result;

use super::Place;
use crate::peer::Peer;
use crate::report::Row;

const NAME: &str = "bench-logs";
const LINES: &str = "1000000";

pub fn measure(place: &Place<'_>) -> Result<Vec<Row>> {
    let engines: Vec<&Peer> = place.engines().collect();
    let write = place.rounds(
        "a container that logs 1 M lines",
        15,
        &engines,
        |peer, round| {
            let name = format!("{NAME}-{round}");
            let created = peer.run(&["create", "--name", &name, "busybox", "seq", LINES]);
            let took = peer.time_all(&[&["start", &created], &["wait", &created]]);
            peer.run(&["rm", &name]);
            took
        },
    );
    for peer in place.engines() {
        peer.run(&["create", "--name", NAME, "busybox", "seq", LINES]);
        peer.run(&["start", NAME]);
        peer.run(&["wait", NAME]);
    }
    let peers: Vec<&Peer> = place.peers.iter().collect();
    let read = place.rounds("`logs` of 1 M lines", 15, &peers, |peer, _| {
        peer.time(&["logs", NAME])
    });
    for peer in place.engines() {
        peer.run(&["rm", NAME]);
    }
    Ok(vec![write, read])
}
