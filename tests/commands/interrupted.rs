//! Ctrl-C in the middle of a transfer: an exit code of its own, and nothing left behind.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use agent_registry::oci::Digest;

use crate::sandbox::{AGENT, Sandbox};

/// A registry that has nothing, and falls silent at the first byte of an upload. The receiver hears when it does.
fn silent() -> (String, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let (sender, uploads) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            if first.starts_with("POST ") {
                // Kept open by the receiver.
                let _ = sender.send(stream);
                continue;
            }
            lines.find(String::is_empty);
            // The client may have left.
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        }
    });
    (host, uploads)
}

/// Bytes no compressor makes smaller, so that the packed tree is a file rather than held in memory.
fn noise(length: usize) -> Vec<u8> {
    let mut block = Digest::sha256(b"").hex();
    let mut bytes = vec![];
    while bytes.len() < length {
        block = Digest::sha256(block.as_bytes()).hex();
        bytes.extend_from_slice(block.as_bytes());
    }
    bytes
}

#[test]
fn an_interrupted_push_leaves_no_temporary_file() {
    let (host, uploads) = silent();
    let sandbox = Sandbox::new();
    sandbox.write("my-agent/agent.yaml", AGENT);
    fs::write(sandbox.path("my-agent/noise"), noise(4 * 1024 * 1024)).unwrap();
    let temporary = sandbox.path("temporary");
    fs::create_dir(&temporary).unwrap();
    let mut push = sandbox.command();
    push.env("TMPDIR", &temporary).args(["push", &format!("{host}/team/my-agent:1.0.0")]);
    let child = push.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();

    let _open = uploads.recv().unwrap();
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 1, "the packed tree");
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(!told.contains("panicked"), "{told}");
    assert!(told.ends_with("error: interrupted\n") && output.stdout.is_empty(), "{told}");
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}
