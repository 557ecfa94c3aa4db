//! HTTP on a listener, over connections of our own types: plain ones, which can send files, or TLS with HTTP/2.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::error::DispatchError;
use actix_http::{HttpServiceBuilder, Protocol, Request};
use actix_server::GracefulShutdownSignal;
use actix_service::{Service, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::{AppConfig, Server, ServiceResponse};
use actix_web::{App, middleware, web};
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::Config;
use super::connection::Connection;
use super::http::{self, State};
use super::pace::Pace;
use super::tls::Encrypted;

/// How long a client may take to close its side of a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes an answer collects before they are encrypted and go to the socket: fewer turns for large blobs.
const TLS_BUFFER_BYTES: usize = 256 * 1024;

/// Starts the threads that serve; requests are answered once the result is awaited.
pub(super) fn serve(
    config: &Config,
    listener: TcpListener,
    tls: Option<ServerConfig>,
    state: State,
) -> io::Result<Server> {
    let server = Server::build()
        .disable_signals()
        .workers(config.workers.unwrap_or_else(cores))
        .shutdown_timeout(config.limits.drain_seconds);
    end_silent_readers(&listener, Duration::from_secs(config.limits.body_idle_seconds))?;
    let tls = tls.map(Arc::new);
    let (stop, head) = (server.graceful_shutdown_signal(), Duration::from_secs(config.limits.head_seconds));
    let state = web::Data::new(state);
    let server = match tls {
        Some(tls) => server.listen("tls", listener, move || {
            let http = protocol(&stop, head).secure().h1_write_buffer_size(TLS_BUFFER_BYTES);
            let http = http.on_connect_ext(|connection: &Encrypted, data| {
                if let Some(pace) = connection.pace() {
                    data.insert(pace);
                }
            });
            let tls = TlsAcceptor::from(Arc::clone(&tls));
            fn_service(move |socket| Encrypted::accept(tls.clone(), socket, head))
                .and_then(http.finish(app(state.clone())))
        }),
        None => server.listen("plain", listener, move || {
            let http = protocol(&stop, head).on_connect_ext(|connection: &Connection, data| {
                data.insert(connection.pace());
                if let Some(outbox) = connection.outbox() {
                    data.insert(outbox);
                }
            });
            fn_service(move |socket| accept(socket, Pace::new(head))).and_then(http.finish(app(state.clone())))
        }),
    };
    Ok(server?.run())
}

/// Lets the system break off connections whose other side takes no byte for so long; each connection inherits it.
#[cfg(target_os = "linux")]
fn end_silent_readers(listener: &TcpListener, idle: Duration) -> io::Result<()> {
    let idle_ms = u32::try_from(idle.as_millis()).unwrap_or(u32::MAX);
    Ok(rustix::net::sockopt::set_tcp_user_timeout(listener, idle_ms)?)
}

#[cfg(not(target_os = "linux"))]
fn end_silent_readers(_listener: &TcpListener, _idle: Duration) -> io::Result<()> {
    Ok(())
}

/// Everything that answers requests.
fn app(
    state: web::Data<State>,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = ServiceResponse<impl MessageBody + 'static>,
    Error = actix_web::Error,
    InitError = (),
> {
    let app = App::new()
        .app_data(state)
        .wrap(middleware::from_fn(http::observe))
        .configure(http::routes)
        .default_service(web::to(http::not_found));
    // What it says of host and scheme is read nowhere.
    map_config(app, |()| AppConfig::default())
}

/// What plain connections and those under TLS have in common.
fn protocol<T, S>(stop: &GracefulShutdownSignal, head: Duration) -> HttpServiceBuilder<T, S>
where
    S: ServiceFactory<Request, Config = (), Error = actix_web::Error, InitError = ()>,
    <S::Service as Service<Request>>::Future: 'static,
{
    let stop = stop.clone();
    HttpServiceBuilder::default()
        .client_request_timeout(head)
        .client_disconnect_timeout(CLOSE_TIMEOUT)
        .graceful_shutdown_signal(move || {
            let stop = stop.clone();
            async move { stop.notified().await }
        })
}

async fn accept(socket: TcpStream, pace: Pace) -> Result<(Connection, Protocol, Option<SocketAddr>), DispatchError> {
    // A head goes out before its file, and must not make the file wait.
    socket.set_nodelay(true)?;
    let peer = socket.peer_addr().ok();
    Ok((Connection::new(socket, pace), Protocol::Http1, peer))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
