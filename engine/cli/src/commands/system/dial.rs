//! `system dial-stdio`: standard streams as a connection to the engine. What
//! an ssh endpoint runs at the far end.

use clap::Args;
use tokio::io::{AsyncWriteExt, copy, split, stdin, stdout};

use crate::failure::Failure;
use crate::session::Session;

/// Join standard streams to the engine
#[derive(Args)]
pub struct Arguments {}

/// Runs it.
pub async fn run(_: Arguments, session: &Session) -> Result<i32, Failure> {
    let (mut reader, mut writer) = split(session.client()?.raw().await?);
    let up = async {
        let _ = copy(&mut stdin(), &mut writer).await;
        let _ = writer.shutdown().await;
        std::future::pending::<()>().await;
    };
    let down = async {
        let mut stdout = stdout();
        copy(&mut reader, &mut stdout).await?;
        stdout.flush().await
    };
    tokio::select! {
        result = down => result?,
        () = up => {}
    }
    Ok(0)
}
