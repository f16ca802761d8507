//! The chip in the top bar says what is so.

use aramaki_desktop::view::{OverQuota, PeerKind, SyncState};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::world::{Desk, at};
use crate::{NARROW, WIDE, app};

#[test]
fn the_chip_tells_relay_peers_age_and_what_waits() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    window.get_by_label("2 peers · just now");
    desk.show(|frame| frame.sync.newest = Some(at(-90)));
    window.run();
    window.get_by_label("2 peers · 90 s ago");
    desk.show(|frame| {
        for peer in &mut frame.sync.peers {
            if peer.kind == PeerKind::Relay {
                peer.path = None;
            }
        }
        frame.sync.pending = 3;
    });
    window.run();
    window.get_by_label("1 peer · relay away · 3 changes not on any other peer yet");
    desk.show(|frame| {
        frame.sync.over_quota.push(OverQuota {
            peer: "relay 93aef377".to_owned(),
            system: "Webshop".to_owned(),
        });
    });
    window.run();
    let words = "1 peer · relay away · a quota is reached · 3 changes not on any other peer yet";
    window.get_by_label(words).click();
    window.run();
    window.get_by_label_contains("relay 93aef377 takes no more of Webshop");
    desk.show(|frame| frame.sync.over_quota.clear());
    window.get_by_label(words).click();
    window.run();
    desk.show(|frame| {
        for peer in &mut frame.sync.peers {
            peer.path = None;
        }
        frame.sync.pending = 0;
    });
    window.run();
    window.get_by_label("Offline · 90 s ago");
    desk.show(|frame| frame.sync = SyncState::default());
    window.run();
    window.get_by_label("Offline");
}

#[test]
fn a_click_on_the_chip_lists_this_disk_and_everyone() {
    let mut window = app(&Desk::new(), NARROW);
    window.get_by_label("2 peers · just now").click();
    window.run();
    window.get_by_label("Everything you see, and all that you wrote");
    window.get_by_label("Relay · 93aef377");
    window.get_by_label("last seen 11 min ago");
    window.get_by_label("1 agent");
    window.get_by_label("Show all devices and agents").click();
    window.run();
    window.get_by_label_contains("Agent db2.example.org: connected, direct, 1.1 ms");
    let agent = window.get_by_label_contains("Agent db2.example.org");
    let words = agent.accesskit_node().label().unwrap_or_default();
    for fact in [
        "heartbeat just now",
        "observes Checkout",
        "reads and changes until",
    ] {
        assert!(words.contains(fact), "{fact}: {words}");
    }
}
