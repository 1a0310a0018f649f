//! The daemon's life: take the roots, listen, open the engine, serve, reload
//! when told, and go when told.

use std::sync::Arc;
use std::time::Duration;

use dhow_local::LocalEngine;
use dhow_server::{Service, Transport};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, Host};
use crate::listen::{self, Listener};
use crate::load::Source;
use crate::lock::{DirLock, PidFile};
use crate::logging::Level;
use crate::reload::Reloads;
use crate::running::Running;
use crate::{ready, tls};

/// A client has this long to finish a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Runs until SIGTERM or SIGINT.
pub async fn run(source: Source, config: Config, level: Level) -> anyhow::Result<()> {
    let _data_root = DirLock::take("data root", &config.engine.data_root, 0o710)?;
    let _exec_root = DirLock::take("exec root", &config.engine.exec_root, 0o711)?;
    let _pidfile = PidFile::write(&config.pidfile)?;
    // Before anything that clients can see, so that no signal is missed.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut reloads = Reloads::watch(source.file())?;

    let secure = config.tls.as_ref().map(tls::acceptor).transpose()?;
    let mut listeners = Vec::new();
    for host in &config.hosts {
        if host.is_remote() && secure.is_none() {
            tracing::warn!("{host} is open to everybody who can reach it, with the rights of root");
        }
        listeners.extend(listen::open(host, &config.group).await?);
    }

    let engine = LocalEngine::open(config.engine.clone()).await?;
    let closing = CancellationToken::new();
    let hosts = config.hosts.clone();
    let running = Arc::new(Running::new(source, config, engine.clone(), level));
    let service = Service::new(engine.clone(), Some(running.clone()), closing.clone());
    let clients = TaskTracker::new();
    for (listener, host) in listeners.into_iter().zip(addresses(&hosts)) {
        tracing::info!(
            "API listen on {}",
            host.unwrap_or_else(|| listener.address())
        );
        let acceptor = secure.clone();
        let accepting = accept(listener, acceptor, service.clone(), clients.clone());
        let until_closing = closing.clone().run_until_cancelled_owned(accepting);
        clients.spawn(until_closing);
    }
    tracing::info!("daemon has completed initialization");
    ready::tell("READY=1");

    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            occasion = reloads.next() => running.reload(occasion),
        }
    }

    tracing::info!("going down");
    let config = running.config();
    ready::tell("STOPPING=1");
    closing.cancel();
    clients.close();
    let finished = async {
        match config.shutdown_timeout {
            Some(limit) => tokio::time::timeout(limit, clients.wait()).await.is_ok(),
            None => {
                clients.wait().await;
                true
            }
        }
    };
    tokio::select! {
        finished = finished => {
            if !finished {
                tracing::warn!("some requests were still running and are cut off");
            }
        }
        // Whoever asks again does not want to wait.
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    if config.live_restore {
        engine.close().await;
    } else {
        engine.stop_all().await?;
    }
    Ok(())
}

/// What to call each listener in the log: as configured for sockets, whose
/// bound address may be a shortened one; as bound for the rest.
fn addresses(hosts: &[Host]) -> impl Iterator<Item = Option<String>> {
    let only_ours = hosts.iter().all(|host| !matches!(host, Host::Activated(_)));
    let names: Vec<_> = hosts
        .iter()
        .map(|host| match host {
            Host::Unix(_) if only_ours => Some(host.to_string()),
            _ => None,
        })
        .collect();
    names.into_iter().chain(std::iter::repeat(None))
}

async fn accept(
    listener: Listener,
    secure: Option<TlsAcceptor>,
    service: Service,
    clients: TaskTracker,
) {
    let service = Arc::new(service);
    loop {
        let accepted = match &listener {
            Listener::Unix(listener, _) => listener
                .accept()
                .await
                .map(|(stream, _)| Transport::Unix(stream)),
            Listener::Tcp(listener) => {
                let accepted = listener.accept().await;
                accepted.and_then(|(stream, _)| {
                    stream.set_nodelay(true).map(|()| Transport::Tcp(stream))
                })
            }
        };
        let transport = match accepted {
            Ok(transport) => transport,
            Err(error) => {
                // Out of descriptors, most likely; what helps is waiting.
                tracing::warn!("connection not accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (service, secure) = (Arc::clone(&service), secure.clone());
        clients.spawn(async move {
            if let Some(transport) = shake_hands(transport, secure).await {
                service.serve(transport).await;
            }
        });
    }
}

/// Puts TLS on a TCP connection; unix sockets are secured by their mode.
async fn shake_hands(transport: Transport, secure: Option<TlsAcceptor>) -> Option<Transport> {
    let (stream, acceptor) = match (transport, secure) {
        (Transport::Tcp(stream), Some(acceptor)) => (stream, acceptor),
        (transport, _) => return Some(transport),
    };
    match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(Transport::Layered(Box::new(stream))),
        Ok(Err(error)) => {
            tracing::info!("TLS handshake failed: {error}");
            None
        }
        Err(_) => None,
    }
}
