//! `GET /api/v1/docs`: the description for people, rendered in the browser by Swagger UI, which is part of the program.

use std::io::Read as _;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use flate2::read::GzDecoder;
use utoipa_swagger_ui::Config;

use super::{CACHEABLE, Failure, problem};

/// The page takes everything from here and nothing from elsewhere. What shows the description sets styles on elements
/// and draws its few signs from addresses of their own content.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Files of our own beside those that come with Swagger UI: name, type and content.
const OWN: [(&str, &str, &str); 2] = [
    ("docs.css", "text/css; charset=utf-8", include_str!("docs.css")),
    ("docs.js", "text/javascript; charset=utf-8", include_str!("docs.js")),
];

/// What the page needs of Swagger UI.
const FOREIGN: [&str; 2] = ["swagger-ui.css", "swagger-ui-bundle.js"];

/// The page.
pub(super) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(CACHEABLE)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .body(include_str!("docs.html"))
}

/// A file of the page.
pub(super) async fn file(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    if let Some((_, media_type, content)) = OWN.iter().find(|(own, ..)| *own == name.as_str()) {
        return HttpResponse::Ok().content_type(*media_type).insert_header(CACHEABLE).body(*content);
    }
    match foreign(&name) {
        Some((media_type, packed)) => answer(&request, &media_type, packed),
        None => problem(&request, Failure::NoSuchPath),
    }
}

/// A file of Swagger UI, packed by gzip.
fn foreign(name: &str) -> Option<(String, Vec<u8>)> {
    FOREIGN.iter().find(|known| **known == name)?;
    // It has nothing to fail with: only its configuration, which is not asked for, is made when it is asked for.
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::default())).ok()??;
    file.gzpipped.then(|| (file.content_type, file.bytes.into_owned()))
}

/// Packed, unless who asks cannot read that.
fn answer(request: &HttpRequest, media_type: &str, packed: Vec<u8>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(media_type).insert_header(CACHEABLE).insert_header((header::VARY, "Accept-Encoding"));
    let accepted = request.headers().get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    if accepted.is_some_and(|accepted| accepted.contains("gzip")) {
        return response.insert_header((header::CONTENT_ENCODING, "gzip")).body(packed);
    }
    let mut plain = vec![];
    match GzDecoder::new(packed.as_slice()).read_to_end(&mut plain) {
        Ok(_) => response.body(plain),
        Err(_) => problem(request, Failure::NoSuchPath),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::http::StatusCode;
    use actix_web::test::TestRequest;

    use super::*;

    #[tokio::test]
    async fn every_file_that_the_page_names_is_here_and_no_other() {
        let page = include_str!("docs.html");
        for name in FOREIGN.into_iter().chain(OWN.map(|(name, ..)| name)) {
            assert!(page.contains(&format!("\"docs/{name}\"")), "{name}");
            let file = file(TestRequest::get().to_http_request(), name.to_owned().into()).await;
            assert_eq!(file.status(), StatusCode::OK, "{name}");
            assert!(to_bytes(file.into_body()).await.unwrap().len() > 100, "{name}");
        }
        for name in ["index.html", "swagger-initializer.js", "../docs.css", ""] {
            let file = file(TestRequest::get().to_http_request(), name.to_owned().into()).await;
            assert_eq!(file.status(), StatusCode::NOT_FOUND, "{name}");
        }
        assert_eq!(page.matches("\"docs/").count(), 4, "{page}");
        assert!(!page.contains("//"), "the page names no other place: {page}");
    }

    #[tokio::test]
    async fn a_file_is_packed_for_who_can_unpack_it() {
        let name = || "swagger-ui.css".to_owned().into();
        let plain = file(TestRequest::get().to_http_request(), name()).await;
        let request = TestRequest::get().insert_header(("accept-encoding", "br, gzip")).to_http_request();
        let packed = file(request, name()).await;
        assert_eq!(packed.headers().get("content-encoding").unwrap(), "gzip");
        assert!(!plain.headers().contains_key("content-encoding"));
        let (plain, packed) = (to_bytes(plain.into_body()).await.unwrap(), to_bytes(packed.into_body()).await.unwrap());
        assert!(plain.starts_with(b".swagger-ui") && packed.len() < plain.len() / 3);
    }
}
