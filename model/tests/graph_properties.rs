//! Properties of graphs and summaries: walks end, worse news never improves anything.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::graph::Edge;
use aramaki_model::rollup::roll_up;
use aramaki_model::{Graph, Operator, Override, Relation, Severity};
use aramaki_sync_core::SpaceId;
use proptest::prelude::*;

fn space(n: usize) -> SpaceId {
    SpaceId::from_bytes([u8::try_from(n).unwrap(); 32])
}

fn severity() -> impl Strategy<Value = Severity> {
    (0..5_u8).prop_map(Severity::from_concern)
}

fn operator() -> impl Strategy<Value = Operator> {
    prop_oneof![
        Just(Operator::Worst),
        Just(Operator::Best),
        (0..5_u32).prop_map(Operator::AtLeast),
        (0..=100_u8).prop_map(Operator::Percent),
        Just(Operator::Degraded),
    ]
}

/// Also the one for which worse can be better: a second one that is OK is one too many.
fn any_operator() -> impl Strategy<Value = Operator> {
    prop_oneof![4 => operator(), 1 => Just(Operator::Xor)]
}

fn overrides() -> impl Strategy<Value = Override> {
    let rule = || proptest::option::weighted(0.2, severity());
    (rule(), rule(), rule(), rule()).prop_map(|(missing, warning, unknown, critical)| Override {
        missing,
        warning,
        unknown,
        critical,
    })
}

/// Any graph of up to twelve Systems: circles, edges to itself, parts that are not known.
fn graph() -> impl Strategy<Value = Graph> {
    graph_of(operator())
}

fn graph_of(operator: impl Strategy<Value = Operator>) -> impl Strategy<Value = Graph> {
    let edge = (
        0..16_usize,
        overrides(),
        proptest::bool::weighted(0.8),
        0..5_u32,
    );
    let system = (operator, proptest::collection::vec(edge, 0..5));
    proptest::collection::vec(system, 1..12).prop_map(|systems| {
        let mut graph = Graph::default();
        for (n, (operator, edges)) in systems.into_iter().enumerate() {
            let edges = edges
                .into_iter()
                .map(|(part, overrides, counts, weight)| Edge {
                    part: space(part),
                    label: String::new(),
                    relation: if counts {
                        Relation::Part
                    } else {
                        Relation::Uses
                    },
                    overrides,
                    weight,
                });
            graph.add(space(n), operator, edges.collect());
        }
        graph
    })
}

fn own() -> impl Strategy<Value = BTreeMap<usize, Severity>> {
    proptest::collection::btree_map(0..12_usize, severity(), 0..12)
}

fn by_space(own: &BTreeMap<usize, Severity>) -> BTreeMap<SpaceId, Severity> {
    own.iter()
        .map(|(n, severity)| (space(*n), *severity))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn every_walk_ends_and_visits_once(graph in graph_of(any_operator()), own in own(), from in 0..12_usize) {
        let own = by_space(&own);
        let from = space(from);
        let below = graph.below(from);
        prop_assert_eq!(below.iter().collect::<BTreeSet<_>>().len(), below.len());
        let concerned = graph.concerned(from);
        let unique: BTreeSet<_> = concerned.iter().map(|c| c.system).collect();
        prop_assert_eq!(unique.len(), concerned.len());
        for concerned in &concerned {
            prop_assert_eq!(concerned.path.first(), Some(&concerned.system));
            prop_assert_eq!(concerned.path.last(), Some(&from));
        }
        let rolled = roll_up(&graph, &own);
        let path = rolled.worst_path(&graph, &own, from);
        prop_assert_eq!(path.iter().collect::<BTreeSet<_>>().len(), path.len());
        let circles: Vec<_> = graph.circles().into_iter().flatten().collect();
        prop_assert_eq!(circles.len(), graph.systems().count());
    }

    #[test]
    fn a_problem_concerns_exactly_the_systems_that_reach_it(graph in graph(), at in 0..16_usize) {
        let at = space(at);
        let concerned: BTreeSet<_> = graph.concerned(at).iter().map(|c| c.system).collect();
        for system in graph.systems() {
            let reaches = system == at || graph.below(system).contains(&at);
            prop_assert_eq!(concerned.contains(&system), reaches);
        }
    }

    #[test]
    fn worse_news_never_improves_a_summary(
        graph in graph(),
        own in own(),
        chosen in 0..12_usize,
        worse in severity(),
    ) {
        let Some(chosen) = own.keys().nth(chosen % own.len().max(1)).copied() else {
            return Ok(());
        };
        let before = roll_up(&graph, &by_space(&own));
        let mut later = own.clone();
        later.entry(chosen).and_modify(|severity| *severity = worse.max(*severity));
        let after = roll_up(&graph, &by_space(&later));
        for system in graph.systems() {
            prop_assert!(
                before.of(&graph, &system) <= after.of(&graph, &system),
                "{:?} got better", system
            );
        }
    }

    #[test]
    fn a_system_is_never_better_than_its_own_checks(graph in graph_of(any_operator()), own in own()) {
        let rolled = roll_up(&graph, &by_space(&own));
        for (n, severity) in own {
            if graph.is_known(&space(n)) {
                prop_assert!(rolled.of(&graph, &space(n)) >= Some(severity));
            }
        }
    }

    #[test]
    fn exactly_one_is_ok_only_when_one_is_and_nothing_is_missing(
        mut states in proptest::collection::vec(severity(), 1..8),
    ) {
        let sum = Operator::Xor.combine(&states);
        let ok = states.iter().filter(|state| state.is_ok()).count();
        let is_known = !states.contains(&Severity::Missing);
        prop_assert_eq!(sum == Some(Severity::Ok), ok == 1 && is_known);
        states.reverse();
        prop_assert_eq!(Operator::Xor.combine(&states), sum);
    }

    #[test]
    fn operators_do_not_depend_on_order_and_stay_between_best_and_worst(
        operator in operator(),
        mut states in proptest::collection::vec(severity(), 1..8),
    ) {
        let sum = operator.combine(&states);
        let best = states.iter().min().copied();
        // A warning at the most, and that it always is when all are worse.
        let best = best.map(|best| match operator {
            Operator::Degraded => best.min(Severity::Warning),
            _ => best,
        });
        prop_assert!(sum >= best);
        let worst = states.iter().max().copied().unwrap().max(Severity::Missing);
        prop_assert!(sum <= Some(worst));
        states.reverse();
        prop_assert_eq!(operator.combine(&states), sum);
    }
}
