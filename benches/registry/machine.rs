//! What the figures were taken on.

use std::fmt;
use std::fs;
use std::process::Command;

use jiff::Timestamp;
use serde_json::{Value, json};

/// The machine, and how busy it was before the first work.
pub(crate) struct Machine {
    at: Timestamp,
    cores: usize,
    processor: String,
    kernel: String,
    commit: String,
    load: String,
}

impl Machine {
    /// Looks at it; what cannot be found out stays empty.
    pub(crate) fn look() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let info = read("/proc/cpuinfo");
        let processor = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let root = env!("CARGO_MANIFEST_DIR");
        let commit = Command::new("git").args(["-C", root, "describe", "--always", "--dirty"]).output();
        Self {
            at: Timestamp::now(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            processor: processor.map_or_else(String::new, |(_, name)| name.to_owned()),
            kernel: read("/proc/sys/kernel/osrelease"),
            commit: commit
                .map_or_else(|_| String::new(), |said| String::from_utf8_lossy(&said.stdout).trim().to_owned()),
            load: load(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "at": self.at.to_string(),
            "commit": self.commit,
            "cores": self.cores,
            "processor": self.processor,
            "kernel": self.kernel,
            "load_before": self.load,
            "load_after": load(),
        })
    }
}

/// Mean number of running processes in the last one, five and fifteen minutes.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, processor, kernel, load, commit, .. } = self;
        writeln!(f, "{commit} on {cores} cores of {processor}, Linux {kernel}; load average {load}")?;
        f.write_str("Client and servers share the cores, and others may use them too: what counts is the ratio.")
    }
}
