//! The plain front page: what this is, and the first commands.

use actix_web::{HttpRequest, HttpResponse, web};

use super::State;
use crate::oci::Host;

/// The front page, with commands that work from where the reader is.
pub(super) async fn front(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let connection = request.connection_info();
    // A proxy in front may speak TLS although this server does not.
    let scheme = if state.is_tls || connection.scheme() == "https" { "https" } else { "http" };
    // Parsed, so that nothing but a host goes into the page.
    let host = connection.host().parse::<Host>().map_or_else(|_| "localhost".to_owned(), |host| host.to_string());
    let (plain, insecure) = if scheme == "http" { ("--plain-http ", "--insecure ") } else { ("", "") };
    let page = PAGE.replace("{url}", &format!("{scheme}://{host}")).replace("{host}", &host);
    let page = page.replace("{plain-http}", plain).replace("{insecure}", insecure);
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"))
        .body(page.replace("{version}", env!("CARGO_PKG_VERSION")))
}

const PAGE: &str = include_str!("front.html");
