//! What people see of alerts and do about them, as stories of one System and its aggregate.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

#[path = "common/names.rs"]
mod common;
#[path = "common/shop.rs"]
mod shop;
#[path = "common/told.rs"]
mod told_of;

use std::collections::BTreeMap;

use aramaki_model::alert::{Hold, agent_check};
use aramaki_model::day::{Day, day_of};
use aramaki_model::entry::{Acknowledgement, AgentStarted, Claim, Withdrawal};
use aramaki_model::root_cause::{RootCause, root_causes};
use aramaki_model::snapshot::Observed;
use aramaki_model::status::Handled;
use aramaki_model::system::AgentRef;
use aramaki_model::{
    Alert, AlertKind, AlertState, Check, CheckBeat, CheckState, EntryId, Heartbeat, ItemId,
    JournalEntry, LastHeard, Maintenance, Observation, Presence, Reach, Severity, Silence,
    TimelineEntry, Workspace,
};
use aramaki_sync_core::Timestamp;
use common::{at, chain, space};
use shop::{
    AGENT, ALICE, BOB, DATABASE, DAY, ROBOT, SHOP, alerts, check, facts, journal, silence, told,
    workspace,
};
use told_of::receipt;

fn entry(seconds: i64, n: u8) -> EntryId {
    EntryId::new(at(seconds), [n; 10])
}

fn alive(workspace: &mut Workspace, seconds: i64, checks: &[u8]) {
    let beat = |n: &u8| CheckBeat {
        check: check(*n).id,
        at: at(seconds),
        raw: Severity::Ok,
        attempt: 0,
    };
    let beat = Heartbeat {
        at: at(seconds),
        generation: 1,
        checks: checks.iter().map(beat).collect(),
    };
    workspace.heartbeat(space(AGENT), &beat, at(seconds));
}

fn say(workspace: &mut Workspace, who: u8, seconds: i64, said: TimelineEntry) -> EntryId {
    let id = entry(seconds, who);
    let edit = workspace.append_timeline(space(DATABASE), &chain(who), at(seconds), &[(id, said)]);
    drop(edit.unwrap());
    id
}

fn acknowledge(seconds: i64, text: &str) -> Acknowledgement {
    Acknowledgement {
        at: at(seconds),
        check: Some(check(1).id),
        text: text.to_owned(),
        ..Acknowledgement::default()
    }
}

fn only(workspace: &Workspace, seconds: i64) -> Alert {
    let alerts = alerts(workspace, seconds);
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    Alert::clone(&alerts[0])
}

#[test]
fn an_alert_is_open_until_the_check_recovers_and_is_shown_for_its_days() {
    use Severity::{Critical, Ok, Warning};
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok), (10, Warning), (40, Critical)]);
    let alert = only(&workspace, 50);
    assert_eq!(
        (alert.state, alert.kind),
        (AlertState::Open, AlertKind::Problem)
    );
    assert_eq!((alert.severity, alert.worst), (Critical, Critical));
    assert_eq!((alert.opened, alert.since), (at(10), at(40)));
    assert_eq!(
        (alert.title.as_str(), alert.name.as_str()),
        ("db02", "check1")
    );
    assert_eq!(alert.summary, "lag 40 s");
    assert_eq!(alert.family, "check#: lag # s");
    assert_eq!(alert.last_ok, Some(at(10)), "the change away from it");
    assert_eq!((alert.first_seen, alert.flaps), (Some(at(10)), 1));
    assert_eq!(alert.transitions.len(), 3);
    let concerns: Vec<_> = alert.concerns.iter().map(|c| c.path.len()).collect();
    assert_eq!(concerns, [1, 2]);
    let view = workspace.view(at(50));
    let database = view.system(&space(DATABASE)).unwrap();
    assert_eq!(database.checks[0].alert, Some(alert.id));
    assert_eq!(database.alerts.len(), 1);
    assert_eq!(view.system(&space(SHOP)).unwrap().alerts, []);
    told(&mut workspace, 1, &[(60, Ok), (70, Warning)]);
    let both = alerts(&workspace, 80);
    let brief: Vec<_> = both.iter().map(|a| (a.state, a.opened)).collect();
    assert_eq!(
        brief,
        [(AlertState::Open, at(70)), (AlertState::Resolved, at(10))]
    );
    let over = &both[1];
    assert_eq!((over.id, over.resolved), (alert.id, Some(at(60))));
    assert_eq!(
        (over.worst, over.severity, over.effective),
        (Critical, Critical, Ok)
    );
    assert_eq!((both[0].flaps, over.summary.as_str()), (2, "lag 40 s"));
    assert_eq!(alerts(&workspace, 59 + 14 * DAY).len(), 2);
    assert_eq!(alerts(&workspace, 60 + 14 * DAY).len(), 1);
}

#[test]
fn concurrent_acknowledgements_are_both_kept_and_each_can_be_taken_back() {
    let mut workspace = workspace();
    told(
        &mut workspace,
        1,
        &[(5, Severity::Ok), (10, Severity::Critical)],
    );
    let alert = only(&workspace, 20).id;
    // Alice's clock is behind; she names the alert.
    let said = Acknowledgement {
        alert: Some(alert),
        ..acknowledge(8, "ticket 12")
    };
    let hers = say(
        &mut workspace,
        ALICE,
        8,
        TimelineEntry::Acknowledgement(said),
    );
    let until = Some(at(100));
    let said = Acknowledgement {
        until,
        ..acknowledge(25, "I look")
    };
    let his = say(
        &mut workspace,
        BOB,
        25,
        TimelineEntry::Acknowledgement(said),
    );
    let seen = only(&workspace, 30);
    assert_eq!(
        (seen.state, seen.effective),
        (AlertState::Acknowledged, Severity::Ok)
    );
    let who: Vec<_> = seen
        .acknowledgements
        .iter()
        .map(|a| (a.name.as_str(), a.holds))
        .collect();
    assert_eq!(who, [("alice", true), ("bob", true)]);
    assert!(!seen.needs_attention());
    let back = |entry| {
        TimelineEntry::Withdrawal(Withdrawal {
            at: at(40),
            entry,
            text: String::new(),
        })
    };
    say(&mut workspace, BOB, 40, back(hers));
    let seen = only(&workspace, 50);
    assert_eq!(seen.acknowledgements.len(), 1);
    assert_eq!(seen.state, AlertState::Acknowledged);
    let seen = only(&workspace, 100);
    assert_eq!(
        (seen.state, seen.acknowledgements[0].holds),
        (AlertState::Open, false)
    );
    say(&mut workspace, ALICE, 101, back(his));
    assert_eq!(only(&workspace, 102).acknowledgements, []);
}

#[test]
fn a_claim_is_seen_until_its_end_and_changes_no_state() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Severity::Critical)]);
    told(&mut workspace, 2, &[(6, Severity::Critical)]);
    let claim = Claim {
        at: at(10),
        text: "on it".to_owned(),
        until: at(70),
        check: Some(check(2).id),
        alert: None,
    };
    let id = say(&mut workspace, BOB, 10, TimelineEntry::Claim(claim));
    let claims = |workspace: &Workspace, seconds| -> Vec<_> {
        let alerts = alerts(workspace, seconds);
        alerts
            .iter()
            .map(|alert| (alert.state, alert.claimed_by().count()))
            .collect()
    };
    let open = AlertState::Open;
    assert_eq!(claims(&workspace, 20), [(open, 0), (open, 1)]);
    assert_eq!(claims(&workspace, 70), [(open, 0), (open, 0)]);
    let back = Withdrawal {
        at: at(30),
        entry: id,
        text: String::new(),
    };
    say(&mut workspace, BOB, 30, TimelineEntry::Withdrawal(back));
    assert_eq!(claims(&workspace, 40), [(open, 0), (open, 0)]);
}

#[test]
fn a_silence_says_why_and_who_and_one_until_resolved_ends_with_the_problem() {
    use Severity::{Critical, Ok};
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok), (10, Critical)]);
    let until_resolved = Silence {
        check: Some(check(1).id),
        until_resolved: true,
        reason: "disk is ordered".to_owned(),
        from: at(20),
        until: at(30 * DAY),
        ..Silence::default()
    };
    silence(&mut workspace, 1, DATABASE, &until_resolved);
    let quiet = only(&workspace, 30);
    assert_eq!((quiet.state, quiet.effective), (AlertState::Open, Ok));
    let [
        Hold::Silence {
            reason,
            name,
            until_resolved: true,
            ..
        },
    ] = quiet.holds.as_slice()
    else {
        panic!("{:?}", quiet.holds);
    };
    assert_eq!((reason.as_str(), name.as_str()), ("disk is ordered", "bob"));
    told(&mut workspace, 1, &[(40, Ok), (50, Critical)]);
    let again = &alerts(&workspace, 60)[0];
    assert_eq!(
        (again.opened, again.holds.len()),
        (at(50), 0),
        "another problem"
    );
    assert!(again.may_notify());
}

#[test]
fn a_family_is_silenced_and_others_are_not() {
    use Severity::Critical;
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Critical)]);
    let family = only(&workspace, 10).family;
    let quiet = Silence {
        from: at(10),
        until: at(100),
        ..Silence::default()
    };
    silence(
        &mut workspace,
        1,
        DATABASE,
        &quiet.clone().of_family("check#: other"),
    );
    assert!(only(&workspace, 20).needs_attention());
    silence(&mut workspace, 2, DATABASE, &quiet.of_family(&family));
    assert!(!only(&workspace, 20).needs_attention());
    let view = workspace.view(at(20));
    let status = &view.system(&space(DATABASE)).unwrap().checks[0].status;
    assert_eq!(status.handled, Some(Handled::Silenced));
}

#[test]
fn a_silence_of_a_subtree_keeps_it_quiet_for_that_aggregate_alone() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Severity::Critical)]);
    let subtree = Silence {
        reach: Reach::Subtree,
        from: at(10),
        until: at(100),
        ..Silence::default()
    };
    silence(&mut workspace, 1, SHOP, &subtree);
    let alert = only(&workspace, 20);
    let quiet: Vec<_> = alert
        .concerns
        .iter()
        .map(|c| (c.system, c.is_quiet))
        .collect();
    assert_eq!(quiet, [(space(DATABASE), false), (space(SHOP), true)]);
    assert!(alert.needs_attention() && alert.holds.is_empty());
}

#[test]
fn maintenance_holds_for_its_window() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Severity::Critical)]);
    let window = Maintenance {
        reason: "kernel".to_owned(),
        from: at(10),
        until: at(60),
        every_days: None,
        cron: None,
    };
    let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(9), |edit| {
        edit.put_maintenance(ItemId::from_bytes([3; 16]), &window)
    });
    drop(edit.unwrap());
    let alert = only(&workspace, 20);
    let [Hold::Maintenance { until, name, .. }] = alert.holds.as_slice() else {
        panic!("{:?}", alert.holds);
    };
    assert_eq!((*until, name.as_str()), (at(60), "alice"));
    assert!(only(&workspace, 60).needs_attention());
}

#[test]
fn an_agent_that_is_not_heard_is_one_alert_and_only_where_somebody_listened() {
    use Severity::{Critical, Missing, Ok};
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok)]);
    told(&mut workspace, 2, &[(6, Critical)]);
    assert_eq!(alerts(&workspace, 5 * DAY).len(), 1, "nobody listened");
    workspace.hears(space(AGENT), true, at(10));
    alive(&mut workspace, 20, &[1, 2]);
    assert_eq!(alerts(&workspace, 140).len(), 1);
    let both = alerts(&workspace, 141);
    let silent = &both[1];
    assert_eq!(
        silent.kind,
        AlertKind::Silent {
            agent: space(AGENT)
        }
    );
    assert_eq!(
        (silent.severity, silent.opened, silent.seen),
        (Missing, at(140), Some(at(20)))
    );
    assert_eq!(
        (silent.check, silent.name.as_str()),
        (agent_check(&space(AGENT)), "db02.example.org")
    );
    assert_eq!(
        (both[0].severity, both[0].is_stale),
        (Critical, true),
        "bad news is not lost"
    );
    // It is known: the checks that are missing because of it ask for nobody either.
    let said = Acknowledgement {
        alert: Some(silent.id),
        check: Some(silent.check),
        ..acknowledge(150, "rack is moved")
    };
    say(
        &mut workspace,
        ALICE,
        150,
        TimelineEntry::Acknowledgement(said),
    );
    let view = workspace.view(at(160));
    assert_eq!(view.alerts.get(1).unwrap().state, AlertState::Acknowledged);
    let checks = &view.system(&space(DATABASE)).unwrap().checks;
    assert_eq!(checks[0].status.handled, Some(Handled::Acknowledged));
    assert_eq!(
        (checks[0].status.raw, checks[0].status.effective),
        (Missing, Ok)
    );
    alive(&mut workspace, 200, &[1, 2]);
    assert_eq!(alerts(&workspace, 201).len(), 1, "heard again");
}

/// That its agent died says nothing good of what it saw last.
#[test]
fn what_was_open_when_an_agent_fell_silent_counts_still_for_its_system_and_above() {
    use Severity::{Critical, Missing, Ok};
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok), (10, Critical)]);
    told(&mut workspace, 2, &[(6, Ok)]);
    workspace.hears(space(AGENT), true, at(10));
    alive(&mut workspace, 20, &[2]);
    let seen = |workspace: &Workspace, seconds: i64| {
        let view = workspace.view(at(seconds));
        let state = |n| {
            let status = &view.system(&space(n)).unwrap().status;
            (status.raw, status.effective, status.is_silent())
        };
        let counts = view.system(&space(SHOP)).unwrap().counts;
        let counts = (counts.ok, counts.critical, counts.missing);
        ([state(DATABASE), state(SHOP)], counts)
    };
    let heard = (Critical, Critical, false);
    assert_eq!(seen(&workspace, 30), ([heard; 2], (1, 1, 0)));
    let silent = (Critical, Critical, true);
    assert_eq!(seen(&workspace, 1_000), ([silent; 2], (0, 1, 1)));
    let view = workspace.view(at(1_000));
    let status = &view.system(&space(SHOP)).unwrap().status;
    assert_eq!(
        (status.since, status.stood_at()),
        (Some(at(10)), Some(at(10)))
    );
    assert!(!status.is_unseen() && !status.is_agent_missed());
    let checks = &view.system(&space(DATABASE)).unwrap().checks;
    let first = checks.first().unwrap();
    assert_eq!(
        (first.check.id, first.status.raw, first.worst()),
        (check(1).id, Missing, Critical)
    );
    let causes = root_causes(&view, space(SHOP));
    let [cause] = &causes[..] else {
        panic!("{causes:?}");
    };
    assert_eq!((cause.severity, cause.since), (Critical, Some(at(10))));
    // Who knows of it is not told by it that its agent is not there.
    let known = TimelineEntry::Acknowledgement(acknowledge(1_010, "on it"));
    say(&mut workspace, ALICE, 1_010, known);
    let known = (Critical, Missing, true);
    assert_eq!(seen(&workspace, 1_020), ([known; 2], (0, 1, 1)));
    // Heard again, and over.
    told(&mut workspace, 1, &[(1_030, Ok)]);
    alive(&mut workspace, 1_031, &[1, 2]);
    assert_eq!(seen(&workspace, 1_032), ([(Ok, Ok, false); 2], (2, 0, 0)));
}

#[test]
fn when_a_check_was_last_ok_heartbeats_tell_too_and_it_is_known_after_its_end() {
    use Severity::{Critical, Ok};
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok)]);
    told(&mut workspace, 2, &[(6, Ok), (12, Critical)]);
    workspace.hears(space(AGENT), true, at(10));
    alive(&mut workspace, 30, &[1, 2]);
    let last_ok = |workspace: &Workspace, seconds: i64, n: u8| {
        let view = workspace.view(at(seconds));
        let checks = &view.system(&space(DATABASE)).unwrap().checks;
        let found = checks.iter().find(|it| it.check.id == check(n).id);
        found.unwrap().last_ok
    };
    assert_eq!(last_ok(&workspace, 31, 1), Some(at(30)));
    assert_eq!(
        last_ok(&workspace, 900, 1),
        Some(at(30)),
        "and not heard since"
    );
    assert_eq!(
        last_ok(&workspace, 31, 2),
        Some(at(12)),
        "a heartbeat is no better"
    );
    let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(40), |edit| {
        edit.remove_check(check(2).id)
    });
    drop(edit.unwrap());
    let ended = only(&workspace, 50);
    assert_eq!((ended.last_ok, ended.was_left()), (Some(at(12)), true));
}

#[test]
fn what_recovered_is_over_and_what_nobody_looks_at_any_more_was_left() {
    use Severity::{Critical, Ok};
    let found = |severity, seconds| Observation::of_builtin(check(1).id, at(seconds), severity, "");
    for left in [false, true] {
        let mut workspace = workspace();
        let mut state = CheckState::new(check(1).id);
        let begin = state.observe(&check(1), &found(Critical, 5));
        let end = if left {
            state.end(at(20))
        } else {
            state.observe(&check(1), &found(Ok, 20))
        };
        for (seconds, turn) in [(5, begin), (20, end)] {
            journal(
                &mut workspace,
                seconds,
                JournalEntry::Transition(turn.unwrap()),
            );
        }
        let ended = only(&workspace, 30);
        assert_eq!((ended.resolved, ended.was_left()), (Some(at(20)), left));
    }
}

/// Its machine is there for actions and services.
#[test]
fn a_system_without_checks_whose_agent_is_silent_is_as_bad_as_its_alert() {
    use Severity::{Missing, Ok};
    let mut workspace = workspace();
    let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(2), |edit| {
        edit.remove_check(check(1).id)?;
        edit.put_check(&Check {
            enabled: false,
            ..check(2)
        })
    });
    drop(edit.unwrap());
    workspace.hears(space(AGENT), true, at(10));
    alive(&mut workspace, 20, &[]);
    let states = |workspace: &Workspace, seconds: i64| {
        let view = workspace.view(at(seconds));
        let state = |n| {
            let status = &view.system(&space(n)).unwrap().status;
            (status.observed, status.raw, status.effective)
        };
        [state(DATABASE), state(SHOP)]
    };
    let unobserved = [(Observed::No, Missing, Missing); 2];
    assert_eq!(
        states(&workspace, 140),
        unobserved,
        "there is nothing to be OK"
    );
    assert_eq!(only(&workspace, 141).severity, Missing);
    assert_eq!(
        states(&workspace, 141),
        [(Observed::Yes, Missing, Missing); 2]
    );
    let view = workspace.view(at(141));
    let status = &view.system(&space(SHOP)).unwrap().status;
    assert_eq!(status.words(), "Webshop → db02: db02.example.org");
    assert_eq!(status.since, Some(at(20)), "the last sign");
    assert!(status.is_agent_missed() && status.is_silent() && !status.is_unseen());
    let causes = root_causes(&view, space(SHOP));
    let causes: Vec<_> = causes.iter().map(RootCause::words).collect();
    assert_eq!(causes, ["Webshop → db02: db02.example.org"]);
    // What is said of the alert is said of the state.
    let said = Acknowledgement {
        check: Some(agent_check(&space(AGENT))),
        ..acknowledge(150, "rack is moved")
    };
    say(
        &mut workspace,
        ALICE,
        150,
        TimelineEntry::Acknowledgement(said),
    );
    assert_eq!(states(&workspace, 160), [(Observed::Yes, Missing, Ok); 2]);
    alive(&mut workspace, 200, &[]);
    assert_eq!(states(&workspace, 201), unobserved);
    // Who may be away is missed by nobody.
    presence(&mut workspace, None, Presence::MayBeOffline);
    assert_eq!(states(&workspace, 900), unobserved);
}

/// The agent alone was heard then.
fn heard(seconds: Timestamp) -> LastHeard {
    LastHeard {
        at: Some(seconds),
        ..LastHeard::default()
    }
}

/// An agent writes nothing while all is well: its journal does not say when it died.
#[test]
fn what_was_heard_before_a_restart_says_since_when_an_agent_is_silent_and_no_more() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Severity::Ok)]);
    told(&mut workspace, 2, &[(6, Severity::Ok)]);
    for (before, silent_since) in [(at(3), 126), (at(3_000), 3_120)] {
        let mut workspace = workspace.clone();
        workspace.heard_before(space(AGENT), &heard(before));
        assert_eq!(alerts(&workspace, 4_000), [], "nobody listened");
        workspace.hears(space(AGENT), true, at(5_000));
        assert_eq!(alerts(&workspace, 5_010), [], "it may speak again");
        let [silent] = &alerts(&workspace, 5_200)[..] else {
            panic!("{:?}", alerts(&workspace, 5_200));
        };
        assert_eq!(silent.opened, at(silent_since));
        alive(&mut workspace, 5_210, &[1]);
        assert_eq!(alerts(&workspace, 5_211), []);
        let last: Vec<_> = workspace.last_heard(at(5_211)).collect();
        let [(agent, last)] = &last[..] else {
            panic!("{last:?}");
        };
        assert_eq!((*agent, last.at), (space(AGENT), Some(at(5_210))));
        assert_eq!(last.checks, BTreeMap::from([(check(1).id, at(5_210))]));
        let [listened] = last.listened[..] else {
            panic!("{:?}", last.listened);
        };
        assert_eq!((listened.from, listened.until), (at(5_000), at(5_211)));
    }
}

fn presence(workspace: &mut Workspace, agent: Option<u8>, presence: Presence) {
    let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(2), |edit| {
        edit.put_presence(agent.map(space), presence)
    });
    drop(edit.unwrap());
}

/// The agent's life, whether it is offline, the first check's raw and effective state and why, and
/// the shop's effective state.
fn seen(
    workspace: &Workspace,
    seconds: i64,
) -> (bool, Severity, Severity, Option<Handled>, Severity) {
    let view = workspace.view(at(seconds));
    let system = view.system(&space(DATABASE)).unwrap();
    let status = &system.checks[0].status;
    let shop = view.system(&space(SHOP)).unwrap();
    (
        system.agents[0].is_offline(),
        status.raw,
        status.effective,
        status.handled,
        shop.status.effective,
    )
}

#[test]
fn a_laptop_that_is_shut_is_offline_and_nobody_is_told() {
    use Severity::{Missing, Ok};
    for agent in [None, Some(AGENT)] {
        let mut workspace = workspace();
        presence(&mut workspace, agent, Presence::MayBeOffline);
        told(&mut workspace, 1, &[(5, Ok)]);
        told(&mut workspace, 2, &[(6, Ok)]);
        workspace.hears(space(AGENT), true, at(10));
        alive(&mut workspace, 20, &[1, 2]);
        assert_eq!(seen(&workspace, 140), (false, Ok, Ok, None, Ok));
        // Observed is that nothing is; that asks for nobody, and is told with its age.
        let offline = (true, Missing, Ok, Some(Handled::Offline), Ok);
        for seconds in [141, 3_600, 30 * DAY] {
            assert_eq!(seen(&workspace, seconds), offline, "after {seconds} s");
            assert_eq!(alerts(&workspace, seconds), []);
            let view = workspace.view(at(seconds));
            let agent = &view.system(&space(DATABASE)).unwrap().agents[0];
            assert_eq!(agent.seen, Some(at(20)));
        }
        // One that was shut down in good order is offline the same.
        alive(&mut workspace, 4_000, &[1, 2]);
        journal(
            &mut workspace,
            4_001,
            JournalEntry::Stopped { at: at(4_001) },
        );
        assert_eq!(seen(&workspace, 4_002), offline);
        assert_eq!(alerts(&workspace, 8_000), []);
        // Heard again, what is there without a fresh result is missing, and still nobody is told: it
        // may have been asleep a moment ago.
        alive(&mut workspace, 9_000, &[]);
        assert_eq!(
            seen(&workspace, 9_001),
            (false, Missing, Missing, None, Missing)
        );
        assert_eq!(alerts(&workspace, 9_001), []);
        alive(&mut workspace, 9_010, &[1, 2]);
        assert_eq!(seen(&workspace, 9_011), (false, Ok, Ok, None, Ok));
    }
}

#[test]
fn a_laptop_that_was_shut_with_a_problem_has_it_still() {
    use Severity::{Critical, Missing, Ok};
    let mut workspace = workspace();
    presence(&mut workspace, None, Presence::MayBeOffline);
    told(&mut workspace, 1, &[(5, Ok), (10, Critical)]);
    told(&mut workspace, 2, &[(6, Ok)]);
    workspace.hears(space(AGENT), true, at(10));
    alive(&mut workspace, 20, &[1, 2]);
    let alert = only(&workspace, 1_000);
    assert_eq!((alert.severity, alert.is_stale), (Critical, true));
    let view = workspace.view(at(1_000));
    let checks = &view.system(&space(DATABASE)).unwrap().checks;
    let of = |n: u8| checks.iter().find(|it| it.check.id == check(n).id).unwrap();
    assert_eq!(
        (of(1).status.effective, of(1).status.handled),
        (Missing, None)
    );
    assert_eq!(of(2).status.handled, Some(Handled::Offline));
}

#[test]
fn what_is_said_of_one_agent_goes_before_what_is_said_of_all_and_can_be_taken_back() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Severity::Ok)]);
    workspace.hears(space(AGENT), true, at(10));
    alive(&mut workspace, 20, &[1, 2]);
    let is_told = |workspace: &Workspace| !alerts(workspace, 1_000).is_empty();
    assert!(is_told(&workspace), "a server is expected to be heard of");
    presence(&mut workspace, None, Presence::MayBeOffline);
    assert!(!is_told(&workspace));
    presence(&mut workspace, Some(AGENT), Presence::Always);
    assert!(is_told(&workspace), "this one is a server");
    presence(&mut workspace, Some(AGENT), Presence::MayBeOffline);
    presence(&mut workspace, None, Presence::Always);
    assert!(!is_told(&workspace));
    // What is said of another agent is not said of this one.
    presence(&mut workspace, Some(AGENT), Presence::Always);
    presence(&mut workspace, Some(99), Presence::MayBeOffline);
    assert!(is_told(&workspace));
}

#[test]
fn an_agent_that_was_never_heard_of_is_not_offline_but_not_there_yet() {
    let mut workspace = workspace();
    presence(&mut workspace, None, Presence::MayBeOffline);
    let other = workspace.edit_system(space(DATABASE), &chain(ALICE), at(3), |edit| {
        edit.remove_agent(space(AGENT))?;
        edit.put_agent(space(98), &AgentRef::default())
    });
    drop(other.unwrap());
    workspace.open_space(space(98));
    workspace.hears(space(98), true, at(10));
    let (is_offline, raw, effective, handled, _) = seen(&workspace, 1_000);
    assert_eq!(
        (is_offline, raw, effective, handled),
        (false, Severity::Missing, Severity::Missing, None)
    );
}

#[test]
fn a_check_without_fresh_results_of_an_agent_that_is_heard_is_missing() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Severity::Ok)]);
    workspace.hears(space(AGENT), true, at(5));
    for minute in 1..=11 {
        alive(&mut workspace, 60 * minute, &[]);
    }
    assert_eq!(alerts(&workspace, 601).len(), 0);
    // The second check never had a result: its time begins with the agent's start.
    let found = alerts(&workspace, 606);
    let brief: Vec<_> = found
        .iter()
        .map(|a| (a.kind, a.name.as_str(), a.opened))
        .collect();
    let missing = AlertKind::Missing;
    assert_eq!(
        brief,
        [(missing, "check2", at(601)), (missing, "check1", at(605))]
    );
    assert_eq!(found[1].family, "check#: no result");
    assert!(found[0].id != found[1].id);
    alive(&mut workspace, 610, &[1]);
    assert_eq!(only(&workspace, 611).name, "check2");
}

#[test]
fn what_a_hook_found_when_the_problem_began_is_shown_until_it_is_over() {
    use Severity::{Critical, Ok, Warning};
    let mut workspace = workspace();
    let check = Check {
        attempts: 3,
        ..check(1)
    };
    let mut state = CheckState::new(check.id);
    let mut observe = |workspace: &mut Workspace, seconds, severity, detail: &str| {
        let said = Observation::of_builtin(check.id, at(seconds), severity, "full");
        let said = said.with_detail(detail);
        if let Some(transition) = state.observe(&check, &said) {
            journal(workspace, seconds, JournalEntry::Transition(transition));
        }
    };
    observe(&mut workspace, 5, Ok, "");
    // The hook runs with the first bad result, which does not count yet.
    observe(&mut workspace, 10, Critical, "/var/log: 40 GiB");
    observe(&mut workspace, 20, Critical, "");
    observe(&mut workspace, 30, Critical, "");
    assert_eq!(only(&workspace, 31).detail, "/var/log: 40 GiB");
    observe(&mut workspace, 40, Warning, "95 %");
    assert_eq!(only(&workspace, 41).detail, "95 %\n/var/log: 40 GiB");
    observe(&mut workspace, 50, Ok, "");
    observe(&mut workspace, 60, Critical, "");
    observe(&mut workspace, 70, Critical, "");
    observe(&mut workspace, 80, Critical, "");
    assert_eq!(alerts(&workspace, 81)[0].detail, "", "of another problem");
}

#[test]
fn who_starts_anew_calls_nothing_missing_that_a_heartbeat_does_not_name_yet() {
    use Severity::{Critical, Missing};
    let mut workspace = workspace();
    // Each check changed long ago, and at another time: heartbeats in between are not stored.
    told(&mut workspace, 1, &[(5, Critical)]);
    told(&mut workspace, 2, &[(2_000, Severity::Ok)]);
    let raw = |workspace: &Workspace, seconds| -> Vec<_> {
        let view = workspace.view(at(seconds));
        let checks = &view.system(&space(DATABASE)).unwrap().checks;
        checks.iter().map(|check| check.status.raw).collect()
    };
    let ok = Severity::Ok;
    assert_eq!(raw(&workspace, 5_000), [Critical, ok], "nobody listens");
    workspace.hears(space(AGENT), true, at(5_000));
    alive(&mut workspace, 5_001, &[2]);
    assert_eq!(raw(&workspace, 5_002), [Critical, ok], "one is on its way");
    assert_eq!(only(&workspace, 5_002).severity, Critical);
    for minute in 1..=10 {
        alive(&mut workspace, 5_001 + 60 * minute, &[2]);
    }
    assert_eq!(raw(&workspace, 5_602), [Missing, ok], "it does not come");
    let kinds: Vec<_> = alerts(&workspace, 5_602).iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [AlertKind::Problem, AlertKind::Missing]);
}

#[test]
fn an_agent_that_comes_back_is_given_the_time_of_each_check() {
    let back = |journal_comes_first: bool| {
        let mut workspace = workspace();
        told(&mut workspace, 1, &[(5, Severity::Ok)]);
        told(&mut workspace, 2, &[(6, Severity::Ok)]);
        workspace.hears(space(AGENT), true, at(10));
        alive(&mut workspace, 20, &[1, 2]);
        assert!(matches!(
            only(&workspace, 900).kind,
            AlertKind::Silent { .. }
        ));
        if journal_comes_first {
            let started = AgentStarted {
                at: at(1_000),
                host: "db02".to_owned(),
                version: "0.1.0".to_owned(),
            };
            journal(&mut workspace, 1_000, JournalEntry::Started(started));
        }
        alive(&mut workspace, 1_001, &[]);
        workspace
    };
    for journal_comes_first in [true, false] {
        let mut workspace = back(journal_comes_first);
        assert_eq!(alerts(&workspace, 1_002).len(), 0, "it is back");
        for minute in 1..=10 {
            alive(&mut workspace, 1_001 + 60 * minute, &[1]);
        }
        assert_eq!(alerts(&workspace, 1_600).len(), 0, "there is time");
        let missing = only(&workspace, 1_602);
        assert_eq!(
            (missing.kind, missing.name.as_str(), missing.opened),
            (AlertKind::Missing, "check2", at(1_601))
        );
    }
}

#[test]
fn the_end_of_an_outage_is_told_by_name_and_only_when_the_agent_is_heard() {
    let mut first = workspace();
    told(&mut first, 1, &[(5, Severity::Ok)]);
    first.hears(space(AGENT), true, at(10));
    alive(&mut first, 20, &[1, 2]);
    let silent = only(&first, 150);
    let told_of = facts(&first, 150);
    assert_eq!(
        (told_of[0].name.as_str(), told_of[0].summary.as_str()),
        ("db02.example.org", "the agent is not heard any more")
    );
    // A notifier that begins anew, and does not hear anything yet.
    let mut anew = workspace();
    told(&mut anew, 1, &[(5, Severity::Ok)]);
    receipt(&mut anew, (ALICE, 160), space(DATABASE), &silent);
    assert_eq!(facts(&anew, 170), [], "not heard is not over");
    anew.hears(space(AGENT), true, at(170));
    assert!(facts(&anew, 300).iter().all(|fact| fact.resolved.is_none()));
    alive(&mut anew, 310, &[1, 2]);
    let over = facts(&anew, 311);
    assert_eq!(over.len(), 1);
    assert_eq!(over[0].resolved, Some(at(310)));
    assert_eq!(
        (over[0].name.as_str(), over[0].summary.as_str()),
        ("db02.example.org", "the agent is heard again")
    );
}

/// It was heard between two outages, and that the first was over was told to nobody.
#[test]
fn who_is_started_anew_takes_no_sign_of_before_an_outage_for_its_end() {
    let mut first = workspace();
    told(&mut first, 1, &[(5, Severity::Ok)]);
    first.hears(space(AGENT), true, at(10));
    alive(&mut first, 20, &[1, 2]);
    let silent = only(&first, 150);
    let mut anew = workspace();
    told(&mut anew, 1, &[(5, Severity::Ok)]);
    for seconds in [160, 900] {
        receipt(&mut anew, (ALICE, seconds), space(DATABASE), &silent);
    }
    anew.heard_before(space(AGENT), &heard(at(500)));
    assert_eq!(facts(&anew, 950), []);
}

#[test]
fn nobody_is_woken_for_silence_by_who_began_to_listen_a_moment_ago() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Severity::Ok)]);
    alive(&mut workspace, 20, &[1]);
    workspace.hears(space(AGENT), true, at(1_000));
    assert_eq!(only(&workspace, 1_001).opened, at(140), "people see it");
    let fact = &facts(&workspace, 1_001)[0];
    assert_eq!((fact.opened, fact.since), (at(140), at(1_120)));
    // Whom it listened to for a moment only, it knows nothing of.
    workspace.hears(space(AGENT), false, at(1_060));
    assert_eq!(facts(&workspace, 2_000), []);
    // Of a problem it tells at once.
    told(&mut workspace, 2, &[(2_001, Severity::Critical)]);
    let problem = &facts(&workspace, 2_001)[0];
    assert_eq!(
        (problem.name.as_str(), problem.since),
        ("check2", at(2_001))
    );
}

#[test]
fn an_agent_that_stopped_in_good_order_is_missed_when_it_does_not_come_back() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Severity::Ok)]);
    workspace.hears(space(AGENT), true, at(10));
    alive(&mut workspace, 30, &[1, 2]);
    journal(&mut workspace, 31, JournalEntry::Stopped { at: at(31) });
    assert_eq!(alerts(&workspace, 100).len(), 0, "it may be an update");
    let silent = only(&workspace, 152);
    assert_eq!(
        (silent.opened, silent.severity),
        (at(151), Severity::Missing)
    );
}

#[test]
fn what_asks_for_somebody_stands_first_then_the_worst_then_the_oldest() {
    use Severity::{Critical, Ok, Warning};
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Warning)]);
    told(&mut workspace, 2, &[(9, Critical)]);
    let names = |workspace: &Workspace, seconds| -> Vec<_> {
        let alerts = alerts(workspace, seconds);
        alerts.iter().map(|alert| alert.name.clone()).collect()
    };
    assert_eq!(names(&workspace, 10), ["check2", "check1"]);
    let said = Acknowledgement {
        check: Some(check(2).id),
        ..acknowledge(12, "known")
    };
    say(
        &mut workspace,
        ALICE,
        12,
        TimelineEntry::Acknowledgement(said),
    );
    assert_eq!(names(&workspace, 13), ["check1", "check2"]);
    told(&mut workspace, 1, &[(20, Ok)]);
    assert_eq!(names(&workspace, 21), ["check2", "check1"]);
}

#[test]
fn a_check_that_is_turned_off_has_no_open_alert() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Severity::Critical)]);
    let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(9), |edit| {
        edit.put_check(&Check {
            enabled: false,
            ..check(1)
        })
    });
    drop(edit.unwrap());
    assert_eq!(alerts(&workspace, 10).len(), 0);
}

#[test]
fn two_replicas_that_took_entries_in_another_order_have_the_same_alerts() {
    use Severity::{Critical, Ok};
    let results = [(5, Ok), (10, Critical), (20, Ok), (30, Critical)];
    let mut one = workspace();
    told(&mut one, 1, &results);
    told(&mut one, 2, &[(15, Critical)]);
    let mut other = workspace();
    told(&mut other, 2, &[(15, Critical)]);
    told(&mut other, 1, &results);
    let moment = at(40);
    assert_eq!(one.view(moment).alerts, other.view(moment).alerts);
    assert_eq!(one.view(moment).alerts.len(), 3);
}

#[test]
fn a_result_that_does_not_count_yet_is_seen_with_its_attempt() {
    let mut workspace = workspace();
    let patient = Check {
        attempts: 3,
        ..check(1)
    };
    let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(1), |edit| {
        edit.put_check(&patient)
    });
    drop(edit.unwrap());
    let mut state = CheckState::new(patient.id);
    let mut tell = |workspace: &mut Workspace, seconds: i64, severity| {
        let said = Observation::of_builtin(patient.id, at(seconds), severity, "lag");
        let said = said.with_detail(&format!("seen at {seconds}"));
        if let Some(transition) = state.observe(&patient, &said) {
            journal(workspace, seconds, JournalEntry::Transition(transition));
        }
        let beat = CheckBeat {
            check: patient.id,
            at: at(seconds),
            raw: severity,
            attempt: u8::try_from(state.attempt).unwrap(),
        };
        let beat = &Heartbeat::batches(at(seconds), 1, &[beat])[0];
        let beat = Heartbeat::decode(&beat.encode().unwrap()).unwrap();
        workspace.heartbeat(space(AGENT), &beat, at(seconds));
    };
    tell(&mut workspace, 10, Severity::Ok);
    let attempt = |workspace: &Workspace, seconds: i64| {
        let snapshot = workspace.view(at(seconds));
        let system = snapshot.system(&space(DATABASE)).unwrap();
        let view = system.checks.iter().find(|it| it.check.id == patient.id);
        let view = view.unwrap();
        (view.attempt(), view.status.raw)
    };
    assert_eq!(attempt(&workspace, 11), (None, Severity::Ok));
    for (seconds, number) in [(20, 1), (30, 2)] {
        tell(&mut workspace, seconds, Severity::Critical);
        let (soft, raw) = attempt(&workspace, seconds + 1);
        let soft = soft.unwrap();
        assert_eq!((soft.raw, soft.hard), (Severity::Critical, Severity::Ok));
        assert_eq!((soft.attempt, soft.attempts), (number, 3));
        assert_eq!(raw, Severity::Ok, "what counts did not change yet");
        assert!(workspace.view(at(seconds + 1)).alerts.is_empty());
    }
    tell(&mut workspace, 40, Severity::Critical);
    assert_eq!(attempt(&workspace, 41), (None, Severity::Critical));
    let snapshot = workspace.view(at(41));
    let alert = snapshot.alerts.iter().next().unwrap();
    let tries: Vec<_> = alert.tries.iter().map(|it| (it.attempt, it.to)).collect();
    assert_eq!(tries, [(1, Severity::Critical)]);
    // Evidence of the first bad result is not lost by the time it counts.
    assert!(alert.detail.contains("seen at 20"), "{}", alert.detail);
    // A blip leaves nothing behind.
    tell(&mut workspace, 50, Severity::Ok);
    tell(&mut workspace, 60, Severity::Warning);
    tell(&mut workspace, 70, Severity::Ok);
    assert_eq!(attempt(&workspace, 71), (None, Severity::Ok));
}

/// The agent's clock was ahead, and somebody built on what it said then: it says nothing of now, also not that
/// the agent lives, until its time has come.
#[test]
fn a53_an_entry_of_the_future_keeps_nothing_green() {
    let mut workspace = workspace();
    told(
        &mut workspace,
        1,
        &[(5, Severity::Critical), (50_000, Severity::Ok)],
    );
    workspace.hears(space(AGENT), true, at(10));
    let mut view = aramaki_model::View::default();
    let mut raw = |workspace: &Workspace, seconds| {
        let snapshot = view.update(workspace, at(seconds));
        let system = snapshot.system(&space(DATABASE)).unwrap();
        let seen = system.checks.iter().find(|it| it.check.id == check(1).id);
        (seen.unwrap().status.raw, system.agents[0].life)
    };
    alive(&mut workspace, 100, &[]);
    assert_eq!(raw(&workspace, 101).0, Severity::Critical);
    let (dead, life) = raw(&workspace, 1_000);
    assert_eq!(
        (dead, life),
        (Severity::Missing, aramaki_model::status::AgentLife::Stale)
    );
    alive(&mut workspace, 50_000, &[1]);
    assert_eq!(raw(&workspace, 50_001).0, Severity::Ok, "its time has come");
}

/// What an agent calls a problem that counts is one, though its entry did not come yet.
#[test]
fn a_heartbeat_that_is_worse_than_the_journal_is_believed_and_a_better_one_is_not() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Severity::Warning)]);
    let mut raw = |seconds, severity, attempt| {
        let beat = CheckBeat {
            check: check(1).id,
            at: at(seconds),
            raw: severity,
            attempt,
        };
        let beat = Heartbeat {
            at: at(seconds),
            generation: 1,
            checks: vec![beat],
        };
        workspace.heartbeat(space(AGENT), &beat, at(seconds));
        let snapshot = workspace.view(at(seconds + 1));
        let system = snapshot.system(&space(DATABASE)).unwrap();
        let seen = system.checks.iter().find(|it| it.check.id == check(1).id);
        seen.unwrap().status.raw
    };
    assert_eq!(
        raw(10, Severity::Critical, 1),
        Severity::Warning,
        "an attempt"
    );
    assert_eq!(raw(20, Severity::Critical, 0), Severity::Critical);
    assert_eq!(raw(30, Severity::Ok, 0), Severity::Warning);
}

#[test]
fn a_day_on_which_nobody_heard_the_agent_is_not_ok() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(10, Severity::Ok)]);
    let day = 86_400;
    for ago in [1_i32, 2, 6, 7] {
        let mut sum = Day::new(day_of(at(0)) + ago, Severity::Ok);
        sum.lasted(Severity::Ok, 86_000);
        let seconds = (i64::from(ago) + 1) * day + 60;
        let sums = JournalEntry::sum_up(at(seconds), &[(check(1).id, sum)]);
        let sums: Vec<_> = sums
            .into_iter()
            .map(|sum| (entry(seconds, 9), sum))
            .collect();
        let edit = workspace.append_days(space(AGENT), &chain(ROBOT), at(seconds), &sums);
        drop(edit.unwrap());
    }
    let now = 8 * day + 100;
    alive(&mut workspace, now - 5, &[1]);
    let snapshot = workspace.view(at(now));
    let system = snapshot.system(&space(DATABASE)).unwrap();
    let view = system.checks.iter().find(|it| it.check.id == check(1).id);
    let strip = view.unwrap().days.strip(
        9,
        aramaki_model::day::Present {
            state: Some(Severity::Ok),
            since: None,
            seen: Some(at(now - 5)),
        },
        at(now),
    );
    let known: Vec<_> = strip.iter().map(|day| day.worst.is_some()).collect();
    assert_eq!(
        known,
        [true, true, true, false, false, false, true, true, true]
    );
    let shown = &system.history[system.history.len() - 9..];
    assert_eq!(shown[3..6], [Severity::Missing; 3]);
    assert_eq!(shown[6], Severity::Ok);
}
