# syntax=docker/dockerfile:1
# One image with one binary: the registry by default, the command with any other arguments.
#
#   docker build -t agent-registry .
#   docker run -p 127.0.0.1:5050:5050 -v agent-registry:/data agent-registry

FROM rust:1.95.0-bookworm AS build
WORKDIR /source
# Tests and benches are not built, but the manifest names them. The toolchain is the image's, not the file's.
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY examples examples
COPY tests tests
COPY benches benches
RUN cargo build --release --locked --bin agent

FROM debian:bookworm-slim
# Certificates are for `agent` as a client of registries elsewhere.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /data --shell /usr/sbin/nologin agent \
    && install -d -o agent -g agent -m 0750 /data
COPY --from=build /source/target/release/agent /usr/local/bin/agent
COPY LICENSE /usr/share/doc/agent-registry/LICENSE
USER 10001:10001
VOLUME /data
EXPOSE 5050
STOPSIGNAL SIGTERM
# By the shell: the image holds no HTTP client that asks for a path.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/5050 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["agent"]
# The token of the first administrator is in /data/initial-admin-token after the first start.
CMD ["registry", "serve", "--listen", "0.0.0.0:5050", "--data", "/data"]
