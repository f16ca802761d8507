//! A relay on a host.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use serde_json::Value;

use crate::{Host, Person, Running, eventually, program};

const START_MAX: Duration = Duration::from_secs(20);
const STOP_MAX: Duration = Duration::from_secs(20);
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// A relay; it may be stopped and started.
#[derive(Debug)]
pub struct Relay {
    host: Host,
    folder: PathBuf,
    data: PathBuf,
    status: SocketAddr,
    running: Option<Running>,
}

impl Relay {
    /// Configures and starts one that listens at `ip`, ports 7410 (peers) and 7480 (transport).
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(host: Host, folder: &Path, data: &Path, ip: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let config = format!(
            "[peer]\nbind = \"{ip}:7410\"\nadvertise = [\"{ip}:7410\"]\n\
             [transport]\nbind = \"{ip}:7480\"\nurl = \"http://{ip}:7480\"\n\
             [status]\nbind = \"127.0.0.1:7481\"\n"
        );
        std::fs::write(folder.join("relay.toml"), config).unwrap();
        let mut relay = Self {
            host,
            folder: folder.to_owned(),
            data: data.to_owned(),
            status: SocketAddr::from(([127, 0, 0, 1], 7481)),
            running: None,
        };
        relay.restart();
        relay
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.host.command(program("aramaki-relay"));
        command
            .arg("--config")
            .arg(self.folder.join("relay.toml"))
            .arg("--data")
            .arg(&self.data)
            .args(arguments);
        command
    }

    /// Everything that its process has in memory now, as the system shows it to root.
    ///
    /// # Panics
    /// When it does not run, or its memory cannot be read.
    pub fn memory(&self) -> Vec<u8> {
        use std::io::{Seek as _, SeekFrom};
        let pid = self.running.as_ref().unwrap().id();
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let mut file = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
        let mut memory = Vec::new();
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (range, rights) = (words.next().unwrap(), words.next().unwrap());
            // Its program and libraries hold nothing of anybody; what it wrote itself is writable.
            if !rights.starts_with("rw") || line.ends_with("[vvar]") {
                continue;
            }
            let (from, to) = range.split_once('-').unwrap();
            let (from, to) = (hexadecimal(from), hexadecimal(to));
            let mut part = vec![0; usize::try_from(to - from).unwrap()];
            file.seek(SeekFrom::Start(from)).unwrap();
            if file.read_exact(&mut part).is_ok() {
                memory.extend(part);
            }
        }
        memory
    }

    /// Where it keeps what it stores.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Starts it again.
    ///
    /// # Panics
    /// When it does not say that it is ready.
    pub fn restart(&mut self) {
        let log = self.folder.join("relay.log");
        let before = std::fs::read_to_string(&log).map_or(0, |text| text.len());
        let running = Running::start(self.command(&["run"]), &log);
        let ready = format!("status={}", self.status);
        eventually("the relay is ready", START_MAX, || {
            running
                .log()
                .get(before..)
                .is_some_and(|new| new.contains(&ready))
        });
        self.running = Some(running);
    }

    /// `kill -9`.
    ///
    /// # Panics
    /// When it had ended already.
    pub fn kill(&mut self) {
        self.running.take().unwrap().kill();
    }

    /// Stops it in good order.
    ///
    /// # Panics
    /// When it does not stop.
    pub fn stop(&mut self) -> ExitStatus {
        self.running.take().unwrap().stop(STOP_MAX)
    }

    /// What it said on standard error.
    ///
    /// # Panics
    /// When it said nothing at all.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("relay.log")).unwrap()
    }

    /// Lets all that this person administers be stored here.
    ///
    /// # Panics
    /// When a verb fails.
    pub fn serve(&self, person: &Person) {
        let output = self.command(&["id", "--json"]).output().unwrap();
        let id: Value = serde_json::from_slice(&output.stdout).unwrap();
        let word = |field: &str| id[field].as_str().unwrap().to_owned();
        person.json(&["relay", "add", &word("author"), &word("address")]);
    }

    /// The status code of `/healthz`, asked on this machine's loopback.
    ///
    /// # Panics
    /// When the relay does not answer at all.
    pub fn health(&self) -> u16 {
        let mut stream = TcpStream::connect_timeout(&self.status, ANSWER_MAX).unwrap();
        stream.set_read_timeout(Some(ANSWER_MAX)).unwrap();
        write!(
            stream,
            "GET /healthz HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

fn hexadecimal(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap()
}
