//! Outages of which there is no sign, one after another, and who is told of each.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

#[path = "common/names.rs"]
mod common;
#[path = "common/receipt.rs"]
mod receipts;
#[path = "common/shop.rs"]
#[expect(dead_code, reason = "other stories look at more of the shop")]
mod shop;

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::entry::{Acknowledgement, AgentStarted, Claim};
use aramaki_model::handover::{Handover, OutageEnd, Period};
use aramaki_model::notify::{self, Facts, Item, NotificationId, Notifier, Plan, Policy};
use aramaki_model::snapshot::TimelineEvent;
use aramaki_model::{
    Alert, AlertKind, AlertState, Check, CheckBeat, CheckState, EntryId, Heartbeat, JournalEntry,
    Observation, Severity, Silence, Supposed, TimelineEntry, Workspace,
};
use common::{at, chain, space};
use receipts::receipt;
use serde_json::json;
use shop::{AGENT, ALICE, BOB, DATABASE, alerts, check, journal, silence, told, workspace};

use Severity::Ok;

/// What a person hears.
type Heard = (i64, &'static str, NotificationId);

/// A notifier and what it told, second by second.
struct Duty {
    workspace: Workspace,
    notifier: Notifier,
    heard: Vec<Heard>,
    /// What of that was over.
    over: Vec<Item>,
}

impl Duty {
    /// Two checks that were OK, an agent that is listened to, and somebody who is told of all that is wrong.
    fn new(group: &serde_json::Value) -> Self {
        let mut workspace = workspace();
        let policy = json!({
            "receiver": {"duty": {"via": "pager", "to": "+49"}},
            "group": group,
            "route": [{"then": [{"notify": ["duty"]}]}],
        });
        let policy: Policy = serde_json::from_value(policy).unwrap();
        let edit = workspace.edit_system(space(DATABASE), &chain(ALICE), at(3), |edit| {
            edit.put_policy(&policy)
        });
        drop(edit.unwrap());
        told(&mut workspace, 1, &[(5, Ok)]);
        told(&mut workspace, 2, &[(6, Ok)]);
        workspace.hears(space(AGENT), true, at(10));
        Self {
            workspace,
            notifier: Notifier::new(0),
            heard: Vec::new(),
            over: Vec::new(),
        }
    }

    /// A heartbeat with the last results of some checks.
    fn beat(&mut self, seconds: i64, results: &[(u8, i64)]) {
        let beat = |(n, result): &(u8, i64)| CheckBeat {
            check: check(*n).id,
            at: at(*result),
            raw: Ok,
            attempt: 0,
        };
        let beat = Heartbeat {
            at: at(seconds),
            generation: 1,
            checks: results.iter().map(beat).collect(),
        };
        self.workspace.heartbeat(space(AGENT), &beat, at(seconds));
    }

    fn say(&mut self, seconds: i64, said: TimelineEntry) {
        let entries = [(EntryId::new(at(seconds), [BOB; 10]), said)];
        let who = chain(BOB);
        let edit = self
            .workspace
            .append_timeline(space(DATABASE), &who, at(seconds), &entries);
        drop(edit.unwrap());
    }

    fn acknowledge(&mut self, seconds: i64, alert: &Alert) {
        self.say(
            seconds,
            TimelineEntry::Acknowledgement(Acknowledgement {
                at: at(seconds),
                alert: Some(alert.id),
                check: Some(alert.check),
                ..Acknowledgement::default()
            }),
        );
    }

    fn plan(&mut self, seconds: i64) -> Plan {
        let record = self.workspace.told(chain(BOB).author);
        let snapshot = self.workspace.view(at(seconds));
        self.notifier.look(&Facts {
            now: at(seconds),
            graph: &snapshot.graph,
            policies: notify::policies(&snapshot),
            alerts: &notify::alerts(&snapshot, &record),
            record: &record,
            unsettled: BTreeMap::new(),
            busy: &BTreeSet::new(),
        })
    }

    /// Tells what is due, and writes down that it did.
    fn tell(&mut self, seconds: i64) {
        self.tell_some(seconds, usize::MAX);
    }

    /// The same of so many messages; the others are told a moment later.
    fn tell_some(&mut self, seconds: i64, count: usize) {
        for message in self.plan(seconds).due.into_iter().take(count) {
            let receipt = receipt(&message, at(seconds));
            self.say(seconds, TimelineEntry::Notification(receipt));
            let over = message.items.iter().filter(|it| it.resolved.is_some());
            self.over.extend(over.cloned());
            let items = message.items.iter();
            self.heard
                .extend(items.map(|item| (seconds, item.state.word(), item.sent_as)));
        }
    }

    /// Heartbeats with these results, each followed by a look.
    fn goes_on(&mut self, seconds: std::ops::Range<i64>, results: impl Fn(i64) -> Vec<(u8, i64)>) {
        for now in seconds {
            if now % 20 == 0 {
                self.beat(now, &results(now));
            }
            self.tell(now);
        }
    }

    fn words(&self) -> Vec<(i64, &'static str)> {
        let heard = self.heard.iter();
        heard.map(|(at, word, _)| (*at, *word)).collect()
    }

    fn names(&self) -> BTreeSet<NotificationId> {
        self.heard.iter().map(|(_, _, name)| *name).collect()
    }
}

/// Nothing waits for others of its group.
fn at_once() -> serde_json::Value {
    json!({"wait": "0s", "interval": "0s"})
}

fn only(workspace: &Workspace, seconds: i64) -> Alert {
    let alerts = alerts(workspace, seconds);
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    Alert::clone(&alerts[0])
}

/// Whoever knew of the first outage of a check says nothing of the second, which has the same id: results that are
/// OK and OK again are in no journal.
#[test]
fn a_check_that_is_missing_again_is_told_again_whatever_was_said_of_the_first_time() {
    let mut duty = Duty::new(&at_once());
    let last = |now: i64| if now < 800 { 5 } else { 800 };
    let results = |now| vec![(1, last(now)), (2, now)];
    duty.goes_on(20..700, results);
    let first = only(&duty.workspace, 700);
    assert_eq!((first.kind, first.opened), (AlertKind::Missing, at(605)));
    duty.acknowledge(700, &first);
    duty.say(
        701,
        TimelineEntry::Claim(Claim {
            at: at(701),
            alert: Some(first.id),
            check: Some(first.check),
            until: at(9_000),
            ..Claim::default()
        }),
    );
    let known = only(&duty.workspace, 710);
    assert_eq!(known.state, AlertState::Acknowledged);
    assert_eq!(known.claimed_by().count(), 1);
    duty.goes_on(710..1_000, results);
    assert_eq!(alerts(&duty.workspace, 1_000), []);
    duty.goes_on(1_000..1_500, results);
    let second = only(&duty.workspace, 1_500);
    assert_eq!((second.id, second.opened), (first.id, at(1_400)));
    assert_eq!(second.state, AlertState::Open);
    assert!(second.needs_attention(), "{second:#?}");
    assert_eq!((second.acknowledgements.len(), second.claims.len()), (0, 0));
    let words: Vec<_> = duty.words().into_iter().map(|(_, word)| word).collect();
    assert_eq!(words, ["missing", "acknowledged", "resolved", "missing"]);
    assert_eq!(duty.names().len(), 4, "who drops repeats drops none");

    // And who knows of the second knows of that one.
    duty.acknowledge(1_510, &second);
    assert_eq!(only(&duty.workspace, 1_520).state, AlertState::Acknowledged);
}

#[test]
fn an_agent_that_is_silent_again_is_told_again_whatever_was_said_of_the_first_time() {
    let mut duty = Duty::new(&at_once());
    let results = |now| vec![(1, now), (2, now)];
    let silent = |duty: &mut Duty, seconds: std::ops::Range<i64>| {
        for now in seconds {
            duty.tell(now);
        }
    };
    duty.goes_on(20..201, results);
    silent(&mut duty, 201..340);
    let first = only(&duty.workspace, 340);
    assert_eq!((first.opened, first.seen), (at(320), Some(at(200))));
    duty.acknowledge(340, &first);
    silent(&mut duty, 341..400);
    duty.goes_on(400..501, results);
    silent(&mut duty, 501..700);
    let second = only(&duty.workspace, 700);
    assert_eq!((second.id, second.opened), (first.id, at(620)));
    assert_eq!(second.state, AlertState::Open);
    let words: Vec<_> = duty.words().into_iter().map(|(_, word)| word).collect();
    assert_eq!(words, ["missing", "acknowledged", "resolved", "missing"]);
    assert_eq!(duty.names().len(), 4);
}

/// What was not heard leaves no alert behind, so a number with it would be another one a minute later.
#[test]
fn how_many_a_silence_muted_is_the_same_when_what_was_missing_is_back() {
    let mut duty = Duty::new(&at_once());
    let last = |now: i64| if now < 800 { 5 } else { now };
    let results = |now| vec![(1, last(now)), (2, now)];
    duty.goes_on(20..700, results);
    let missing = only(&duty.workspace, 700);
    let all = Silence {
        from: at(700),
        until: at(90_000),
        ..Silence::default()
    };
    silence(&mut duty.workspace, 7, DATABASE, &all);
    duty.acknowledge(705, &missing);
    let muted = |duty: &Duty, now: i64| {
        let view = duty.workspace.view(at(now));
        let items = view.system(&space(DATABASE)).unwrap().timeline.iter();
        let quiet = items.filter_map(|item| match &item.event {
            TimelineEvent::Quiet(quiet) => Some(quiet.muted),
            _ => None,
        });
        quiet.collect::<Vec<_>>()
    };
    let before = muted(&duty, 710);
    duty.goes_on(710..900, results);
    assert_eq!(alerts(&duty.workspace, 900), []);
    assert_eq!((&before, &muted(&duty, 900)), (&vec![Some(0)], &before));
    // Whoever reads that somebody knew reads of what.
    let view = duty.workspace.view(at(900));
    let items = view.system(&space(DATABASE)).unwrap().timeline.iter();
    let known = items.filter(|it| matches!(it.event, TimelineEvent::Acknowledgement(_)));
    let known: Vec<_> = known.map(|it| view.about(it)).collect();
    assert_eq!(known, [Some("check1".into())]);
}

#[test]
fn a_silence_until_a_missing_check_is_back_is_over_with_its_result() {
    let mut duty = Duty::new(&at_once());
    let last = |now: i64| if now < 800 { 5 } else { 800 };
    let results = |now| vec![(1, last(now)), (2, now)];
    duty.goes_on(20..700, results);
    let known = Silence {
        check: Some(check(1).id),
        until_resolved: true,
        from: at(700),
        until: at(90_000),
        ..Silence::default()
    };
    silence(&mut duty.workspace, 7, DATABASE, &known);
    assert!(!only(&duty.workspace, 710).needs_attention());
    duty.goes_on(710..1_500, results);
    assert!(only(&duty.workspace, 1_500).needs_attention());
    let words: Vec<_> = duty.words().into_iter().map(|(_, word)| word).collect();
    assert_eq!(words, ["missing", "resolved", "missing"]);
}

/// Results come more seldom than heartbeats, so the checks of a host that dies would be missed before it.
#[test]
fn who_dies_is_missed_and_not_each_of_its_checks() {
    let mut duty = Duty::new(&at_once());
    // The last result of one check, and a minute after it the last heartbeat: just before it would be missed.
    duty.goes_on(20..601, |now| vec![(1, 5), (2, now)]);
    for now in 601..900 {
        duty.tell(now);
        let kinds: Vec<_> = alerts(&duty.workspace, now)
            .iter()
            .map(|it| it.kind)
            .collect();
        let silent = AlertKind::Silent {
            agent: space(AGENT),
        };
        let expected = if now > 720 { vec![silent] } else { Vec::new() };
        assert_eq!(kinds, expected, "after {now} s");
    }
    assert_eq!(duty.words(), [(721, "missing")]);
    // With one more heartbeat it is known that the host was there, and the check was not.
    let mut duty = Duty::new(&at_once());
    duty.goes_on(20..621, |now| vec![(1, 5), (2, now)]);
    assert_eq!(only(&duty.workspace, 621).kind, AlertKind::Missing);
    assert_eq!(duty.words(), [(620, "missing")]);
}

/// Also one of which its agent wrote down, when it was turned off, that its problem is looked at no more.
#[test]
fn a_check_that_is_turned_on_again_is_given_its_time() {
    for problem in [None, Some(Severity::Critical)] {
        let mut duty = Duty::new(&at_once());
        let write = |duty: &mut Duty, seconds, check: Check| {
            let edit =
                duty.workspace
                    .edit_system(space(DATABASE), &chain(ALICE), at(seconds), |edit| {
                        edit.put_check(&check)
                    });
            drop(edit.unwrap());
        };
        let last = |now: i64| vec![(1, now.min(400)), (2, now)];
        duty.goes_on(20..300, last);
        if let Some(severity) = problem {
            let mut state = CheckState::new(check(1).id);
            for (seconds, severity) in [(5, Ok), (300, severity)] {
                let said = Observation::of_builtin(check(1).id, at(seconds), severity, "said");
                let told = state.observe(&check(1), &said);
                if let Some(told) = told.filter(|_| seconds > 5) {
                    journal(&mut duty.workspace, seconds, JournalEntry::Transition(told));
                }
            }
            let ended = state.end(at(401)).unwrap();
            journal(&mut duty.workspace, 401, JournalEntry::Transition(ended));
        }
        let off = Check {
            enabled: false,
            ..check(1)
        };
        write(&mut duty, 400, off);
        duty.goes_on(401..5_000, last);
        assert_eq!(alerts_open(&duty, 5_000), 0);
        duty.heard.clear();
        write(&mut duty, 5_000, check(1));
        duty.goes_on(5_000..5_300, last);
        // Another word for it is no reason to wait for longer.
        let renamed = Check {
            name: "web".to_owned(),
            ..check(1)
        };
        write(&mut duty, 5_300, renamed);
        duty.goes_on(5_300..5_600, last);
        assert_eq!(duty.words(), [], "there is time");
        assert_eq!(alerts_open(&duty, 5_600), 0);
        duty.goes_on(5_600..5_700, last);
        assert_eq!(duty.words(), [(5_601, "missing")]);
    }
}

/// A result may come after a check was missed and before somebody is told so, or is told again; the next one may
/// come a day later.
#[test]
fn that_a_missing_check_is_back_is_told_whenever_its_result_came() {
    // The result is of before it is told that there is none, and heard of after that.
    let mut duty = Duty::new(&json!({"wait": "20s", "interval": "0s"}));
    for now in 20..700 {
        let last = if now < 640 { 5 } else { 610 };
        if now % 20 == 0 {
            duty.beat(now, &[(1, last), (2, now)]);
        }
        duty.tell(now);
    }
    assert_eq!(duty.words(), [(625, "missing"), (640, "resolved")]);
    let heard = duty.over.last().unwrap();
    assert_eq!(heard.resolved, Some(at(610)));
    assert!(heard.opened <= at(610));
}

/// A check that is given longer is not missed any more, though nothing was heard of it.
#[test]
fn what_is_over_because_it_is_given_longer_is_not_over_before_it_began() {
    let mut duty = Duty::new(&at_once());
    let last = |now: i64| if now < 900 { 5 } else { now };
    let results = |now| vec![(1, last(now)), (2, now)];
    duty.goes_on(20..700, results);
    let patient = Check {
        ttl_ms: Some(60 * 60_000),
        ..check(1)
    };
    let edit = duty
        .workspace
        .edit_system(space(DATABASE), &chain(ALICE), at(700), |edit| {
            edit.put_check(&patient)
        });
    drop(edit.unwrap());
    duty.goes_on(700..1_000, results);
    assert_eq!(duty.words(), [(620, "missing"), (700, "resolved")]);
    let over = duty.over.last().unwrap();
    assert_eq!((over.opened, over.resolved), (at(605), Some(at(620))));
}

/// It looks again at everything, and what was missed before is missed still: nobody is told twice, and it stays in
/// the list.
#[test]
fn an_agent_that_is_started_anew_hides_nothing_that_was_missed_before() {
    let start = |duty: &mut Duty, first: &Alert, (stopped, started): (Option<i64>, i64)| {
        let workspace = &mut duty.workspace;
        if let Some(stopped) = stopped {
            let at_stop = at(stopped);
            journal(workspace, stopped, JournalEntry::Stopped { at: at_stop });
        }
        let meanwhile = only(workspace, started);
        assert_eq!((meanwhile.id, meanwhile.opened), (first.id, at(605)));
        let entry = AgentStarted {
            at: at(started),
            host: "db02".to_owned(),
            version: "0.1.0".to_owned(),
        };
        journal(workspace, started, JournalEntry::Started(entry));
    };
    let results = |now: i64| vec![(1, if now < 3_000 { 5 } else { now }), (2, now)];
    let mut duty = Duty::new(&at_once());
    duty.goes_on(20..700, results);
    let first = only(&duty.workspace, 700);
    start(&mut duty, &first, (Some(700), 710));
    duty.goes_on(710..800, results);
    let now = only(&duty.workspace, 800);
    assert_eq!((now.id, now.opened), (first.id, at(605)));
    // And again, before the check's time is over.
    start(&mut duty, &first, (Some(800), 805));
    duty.goes_on(805..900, results);
    start(&mut duty, &first, (Some(900), 1_000));
    start(&mut duty, &first, (Some(1_080), 1_090));
    duty.goes_on(1_100..1_300, results);
    // Killed, twice: it was heard until then.
    start(&mut duty, &first, (None, 1_300));
    duty.goes_on(1_310..1_400, results);
    start(&mut duty, &first, (None, 1_500));
    duty.goes_on(1_510..3_100, results);
    let words = duty.words();
    let of_check: Vec<_> = words.iter().map(|(_, word)| *word).collect();
    assert_eq!(of_check, ["missing", "resolved"], "{words:?}");
}

/// With each sign it is over since a later moment: a group that waits from there waits for ever.
#[test]
fn that_something_is_heard_again_is_told_after_the_wait_of_its_group() {
    let mut duty = Duty::new(&json!({"wait": "30s", "interval": "0s"}));
    let results = |now| vec![(1, now), (2, now)];
    duty.goes_on(20..201, results);
    for now in 201..400 {
        duty.tell(now);
    }
    duty.goes_on(400..600, results);
    assert_eq!(duty.words(), [(350, "missing"), (430, "resolved")]);
    let over = duty.over.last().unwrap();
    assert_eq!(over.resolved, Some(at(400)), "since it is heard again");
    assert_eq!(over.opened, at(320), "as it was told");
    // The same of a check whose results come oftener than the group waits.
    let mut duty = Duty::new(&json!({"wait": "30s", "interval": "0s"}));
    let last = |now: i64| if now < 800 { 5 } else { now };
    duty.goes_on(20..900, |now| vec![(1, last(now)), (2, now)]);
    let words: Vec<_> = duty.words().into_iter().map(|(_, word)| word).collect();
    assert_eq!(words, ["missing", "resolved"]);
}

#[test]
fn the_end_reaches_every_receiver_though_one_hears_of_it_before_the_others() {
    let mut duty = Duty::new(&at_once());
    let policy = json!({
        "receiver": {"duty": {"via": "pager", "to": "+49"}, "chat": {"via": "chat", "to": "ops"}},
        "group": at_once(),
        "route": [{"then": [{"notify": ["duty", "chat"]}]}],
    });
    let policy: Policy = serde_json::from_value(policy).unwrap();
    let edit = duty
        .workspace
        .edit_system(space(DATABASE), &chain(ALICE), at(4), |edit| {
            edit.put_policy(&policy)
        });
    drop(edit.unwrap());
    duty.goes_on(20..201, |now| vec![(1, now), (2, now)]);
    for now in 201..400 {
        duty.tell_some(now, 1);
    }
    // One heartbeat, and a message each second.
    duty.beat(400, &[(1, 400), (2, 400)]);
    for now in 400..410 {
        duty.tell_some(now, 1);
    }
    let words = duty.words();
    let words: Vec<_> = words.iter().map(|(_, word)| *word).collect();
    assert_eq!(
        words,
        ["missing", "missing", "resolved", "resolved"],
        "{:?}",
        duty.words()
    );
}

/// A check that is missed within a minute: what was told before its end was told is of another outage.
#[test]
fn who_was_told_of_the_end_is_told_of_the_next_outage_however_soon_it_comes() {
    let mut duty = Duty::new(&at_once());
    let brief = Check {
        ttl_ms: Some(60_000),
        ..check(1)
    };
    let edit = duty
        .workspace
        .edit_system(space(DATABASE), &chain(ALICE), at(4), |edit| {
            edit.put_check(&brief)
        });
    drop(edit.unwrap());
    // Missed at 205, told with the next heartbeat; the result is of the second before, and heard of at 240.
    for now in 20..400 {
        let last = match now {
            240.. => 219,
            _ => now.min(145),
        };
        if now % 20 == 0 {
            duty.beat(now, &[(1, last), (2, now)]);
        }
        duty.tell(now);
    }
    let expected = [(220, "missing"), (240, "resolved"), (280, "missing")];
    assert_eq!(duty.words(), expected);
}

fn alerts_open(duty: &Duty, seconds: i64) -> usize {
    let all = alerts(&duty.workspace, seconds);
    all.iter().filter(|it| it.is_open()).count()
}

/// One of two notifiers lost heartbeats, so it counts the outage from earlier; both have the same receipts.
#[test]
fn notifiers_that_heard_other_heartbeats_give_a_second_outage_one_name() {
    let mut one = Duty::new(&at_once());
    let mut other = Duty::new(&at_once());
    let both = |one: &mut Duty, other: &mut Duty, now: i64| {
        for message in one.plan(now).due {
            let receipt = receipt(&message, at(now));
            one.say(now, TimelineEntry::Notification(receipt.clone()));
            other.say(now, TimelineEntry::Notification(receipt));
        }
    };
    let results = |now| [(1, now), (2, now)];
    for now in (20..=900).step_by(20) {
        if !(220..420).contains(&now) && now <= 600 {
            one.beat(now, &results(now));
            if now <= 540 {
                other.beat(now, &results(now));
            }
        }
        if now < 720 {
            both(&mut one, &mut other, now);
        }
    }
    let name = |duty: &mut Duty| {
        let plan = duty.plan(760);
        let items: Vec<_> = plan.due.iter().flat_map(|it| &it.items).collect();
        assert_eq!(items.len(), 1, "{items:#?}");
        (items[0].opened, items[0].id, items[0].sent_as)
    };
    let (names, others) = (name(&mut one), name(&mut other));
    assert_eq!((names.0, others.0), (at(720), at(660)));
    assert_eq!((names.1, names.2), (others.1, others.2));
    assert_ne!(names.1, names.2, "the first outage had the other name");
}

/// Somebody looked before the notifier told anybody: whoever heard of the outage before has nothing to forget.
#[test]
fn that_somebody_knows_is_told_to_nobody_who_was_told_of_the_outage_before_alone() {
    let mut duty = Duty::new(&json!({"wait": "30s", "interval": "0s"}));
    let last = |now: i64| match now {
        ..800 => 5,
        800..1_600 => 800,
        _ => now,
    };
    let results = |now| vec![(1, last(now)), (2, now)];
    duty.goes_on(20..1_401, results);
    let second = only(&duty.workspace, 1_401);
    assert_eq!(second.opened, at(1_400));
    duty.acknowledge(1_401, &second);
    duty.goes_on(1_402..1_800, results);
    let words: Vec<_> = duty.words().into_iter().map(|(_, word)| word).collect();
    assert_eq!(words, ["missing", "resolved"]);
}

/// Results that are OK stand in no journal: without what it remembers, whoever is started anew would take the word on
/// one outage for a word on the next.
#[test]
fn who_is_started_anew_between_two_outages_knows_that_the_first_is_over() {
    let mut one = Duty::new(&at_once());
    let mut other = Duty::new(&at_once());
    other.workspace.hears(space(AGENT), false, at(11));
    let mut forgetful = Duty::new(&at_once());
    forgetful.workspace.hears(space(AGENT), false, at(11));
    let last = |now: i64| if now < 800 { 5 } else { 800 };
    let results = |now| vec![(1, last(now)), (2, now)];
    one.goes_on(20..700, results);
    let first = only(&one.workspace, 700);
    for duty in [&mut one, &mut other, &mut forgetful] {
        duty.acknowledge(700, &first);
    }
    one.goes_on(701..900, results);
    assert_eq!(alerts(&one.workspace, 900), []);
    for (agent, heard) in one.workspace.last_heard(at(900)) {
        other.workspace.heard_before(agent, &heard);
    }
    let states = [&mut other, &mut forgetful].map(|duty| {
        duty.workspace.hears(space(AGENT), true, at(900));
        duty.goes_on(901..1_600, |now| vec![(2, now)]);
        let second = only(&duty.workspace, 1_600);
        assert_eq!(second.id, first.id);
        (second.state, second.opened)
    });
    assert_eq!(states[0], (AlertState::Open, at(1_400)));
    assert_eq!(states[1], (AlertState::Acknowledged, at(605)));
    assert!(other.words().iter().any(|(_, word)| *word == "missing"));
}

/// A window that is opened shows what it saw last, and says until when it saw anything.
#[test]
fn what_was_missed_before_a_restart_is_missed_until_somebody_listened_again() {
    let mut duty = Duty::new(&at_once());
    duty.goes_on(20..701, |now| vec![(2, now)]);
    let missing = only(&duty.workspace, 700);
    let mut anew = Duty::new(&at_once());
    anew.workspace.hears(space(AGENT), false, at(11));
    for (agent, heard) in duty.workspace.last_heard(at(700)) {
        anew.workspace.heard_before(agent, &heard);
    }
    let seen = only(&anew.workspace, 5_000);
    assert_eq!((seen.id, seen.opened), (missing.id, missing.opened));
    assert_eq!(seen.sure_from, None, "nobody is called for it");
    let view = anew.workspace.view(at(5_000));
    let system = view.system(&space(DATABASE)).unwrap();
    assert_eq!(system.status.raw, Severity::Missing);
    assert_eq!(system.status.as_of, Some(at(700)));
    anew.workspace.hears(space(AGENT), true, at(5_000));
    assert_eq!(only(&anew.workspace, 5_010).id, missing.id);
    anew.beat(5_012, &[(1, 5_005), (2, 5_005)]);
    assert_eq!(alerts(&anew.workspace, 5_020), []);
}

/// Somebody types the id of what they were told, in a program that has not listened to anybody yet.
#[test]
fn what_would_be_missed_is_known_by_its_id_before_anybody_listened() {
    let listens = || {
        let mut workspace = workspace();
        told(&mut workspace, 1, &[(5, Ok)]);
        told(&mut workspace, 2, &[(6, Ok)]);
        workspace
    };
    let mut silent = listens();
    silent.hears(space(AGENT), true, at(10));
    let silent = only(&silent, 700);
    let mut duty = Duty::new(&at_once());
    duty.goes_on(20..700, |now| vec![(2, now)]);
    let missing = only(&duty.workspace, 700);
    assert!(matches!(silent.kind, AlertKind::Silent { .. }));
    assert_eq!(missing.kind, AlertKind::Missing);

    let mut fresh = listens();
    assert_eq!(alerts(&fresh, 700).len(), 0);
    let ids = |snapshot: aramaki_model::Snapshot| -> Vec<_> {
        snapshot.alerts.iter().map(|it| it.id).collect()
    };
    let supposed = fresh.view_supposing(Supposed::Silence, at(700));
    assert_eq!(ids(supposed), [silent.id]);
    let supposed = fresh.view_supposing(Supposed::Heartbeats, at(700));
    assert!(ids(supposed).contains(&missing.id));
    assert_eq!(alerts(&fresh, 700).len(), 0, "it was only supposed");
}

/// A shift reads of outages that no alert shows any more, because nothing of them is in any journal.
#[test]
fn a_handover_tells_of_outages_that_began_and_ended_within_the_shift() {
    let mut duty = Duty::new(&at_once());
    let shift = |duty: &Duty, now: i64| {
        let view = duty.workspace.view(at(now));
        let period = Period {
            from: at(100),
            until: at(now),
        };
        let shift = Handover::of(&view, None, period);
        let outages = shift.outages.iter();
        let outages = outages.map(|it| {
            let name = it.name.clone().unwrap_or_default();
            assert!(it.is_agent);
            (name, it.from, it.end, it.told.clone(), it.known.clone())
        });
        (shift.open.len(), outages.collect::<Vec<_>>())
    };
    duty.goes_on(20..201, |now| vec![(1, now), (2, now)]);
    for now in 201..400 {
        duty.tell(now);
    }
    let silent = only(&duty.workspace, 400);
    duty.acknowledge(401, &silent);
    // What goes on is an alert, and nothing beside it.
    assert_eq!(shift(&duty, 402), (1, Vec::new()));
    duty.goes_on(420..500, |now| vec![(1, now), (2, now)]);
    let (words, over) = (duty.words(), duty.words().last().unwrap().0);
    assert_eq!(words.last().unwrap().1, "resolved", "{words:?}");
    let (open, outages) = shift(&duty, 500);
    let [(name, from, end, told, known)] = outages.as_slice() else {
        panic!("{outages:?}");
    };
    assert_eq!(
        (open, name.as_str(), *end),
        (0, "db02.example.org", OutageEnd::Told(at(over)))
    );
    assert_eq!(*from, at(320), "as people were told, a second later");
    assert_eq!(
        (told.as_slice(), known.as_slice()),
        (&["duty".to_owned()][..], &["bob".to_owned()][..])
    );
    // The next one has the same id: it goes on, and the first was.
    for now in 500..700 {
        duty.tell(now);
    }
    let (open, outages) = shift(&duty, 700);
    assert_eq!(
        (open, outages.len(), outages[0].2),
        (1, 1, OutageEnd::Told(at(over)))
    );
    // A shift later nothing of the first is left to say.
    let view = duty.workspace.view(at(700));
    let period = Period {
        from: at(over + 1),
        until: at(700),
    };
    assert_eq!(Handover::of(&view, None, period).outages.len(), 0);
}

/// A name that its host lets out, a check that is taken from the machine's own file, one that is turned off: nobody
/// looks any more, and whoever reads of it wants to know at what.
#[test]
fn a_handover_names_what_was_missed_and_let_out_and_says_since_when_nobody_looks() {
    let write = |duty: &mut Duty, seconds, change: &Check| {
        let edit =
            duty.workspace
                .edit_system(space(DATABASE), &chain(ALICE), at(seconds), |edit| {
                    edit.put_check(change)
                });
        drop(edit.unwrap());
    };
    let mut duty = Duty::new(&at_once());
    for said in JournalEntry::declare(at(12), &[check(3)]) {
        journal(&mut duty.workspace, 12, said);
    }
    told(&mut duty.workspace, 3, &[(13, Ok)]);
    // The second is missed as well, and turned off.
    duty.goes_on(20..700, |now| vec![(1, now)]);
    assert_eq!(alerts_open(&duty, 700), 2);
    for said in JournalEntry::declare(at(700), &[]) {
        journal(&mut duty.workspace, 700, said);
    }
    let off = Check {
        enabled: false,
        ..check(2)
    };
    write(&mut duty, 710, &off);
    duty.goes_on(720..800, |now| vec![(1, now)]);
    let over: BTreeSet<_> = duty.over.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(over, BTreeSet::from(["check2", "check3"]));
    let view = duty.workspace.view(at(800));
    let period = Period {
        from: at(100),
        until: at(800),
    };
    let shift = Handover::of(&view, None, period);
    let outages = shift.outages.iter();
    let outages: Vec<_> = outages
        .map(|it| (it.name.as_deref(), it.from, it.end, it.is_agent))
        .collect();
    let expected = [
        (Some("check3"), at(613), OutageEnd::Gone(at(700)), false),
        (Some("check2"), at(606), OutageEnd::Gone(at(710)), false),
    ];
    assert_eq!(outages, expected);
}

#[test]
fn an_outage_of_which_nobody_was_told_the_end_is_over_when_something_was_heard() {
    let mut duty = Duty::new(&at_once());
    duty.goes_on(20..201, |now| vec![(1, now), (2, now)]);
    for now in 201..400 {
        duty.tell(now);
    }
    let ends = |workspace: &Workspace, now: i64| -> Vec<OutageEnd> {
        let view = workspace.view(at(now));
        let period = Period {
            from: at(100),
            until: at(now),
        };
        let shift = Handover::of(&view, None, period);
        shift.outages.iter().map(|it| it.end).collect()
    };
    // Who did not listen sees no alert, and reads what people were told.
    let mut deaf = duty.workspace.clone();
    deaf.hears(space(AGENT), false, at(201));
    assert_eq!(alerts(&deaf, 401).len(), 0);
    assert_eq!(ends(&deaf, 401), [OutageEnd::Unknown]);
    duty.beat(420, &[(1, 420), (2, 420)]);
    assert_eq!(ends(&duty.workspace, 421), [OutageEnd::Heard(at(420))]);
}
