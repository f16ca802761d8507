//! Work that was done in time by somebody whose access is over when they reach a relay again.

use serde_json::Value;

use crate::program::{Aramaki, Process, wait_for};

/// How long the guest's access lasts; the next where the machine was too slow to write in it.
const SPANS: [&str; 2] = ["20s", "50s"];

/// A guest joins, the relay goes, and the guest writes. False when the time was over before.
fn writes_in_time(aramaki: &Aramaki, guest: &str, span: &str, relay: Process) -> bool {
    let share = [
        "share",
        "Webshop",
        "--can",
        "write",
        "--for",
        span,
        "--offline",
    ];
    let code = aramaki.json(&share);
    aramaki.json_in(guest, &["init", "--name", guest, "--no-recovery-kit"]);
    let code = code["invitation"].as_str().unwrap();
    let joined = aramaki.run_in(guest, &["join", code, "--wait", span, "--json"]);
    let joined: Value = serde_json::from_slice(&joined.stdout).unwrap_or_default();
    drop(relay);
    let said = aramaki.run_in(guest, &["say", "Webshop", "written on a train"]);
    joined["handed_over"] == true && said.status.success()
}

#[test]
fn what_a_guest_wrote_in_time_comes_over_the_network_after_the_end() {
    let aramaki = Aramaki::new();
    let (mut relay, author, address) = Process::relay(&aramaki);
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&["relay", "add", &author, &address]);
    let mut written = None;
    for span in SPANS {
        aramaki.json(&["peers", "--wait", "1s"]);
        let guest = format!("guest-{span}");
        let in_time = writes_in_time(&aramaki, &guest, span, relay);
        (relay, _, _) = Process::relay_at(&aramaki, &address);
        if in_time {
            written = Some(guest);
            break;
        }
    }
    let guest = written.expect("the machine is too slow for any span");
    drop(relay);
    // The relay comes back after the end.
    wait_for("the guest's time is over", || {
        let said = aramaki.run_in(&guest, &["say", "Webshop", "too late"]);
        (!said.status.success()).then_some(())
    });
    let (_relay, _author, _address) = Process::relay_at(&aramaki, &address);
    aramaki.json(&["say", "Webshop", "not for guests"]);
    wait_for("what the guest wrote arrives", || {
        aramaki.json_in(&guest, &["peers", "--wait", "2s"]);
        aramaki.json(&["peers", "--wait", "1s"]);
        let timeline = aramaki.json(&["timeline", "Webshop"]);
        timeline
            .to_string()
            .contains("written on a train")
            .then_some(())
    });
    let peers = aramaki.json_in(&guest, &["peers", "--wait", "2s"]);
    assert_eq!(peers["only_here"], 0, "{peers}");
    let timeline = aramaki.json_in(&guest, &["timeline", "Webshop"]);
    assert!(
        !timeline.to_string().contains("not for guests"),
        "{timeline}"
    );
}
