//! Whatever is logged, no key, passphrase or code is in it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;

use crate::program::{Aramaki, Process, text};

const PASSPHRASES: [&str; 3] = [
    "kit passphrase zitronenfalter",
    "emergency passphrase quittenbrot",
    "device passphrase wolkenkuckuck",
];

/// Programs that log everything, and what must not be in it.
struct Watched {
    aramaki: Aramaki,
    secrets: Vec<String>,
    logged: String,
}

impl Watched {
    /// Runs a verb that logs all it can; its answer, which may be a secret itself.
    fn run(&mut self, data: &str, verb: &[&str]) -> serde_json::Value {
        let mut command = self
            .aramaki
            .command(data, &[verb, &["--json", "--log", "trace"]].concat());
        let output = command.stdin(Stdio::null()).output().unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{verb:?}\n{err}");
        self.logged.push_str(&err);
        serde_json::from_str(&out).unwrap()
    }

    /// A code is a secret, with its prefix and without.
    fn code(&mut self, data: &str, verb: &[&str]) -> String {
        let made = self.run(data, verb);
        let code = made["invitation"].as_str().or(made["code"].as_str());
        let code = code.unwrap().to_owned();
        self.secrets.push(code.clone());
        self.secrets.push(code[code.len() - 40..].to_owned());
        code
    }

    /// The seed in a key file that is not sealed, as text and as programs print bytes.
    fn key(&mut self, file: &Path) {
        let text = std::fs::read_to_string(file).unwrap();
        let base64 = text.lines().nth(1).unwrap();
        let seed = data_encoding::BASE64.decode(base64.as_bytes()).unwrap();
        assert_eq!(seed.len(), 32, "{}", file.display());
        let list: Vec<String> = seed[..8].iter().map(ToString::to_string).collect();
        self.secrets.extend([
            base64.to_owned(),
            data_encoding::HEXLOWER.encode(&seed),
            data_encoding::HEXUPPER.encode(&seed),
            list.join(", "),
        ]);
    }

    /// Everything in files below a folder whose name says that it is a log.
    fn files(&mut self, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.files(&path);
            } else if is_log(&path) {
                let bytes = std::fs::read(&path).unwrap();
                self.logged.push_str(&String::from_utf8_lossy(&bytes));
            }
        }
    }
}

fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "log")
}

/// A hidden verb of the demo, which is a whole relay or agent, that logs all it can into a file.
fn logging(aramaki: &Aramaki, data: &str, verb: &[&str]) -> std::process::Command {
    let log = std::fs::File::create(aramaki.path(&format!("{data}.log"))).unwrap();
    let mut command = aramaki.command(data, verb);
    command.env("ARAMAKI_LOG", "trace").stderr(log);
    command
}

#[expect(clippy::too_many_lines, reason = "one story: each secret is used once")]
#[test]
fn no_key_passphrase_or_code_is_logged_by_any_program() {
    let mut watched = Watched {
        aramaki: Aramaki::without_workspace(),
        secrets: PASSPHRASES.map(str::to_owned).to_vec(),
        logged: String::new(),
    };
    let path = |name: &str| watched.aramaki.path(name);
    let [kit, envelope, shares] = ["kit", "envelope", "shares"].map(path);
    let files = ["kit-phrase", "emergency-phrase", "device-phrase"].map(path);
    for (file, passphrase) in files.iter().zip(PASSPHRASES) {
        std::fs::write(file, passphrase).unwrap();
    }
    std::fs::create_dir(&shares).unwrap();
    let [kit_phrase, emergency_phrase, device_phrase] = &files;
    let ports = [
        "demo-relay",
        "--peer-port",
        "0",
        "--transport-port",
        "0",
        "--status-port",
        "0",
    ];
    let (relay, ready) = Process::start(logging(&watched.aramaki, "relay", &ports), None);
    let card = &ready["ready"]["relay"];
    let (author, address) = (
        card["author"].as_str().unwrap(),
        card["address"].as_str().unwrap(),
    );
    watched.run(
        "data",
        &[
            "init",
            "--name",
            "duty operator",
            "--recovery-kit",
            &kit,
            "--kit-passphrase-file",
            kit_phrase,
            "--emergency-passphrase-file",
            emergency_phrase,
        ],
    );
    watched.run("data", &["system", "add", "Webshop"]);
    watched.run("data", &["relay", "add", author, address]);
    let code = watched.code("data", &["share", "Webshop", "--can", "write"]);
    watched.run("guest", &["init", "--name", "guest", "--no-recovery-kit"]);
    watched.run("guest", &["join", &code]);
    let invite = ["agent", "invite", "Webshop", "--name", "web1"];
    let seat = watched.code("data", &invite);
    let order = json!({"start": {"seats": [{"system": "observed", "invitation": seat}]}});
    let agent = logging(&watched.aramaki, "agents", &["demo-agent"]);
    let (agent, started) = Process::start(agent, Some(&order));
    assert_eq!(started["started"]["agents"], 1, "{started}");
    watched.code("data", &["device", "add"]);
    watched.run(
        "data",
        &["recovery-kit", &kit, "--emergency-envelope", &envelope],
    );
    watched.run(
        "data",
        &[
            "recovery-shares",
            &kit,
            "--of",
            "3",
            "--need",
            "2",
            "--folder",
            &shares,
            "--kit-passphrase-file",
            kit_phrase,
        ],
    );
    let recover = ["recover", &kit, "--kit-passphrase-file", kit_phrase];
    watched.run("new", &recover);
    watched.run(
        "oncall",
        &[
            "emergency",
            &envelope,
            "--reason",
            "to see what is logged",
            "--name",
            "on call",
            "--emergency-passphrase-file",
            emergency_phrase,
        ],
    );
    for data in ["data", "guest", "oncall"] {
        let file = PathBuf::from(watched.aramaki.path(data)).join("device.key");
        watched.key(&file);
    }
    watched.run(
        "guest",
        &["key", "seal", "--new-passphrase-file", device_phrase],
    );
    watched.run("guest", &["status", "--passphrase-file", device_phrase]);
    drop((agent, relay));
    let folder = PathBuf::from(watched.aramaki.path(""));
    watched.files(&folder);

    // The test looks where something is.
    for module in ["aramaki_sync", "TRACE", "DEBUG"] {
        assert!(watched.logged.contains(module), "nothing of {module}");
    }
    for secret in &watched.secrets {
        assert!(!secret.is_empty());
        let at = watched.logged.find(secret.as_str());
        let around = at.map(|at| watched.logged[..at].lines().next_back());
        assert_eq!(around, None, "a secret follows");
    }
}
