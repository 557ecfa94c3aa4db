//! Where a registry may send this client: redirects, upload locations, next pages and token realms are a stranger's
//! words until they are checked here.

use std::net::IpAddr;

use reqwest::Url;

use super::{Endpoint, Error};

/// Longest address that is followed, in bytes.
const MAX_ADDRESS_BYTES: usize = 8 * 1024;

/// Scheme, host and port of an address, the part that is safe to show.
pub(super) fn shown(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Resolves an address the registry gave in an answer from `base`. It may lead to another origin, without credentials,
/// but not from https to http, and not from the open network into this one.
pub(super) fn follow(endpoint: &Endpoint, base: &Url, what: &'static str, text: &str) -> Result<Url, Error> {
    let malformed = || Error::Malformed { what };
    if text.is_empty() || text.len() > MAX_ADDRESS_BYTES {
        return Err(malformed());
    }
    let mut url = base.join(text).map_err(|_| malformed())?;
    url.set_fragment(None);
    let refuse = |reason| Err(Error::Foreign { what, address: shown(&url), reason });
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("brings a credential of its own");
    }
    if endpoint.owns(&url) {
        return Ok(url);
    }
    // `base` may itself be a redirect's target, so both ends of the way are asked.
    let was_secure = endpoint.is_secure() || base.scheme() == "https";
    if was_secure && url.scheme() == "http" {
        return refuse("is plain HTTP, though the registry is not");
    }
    if is_inside(&url) && !endpoint.url("/").is_ok_and(|home| is_inside(&home)) {
        return refuse("is inside this network, though the registry is not");
    }
    Ok(url)
}

/// As [`follow`], to the registry itself only.
pub(super) fn follow_home(endpoint: &Endpoint, base: &Url, what: &'static str, text: &str) -> Result<Url, Error> {
    let url = follow(endpoint, base, what, text)?;
    if endpoint.owns(&url) {
        Ok(url)
    } else {
        Err(Error::Foreign { what, address: shown(&url), reason: "is not the registry" })
    }
}

/// As [`follow`], to the registry itself or over https: a credential travels there.
pub(super) fn follow_with_credential(
    endpoint: &Endpoint,
    base: &Url,
    what: &'static str,
    text: &str,
) -> Result<Url, Error> {
    let url = follow(endpoint, base, what, text)?;
    if endpoint.owns(&url) || url.scheme() == "https" {
        Ok(url)
    } else {
        Err(Error::Foreign { what, address: shown(&url), reason: "is neither the registry nor secured by https" })
    }
}

/// Whether the host is an address of this machine or of a private network, metadata services included.
fn is_inside(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return true };
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() else { return false };
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && (64..128).contains(&second);
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || first == 0 || is_shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text, true).unwrap()
    }

    fn to(registry: &str, text: &str) -> Result<String, Error> {
        let endpoint = endpoint(registry);
        let base = endpoint.url("/v2/a/blobs/uploads/").unwrap();
        follow(&endpoint, &base, "location", text).map(|url| url.to_string())
    }

    #[test]
    fn relative_and_absolute_addresses_keep_their_query() {
        assert_eq!(to("https://h", "/v2/a/blobs/uploads/1?s=%2F&x").unwrap(), "https://h/v2/a/blobs/uploads/1?s=%2F&x");
        assert_eq!(to("https://h", "1?s=2").unwrap(), "https://h/v2/a/blobs/uploads/1?s=2");
        assert_eq!(to("https://h", "https://h:443/x#y").unwrap(), "https://h/x");
        assert_eq!(to("https://h", "https://cdn.example/x").unwrap(), "https://cdn.example/x");
        assert_eq!(to("http://h:5000", "http://other:9000/x").unwrap(), "http://other:9000/x");
    }

    #[test]
    fn downgrades_credentials_and_odd_schemes_are_refused() {
        let cases =
            ["http://h/x", "http://other/x", "ftp://h/x", "file:///etc/passwd", "https://u:p@h/x", "https://u@h/x"];
        for text in cases {
            assert!(matches!(to("https://h", text), Err(Error::Foreign { .. })), "{text}");
        }
        for text in ["", "https://", "https://[x]/", &"x".repeat(MAX_ADDRESS_BYTES + 1)] {
            assert!(matches!(to("https://h", text), Err(Error::Malformed { .. })), "{text}");
        }
    }

    #[test]
    fn a_registry_outside_cannot_reach_inside() {
        let inside = [
            "https://127.0.0.1/x",
            "https://localhost:8080/x",
            "https://a.localhost/x",
            "https://10.1.2.3/x",
            "https://169.254.169.254/latest/meta-data",
            "https://0x7f.1/x",
            "https://2130706433/x",
            "https://0.0.0.0/x",
            "https://100.100.100.200/x",
            "https://[::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://[fd00::1]/x",
            "https://[fe80::1]/x",
        ];
        for text in inside {
            assert!(matches!(to("https://registry.example", text), Err(Error::Foreign { .. })), "{text}");
            assert!(to("https://10.0.0.9", text).is_ok(), "{text}: the registry is inside itself");
        }
        assert!(to("https://registry.example", "https://8.8.8.8/x").is_ok());
    }

    #[test]
    fn the_way_back_from_a_secure_hop_is_no_downgrade_either() {
        let endpoint = endpoint("http://h");
        let hop = Url::parse("https://cdn.example/x").unwrap();
        assert!(follow(&endpoint, &hop, "redirect", "http://elsewhere/x").is_err());
        assert!(follow(&endpoint, &hop, "redirect", "http://h/x").is_ok());
    }

    #[test]
    fn pages_stay_home_and_realms_are_home_or_secure() {
        let (endpoint, other) = (endpoint("http://h:5000"), "http://h:5001/t");
        let base = &endpoint.url("/").unwrap();
        assert!(follow_home(&endpoint, base, "page", "/x").is_ok());
        assert!(follow_home(&endpoint, base, "page", other).is_err());
        assert!(follow_home(&endpoint, base, "page", "https://h:5000/x").is_err());
        assert!(follow_with_credential(&endpoint, base, "realm", "http://h:5000/t").is_ok());
        assert!(follow_with_credential(&endpoint, base, "realm", "https://auth.example/t").is_ok());
        assert!(follow_with_credential(&endpoint, base, "realm", other).is_err());
        assert!(follow_with_credential(&endpoint, base, "realm", "http://h:5000.evil/t").is_err());
    }
}
