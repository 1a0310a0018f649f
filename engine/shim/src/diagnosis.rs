//! Collecting what libcontainer logs of an error: its error values often say
//! less than its log. Used only in the short-lived process that creates a
//! container and in what that process forks.

use std::fmt::Write;

use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

use crate::child::report::{Report, Reporter};

/// Reports errors from now on, each as a detail of the failure to come.
pub fn listen(reporter: Reporter) {
    // Can fail only when there is one already, which does the same.
    let _ = tracing::subscriber::set_global_default(Collector(reporter));
}

struct Collector(Reporter);

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == Level::ERROR
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let Text {
            message,
            mut fields,
        } = text;
        fields.insert_str(0, &message);
        self.0.send(&Report::Detail(fields));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// An event as text: the message, then its fields.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            "err" | "error" | "e" => write!(self.fields, ": {value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
