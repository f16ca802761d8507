//! Every rule of how states come about and are summed up, by itself.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

#[path = "common/names.rs"]
mod common;

use std::collections::BTreeMap;

use aramaki_model::alert::{Alert, AlertState};
use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::entry::{Acknowledgement, AgentStarted, Claim};
use aramaki_model::flapping::{Flapping, FlappingLimits, STATES};
use aramaki_model::graph::{Edge, Graph};
use aramaki_model::maintenance::request::Window;
use aramaki_model::rollup::{Override, roll_up};
use aramaki_model::root_cause::{Leaf, RootCause, root_causes};
use aramaki_model::snapshot::{Access, TimelineEvent};
use aramaki_model::status::Handled;
use aramaki_model::system::{AgentRef, Part};
use aramaki_model::{
    AlertKind, Check, CheckId, CheckState, EntryId, ItemId, JournalEntry, Maintenance, Observation,
    Operator, Presence, Relation, Severity, Silence, TimelineEntry, Workspace,
};
use aramaki_sync_core::SpaceId;
use common::{at, chain, space};

use Severity::{Critical, Missing, Ok, Unknown, Warning};

const ALICE: u8 = 11;

fn edge(part: u8, relation: Relation, overrides: Override) -> Edge {
    Edge {
        part: space(part),
        label: String::new(),
        relation,
        overrides,
        weight: 1,
    }
}

fn part(n: u8) -> Edge {
    edge(n, Relation::Part, Override::NONE)
}

fn states(own: &[(u8, Severity)]) -> BTreeMap<SpaceId, Severity> {
    own.iter().map(|(n, state)| (space(*n), *state)).collect()
}

#[test]
fn an_edge_says_how_a_state_there_is_taken_here() {
    let strict = Override {
        warning: Some(Critical),
        ..Override::NONE
    };
    let mut graph = Graph::default();
    graph.add(
        space(1),
        Operator::Worst,
        vec![edge(2, Relation::Part, strict)],
    );
    graph.add(space(2), Operator::Worst, Vec::new());
    let rolled = roll_up(&graph, &states(&[(2, Warning)]));
    assert_eq!(
        rolled.of(&graph, &space(1)),
        Some(Critical),
        "a warning there is critical here"
    );
    assert_eq!(rolled.of(&graph, &space(2)), Some(Warning));
    let lenient = Override::at_most(Warning);
    graph.add(
        space(1),
        Operator::Worst,
        vec![edge(2, Relation::Part, lenient)],
    );
    let rolled = roll_up(&graph, &states(&[(2, Critical)]));
    assert_eq!(rolled.of(&graph, &space(1)), Some(Warning));
}

#[test]
fn a_circle_never_makes_itself_look_good_and_nothing_counts_for_itself() {
    let mut graph = Graph::default();
    graph.add(space(1), Operator::Worst, vec![part(2)]);
    graph.add(space(2), Operator::Best, vec![part(1), part(3)]);
    graph.add(space(3), Operator::Worst, Vec::new());
    let rolled = roll_up(&graph, &states(&[(1, Ok), (3, Critical)]));
    assert_eq!(rolled.of(&graph, &space(2)), Some(Critical));
    assert_eq!(
        rolled.of(&graph, &space(1)),
        Some(Critical),
        "and bad news reaches all of it"
    );
    // A System that lists itself is what its parts make of it.
    let mut graph = Graph::default();
    graph.add(space(1), Operator::AtLeast(2), vec![part(1), part(2)]);
    graph.add(space(2), Operator::Worst, Vec::new());
    let rolled = roll_up(&graph, &states(&[(1, Ok), (2, Ok)]));
    assert_eq!(
        rolled.of(&graph, &space(1)),
        Some(Missing),
        "one of two is there"
    );
}

#[test]
fn the_way_to_what_is_wrong_ends_where_nothing_below_is_worse() {
    let mut graph = Graph::default();
    graph.add(space(1), Operator::Worst, vec![part(2)]);
    graph.add(space(2), Operator::Worst, vec![part(3)]);
    graph.add(space(3), Operator::Worst, Vec::new());
    let own = states(&[(2, Critical), (3, Critical)]);
    let rolled = roll_up(&graph, &own);
    let way = rolled.worst_path(&graph, &own, space(1));
    assert_eq!(way, [space(1), space(2)]);
}

#[test]
fn what_is_used_is_no_part_and_what_was_taken_away_is_forgotten() {
    let mut graph = Graph::default();
    let used = edge(3, Relation::Uses, Override::NONE);
    graph.add(space(1), Operator::Worst, vec![part(2), used]);
    for n in [2, 3] {
        graph.add(space(n), Operator::Worst, Vec::new());
    }
    assert_eq!(graph.parts_below(space(1)), [space(2)]);
    assert_eq!(graph.below(space(1)), [space(2), space(3)]);
    graph.add(space(1), Operator::Worst, vec![part(3)]);
    assert_eq!(
        graph.aggregates(&space(2)).count(),
        0,
        "it lists another now"
    );
    assert!(graph.tops().contains(&space(2)));
    graph.remove(&space(1));
    assert_eq!(graph.aggregates(&space(3)).count(), 0);
}

fn check(n: u8) -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    Check {
        ttl_ms: Some(10 * 60_000),
        interval_ms: 60_000,
        ..Check::new(CheckId::from_bytes([n; 16]), format!("check{n}"), kind)
    }
}

#[test]
fn a_state_of_which_little_is_known_does_not_flap() {
    let mut flapping = Flapping::default();
    let restless = (0..STATES - 1).map(|n| [Ok, Critical][n % 2]);
    for state in restless {
        assert!(!flapping.observe(state, FlappingLimits::default()));
    }
}

#[test]
fn attempts_are_counted_from_the_last_ok() {
    let check = Check {
        attempts: 3,
        ..check(1)
    };
    let mut state = CheckState::new(check.id);
    let mut observe = |seconds: i64, severity| {
        let said = Observation::of_builtin(check.id, at(seconds), severity, "said");
        state.observe(&check, &said);
        (
            state.hard,
            state.attempt,
            state.last_ok,
            state.next_interval_ms(&check),
        )
    };
    let (usual, soon) = (check.interval_ms, check.retry_interval_ms);
    assert_ne!(usual, soon);
    assert_eq!(observe(0, Ok), (Ok, 0, Some(at(0)), usual));
    assert_eq!(observe(1, Critical), (Ok, 1, Some(at(0)), soon));
    assert_eq!(observe(2, Critical), (Ok, 2, Some(at(0)), soon));
    assert_eq!(observe(3, Ok), (Ok, 0, Some(at(3)), usual));
    assert_eq!(observe(4, Critical), (Ok, 1, Some(at(3)), soon), "anew");
    observe(5, Critical);
    assert_eq!(
        observe(6, Critical),
        (Critical, 3, Some(at(3)), usual),
        "it counts now"
    );
    let hasty = Check {
        interval_ms: 1,
        ..check.clone()
    };
    assert_eq!(CheckState::new(check.id).next_interval_ms(&hasty), 1_000);
}

#[test]
fn windows_are_over_open_or_to_come_by_the_clock_alone() {
    let once = Maintenance {
        from: at(100),
        until: at(200),
        ..Maintenance::default()
    };
    assert_eq!(
        [99, 150, 200].map(|now| once.ended(at(now))),
        [None, None, Some(at(200))]
    );
    let upside_down = Maintenance {
        until: at(50),
        ..once.clone()
    };
    assert_eq!(upside_down.ended(at(300)), None, "it never was");
    let day = 86_400;
    let daily = Maintenance {
        every_days: Some(1),
        ..once.clone()
    };
    assert!(!daily.covers(at(150 - day)), "not before the first");
    assert!(daily.covers(at(150 + day)));
    let endless = Maintenance {
        until: at(100 + 3 * day),
        ..daily
    };
    let (begin, end) = endless.next_window(at(150)).unwrap();
    assert_eq!(
        (begin, end),
        (at(100), at(100 + day)),
        "no longer than until the next"
    );
    let window = |begin: i64, end: i64| Window {
        begin: at(begin),
        end: at(end),
    };
    for (other, is_both) in [
        ((0, 100), false),
        ((200, 300), false),
        ((199, 300), true),
        ((0, 101), true),
    ] {
        let other = window(other.0, other.1);
        assert_eq!(window(100, 200).overlaps(&other), is_both, "{other:?}");
    }
}

/// Systems that each have a check and an agent of their own, linked as one wants.
struct World(Workspace);

fn agent(n: u8) -> u8 {
    n + 100
}

impl World {
    fn new(systems: &[u8]) -> Self {
        let mut world = Self(Workspace::new());
        for n in systems {
            world.0.open_space(space(*n));
            world.0.open_space(space(agent(*n)));
            world.edit(*n, |edit| {
                edit.title(&format!("s{n}"))?;
                edit.put_check(&check(*n))?;
                let link = AgentRef {
                    label: String::new(),
                    author: Some(chain(agent(*n)).author),
                };
                edit.put_agent(space(agent(*n)), &link)
            });
            let started = AgentStarted {
                at: at(1),
                host: format!("host{n}"),
                version: String::new(),
            };
            world.journal(*n, 1, JournalEntry::Started(started));
        }
        world
    }

    fn edit(
        &mut self,
        n: u8,
        edit: impl FnOnce(
            &mut aramaki_model::SystemEdit<'_, '_>,
        ) -> Result<(), aramaki_model::EditError>,
    ) {
        drop(
            self.0
                .edit_system(space(n), &chain(ALICE), at(0), edit)
                .unwrap(),
        );
    }

    fn link(&mut self, from: u8, to: u8, relation: Relation, overrides: Override) {
        let listed = Part {
            relation,
            overrides,
            ..Part::default()
        };
        self.edit(from, |edit| edit.put_part(space(to), &listed));
    }

    fn journal(&mut self, n: u8, seconds: i64, said: JournalEntry) {
        let entries = [(EntryId::new(at(seconds), [n; 10]), said)];
        let chain = chain(agent(n));
        drop(
            self.0
                .append_journal(space(agent(n)), &chain, at(seconds), &entries)
                .unwrap(),
        );
    }

    fn told(&mut self, n: u8, results: &[(i64, Severity)]) {
        self.told_by(&check(n), n, results);
    }

    fn told_by(&mut self, check: &Check, n: u8, results: &[(i64, Severity)]) {
        let mut state = CheckState::new(check.id);
        for (seconds, severity) in results {
            let said = Observation::of_builtin(check.id, at(*seconds), *severity, severity.word());
            if let Some(transition) = state.observe(check, &said) {
                self.journal(n, *seconds, JournalEntry::Transition(transition));
            }
        }
    }

    fn say(&mut self, n: u8, seconds: i64, said: TimelineEntry) {
        let entries = [(EntryId::new(at(seconds), [ALICE; 10]), said)];
        drop(
            self.0
                .append_timeline(space(n), &chain(ALICE), at(seconds), &entries)
                .unwrap(),
        );
    }

    fn alert(&self, n: u8, seconds: i64) -> Option<Alert> {
        let view = self.0.view(at(seconds));
        let alerts = view.alerts.iter().filter(|it| it.system == space(n));
        alerts.map(|it| Alert::clone(it)).next()
    }

    fn raw(&self, n: u8, seconds: i64) -> (Severity, Option<Severity>) {
        let view = self.0.view(at(seconds));
        let status = &view.system(&space(n)).unwrap().status;
        (status.raw, status.own)
    }

    fn is_inhibited(&self, n: u8, seconds: i64) -> bool {
        self.alert(n, seconds).unwrap().inhibited_by().is_some()
    }
}

#[test]
fn a_problem_of_what_is_used_suppresses_while_it_is_open_and_as_bad_as_it_is_taken() {
    let mut world = World::new(&[1, 2]);
    world.link(1, 2, Relation::Uses, Override::NONE);
    world.told(1, &[(10, Ok), (50, Critical)]);
    world.told(2, &[(10, Ok), (20, Critical)]);
    assert!(world.is_inhibited(1, 60));
    // As it is taken here it is no more than a warning.
    world.link(1, 2, Relation::Uses, Override::at_most(Warning));
    assert!(!world.is_inhibited(1, 60));
    // What is used is broken by its part: the alert there counts, through what lies between.
    let mut world = World::new(&[1, 2, 3]);
    world.link(1, 2, Relation::Uses, Override::NONE);
    let strict = Override {
        warning: Some(Critical),
        ..Override::NONE
    };
    world.link(2, 3, Relation::Part, strict);
    world.told(1, &[(10, Ok), (50, Critical)]);
    world.told(2, &[(10, Ok), (20, Critical), (30, Ok)]);
    world.told(3, &[(10, Ok), (20, Warning)]);
    let way = |world: &World| {
        let alert = world.alert(1, 60).unwrap();
        let by = alert.inhibited_by();
        by.map(|by| {
            let view = world.0.view(at(60));
            view.alert(&by).unwrap().system
        })
    };
    assert_eq!(
        way(&world),
        Some(space(3)),
        "not that which is over in the System between"
    );
    world.link(2, 3, Relation::Part, Override::NONE);
    assert_eq!(way(&world), None, "a warning breaks nothing");
}

#[test]
fn what_was_said_of_a_problem_holds_no_longer_than_it() {
    let mut world = World::new(&[1]);
    world.told(1, &[(10, Ok), (20, Critical)]);
    let known = Acknowledgement {
        at: at(30),
        check: Some(check(1).id),
        ..Acknowledgement::default()
    };
    let claim = Claim {
        at: at(31),
        check: Some(check(1).id),
        until: at(10_000),
        ..Claim::default()
    };
    world.say(1, 30, TimelineEntry::Acknowledgement(known));
    world.say(1, 31, TimelineEntry::Claim(claim));
    let silence = Silence {
        from: at(32),
        until: at(10_000),
        ..Silence::default()
    };
    world.edit(1, |edit| {
        edit.put_silence(ItemId::from_bytes([1; 16]), &silence)
    });
    let held = |alert: &Alert| {
        let known = alert.acknowledgements[0].holds;
        (known, alert.claimed_by().count(), alert.holds.len())
    };
    let open = world.alert(1, 40).unwrap();
    assert_eq!(
        (open.state, held(&open)),
        (AlertState::Acknowledged, (true, 1, 1))
    );
    world.told(1, &[(45, Critical), (50, Ok)]);
    let over = world.alert(1, 60).unwrap();
    assert_eq!(
        (over.state, held(&over)),
        (AlertState::Resolved, (false, 0, 0))
    );
}

#[test]
fn what_is_turned_off_does_not_count_and_its_agent_is_missed_all_the_same() {
    let mut world = World::new(&[1]);
    world.told(1, &[(10, Critical)]);
    assert_eq!(world.raw(1, 20), (Critical, Some(Critical)));
    let off = Check {
        enabled: false,
        ..check(1)
    };
    world.edit(1, |edit| edit.put_check(&off));
    assert_eq!(world.raw(1, 20).1, None);
    world.0.hears(space(agent(1)), true, at(20));
    let kinds = |world: &World| -> Vec<AlertKind> {
        let view = world.0.view(at(1_000));
        view.alerts.iter().map(|alert| alert.kind).collect()
    };
    let agent = space(agent(1));
    assert_eq!(kinds(&world), [AlertKind::Silent { agent }]);
    // A machine that only runs actions has no checks at all.
    world.edit(1, |edit| edit.remove_check(check(1).id));
    assert!(kinds(&world).contains(&AlertKind::Silent { agent }));
    let away = Presence::MayBeOffline;
    world.edit(1, |edit| edit.put_presence(Some(agent), away));
    assert!(!kinds(&world).contains(&AlertKind::Silent { agent }));
}

#[test]
fn only_a_machine_that_may_be_away_is_offline_when_it_is() {
    let mut world = World::new(&[1]);
    world.told(1, &[(10, Ok)]);
    world.0.hears(space(agent(1)), true, at(20));
    let handled = |world: &World, seconds: i64| {
        let view = world.0.view(at(seconds));
        let system = view.system(&space(1)).unwrap();
        (
            system.checks[0].status.handled,
            system.agents[0].is_offline(),
        )
    };
    assert_eq!(handled(&world, 1_000), (None, false));
    world.edit(1, |edit| edit.put_presence(None, Presence::MayBeOffline));
    assert_eq!(handled(&world, 1_000), (Some(Handled::Offline), true));
    assert_eq!(handled(&world, 30), (None, false), "it is here");
}

#[test]
fn of_several_that_look_the_worst_of_what_they_see_counts() {
    let mut world = World::new(&[1]);
    let other = 77;
    world.0.open_space(space(agent(other)));
    let link = AgentRef {
        label: String::new(),
        author: Some(chain(agent(other)).author),
    };
    world.edit(1, |edit| edit.put_agent(space(agent(other)), &link));
    world.told_by(&check(1), 1, &[(10, Ok), (20, Critical)]);
    world.told_by(&check(1), other, &[(15, Ok)]);
    assert_eq!(world.raw(1, 30).0, Critical);
    world.told_by(&check(1), other, &[(40, Warning)]);
    assert_eq!(world.raw(1, 50).0, Critical);
    world.told_by(&check(1), 1, &[(60, Ok)]);
    assert_eq!(world.raw(1, 70).0, Warning);
}

#[test]
fn an_alert_knows_its_worst_and_counts_from_its_attempts() {
    let mut world = World::new(&[1]);
    let patient = Check {
        attempts: 3,
        ..check(1)
    };
    world.edit(1, |edit| edit.put_check(&patient));
    let soft = [(0, Ok), (60, Warning), (120, Warning), (180, Warning)];
    world.told_by(&patient, 1, &soft);
    let open = world.alert(1, 190).unwrap();
    assert_eq!(
        (open.opened, open.occurrences),
        (at(180), 3),
        "with those before it counted"
    );
    world.told_by(&check(1), 1, &[(240, Critical), (299, Warning)]);
    let open = world.alert(1, 300).unwrap();
    assert_eq!((open.severity, open.worst), (Warning, Critical));
    // On the timeline stands what counts.
    let view = world.0.view(at(300));
    let timeline = &view.system(&space(1)).unwrap().timeline;
    let counted = timeline
        .iter()
        .filter(|it| matches!(it.event, TimelineEvent::Transition { .. }));
    assert_eq!(counted.count(), 4, "and nothing soft");
}

#[test]
fn a_clock_that_is_put_back_reorders_nothing_within_a_journal() {
    let mut world = World::new(&[1]);
    world.told(1, &[(10, Ok), (100, Critical)]);
    let mut state = CheckState::new(check(1).id);
    for (seconds, severity) in [(0, Critical), (50, Ok)] {
        let said = Observation::of_builtin(check(1).id, at(seconds), severity, "said");
        if let Some(transition) = state.observe(&check(1), &said)
            && severity == Ok
        {
            // Written after the others, by a clock that shows an earlier time.
            let entries = [(
                EntryId::new(at(200), [1; 10]),
                JournalEntry::Transition(transition),
            )];
            let chain = chain(agent(1));
            let edit = self_journal(&mut world, &chain, &entries);
            drop(edit);
        }
    }
    let over = world.alert(1, 300).unwrap();
    assert_eq!(over.state, AlertState::Resolved);
}

fn self_journal(
    world: &mut World,
    chain: &aramaki_sync_core::Chain,
    entries: &[(EntryId, JournalEntry)],
) -> aramaki_model::Edit {
    let space = space(agent(1));
    world
        .0
        .append_journal(space, chain, at(200), entries)
        .unwrap()
}

#[test]
fn reasons_are_only_what_makes_it_as_bad_as_it_is_the_worst_and_oldest_first() {
    let mut world = World::new(&[1, 2, 3]);
    world.link(1, 2, Relation::Part, Override::NONE);
    world.link(1, 3, Relation::Part, Override::NONE);
    let off = Check {
        enabled: false,
        ..check(42)
    };
    world.edit(1, |edit| edit.put_check(&off));
    world.told_by(&off, 1, &[(5, Critical)]);
    world.told(1, &[(10, Warning)]);
    world.told(2, &[(10, Ok), (40, Critical)]);
    world.told(3, &[(10, Ok), (30, Critical)]);
    let causes = |world: &World, seconds: i64| -> Vec<String> {
        let view = world.0.view(at(seconds));
        root_causes(&view, space(1))
            .iter()
            .map(RootCause::words)
            .collect()
    };
    assert_eq!(
        causes(&world, 50),
        ["s1 → s3: check3: critical", "s1 → s2: check2: critical"],
        "not its own warning, nor what is turned off"
    );
    world.told(2, &[(60, Critical), (70, Ok)]);
    world.told(3, &[(60, Critical), (70, Ok)]);
    assert_eq!(causes(&world, 80), ["s1: check1: warning"]);
    world.told(1, &[(90, Warning), (95, Ok)]);
    assert_eq!(causes(&world, 100), Vec::<String>::new());
    // Unknown is worse than a warning; what cannot be read here is named as that.
    world.link(1, 9, Relation::Part, Override::NONE);
    let view = world.0.view(at(110));
    let system = view.system(&space(1)).unwrap();
    assert!(system.parts.iter().any(|it| it.access == Access::NotShared));
    let causes = root_causes(&view, space(1));
    assert_eq!((causes.len(), &causes[0].leaf), (1, &Leaf::NotShared));
    assert!(view.system(&space(9)).is_none());
    world.told(2, &[(120, Ok), (130, Unknown)]);
    let view = world.0.view(at(140));
    let causes = root_causes(&view, space(1));
    assert_eq!(causes.len(), 1);
    assert_eq!(causes[0].severity, Unknown);
}

#[test]
fn of_reasons_the_worst_comes_first_though_another_is_older_and_nothing_is_none() {
    let mut world = World::new(&[1, 2]);
    world.link(1, 2, Relation::Part, Override::at_most(Warning));
    world.told(1, &[(10, Warning)]);
    world.told(2, &[(10, Ok), (40, Critical)]);
    let causes = |n: u8| -> Vec<String> {
        let causes = root_causes(&world.0.view(at(50)), space(n));
        causes.iter().map(RootCause::words).collect()
    };
    assert_eq!(
        causes(1),
        ["s1 → s2: check2: critical", "s1: check1: warning"]
    );
    // Nobody looks at the third, and nothing is its part.
    let mut world = world;
    world.0.open_space(space(3));
    world.edit(3, |edit| edit.title("s3"));
    assert_eq!(root_causes(&world.0.view(at(50)), space(3)), []);
}
