//! A registry that knows people: the real binary with accounts, an administrator, and a user with two repositories.

use std::process::Command;

use serde_json::{Value, json};

use crate::http::send;
use crate::process::Process;

/// The administrator's token, brought along as a file.
const ADMIN_TOKEN: &str = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

/// The user's private repository.
pub(super) const CLOSED: &str = "ada/closed";
/// The user's public repository.
pub(super) const OPEN: &str = "ada/open";

/// A running registry.
pub(super) struct Community {
    process: Process,
}

impl Community {
    /// A registry with the user `ada`, and what `seed` puts into both of her repositories.
    pub(super) fn open(seed: fn(&str, &str)) -> Self {
        Self::patient(300, seed)
    }

    /// The same with short tokens that are good for so many seconds.
    pub(super) fn patient(token_seconds: u32, seed: fn(&str, &str)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (token, config) = (folder.path().join("token"), folder.path().join("config.toml"));
        std::fs::write(&token, ADMIN_TOKEN).expect("a file");
        // A connection on which nothing is sent meanwhile is kept.
        let text = format!("[auth]\ntoken-seconds = {token_seconds}\n[limits]\nhead-seconds = 300\n");
        std::fs::write(&config, text).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command.env_clear().args(["registry", "serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(folder.path().join("data")).arg("--config").arg(config).arg("--admin-token-file").arg(token);
        let community = Self { process: Process::start(command, folder) };
        community.add_user("ada");
        for (repository, visibility) in [(OPEN, "public"), (CLOSED, "private")] {
            community.create(repository, visibility);
            seed(&community.administrator(), repository);
        }
        community
    }

    /// Host and port.
    pub(super) fn host(&self) -> &str {
        self.process.host()
    }

    /// The same with the administrator's credentials before it.
    pub(super) fn administrator(&self) -> String {
        format!("admin:{ADMIN_TOKEN}@{}", self.host())
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (fields, body) = ("content-type: application/json\r\n", body.to_string());
        let answer = send(&self.administrator(), method, &format!("/api/v1/{path}"), fields, body.as_bytes());
        let text = String::from_utf8_lossy(&answer.body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {text}", answer.status);
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// Makes a user.
    pub(super) fn add_user(&self, name: &str) {
        self.ask("POST", "users", &json!({"name": name}));
    }

    /// Makes an empty repository.
    pub(super) fn create(&self, repository: &str, visibility: &str) {
        self.ask("PUT", &format!("repositories/{repository}"), &json!({"visibility": visibility}));
    }

    /// Lets a user read a repository.
    pub(super) fn let_read(&self, repository: &str, user: &str) {
        let grant = json!({"repository": repository, "grantee": {"user": user}, "level": "read"});
        self.ask("PUT", "permissions", &grant);
    }

    /// A user's token for some scopes.
    pub(super) fn token(&self, user: &str, scopes: &[&str]) -> String {
        let wanted = json!({"name": scopes.join(" and "), "scopes": scopes});
        let made = self.ask("POST", &format!("tokens?user={user}"), &wanted);
        made["token"].as_str().expect("a token").to_owned()
    }
}
