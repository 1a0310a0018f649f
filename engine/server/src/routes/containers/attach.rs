//! Attaching to a container's streams, over the bare connection or a
//! websocket.

use dhow_local::containers::AttachOptions;

use crate::answer::Answer;
use crate::call::Call;
use crate::hijack::{self, Head};
use crate::websocket::Handshake;

pub(super) async fn attach(call: Call) -> Answer {
    let stream = call
        .engine()
        .attach_container(call.param("id"), options(&call))
        .await?;
    let knows_multiplexed = call.version.at_least(42);
    let head = Head::choose(&call.headers, knows_multiplexed, stream.multiplexed);
    Ok(hijack::join(head, stream))
}

pub(super) async fn attach_websocket(call: Call) -> Answer {
    let handshake = Handshake::read(&call.headers)?;
    let stream = call
        .engine()
        .attach_container(call.param("id"), options(&call))
        .await?;
    Ok(handshake.join(stream))
}

fn options(call: &Call) -> AttachOptions {
    let query = &call.query;
    AttachOptions {
        logs: query.bool("logs"),
        stream: query.bool("stream"),
        stdin: query.bool("stdin"),
        stdout: query.bool("stdout"),
        stderr: query.bool("stderr"),
        detach_keys: query.some("detachKeys"),
    }
}
