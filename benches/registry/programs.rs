//! The other programs: found where they are installed, installed where that is ours to do.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// A client or server that the tests use too, in the version they pin; built where it is missing.
pub(crate) fn pinned(name: &str) -> Result<PathBuf> {
    let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/install");
    let output = Command::new(install).arg(name).output().context("cannot run tests/clients/install")?;
    if !output.status.success() {
        bail!("{name} cannot be installed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}

/// The machine's nginx.
pub(crate) fn nginx() -> Result<PathBuf> {
    const PLACES: [&str; 4] = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx", "/usr/local/bin/nginx"];
    let find = || PLACES.iter().map(PathBuf::from).find(|path| path.is_file());
    if let Some(path) = find() {
        return Ok(path);
    }
    let id = Command::new("id").arg("-u").output()?.stdout;
    // Only for root on Debian, as in a container; nobody's own computer is changed unasked.
    if id.trim_ascii() != b"0" || !Path::new("/usr/bin/apt-get").exists() {
        bail!("nginx is not installed, and blobs are compared with it: install it with the system's package manager");
    }
    let mut install = Command::new("apt-get");
    // With run level 1 the package does not start a server of its own.
    install.env("RUNLEVEL", "1").env("DEBIAN_FRONTEND", "noninteractive");
    let output = install.args(["install", "-qq", "-y", "--no-install-recommends", "nginx-light"]).output()?;
    find().with_context(|| {
        format!("nginx cannot be installed (apt-get update may help): {}", String::from_utf8_lossy(&output.stderr))
    })
}

/// Runs a program that must succeed.
pub(crate) fn ok(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
