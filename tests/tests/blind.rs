//! What a relay knows: markers in everything that people and agents say are on its disk and in its memory
//! nowhere; and what relays and agents log. As root, with the real programs: memory is read while they work.

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
    let markers = [
        "zitronenfalter",
        "quittenbrot",
        "wolkenkuckuck",
        "haselmausnest",
        "drosselbart",
        "mondkalbfleisch",
        "siebenschlaefer",
        "blaubeerkuchen",
        "pusteblume",
        "kaulquappe",
    ];
    let [
        title,
        purpose,
        note,
        text,
        name,
        action,
        reason,
        label,
        found,
        printed,
    ] = markers;
    let add = ["system", "add", title, "--purpose", purpose];
    let space = person.word(&add, "id");
    person.json(&["note", "add", title, "--title", note, "--text", text]);
    // What is imported has labels.
    let nagios = at("site.cfg");
    let config = format!("define host {{\n host_name shop\n address {label}\n}}\n");
    std::fs::write(&nagios, config).unwrap();
    let nagios = nagios.display().to_string();
    person.json(&["import", "nagios", &nagios, "--yes"]);
    relay.serve(&person);
    let mut agent = Agent::new(Host::here(), &at("agent"), &at("agent/data"));
    let invite = ["agent", "invite", title, "--name", name];
    agent.redeem(&person.word(&invite, "invitation"));
    agent.allow(action, &format!("echo {printed}"), "approvals = 0");
    // The check prints what its file says.
    std::fs::write(at("agent/state"), format!("0 {found}\n")).unwrap();
    let plugin = "#!/bin/sh\nread code said < \"$1\"\necho \"$said\"\nexit \"$code\"\n";
    std::fs::write(at("agent/check_state"), plugin).unwrap();
    agent.start();
    eventually("what the host allows is known", LIMIT, || {
        person.online("1s");
        let listed = person.json(&["action", "list", title]);
        listed.to_string().contains(action)
    });
    let own = person.word(&["peers"], "this_device");
    person.json(&["action", "allow", title, name, &own, "--action", action]);
    let ask = ["action", "request", title, name, action, "--reason", reason];
    let ran = person.json(&ask);
    assert_eq!(ran["result"]["exit"], 0, "{ran}");
    // All of it reached the person through the relay.
    eventually("what the check printed arrives", LIMIT, || {
        person.online("1s");
        let shown = person.json(&["system", "show", title]).to_string();
        shown.contains(found)
    });
    assert!(ran.to_string().contains(printed), "{ran}");
    let imported = person.json(&["system", "show", "shop"]);
    assert!(imported["labels"].to_string().contains(label), "{imported}");

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
    for marker in markers {
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

/// The real relay and the real agent log all they can: the agent joins, runs an action and starts again, a
/// guest joins through the relay. No key and no code is in what they logged, whole or in part.
#[test]
fn no_relay_and_no_agent_logs_a_key_or_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let chatty = || Host::here().logging("trace");
    let mut relay = Relay::start(chatty(), &at("relay"), &at("relay/data"), LOOPBACK);
    let person = Person::new(Host::here(), &at("person"));
    person.json(&["system", "add", "Webshop"]);
    relay.serve(&person);
    let mut agent = Agent::new(chatty(), &at("agent"), &at("agent/data"));
    let invite = ["agent", "invite", "Webshop", "--name", "web1"];
    let seat = person.word(&invite, "invitation");
    agent.redeem(&seat);
    agent.allow("flush", "exit 0", "approvals = 0");
    agent.start();
    eventually("what the host allows is known", LIMIT, || {
        person.online("1s");
        let listed = person.json(&["action", "list", "Webshop"]);
        listed.to_string().contains("flush")
    });
    let own = person.word(&["peers"], "this_device");
    let allow = [
        "action", "allow", "Webshop", "web1", &own, "--action", "flush",
    ];
    person.json(&allow);
    let ask = [
        "action",
        "request",
        "Webshop",
        "web1",
        "flush",
        "--reason",
        "it is old",
    ];
    assert_eq!(person.json(&ask)["result"]["exit"], 0);
    let code = person.word(&["share", "Webshop", "--can", "write"], "invitation");
    let guest = Person::new(Host::here(), &at("guest"));
    let joined = guest.json(&["join", &code]);
    assert_eq!(joined["complete"], true, "{joined}");
    // What is read at the start is logged at the start.
    agent.kill();
    agent.start();
    relay.kill();
    relay.restart();
    agent.observe(2);
    eventually("what the agent saw after that arrives", LIMIT, || {
        person.online("1s");
        person.state("Webshop").as_deref() == Some("critical")
    });

    let mut secrets = Vec::new();
    for code in [&seat, &code] {
        secrets.extend([code.clone(), code[code.len() - 40..].to_owned()]);
    }
    for file in [
        at("relay/data/device.key"),
        at("agent/data/agent.key"),
        at("person/data/device.key"),
        at("guest/data/device.key"),
    ] {
        secrets.extend(seed_texts(&file));
    }
    for (whose, log) in [("relay", relay.log()), ("agent", agent.log())] {
        // The test looks where something is.
        for word in ["TRACE", "DEBUG", "aramaki_sync"] {
            assert!(log.contains(word), "the {whose} logged nothing of {word}");
        }
        for secret in &secrets {
            let place = log.find(secret.as_str());
            let line = place.map(|place| log[..place].lines().next_back());
            assert_eq!(line, None, "the {whose} logged a secret after this");
        }
    }
}

/// The seed in a key file, as text and as programs print bytes.
fn seed_texts(file: &Path) -> [String; 4] {
    let text = std::fs::read_to_string(file).unwrap();
    let keys = aramaki_sync::keys::read(file, None).unwrap();
    let seed = keys.expose_seed();
    let digits = |upper| {
        let digit = |byte: &u8| {
            if upper {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            }
        };
        seed.iter().map(digit).collect::<String>()
    };
    let list: Vec<String> = seed[..8].iter().map(ToString::to_string).collect();
    [
        text.lines().nth(1).unwrap().to_owned(),
        digits(false),
        digits(true),
        list.join(", "),
    ]
}

/// Bytes from hexadecimal digits.
fn u8s(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
