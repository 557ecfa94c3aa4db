//! By which name a client reached the server, and from where: what the realm of a challenge has to follow.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::http::uri::Authority;

use crate::oci::Host;
use crate::server::Auth;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Most addresses that are read of `X-Forwarded-For`.
const MAX_HOPS: usize = 16;

/// What a client is called where it says nothing, or nothing that is a host.
const NAMELESS: &str = "localhost";

/// Finds out for each request.
#[derive(Clone, Debug)]
pub(super) struct Entrances {
    auth: Arc<Auth>,
    is_tls: bool,
}

impl Entrances {
    pub(super) fn new(auth: Arc<Auth>, is_tls: bool) -> Self {
        Self { auth, is_tls }
    }

    /// The scheme and the host that the client used, as text that is safe in a header.
    pub(super) fn of(&self, request: &HttpRequest) -> Entrance {
        if let Some(url) = &self.auth.external_url {
            return Entrance { scheme: url.scheme(), host: url.host().to_string() };
        }
        let forwarded = self.is_proxied(request).then(|| request.headers());
        let scheme = forwarded.and_then(|headers| first(headers, &FORWARDED_PROTO)).and_then(scheme);
        let own = if self.is_tls { "https" } else { "http" };
        let host = forwarded.and_then(|headers| first(headers, &FORWARDED_HOST)).or_else(|| named(request));
        let host = host.and_then(|host| host.parse::<Host>().ok());
        let host = host.map_or_else(|| NAMELESS.to_owned(), |host| host.to_string().to_ascii_lowercase());
        Entrance { scheme: scheme.unwrap_or(own), host }
    }

    /// Where the client is: the last address that no trusted proxy has.
    pub(super) fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip().to_canonical();
        if !self.trusts(peer) {
            return Some(peer);
        }
        let hops = request.headers().get_all(FORWARDED_FOR).filter_map(|value| value.to_str().ok());
        let hops: Vec<_> = hops.flat_map(|value| value.split(',')).collect();
        let mut last = peer;
        for hop in hops.iter().rev().take(MAX_HOPS) {
            // What cannot be read was written by nobody who is trusted.
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            last = address.to_canonical();
            if !self.trusts(last) {
                break;
            }
        }
        Some(last)
    }

    /// Whether a trusted proxy stands in front of the client.
    pub(super) fn is_proxied(&self, request: &HttpRequest) -> bool {
        !self.auth.trusted_proxies.is_empty()
            && request.peer_addr().is_some_and(|peer| self.trusts(peer.ip().to_canonical()))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.auth.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}

/// The name a client used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entrance {
    pub(super) scheme: &'static str,
    /// Host with port, in lower case; also the service that short tokens are made for.
    pub(super) host: String,
}

/// The host that the request itself names.
pub(super) fn named(request: &HttpRequest) -> Option<&str> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    host.or_else(|| request.uri().authority().map(Authority::as_str))
}

/// The first value of a list that proxies append to: what the outermost of them saw.
fn first<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?;
    value.split(',').next().map(str::trim).filter(|value| !value.is_empty())
}

fn scheme(text: &str) -> Option<&'static str> {
    ["https", "http"].into_iter().find(|known| text.eq_ignore_ascii_case(known))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn entrances(auth: &str, is_tls: bool) -> Entrances {
        Entrances::new(Arc::new(toml::from_str(auth).unwrap()), is_tls)
    }

    fn request(peer: &str, headers: &[(&'static str, &str)]) -> HttpRequest {
        let mut request = TestRequest::default().peer_addr(format!("{peer}:4000").parse().unwrap());
        for (name, value) in headers {
            request = request.append_header((*name, *value));
        }
        request.to_http_request()
    }

    fn seen(entrances: &Entrances, request: &HttpRequest) -> String {
        let Entrance { scheme, host } = entrances.of(request);
        format!("{scheme}://{host} {}", entrances.client(request).unwrap())
    }

    const FORWARDED: [(&str, &str); 4] = [
        ("host", "inner:5050"),
        ("x-forwarded-host", "Registry.example.com, other"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "203.0.113.9, 10.0.0.7"),
    ];

    #[test]
    fn the_clients_own_words_count() {
        let (plain, tls) = (entrances("", false), entrances("", true));
        assert_eq!(seen(&plain, &request("10.0.0.1", &[("host", "A.example:5050")])), "http://a.example:5050 10.0.0.1");
        assert_eq!(seen(&tls, &request("10.0.0.1", &[("host", "[::1]:5050")])), "https://[::1]:5050 10.0.0.1");
        for odd in ["", "a\"b", "a b", "a/b", "user@a", "a:99999"] {
            assert_eq!(seen(&plain, &request("10.0.0.1", &[("host", odd)])), "http://localhost 10.0.0.1", "{odd}");
        }
    }

    #[test]
    fn forwarded_headers_are_believed_from_trusted_proxies_only() {
        let none = entrances("", false);
        assert_eq!(seen(&none, &request("10.0.0.1", &FORWARDED)), "http://inner:5050 10.0.0.1");
        let some = entrances("trusted-proxies = [\"10.0.0.0/8\"]", false);
        assert_eq!(seen(&some, &request("192.0.2.1", &FORWARDED)), "http://inner:5050 192.0.2.1");
        assert_eq!(seen(&some, &request("10.0.0.1", &FORWARDED)), "https://registry.example.com 203.0.113.9");
        let lies = [("host", "inner"), ("x-forwarded-proto", "gopher"), ("x-forwarded-for", "1.1.1.1, junk, 10.0.0.7")];
        assert_eq!(seen(&some, &request("10.0.0.1", &lies)), "http://inner 10.0.0.7");
    }

    #[test]
    fn a_configured_address_wins() {
        let external = entrances("external-url = \"https://registry.example.com\"", false);
        assert_eq!(seen(&external, &request("10.0.0.1", &FORWARDED)), "https://registry.example.com 10.0.0.1");
    }
}
