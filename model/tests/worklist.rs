//! What is said beside an alert: why a System is red, what changed before, what would be quiet.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

#[path = "common/names.rs"]
mod common;

use std::sync::Arc;
use std::time::Duration;

use aramaki_model::changed_before::{Near, changed_before};
use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::entry::{Acknowledgement, Deployment, Message};
use aramaki_model::preview::{
    About, Ends, Scope, SilenceWish, WishError, preview_maintenance, preview_silence,
};
use aramaki_model::root_cause::{Leaf, root_causes};
use aramaki_model::system::{AgentRef, Part};
use aramaki_model::{
    Check, CheckId, CheckState, EntryId, ItemId, JournalEntry, Maintenance, Observation, Operator,
    Reach, Relation, Severity, TimelineEntry, Workspace,
};
use aramaki_sync_core::SpaceId;
use common::{at, chain, space};

const CHECKOUT: u8 = 1;
const DB: u8 = 2;
const OSD: u8 = 3;
const WEB: u8 = 4;
const SWITCH: u8 = 5;
const HIDDEN: u8 = 66;
const WRITER: u8 = 11;

fn check(n: u8) -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    let name = if n == OSD { "osd" } else { "disk" };
    Check {
        ttl_ms: Some(86_400_000),
        ..Check::new(CheckId::from_bytes([n; 16]), name, kind)
    }
}

fn told(workspace: &mut Workspace, n: u8, results: &[(i64, Severity)]) {
    let mut state = CheckState::new(check(n).id);
    for (seconds, severity) in results {
        let said = Observation::of_builtin(check(n).id, at(*seconds), *severity, "17 is down");
        if let Some(transition) = state.observe(&check(n), &said) {
            let id = EntryId::new(at(*seconds), [n; 10]);
            let entries = [(id, JournalEntry::Transition(transition))];
            let agent = space(100 + n);
            drop(
                workspace
                    .append_journal(agent, &chain(WRITER), at(0), &entries)
                    .unwrap(),
            );
        }
    }
}

fn link(workspace: &mut Workspace, from: u8, to: u8, relation: Relation) {
    let part = Part {
        label: format!("hidden {to}"),
        relation,
        ..Part::default()
    };
    let edit = workspace.edit_system(space(from), &chain(WRITER), at(0), |edit| {
        edit.put_part(space(to), &part)
    });
    drop(edit.unwrap());
}

/// checkout lists db02 and web, db02 lists osd.17; each but checkout has a check.
fn world() -> Workspace {
    let mut workspace = Workspace::new();
    let titles = [
        (CHECKOUT, "checkout"),
        (DB, "db02"),
        (OSD, "osd.17"),
        (WEB, "web"),
        (SWITCH, "switch"),
    ];
    for (n, title) in titles {
        workspace.open_space(space(n));
        workspace.open_space(space(100 + n));
        let edit = workspace.edit_system(space(n), &chain(WRITER), at(0), |edit| {
            edit.title(title)?;
            edit.put_label("site", if n == SWITCH { "b" } else { "a" })?;
            if n == CHECKOUT {
                return Ok(());
            }
            edit.put_check(&check(n))?;
            edit.put_agent(space(100 + n), &AgentRef::default())
        });
        drop(edit.unwrap());
        if n != CHECKOUT {
            told(&mut workspace, n, &[(1, Severity::Ok)]);
        }
    }
    for (from, to) in [(CHECKOUT, DB), (CHECKOUT, WEB), (DB, OSD)] {
        link(&mut workspace, from, to, Relation::Part);
    }
    workspace
}

fn ways(workspace: &Workspace, of: u8) -> Vec<String> {
    let view = workspace.view(at(100));
    let causes = root_causes(&view, space(of));
    causes
        .iter()
        .map(aramaki_model::root_cause::RootCause::words)
        .collect()
}

#[test]
fn why_it_is_red_leads_to_what_was_observed() {
    let mut workspace = world();
    assert_eq!(ways(&workspace, CHECKOUT), [""; 0]);
    told(
        &mut workspace,
        OSD,
        &[(1, Severity::Ok), (10, Severity::Critical)],
    );
    told(
        &mut workspace,
        WEB,
        &[(1, Severity::Ok), (5, Severity::Warning)],
    );
    let words = "checkout → db02 → osd.17: osd: 17 is down";
    assert_eq!(
        ways(&workspace, CHECKOUT),
        [words],
        "a warning elsewhere does not make it red"
    );
    told(
        &mut workspace,
        WEB,
        &[(1, Severity::Ok), (20, Severity::Critical)],
    );
    let both = ways(&workspace, CHECKOUT);
    assert_eq!(
        both,
        [words, "checkout → web: disk: 17 is down"],
        "the older one first"
    );
    let view = workspace.view(at(100));
    let cause = &root_causes(&view, space(CHECKOUT))[0];
    let Leaf::Check {
        alert: Some(alert), ..
    } = &cause.leaf
    else {
        panic!("{cause:?}");
    };
    assert_eq!(view.alert(alert).unwrap().system, space(OSD));
    assert_eq!(cause.way(), "checkout → db02 → osd.17");
}

#[test]
fn the_way_goes_on_to_what_a_system_uses_and_is_broken() {
    let mut workspace = world();
    link(&mut workspace, OSD, SWITCH, Relation::Uses);
    told(
        &mut workspace,
        OSD,
        &[(1, Severity::Ok), (10, Severity::Critical)],
    );
    told(
        &mut workspace,
        SWITCH,
        &[(1, Severity::Ok), (9, Severity::Critical)],
    );
    let words = "checkout → db02 → osd.17 → switch: disk: 17 is down";
    assert_eq!(ways(&workspace, CHECKOUT), [words]);
}

#[test]
fn what_is_not_shared_and_what_the_rule_makes_are_named_as_that() {
    let mut workspace = world();
    link(&mut workspace, CHECKOUT, HIDDEN, Relation::Part);
    assert_eq!(
        ways(&workspace, CHECKOUT),
        ["checkout → hidden 66: not shared"]
    );
    let edit = workspace.edit_system(space(CHECKOUT), &chain(WRITER), at(0), |edit| {
        edit.remove_part(space(HIDDEN))?;
        edit.aggregation(Operator::Xor)
    });
    drop(edit.unwrap());
    assert_eq!(ways(&workspace, CHECKOUT), ["checkout: by its rule, xor"]);
}

#[test]
fn a_circle_has_its_causes_once() {
    let mut workspace = world();
    link(&mut workspace, OSD, CHECKOUT, Relation::Part);
    told(
        &mut workspace,
        OSD,
        &[(1, Severity::Ok), (10, Severity::Critical)],
    );
    for top in [CHECKOUT, DB, OSD] {
        assert_eq!(ways(&workspace, top).len(), 1, "{top}");
    }
}

#[test]
fn what_changed_in_the_hour_before_is_named_with_where() {
    let mut workspace = world();
    let mut say = |n: u8, seconds: i64, said: TimelineEntry| {
        let entries = [(EntryId::new(at(seconds), [n; 10]), said)];
        let edit = workspace.append_timeline(space(n), &chain(WRITER), at(seconds), &entries);
        drop(edit.unwrap());
    };
    let deployed = |seconds| {
        TimelineEntry::Deployment(Deployment {
            at: at(seconds),
            title: format!("release {seconds}"),
            reference: String::new(),
            link: String::new(),
        })
    };
    say(OSD, 400, deployed(400));
    say(OSD, 4_000, deployed(4_000));
    say(CHECKOUT, 4_100, deployed(4_100));
    let message = Message {
        at: at(4_200),
        text: "pulled a cable".to_owned(),
    };
    say(SWITCH, 4_200, TimelineEntry::Message(message));
    say(WEB, 4_300, deployed(4_300));
    say(OSD, 4_900, deployed(4_900));
    let known = Acknowledgement {
        at: at(4_500),
        ..Acknowledgement::default()
    };
    say(OSD, 4_500, TimelineEntry::Acknowledgement(known));
    link(&mut workspace, OSD, SWITCH, Relation::Uses);
    link(&mut workspace, DB, WEB, Relation::Part);
    told(
        &mut workspace,
        OSD,
        &[(1, Severity::Ok), (4_600, Severity::Critical)],
    );
    let view = workspace.view(at(5_000));
    let alert = Arc::clone(view.alerts.first().unwrap());
    let found = changed_before(&view, &alert, Duration::from_hours(1));
    let brief: Vec<_> = found
        .iter()
        .map(|change| (change.near, change.item.at))
        .collect();
    assert_eq!(
        brief,
        [
            (Near::Beside, at(4_300)),
            (Near::Below, at(4_200)),
            (Near::Above, at(4_100)),
            (Near::Here, at(4_000)),
        ]
    );
    let longer = changed_before(&view, &alert, Duration::from_hours(2));
    assert!(longer.iter().any(|change| change.item.at == at(400)));
}

fn wish(systems: &[u8], about: About) -> SilenceWish {
    SilenceWish {
        scope: Scope {
            systems: systems.iter().map(|n| space(*n)).collect(),
            ..Scope::default()
        },
        about,
        ends: Ends::At(at(500)),
        reason: "moving the rack".to_owned(),
    }
}

fn red() -> Workspace {
    let mut workspace = world();
    for n in [DB, OSD, WEB, SWITCH] {
        told(
            &mut workspace,
            n,
            &[(1, Severity::Ok), (10, Severity::Critical)],
        );
    }
    workspace
}

fn anywhere(_: &SpaceId) -> bool {
    true
}

#[test]
fn a_preview_mutes_exactly_what_is_muted_when_it_is_written() {
    let mut subtree = wish(&[CHECKOUT], About::All);
    subtree.scope.reach = Reach::Subtree;
    let mut labels = wish(&[], About::Named("disk".to_owned()));
    labels.scope.selector = Some("site=a".parse().unwrap());
    let until = SilenceWish {
        ends: Ends::WhenResolved,
        ..wish(&[SWITCH, WEB], About::All)
    };
    let family = About::Family("disk: # is down".to_owned());
    let wishes = [
        (wish(&[CHECKOUT], About::All), 0),
        (wish(&[DB], About::All), 1),
        (subtree, 3),
        (labels, 2),
        (wish(&[DB, OSD], family), 1),
        (wish(&[OSD, WEB], About::Check(check(WEB).id)), 1),
        (until, 2),
    ];
    for (wish, muted) in wishes {
        let mut workspace = red();
        let before = workspace.view(at(20));
        let preview = preview_silence(&before, &wish, anywhere, at(20)).unwrap();
        assert_eq!(preview.mutes.len(), muted, "{wish:?}");
        for (system, silences) in &preview.writes {
            for (n, silence) in (0..).zip(silences) {
                let edit = workspace.edit_system(*system, &chain(WRITER), at(20), |edit| {
                    edit.put_silence(ItemId::from_bytes([n; 16]), silence)
                });
                drop(edit.unwrap());
            }
        }
        let after = workspace.view(at(21));
        let quiet = after.alerts.iter().filter(|alert| !alert.needs_attention());
        let quiet: Vec<_> = quiet.map(|alert| alert.id).collect();
        let as_said = before.alerts.iter().map(|alert| alert.id);
        let as_said: Vec<_> = as_said.filter(|id| preview.mutes.contains(id)).collect();
        assert_eq!(quiet, as_said, "{wish:?}");
    }
}

#[test]
fn a_preview_says_of_what_somebody_knows_already_that_it_is_meant_too() {
    for ends in [Ends::WhenResolved, Ends::At(at(500))] {
        let mut workspace = red();
        let alert = workspace
            .view(at(20))
            .alerts
            .iter()
            .find(|it| it.system == space(DB))
            .unwrap()
            .id;
        let known = Acknowledgement {
            at: at(20),
            alert: Some(alert),
            check: Some(check(DB).id),
            ..Acknowledgement::default()
        };
        let entries = [(
            EntryId::new(at(20), [WRITER; 10]),
            TimelineEntry::Acknowledgement(known),
        )];
        let edit = workspace.append_timeline(space(DB), &chain(WRITER), at(20), &entries);
        drop(edit.unwrap());
        let wish = SilenceWish {
            ends,
            ..wish(&[DB, OSD], About::All)
        };
        let preview = preview_silence(&workspace.view(at(21)), &wish, anywhere, at(21)).unwrap();
        assert_eq!((preview.mutes.len(), preview.known), (1, vec![alert]));
    }
}

#[test]
fn where_one_may_not_write_nothing_is_muted_and_that_is_said() {
    let mut wish = wish(&[CHECKOUT], About::All);
    wish.scope.reach = Reach::Subtree;
    let mut workspace = red();
    link(&mut workspace, CHECKOUT, HIDDEN, Relation::Part);
    let may_write = |system: &SpaceId| *system != space(OSD);
    let view = workspace.view(at(20));
    let preview = preview_silence(&view, &wish, may_write, at(20)).unwrap();
    assert_eq!(
        (preview.denied, preview.unreadable),
        (vec![space(OSD)], vec![space(HIDDEN)])
    );
    assert_eq!((preview.writes.len(), preview.mutes.len()), (3, 2));
    let scope = wish.scope.clone();
    let window = Maintenance {
        reason: "kernel".to_owned(),
        from: at(15),
        until: at(60),
        every_days: None,
        cron: None,
    };
    let preview = preview_maintenance(&view, &scope, &window, may_write, at(20)).unwrap();
    assert_eq!((preview.denied.len(), preview.mutes.len()), (1, 2));
    let later = preview_maintenance(&view, &scope, &window, may_write, at(10)).unwrap();
    assert_eq!(later.mutes.len(), 0, "it is not open yet");
}

#[test]
fn a_wish_without_place_reason_or_end_is_refused() {
    let view = red().view(at(20));
    let refused = |wish: &SilenceWish| preview_silence(&view, wish, anywhere, at(20)).unwrap_err();
    assert_eq!(refused(&wish(&[], About::All)), WishError::NoScope);
    assert_eq!(refused(&wish(&[HIDDEN], About::All)), WishError::NoSystem);
    let named = About::Named("fan".to_owned());
    assert_eq!(
        refused(&wish(&[DB], named)),
        WishError::NoCheck("fan".to_owned())
    );
    let mut wordless = wish(&[DB], About::All);
    wordless.reason = "  ".to_owned();
    assert_eq!(refused(&wordless), WishError::NoReason);
    let mut over = wish(&[DB], About::All);
    over.ends = Ends::At(at(20));
    assert_eq!(refused(&over), WishError::Ends);
}
