//! The real registry, as its users start it: the program itself on a data directory, with people, killed or stopped.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde_json::Value;

/// How long it may take until it says where it listens.
const START: Duration = Duration::from_mins(1);
/// The administrator's token, as another program makes one: 64 hexadecimal digits.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A running registry. Dropping it kills it.
pub(crate) struct Real {
    pub(crate) url: String,
    child: Child,
}

/// Somebody's connection to it.
#[derive(Clone)]
pub(crate) struct Hand {
    client: Client,
    url: String,
    token: String,
}

impl Real {
    /// Starts it on a folder, which holds its data and the administrator's token.
    pub(crate) fn start(folder: &Path) -> Self {
        let token = folder.join("token");
        std::fs::write(&token, TOKEN).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command.args(["registry", "serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.join("data"));
        command.arg("--admin-token-file").arg(token).stdin(Stdio::null()).stdout(Stdio::piped());
        let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
        let mut child = command.stderr(log).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        // It reads to the end, since a server must not wait for a reader.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(at) = line.find("http://127.0.0.1:") {
                    let url: String = line[at..].chars().take_while(|c| !c.is_whitespace()).collect();
                    let _ = sender.send(url.trim_end_matches('/').to_owned());
                }
            }
        });
        let url = receiver.recv_timeout(START).unwrap_or_else(|error| {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            panic!("the registry does not say where it listens ({error}):\n{log}")
        });
        Self { url, child }
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        assert!(self.child.wait().unwrap().success(), "it ends in order");
    }

    /// What it uses of memory is not looked at here; whether it runs is.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(crate) fn administrator(&self) -> Hand {
        self.hand(TOKEN)
    }

    /// Somebody by their token, on connections of their own.
    pub(crate) fn hand(&self, token: &str) -> Hand {
        let client = Client::builder().no_proxy().build().unwrap();
        Hand { client, url: self.url.clone(), token: token.to_owned() }
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Hand {
    /// Sends a request; an error is that the server is gone.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        media_type: &str,
        body: Vec<u8>,
    ) -> reqwest::Result<Response> {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        request.header("content-type", media_type).body(body).send().await
    }

    /// A request to the REST API.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> reqwest::Result<Response> {
        let body = if body.is_null() { vec![] } else { body.to_string().into_bytes() };
        self.send(method, &format!("/api/v1{path}"), "application/json", body).await
    }

    /// Reads a page of the REST API from a server that does not crash.
    pub(crate) async fn read(&self, path: &str) -> (u16, Value) {
        let answer = self.call(Method::GET, path, &Value::Null).await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// Reads a list to its end.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Value>, String> {
        let (mut items, mut after) = (vec![], String::new());
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let (status, page) = self.read(&format!("{path}{sign}limit=1000{after}")).await;
            if status != 200 {
                return Err(format!("{path}: {status} {page}"));
            }
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(items),
            }
        }
    }

    /// The answer to a HEAD of a manifest: status, digest, warnings.
    pub(crate) async fn head(&self, repository: &str, target: &str) -> (u16, String, Vec<String>) {
        let path = format!("/v2/{repository}/manifests/{target}");
        let answer = self.send(Method::HEAD, &path, "text/plain", vec![]).await.unwrap();
        let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap().to_owned();
        let digest = answer.headers().get("docker-content-digest").map(text).unwrap_or_default();
        (answer.status().as_u16(), digest, answer.headers().get_all("warning").iter().map(text).collect())
    }
}
