//! A System with several machines: what each has by itself, and what is known of a check at which several look.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

#[path = "common/names.rs"]
mod common;

use std::sync::Arc;

use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::entry::AgentStarted;
use aramaki_model::notify::{self, Record};
use aramaki_model::system::AgentRef;
use aramaki_model::{
    Alert, AlertKind, Check, CheckBeat, CheckId, CheckState, EntryId, Heartbeat, JournalEntry,
    Observation, Severity, SystemView, Workspace,
};
use aramaki_sync_core::Timestamp;
use common::{at, chain, space};

const PAIR: u8 = 1;
/// Two agents and their machines, p21 and p22.
const FIRST: u8 = 21;
const SECOND: u8 = 22;
const ALICE: u8 = 11;

const NAME: &str = "root file system";

/// The check that a machine has in its own file: of one name, and another on each.
fn disk(agent: u8) -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    Check {
        ttl_ms: Some(600_000),
        ..Check::new(CheckId::from_bytes([agent; 16]), NAME, kind)
    }
}

/// A check that all machines of the System have.
fn shared() -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    Check {
        ttl_ms: Some(600_000),
        ..Check::new(CheckId::from_bytes([7; 16]), "shop", kind)
    }
}

struct Pair(Workspace);

impl Pair {
    fn new(checks: &[Check]) -> Self {
        let mut workspace = Workspace::new();
        for n in [PAIR, FIRST, SECOND] {
            workspace.open_space(space(n));
        }
        let edit = workspace.edit_system(space(PAIR), &chain(ALICE), at(0), |edit| {
            edit.title("Pair")?;
            for check in checks {
                edit.put_check(check)?;
            }
            Ok(())
        });
        drop(edit.unwrap());
        Self(workspace)
    }

    fn joins(&mut self, agent: u8, seconds: i64) {
        let link = AgentRef {
            label: format!("p{agent}"),
            author: Some(chain(agent).author),
        };
        let edit = self
            .0
            .edit_system(space(PAIR), &chain(ALICE), at(seconds), |edit| {
                edit.put_agent(space(agent), &link)
            });
        drop(edit.unwrap());
        let started = AgentStarted {
            at: at(seconds),
            host: format!("host{agent}"),
            version: "0.1.0".to_owned(),
        };
        self.journal(agent, seconds, 1, JournalEntry::Started(started));
        self.0.hears(space(agent), true, at(seconds));
    }

    fn journal(&mut self, agent: u8, seconds: i64, n: u8, said: JournalEntry) {
        let mut random = [agent; 10];
        random[0] = n;
        let id = EntryId::new(at(seconds), random);
        let edit = self
            .0
            .append_journal(space(agent), &chain(agent), at(seconds), &[(id, said)]);
        drop(edit.unwrap());
    }

    fn declares(&mut self, agent: u8, seconds: i64, checks: &[Check]) {
        for said in JournalEntry::declare(at(seconds), checks) {
            self.journal(agent, seconds, 2, said);
        }
    }

    fn tells(&mut self, agent: u8, check: &Check, results: &[(i64, Severity)]) {
        let mut state = CheckState::new(check.id);
        for (seconds, severity) in results {
            let said = Observation::of_builtin(check.id, at(*seconds), *severity, "91 % used");
            if let Some(transition) = state.observe(check, &said) {
                self.journal(agent, *seconds, 3, JournalEntry::Transition(transition));
            }
        }
    }

    /// A heartbeat with a result of that moment.
    fn beats(&mut self, agent: u8, check: &Check, seconds: i64, raw: Severity) {
        self.beats_of(agent, check, (seconds, seconds), raw);
    }

    /// A heartbeat, and when its result was.
    fn beats_of(&mut self, agent: u8, check: &Check, (seconds, result): (i64, i64), raw: Severity) {
        let beat = CheckBeat {
            check: check.id,
            at: at(result),
            raw,
            attempt: 0,
        };
        let beat = Heartbeat {
            at: at(seconds),
            generation: 1,
            checks: vec![beat],
        };
        self.0.heartbeat(space(agent), &beat, at(seconds));
    }

    fn system(&self, seconds: i64) -> SystemView {
        let view = self.0.view(at(seconds));
        SystemView::clone(view.system(&space(PAIR)).unwrap())
    }

    fn rows(&self, seconds: i64) -> Vec<(String, Severity)> {
        let system = self.system(seconds);
        let row = |view: &aramaki_model::snapshot::CheckView| {
            (view.called().into_owned(), view.status.raw)
        };
        system.checks.iter().map(row).collect()
    }

    fn alerts(&self, seconds: i64) -> Vec<Arc<Alert>> {
        self.0.view(at(seconds)).alerts.iter().cloned().collect()
    }
}

/// Two machines, each with a check of the same name in its own file.
fn pair() -> Pair {
    let mut pair = Pair::new(&[]);
    for agent in [FIRST, SECOND] {
        pair.joins(agent, 0);
        pair.declares(agent, 1, &[disk(agent)]);
    }
    pair
}

fn row(agent: u8, raw: Severity) -> (String, Severity) {
    (format!("{NAME} (p{agent})"), raw)
}

#[test]
fn what_a_machine_has_in_its_own_file_its_neighbour_does_not_miss() {
    let mut pair = pair();
    for agent in [FIRST, SECOND] {
        pair.tells(agent, &disk(agent), &[(5, Severity::Ok)]);
        pair.beats(agent, &disk(agent), 3_000, Severity::Ok);
    }
    // Long after anything that nobody tells of would be missed.
    let ok = Severity::Ok;
    assert_eq!(pair.rows(3_010), [row(FIRST, ok), row(SECOND, ok)]);
    let system = pair.system(3_010);
    assert_eq!((system.status.raw, system.alerts.len()), (ok, 0));
    assert!(system.checks.iter().all(|check| check.vantages.is_empty()));
    // Only one has another one.
    let mut only = disk(9);
    only.name = "mail queue".to_owned();
    pair.declares(SECOND, 3_011, &[disk(SECOND), only.clone()]);
    pair.tells(SECOND, &only, &[(3_012, ok)]);
    let rows = pair.rows(3_013);
    assert_eq!(rows[0], ("mail queue (p22)".to_owned(), ok));
    assert_eq!((rows.len(), pair.alerts(3_013).len()), (3, 0));
    // What it does not have any more is gone.
    pair.declares(SECOND, 3_014, &[disk(SECOND)]);
    assert_eq!(pair.rows(3_015).len(), 2);
}

/// It was in its own file, or sent to it and let out: its problem ended then, and is told as others that ended.
#[test]
fn a_problem_at_which_a_machine_looks_no_more_stays_among_the_resolved() {
    let mut pair = pair();
    let check = disk(SECOND);
    let mut state = CheckState::new(check.id);
    for (seconds, severity) in [(5, Severity::Ok), (60, Severity::Critical)] {
        let said = Observation::of_builtin(check.id, at(seconds), severity, "91 % used");
        let told = state.observe(&check, &said).unwrap();
        pair.journal(SECOND, seconds, 3, JournalEntry::Transition(told));
    }
    let open = pair.alerts(90);
    let [open] = open.as_slice() else {
        panic!("{open:#?}");
    };
    let ended = state.end(at(100)).unwrap();
    pair.journal(SECOND, 100, 3, JournalEntry::Transition(ended));
    pair.declares(SECOND, 100, &[]);
    let all = pair.alerts(110);
    let [over] = all.as_slice() else {
        panic!("{all:#?}");
    };
    assert_eq!((over.id, over.resolved), (open.id, Some(at(100))));
    assert_eq!(over.called(), open.called());
    assert_eq!(over.worst, Severity::Critical);
    assert_eq!(pair.system(110).checks.len(), 1, "nobody looks at it");
    // It is forgotten as all are, and looked at again it is one check with one past.
    let later = pair.alerts(100 + 14 * 86_400);
    assert!(later.iter().all(|it| it.id != open.id), "{later:#?}");
    pair.declares(SECOND, 112, &[check]);
    assert_eq!(pair.alerts(115).len(), 1);
}

#[test]
fn a_machine_that_is_not_heard_makes_its_system_missing_and_hides_nothing_worse() {
    let mut pair = Pair::new(&[]);
    pair.joins(FIRST, 0);
    pair.joins(SECOND, 0);
    pair.declares(FIRST, 1, &[disk(FIRST)]);
    pair.tells(FIRST, &disk(FIRST), &[(5, Severity::Ok)]);
    pair.beats(FIRST, &disk(FIRST), 130, Severity::Ok);
    let status = pair.system(131).status;
    assert_eq!(
        (status.raw, status.words()),
        (Severity::Missing, "Pair: p22".to_owned())
    );
    let worse = [(5, Severity::Ok), (140, Severity::Critical)];
    pair.tells(FIRST, &disk(FIRST), &worse);
    let status = pair.system(141).status;
    assert_eq!(
        (status.raw, status.words()),
        (
            Severity::Critical,
            format!("Pair: {NAME} (p{FIRST}): 91 % used")
        )
    );
}

#[test]
fn the_alert_of_one_machine_names_it_and_stays_its_own() {
    let mut pair = pair();
    pair.tells(FIRST, &disk(FIRST), &[(5, Severity::Ok)]);
    let worse = [(5, Severity::Ok), (60, Severity::Critical)];
    pair.tells(SECOND, &disk(SECOND), &worse);
    for agent in [FIRST, SECOND] {
        pair.beats(agent, &disk(agent), 80, Severity::Ok);
    }
    let rows = pair.rows(90);
    assert_eq!(
        rows,
        [row(SECOND, Severity::Critical), row(FIRST, Severity::Ok)]
    );
    let alerts = pair.alerts(90);
    let [alert] = alerts.as_slice() else {
        panic!("{alerts:#?}");
    };
    assert_eq!(
        (alert.name.as_str(), alert.machine.as_deref()),
        (NAME, Some("p22"))
    );
    assert_eq!(alert.called(), format!("{NAME} (p22)"));
    let status = pair.system(90).status;
    assert!(
        status.words().contains("root file system (p22)"),
        "{}",
        status.words()
    );
    let facts = notify::alerts(&pair.0.view(at(90)), &Record::default());
    assert_eq!(
        (facts[0].name.as_str(), facts[0].machine.as_deref()),
        (NAME, Some("p22"))
    );
    pair.tells(FIRST, &disk(FIRST), &[(95, Severity::Ok)]);
    assert!(
        pair.alerts(96)[0].is_open(),
        "the other disk says nothing of this one"
    );
}

#[test]
fn a_machine_that_is_silent_makes_its_own_check_missing_and_no_other() {
    let mut pair = pair();
    for agent in [FIRST, SECOND] {
        pair.tells(agent, &disk(agent), &[(5, Severity::Ok)]);
    }
    pair.beats(FIRST, &disk(FIRST), 600, Severity::Ok);
    let rows = pair.rows(610);
    assert_eq!(
        rows,
        [row(SECOND, Severity::Missing), row(FIRST, Severity::Ok)]
    );
    let alerts = pair.alerts(610);
    let kinds: Vec<_> = alerts
        .iter()
        .map(|it| (it.kind, it.name.as_str()))
        .collect();
    let agent = space(SECOND);
    assert_eq!(kinds, [(AlertKind::Silent { agent }, "p22")]);
    assert_eq!(pair.system(610).status.raw, Severity::Missing);
}

#[test]
fn a_machine_that_is_heard_but_not_about_its_own_check_is_told_of() {
    let mut pair = pair();
    for agent in [FIRST, SECOND] {
        pair.tells(agent, &disk(agent), &[(5, Severity::Ok)]);
    }
    for seconds in (20..=1_500).step_by(20) {
        pair.beats(FIRST, &disk(FIRST), seconds, Severity::Ok);
        let other = Heartbeat {
            at: at(seconds),
            generation: 1,
            checks: Vec::new(),
        };
        pair.0.heartbeat(space(SECOND), &other, at(seconds));
    }
    let alerts = pair.alerts(1_505);
    let kinds: Vec<_> = alerts.iter().map(|it| (it.kind, it.called())).collect();
    assert_eq!(
        kinds,
        [(AlertKind::Missing, format!("{NAME} (p22)").into())]
    );
}

#[test]
fn what_a_removed_machine_alone_had_keeps_its_name_when_one_is_left() {
    let mut pair = pair();
    pair.tells(FIRST, &disk(FIRST), &[(5, Severity::Ok)]);
    let worse = [(5, Severity::Ok), (60, Severity::Critical)];
    pair.tells(SECOND, &disk(SECOND), &worse);
    let before = pair.alerts(90)[0].id;
    let edit = pair
        .0
        .edit_system(space(PAIR), &chain(ALICE), at(100), |edit| {
            edit.remove_agent(space(SECOND))
        });
    drop(edit.unwrap());
    // Nothing of now, and no row that could be taken for one of the machine that is left.
    assert_eq!(pair.rows(110), [(NAME.to_owned(), Severity::Ok)]);
    let alerts = pair.alerts(110);
    let [alert] = alerts.as_slice() else {
        panic!("{alerts:#?}");
    };
    assert_eq!((alert.id, alert.resolved), (before, Some(at(100))));
    assert_eq!(alert.called(), format!("{NAME} (p22)"));
    assert_eq!(alert.was_observed.as_ref().unwrap().by, "p22");
}

#[test]
fn who_joins_later_hides_nothing_of_what_the_first_saw() {
    use Severity::{Critical, Ok};
    let mut pair = Pair::new(&[shared()]);
    pair.joins(FIRST, 0);
    let first = [(120, Ok), (180, Critical), (300, Ok), (420, Critical)];
    pair.tells(FIRST, &shared(), &first);
    pair.joins(SECOND, 600);
    pair.tells(SECOND, &shared(), &[(618, Critical)]);
    for agent in [FIRST, SECOND] {
        pair.beats(agent, &shared(), 630, Critical);
    }
    let known = |pair: &Pair| {
        let alert = pair
            .alerts(640)
            .into_iter()
            .find(|it| it.is_open())
            .unwrap();
        (alert.first_seen, alert.last_ok, alert.opened, alert.flaps)
    };
    let expected = (Some(at(180)), Some(at(420)), at(420), 2);
    assert_eq!(known(&pair), expected);
    let alert = Arc::clone(&pair.alerts(640)[0]);
    let states = |turns: &[(i64, Severity)]| -> Vec<(Timestamp, Severity)> {
        turns
            .iter()
            .map(|(seconds, it)| (at(*seconds), *it))
            .collect()
    };
    assert_eq!(alert.transitions, states(&first));
    assert_eq!(alert.present.since, Some(at(420)));
    let system = pair.system(640);
    let check = &system.checks[0];
    assert_eq!(
        (check.status.since, check.last_ok),
        (Some(at(420)), Some(at(420)))
    );
    assert_eq!(check.history, states(&first));
    assert_eq!((check.machine.as_deref(), check.vantages.len()), (None, 2));
    // The second sees that it is well again, and it is not: the worst counts.
    pair.tells(SECOND, &shared(), &[(650, Ok)]);
    let alert = Arc::clone(&pair.alerts(660)[0]);
    assert_eq!((alert.last_ok, alert.flaps), (Some(at(420)), 2));
    pair.tells(FIRST, &shared(), &[(670, Ok)]);
    let check = &pair.system(680).checks[0];
    assert_eq!((check.status.raw, check.status.since), (Ok, Some(at(670))));
}

#[test]
fn days_that_only_one_of_them_saw_are_known() {
    use Severity::{Critical, Ok};
    const DAY: i64 = 86_400;
    let mut pair = Pair::new(&[shared()]);
    pair.joins(SECOND, 0);
    pair.tells(
        SECOND,
        &shared(),
        &[(10, Ok), (DAY, Critical), (DAY + 60, Ok)],
    );
    pair.joins(FIRST, 3 * DAY);
    pair.tells(FIRST, &shared(), &[(3 * DAY + 10, Critical)]);
    let alerts = pair.alerts(3 * DAY + 20);
    let alert = alerts.iter().find(|it| it.is_open()).unwrap();
    let worst: Vec<_> = alert.days.iter().map(|day| day.worst).collect();
    assert_eq!(worst, [Ok, Critical, Critical]);
    assert_eq!((alert.first_seen, alert.flaps), (Some(at(DAY)), 2));
    assert_eq!(alert.last_ok, Some(at(3 * DAY + 10)));
}

/// One of two machines at a check was stopped after it had seen nothing for long; the other sees nothing since.
/// Whoever begins to listen knows of the first from its journal alone.
#[test]
fn a_missed_check_is_named_alike_by_who_listened_to_all_and_by_who_begins_to() {
    let looked = |begins: i64| {
        let mut pair = Pair::new(&[shared()]);
        for agent in [FIRST, SECOND] {
            pair.joins(agent, 0);
            pair.0.hears(space(agent), false, at(1));
            pair.declares(agent, 1, &[]);
            pair.0.hears(space(agent), true, at(begins));
        }
        pair.tells(FIRST, &shared(), &[(10, Severity::Ok)]);
        pair.tells(SECOND, &shared(), &[(2_000, Severity::Ok)]);
        let stopped = JournalEntry::Stopped { at: at(1_000) };
        pair.journal(FIRST, 1_000, 4, stopped);
        pair
    };
    let missing = |pair: &Pair, seconds| {
        let alerts = pair.alerts(seconds);
        let mut missing = alerts.iter().filter(|it| it.kind == AlertKind::Missing);
        let first = missing.next().map(|it| (it.id, it.opened));
        assert_eq!(missing.count(), 0);
        first
    };
    let mut all = looked(5);
    let mut late = looked(5_000);
    for pair in [&mut all, &mut late] {
        pair.beats_of(SECOND, &shared(), (5_010, 2_000), Severity::Ok);
    }
    let known = missing(&all, 5_012);
    assert_eq!(known.map(|(_, opened)| opened), Some(at(610)));
    assert_eq!(missing(&late, 5_012), known);
}
