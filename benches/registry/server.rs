//! The servers: ours, the reference registry and nginx, each a process with a fresh folder on the same disk.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::bench::folder;
use crate::{process, programs};

/// How a server is asked whether it is there: so often, so far apart.
const TRIES: u32 = 400;
const PAUSE: Duration = Duration::from_millis(25);

/// Certificate and key, in files.
pub(crate) struct Certificate {
    pub(crate) pem: String,
    folder: TempDir,
}

impl Certificate {
    pub(crate) fn make() -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let (folder, pem) = (folder()?, made.cert.pem());
        fs::write(folder.path().join("cert.pem"), &pem)?;
        fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem())?;
        Ok(Self { pem, folder })
    }

    fn paths(&self) -> [String; 2] {
        ["cert.pem", "key.pem"].map(|name| self.folder.path().join(name).display().to_string())
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    child: Child,
    // Held for its drop, which comes after the process has ended.
    folder: Option<TempDir>,
}

impl Server {
    /// Our registry, as it is without a configuration but for the log, which says nothing of single requests.
    pub(crate) fn ours(certificate: Option<&Certificate>) -> Result<Self> {
        let folder = folder()?;
        let mut server = Self::ours_in(&folder.path().join("data"), certificate)?;
        server.folder = Some(folder);
        Ok(server)
    }

    /// Our registry over a data directory, for everybody.
    pub(crate) fn ours_in(data: &Path, certificate: Option<&Certificate>) -> Result<Self> {
        let paths = certificate.map(Certificate::paths);
        let mut flags = vec!["--insecure-no-auth"];
        if let Some([cert, key]) = &paths {
            flags.extend(["--tls-cert", cert, "--tls-key", key]);
        }
        Self::ours_over(data, &flags)
    }

    /// Our registry over a data directory, with further flags. It is bound when it has told its address.
    pub(crate) fn ours_over(data: &Path, flags: &[&str]) -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agent"));
        command.env_clear().args(["registry", "serve", "--listen", "127.0.0.1:0", "--log", "warn"]);
        command.args(flags).arg("--data").arg(data);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("our own binary")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let address = line.trim().rsplit('/').next().unwrap_or_default();
        let address = address.parse().with_context(|| format!("our registry said {line:?}"))?;
        Ok(Self { name: "agent registry", address, child, folder: None })
    }

    /// distribution, with its cache of descriptors and without a log of accesses.
    pub(crate) async fn distribution() -> Result<Self> {
        let (folder, address) = (folder()?, free_address()?);
        let config = folder.path().join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage:\n  \
             filesystem: {{rootdirectory: {}}}\n  cache: {{blobdescriptor: inmemory}}\n  delete: {{enabled: true}}\n  \
             maintenance: {{uploadpurging: {{enabled: false}}}}\nhttp: {{addr: \"{address}\", secret: bench}}\n",
            folder.path().join("data").display()
        );
        fs::write(&config, text)?;
        let mut command = Command::new(programs::pinned("distribution")?);
        // Without this it waits for a collector of traces.
        command.env_clear().env("OTEL_TRACES_EXPORTER", "none").arg("serve").arg(config);
        Self::reached("distribution", &mut command, address, folder).await
    }

    /// nginx with sendfile over the files of a folder.
    pub(crate) async fn nginx(files: &Path, certificate: Option<&Certificate>) -> Result<Self> {
        let (folder, address) = (folder()?, free_address()?);
        let tls = certificate.map_or_else(String::new, |certificate| {
            let [cert, key] = certificate.paths();
            format!("ssl_certificate {cert}; ssl_certificate_key {key};")
        });
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path temporary_{kind};\n"))
            .concat();
        let text = format!(
            "user root root;\nworker_processes 1;\ndaemon off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\n\
             http {{\n{temporary}access_log off;\nsendfile on;\ntcp_nopush on;\nkeepalive_requests 100000000;\n\
             server {{\nlisten {address}{};\nroot {};\n{tls}\n}}\n}}\n",
            if certificate.is_some() { " ssl" } else { "" },
            files.display()
        );
        fs::write(folder.path().join("nginx.conf"), text)?;
        let mut command = Command::new(programs::nginx()?);
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "stderr"]);
        Self::reached("nginx", &mut command, address, folder).await
    }

    /// Starts a server that listens where it is told to. It must live on: another may have that port.
    async fn reached(name: &'static str, command: &mut Command, address: SocketAddr, folder: TempDir) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.with_context(|| format!("cannot start {name}"))?;
        let mut server = Self { name, address, child, folder: Some(folder) };
        for _ in 0..TRIES {
            if let Some(status) = server.child.try_wait()? {
                bail!("{name} ended at once: {status}");
            }
            if TcpStream::connect(address).await.is_ok() {
                return Ok(server);
            }
            tokio::time::sleep(PAUSE).await;
        }
        bail!("{name} does not listen on {address}")
    }

    /// Processor seconds until now.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        process::cpu_seconds(self.child.id())
    }

    /// KiB written to the disk until now.
    pub(crate) fn written_kib(&self) -> Result<f64> {
        process::written_kib(self.child.id())
    }

    /// Memory in MiB: `VmRSS` now, `VmHWM` at most.
    pub(crate) fn memory(&self, key: &str) -> Result<f64> {
        process::memory(self.child.id(), key)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx ends its workers when it is asked to end, not when it is killed.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// A port nobody has at the moment.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
