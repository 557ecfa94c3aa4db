//! Challenges: how a client is told where to get a token, and for what (distribution's token specification).

use actix_web::http::header::HeaderValue;
use actix_web::{HttpRequest, web};

use super::State;
use super::entrance::Entrance;
use crate::auth::{Access, ActionKind, write_scope};
use crate::oci::{Method, RepositoryName, Route, UploadStart};

/// What is wrong with the token that came along (RFC 6750, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Complaint {
    /// It is none, or is not good any more.
    InvalidToken,
    /// It is good, and not for this.
    InsufficientScope,
}

impl Complaint {
    const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// The challenge that answers a request: of the distribution API with everything that it needs, and with pull from
/// where a mount would take a blob that it does not say whence.
pub(super) fn challenge_of(
    request: &HttpRequest,
    from: Option<&RepositoryName>,
    complaint: Option<Complaint>,
) -> Option<HeaderValue> {
    let state = request.app_data::<web::Data<State>>()?;
    let method = Method::from_name(request.method().as_str());
    let route = method.and_then(|method| Route::parse(method, request.path(), request.query_string()).ok());
    let mut needed = route.as_ref().map(needed).unwrap_or_default();
    let pull = from.map(|from| Access::needed(ActionKind::Pull, from));
    if let Some(pull) = pull.filter(|pull| !needed.contains(pull)) {
        needed.push(pull);
    }
    challenge(&state.entrances.of(request), &needed, complaint)
}

/// The value of `WWW-Authenticate`: exactly one challenge, since some clients read only the first.
fn challenge(entrance: &Entrance, needed: &[Access], complaint: Option<Complaint>) -> Option<HeaderValue> {
    let Entrance { scheme, host } = entrance;
    let mut text = format!("Bearer realm=\"{scheme}://{host}/token\",service=\"{host}\"");
    if !needed.is_empty() {
        text = format!("{text},scope=\"{}\"", write_scope(needed));
    }
    if let Some(complaint) = complaint {
        text = format!("{text},error=\"{}\"", complaint.as_str());
    }
    // Hosts and names hold nothing that a header could not.
    HeaderValue::from_str(&text).ok()
}

/// Everything that a token must allow for a request, on all the repositories it is about.
fn needed(route: &Route) -> Vec<Access> {
    let (name, action) = match route {
        Route::Ping => return vec![],
        Route::Catalog(_) => return vec![Access::catalog()],
        Route::Tags(name, _)
        | Route::Referrers(name, ..)
        | Route::ManifestGet(name, _)
        | Route::ManifestHead(name, _)
        | Route::BlobGet(name, _)
        | Route::BlobHead(name, _) => (name, ActionKind::Pull),
        Route::ManifestDelete(name, _) | Route::BlobDelete(name, _) => (name, ActionKind::Delete),
        // Its tags are of the same repository, whose push is what setting them takes.
        Route::ManifestPut(name, ..)
        | Route::UploadStart(name, _)
        | Route::UploadStatus(name, _)
        | Route::UploadChunk(name, _)
        | Route::UploadFinish(name, ..)
        | Route::UploadCancel(name, _) => (name, ActionKind::Push),
    };
    let mut needed = vec![Access::needed(action, name)];
    if let Route::UploadStart(name, UploadStart::Mount(_, Some(from))) = route
        && from != name
    {
        needed.push(Access::needed(ActionKind::Pull, from));
    }
    needed
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const UPLOAD: &str = "0191d2b5-7b6c-4bb0-8d5f-0f4c1a2b3c4d";

    fn scope(method: Method, path: &str, query: &str) -> String {
        let (path, query) = (path.replace("{d}", DIGEST).replace("{u}", UPLOAD), query.replace("{d}", DIGEST));
        write_scope(&needed(&Route::parse(method, &path, &query).unwrap()))
    }

    #[test]
    fn every_route_names_what_it_needs() {
        let (pull, push) = ("repository:a/b:pull", "repository:a/b:pull,push");
        for (method, path, query, expected) in [
            (Method::Get, "/v2/", "", ""),
            (Method::Get, "/v2/_catalog", "n=1", "registry:catalog:*"),
            (Method::Get, "/v2/a/b/tags/list", "", pull),
            (Method::Get, "/v2/a/b/referrers/{d}", "", pull),
            (Method::Get, "/v2/a/b/manifests/latest", "", pull),
            (Method::Head, "/v2/a/b/manifests/{d}", "", pull),
            (Method::Head, "/v2/a/b/blobs/{d}", "", pull),
            (Method::Get, "/v2/a/b/blobs/{d}", "", pull),
            (Method::Put, "/v2/a/b/manifests/{d}", "tag=v1&tag=v2", push),
            (Method::Post, "/v2/a/b/blobs/uploads/", "", push),
            (Method::Post, "/v2/a/b/blobs/uploads/", "digest={d}", push),
            (Method::Post, "/v2/a/b/blobs/uploads/", "mount={d}", push),
            (Method::Post, "/v2/a/b/blobs/uploads/", "mount={d}&from=a/b", push),
            (Method::Get, "/v2/a/b/blobs/uploads/{u}", "", push),
            (Method::Patch, "/v2/a/b/blobs/uploads/{u}", "", push),
            (Method::Put, "/v2/a/b/blobs/uploads/{u}", "digest={d}", push),
            (Method::Delete, "/v2/a/b/blobs/uploads/{u}", "", push),
            (Method::Delete, "/v2/a/b/manifests/latest", "", "repository:a/b:delete"),
            (Method::Delete, "/v2/a/b/blobs/{d}", "", "repository:a/b:delete"),
        ] {
            assert_eq!(scope(method, path, query), expected, "{method:?} {path}?{query}");
        }
        let mount = scope(Method::Post, "/v2/a/b/blobs/uploads/", "mount={d}&from=c/d");
        assert_eq!(mount, "repository:a/b:pull,push repository:c/d:pull");
    }

    #[test]
    fn a_challenge_is_one_value() {
        let entrance = Entrance { scheme: "https", host: "registry.example.com:8443".to_owned() };
        assert_eq!(
            challenge(&entrance, &[], None).unwrap(),
            r#"Bearer realm="https://registry.example.com:8443/token",service="registry.example.com:8443""#
        );
        let route = Route::parse(Method::Get, "/v2/a/b/tags/list", "").unwrap();
        let whole = challenge(&entrance, &needed(&route), Some(Complaint::InsufficientScope)).unwrap();
        let expected = concat!(
            r#"Bearer realm="https://registry.example.com:8443/token",service="registry.example.com:8443","#,
            r#"scope="repository:a/b:pull",error="insufficient_scope""#
        );
        assert_eq!(whole, expected);
        let bad = challenge(&entrance, &[], Some(Complaint::InvalidToken)).unwrap();
        assert!(bad.to_str().unwrap().ends_with(r#",error="invalid_token""#));
    }
}
