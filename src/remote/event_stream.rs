//! A stream of server-sent events (HTML standard, section 9.2), read as it comes.

use std::collections::VecDeque;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Response, StatusCode};

use super::exchange::Ask;
use super::scope::Scope;
use super::wire::Wire;
use super::{Error, Remote};

/// Largest event in bytes, its names and line ends included.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

/// What errors call it.
const STREAM: &str = "event";

/// The media type of such a stream.
const EVENT_STREAM: &str = "text/event-stream";

/// What a server sends at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerEvent {
    /// What kind of event it is; empty where the server does not say.
    pub kind: String,
    /// Its content.
    pub data: String,
}

impl Remote {
    /// Opens a stream of an own API of the registry, after the event a stream before has shown last. `None` where there
    /// is no such stream.
    pub async fn follow(&self, path_and_query: &str, last: Option<&str>) -> Result<Option<EventStream>, Error> {
        let mut ask = Ask::new(Method::GET, self.endpoint().url(path_and_query)?, Scope::none()).stay_home();
        ask = ask.header(ACCEPT, HeaderValue::from_static(EVENT_STREAM));
        if let Some(last) = last {
            let last = HeaderValue::from_str(last).map_err(|_| Error::Malformed { what: STREAM })?;
            ask = ask.header(HeaderName::from_static("last-event-id"), last);
        }
        let response = match self.exchange.send(&ask).await {
            Ok(response) => response,
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND.as_u16()) => return Ok(None),
            Err(Error::NotARegistry { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.trim_start().to_ascii_lowercase().starts_with(EVENT_STREAM) {
            return Ok(None);
        }
        Ok(Some(EventStream { response, wire: self.exchange.wire.clone(), parser: Parser::default() }))
    }
}

/// An open stream.
#[derive(Debug)]
pub struct EventStream {
    response: Response,
    wire: Wire,
    parser: Parser,
}

impl EventStream {
    /// The next event; `None` at the end. Silence beyond the client's patience is an error, so a server has to say
    /// something now and then.
    pub async fn next(&mut self) -> Result<Option<ServerEvent>, Error> {
        loop {
            if let Some(event) = self.parser.ready.pop_front() {
                // In step with what was given out, so that whoever goes on after it misses nothing.
                self.parser.last = event.last;
                return Ok(Some(event.event));
            }
            // What was said after the last event.
            self.parser.last.clone_from(&self.parser.newest);
            match self.wire.chunk(&mut self.response).await? {
                Some(chunk) => self.parser.read(&chunk)?,
                None => return Ok(None),
            }
        }
    }

    /// Where a new stream has to go on: the id that came last, with an event that was given out or without any.
    pub fn last_id(&self) -> Option<&str> {
        self.parser.last.as_deref()
    }
}

/// An event with the id that is the last one when it has been seen.
#[derive(Debug)]
struct Ready {
    event: ServerEvent,
    last: Option<String>,
}

/// Makes events of bytes, wherever they are cut.
#[derive(Debug, Default)]
struct Parser {
    /// The line as far as it has come.
    line: Vec<u8>,
    /// Whether a line has just ended with CR, so that an LF belongs to it.
    is_after_cr: bool,
    /// Whether a line has been read: the first may begin with a byte order mark.
    has_begun: bool,
    kind: String,
    data: String,
    has_data: bool,
    /// The newest id, which counts once its event is complete.
    id: Option<String>,
    newest: Option<String>,
    last: Option<String>,
    ready: VecDeque<Ready>,
}

impl Parser {
    fn read(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for byte in bytes {
            match byte {
                b'\n' if std::mem::take(&mut self.is_after_cr) => {}
                b'\n' | b'\r' => {
                    self.is_after_cr = *byte == b'\r';
                    self.end_line();
                }
                other => {
                    self.is_after_cr = false;
                    self.line.push(*other);
                }
            }
            if self.line.len() + self.data.len() > MAX_EVENT_BYTES {
                return Err(Error::TooLarge { what: STREAM, limit: MAX_EVENT_BYTES as u64 });
            }
        }
        Ok(())
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = if self.has_begun { &line } else { line.strip_prefix('\u{feff}').unwrap_or(&line) };
        self.has_begun = true;
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // Comments, and when to connect again, which the caller knows better.
            _ => {}
        }
    }

    fn end_event(&mut self) {
        self.newest.clone_from(&self.id);
        let event = ServerEvent { kind: std::mem::take(&mut self.kind), data: std::mem::take(&mut self.data) };
        if std::mem::take(&mut self.has_data) {
            self.ready.push_back(Ready { event, last: self.newest.clone() });
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Peer, Reply};
    use super::*;

    /// What comes of a text, whose bytes arrive so many at a time: kind, data and id after each event, and the id at
    /// the end.
    fn parsed(text: &str, at_a_time: usize) -> (Vec<[String; 3]>, Option<String>) {
        let mut parser = Parser::default();
        text.as_bytes().chunks(at_a_time).for_each(|chunk| parser.read(chunk).unwrap());
        let told = |ready: Ready| [ready.event.kind, ready.event.data, ready.last.unwrap_or_default()];
        (parser.ready.drain(..).map(told).collect(), parser.newest)
    }

    #[test]
    fn events_are_the_same_however_their_bytes_arrive() {
        let text = "\u{feff}: hello\nretry: 10\nid: 1\n\nid:2\nevent: a\ndata: {\"x\":\"ü\"}\n\n:\n\ndata\ndata:  b\r\n\r\n\
                    event: lost\n\nid: 3\rdata: c\r\rid: 4\n\nid: bad\0\ndata:d\n\nid: 5\ndata: cut";
        let expected = [["a", "{\"x\":\"ü\"}", "2"], ["", "\n b", "2"], ["", "c", "3"], ["", "d", "4"]];
        for at_a_time in [1, 2, 7, 10_000] {
            let (events, last) = parsed(text, at_a_time);
            assert_eq!(events, expected, "{at_a_time}");
            assert_eq!(last.as_deref(), Some("4"), "an event that is not whole does not count");
        }
    }

    #[test]
    fn an_event_without_end_is_given_up() {
        for field in ["data: ", "", "data: x\ndata: "] {
            let mut parser = Parser::default();
            parser.read(field.as_bytes()).unwrap();
            let flooded = (0..20).try_for_each(|_| parser.read(&vec![b'x'; 100_000]));
            assert!(matches!(flooded, Err(Error::TooLarge { .. })));
        }
        let mut parser = Parser::default();
        let flooded = (0..200).try_for_each(|_| parser.read(&[&b"data: "[..], &[b'x'; 10_000], b"\n"].concat()));
        assert!(matches!(flooded, Err(Error::TooLarge { .. })));
    }

    #[tokio::test]
    async fn a_stream_is_asked_for_by_name_and_goes_on_where_the_last_one_was() {
        let peer = Peer::serve(|request| match request.path() {
            "/events" => Reply::new(200)
                .header("Content-Type", "text/event-stream; charset=utf-8")
                .body(b"id: 7\n\nid: 8\ndata: a\n\nid: 9\ndata: b\n\nid: 10\n\nid: 11\ndata: cut"),
            "/page" => Reply::json("{}"),
            "/gone" => Reply::new(410),
            _ => Reply::new(404),
        })
        .await;
        let remote = peer.remote();
        let mut stream = remote.follow("/events?a=b", Some("6")).await.unwrap().unwrap();
        assert_eq!(stream.last_id(), None);
        let mut told = vec![];
        while let Some(event) = stream.next().await.unwrap() {
            told.push((event.data, stream.last_id().unwrap().to_owned()));
        }
        assert_eq!(told, [("a".to_owned(), "8".to_owned()), ("b".to_owned(), "9".to_owned())]);
        assert_eq!(stream.last_id(), Some("10"));
        let asked = &peer.seen()[0];
        assert_eq!((asked.header("accept"), asked.header("last-event-id")), (Some(EVENT_STREAM), Some("6")));
        assert!(remote.follow("/page", None).await.unwrap().is_none(), "a page is no stream");
        assert!(remote.follow("/nothing", None).await.unwrap().is_none());
        let gone = remote.follow("/gone", None).await.unwrap_err();
        assert_eq!(gone.status(), Some(410));
    }
}
