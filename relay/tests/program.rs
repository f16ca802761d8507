//! The real program: what it refuses, what it answers, how it stops.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

const START_MAX: Duration = Duration::from_secs(20);
const STOP_MAX: Duration = Duration::from_secs(10);

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aramaki-relay"));
    command
        .env_clear()
        .arg("--config")
        .arg(folder.join("relay.toml"))
        .arg("--data")
        .arg(folder.join("data"));
    command
}

fn configure(folder: &Path, text: &str) {
    std::fs::write(folder.join("relay.toml"), text).unwrap();
}

fn output(folder: &Path, arguments: &[&str]) -> Output {
    command(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Free ports, everything on loopback.
const ANYWHERE: &str = "
[peer]
bind = \"127.0.0.1:0\"
[transport]
bind = \"127.0.0.1:0\"
[status]
bind = \"127.0.0.1:0\"
";

/// A running relay; killed if a test fails before it stops.
struct Running {
    child: Child,
    log: std::thread::JoinHandle<String>,
    status: SocketAddr,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let mut child = command(folder)
            .arg("run")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (started, starting) = std::sync::mpsc::channel();
        let log = std::thread::Builder::new()
            .name("relay log".to_owned())
            .spawn(move || {
                let mut all = String::new();
                for line in stderr.lines().map_while(Result::ok) {
                    if let Some((_, rest)) = line.split_once("status=") {
                        let address = rest.split_whitespace().next().unwrap_or_default();
                        drop(started.send(address.parse()));
                    }
                    all = all + &line + "\n";
                }
                all
            })
            .unwrap();
        let Ok(Ok(status)) = starting.recv_timeout(START_MAX) else {
            drop(child.kill());
            drop(child.wait());
            panic!("not started: {}", log.join().unwrap());
        };
        Self { child, log, status }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.status).unwrap();
        stream.set_read_timeout(Some(STOP_MAX)).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&self, name: &str) {
        let killed = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
    }

    fn wait(mut self) -> (ExitStatus, String) {
        let until = Instant::now() + STOP_MAX;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, self.log.join().unwrap());
            }
            if Instant::now() > until {
                drop(self.child.kill());
                drop(self.child.wait());
                panic!(
                    "still running after {STOP_MAX:?}: {}",
                    self.log.join().unwrap()
                );
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

#[test]
fn wrong_configuration_names_file_line_and_field_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "[quotas]\nspace_bytes = \"much\"\n");
    for arguments in [&["run"][..], &["config", "check"], &["id"]] {
        let refused = output(folder.path(), arguments);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
        let error = text(&refused.stderr);
        assert!(
            error.contains("relay.toml:2:15: quotas.space_bytes: "),
            "{error}"
        );
        assert!(
            error.contains("error A-301: ") && error.contains("hint: "),
            "{error}"
        );
        assert!(
            !folder.path().join("data").exists(),
            "{arguments:?} made something"
        );
    }
}

#[test]
fn certificate_files_are_looked_at_by_config_check() {
    let folder = tempfile::tempdir().unwrap();
    let tls = |certificate: &str| {
        format!(
            "[transport.tls]\nbind = \"127.0.0.1:0\"\ncertificate = \"{certificate}\"\nkey = \"/nowhere/a.key\"\n"
        )
    };
    configure(folder.path(), &tls("/nowhere/a.crt"));
    let refused = output(folder.path(), &["config", "check"]);
    assert_eq!(refused.status.code(), Some(1));
    let error = text(&refused.stderr);
    assert!(
        error.contains("transport.tls.certificate: cannot read /nowhere/a.crt: "),
        "{error}"
    );
    configure(
        folder.path(),
        &tls("/run/credentials/aramaki-relay.service/a.crt"),
    );
    let told = output(folder.path(), &["config", "check"]);
    assert!(told.status.success(), "{}", text(&told.stderr));
    let told = text(&told.stdout);
    assert!(
        told.contains("note: not checked, the service alone has it: transport.tls.certificate"),
        "{told}"
    );
}

#[test]
fn named_configuration_that_is_missing_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let refused = output(folder.path(), &["config", "check"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("relay.toml"));
}

#[test]
fn wrong_command_line_is_exit_2_and_help_is_exit_0() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(output(folder.path(), &["rum"]).status.code(), Some(2));
    let help = output(folder.path(), &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help.stdout).contains("config"));
    let completions = output(folder.path(), &["completions", "bash"]);
    assert!(text(&completions.stdout).contains("aramaki-relay"));
}

#[test]
fn id_is_the_same_at_every_call() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "[peer]\nadvertise = [\"192.0.2.7:7410\"]\n");
    let first = output(folder.path(), &["id", "--json"]);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let said: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(said["schema"], 1);
    assert_eq!(said["author"].as_str().unwrap().len(), 64);
    assert_eq!(said["addresses"][0], "192.0.2.7:7410");
    assert!(
        said["address"]
            .as_str()
            .unwrap()
            .ends_with("@192.0.2.7:7410")
    );
    assert_eq!(
        output(folder.path(), &["id", "--json"]).stdout,
        first.stdout
    );
}

/// A relay whose key others could have read does not start with it, says which file that is, and leaves it as it was.
#[cfg(unix)]
#[test]
fn a41_a_relay_does_not_start_with_a_key_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), ANYWHERE);
    let own = output(folder.path(), &["id"]).stdout;
    let key = folder.path().join("data/device.key");
    let set = |mode| {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o644, 0o640, 0o604] {
        set(mode);
        let refused = output(folder.path(), &["run"]);
        let error = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{mode:o}: {error}");
        assert!(error.contains("device.key"), "{mode:o}: {error}");
    }
    set(0o600);
    assert_eq!(output(folder.path(), &["id"]).stdout, own);
}

#[test]
fn healthz_and_metrics_answer_and_other_paths_do_not() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), ANYWHERE);
    let relay = Running::start(folder.path());
    let health = relay.get("/healthz");
    assert!(
        health.starts_with("HTTP/1.1 200 ") && health.ends_with("\r\n\r\nok\n"),
        "{health}"
    );
    let metrics = relay.get("/metrics");
    assert!(metrics.contains("text/plain; version=0.0.4"), "{metrics}");
    assert!(metrics.contains("\naramaki_relay_spaces 0\n"), "{metrics}");
    assert!(
        metrics.contains("\naramaki_transport_clients "),
        "{metrics}"
    );
    assert!(relay.get("/").starts_with("HTTP/1.1 404 "));
    relay.signal("TERM");
    relay.wait();
}

#[test]
fn both_signals_stop_it_in_order_and_it_starts_again_as_the_same_relay() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), ANYWHERE);
    let identity = output(folder.path(), &["id"]).stdout;
    for signal in ["TERM", "INT"] {
        let relay = Running::start(folder.path());
        // An idle keep-alive connection must not hold it up.
        let idle = TcpStream::connect(relay.status).unwrap();
        relay.signal(signal);
        let (status, log) = relay.wait();
        drop(idle);
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("relay stopped"), "{log}");
        let errors = log.lines().find(|line| line.contains("ERROR"));
        assert_eq!(errors, None, "{log}");
        assert_eq!(output(folder.path(), &["id"]).stdout, identity);
    }
}

#[test]
fn taken_status_address_is_named_and_nothing_runs() {
    let folder = tempfile::tempdir().unwrap();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    let moved = ANYWHERE.replace(
        "[status]\nbind = \"127.0.0.1:0\"",
        &format!("[status]\nbind = \"{taken}\""),
    );
    configure(folder.path(), &moved);
    let refused = output(folder.path(), &["run"]);
    assert_eq!(refused.status.code(), Some(1));
    let error = text(&refused.stderr);
    assert!(
        error.contains(&taken) && error.contains("error A-306: "),
        "{error}"
    );
}
