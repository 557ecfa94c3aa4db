//! What a registry wants its users to know beside its answers (distribution-spec, "Warnings").

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use reqwest::header::{HeaderMap, WARNING};

use super::text::clean;

/// Most different warnings of one registry that are told.
const MAX_TOLD: usize = 16;
/// The code and the agent that a warning must have to be one.
const PREFIX: &str = "299 - \"";

/// Tells each warning once.
#[derive(Debug)]
pub(super) struct Warnings {
    tell: fn(&str),
    told: Mutex<HashSet<String>>,
}

impl Warnings {
    pub(super) fn new(tell: fn(&str)) -> Self {
        Self { tell, told: Mutex::default() }
    }

    /// Tells what is new in an answer.
    pub(super) fn note(&self, headers: &HeaderMap) {
        for value in headers.get_all(WARNING) {
            let Some(text) = read(&String::from_utf8_lossy(value.as_bytes())) else { continue };
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() < MAX_TOLD && told.insert(text.clone()) {
                drop(told);
                (self.tell)(&text);
            }
        }
    }
}

/// The text of a warning in the only form there is: code 299, nobody in particular, no date.
fn read(value: &str) -> Option<String> {
    let quoted = value.strip_prefix(PREFIX)?.strip_suffix('"')?;
    let text = clean(&quoted.replace("\\\"", "\"").replace("\\\\", "\\"));
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::super::fixture::{Peer, Reply};
    use super::super::{Options, Remote};
    use super::*;
    use crate::remote::Endpoint;

    static TOLD: Mutex<Vec<String>> = Mutex::new(vec![]);

    fn tell(text: &str) {
        TOLD.lock().unwrap().push(text.to_owned());
    }

    #[tokio::test]
    async fn a_registrys_warnings_are_told_once_each() {
        let peer = Peer::serve(|_| {
            let reply = Reply::json("{}").header("Warning", "299 - \"this registry ends in May\"");
            reply.header("Warning", "299 - \"say \\\"hello\\\"\"").header("Warning", "110 - \"stale\"")
        });
        let peer = peer.await;
        let endpoint = Endpoint::parse(&peer.url(), true).unwrap();
        let remote = Remote::connect(endpoint, Options { tell_warning: tell, ..Options::default() }).unwrap();
        for _ in 0..3 {
            remote.ping().await.unwrap();
        }
        assert_eq!(*TOLD.lock().unwrap(), ["this registry ends in May", "say \"hello\""]);
    }

    #[test]
    fn what_is_no_warning_is_none_and_none_steers_a_terminal() {
        for other in ["", "299", "299 - unquoted", "199 - \"x\"", "299 host \"x\"", "299 - \"\"", "299 - \"x\" date"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(read("299 - \"a\u{1b}[2Jb\"").unwrap(), "a [2Jb");
    }

    #[test]
    fn a_flood_of_warnings_ends() {
        static COUNT: Mutex<usize> = Mutex::new(0);
        let warnings = Warnings::new(|_| *COUNT.lock().unwrap() += 1);
        for number in 0..1000 {
            let mut headers = HeaderMap::new();
            headers.insert(WARNING, format!("299 - \"{number}\"").parse().unwrap());
            warnings.note(&headers);
        }
        assert_eq!(*COUNT.lock().unwrap(), MAX_TOLD);
    }
}
