//! Every rule of states and alerts by itself: what is heard, what is quiet, what is told of.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

#[path = "common/names.rs"]
mod common;
#[path = "common/shop.rs"]
mod shop;
#[path = "common/told.rs"]
mod told_of;

use aramaki_model::alert::{RESOLVED_OF_CHECK_MAX, agent_check};
use aramaki_model::beats::Beats;
use aramaki_model::entry::Acknowledgement;
use aramaki_model::notify::{Muted, Recurrence};
use aramaki_model::service::{ServiceClaim, registry};
use aramaki_model::status::Handled;
use aramaki_model::{
    Alert, AlertKind, Check, CheckBeat, EntryId, Heartbeat, ItemId, JournalEntry, KnownFamily,
    Maintenance, Presence, Reach, Severity, Silence, TimelineEntry, View, Workspace,
};
use common::{at, chain, space};
use shop::{
    AGENT, ALICE, BOB, DATABASE, DAY, SHOP, alerts, check, facts, journal, silence, told, told_by,
    workspace,
};
use told_of::receipt;

fn beat(seconds: i64, checks: &[(u8, i64, Severity)]) -> Heartbeat {
    let beat = |(n, seconds, raw): &(u8, i64, Severity)| CheckBeat {
        check: check(*n).id,
        at: at(*seconds),
        raw: *raw,
        attempt: 2,
    };
    Heartbeat {
        at: at(seconds),
        generation: u64::try_from(seconds).unwrap(),
        checks: checks.iter().map(beat).collect(),
    }
}

fn quiet(from: i64, until: i64) -> Silence {
    Silence {
        from: at(from),
        until: at(until),
        ..Silence::default()
    }
}

fn say(workspace: &mut Workspace, seconds: i64, said: TimelineEntry) {
    let entries = [(EntryId::new(at(seconds), [ALICE; 10]), said)];
    let edit = workspace.append_timeline(space(DATABASE), &chain(ALICE), at(seconds), &entries);
    drop(edit.unwrap());
}

use Severity::{Critical, Missing, Ok, Unknown, Warning};

#[test]
fn a_heartbeat_that_comes_late_changes_nothing_that_is_newer() {
    let mut beats = Beats::default();
    beats.take(&beat(100, &[(1, 100, Critical)]), at(200));
    beats.take(&beat(50, &[(1, 50, Ok), (2, 40, Warning)]), at(200));
    assert_eq!((beats.at, beats.generation), (Some(at(100)), Some(100)));
    assert_eq!(beats.checks[&check(1).id].raw, Critical);
    assert_eq!(
        beats.checks[&check(2).id].raw,
        Warning,
        "but tells what is new"
    );
    // Times to come count as now, for checks too.
    beats.take(&beat(900, &[(1, 900, Ok)]), at(300));
    assert_eq!(beats.at, Some(at(300)));
    assert_eq!(beats.checks[&check(1).id].at, at(300));
    beats.take(&beat(310, &[(1, 310, Unknown)]), at(310));
    assert_eq!(beats.checks[&check(1).id].raw, Unknown);
}

#[test]
fn a_journal_from_the_future_keeps_no_agent_alive() {
    let mut workspace = workspace();
    told(
        &mut workspace,
        1,
        &[(5, Ok), (100_000, Ok), (100_001, Critical)],
    );
    workspace.hears(space(AGENT), true, at(10));
    let life = |seconds: i64| {
        let view = workspace.view(at(seconds));
        view.system(&space(DATABASE)).unwrap().agents[0].seen
    };
    assert!(life(100).is_some());
    let view = workspace.view(at(500));
    let check = &view.system(&space(DATABASE)).unwrap().checks[0];
    assert!(
        check.status.seen <= Some(at(500)),
        "{:?}",
        check.status.seen
    );
}

#[test]
fn an_attempt_is_shown_only_while_a_problem_does_not_count_yet_and_is_heard_of() {
    let mut workspace = workspace();
    let patient = Check {
        attempts: 3,
        ..check(1)
    };
    let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(2), |edit| {
        edit.put_check(&patient)
    });
    drop(edit.unwrap());
    told_by(&mut workspace, &patient, &[(5, Ok)]);
    workspace.hears(space(AGENT), true, at(6));
    let attempt = |workspace: &Workspace, seconds: i64| {
        let view = workspace.view(at(seconds));
        let checks = view.system(&space(DATABASE)).unwrap().checks.iter();
        let mut of = checks.filter(|it| it.check.id == check(1).id);
        of.next()
            .unwrap()
            .attempt()
            .map(|it| (it.raw, it.hard, it.attempt))
    };
    workspace.heartbeat(space(AGENT), &beat(20, &[(1, 20, Ok)]), at(20));
    assert_eq!(attempt(&workspace, 20), None, "it is as it was");
    workspace.heartbeat(space(AGENT), &beat(30, &[(1, 30, Critical)]), at(30));
    assert_eq!(attempt(&workspace, 30), Some((Critical, Ok, 2)));
    assert_eq!(attempt(&workspace, 700), None, "nothing is heard");
    told_by(&mut workspace, &patient, &[(40, Ok), (50, Critical)]);
    workspace.heartbeat(space(AGENT), &beat(60, &[(1, 45, Ok)]), at(60));
    assert_eq!(
        attempt(&workspace, 60),
        Some((Critical, Ok, 1)),
        "a heartbeat from before is not newer"
    );
}

#[test]
fn a_check_that_is_not_heard_is_so_since_its_last_sign() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok)]);
    workspace.hears(space(AGENT), true, at(6));
    workspace.heartbeat(space(AGENT), &beat(100, &[(1, 100, Ok)]), at(100));
    let view = workspace.view(at(1_000));
    let checks = &view.system(&space(DATABASE)).unwrap().checks;
    let one = checks.iter().find(|it| it.check.id == check(1).id).unwrap();
    assert_eq!((one.status.raw, one.status.since), (Missing, Some(at(100))));
}

#[test]
fn what_is_ok_is_not_handled_whatever_is_silenced() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok)]);
    silence(&mut workspace, 1, DATABASE, &quiet(10, 100));
    let view = workspace.view(at(20));
    let checks = &view.system(&space(DATABASE)).unwrap().checks;
    let one = checks.iter().find(|it| it.check.id == check(1).id).unwrap();
    assert_eq!((one.status.raw, one.status.handled), (Ok, None));
}

#[test]
fn only_a_whole_silence_of_a_subtree_quiets_what_parts_bring() {
    let whole = Silence {
        reach: Reach::Subtree,
        ..quiet(10, 100)
    };
    assert!(whole.covers_parts(at(10)));
    let narrower = [
        (
            "of the System itself",
            Silence {
                reach: Reach::System,
                ..whole.clone()
            },
        ),
        (
            "of a check",
            Silence {
                check: Some(check(1).id),
                ..whole.clone()
            },
        ),
        (
            "until resolved",
            Silence {
                until_resolved: true,
                ..whole.clone()
            },
        ),
        (
            "of a family",
            Silence {
                check: None,
                family: Some("disk full".to_owned()),
                ..whole.clone()
            },
        ),
    ];
    for (what, silence) in narrower {
        assert!(!silence.covers_parts(at(10)), "{what}");
    }
    assert!(!whole.covers_parts(at(9)) && !whole.covers_parts(at(100)));
}

#[test]
fn what_was_said_after_a_problem_was_over_is_not_said_of_it() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok), (20, Critical), (50, Ok)]);
    let known = Acknowledgement {
        at: at(60),
        check: Some(check(1).id),
        text: "late".to_owned(),
        ..Acknowledgement::default()
    };
    say(&mut workspace, 60, TimelineEntry::Acknowledgement(known));
    let over = alerts(&workspace, 70).pop().unwrap();
    assert_eq!(over.acknowledgements, []);
}

#[test]
fn only_so_many_resolved_alerts_of_a_check_are_shown_the_newest() {
    let mut workspace = workspace();
    let mut results = Vec::new();
    for n in 0..40 {
        results.extend([(10 + 20 * n, Critical), (20 + 20 * n, Ok)]);
    }
    told(&mut workspace, 1, &results);
    let mut shown = alerts(&workspace, 1_000);
    shown.retain(|it| !it.is_open());
    let brief: Vec<_> = shown
        .iter()
        .map(|it| (it.kind, it.state, it.opened))
        .collect();
    assert_eq!(shown.len(), RESOLVED_OF_CHECK_MAX, "{brief:?}");
    assert_eq!(shown[0].opened, at(10 + 20 * 39));
}

#[test]
fn an_open_problem_is_stale_only_while_nothing_is_heard() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok), (20, Critical)]);
    workspace.hears(space(AGENT), true, at(6));
    workspace.heartbeat(space(AGENT), &beat(30, &[(1, 30, Critical)]), at(30));
    assert!(!alerts(&workspace, 40)[0].is_stale);
    let late = alerts(&workspace, 1_000);
    let problem = late.iter().find(|it| it.kind == AlertKind::Problem);
    assert!(problem.unwrap().is_stale);
}

#[test]
fn of_a_laptop_that_is_open_no_check_is_missed_and_of_one_that_is_off_no_alert_is_open() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok)]);
    told(&mut workspace, 2, &[(6, Ok)]);
    workspace.hears(space(AGENT), true, at(10));
    for seconds in (20..1_500).step_by(60) {
        workspace.heartbeat(
            space(AGENT),
            &beat(seconds, &[(2, seconds, Ok)]),
            at(seconds),
        );
    }
    let missing = |workspace: &Workspace| {
        let all = alerts(workspace, 1_500).into_iter();
        let of: Vec<_> = all.filter(|it| it.kind == AlertKind::Missing).collect();
        of.iter().map(|it| it.check).collect::<Vec<_>>()
    };
    assert_eq!(
        missing(&workspace),
        [check(1).id],
        "the one that is not looked at"
    );
    let off = Check {
        enabled: false,
        ..check(1)
    };
    let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(1_400), |edit| {
        edit.put_check(&off)
    });
    drop(edit.unwrap());
    assert_eq!(missing(&workspace), [], "one that is turned off");
    let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(1_410), |edit| {
        edit.put_check(&check(1))?;
        edit.put_presence(None, Presence::MayBeOffline)
    });
    drop(edit.unwrap());
    assert_eq!(missing(&workspace), [], "one of a machine that may be away");
}

#[test]
fn that_an_agent_is_silent_again_after_it_spoke_is_another_alert() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok)]);
    workspace.hears(space(AGENT), true, at(10));
    let silent = |workspace: &Workspace, seconds: i64| {
        let all = alerts(workspace, seconds).into_iter();
        let mut of = all.filter(|it| matches!(it.kind, AlertKind::Silent { .. }));
        of.next().map(|it| (it.id, it.check))
    };
    let first = silent(&workspace, 200).unwrap();
    assert_eq!(first.1, agent_check(&space(AGENT)));
    told(&mut workspace, 2, &[(300, Ok)]);
    assert_eq!(silent(&workspace, 310), None);
    assert_ne!(silent(&workspace, 600).unwrap().0, first.0);
}

#[test]
fn who_was_told_of_a_problem_is_told_what_it_was_when_it_is_over() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok), (20, Critical), (30, Warning)]);
    let open = alerts(&workspace, 40).pop().unwrap();
    receipt(&mut workspace, (ALICE, 40), space(DATABASE), &open);
    told(&mut workspace, 1, &[(50, Warning), (60, Ok)]);
    let over = facts(&workspace, 70);
    assert_eq!(over.len(), 1);
    assert_eq!(
        (over[0].worst, over[0].opened, over[0].resolved),
        (Critical, at(20), Some(at(60)))
    );
    assert_eq!(over[0].since, at(20), "since when it was so bad");
    assert_eq!(over[0].recurrence, Recurrence::Never);
    // Long after it is not shown any more, its end can still be told; and at last it is forgotten.
    let later = facts(&workspace, 20 * DAY);
    assert_eq!((later.len(), later[0].resolved), (1, Some(at(60))));
    assert_eq!(facts(&workspace, 31 * DAY), []);
}

#[test]
fn what_is_over_was_never_over_before_it_was_told_and_not_while_nothing_is_known() {
    let mut teller = workspace();
    told(&mut teller, 1, &[(5, Ok), (20, Critical)]);
    let open = alerts(&teller, 30).pop().unwrap();
    // By the notifier's clock it was told after it was over.
    let mut other = workspace();
    receipt(&mut other, (ALICE, 90), space(DATABASE), &open);
    assert_eq!(
        facts(&other, 100),
        [],
        "nobody here knows anything of the check"
    );
    told(&mut other, 1, &[(70, Ok)]);
    let over = facts(&other, 100);
    assert_eq!((over.len(), over[0].resolved), (1, Some(at(90))));
    // One that is looked at no more is over.
    let off = Check {
        enabled: false,
        ..check(1)
    };
    let mut third = workspace();
    receipt(&mut third, (ALICE, 90), space(DATABASE), &open);
    let edit = third.edit_system(space(DATABASE), &chain(ALICE), at(95), |edit| {
        edit.put_check(&off)
    });
    drop(edit.unwrap());
    let mut fourth = third.clone();
    let edit = fourth.edit_system(space(DATABASE), &chain(ALICE), at(97), |edit| {
        edit.remove_check(check(1).id)
    });
    drop(edit.unwrap());
    // Not when it was told, and not when it was taken away after that.
    for ended in [third, fourth] {
        let over = facts(&ended, 100);
        assert_eq!(
            (over.len(), over[0].summary.as_str()),
            (1, "it is looked at no more")
        );
        assert_eq!((over[0].opened, over[0].resolved), (at(90), Some(at(95))));
    }
}

#[test]
fn that_nothing_was_heard_is_over_when_something_is_heard_after_it_was_told() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok)]);
    told(&mut workspace, 2, &[(6, Ok)]);
    workspace.hears(space(AGENT), true, at(10));
    for seconds in (20..1_000).step_by(60) {
        workspace.heartbeat(
            space(AGENT),
            &beat(seconds, &[(2, seconds, Ok)]),
            at(seconds),
        );
    }
    let missing = alerts(&workspace, 1_000);
    let missing = missing.iter().find(|it| it.kind == AlertKind::Missing);
    let missing = Alert::clone(missing.unwrap());
    let fact = facts(&workspace, 1_000);
    let fact = fact.iter().find(|it| it.alert == missing.id).unwrap();
    assert_eq!(fact.recurrence, Recurrence::Possible);
    // Another notifier, which begins to listen, knows of it from the receipt alone.
    let mut anew = self::workspace();
    told(&mut anew, 1, &[(5, Ok)]);
    receipt(&mut anew, (ALICE, 1_000), space(DATABASE), &missing);
    assert_eq!(facts(&anew, 1_010), [], "the sign is from before");
    told(&mut anew, 1, &[(5, Ok), (1_020, Critical)]);
    let over = facts(&anew, 1_030);
    let over = over.iter().find(|it| it.alert == missing.id).unwrap();
    assert_eq!(over.resolved, Some(at(1_020)));
}

#[test]
fn what_muted_a_problem_and_ended_lets_its_steps_begin_then_and_nothing_else_does() {
    let since = |silences: &[Silence]| {
        let mut workspace = workspace();
        told(&mut workspace, 1, &[(5, Ok), (20, Critical)]);
        for (n, it) in (1..).zip(silences) {
            silence(&mut workspace, n, DATABASE, it);
        }
        let facts = facts(&workspace, 200);
        (facts[0].since, facts[0].muted)
    };
    assert_eq!(since(&[]), (at(20), None));
    assert_eq!(since(&[quiet(30, 100)]), (at(100), None));
    let other = Silence {
        check: Some(check(2).id),
        ..quiet(30, 100)
    };
    assert_eq!(since(&[other]), (at(20), None), "of another check");
    assert_eq!(since(&[quiet(150, 100)]), (at(20), None), "never in force");
    let running = quiet(30, 500);
    assert_eq!(since(&[running]), (at(20), Some(Muted::Silenced)));
}

#[test]
fn an_acknowledgement_is_told_while_it_holds_and_a_subtree_that_is_quiet_is_named() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok), (20, Critical)]);
    let known = Acknowledgement {
        at: at(30),
        check: Some(check(1).id),
        text: "on it".to_owned(),
        until: Some(at(100)),
        ..Acknowledgement::default()
    };
    say(&mut workspace, 30, TimelineEntry::Acknowledgement(known));
    let taken = |seconds: i64| facts(&workspace, seconds)[0].acknowledged.clone();
    assert_eq!(taken(50).unwrap().text, "on it");
    assert_eq!(taken(100), None);
    assert_eq!(
        facts(&workspace, 100)[0].since,
        at(100),
        "its steps begin then"
    );
    let subtree = Silence {
        reach: Reach::Subtree,
        ..quiet(110, 200)
    };
    silence(&mut workspace, 1, SHOP, &subtree);
    let fact = &facts(&workspace, 150)[0];
    assert!(fact.quiet.contains(&space(SHOP)) && fact.muted.is_none());
    assert!(facts(&workspace, 210)[0].quiet.is_empty());
}

#[test]
fn what_flaps_is_for_a_review() {
    let mut workspace = workspace();
    let restless: Vec<_> = (0..31)
        .map(|n| (10 * n + 5, [Ok, Critical][usize::try_from(n % 2).unwrap()]))
        .collect();
    told(
        &mut workspace,
        1,
        &[&restless[..], &[(320, Critical)]].concat(),
    );
    let open = facts(&workspace, 330);
    let open = open.iter().find(|it| it.resolved.is_none()).unwrap();
    assert_eq!(open.muted, Some(Muted::Flapping));
}

#[test]
fn a_check_that_never_said_anything_is_missed_its_time_after_its_agent_began() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok)]);
    workspace.hears(space(AGENT), true, at(2));
    let mut missing = |seconds: i64| {
        let alive = beat(seconds, &[(1, seconds, Ok)]);
        workspace.heartbeat(space(AGENT), &alive, at(seconds));
        let found = alerts(&workspace, seconds);
        let found = found.iter().find(|it| it.kind == AlertKind::Missing);
        found.map(|it| (it.check, it.opened))
    };
    let mut found = None;
    for seconds in (60..=600).step_by(60) {
        found = missing(seconds);
        assert_eq!(found, None, "at {seconds}");
    }
    for seconds in [660, 720] {
        found = missing(seconds);
    }
    assert_eq!(found, Some((check(2).id, at(601))));
}

#[test]
fn since_when_it_is_as_bad_as_it_ever_was_is_what_steps_count_from() {
    let mut workspace = workspace();
    told(
        &mut workspace,
        1,
        &[(5, Ok), (20, Warning), (40, Critical), (60, Warning)],
    );
    let fact = &facts(&workspace, 70)[0];
    assert_eq!((fact.opened, fact.since), (at(20), at(40)));
}

#[test]
fn a_family_without_a_runbook_gives_its_check_none() {
    let mut workspace = workspace();
    let runbook = |workspace: &Workspace| {
        let view = workspace.view(at(50));
        let checks = &view.system(&space(DATABASE)).unwrap().checks;
        let of = checks.iter().find(|it| it.check.id == check(1).id);
        of.unwrap().check.runbook.clone()
    };
    for (text, expected) in [("", None), ("calm it", Some("calm it".to_owned()))] {
        let known = KnownFamily {
            runbook: text.to_owned(),
            ..KnownFamily::default()
        };
        let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(3), |edit| {
            edit.put_family("check1", &known)
        });
        drop(edit.unwrap());
        assert_eq!(runbook(&workspace), expected);
    }
}

#[test]
fn a_view_that_is_kept_changes_when_an_acknowledgement_or_a_window_is_over() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok), (20, Critical)]);
    let known = Acknowledgement {
        at: at(30),
        check: Some(check(1).id),
        until: Some(at(60)),
        ..Acknowledgement::default()
    };
    say(&mut workspace, 30, TimelineEntry::Acknowledgement(known));
    let window = Maintenance {
        from: at(70),
        until: at(80),
        ..Maintenance::default()
    };
    let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(31), |edit| {
        edit.put_maintenance(ItemId::new(at(31), [1; 10]), &window)
    });
    drop(edit.unwrap());
    let mut view = View::default();
    let mut handled = |seconds: i64| {
        let snapshot = view.update(&workspace, at(seconds));
        let checks = &snapshot.system(&space(DATABASE)).unwrap().checks;
        let of = checks.iter().find(|it| it.check.id == check(1).id);
        of.unwrap().status.handled
    };
    let known = Some(Handled::Acknowledged);
    assert_eq!(
        [40, 59, 60, 69].map(&mut handled),
        [known, known, None, None]
    );
    let expected = Some(Handled::Maintenance);
    assert_eq!([70, 79, 80].map(&mut handled), [expected, expected, None]);
}

#[test]
fn two_that_told_the_same_at_one_rank_are_named_but_not_who_has_another_by_now() {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Ok), (20, Critical)]);
    let open = alerts(&workspace, 30).pop().unwrap();
    for who in [ALICE, BOB] {
        receipt(&mut workspace, (who, 40), space(DATABASE), &open);
    }
    let equal = |own: Option<u8>| -> Vec<_> {
        let own = own.map(|rank| (chain(ALICE).author, rank));
        let found = workspace.equal_ranks(at(50), own).into_iter();
        found.map(|it| (it.rank, it.notifiers)).collect()
    };
    let both = [ALICE, BOB].map(|who| chain(who).author);
    let both = [(0, std::collections::BTreeSet::from(both))];
    assert_eq!(equal(None), both);
    assert_eq!(equal(Some(0)), both);
    assert_eq!(
        equal(Some(1)),
        [],
        "what it told before says nothing of now"
    );
}

#[test]
fn a_service_that_cannot_be_meant_is_listed_nowhere() {
    let mut workspace = workspace();
    let named = |name: &str| ServiceClaim {
        name: name.to_owned(),
        ..ServiceClaim::default()
    };
    let said = JournalEntry::Services {
        at: at(10),
        services: vec![named("d\nb"), named("db")],
    };
    journal(&mut workspace, 10, said);
    let listed = registry(&workspace.view(at(20)), at(20)).into_iter();
    let names: Vec<_> = listed.map(|it| it.claim.name).collect();
    assert_eq!(names, ["db"]);
}
