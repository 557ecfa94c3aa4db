//! A server as a process of its own: started on a free port, reached by the address it announces, ended with its owner.

use std::io::{BufRead, BufReader, PipeReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// How long a server may take until it answers.
const START: Duration = Duration::from_mins(1);

/// A running server, with a folder that goes when it does.
pub(crate) struct Process {
    pub(crate) child: Child,
    host: String,
    // Held for its drop, which comes after the process has ended.
    _folder: TempDir,
}

impl Process {
    /// Our own registry: the real binary, with a fresh data directory.
    pub(crate) fn spawn() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command
            .args(["registry", "serve", "--insecure-no-auth", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"));
        Self::start(command, folder)
    }

    /// Starts any server, and waits until it names, on stdout or in its log, the port of 127.0.0.1 it listens on.
    pub(crate) fn start(mut command: Command, folder: TempDir) -> Self {
        let (output, input) = std::io::pipe().expect("a pipe");
        command.stdin(Stdio::null()).stdout(input.try_clone().expect("a pipe")).stderr(input);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let told = format!("{command:?}");
        // It holds the writing end, and an end of the output would never be seen.
        drop(command);
        // From here on the process ends also when the test fails.
        let mut process = Self { child, host: String::new(), _folder: folder };
        let log = Arc::new(Mutex::new(vec![]));
        let host = announced(output, Arc::clone(&log)).recv_timeout(START);
        process.host = host.unwrap_or_else(|error| {
            let log = log.lock().expect("the log").join("\n");
            panic!("{told} did not say where it listens, {error}:\n{log}")
        });
        process
    }

    /// Host and port, as references name it.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to tell then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first address in the output. All of it is read: a server must not wait for a reader of its log.
fn announced(output: PipeReader, log: Arc<Mutex<Vec<String>>>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut sender = Some(sender);
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some(host) = host_in(&line)
                && let Some(sender) = sender.take()
            {
                // Nobody listens any more when it took too long.
                let _ = sender.send(host);
            }
            if sender.is_some() {
                log.lock().expect("the log").push(line);
            }
        }
    });
    receiver
}

fn host_in(line: &str) -> Option<String> {
    let (_, after) = line.split_once("127.0.0.1:")?;
    let port: String = after.chars().take_while(char::is_ascii_digit).collect();
    port.parse::<u16>().ok().filter(|port| *port > 0).map(|port| format!("127.0.0.1:{port}"))
}
