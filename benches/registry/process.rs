//! What the system says of a process: processor time, memory, and what it wrote.

use std::fs;

use anyhow::{Context as _, Result};

/// Ticks a second in `/proc/PID/stat`; the same on every Linux that people run.
const TICKS: f64 = 100.0;

/// Processor seconds of all threads of a process and of the processes it started.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("no process {pid}"))?;
    // The name stands in brackets and may hold anything; what comes after the last bracket is plain.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<u32>().ok()).context("no such field");
    let own = f64::from(ticks(11)? + ticks(12)?) / TICKS;
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    children.split_whitespace().try_fold(own, |sum, child| Ok(sum + cpu_seconds(child.parse()?)?))
}

/// Bytes a process has had written to the disk, in KiB.
pub(crate) fn written_kib(pid: u32) -> Result<f64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).context("no such line")?;
    let kib = bytes.parse::<u64>()? / 1024;
    Ok(f64::from(u32::try_from(kib)?))
}

/// Memory in MiB, `VmRSS` (now) or `VmHWM` (at most until now).
pub(crate) fn memory(pid: u32, key: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).context("no such line")?;
    let kib: u32 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(f64::from(kib) / 1024.0)
}
