//! Progress of pulls, pushes and loads, from the engine's stream of JSON
//! messages: bars on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::Write;

use dhow_client::Response;
use futures_util::StreamExt;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::Failure;
use crate::format::Value;
use crate::output;

/// Where messages go.
pub struct Progress {
    terminal: bool,
    /// On standard error, for commands whose output is something else.
    to_stderr: bool,
    quiet: bool,
    bars: MultiProgress,
    layers: HashMap<String, ProgressBar>,
}

impl Progress {
    /// Progress on standard output.
    pub fn stdout(quiet: bool) -> Self {
        Self::new(output::to_terminal(), false, quiet)
    }

    /// Progress on standard error.
    pub fn stderr(quiet: bool) -> Self {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        Self::new(terminal, true, quiet)
    }

    fn new(terminal: bool, to_stderr: bool, quiet: bool) -> Self {
        let target = if to_stderr {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::stdout()
        };
        Self {
            terminal,
            to_stderr,
            quiet,
            bars: MultiProgress::with_draw_target(target),
            layers: HashMap::new(),
        }
    }

    /// Shows a whole response, and fails where it tells of an error. `aux`
    /// sees the messages that are meant for programs.
    pub async fn show(
        &mut self,
        response: Response,
        mut aux: impl FnMut(&Value),
    ) -> Result<(), Failure> {
        let mut chunks = response.chunks();
        let mut buffer = Vec::new();
        while let Some(chunk) = chunks.next().await {
            buffer.extend_from_slice(&chunk?);
            let mut consumed = 0;
            let mut messages = serde_json::Deserializer::from_slice(&buffer).into_iter::<Value>();
            let mut failure = None;
            while let Some(Ok(message)) = messages.next() {
                consumed = messages.byte_offset();
                let data = message.get("aux");
                if !data.is_nil() {
                    aux(data);
                    continue;
                }
                if let Err(error) = self.message(&message) {
                    failure = Some(error);
                    break;
                }
            }
            if let Some(failure) = failure {
                self.finish();
                return Err(failure);
            }
            buffer.drain(..consumed);
        }
        self.finish();
        if buffer.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        Err(Failure::message("the engine's answer cannot be read"))
    }

    fn message(&mut self, message: &Value) -> Result<(), Failure> {
        let detail = message.get("errorDetail");
        if !detail.is_nil() || !message.str("error").is_empty() {
            let text = match detail.str("message") {
                "" => message.str("error"),
                text => text,
            };
            let code = match detail.int("code") {
                401 => {
                    return Err(Failure::message("authentication is required"));
                }
                _ => 1,
            };
            return Err(Failure::message(text).with_code(code));
        }
        if self.quiet {
            return Ok(());
        }
        let stream = message.str("stream");
        if !stream.is_empty() {
            self.text(stream);
            return Ok(());
        }
        let (id, status) = (message.str("id"), message.str("status"));
        let detail = message.get("progressDetail");
        let in_progress = !detail.entries().is_empty();
        if !self.terminal {
            // Only what a layer went through is told, not how far it got.
            if !in_progress && message.str("progress").is_empty() {
                self.text(&plain(id, status));
            }
            return Ok(());
        }
        if id.is_empty() {
            self.finish();
            self.text(&plain(id, status));
            return Ok(());
        }
        self.layer(id, status, detail.int("current"), detail.int("total"));
        Ok(())
    }

    fn layer(&mut self, id: &str, status: &str, current: i64, total: i64) {
        let bars = &self.bars;
        let bar = self
            .layers
            .entry(id.to_owned())
            .or_insert_with(|| bars.add(ProgressBar::no_length()));
        bar.set_prefix(id.to_owned());
        bar.set_message(status.to_owned());
        if total > 0 {
            bar.set_style(style(
                "{prefix}: {msg} [{bar:50.=>}] {decimal_bytes}/{decimal_total_bytes}",
            ));
            bar.set_length(total.unsigned_abs());
            bar.set_position(current.max(0).unsigned_abs());
        } else if current > 0 {
            bar.set_style(style("{prefix}: {msg} {decimal_bytes}"));
            bar.set_position(current.unsigned_abs());
        } else {
            bar.set_style(style("{prefix}: {msg}"));
        }
        bar.tick();
    }

    fn text(&self, text: &str) {
        let text = match text.ends_with('\n') {
            true => text.to_owned(),
            false => format!("{text}\n"),
        };
        if self.to_stderr {
            let _ = std::io::stderr().write_all(text.as_bytes());
        } else {
            output::print(&text);
        }
    }

    /// Leaves the bars as they are and goes on below them.
    fn finish(&mut self) {
        for (_, bar) in self.layers.drain() {
            bar.abandon();
        }
    }
}

fn plain(id: &str, status: &str) -> String {
    if id.is_empty() {
        status.to_owned()
    } else {
        format!("{id}: {status}")
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
