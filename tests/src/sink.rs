//! Real servers of mail and the web, for what notifiers send.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::{Host, Running, eventually};

const START_MAX: Duration = Duration::from_secs(90);

/// Mail servers and a web server that take messages and write them down.
#[derive(Debug)]
pub struct Sink {
    _running: Running,
    out: PathBuf,
    ports: Value,
}

impl Sink {
    /// Starts them on a host, with a certificate of their own in the folder.
    ///
    /// # Panics
    /// Without openssl or aiosmtpd.
    pub fn start(host: &Host, folder: &Path) -> Self {
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ])
            .args([
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(folder.join("key.pem"))
            .arg("-out")
            .arg(folder.join("cert.pem"))
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let (script, out) = (folder.join("sink.py"), folder.join("sink.jsonl"));
        std::fs::write(&script, include_str!("sink.py")).unwrap();
        let mut command = host.command("/usr/bin/python3");
        command.arg(&script).arg(folder).arg(&out);
        let running = Running::start(command, &folder.join("sink.log"));
        let mut sink = Self {
            _running: running,
            out,
            ports: Value::Null,
        };
        eventually("the servers listen", START_MAX, || {
            sink.ports = sink.seen("ports").first().cloned().unwrap_or_default();
            !sink.ports.is_null()
        });
        sink
    }

    /// What it took of a kind, `mail` or `web`, in order.
    ///
    /// # Panics
    /// When it wrote something else than JSON.
    pub fn seen(&self, kind: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.out).unwrap_or_default();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["kind"] == kind).collect()
    }

    /// Where one of them listens on its loopback: `starttls`, `implicit`, `plain` or `web`.
    ///
    /// # Panics
    /// When there is no such server.
    pub fn port(&self, server: &str) -> u16 {
        let port = self.ports[server].as_u64().unwrap();
        u16::try_from(port).unwrap()
    }
}
