//! What stays of silences, maintenance windows and agents when their time is over or somebody took them away.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

#[path = "common/mod.rs"]
mod common;
#[path = "common/told.rs"]
mod told_of;

use aramaki_model::alert::{RESOLVED_DAYS, RESOLVED_OF_CHECK_MAX, agent_check};
use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::day::day_of;
use aramaki_model::entry::AgentStarted;
use aramaki_model::snapshot::{TimelineEvent, TimelineItem};
use aramaki_model::system::AgentRef;
use aramaki_model::{
    Alert, AlertState, Check, CheckId, CheckState, EntryId, ItemId, JournalEntry, Maintenance,
    Observation, Quiet, QuietAbout, QuietStep, Reach, Severity, Silence, TimelineKind, Workspace,
};
use aramaki_model::{Cron, Snapshot, View, notify};
use aramaki_sync_core::{AuthorId, Timestamp};
use common::{Sent, at, chain, receive, send, space};
use told_of::receipt;

const SYSTEM: u8 = 1;
const AGENT: u8 = 9;
const OTHER_AGENT: u8 = 10;
const ALICE: u8 = 11;
const BOB: u8 = 12;
const DAY: i64 = 86_400;

fn check(n: u8) -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    Check::new(CheckId::from_bytes([n; 16]), format!("check{n}"), kind)
}

/// What was written so far, as it goes over the wire.
struct World {
    workspace: Workspace,
    sent: Vec<Sent>,
}

impl World {
    /// A System with two checks and an agent that looks at them.
    fn new() -> Self {
        let mut world = Self {
            workspace: Workspace::new(),
            sent: Vec::new(),
        };
        for n in [SYSTEM, AGENT, OTHER_AGENT] {
            world.workspace.open_space(space(n));
        }
        world.edit(ALICE, 0, |edit| {
            edit.title("db02")?;
            edit.put_check(&check(1))?;
            edit.put_check(&check(2))
        });
        world.looks(AGENT, 0);
        world
    }

    fn edit(
        &mut self,
        who: u8,
        seconds: i64,
        edit: impl FnOnce(
            &mut aramaki_model::SystemEdit<'_, '_>,
        ) -> Result<(), aramaki_model::EditError>,
    ) {
        let chain = chain(who);
        let made = self
            .workspace
            .edit_system(space(SYSTEM), &chain, at(seconds), edit);
        self.sent.push(send(space(SYSTEM), &chain, made.unwrap()));
    }

    fn looks(&mut self, agent: u8, seconds: i64) {
        let link = AgentRef {
            label: format!("machine{agent}"),
            author: Some(chain(agent).author),
        };
        self.edit(ALICE, seconds, |edit| edit.put_agent(space(agent), &link));
    }

    fn journal(&mut self, agent: u8, seconds: i64, said: JournalEntry) {
        let entries = [(EntryId::new(at(seconds), [agent; 10]), said)];
        let chain = chain(agent);
        let made = self
            .workspace
            .append_journal(space(agent), &chain, at(seconds), &entries);
        self.sent.push(send(space(agent), &chain, made.unwrap()));
    }

    fn told(&mut self, agent: u8, n: u8, results: &[(i64, Severity)]) {
        let mut state = CheckState::new(check(n).id);
        for (seconds, severity) in results {
            let said = format!("lag {seconds} s");
            let said = Observation::of_builtin(check(n).id, at(*seconds), *severity, &said);
            if let Some(transition) = state.observe(&check(n), &said) {
                self.journal(agent, *seconds, JournalEntry::Transition(transition));
            }
        }
    }

    fn silence(&mut self, who: u8, n: u8, silence: &Silence) {
        let item = item(silence.from, n);
        self.edit(who, seconds(silence.from), |edit| {
            edit.put_silence(item, silence)
        });
    }

    fn timeline(&self, seconds: i64) -> Vec<TimelineItem> {
        let view = self.workspace.view(at(seconds));
        let system = view.system(&space(SYSTEM)).unwrap();
        let items = system.timeline.iter();
        items.map(|item| TimelineItem::clone(item)).collect()
    }

    /// Lines of silences and windows, oldest first.
    fn lines(&self, seconds: i64) -> Vec<(Timestamp, Option<AuthorId>, Quiet)> {
        let items = self.timeline(seconds).into_iter().rev();
        let quiet = items.filter_map(|item| match item.event {
            TimelineEvent::Quiet(quiet) => Some((item.at, item.author, quiet)),
            _ => None,
        });
        quiet.collect()
    }

    fn steps(&self, now: i64) -> Vec<(i64, QuietStep, Option<u32>)> {
        let lines = self.lines(now).into_iter();
        lines
            .map(|(at, _, quiet)| (seconds(at), quiet.step, quiet.muted))
            .collect()
    }

    fn alerts(&self, seconds: i64) -> Vec<Alert> {
        let view = self.workspace.view(at(seconds));
        view.alerts.iter().map(|it| Alert::clone(it)).collect()
    }
}

/// The seconds of [`at`].
fn seconds(moment: Timestamp) -> i64 {
    (moment.millis() - at(0).millis()).div_euclid(1_000)
}

fn item(at: Timestamp, n: u8) -> ItemId {
    ItemId::new(at, [n; 10])
}

fn quiet(from: i64, until: i64) -> Silence {
    Silence {
        reason: "disk is being replaced".to_owned(),
        from: at(from),
        until: at(until),
        ..Silence::default()
    }
}

fn who(n: u8) -> AuthorId {
    chain(n).author
}

#[test]
fn a_silence_that_runs_out_says_who_made_it_why_until_when_and_how_many_it_muted() {
    use Severity::{Critical, Ok};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (50, Critical)]);
    world.told(AGENT, 2, &[(10, Ok), (200, Critical), (300, Ok)]);
    world.silence(BOB, 1, &quiet(100, 400));
    let [(made_at, by, made)] = &world.lines(399)[..] else {
        panic!("one line while it runs");
    };
    assert_eq!((*made_at, *by), (at(100), Some(who(BOB))));
    assert_eq!(made.about, QuietAbout::System);
    assert_eq!(
        (made.step, made.reason.as_str(), made.until),
        (QuietStep::Made, "disk is being replaced", at(400))
    );
    assert_eq!(made.muted, Some(1), "what was there at that moment");
    assert_eq!(
        world.steps(400),
        [
            (100, QuietStep::Made, Some(1)),
            (400, QuietStep::RanOut, Some(2))
        ],
        "all in its time"
    );
    let (_, by, over) = world.lines(400).pop().unwrap();
    assert_eq!((by, over.reason.as_str()), (None, "disk is being replaced"));
    let kinds = world.timeline(400);
    let kinds = kinds.iter().map(|item| TimelineKind::of(&item.event));
    assert_eq!(kinds.filter(|kind| *kind == TimelineKind::Quiet).count(), 2);
}

#[test]
fn a_silence_that_somebody_ends_says_who_did_and_keeps_what_it_was() {
    use Severity::{Critical, Ok};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (250, Critical)]);
    let of_check = Silence {
        check: Some(check(1).id),
        ..quiet(100, 400)
    };
    world.silence(BOB, 1, &of_check);
    world.edit(ALICE, 200, |edit| edit.remove_silence(item(at(100), 1)));
    for now in [200, 500] {
        let lines = world.lines(now);
        let brief: Vec<_> = lines
            .iter()
            .map(|(at, by, it)| (*at, *by, it.step))
            .collect();
        assert_eq!(
            brief,
            [
                (at(100), Some(who(BOB)), QuietStep::Made),
                (at(200), Some(who(ALICE)), QuietStep::Ended)
            ],
            "it does not run out any more"
        );
        let ended = &lines[1].2;
        assert_eq!(
            ended.about,
            QuietAbout::Check {
                check: check(1).id,
                name: "check1".to_owned()
            }
        );
        assert_eq!(ended.reason, "disk is being replaced");
        assert_eq!(ended.muted, Some(0), "what came later was not muted");
    }
    // One that is tidied up when it was over ended when it was over.
    world.silence(BOB, 2, &quiet(600, 700));
    world.edit(ALICE, 900, |edit| edit.remove_silence(item(at(600), 2)));
    let last = world.steps(1_000).pop().unwrap();
    assert_eq!(last, (700, QuietStep::RanOut, Some(1)));
}

#[test]
fn a_silence_until_resolved_ends_with_the_last_problem_that_was_there() {
    use Severity::{Critical, Ok, Warning};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (50, Critical), (250, Ok)]);
    world.told(
        AGENT,
        2,
        &[(10, Ok), (60, Warning), (300, Ok), (310, Warning)],
    );
    let until_resolved = Silence {
        until_resolved: true,
        ..quiet(100, 90 * DAY)
    };
    world.silence(BOB, 1, &until_resolved);
    assert_eq!(
        world.steps(350),
        [
            (100, QuietStep::Made, Some(2)),
            (300, QuietStep::Resolved, Some(2))
        ]
    );
    assert_eq!(world.steps(100 * DAY).len(), 2, "and not once more");
    let family = Silence {
        until_resolved: true,
        ..quiet(320, 90 * DAY)
    };
    let named = world.alerts(350)[0].family.clone();
    world.silence(BOB, 2, &family.of_family(&named));
    let (_, _, made) = world.lines(350).pop().unwrap();
    assert_eq!(
        (made.about, made.muted),
        (QuietAbout::Family(named), None),
        "what it was of at that moment follows from later words"
    );
    world.told(AGENT, 2, &[(400, Ok)]);
    assert_eq!(
        world.steps(450).pop().unwrap(),
        (400, QuietStep::Resolved, None)
    );
}

/// Of a check that fails again and again only the last problems are shown.
#[test]
fn how_many_a_silence_muted_is_not_said_any_more_when_some_of_them_are_forgotten() {
    use Severity::{Critical, Ok};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (50, Critical), (150, Ok)]);
    world.silence(BOB, 1, &quiet(100, 90 * DAY));
    assert_eq!(world.steps(200), [(100, QuietStep::Made, Some(1))]);
    let more: Vec<_> = (0..20)
        .flat_map(|n| [(300 + 20 * n, Critical), (310 + 20 * n, Ok)])
        .collect();
    world.told(AGENT, 1, &[&[(200, Ok)], &more[..]].concat());
    assert_eq!(world.steps(2_000), [(100, QuietStep::Made, None)]);
}

#[test]
fn a_window_says_when_it_was_planned_opened_and_closed_and_who_took_it_away() {
    use Severity::{Critical, Ok};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (1_100, Critical), (1_200, Ok)]);
    let window = Maintenance {
        reason: "kernel".to_owned(),
        from: at(1_000),
        until: at(2_000),
        ..Maintenance::default()
    };
    let id = item(at(100), 1);
    world.edit(BOB, 100, |edit| edit.put_maintenance(id, &window));
    assert_eq!(world.steps(999), [(100, QuietStep::Made, None)]);
    assert_eq!(
        world.steps(2_000),
        [
            (100, QuietStep::Made, None),
            (1_000, QuietStep::Opened, None),
            (2_000, QuietStep::RanOut, Some(1))
        ]
    );
    // Another one is ended while it is open, and one before it opens.
    let open = item(at(3_000), 2);
    let later = Maintenance {
        from: at(3_500),
        until: at(4_000),
        ..window.clone()
    };
    world.edit(BOB, 3_000, |edit| edit.put_maintenance(open, &later));
    world.edit(ALICE, 3_600, |edit| edit.remove_maintenance(open));
    let planned = item(at(5_000), 3);
    let daily = Maintenance {
        from: at(6_000),
        until: at(7_000),
        every_days: Some(1),
        ..window
    };
    world.edit(BOB, 5_000, |edit| edit.put_maintenance(planned, &daily));
    let lines = world.lines(10_000);
    let brief: Vec<_> = lines[3..]
        .iter()
        .map(|(at, by, it)| (seconds(*at), *by, it.step))
        .collect();
    assert_eq!(
        brief,
        [
            (3_000, Some(who(BOB)), QuietStep::Made),
            (3_500, None, QuietStep::Opened),
            (3_600, Some(who(ALICE)), QuietStep::Ended),
            (5_000, Some(who(BOB)), QuietStep::Made),
            (6_000, None, QuietStep::Opened),
            (7_000, None, QuietStep::RanOut),
        ]
    );
    let after = world.steps(7_000 + 3 * DAY);
    assert_eq!(
        after[after.len() - 2..],
        [
            (6_000 + 3 * DAY, QuietStep::Opened, None),
            (7_000 + 3 * DAY, QuietStep::RanOut, Some(0))
        ],
        "of a window that comes again the last time"
    );
}

#[test]
fn every_replica_shows_the_same_lines_in_whatever_order_it_heard_of_them() {
    use Severity::{Critical, Ok};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (50, Critical)]);
    world.silence(BOB, 1, &quiet(100, 400));
    let subtree = Silence {
        reach: Reach::Subtree,
        ..quiet(120, 130)
    };
    world.silence(ALICE, 2, &subtree);
    world.edit(ALICE, 200, |edit| edit.remove_silence(item(at(100), 1)));
    world.edit(BOB, 210, |edit| edit.remove_agent(space(AGENT)));
    let mut other = Workspace::new();
    for n in [SYSTEM, AGENT, OTHER_AGENT] {
        other.open_space(space(n));
    }
    for sent in world.sent.iter().rev() {
        assert!(
            receive(&mut other, sent)
                .iter()
                .all(|it| it.envelope.is_none())
        );
    }
    let view = other.view(at(500));
    let items = &view.system(&space(SYSTEM)).unwrap().timeline;
    let items: Vec<_> = items.iter().map(|item| TimelineItem::clone(item)).collect();
    assert_eq!(items, world.timeline(500));
    assert_eq!(
        world
            .lines(500)
            .iter()
            .map(|(_, _, it)| &it.about)
            .collect::<Vec<_>>(),
        [
            &QuietAbout::System,
            &QuietAbout::Subtree,
            &QuietAbout::Subtree,
            &QuietAbout::System
        ]
    );
}

#[test]
fn what_a_removed_agent_saw_stays_readable_and_says_nothing_of_now() {
    use Severity::{Critical, Missing, Ok};
    let mut world = World::new();
    let started = AgentStarted {
        at: at(1),
        host: "db02".to_owned(),
        version: "0.1.0".to_owned(),
    };
    world.journal(AGENT, 1, JournalEntry::Started(started));
    world.told(
        AGENT,
        1,
        &[(10, Ok), (50, Critical), (60, Ok), (90, Critical)],
    );
    world.told(AGENT, 2, &[(11, Ok)]);
    let before = world.alerts(95);
    assert_eq!(before.len(), 2, "one open, one over");
    world.edit(BOB, 100, |edit| edit.remove_agent(space(AGENT)));
    // It does not hear of that at once, and goes on.
    world.told(AGENT, 2, &[(200, Critical)]);

    let timeline = world.timeline(300);
    let removed = &timeline[0];
    assert_eq!((removed.at, removed.author), (at(100), Some(who(BOB))));
    assert_eq!(
        removed.event,
        TimelineEvent::AgentRemoved {
            name: "machine9".to_owned()
        }
    );
    let changes = timeline.iter();
    let changes = changes.filter(|it| matches!(it.event, TimelineEvent::Transition { .. }));
    assert_eq!(changes.count(), 5, "and none from after it");

    let alerts = world.alerts(300);
    let ids = |alerts: &[Alert]| {
        let mut ids: Vec<_> = alerts.iter().map(|it| it.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&alerts), ids(&before), "they are the same as before");
    let ended = alerts.iter().find(|it| it.opened == at(90)).unwrap();
    assert_eq!(ended.state, AlertState::Resolved);
    assert_eq!(ended.resolved, Some(at(100)));
    let was = ended.was_observed.as_ref().unwrap();
    assert_eq!((was.by.as_str(), was.until), ("machine9", at(100)));
    assert_eq!(
        ended.transitions,
        [
            (at(10), Ok),
            (at(50), Critical),
            (at(60), Ok),
            (at(90), Critical),
            (at(100), Missing)
        ]
    );
    assert_eq!(ended.days.on(day_of(at(50))).unwrap().worst, Critical);

    let view = world.workspace.view(at(300));
    let system = view.system(&space(SYSTEM)).unwrap();
    let check = system.checks.iter().find(|it| it.check.id == check(1).id);
    let check = check.unwrap();
    assert_eq!(check.status.raw, Missing, "nobody looks");
    assert_eq!((check.alert, check.status.last), (None, None));
    assert_eq!(check.was_observed.as_ref(), Some(was));
    assert_eq!(check.days.on(day_of(at(50))).unwrap().worst, Critical);
}

#[test]
fn who_was_told_of_a_problem_hears_that_nobody_looks_at_it_any_more() {
    use Severity::{Critical, Ok};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (50, Critical)]);
    let alert = world.alerts(60).pop().unwrap();
    receipt(&mut world.workspace, (ALICE, 70), space(SYSTEM), &alert);
    world.edit(BOB, 100, |edit| edit.remove_agent(space(AGENT)));
    let record = world.workspace.told(chain(ALICE).author);
    let facts = notify::alerts(&world.workspace.view(at(110)), &record);
    assert_eq!(facts.len(), 1);
    assert_eq!(facts[0].resolved, Some(at(100)));
    assert_eq!(facts[0].summary, "it is looked at no more");
}

/// Removing a check took its name from the page, its rows from the timeline, and the alert that was told.
#[test]
fn what_a_removed_check_was_and_told_stays_under_its_name() {
    use Severity::{Critical, Ok};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (50, Critical)]);
    world.told(AGENT, 2, &[(11, Ok)]);
    let of_check = Silence {
        check: Some(check(1).id),
        ..quiet(55, 58)
    };
    world.silence(BOB, 1, &of_check);
    let alert = world.alerts(60).pop().unwrap();
    receipt(&mut world.workspace, (ALICE, 70), space(SYSTEM), &alert);
    world.edit(BOB, 100, |edit| edit.remove_check(check(1).id));
    // The agent does not hear of that at once, and says at last that it looks no more.
    world.told(AGENT, 1, &[(101, Ok), (103, Severity::Missing)]);

    let rows = world.timeline(110).into_iter();
    let rows = rows.filter_map(|item| match item.event {
        TimelineEvent::Transition { name, to, .. } => Some((name, to)),
        _ => None,
    });
    let rows: Vec<_> = rows.collect();
    assert!(rows.contains(&("check1".to_owned(), Critical)), "{rows:?}");
    let QuietAbout::Check { name, .. } = &world.lines(110)[0].2.about else {
        panic!("of the check");
    };
    assert_eq!(name, "check1");
    let [ended] = &world.alerts(110)[..] else {
        panic!("the one that was told");
    };
    assert_eq!((ended.id, ended.name.as_str()), (alert.id, "check1"));
    assert_eq!(
        (ended.state, ended.resolved),
        (AlertState::Resolved, Some(at(100)))
    );
    assert_eq!(ended.was_observed.as_ref().unwrap().until, at(100));
    let record = world.workspace.told(chain(ALICE).author);
    let facts = notify::alerts(&world.workspace.view(at(110)), &record);
    assert_eq!(facts.len(), 1);
    assert_eq!(
        (facts[0].name.as_str(), facts[0].resolved),
        ("check1", Some(at(100)))
    );
    assert_eq!(facts[0].summary, "it is looked at no more");
    let view = world.workspace.view(at(110));
    let system = view.system(&space(SYSTEM)).unwrap();
    assert!(system.checks.iter().all(|it| it.check.id != check(1).id));
    // It comes back as it was, also its alert; and at last the old one is forgotten.
    let after = i64::from(RESOLVED_DAYS) * DAY + 100;
    assert!(world.alerts(after).is_empty());
    world.edit(BOB, 120, |edit| edit.put_check(&check(1)));
    let view = world.workspace.view(at(130));
    let system = view.system(&space(SYSTEM)).unwrap();
    assert!(system.former_checks.is_empty());
}

/// That nothing came of a check is over when the check is removed: under its name.
#[test]
fn who_was_told_that_a_removed_check_was_missing_hears_its_name() {
    let mut elsewhere = World::new();
    elsewhere.told(AGENT, 1, &[(10, Severity::Ok), (40, Severity::Critical)]);
    // Only what was told says that it was there.
    let unknown = elsewhere.alerts(60).pop().unwrap();
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Severity::Ok)]);
    receipt(&mut world.workspace, (ALICE, 70), space(SYSTEM), &unknown);
    world.edit(BOB, 100, |edit| edit.remove_check(check(1).id));
    let record = world.workspace.told(chain(ALICE).author);
    let facts = notify::alerts(&world.workspace.view(at(110)), &record);
    let told = facts.iter().find(|fact| fact.check == check(1).id).unwrap();
    assert_eq!(told.name, "check1");
}

/// A sender's check is let out on its machine, then in again, and the same is wrong.
#[test]
fn what_comes_back_after_it_was_looked_at_no_more_is_another_alert_and_its_end_keeps_its_name() {
    use Severity::{Critical, Ok};
    let mut world = World::new();
    world.looks(OTHER_AGENT, 1);
    let backup = Check::new(
        CheckId::from_bytes([7; 16]),
        "backup",
        CheckKind::External {},
    );
    let declare = |world: &mut World, seconds, checks: &[Check]| {
        for entry in JournalEntry::declare(at(seconds), checks) {
            world.journal(AGENT, seconds, entry);
        }
    };
    let mut state = CheckState::new(backup.id);
    let mut told = |world: &mut World, seconds, severity: Option<Severity>| {
        let said = |severity| Observation::of_builtin(backup.id, at(seconds), severity, "said");
        let transition = match severity {
            Some(severity) => state.observe(&backup, &said(severity)),
            None => state.end(at(seconds)),
        };
        world.journal(
            AGENT,
            seconds,
            JournalEntry::Transition(transition.unwrap()),
        );
    };
    declare(&mut world, 5, std::slice::from_ref(&backup));
    told(&mut world, 10, Some(Ok));
    told(&mut world, 50, Some(Critical));
    let first = world.alerts(60).pop().unwrap();
    receipt(&mut world.workspace, (ALICE, 70), space(SYSTEM), &first);
    told(&mut world, 100, None);
    declare(&mut world, 101, &[]);

    let record = world.workspace.told(chain(ALICE).author);
    let facts = notify::alerts(&world.workspace.view(at(110)), &record);
    let [over] = &facts[..] else {
        panic!("{facts:#?}");
    };
    assert_eq!((over.alert, over.name.as_str()), (first.id, "backup"));
    assert_eq!(over.machine.as_deref(), Some("machine9"));
    assert_eq!(over.summary, "it is looked at no more");
    assert_eq!((over.opened, over.resolved), (at(50), Some(at(100))));
    let of_check = |item: TimelineItem| match item.event {
        TimelineEvent::Transition { name, to, .. } => Some((name, item.who, to)),
        _ => None,
    };
    let lines: Vec<_> = world
        .timeline(110)
        .into_iter()
        .filter_map(of_check)
        .collect();
    let line = |to| ("backup".to_owned(), "machine9".to_owned(), to);
    let expected = [Severity::Missing, Critical, Ok].map(line);
    assert_eq!(lines, expected, "newest first");

    declare(&mut world, 200, std::slice::from_ref(&backup));
    told(&mut world, 210, Some(Critical));
    let facts = notify::alerts(&world.workspace.view(at(220)), &record);
    let open: Vec<_> = facts.iter().filter(|it| it.resolved.is_none()).collect();
    assert_eq!(open.len(), 1, "{facts:#?}");
    assert_ne!(open[0].alert, first.id, "people are told anew");
    let resolved = facts.iter().find(|it| it.alert == first.id).unwrap();
    assert_eq!(resolved.resolved, Some(at(100)));
}

#[test]
fn a_machine_that_takes_the_place_of_another_goes_on_with_its_history() {
    use Severity::{Critical, Missing, Ok, Warning};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (DAY + 50, Critical)]);
    world.edit(BOB, DAY + 100, |edit| edit.remove_agent(space(AGENT)));
    world.looks(OTHER_AGENT, DAY + 110);
    world.told(OTHER_AGENT, 1, &[(DAY + 150, Ok), (2 * DAY, Warning)]);
    let alerts = world.alerts(2 * DAY + 10);
    let [open, over] = &alerts[..] else {
        panic!("{alerts:#?}");
    };
    assert_eq!((open.severity, &open.was_observed), (Warning, &None));
    assert_eq!(
        open.transitions,
        [
            (at(10), Ok),
            (at(DAY + 50), Critical),
            (at(DAY + 100), Missing),
            (at(DAY + 150), Ok),
            (at(2 * DAY), Warning)
        ]
    );
    assert_eq!(open.first_seen, Some(at(DAY + 50)));
    for day in [10, DAY + 50, 2 * DAY] {
        assert!(open.days.on(day_of(at(day))).is_some(), "{day}");
    }
    assert_eq!(
        (over.severity, over.resolved),
        (Critical, Some(at(DAY + 100)))
    );
    let view = world.workspace.view(at(2 * DAY + 10));
    let checks = &view.system(&space(SYSTEM)).unwrap().checks;
    let one = checks.iter().find(|it| it.check.id == check(1).id).unwrap();
    assert_eq!(one.was_observed, None, "somebody looks");
    assert_eq!(one.history, open.transitions);
}

#[test]
fn a_silence_counts_what_it_is_of_and_is_over_by_itself_alone() {
    use Severity::{Critical, Ok};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (50, Critical), (250, Ok)]);
    world.told(AGENT, 2, &[(10, Ok), (60, Critical)]);
    let of_first = |from, until| Silence {
        check: Some(check(1).id),
        ..quiet(from, until)
    };
    world.silence(BOB, 1, &of_first(100, 400));
    assert_eq!(
        world.steps(450),
        [
            (100, QuietStep::Made, Some(1)),
            (400, QuietStep::RanOut, Some(1))
        ],
        "one of the two, and not over with its problem"
    );
    // How many there were is not known any more when alerts of that time are forgotten.
    let after = i64::from(RESOLVED_DAYS) * DAY + 100;
    let made = |now| world.steps(now)[0].2;
    assert_eq!((made(after), made(after + 1)), (Some(1), None));
    let mut view = View::default();
    let muted = |snapshot: &Snapshot| {
        let timeline = &snapshot.system(&space(SYSTEM)).unwrap().timeline;
        let mut muted = timeline.iter().filter_map(|item| match &item.event {
            TimelineEvent::Quiet(quiet) if quiet.step == QuietStep::Made => Some(quiet.muted),
            _ => None,
        });
        muted.next().unwrap()
    };
    assert_eq!(muted(&view.update(&world.workspace, at(after))), Some(1));
    assert_eq!(muted(&view.update(&world.workspace, at(after + 1))), None);
    // One that ends before it begins is a mistake that was made, and nothing that ran out.
    let mut world = World::new();
    world.silence(BOB, 1, &quiet(400, 100));
    let steps = world.steps(500).into_iter();
    assert_eq!(steps.map(|it| it.1).collect::<Vec<_>>(), [QuietStep::Made]);
}

#[test]
fn a_kept_view_shows_that_a_silence_ran_out() {
    let mut world = World::new();
    world.silence(BOB, 1, &quiet(100, 400));
    let mut view = View::default();
    let mut count = |now: i64| {
        let snapshot = view.update(&world.workspace, at(now));
        let timeline = &snapshot.system(&space(SYSTEM)).unwrap().timeline;
        let quiet = timeline.iter();
        quiet
            .filter(|item| matches!(item.event, TimelineEvent::Quiet(_)))
            .count()
    };
    assert_eq!([399, 400].map(&mut count), [1, 2]);
}

#[test]
fn a_silence_until_resolved_waits_for_its_own_problems_that_were_there() {
    use Severity::{Critical, Ok, Warning};
    let results = |world: &mut World| {
        world.told(AGENT, 1, &[(10, Ok), (50, Critical), (250, Ok)]);
        world.told(AGENT, 2, &[(10, Ok), (150, Warning)]);
    };
    let until_resolved = |silence: Silence| Silence {
        until_resolved: true,
        ..silence
    };
    let last = |silence: &Silence, now: i64| {
        let mut world = World::new();
        results(&mut world);
        world.silence(BOB, 1, silence);
        world.steps(now).pop().unwrap()
    };
    // The second problem came when the silence was there already, and goes on.
    let system = until_resolved(quiet(100, DAY));
    assert_eq!(last(&system, 300), (250, QuietStep::Resolved, Some(1)));
    let check = |n: u8, from| {
        until_resolved(Silence {
            check: Some(check(n).id),
            ..quiet(from, DAY)
        })
    };
    assert_eq!(
        last(&check(1, 200), 300),
        (250, QuietStep::Resolved, Some(1))
    );
    assert_eq!(last(&check(2, 200), 300).1, QuietStep::Made, "it goes on");
    // Both are of one family, and one of them was there.
    let mut world = World::new();
    results(&mut world);
    let alerts = world.alerts(220);
    let first = alerts.iter().find(|it| it.name == "check1").unwrap();
    let family = until_resolved(quiet(100, DAY)).of_family(&first.family);
    assert_eq!(last(&family, 300), (250, QuietStep::Resolved, None));
    // What ends first counts: its time, or somebody who ends it.
    let short = until_resolved(quiet(100, 240));
    assert_eq!(last(&short, 300).1, QuietStep::RanOut);
    world.silence(BOB, 2, &system);
    world.edit(ALICE, 210, |edit| edit.remove_silence(item(at(100), 2)));
    assert_eq!(world.steps(300).pop().unwrap().1, QuietStep::Ended);
}

#[test]
fn a_silence_of_an_agent_says_what_that_is_called() {
    let mut world = World::new();
    let of_agent = Silence {
        check: Some(agent_check(&space(AGENT))),
        ..quiet(100, 400)
    };
    world.silence(BOB, 1, &of_agent);
    let (_, _, made) = world.lines(200).pop().unwrap();
    assert_eq!(made.about, QuietAbout::Agent("machine9".to_owned()));
    let of_nothing = Silence {
        check: Some(CheckId::from_bytes([77; 16])),
        ..quiet(101, 400)
    };
    world.silence(BOB, 2, &of_nothing);
    let (_, _, made) = world.lines(200).pop().unwrap();
    assert!(matches!(made.about, QuietAbout::Check { name, .. } if name.is_empty()));
}

#[test]
fn a_window_has_a_line_for_what_happened_after_it_was_planned_and_before_it_was_taken_away() {
    use QuietStep::{Ended, Made, Opened, RanOut};
    let window = |from: i64, until: i64| Maintenance {
        from: at(from),
        until: at(until),
        ..Maintenance::default()
    };
    let steps = |made: i64, window: &Maintenance, taken: Option<i64>, now: i64| -> Vec<_> {
        let mut world = World::new();
        let id = item(at(made), 1);
        world.edit(BOB, made, |edit| edit.put_maintenance(id, window));
        if let Some(taken) = taken {
            world.edit(ALICE, taken, |edit| edit.remove_maintenance(id));
        }
        let lines = world.lines(now).into_iter();
        lines
            .map(|(_, _, quiet)| (quiet.step, quiet.again))
            .collect()
    };
    let once = window(1_000, 2_000);
    assert_eq!(steps(5_000, &once, None, 6_000), [(Made, false)]);
    // Planned a moment before: that it opened is no news.
    assert_eq!(steps(970, &once, None, 1_500), [(Made, false)]);
    assert_eq!(
        steps(970, &once, None, 2_500),
        [(Made, false), (RanOut, false)]
    );
    assert_eq!(
        steps(900, &once, None, 1_500),
        [(Made, false), (Opened, false)]
    );
    // By a clock that is ahead it was taken away when it was over; here it is open now.
    assert_eq!(
        steps(900, &once, Some(2_500), 1_500),
        [(Made, false), (Opened, false)]
    );
    assert_eq!(
        steps(900, &once, Some(1_200), 2_500),
        [(Made, false), (Opened, false), (Ended, false)]
    );
    let daily = Maintenance {
        every_days: Some(1),
        ..once.clone()
    };
    assert_eq!(steps(100, &daily, None, 200), [(Made, true)]);
    let cron = Cron {
        expression: "0 3 * * *".to_owned(),
        zone: "UTC".to_owned(),
    };
    let hour = std::time::Duration::from_hours(1);
    let nightly = Maintenance::by_cron(String::new(), at(1_000), hour, cron).unwrap();
    assert_eq!(steps(100, &nightly, None, 200), [(Made, true)]);
}

#[test]
fn of_two_that_were_removed_the_last_is_named_and_their_states_stand_in_order() {
    use Severity::{Critical, Ok, Warning};
    let mut world = World::new();
    world.looks(OTHER_AGENT, 0);
    world.told(OTHER_AGENT, 1, &[(12, Ok), (60, Warning)]);
    world.told(AGENT, 1, &[(15, Ok), (90, Critical), (150, Warning)]);
    world.edit(BOB, 100, |edit| edit.remove_agent(space(OTHER_AGENT)));
    world.edit(BOB, 200, |edit| edit.remove_agent(space(AGENT)));
    let view = world.workspace.view(at(300));
    let checks = &view.system(&space(SYSTEM)).unwrap().checks;
    let one = checks.iter().find(|it| it.check.id == check(1).id).unwrap();
    let was = one.was_observed.as_ref().unwrap();
    assert_eq!((was.by.as_str(), was.until), ("machine9", at(200)));
    let times: Vec<_> = one.history.iter().map(|(at, _)| seconds(*at)).collect();
    assert_eq!(times, [12, 15, 60, 90, 100, 150, 200]);
}

#[test]
fn who_began_to_look_before_another_was_removed_says_how_it_was_from_then_on() {
    use Severity::{Critical, Ok, Warning};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (30, Warning), (80, Critical)]);
    world.looks(OTHER_AGENT, 50);
    world.told(OTHER_AGENT, 1, &[(60, Ok)]);
    world.edit(BOB, 100, |edit| edit.remove_agent(space(AGENT)));
    let view = world.workspace.view(at(200));
    let checks = &view.system(&space(SYSTEM)).unwrap().checks;
    let one = checks.iter().find(|it| it.check.id == check(1).id).unwrap();
    assert_eq!(
        one.history,
        [(at(10), Ok), (at(30), Warning), (at(60), Ok)],
        "somebody always looked"
    );
    // Where several had to agree, the others still say what was.
    let quorum = Check {
        quorum: Some(2),
        ..check(1)
    };
    let told = |world: &World| {
        let alerts = world.alerts(200).into_iter();
        alerts.filter(|it| it.was_observed.is_some()).count()
    };
    assert_eq!(told(&world), 1);
    world.edit(BOB, 110, |edit| edit.put_check(&quorum));
    assert_eq!(told(&world), 0);
}

#[test]
fn a_problem_of_who_was_removed_ends_then_whatever_is_told_after_and_is_forgotten_in_time() {
    use Severity::{Critical, Ok};
    let mut world = World::new();
    world.told(AGENT, 1, &[(10, Ok), (50, Critical), (150, Ok)]);
    world.edit(BOB, 100, |edit| edit.remove_agent(space(AGENT)));
    let over = |world: &World, now| -> Vec<_> {
        let alerts = world.alerts(now).into_iter();
        alerts.map(|it| (it.opened, it.resolved)).collect()
    };
    assert_eq!(over(&world, 200), [(at(50), Some(at(100)))]);
    let forgotten = i64::from(RESOLVED_DAYS) * DAY + 100;
    assert_eq!(over(&world, forgotten - 1).len(), 1);
    assert_eq!(over(&world, forgotten), []);
    // Removals are known to the second: what began within that one did not end before.
    let mut world = World::new();
    let half = at(100).plus(std::time::Duration::from_millis(500));
    let mut state = CheckState::new(check(1).id);
    let said = Observation::of_builtin(check(1).id, half, Critical, "no answer");
    let transition = state.observe(&check(1), &said).unwrap();
    world.journal(AGENT, 100, JournalEntry::Transition(transition));
    world.edit(BOB, 100, |edit| edit.remove_agent(space(AGENT)));
    assert_eq!(over(&world, 200), [(half, Some(half))]);
    // Of many only the newest are shown.
    let mut world = World::new();
    let many = i64::try_from(RESOLVED_OF_CHECK_MAX).unwrap() + 3;
    let results: Vec<_> = (1..=many)
        .flat_map(|n| [(n * 10, Critical), (n * 10 + 5, Ok)])
        .collect();
    world.told(AGENT, 1, &results);
    world.edit(BOB, 1_000, |edit| edit.remove_agent(space(AGENT)));
    let shown = over(&world, 1_100);
    assert_eq!(shown.len(), RESOLVED_OF_CHECK_MAX);
    assert!(
        shown.iter().all(|(opened, _)| *opened > at(30)),
        "{shown:?}"
    );
}
