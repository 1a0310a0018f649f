//! `exec`: a program in a container that runs already.

use anyhow::Result;

use super::Place;
use crate::peer::Peer;
use crate::report::Row;

const NAME: &str = "bench-exec";

pub fn measure(place: &Place<'_>) -> Result<Vec<Row>> {
    for peer in place.engines() {
        peer.run(&["run", "-d", "--name", NAME, "busybox", "sleep", "100000"]);
    }
    let peers: Vec<&Peer> = place.peers.iter().collect();
    let row = place.rounds("`exec … true`", 25, &peers, |peer, _| {
        peer.time(&["exec", NAME, "true"])
    });
    for peer in place.engines() {
        peer.run(&["rm", "-f", NAME]);
    }
    Ok(vec![row])
}
