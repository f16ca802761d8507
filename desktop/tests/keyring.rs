//! The key of a device in a real keyring: a session bus and GNOME Keyring of its own.
//!
//! Needs `dbus-daemon` and `gnome-keyring-daemon`. `.ci/run keyring` runs it.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

#[path = "session/bus.rs"]
mod bus;
#[path = "verbs/program.rs"]
#[allow(dead_code, reason = "what the other verbs' tests need of it")]
mod program;

use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};

use bus::Bus;
use program::{Aramaki, error_of, text, wait_for};
use serde_json::Value;

/// A desktop session without a desktop: a bus, and a keyring that is open.
struct Session {
    keyring: Child,
    bus: Bus,
}

impl Session {
    fn start(aramaki: &Aramaki) -> Self {
        let bus = Bus::start(aramaki);
        let run = aramaki.path("run");
        std::fs::create_dir_all(&run).unwrap();
        let mut keyring = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
            .env("HOME", aramaki.path("home"))
            .env("XDG_DATA_HOME", aramaki.path("home/share"))
            .env("XDG_RUNTIME_DIR", &run)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        keyring
            .stdin
            .take()
            .unwrap()
            .write_all(b"the session's password")
            .unwrap();
        Self { keyring, bus }
    }

    fn run(&self, aramaki: &Aramaki, arguments: &[&str]) -> Output {
        aramaki
            .command("data", &[arguments, &["--json"]].concat())
            .env("DBUS_SESSION_BUS_ADDRESS", self.bus.address())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn json(&self, aramaki: &Aramaki, arguments: &[&str]) -> Value {
        let output = self.run(aramaki, arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_str(&text(&output.stdout)).unwrap()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.keyring.kill());
        drop(self.keyring.wait());
    }
}

#[test]
fn a_key_in_the_keyring_opens_in_the_session_and_nowhere_else() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    assert_eq!(aramaki.json(&["key", "show"])["sealed"], "no");
    let file = std::path::PathBuf::from(aramaki.path("data")).join("device.key");
    let plain = std::fs::read_to_string(&file).unwrap();
    let without = aramaki.refused(&["key", "seal", "--keyring"], 1);
    assert_eq!(without["code"], "A-127", "{without}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), plain);

    let session = Session::start(&aramaki);
    wait_for("the keyring is there", || {
        let sealed = session.run(&aramaki, &["key", "seal", "--keyring"]);
        sealed.status.success().then_some(())
    });
    assert_eq!(
        session.json(&aramaki, &["key", "show"])["sealed"],
        "keyring"
    );
    assert_ne!(std::fs::read_to_string(&file).unwrap(), plain);
    let list = session.json(&aramaki, &["system", "list"]);
    assert_eq!(list["systems"][0]["title"], "Webshop");
    // Twice is once: another passphrase in the keyring alone would open nothing.
    session.json(&aramaki, &["key", "seal", "--keyring"]);
    session.json(&aramaki, &["status"]);

    let outside = aramaki.run(&["system", "list", "--json"]);
    assert_eq!(error_of(&outside, 1)["code"], "A-120");
    let new = aramaki.path("passphrase");
    std::fs::write(&new, "a passphrase to type\n").unwrap();
    let seal = ["key", "seal", "--new-passphrase-file", &new];
    session.json(&aramaki, &seal);
    let shown = session.json(&aramaki, &["key", "show"]);
    assert_eq!(shown["sealed"], "passphrase", "the keyring forgot its own");
    aramaki.json(&["system", "list", "--passphrase-file", &new]);
    aramaki.json(&["key", "unseal", "--passphrase-file", &new]);
    aramaki.json(&["system", "list"]);
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        plain,
        "the same key"
    );
}
