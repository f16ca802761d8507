//! What a relay knows: markers in everything that people and agents say are on its disk and in its memory
//! nowhere. As root, with the real program: its memory is read while it works.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_tests::{Agent, Host, Person, Relay, eventually};

const LOOPBACK: &str = "127.0.0.1";
const LIMIT: Duration = Duration::from_mins(1);

fn holds(bytes: &[u8], marker: &[u8]) -> bool {
    bytes.windows(marker.len()).any(|window| window == marker)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_relay_holds_nothing_of_what_is_said_on_disk_or_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let relay = Relay::start(Host::here(), &at("relay"), &at("relay/data"), LOOPBACK);
    let person = Person::new(Host::here(), &at("person"));
    // Words that occur nowhere else, so that finding one means that it came through.
    let [title, purpose, note, text, label, output, reason] = [
        "zitronenfalter",
        "quittenbrot",
        "wolkenkuckuck",
        "haselmausnest",
        "drosselbart",
        "mondkalbfleisch",
        "siebenschlaefer",
    ];
    let add = ["system", "add", title, "--purpose", purpose];
    let space = person.word(&add, "id");
    person.json(&["note", "add", title, "--title", note, "--text", text]);
    relay.serve(&person);
    let mut agent = Agent::new(Host::here(), &at("agent"), &at("agent/data"));
    let invite = ["agent", "invite", title, "--name", label];
    agent.redeem(&person.word(&invite, "invitation"));
    agent.allow(output, "exit 0", "approvals = 0");
    agent.start();
    eventually("what the host allows is known", LIMIT, || {
        person.online("1s");
        let listed = person.json(&["action", "list", title]);
        listed.to_string().contains(output)
    });
    let own = person.word(&["peers"], "this_device");
    person.json(&["action", "allow", title, label, &own, "--action", output]);
    let ask = [
        "action", "request", title, label, output, "--reason", reason,
    ];
    let ran = person.json(&ask);
    assert_eq!(ran["result"]["exit"], 0, "{ran}");

    let memory = relay.memory();
    let id = u8s(&space);
    assert!(
        holds(&memory, &id),
        "the Space's id is found: this looks at the right place"
    );
    let kept: Vec<(PathBuf, Vec<u8>)> = files(relay.data())
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    assert!(kept.iter().any(|(_path, bytes)| holds(bytes, &id)));
    for marker in [title, purpose, note, text, label, output, reason] {
        assert!(
            !holds(&memory, marker.as_bytes()),
            "{marker} is in the relay's memory"
        );
        for (path, bytes) in &kept {
            assert!(
                !holds(bytes, marker.as_bytes()),
                "{marker} is in {}",
                path.display()
            );
        }
        assert!(
            !relay.log().contains(marker),
            "{marker} is in the relay's log"
        );
    }
}

/// Bytes from hexadecimal digits.
fn u8s(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
