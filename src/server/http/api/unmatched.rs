//! What no operation takes: a path that is not there, or one that is there for other methods.

use std::sync::LazyLock;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::OpenApi as _;
use utoipa::openapi::path::PathItem;

use super::{Document, Failure, problem};

/// Paths that answer readers and are not described: they are about the description.
const UNDESCRIBED: [&str; 4] = ["/api/v1/", "/api/v1/openapi.json", "/api/v1/docs", "/api/v1/docs/{file}"];

/// The answer to a request that no operation took.
pub(in crate::server::http) fn unmatched(request: &HttpRequest) -> HttpResponse {
    let methods = methods(request.path());
    if methods.is_empty() {
        return problem(request, Failure::NoSuchPath);
    }
    let allowed = methods.join(", ");
    if request.method() == Method::OPTIONS {
        return HttpResponse::NoContent().insert_header((header::ALLOW, allowed)).finish();
    }
    problem(request, Failure::MethodNotAllowed(allowed))
}

/// The methods a path can be asked with; none if it is no path of the API.
fn methods(path: &str) -> Vec<&'static str> {
    static KNOWN: LazyLock<Vec<(String, Vec<&'static str>)>> = LazyLock::new(|| {
        let described = Document::openapi().paths.paths.into_iter().map(|(path, item)| (path, methods_of(&item)));
        described.chain(UNDESCRIBED.map(|path| (path.to_owned(), vec!["GET", "HEAD"]))).collect()
    });
    let path: Vec<_> = path.split('/').collect();
    // A repository has slashes, so a path may be meant by several; each of them is tried when a request comes.
    let fitting = KNOWN.iter().filter(|(known, _)| fits(&known.split('/').collect::<Vec<_>>(), &path));
    let mut methods: Vec<_> = fitting.flat_map(|(_, methods)| methods.clone()).collect();
    if !methods.is_empty() {
        methods.push("OPTIONS");
    }
    methods.sort_unstable();
    methods.dedup();
    methods
}

fn methods_of(item: &PathItem) -> Vec<&'static str> {
    let known = [
        ("GET", &item.get),
        ("HEAD", &item.get),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("DELETE", &item.delete),
        ("PATCH", &item.patch),
    ];
    known.into_iter().filter(|(_, operation)| operation.is_some()).map(|(method, _)| method).collect()
}

/// Whether a path is one of those that a described one stands for.
fn fits(described: &[&str], path: &[&str]) -> bool {
    match (described, path) {
        ([], []) => true,
        (["{repository}", rest @ ..], [first, ..]) => {
            !first.is_empty() && (1..=path.len()).any(|taken| fits(rest, &path[taken..]))
        }
        ([name, rest @ ..], [first, others @ ..]) => {
            let is_same = if name.starts_with('{') { !first.is_empty() } else { name == first };
            is_same && fits(rest, others)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_read_a_path_counts() {
        assert_eq!(methods("/api/v1/me"), ["GET", "HEAD", "OPTIONS"]);
        assert_eq!(methods("/api/v1/users/ada"), ["DELETE", "GET", "HEAD", "OPTIONS"]);
        assert_eq!(methods("/api/v1/repositories/a/b/c"), ["GET", "HEAD", "OPTIONS", "PUT"]);
        assert_eq!(methods("/api/v1/docs/swagger-ui.css"), ["GET", "HEAD", "OPTIONS"]);
        for none in ["/api/v1/nothing", "/api/v1/users/", "/api/v1/users/a/b/c", "/api/v1/repositories/", "/api/v2", ""]
        {
            assert!(methods(none).is_empty(), "{none}");
        }
    }
}
