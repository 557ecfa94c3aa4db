//! Log events as JSON, one object a line, written by hand: the general writer takes as long as the rest of a small
//! request.

use std::error::Error;
use std::fmt::{self, Write as _};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Bytes an ordinary line stays below.
const USUAL_BYTES: usize = 512;

/// Writes time, level, the event's fields and its target into one object. Spans are not written.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Line(String::with_capacity(USUAL_BYTES));
        let metadata = event.metadata();
        line.value("timestamp", format_args!("\"{:.6}\"", Timestamp::now()));
        line.text("level", metadata.level().as_str());
        event.record(&mut line);
        line.text("target", metadata.target());
        line.0.push_str("}\n");
        writer.write_str(&line.0)
    }
}

/// The object as far as it is written.
struct Line(String);

impl Line {
    fn key(&mut self, key: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.quoted(key);
        self.0.push(':');
    }

    fn value(&mut self, key: &str, value: fmt::Arguments<'_>) {
        self.key(key);
        // A string takes everything.
        let _ = self.0.write_fmt(value);
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.quoted(text);
    }

    fn quoted(&mut self, text: &str) {
        self.0.push('"');
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
            let (plain, special) = rest.split_at(at);
            self.0.push_str(plain);
            // What is escaped is one byte long.
            let _ = match special.as_bytes()[0] {
                quote @ (b'"' | b'\\') => write!(self.0, "\\{}", char::from(quote)),
                control => write!(self.0, "\\u{control:04x}"),
            };
            rest = &special[1..];
        }
        self.0.push_str(rest);
        self.0.push('"');
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field.name(), format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field.name(), format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field.name(), format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        self.text(field.name(), &text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match format_args!("{value:?}").as_str() {
            Some(text) => self.text(field.name(), text),
            None => self.text(field.name(), &format!("{value:?}")),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_kind_of_field_is_json_on_one_line() {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt().event_format(JsonLines).with_writer(move || writer.clone()).finish();
        let cause = io::Error::other("the disk is gone");
        let error = crate::storage::Error::Io { source: cause, path: "/a".into() };
        tracing::subscriber::with_default(subscriber, || {
            let path = "/v2/\"\\\n\r\t\u{0}\u{7f}é";
            tracing::info!(path, status = 200_u16, change = -1, good = true, kind = ?Some("x"), "request");
            tracing::error!(error = &error as &dyn Error, "failed {}", 1);
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [request, failed] = lines.as_slice() else { panic!("{text}") };
        for (key, value) in [
            ("level", json!("INFO")),
            ("message", json!("request")),
            ("path", json!("/v2/\"\\\n\r\t\u{0}\u{7f}é")),
            ("status", json!(200)),
            ("change", json!(-1)),
            ("good", json!(true)),
            ("kind", json!("Some(\"x\")")),
            ("target", json!(module_path!())),
        ] {
            assert_eq!(request[key], value, "{key}");
        }
        assert!(request["timestamp"].as_str().unwrap().parse::<Timestamp>().is_ok());
        assert_eq!(failed["message"], "failed 1");
        assert_eq!(failed["error"], "cannot access /a: the disk is gone");
    }
}
