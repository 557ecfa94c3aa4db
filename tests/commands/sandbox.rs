//! A folder to work in, an agent folder of its own, and a registry in a process of its own.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::process::Process;

/// Where one test types its commands. Nothing of this machine's settings reaches them.
pub(crate) struct Sandbox {
    folder: TempDir,
    url: Option<String>,
}

/// What a command left.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    hide: Vec<(String, &'static str)>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        Self { folder, url: None }
    }

    /// One whose commands speak to a registry.
    pub(crate) fn with(registry: &Registry) -> Self {
        Self { url: Some(registry.url.clone()), ..Self::new() }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("work").join(path)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A command in the working folder.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command.current_dir(self.path("")).env_clear();
        command.env("HOME", self.home()).env("AGENT_HOME", self.home()).stdin(Stdio::null());
        if let Some(url) = &self.url {
            command.env("AGENT_REGISTRY_URL", url);
        }
        command
    }

    /// A line to be typed; quotes keep words together as in a shell.
    pub(crate) fn typed(&self, line: &str) -> Command {
        let mut command = self.command();
        command.args(words(line));
        command
    }

    /// Types a line.
    pub(crate) fn agent(&self, line: &str) -> Ran {
        self.run(&mut self.typed(line))
    }

    /// Types a line, and gives it something on stdin.
    pub(crate) fn agent_with(&self, line: &str, input: &str) -> Ran {
        self.run_with(&mut self.typed(line), input)
    }

    /// As [`Self::run`], with something on stdin.
    pub(crate) fn run_with(&self, command: &mut Command, input: &str) -> Ran {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may end without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        self.ran(child.wait_with_output().unwrap())
    }

    pub(crate) fn run(&self, command: &mut Command) -> Ran {
        let output = command.output().unwrap();
        self.ran(output)
    }

    fn ran(&self, output: Output) -> Ran {
        let mut hide = vec![(self.path("").display().to_string().trim_end_matches('/').to_owned(), "[work]")];
        hide.push((self.home().display().to_string(), "[home]"));
        hide.extend(self.url.iter().map(|url| (url.trim_start_matches("http://").to_owned(), "[host]")));
        Ran {
            code: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            hide,
        }
    }
}

fn words(line: &str) -> Vec<String> {
    line.split('"')
        .enumerate()
        .flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

impl Ran {
    /// Insists on success.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }

    /// Insists on an exit code.
    pub(crate) fn failed(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The last line of stdout.
    pub(crate) fn last_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }

    fn shown(&self, text: &str) -> String {
        let text = self.hide.iter().fold(text.to_owned(), |text, (secret, name)| text.replace(secret, name));
        without_digests(&text)
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit {}", self.code)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "-- {name}\n{}", self.shown(text).trim_end())?;
            }
        }
        Ok(())
    }
}

/// Runs of at least twelve hexadecimal digits, of digests and image ids, do not concern a snapshot.
fn without_digests(text: &str) -> String {
    let mut shown = String::new();
    let mut run = String::new();
    for character in text.chars().chain(['\n']) {
        if character.is_ascii_digit() || ('a'..='f').contains(&character) {
            run.push(character);
            continue;
        }
        shown.push_str(if run.len() >= 12 { "[hex]" } else { &run });
        run.clear();
        shown.push(character);
    }
    shown
}

/// `agent registry serve` in a process of its own, ended with the value.
pub(crate) struct Registry {
    process: Process,
    pub(crate) url: String,
}

impl Registry {
    pub(crate) fn start() -> Self {
        Self::of(Process::spawn())
    }

    /// One over a data directory that outlives it.
    pub(crate) fn start_on(data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command.args(["registry", "serve", "--insecure-no-auth", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        Self::of(Process::start(command, tempfile::tempdir().unwrap()))
    }

    fn of(process: Process) -> Self {
        Self { url: format!("http://{}", process.host()), process }
    }

    /// Host and port, as in references.
    pub(crate) fn host(&self) -> &str {
        self.process.host()
    }

    /// Lets it end in order.
    pub(crate) fn stop(mut self) {
        let child = &mut self.process.child;
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        assert!(child.wait().unwrap().success());
    }
}

/// Every file below a folder with its content.
pub(crate) fn files(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = vec![];
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{} has files", root.display());
    found
}

/// An agent.yaml without a version, so that a tag gives it one.
pub(crate) const AGENT: &str = "apiVersion: agent.dev/v1\nkind: Agent\nmetadata:\n  name: my-agent\n  \
    description: Generates text\n  author: ai-team@example.com\nspec:\n  runtime: python\n  model: {provider: openai, \
    name: gpt-4}\n  capabilities: [text-generation, chat]\n";
