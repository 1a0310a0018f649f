//! `run --rm busybox true`: a whole container's life, as people feel it.

use anyhow::Result;

use super::Place;
use crate::peer::Peer;
use crate::report::Row;

pub fn measure(place: &Place<'_>) -> Result<Vec<Row>> {
    let peers: Vec<&Peer> = place.peers.iter().collect();
    let row = place.rounds("`run --rm busybox true`", 25, &peers, |peer, _| {
        peer.time(&["run", "--rm", "busybox", "true"])
    });
    Ok(vec![row])
}
