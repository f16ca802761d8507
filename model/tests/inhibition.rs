//! Dependencies suppress only the telling, only the beginning, and only through the real state of
//! what lies between; and somebody is always told.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

#[path = "common/names.rs"]
mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use aramaki_model::alert::Hold;
use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::system::{AgentRef, Part};
use aramaki_model::{
    Alert, AlertState, Check, CheckId, CheckState, EntryId, JournalEntry, Observation, Operator,
    Override, Relation, Severity, Snapshot, Workspace,
};
use common::{at, chain, space};
use proptest::prelude::*;

const SYSTEMS: u8 = 7;
const WRITER: u8 = 11;
const NOW: i64 = 100;

/// From, to, relation, and what a warning there is here.
type Link = (u8, u8, Relation, Option<Severity>);

fn agent(n: u8) -> u8 {
    100 + n
}

fn check(n: u8) -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    Check {
        ttl_ms: Some(86_400_000),
        ..Check::new(CheckId::from_bytes([n + 1; 16]), format!("c{n}"), kind)
    }
}

fn told(workspace: &mut Workspace, n: u8, results: &[(i64, Severity)]) {
    let mut state = CheckState::new(check(n).id);
    for (seconds, severity) in results {
        let said = Observation::of_builtin(check(n).id, at(*seconds), *severity, "said");
        if let Some(transition) = state.observe(&check(n), &said) {
            let entries = [(
                EntryId::new(at(*seconds), [n; 10]),
                JournalEntry::Transition(transition),
            )];
            let edit = workspace.append_journal(space(agent(n)), &chain(WRITER), at(0), &entries);
            drop(edit.unwrap());
        }
    }
}

/// Systems with a check each, in these states; Missing is one that nobody looks at.
fn world(links: &[Link], states: &[Severity], operator: Operator) -> Workspace {
    let mut workspace = Workspace::new();
    for n in 0..SYSTEMS {
        workspace.open_space(space(n));
        workspace.open_space(space(agent(n)));
    }
    for (n, state) in (0..SYSTEMS).zip(states) {
        let edit = workspace.edit_system(space(n), &chain(WRITER), at(0), |edit| {
            edit.title(&format!("s{n}"))?;
            edit.aggregation(operator)?;
            for (_, to, relation, warning) in links.iter().filter(|(from, ..)| *from == n) {
                let overrides = Override {
                    warning: *warning,
                    ..Override::NONE
                };
                let relation = *relation;
                let part = Part {
                    relation,
                    overrides,
                    ..Part::default()
                };
                edit.put_part(space(*to), &part)?;
            }
            if *state == Severity::Missing {
                return Ok(());
            }
            edit.put_check(&check(n))?;
            edit.put_agent(space(agent(n)), &AgentRef::default())
        });
        drop(edit.unwrap());
        if *state != Severity::Missing {
            told(&mut workspace, n, &[(i64::from(n) + 1, *state)]);
        }
    }
    workspace
}

fn alert_of(snapshot: &Snapshot, n: u8) -> &Alert {
    let alerts = &snapshot.system(&space(n)).unwrap().alerts;
    assert_eq!(alerts.len(), 1);
    &alerts[0]
}

fn way(alert: &Alert) -> Option<Vec<u8>> {
    alert.holds.iter().find_map(|hold| match hold {
        Hold::Inhibited { path, .. } => Some(path.iter().map(|it| it.as_bytes()[0]).collect()),
        Hold::Silence { .. } | Hold::Maintenance { .. } => None,
    })
}

#[test]
fn what_uses_something_broken_is_not_told_of_and_that_is() {
    use Relation::{Part, Uses};
    use Severity::{Critical, Ok, Warning};
    let links = [(0, 1, Uses, None), (1, 2, Part, None), (2, 3, Uses, None)];
    let states = [Warning, Ok, Critical, Critical, Ok, Ok, Ok];
    let view = world(&links, &states, Operator::Worst).view(at(NOW));
    // The switch is told of; the disk that needs it, and what needs the disk's store, are not.
    assert_eq!(way(alert_of(&view, 3)), None);
    assert_eq!(way(alert_of(&view, 2)), Some(vec![2, 3]));
    assert_eq!(way(alert_of(&view, 0)), Some(vec![0, 1, 2, 3]));
    assert!(!alert_of(&view, 0).may_notify() && alert_of(&view, 3).may_notify());
    assert!(
        alert_of(&view, 0).needs_attention(),
        "in worklists it stays"
    );
}

#[test]
fn it_goes_only_through_what_is_broken_itself() {
    use Relation::Uses;
    use Severity::{Critical, Missing, Ok, Unknown, Warning};
    let links = [(0, 1, Uses, None), (1, 2, Uses, None)];
    for between in [Ok, Warning, Unknown, Missing] {
        let states = [Critical, between, Critical, Ok, Ok, Ok, Ok];
        let view = world(&links, &states, Operator::Worst).view(at(NOW));
        assert_eq!(way(alert_of(&view, 0)), None, "{between}");
    }
    let states = [Critical, Warning, Ok, Ok, Ok, Ok, Ok];
    let as_critical = [(0, 1, Uses, Some(Critical))];
    let view = world(&as_critical, &states, Operator::Worst).view(at(NOW));
    assert_eq!(
        way(alert_of(&view, 0)),
        Some(vec![0, 1]),
        "a warning there is critical here"
    );
}

#[test]
fn of_a_circle_everybody_is_told() {
    use Relation::{Part, Uses};
    use Severity::{Critical, Ok};
    let states = [Critical, Critical, Critical, Ok, Ok, Ok, Ok];
    for back in [Uses, Part] {
        let links = [(0, 1, Uses, None), (1, 2, Uses, None), (2, 0, back, None)];
        let view = world(&links, &states, Operator::Worst).view(at(NOW));
        assert!(view.alerts.iter().all(|alert| alert.may_notify()));
    }
}

#[test]
fn the_end_of_a_problem_is_never_suppressed() {
    use Relation::Uses;
    use Severity::{Critical, Ok};
    let states = [Critical, Critical, Ok, Ok, Ok, Ok, Ok];
    let mut workspace = world(&[(0, 1, Uses, None)], &states, Operator::Worst);
    assert!(way(alert_of(&workspace.view(at(NOW)), 0)).is_some());
    told(&mut workspace, 0, &[(1, Critical), (50, Ok)]);
    let view = workspace.view(at(NOW));
    let over = alert_of(&view, 0);
    assert_eq!((over.state, over.holds.len()), (AlertState::Resolved, 0));
}

fn links() -> impl Strategy<Value = Vec<Link>> {
    let relation = prop_oneof![2 => Just(Relation::Uses), 1 => Just(Relation::Part)];
    let warning = proptest::option::weighted(0.2, Just(Severity::Critical));
    let link = (0..SYSTEMS, 0..SYSTEMS, relation, warning);
    proptest::collection::vec(link, 0..14).prop_map(|links| {
        let mut seen = BTreeSet::new();
        let links = links.into_iter();
        links
            .filter(|(from, to, ..)| from != to && seen.insert((*from, *to)))
            .collect()
    })
}

fn states() -> impl Strategy<Value = Vec<Severity>> {
    let state = prop_oneof![
        2 => Just(Severity::Ok),
        1 => Just(Severity::Missing),
        1 => Just(Severity::Warning),
        1 => Just(Severity::Unknown),
        4 => Just(Severity::Critical),
    ];
    proptest::collection::vec(state, usize::from(SYSTEMS))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn it_changes_nothing_but_the_telling(links in links(), states in states()) {
        let view = world(&links, &states, Operator::Worst).view(at(NOW));
        let parts: Vec<_> = links.iter().copied().filter(|l| l.2 == Relation::Part).collect();
        let without = world(&parts, &states, Operator::Worst).view(at(NOW));
        prop_assert_eq!(view.alerts.len(), without.alerts.len());
        for (with, without) in view.alerts.iter().zip(without.alerts.iter()) {
            let alone = Alert {
                holds: Vec::new(),
                concerns: Arc::clone(&without.concerns),
                ..Alert::clone(with)
            };
            prop_assert_eq!(&alone, without.as_ref());
        }
        for (with, without) in view.systems.iter().zip(&without.systems) {
            prop_assert_eq!(with.status.raw, without.status.raw);
            prop_assert_eq!(with.status.effective, without.status.effective);
        }
    }

    #[test]
    fn each_step_is_through_something_broken_and_leads_to_one_that_is_told(
        links in links(),
        states in states(),
    ) {
        let view = world(&links, &states, Operator::Worst).view(at(NOW));
        for alert in &view.alerts {
            let Some(Hold::Inhibited { path, by }) = alert.holds.first() else {
                continue;
            };
            prop_assert_eq!(path.first(), Some(&alert.system));
            let end = view.alert(by).unwrap();
            prop_assert_eq!(path.last(), Some(&end.system));
            prop_assert!(end.may_notify(), "nobody would be told");
            for step in path.windows(2) {
                let edge = view.graph.edges(&step[0]).find(|edge| edge.part == step[1]);
                let edge = edge.unwrap();
                let part = view.system(&step[0]).unwrap();
                let part = part.parts.iter().find(|part| part.space == step[1]).unwrap();
                match edge.relation {
                    Relation::Uses => prop_assert_eq!(part.raw, Some(Severity::Critical)),
                    Relation::Part => prop_assert!(part.raw > Some(Severity::Missing)),
                }
            }
        }
    }
}

#[test]
fn the_way_ends_at_the_problem_that_makes_it_so_bad_and_at_no_other() {
    use Relation::{Part, Uses};
    use Severity::{Critical, Ok, Warning};
    // The store warns by itself, and is critical by its disk.
    let links = [(0, 1, Uses, None), (1, 2, Part, None)];
    let states = [Critical, Warning, Critical, Ok, Ok, Ok, Ok];
    let view = world(&links, &states, Operator::Worst).view(at(NOW));
    assert_eq!(way(alert_of(&view, 0)), Some(vec![0, 1, 2]));
}

#[test]
fn that_nobody_looks_at_what_is_used_is_no_problem_of_it() {
    use Severity::{Critical, Missing};
    let states = [
        Critical,
        Severity::Ok,
        Missing,
        Missing,
        Missing,
        Missing,
        Missing,
    ];
    let mut workspace = world(&[], &states, Operator::Worst);
    let used = Part {
        relation: Relation::Uses,
        overrides: Override {
            missing: Some(Critical),
            ..Override::NONE
        },
        ..Part::default()
    };
    let edit = workspace.edit_system(space(0), &chain(WRITER), at(0), |edit| {
        edit.put_part(space(1), &used)
    });
    drop(edit.unwrap());
    workspace.hears(space(agent(1)), true, at(10));
    let view = workspace.view(at(1_000));
    let below = view.system(&space(1)).unwrap();
    assert_eq!(below.status.raw, Missing);
    assert_eq!(below.alerts.len(), 1, "that its agent is not heard");
    assert_eq!(way(alert_of(&view, 0)), None);
}
