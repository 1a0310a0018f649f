//! Joins this process's standard streams to a container's.

use dhow_client::Hijacked;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::demux::{Demux, Sink, Standard};
use super::detach::DetachKeys;
use crate::failure::Failure;

/// How the streams are joined.
#[derive(Debug, Clone, Default)]
pub struct Wiring {
    /// The container has a terminal: output is raw and all of it standard
    /// output.
    pub tty: bool,
    /// Standard input is passed on.
    pub stdin: bool,
    /// Output is printed.
    pub output: bool,
    /// What leaves the container running, where standard input is passed on
    /// to a terminal.
    pub detach_keys: Option<DetachKeys>,
}

/// Why the streams came apart.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// All output has arrived.
    Output,
    /// The person typed the detach keys.
    Detached,
}

/// Copies until all output has arrived or the person detaches. The end of
/// standard input is passed on and ends nothing here.
pub async fn join(connection: Hijacked, wiring: Wiring) -> Result<Ended, Failure> {
    let Hijacked {
        mut reader,
        mut writer,
        multiplexed,
    } = connection;
    let raw = wiring.tty && !multiplexed;
    let input = async {
        if !wiring.stdin {
            // Dropping nothing: the engine may take a closed half for a
            // detached client.
            return std::future::pending::<Ended>().await;
        }
        let mut stdin = tokio::io::stdin();
        let mut keys = wiring.detach_keys.clone();
        let mut buffer = vec![0; 32 * 1024];
        loop {
            let count = stdin.read(&mut buffer).await.unwrap_or(0);
            if count == 0 {
                break;
            }
            let (bytes, detach) = match &mut keys {
                Some(keys) => {
                    let scanned = keys.scan(&buffer[..count]);
                    (scanned.pass, scanned.detach)
                }
                None => (buffer[..count].to_vec(), false),
            };
            if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
                break;
            }
            if detach {
                return Ended::Detached;
            }
        }
        let _ = writer.shutdown().await;
        std::future::pending().await
    };
    let output = async {
        let mut demux = Demux::default();
        let mut sink = Standard::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            // A connection that breaks is the end of the output; why the
            // container ended is told by its exit status.
            let count = reader.read(&mut buffer).await.unwrap_or(0);
            if count == 0 {
                return Ok(Ended::Output);
            }
            if !wiring.output {
                continue;
            }
            if raw {
                sink.out(&buffer[..count]);
            } else {
                demux
                    .feed(&buffer[..count], &mut sink)
                    .map_err(Failure::message)?;
            }
        }
    };
    tokio::select! {
        ended = output => ended,
        ended = input => Ok(ended),
    }
}
