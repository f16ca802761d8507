//! What each page says.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aramaki_desktop::view::{
    Demo, Emergency, EndWhat, Ended, Ending, EndingPlace, Ends, Frame, Handed, Late, LeftOut,
    LetIn, MadeInvitation, Member, PeerKind, RelayState, Route, ShareFor, Stage, SyncState, WhyCut,
};
use aramaki_model::{Finding, Reason, Workspace};
use aramaki_sync_core::admission::Held;
use aramaki_sync_core::engine::{ClockAhead, Reach};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{DocumentId, EnvelopeId, Timestamp};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::acts::{Window, go};
use crate::world::{CHECKOUT, Desk, NEVER, WEBSHOP, at, space};
use crate::{NARROW, WIDE, app};

#[test]
fn somebody_who_was_woken_finds_what_why_since_when_and_whom_to_call() {
    let mut window = app(&Desk::new(), NARROW);
    window.get_by_label("Needs attention");
    window.get_by_role_and_label(Role::Button, "1 Critical");
    window
        .get_by_label_contains("Webshop: Critical, Webshop → Checkout: replication: lag 41 s")
        .click();
    window.run();
    window.get_by_role_and_label(Role::Link, "Checkout").click();
    window.run();
    assert_eq!(*window.state().route(), Route::System(space(CHECKOUT)));
    assert!(window.query_all_by_label("Critical").count() > 0);
    window.get_by_label_contains("14 min ago");
    window.get_by_label("restart web workers, one at a time");
    window.get_by_label("+49 30 0000 0000 · every night");
    window.get_by_label_contains("Looking at it.");
}

#[test]
fn an_aggregate_shows_what_happened_to_its_parts() {
    let mut window = app(&Desk::new(), WIDE);
    go(&mut window, "webshop");
    window
        .get_by_label_contains("Checkout · db2.example.org · Critical · replication: lag 41 s")
        .click();
    window.run();
    assert_eq!(*window.state().route(), Route::System(space(CHECKOUT)));
}

#[test]
fn a_count_shows_the_systems_in_that_state_alone() {
    let mut window = app(&Desk::new(), WIDE);
    window.get_by_label("Infrastructure");
    window
        .get_by_role_and_label(Role::Button, "1 Critical")
        .click();
    window.run();
    window.get_by_label_contains("Webshop: Critical");
    assert!(window.query_by_label("Infrastructure").is_none());
    window.get_by_label("0 Warning").click();
    window.run();
    window.get_by_label("No System is in this state.");
    window.get_by_label("Show all").click();
    window.run();
    window.get_by_label("Infrastructure");
}

#[test]
fn a_system_is_shared_as_a_file_whose_place_is_proposed_and_can_be_changed() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Share…").click();
    window.run();
    window.get_by_label("file…").click();
    window.run();
    let path = "New file (a secret: it lets in who has it)";
    let field = window.get_by_role_and_label(Role::TextInput, path);
    assert_eq!(field.value().as_deref(), Some("~/Webshop.aramaki"));
    field.focus();
    window.run();
    window.key_press(Key::End);
    window
        .get_by_role_and_label(Role::TextInput, path)
        .type_text(".1");
    window.run();
    window.get_by_label("Make invitation").click();
    window.run();
    window.get_by_label_contains("Saved as ~/Webshop.aramaki.1.");
    assert!(window.query_by_label_contains("aramaki1example").is_none());
    window.get_by_label("Close").click();
    window.run();
    assert_eq!(desk.asked(), ["Share", "ForgetInvitation"]);
}

#[test]
fn an_invitation_or_a_file_is_taken_where_there_are_systems_already() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    window.get_by_label("Join…").click();
    window.run();
    let what = "Invitation, or the path of a file that somebody gave you";
    window
        .get_by_role_and_label(Role::TextInput, what)
        .type_text("/media/stick/invite.aramaki");
    window.run();
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(desk.asked(), ["Join(<secret>)"]);
    assert!(
        window
            .query_by_role_and_label(Role::TextInput, what)
            .is_none()
    );
}

#[test]
fn what_is_waited_for_is_shown_and_can_be_given_up() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    window.get_by_label("Devices and agents").click();
    window.run();
    window.get_by_label_contains("Waiting for 7777");
    window.get_by_label("Give up").click();
    window.run();
    assert_eq!(desk.asked(), ["GiveUp"]);
    assert!(window.query_by_label_contains("Waiting for").is_none());
}

#[test]
fn who_signed_two_histories_is_named_where_one_looks_at_night() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label_contains("Two histories were signed by 0a2b1597");
}

#[test]
fn sharing_makes_an_invitation_and_forgets_it_when_closed() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Share…").click();
    window.run();
    window
        .get_by_role_and_label(Role::TextInput, "For whom (others will see it)")
        .type_text("the auditor");
    window.run();
    window.get_by_label("1 day").click();
    window.run();
    window.get_by_label("Make invitation").click();
    window.run();
    window.get_by_label_contains("aramaki1exampleinvitation");
    assert_eq!(desk.invited(), ["the auditor"]);
    window.get_by_role_and_label(Role::Image, "Invitation");
    window.get_by_label("Copy").click();
    window.run();
    window.get_by_label("Copied. The clipboard holds a secret now.");
    window.get_by_label("Close").click();
    window.run();
    assert_eq!(desk.asked(), ["Share", "ForgetInvitation"]);
    assert!(window.query_by_label_contains("aramaki1example").is_none());
}

#[test]
fn a_share_that_begins_later_says_so_before_and_after_and_what_is_wrong_at_once() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Share…").click();
    window.run();
    let from = "From when on (optional): 18:00, 2026-12-24 18:00, or 3h";
    let make = "Make invitation";
    let ready = |window: &Window| {
        let node = window.get_by_label(make);
        !node.accesskit_node().is_disabled()
    };
    let typed = |window: &mut Window, text: &str| {
        window.get_by_role_and_label(Role::TextInput, from).focus();
        window.run();
        window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        window.run();
        window.key_press(Key::Delete);
        window.run();
        let field = window.get_by_role_and_label(Role::TextInput, from);
        field.type_text(text);
        window.run();
    };
    window.get_by_label_contains("can read this System, its notes and timeline until");
    assert!(ready(&window));
    typed(&mut window, "tomorrow");
    window.get_by_label_contains("This is no time.");
    assert!(!ready(&window));
    typed(&mut window, "2020-01-01T00:00Z");
    window.get_by_label_contains("has passed");
    assert!(!ready(&window));
    typed(&mut window, "3h");
    assert!(window.query_by_label_contains("This is no time.").is_none());
    window.get_by_label_contains("can read this System, its notes and timeline from");
    assert!(ready(&window));
    window.get_by_label("code without a network").click();
    window.run();
    window.get_by_label_contains("only as a code");
    assert!(!ready(&window));
    window.get_by_label("code").click();
    window.run();
    window.get_by_label(make).click();
    window.run();
    assert_eq!(desk.begun(), [Some(at(10_800))]);
    window.get_by_label_contains("its notes and timeline from");
    window.get_by_label_contains("Works once, from");
}

#[test]
fn the_trust_page_tells_who_until_when_and_through_whom() {
    let mut window = app(&Desk::new(), WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Show everyone").click();
    window.run();
    assert_eq!(*window.state().route(), Route::Trust(space(WEBSHOP)));
    window.get_by_label("You: administers");
    window.get_by_label("0a2b1597 · Device");
    window.get_by_label_contains("invited by Duty operator");
    window.get_by_label("stores what it cannot read");
}

/// What a preview says.
fn ending(what: EndWhat) -> Ending {
    Ending {
        what,
        places: vec![EndingPlace {
            title: "Webshop".to_owned(),
            kept: Vec::new(),
            stay: Vec::new(),
            ends: vec![
                crate::world::ends("0a2b1597"),
                crate::world::ends("a guest of theirs"),
            ],
            written: (0, 0),
            discarded: 0,
            code: None,
        }],
        beyond: Vec::new(),
    }
}

#[test]
fn a_lost_device_is_ended_in_two_clicks_after_its_preview() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Show everyone").click();
    window.run();
    assert!(
        window
            .query_by_label("End access of Duty operator")
            .is_none()
    );
    window
        .get_by_label("End access of 0a2b1597 · Device")
        .click();
    window.run();
    assert_eq!(desk.asked(), ["AskEnd"]);
    window.get_by_label_contains("Looking what this would end");
    let grant = EnvelopeId::from_bytes([8; 32]);
    let here = EndWhat {
        space: space(WEBSHOP),
        grant,
        everywhere: false,
        from_the_start: false,
        cut: BTreeSet::new(),
    };
    desk.show(|frame| frame.ending = Some(ending(here.clone())));
    window.run();
    window.get_by_label_contains("a guest of theirs");
    // Another question has another answer.
    window
        .get_by_label("Everywhere: the device was lost")
        .click();
    window.run();
    window.get_by_label_contains("Looking what this would end");
    let everywhere = EndWhat {
        everywhere: true,
        ..here
    };
    who_stays_is_asked(&desk, &mut window, &everywhere);
    window
        .get_by_role_and_label(Role::TextInput, WHY_END)
        .focus();
    window.run();
    window
        .get_by_role_and_label(Role::TextInput, WHY_END)
        .type_text(" left in a train ");
    window.run();
    window.get_by_label("End access").click();
    window.run();
    assert_eq!(desk.asked(), ["AskEnd", "AskEnd", "AskEnd", "End"]);
    assert_eq!(desk.ended(), ["everywhere without 2: left in a train"]);
    assert!(
        window.query_by_label("End access").is_none(),
        "it is closed"
    );
}

/// Whom a lost device let in stays, unless somebody says that it was not its owner.
fn who_stays_is_asked(desk: &Desk, window: &mut Window, everywhere: &EndWhat) {
    let let_in = |grants: &[u8], may: Capability| LetIn {
        grants: grants
            .iter()
            .map(|it| EnvelopeId::from_bytes([*it; 32]))
            .collect(),
        name: "zoe".to_owned(),
        may: (may, at(600)),
        stays: true,
    };
    // Of what she may here and there each is decided by itself.
    let (reads, writes) = (
        let_in(&[7], Capability::Read),
        let_in(&[9, 11], Capability::Write),
    );
    let elsewhere = let_in(&[10], Capability::Read);
    let asked = |cut: &[EnvelopeId]| {
        let cut: BTreeSet<_> = cut.iter().copied().collect();
        let mut ending = ending(EndWhat {
            cut: cut.clone(),
            ..everywhere.clone()
        });
        let mail = EndingPlace {
            title: "Mail".to_owned(),
            ..ending.places[0].clone()
        };
        ending.places.push(mail);
        let shown = |it: &LetIn| LetIn {
            stays: it.grants.is_disjoint(&cut),
            ..it.clone()
        };
        ending.places[0].stay = [&reads, &writes].map(shown).to_vec();
        ending.places[1].stay = vec![shown(&elsewhere)];
        ending
    };
    desk.show(|frame| frame.ending = Some(asked(&[])));
    window.run();
    let places = window.query_all_by_label_contains("It let these in.");
    assert_eq!(places.count(), 2);
    window
        .get_by_label_contains("zoe stays: reads and changes")
        .click();
    window.run();
    window.get_by_label_contains("Looking what this would end");
    let cut: Vec<_> = writes.grants.iter().copied().collect();
    desk.show(|frame| frame.ending = Some(asked(&cut)));
    window.run();
}

/// What the field for a reason is called.
const WHY_END: &str = "Why (optional; all who read the System will see it)";

/// The guest of the page is to be sent away there.
fn sent_away(from_the_start: bool) -> EndWhat {
    EndWhat {
        space: space(WEBSHOP),
        grant: EnvelopeId::from_bytes([8; 32]),
        everywhere: false,
        from_the_start,
        cut: BTreeSet::new(),
    }
}

/// A tick asks anew what would go; without it everything is as before.
fn what_goes_from_the_start_is_counted(desk: &Desk, window: &mut Window) {
    let from_the_start = "Let nothing count that they ever wrote here";
    window.get_by_label(from_the_start).click();
    window.run();
    window.get_by_label_contains("Looking what this would end");
    desk.show(|frame| {
        let mut preview = ending(sent_away(true));
        preview.places[0].written = (7, 1);
        preview.places[0].code = Some((2, at(60)));
        frame.ending = Some(preview);
    });
    window.run();
    window.get_by_label_contains("7 changes that they wrote will no longer count. One goes on");
    window.get_by_label_contains("which let in 2 more until");
    window.get_by_label(from_the_start).click();
    window.run();
    desk.show(|frame| frame.ending = Some(ending(sent_away(false))));
    window.run();
}

#[test]
fn a_guest_is_sent_away_with_a_reason_and_it_stands_on_the_page_afterwards() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Show everyone").click();
    window.run();
    assert!(window.query_by_label("Access that has ended").is_none());
    window
        .get_by_label("End access of 0a2b1597 · Device")
        .click();
    window.run();
    desk.show(|frame| frame.ending = Some(ending(sent_away(false))));
    window.run();
    window
        .get_by_role_and_label(Role::TextInput, WHY_END)
        .focus();
    window.run();
    window
        .get_by_role_and_label(Role::TextInput, WHY_END)
        .type_text("the audit is over");
    window.run();
    // The answer does not take away what was typed meanwhile.
    window.get_by_label_contains("a guest of theirs");
    window.get_by_label_contains("What they wrote until now stays.");
    what_goes_from_the_start_is_counted(&desk, &mut window);
    window.get_by_label("End access").click();
    window.run();
    assert_eq!(desk.ended(), ["here: the audit is over"]);
    desk.show(|frame| {
        for trust in frame.trust.values_mut() {
            trust.ended = vec![Ended {
                name: "0a2b1597".to_owned(),
                by: Some("Duty operator".to_owned()),
                at: at(0),
                was_lost: true,
                reason: "the audit is over".to_owned(),
                others: 1,
            }];
        }
    });
    window.run();
    window.get_by_label("Access that has ended");
    let said = "by Duty operator · the device was lost · one other’s ended with it";
    window.get_by_label_contains(said);
    window.get_by_label("Why: the audit is over");
}

#[test]
fn who_reads_german_is_asked_and_told_why_access_ends() {
    let desk = Desk::new();
    desk.show(|frame| {
        for trust in frame.trust.values_mut() {
            trust.ended = vec![Ended {
                name: "0a2b1597".to_owned(),
                by: Some("Duty operator".to_owned()),
                at: at(0),
                was_lost: false,
                reason: "die Prüfung ist vorbei".to_owned(),
                others: 2,
            }];
        }
    });
    let mut window = app(&desk, WIDE);
    window.get_by_label("Settings").click();
    window.run();
    window.get_by_label("Deutsch").click();
    window.run();
    go(&mut window, "webshop");
    window.get_by_label("Alle zeigen").click();
    window.run();
    window.get_by_label("Beendeter Zugang");
    window.get_by_label_contains("von Duty operator · damit endeten 2 andere");
    window.get_by_label("Warum: die Prüfung ist vorbei");
    window
        .get_by_label("Zugang von 0a2b1597 · Gerät beenden")
        .click();
    window.run();
    let field = "Warum (freiwillig; alle, die das System lesen, sehen es)";
    window.get_by_role_and_label(Role::TextInput, field);
}

#[test]
fn a_device_that_waits_is_accepted_and_a_code_for_another_is_shown_once() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    window.get_by_label("Devices and agents").click();
    window.run();
    window.get_by_label("This device");
    window.get_by_label("Accept the device 02020202").click();
    window.run();
    window.get_by_label("Add a device…").click();
    window.run();
    assert_eq!(desk.asked(), ["AcceptDevice", "AddDevice"]);
    window.get_by_label("Making a code …");
    desk.show(|frame| {
        frame.invitation = Some(MadeInvitation {
            space: space(WEBSHOP),
            text: "aramakidevice1example".to_owned(),
            begin: None,
            end: at(3_600),
            redeem_until: at(3_600),
            relayed: true,
            for_device: true,
            handed: Handed::Online,
        });
    });
    window.run();
    window.get_by_label_contains("aramakidevice1example");
    window.get_by_label_contains("gives nothing by itself");
    window.get_by_label("Close").click();
    window.run();
    assert_eq!(
        desk.asked(),
        ["AcceptDevice", "AddDevice", "ForgetInvitation"]
    );
}

#[test]
fn what_a_close_left_out_is_shown_with_who_closed_and_counts_as_far_as_one_wants() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    let left_out = |in_time| Late {
        grant: EnvelopeId::from_bytes([3; 32]),
        name: "0a2b1597".to_owned(),
        envelopes: 3,
        last: Timestamp::ZERO,
        held: Held::Expired,
        left_out: Some(LeftOut {
            in_time,
            closers: vec!["relay-2".to_owned()],
        }),
        can_accept: true,
    };
    let show = |window: &mut Window, in_time| {
        desk.show(|frame| {
            for trust in frame.trust.values_mut() {
                trust.late = vec![left_out(in_time)];
            }
        });
        window.run();
    };
    go(&mut window, "webshop");
    window.get_by_label("Show everyone").click();
    window.run();
    let (in_time, all) = ("Count what came in time", "Count all of it");
    show(&mut window, 0);
    window.get_by_label_contains("because relay-2 closed this access without it: 3 changes");
    assert!(window.query_by_label(in_time).is_none());
    window.get_by_label(all);
    show(&mut window, 3);
    assert!(window.query_by_label(all).is_none());
    show(&mut window, 2);
    window.get_by_label(in_time).click();
    window.run();
    window.get_by_label(all).click();
    window.run();
    assert_eq!(desk.accepted(), [Reach::InTime, Reach::All]);
}

#[test]
fn what_came_late_is_shown_and_accepted_by_who_may() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    let late = |can_accept| Late {
        grant: EnvelopeId::from_bytes([3; 32]),
        name: "0a2b1597".to_owned(),
        envelopes: 2,
        last: Timestamp::ZERO,
        held: Held::Expired,
        left_out: None,
        can_accept,
    };
    desk.show(|frame| {
        for trust in frame.trust.values_mut() {
            trust.late = vec![late(true)];
        }
    });
    go(&mut window, "webshop");
    window.get_by_label("Show everyone").click();
    window.run();
    window.get_by_label_contains("came of 0a2b1597: 2 changes");
    window.get_by_label("Accept what is here").click();
    window.run();
    assert_eq!(desk.asked(), ["AcceptLate"]);
    desk.show(|frame| {
        for trust in frame.trust.values_mut() {
            trust.late = vec![late(false)];
        }
    });
    window.run();
    window.get_by_label_contains("came of 0a2b1597");
    assert!(window.query_by_label("Accept what is here").is_none());
    // Whoever looks at everybody is led there.
    window.get_by_label("Trust").click();
    window.run();
    window.get_by_label_contains("2 changes in Webshop wait for a decision");
    window.get_by_label("Look at the trust of Webshop").click();
    window.run();
    window.get_by_label_contains("came of 0a2b1597");
}

#[test]
fn whose_access_ended_elsewhere_is_told_on_the_page() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    let said = "Another member says that your access has ended";
    assert!(window.query_by_label_contains(said).is_none());
    desk.show(|frame| {
        for trust in frame.trust.values_mut() {
            trust.ended_elsewhere = true;
        }
    });
    window.run();
    window.get_by_label_contains(said);
}

/// Somebody was let in while a key was made without them: the page says what comes by itself, and alarms nobody.
#[test]
fn that_a_key_has_not_come_yet_is_told_where_something_is_missing() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    let said = "its key comes by itself";
    assert!(window.query_by_label_contains(said).is_none());
    desk.show(|frame| {
        let trust = frame.trust.get_mut(&space(WEBSHOP)).unwrap();
        trust.awaits_key = true;
    });
    window.run();
    window.get_by_label_contains(said);
    window.get_by_label("Show everyone").click();
    window.run();
    window.get_by_label_contains(said);
}

#[test]
fn theme_and_language_change_at_once() {
    let mut window = app(&Desk::new(), WIDE);
    window.get_by_label("Settings").click();
    window.run();
    window.get_by_label("Light").click();
    window.run();
    assert_eq!(window.ctx.theme(), egui::Theme::Light);
    window.get_by_label("Deutsch").click();
    window.run();
    window.get_by_label("Braucht Aufmerksamkeit");
}

#[test]
fn the_demo_bar_pulls_the_cable_and_puts_it_back() {
    let desk = Desk::new();
    desk.show(|frame| {
        frame.demo = Some(Demo {
            relay: RelayState::Running,
        });
    });
    let mut window = app(&desk, WIDE);
    window.get_by_label("Stop relay").click();
    window.run();
    desk.show(|frame| {
        frame.demo = Some(Demo {
            relay: RelayState::Stopped,
        });
    });
    window.run();
    window.get_by_label("relay is stopped: you are on your own");
    window.get_by_label("Start relay").click();
    window.run();
    assert_eq!(desk.asked(), ["StopRelay", "StartRelay"]);
}

#[test]
fn empty_pages_say_what_to_do() {
    let empty = Frame {
        stage: Stage::Open,
        snapshot: Some(Arc::new(Workspace::new().view(at(0)))),
        sync: SyncState::default(),
        ..Frame::default()
    };
    let mut window = app(&Desk::over(empty), NARROW);
    window.get_by_label("No Systems yet");
    window.get_by_label("New System").click();
    window.run();
    window.get_by_label("Cancel").click();
    window.run();
    window.get_by_label("Timeline").click();
    window.run();
    window.get_by_label("Nothing happened yet.");
    window.get_by_label("Devices and agents").click();
    window.run();
    window.get_by_label("Nobody else is known yet");
}

#[test]
fn the_first_page_creates_joins_or_shows_the_demo() {
    let absent = Frame {
        stage: Stage::Absent,
        ..Frame::default()
    };
    let desk = Desk::over(absent);
    let mut window = app(&desk, NARROW);
    assert!(
        window
            .get_by_label("Create a workspace")
            .accesskit_node()
            .is_disabled()
    );
    window
        .get_by_role_and_label(Role::TextInput, "Your name, as others see it")
        .focus();
    window.run_steps(2);
    window
        .get_by_role_and_label(Role::TextInput, "Your name, as others see it")
        .type_text("Duty operator");
    window.run_steps(2);
    assert!(
        window
            .get_by_label("Join with an invitation")
            .accesskit_node()
            .is_disabled()
    );
    let create = "Create a workspace";
    assert!(window.get_by_label(create).accesskit_node().is_disabled());
    window.get_by_label("The passphrase needs 12 characters.");
    for (field, text) in [
        (
            "Passphrase of the kit, at least 12 characters",
            "a long winter",
        ),
        ("The passphrase once more", "a long winter"),
    ] {
        window.get_by_label(field).focus();
        window.run_steps(2);
        window.get_by_label(field).type_text(text);
        window.run_steps(2);
    }
    let nothing_protects = "Without a kit whoever steals this device";
    assert!(window.query_by_label_contains(nothing_protects).is_none());
    window.get_by_label(create).click();
    window.run_steps(2);
    // What was typed is gone with it.
    assert!(window.get_by_label(create).accesskit_node().is_disabled());
    window.get_by_label("Do without a recovery kit").click();
    window.run_steps(2);
    window.get_by_label_contains(nothing_protects);
    window.get_by_label(create).click();
    window.run_steps(2);
    window.get_by_label("Look at the demo").click();
    window.run_steps(2);
    assert_eq!(
        desk.asked(),
        ["CreateWorkspace", "CreateWorkspace", "OpenDemo"]
    );
}

#[test]
fn nothing_is_drawn_again_while_nothing_changes() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    for page in ["", "timeline", "devices", "webshop"] {
        if !page.is_empty() {
            go(&mut window, page);
        }
        window.run();
        let output = &window.output().viewport_output[&egui::ViewportId::ROOT];
        assert_eq!(output.repaint_delay, NEVER, "{page}");
    }
}

#[test]
fn everything_that_can_be_pressed_has_a_name() {
    let mut window = app(&Desk::new(), WIDE);
    for page in ["", "timeline", "devices", "webshop", "checkout", "gateway"] {
        if !page.is_empty() {
            go(&mut window, page);
        }
        let mut pressed = 0;
        for node in window.root().children_recursive() {
            let role = node.accesskit_node().role();
            let is_pressed = matches!(
                role,
                Role::Button | Role::Link | Role::TextInput | Role::MultilineTextInput
            );
            if is_pressed {
                let named = node.accesskit_node().label();
                assert!(
                    named.is_some_and(|name| !name.trim().is_empty()),
                    "{page}: {node:?}"
                );
                pressed += 1;
            }
        }
        assert!(pressed > 5, "{page}: {pressed}");
    }
}

#[test]
fn nothing_sticks_out_of_a_narrow_window() {
    let mut window = app(&Desk::new(), NARROW);
    for page in ["", "timeline", "devices", "webshop", "checkout", "gateway"] {
        if !page.is_empty() {
            go(&mut window, page);
        }
        let mut seen = 0;
        for node in window.root().children_recursive() {
            let node = node.accesskit_node();
            let (Some(name), Some(bounds)) = (node.label(), node.bounding_box()) else {
                continue;
            };
            assert!(
                bounds.x1 <= f64::from(NARROW[0]) + 0.5,
                "{page}: {name} {bounds:?}"
            );
            seen += 1;
        }
        assert!(seen > 20, "{page}: {seen}");
    }
}

/// Somebody is in Webshop by the emergency key.
fn emergency(here: bool) -> Emergency {
    Emergency {
        space: space(WEBSHOP),
        title: "Webshop".to_owned(),
        who: "on call (0a2b1597)".to_owned(),
        reason: "the database is gone and nobody answers".to_owned(),
        since: at(-600),
        until: at(3_600),
        here,
    }
}

#[test]
fn an_emergency_stands_on_every_page_and_whoever_is_in_can_end_it() {
    let desk = Desk::new();
    desk.show(|frame| frame.emergencies = vec![emergency(false)]);
    let mut window = app(&desk, WIDE);
    window.get_by_label_contains("EMERGENCY in Webshop: on call (0a2b1597)");
    assert!(window.query_by_label("It is over: end it").is_none());
    window.get_by_label("Timeline").click();
    window.run();
    window.get_by_label_contains("nobody answers");
    window.get_by_label("Show everyone").click();
    window.run();
    assert_eq!(*window.state().route(), Route::Trust(space(WEBSHOP)));
    desk.show(|frame| frame.emergencies = vec![emergency(true)]);
    window.run();
    window.get_by_label("It is over: end it").click();
    window.run();
    assert_eq!(desk.asked(), ["EndEmergency"]);
    desk.show(|frame| frame.emergencies.clear());
    window.run();
    assert!(window.query_by_label_contains("EMERGENCY").is_none());
}

#[test]
fn the_trust_page_of_all_systems_shows_what_ends_soon_and_renews_it() {
    let desk = Desk::new();
    desk.show(|frame| {
        let trust = frame.trust.get_mut(&space(WEBSHOP)).unwrap();
        let device = trust
            .members
            .iter_mut()
            .find(|it| it.kind == PeerKind::Device);
        let device = device.unwrap();
        device.begin = at(-900_000);
        device.depth = 2;
        let invitation = Member {
            kind: PeerKind::Invitation,
            name: "the auditor".to_owned(),
            left: Some((2, at(7_200))),
            can_renew: false,
            ..device.clone()
        };
        trust.members.push(invitation);
    });
    let mut window = app(&desk, WIDE);
    window.get_by_label("1 access ends within 3 days").click();
    window.run();
    window.get_by_label_contains("Ends within three days");
    window.get_by_label_contains("can be given on over 2 links");
    window
        .get_by_label("Renew access of 0a2b1597 · Device")
        .click();
    window.run();
    assert_eq!(desk.asked(), [""; 0], "it is asked first");
    window.get_by_label_contains("Renewed now: ");
    window.get_by_label("Give it anew").click();
    window.run();
    assert_eq!(desk.asked(), ["Renew"]);
    window.get_by_label("Invitations (1)").click();
    window.run();
    window.get_by_label("Invitation for the auditor");
    window.get_by_label_contains("lets in 2 more until");
    window.get_by_label("Agents and relays (3)").click();
    window.run();
    assert_eq!(window.query_all_by_label("93aef377 · Relay").count(), 3);
    window.get_by_label("Trust");
}

#[test]
fn what_has_ended_is_listed_over_all_systems_with_the_way_to_each() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    window.get_by_label("Trust").click();
    window.run();
    window.get_by_label("Ended").click();
    window.run();
    window.get_by_label("Nobody.");
    desk.show(|frame| {
        let one = |name: &str, by: Option<&str>, seconds| Ended {
            name: name.to_owned(),
            by: by.map(str::to_owned),
            at: at(seconds),
            was_lost: false,
            reason: String::new(),
            others: 0,
        };
        let webshop = frame.trust.get_mut(&space(WEBSHOP)).unwrap();
        webshop.ended = vec![one("Wilma", Some("Duty operator"), -60)];
        let checkout = frame.trust.get_mut(&space(CHECKOUT)).unwrap();
        checkout.ended = vec![one("Fred", None, -30)];
    });
    window.run();
    window.get_by_label_contains("its time came");
    window.get_by_label_contains("by Duty operator");
    window.get_by_label_contains("aramaki trust audit");
    window.get_by_label("Fred");
    window.get_by_role_and_label(Role::Link, "Checkout").click();
    window.run();
    window.get_by_label("Who may read this");
    window.get_by_label("Fred");
    assert!(window.query_by_label("Wilma").is_none());
}

#[test]
fn a_sealed_emergency_key_says_that_it_reads_whether_it_was_used_and_ends_in_two_clicks() {
    let desk = Desk::new();
    let show = |opened: Option<(Timestamp, String)>| {
        desk.show(|frame| {
            let trust = frame.trust.get_mut(&space(WEBSHOP)).unwrap();
            let key = trust.members.last_mut().unwrap();
            key.kind = PeerKind::Emergency;
            key.opened = opened;
        });
    };
    show(None);
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Show everyone").click();
    window.run();
    window.get_by_label_contains("reads here without a word");
    window.get_by_label_contains("Never used to write.");
    show(Some((at(-60), "the database is down".to_owned())));
    window.run();
    window.get_by_label_contains("Last used");
    window.get_by_label_contains(": the database is down");
    window
        .get_by_label_contains("End access of Emergency key")
        .click();
    window.run();
    let what = EndWhat {
        space: space(WEBSHOP),
        grant: EnvelopeId::from_bytes([8; 32]),
        everywhere: false,
        from_the_start: false,
        cut: BTreeSet::new(),
    };
    desk.show(|frame| {
        frame.ending = Some(Ending {
            what,
            places: vec![EndingPlace {
                title: "Webshop".to_owned(),
                kept: Vec::new(),
                stay: Vec::new(),
                ends: vec![crate::world::ends("Emergency key")],
                written: (0, 0),
                discarded: 0,
                code: None,
            }],
            beyond: Vec::new(),
        });
    });
    window.run();
    window.get_by_label("End access").click();
    window.run();
    assert_eq!(desk.asked(), ["AskEnd", "End"]);
}

/// Who joined with a clock that is ahead is told where they look, not by `status` alone.
#[test]
fn a_clock_that_is_ahead_is_said_on_the_systems_pages() {
    let desk = Desk::new();
    desk.show(|frame| {
        let trust = frame.trust.get_mut(&space(WEBSHOP)).unwrap();
        trust.clock_ahead = Some(ClockAhead {
            by: Duration::from_hours(24),
            counts_from: at(86_400),
        });
    });
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label_contains("Put the clock right.");
    window.get_by_label("Show everyone").click();
    window.run();
    window.get_by_label_contains("Put the clock right.");
}

/// A relay whose time comes stores and forwards no more: it is pointed out like a person.
#[test]
fn a_relay_that_ends_soon_is_pointed_out() {
    let desk = Desk::new();
    desk.show(|frame| {
        let trust = frame.trust.get_mut(&space(WEBSHOP)).unwrap();
        let mut members = trust.members.iter_mut();
        let relay = members.find(|it| it.kind == PeerKind::Relay);
        relay.unwrap().begin = at(-900_000);
    });
    let window = app(&desk, WIDE);
    window.get_by_label("1 access ends within 3 days");
}

/// Work waits for more than one reason, and each is named.
#[test]
fn what_waits_says_why() {
    let desk = Desk::new();
    let show = |held| {
        desk.show(|frame| {
            frame.trust.get_mut(&space(WEBSHOP)).unwrap().late = vec![Late {
                grant: EnvelopeId::from_bytes([3; 32]),
                name: "0a2b1597".to_owned(),
                envelopes: 2,
                last: Timestamp::ZERO,
                held,
                left_out: None,
                can_accept: false,
            }];
        });
    };
    show(Held::Expired);
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Show everyone").click();
    window.run();
    for (held, words) in [
        (Held::Expired, "After their access had ended"),
        (Held::Redeemed, "used up already"),
        (Held::RedeemedLate, "used too late"),
        (Held::Future, "Dated in the future"),
        (Held::Quarantined, "On the second of two histories"),
        (Held::GrantMissing, "Waiting for something"),
    ] {
        show(held);
        window.run();
        window.get_by_label_contains(words);
        let never = window.query_by_label_contains("Nothing makes them count");
        assert_eq!(never.is_some(), held == Held::Redeemed, "{held}");
    }
}

/// What nobody can decide about does not ask for a decision.
#[test]
fn what_came_by_a_used_code_waits_for_nobody() {
    let desk = Desk::new();
    for (held, asks) in [(Held::Expired, true), (Held::Redeemed, false)] {
        desk.show(|frame| {
            frame.trust.get_mut(&space(WEBSHOP)).unwrap().late = vec![Late {
                grant: EnvelopeId::from_bytes([3; 32]),
                name: "0a2b1597".to_owned(),
                envelopes: 2,
                last: Timestamp::ZERO,
                held,
                left_out: None,
                can_accept: held == Held::Expired,
            }];
        });
        let mut window = app(&desk, WIDE);
        window.get_by_label("Trust").click();
        window.run();
        let asked = window.query_by_label_contains("wait for a decision");
        assert_eq!(asked.is_some(), asks, "{held}");
    }
}

/// What was ignored is shown on the page of its System, and nowhere else.
#[test]
fn what_was_left_out_is_shown_with_its_reason() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    assert!(window.query_by_label_contains("left out here").is_none());
    desk.show(|frame| {
        let snapshot = frame.snapshot.as_mut().unwrap();
        let finding = |of, reason| Finding {
            space: space(of),
            document: DocumentId::named("system"),
            envelope: None,
            reason,
        };
        let findings = [
            finding(WEBSHOP, Reason::Kind),
            finding(WEBSHOP, Reason::Waiting(2)),
            finding(CHECKOUT, Reason::Foreign(1)),
        ];
        Arc::make_mut(snapshot).findings = findings.into_iter().collect();
    });
    window.run();
    window.get_by_label("2 things were left out here");
    window.get_by_label_contains("another kind than its name says");
    window.get_by_label_contains("wait for others");
    assert!(
        window
            .query_by_label_contains("the agent did not write")
            .is_none()
    );
}

#[test]
fn a_share_can_be_for_comments_for_several_devices_and_for_any_number_of_hours() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Share…").click();
    window.run();
    window.get_by_label("read and comment on").click();
    window.run();
    for (label, times) in [("For how many devices", 2), ("or", 1)] {
        for _press in 0..times {
            let number = window.get_by_role_and_label(Role::SpinButton, label);
            number.increment_accesskit();
            window.run();
        }
    }
    window.get_by_label_contains("can read and comment on this System");
    window.get_by_label("Make invitation").click();
    window.run();
    assert_eq!(desk.shared(), [(ShareFor::Commenting, 9, 3)]);
    window.get_by_label_contains("Works for 3 devices");
}

#[test]
fn a_lost_device_is_sent_away_everywhere_in_two_clicks() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Show everyone").click();
    window.run();
    let lost = "0a2b1597 · Device was lost: end everything";
    window.get_by_label(lost).click();
    window.run();
    desk.show(|frame| {
        let grant = frame.trust[&space(WEBSHOP)].members[1].grant;
        frame.ending = Some(Ending {
            what: EndWhat {
                space: space(WEBSHOP),
                grant,
                everywhere: true,
                from_the_start: false,
                cut: BTreeSet::new(),
            },
            places: vec![EndingPlace {
                title: "Webshop".to_owned(),
                kept: Vec::new(),
                stay: Vec::new(),
                ends: vec![
                    crate::world::ends("0a2b1597"),
                    Ends {
                        name: "zoe".to_owned(),
                        may: Some(Capability::Administer),
                        why: Some(WhyCut::Administrator),
                    },
                ],
                written: (0, 0),
                discarded: 0,
                code: None,
            }],
            beyond: Vec::new(),
        });
    });
    window.run();
    window.get_by_label("Ends: 0a2b1597 (reads)");
    window.get_by_label_contains("Ends: zoe (administers), an administrator whom the lost device");
    window.get_by_label("End access").click();
    window.run();
    assert_eq!(desk.asked(), ["AskEnd", "End"]);
    assert_eq!(desk.ended().len(), 1);
    assert!(desk.ended()[0].starts_with("everywhere"));
}

#[test]
fn the_timeline_is_filtered_by_kind_and_words() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    window.get_by_label("Timeline").click();
    window.run();
    let all = window.query_all_by_role(Role::Button).count();
    window.get_by_label_contains("Words (").click();
    window.run();
    let few = window.query_all_by_role(Role::Button).count();
    assert!(few < all, "{few} of {all}");
    window.get_by_label("All").click();
    window.run();
    assert_eq!(window.query_all_by_role(Role::Button).count(), all);
    let field = "Words, or a System";
    window.get_by_role_and_label(Role::TextInput, field).focus();
    window.run();
    window
        .get_by_role_and_label(Role::TextInput, field)
        .type_text("no such words");
    window.run();
    window.get_by_label("Nothing of that kind is here.");
}

#[test]
fn a_handover_is_drafted_from_a_systems_page_and_a_post_mortem_from_an_alerts() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Draft handover").click();
    window.run();
    assert_eq!(desk.asked(), ["Draft"]);
}
