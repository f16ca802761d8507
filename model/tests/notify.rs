//! Telling people of problems: one notifier, several, and some that cannot hear each other.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

#[path = "common/fact.rs"]
mod fact;
#[path = "common/receipt.rs"]
mod receipts;

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::alert::AlertId;
use aramaki_model::graph::{Edge, Graph, Relation};
use aramaki_model::notify::{
    Acknowledged, AlertFact, Facts, Held, Message, Muted, NotificationId, Notifier, Plan,
    PolicyFact, Receipt, Record, Recurrence, STANDBY_MS, Stage, State, Whose,
};
use aramaki_model::{Operator, Override, Policy, Severity};
use aramaki_sync_core::{SpaceId, Timestamp};
use fact::{alert, at, space};
use proptest::prelude::*;
use receipts::receipt;
use serde_json::json;

const WEBSHOP: u8 = 1;
const STORAGE: u8 = 2;

/// The webshop has storage and a frontend (5), storage has two disks (3 and 4).
fn graph() -> Graph {
    let mut graph = Graph::default();
    let lists: [(u8, &[u8]); 5] = [
        (WEBSHOP, &[STORAGE, 5]),
        (STORAGE, &[3, 4]),
        (3, &[]),
        (4, &[]),
        (5, &[]),
    ];
    for (system, parts) in lists {
        let edges = parts.iter().map(|part| Edge {
            part: space(*part),
            label: String::new(),
            relation: Relation::Part,
            overrides: Override::NONE,
            weight: 1,
        });
        graph.add(space(system), Operator::Worst, edges.collect());
    }
    graph
}

fn policy(value: serde_json::Value) -> Policy {
    let policy: Policy = serde_json::from_value(value).unwrap();
    policy.examine().unwrap();
    policy
}

fn usual() -> BTreeMap<SpaceId, Policy> {
    let storage = policy(json!({
        "receiver": {"ops": {"via": "mail", "to": "ops"}},
        "route": [{"then": [{"notify": ["ops"]}]}]
    }));
    let webshop = policy(json!({
        "receiver": {
            "ops": {"via": "mail", "to": "ops"},
            "shop": {"via": "chat"},
            "boss": {"via": "pager", "to": "boss"}
        },
        "route": [
            {"at_least": "critical", "then": [
                {"notify": ["shop", "ops"]},
                {"wait": "10m", "notify": ["boss"], "repeat": 2, "every": "5m"}
            ]},
            {"then": [{"notify": ["shop"]}]}
        ]
    }));
    BTreeMap::from([(space(WEBSHOP), webshop), (space(STORAGE), storage)])
}

/// A notifier with its own view of what was told.
struct One {
    rank: u8,
    notifier: Notifier,
    receipts: Vec<(SpaceId, Receipt, u8)>,
}

impl One {
    fn new(rank: u8) -> Self {
        Self {
            rank,
            notifier: Notifier::new(rank),
            receipts: Vec::new(),
        }
    }

    fn record(&self) -> Record {
        let mut record = Record::default();
        for (policy, receipt, rank) in &self.receipts {
            let whose = if *rank == self.rank {
                Whose::Own
            } else {
                Whose::Other
            };
            record.take(*policy, receipt, whose);
        }
        record
    }

    fn look(&mut self, world: &World, alerts: &[AlertFact], now: i64) -> Plan {
        let (record, busy) = (self.record(), BTreeSet::new());
        self.notifier.look(&Facts {
            now: at(now),
            graph: &world.graph,
            policies: world.facts(),
            alerts,
            record: &record,
            unsettled: world.unsettled.clone(),
            busy: &busy,
        })
    }

    /// Sends what is due, and remembers it as the timeline does.
    fn send(&mut self, world: &World, alerts: &[AlertFact], now: i64) -> Vec<Message> {
        let due = self.look(world, alerts, now).due;
        for message in &due {
            let receipt = Receipt {
                rank: self.rank,
                ..receipt(message, at(now))
            };
            self.receipts.push((message.policy, receipt, self.rank));
        }
        due
    }
}

struct World {
    graph: Graph,
    policies: BTreeMap<SpaceId, Policy>,
    overrides: BTreeMap<aramaki_model::ItemId, aramaki_model::notify::OnCallOverride>,
    unsettled: BTreeMap<SpaceId, Timestamp>,
}

impl World {
    fn new(policies: BTreeMap<SpaceId, Policy>) -> Self {
        Self {
            graph: graph(),
            policies,
            overrides: BTreeMap::new(),
            unsettled: BTreeMap::new(),
        }
    }

    fn facts(&self) -> BTreeMap<SpaceId, PolicyFact<'_>> {
        let fact = |(space, policy): (&SpaceId, _)| {
            let overrides = &self.overrides;
            (*space, PolicyFact { policy, overrides })
        };
        self.policies.iter().map(fact).collect()
    }
}

fn brief(messages: &[Message]) -> Vec<(String, usize)> {
    messages
        .iter()
        .map(|it| (it.target.to_string(), it.items.len()))
        .collect()
}

/// Runs one notifier second by second; says when it told whom, and how many things at once.
fn told(
    world: &World,
    one: &mut One,
    seconds: std::ops::Range<i64>,
    alerts: impl Fn(i64) -> Vec<AlertFact>,
) -> Vec<(i64, String, &'static str)> {
    let mut told = Vec::new();
    for now in seconds {
        for message in one.send(world, &alerts(now), now) {
            let state = message.items[0].state.word();
            told.push((now, message.target.to_string(), state));
        }
    }
    told
}

fn line(now: i64, target: &str, state: &'static str) -> (i64, String, &'static str) {
    (now, target.to_owned(), state)
}

#[test]
fn a_problem_waits_for_its_group_goes_up_and_reaches_each_once_then_its_end_reaches_the_same() {
    let world = World::new(usual());
    let mut one = One::new(0);
    let told = told(&world, &mut one, 0..1_000, |now| {
        let mut disk = alert(1, 3, Severity::Critical, 100);
        let mut other = alert(2, 4, Severity::Critical, 110);
        if now >= 300 {
            disk.resolved = Some(at(300));
            other.resolved = Some(at(300));
        }
        let all = [disk, other].into_iter();
        all.filter(|alert| alert.opened <= at(now)).collect()
    });
    // Ops subscribed to storage and to the webshop and hears once; the group's next message is
    // five minutes after its first, and the boss is not called because it was over.
    assert_eq!(
        told,
        [
            line(130, "chat", "critical"),
            line(130, "ops (mail)", "critical"),
            line(430, "chat", "resolved"),
            line(430, "ops (mail)", "resolved"),
        ]
    );
    let first = &one.receipts[0];
    assert_eq!(first.1.items.len(), 2);
    assert_eq!(first.1.group, space(STORAGE), "the nearest common System");
}

#[test]
fn the_next_step_comes_after_its_wait_again_as_often_as_it_says_and_ends_with_who_takes_it() {
    let world = World::new(usual());
    let mut one = One::new(0);
    let seen = told(&world, &mut one, 0..3_000, |_| {
        vec![alert(1, 5, Severity::Critical, 0)]
    });
    let boss: Vec<_> = seen
        .iter()
        .filter(|(_, who, _)| who == "boss (pager)")
        .map(|it| it.0)
        .collect();
    // Ten minutes after the first step went out at 30 s.
    assert_eq!(boss, [630, 930, 1_230]);

    let mut one = One::new(0);
    let seen = told(&world, &mut one, 0..3_000, |now| {
        let mut alert = alert(1, 5, Severity::Critical, 0);
        if now >= 200 {
            alert.acknowledged = Some(Acknowledged {
                at: at(200),
                by: "alice".to_owned(),
                text: String::new(),
            });
        }
        vec![alert]
    });
    assert_eq!(
        seen,
        [
            line(30, "chat", "critical"),
            line(30, "ops (mail)", "critical"),
            line(330, "chat", "acknowledged"),
            line(330, "ops (mail)", "acknowledged"),
        ]
    );
}

#[test]
fn worse_news_of_the_same_problem_is_news_and_an_open_one_is_told_again_after_hours() {
    let world = World::new(usual());
    let mut one = One::new(0);
    let seen = told(&world, &mut one, 0..20_000, |now| {
        let mut alert = alert(1, 5, Severity::Warning, 0);
        if now >= 1_000 {
            (alert.worst, alert.severity, alert.since) =
                (Severity::Critical, Severity::Critical, at(1_000));
        }
        if now >= 2_000 {
            alert.severity = Severity::Warning;
        }
        vec![alert]
    });
    let chat: Vec<_> = seen
        .iter()
        .filter(|(_, who, _)| who == "chat")
        .map(|it| (it.0, it.2))
        .collect();
    assert_eq!(
        chat,
        [(30, "warning"), (1_030, "critical"), (15_400, "critical")]
    );
}

#[test]
fn what_mutes_a_problem_never_mutes_its_end() {
    let world = World::new(usual());
    let mut one = One::new(0);
    for muted in [
        Muted::Silenced,
        Muted::Maintenance,
        Muted::Inhibited,
        Muted::Flapping,
    ] {
        let quiet = AlertFact {
            muted: Some(muted),
            ..alert(1, 3, Severity::Critical, 0)
        };
        let plan = one.look(&world, &[quiet], 600);
        assert_eq!(plan.due, []);
        assert!(plan.waiting.iter().all(|it| it.why == Held::Muted(muted)));
        assert_eq!(plan.next, None);
    }
    one.look(&world, &[alert(1, 3, Severity::Critical, 0)], 600);
    assert_eq!(
        one.send(&world, &[alert(1, 3, Severity::Critical, 0)], 700)
            .len(),
        2
    );
    let over = AlertFact {
        muted: Some(Muted::Silenced),
        resolved: Some(at(800)),
        ..alert(1, 3, Severity::Ok, 0)
    };
    assert_eq!(
        one.send(&world, std::slice::from_ref(&over), 1_100).len(),
        2
    );
    // The policy is gone and so is the way; the end still reaches whoever got the problem.
    let mut one = One::new(0);
    one.send(&world, &[alert(1, 3, Severity::Critical, 0)], 700);
    let mut bare = World::new(BTreeMap::new());
    bare.graph = Graph::default();
    assert_eq!(brief(&one.send(&bare, &[over], 1_100)).len(), 2);
}

#[test]
fn a_silence_with_its_subtree_is_quiet_there_and_above_and_not_below() {
    let world = World::new(usual());
    let quiet = |system| AlertFact {
        quiet: BTreeSet::from([space(system)]),
        ..alert(1, 3, Severity::Critical, 0)
    };
    let told = |alert| brief(&One::new(0).send(&world, &[alert], 600));
    assert_eq!(told(quiet(STORAGE)), []);
    assert_eq!(told(quiet(WEBSHOP)), [("ops (mail)".to_owned(), 1)]);
}

#[test]
fn what_is_not_heard_again_is_told_again_and_so_is_its_end() {
    let world = World::new(usual());
    let mut one = One::new(0);
    let seen = told(&world, &mut one, 0..4_000, |now| {
        let silent = |opened, over| AlertFact {
            recurrence: Recurrence::Possible,
            resolved: (now >= over).then_some(at(over)),
            ..alert(1, 3, Severity::Missing, opened)
        };
        vec![if now < 2_000 {
            silent(0, 1_000)
        } else {
            silent(2_000, 3_000)
        }]
    });
    let ops = seen.iter().filter(|(_, who, _)| who == "ops (mail)");
    let ops: Vec<_> = ops.map(|(at, _, state)| (*at, *state)).collect();
    assert_eq!(
        ops,
        [
            (30, "missing"),
            (1_030, "resolved"),
            (2_030, "missing"),
            (3_030, "resolved")
        ]
    );
}

#[test]
fn nothing_goes_out_before_silences_are_here() {
    let mut world = World::new(usual());
    world.unsettled.insert(space(3), at(700));
    let mut one = One::new(0);
    let plan = one.look(&world, &[alert(1, 3, Severity::Critical, 0)], 600);
    assert_eq!((plan.due.len(), plan.next), (0, Some(at(700))));
    assert!(
        plan.waiting
            .iter()
            .all(|it| it.why == Held::Unsettled || it.why == Held::Step)
    );
    world.unsettled.clear();
    assert_eq!(
        one.send(&world, &[alert(1, 3, Severity::Critical, 0)], 700)
            .len(),
        2
    );
}

#[test]
fn whoever_takes_over_hears_of_what_is_open_and_the_end_reaches_who_was_told() {
    let rota = policy(json!({
        "receiver": {
            "duty": {"on_call": "first"},
            "alice": {"via": "mail", "to": "alice"},
            "bob": {"via": "mail", "to": "bob"}
        },
        "schedule": {"first": {"begin": "1970-01-01", "handoff": "00:00", "every_days": 1, "people": ["alice", "bob"]}},
        "route": [{"then": [{"notify": ["duty"]}]}]
    }));
    let world = World::new(BTreeMap::from([(space(5), rota)]));
    let mut one = One::new(0);
    let day = 86_400;
    let seen = told(&world, &mut one, day - 600..day + 900, |now| {
        let mut alert = alert(1, 5, Severity::Critical, day - 500);
        if now >= day + 500 {
            alert.resolved = Some(at(day + 500));
        }
        if now < day - 500 {
            Vec::new()
        } else {
            vec![alert]
        }
    });
    assert_eq!(
        seen,
        [
            line(day - 470, "alice (mail)", "critical"),
            line(day, "bob (mail)", "critical"),
            line(day + 530, "alice (mail)", "resolved"),
            line(day + 530, "bob (mail)", "resolved"),
        ]
    );
}

#[test]
fn a_step_outside_its_hours_waits_and_the_next_does_not_wait_for_it() {
    let office = policy(json!({
        "receiver": {"ops": {"via": "mail"}, "boss": {"via": "pager"}},
        "route": [{"then": [
            {"notify": ["ops"], "hours": {"from": "08:00", "until": "18:00"}},
            {"wait": "5m", "notify": ["boss"]}
        ]}]
    }));
    let world = World::new(BTreeMap::from([(space(5), office)]));
    let mut one = One::new(0);
    let seen = told(&world, &mut one, 0..29_000, |_| {
        vec![alert(1, 5, Severity::Critical, 0)]
    });
    let first: Vec<_> = seen
        .iter()
        .take(2)
        .map(|it| (it.0, it.1.as_str()))
        .collect();
    assert_eq!(
        first,
        [(300, "boss"), (14_700, "boss")].map(|(at, _)| (at, "pager"))
    );
    assert!(seen.contains(&line(28_800, "mail", "critical")), "{seen:?}");
}

#[test]
fn a_dead_first_notifier_is_replaced_by_the_second_and_a_slow_one_is_not() {
    let world = World::new(usual());
    let alerts = [alert(1, 3, Severity::Critical, 0)];
    let standby = i64::try_from(STANDBY_MS / 1_000).unwrap();
    let mut second = One::new(1);
    for now in 0..30 + standby {
        assert_eq!(second.send(&world, &alerts, now), []);
    }
    assert_eq!(second.send(&world, &alerts, 30 + standby).len(), 2);
    // The first says that it is at it; the second leaves it the time it asked for.
    let (mut first, mut second) = (One::new(0), One::new(1));
    let due = first.look(&world, &alerts, 30).due;
    for message in &due {
        let trying = Receipt {
            stage: Stage::Trying { until: at(90) },
            ..receipt(message, at(30))
        };
        second.receipts.push((message.policy, trying, 0));
    }
    let times: Vec<_> = (0..200)
        .filter(|now| !second.send(&world, &alerts, *now).is_empty())
        .collect();
    assert_eq!(times, [90 + standby]);
    // One that asks for years gets no time at all.
    let mut second = One::new(1);
    for message in &due {
        let trying = Receipt {
            stage: Stage::Trying { until: at(1 << 40) },
            ..receipt(message, at(30))
        };
        second.receipts.push((message.policy, trying, 0));
    }
    let times: Vec<_> = (0..200)
        .filter(|now| !second.send(&world, &alerts, *now).is_empty())
        .collect();
    assert_eq!(times, [30 + standby]);
}

#[test]
fn a_channel_that_fails_is_tried_again_so_often_and_one_that_is_unsure_once_more() {
    let world = World::new(usual());
    let alerts = [alert(1, 3, Severity::Warning, 0)];
    for (stage, times) in [(Stage::Failed, 12), (Stage::Unsure, 2)] {
        let mut one = One::new(0);
        let mut sent = 0;
        for now in 0..10_000 {
            for message in one.look(&world, &alerts, now).due {
                if message.target.via == "mail" {
                    sent += 1;
                }
                let failed = Receipt {
                    stage,
                    ..receipt(&message, at(now))
                };
                one.receipts.push((message.policy, failed, 0));
            }
        }
        assert_eq!(sent, times, "{stage:?}");
    }
}

/// What happens in a run: problems with beginning, end and place; when the cable is cut.
#[derive(Clone, Debug)]
struct Story {
    alerts: Vec<(u8, u8, i64, Option<i64>)>,
    cut: std::ops::Range<i64>,
    dead: Option<i64>,
}

fn story() -> impl Strategy<Value = Story> {
    let place = prop::sample::select(vec![STORAGE, 3, 4, 5]);
    let alerts = prop::collection::vec((place, 0_i64..600, prop::option::of(10_i64..900)), 1..6);
    let dead = prop::option::weighted(0.3, 0_i64..900);
    (alerts, 0_i64..900, 0_i64..900, dead).prop_map(|(alerts, begin, length, dead)| Story {
        alerts: (1..)
            .zip(alerts)
            .map(|(n, (place, opened, lasts))| {
                (n, place, opened, lasts.map(|lasts| opened + lasts))
            })
            .collect(),
        cut: begin..begin + length,
        dead,
    })
}

impl Story {
    fn at(&self, now: i64) -> Vec<AlertFact> {
        let open = self
            .alerts
            .iter()
            .filter(|(_, _, opened, _)| *opened <= now);
        let fact = |(n, place, opened, over): &(u8, u8, i64, Option<i64>)| {
            let severity = if n % 2 == 0 {
                Severity::Critical
            } else {
                Severity::Warning
            };
            let mut fact = alert(*n, *place, severity, *opened);
            fact.resolved = over.filter(|over| *over <= now).map(at);
            fact
        };
        open.map(fact).collect()
    }
}

const END: i64 = 2_400;

type Sent = Vec<(u8, NotificationId, State, AlertId, String, i64)>;

/// Two notifiers that exchange receipts every second while the cable holds.
fn run(story: &Story) -> Sent {
    let world = World::new(usual());
    let mut both = [One::new(0), One::new(1)];
    let mut sent = Vec::new();
    for now in 0..END {
        let alerts = story.at(now);
        for one in &mut both {
            if one.rank == 0 && story.dead.is_some_and(|dead| dead <= now) {
                continue;
            }
            for message in one.send(&world, &alerts, now) {
                let target = message.target.to_string();
                let items = message.items.iter();
                sent.extend(
                    items.map(|it| (one.rank, it.id, it.state, it.alert, target.clone(), now)),
                );
            }
        }
        if !story.cut.contains(&now) {
            let [first, second] = &mut both;
            let news = first.receipts.iter().filter(|it| it.2 == 0).cloned();
            let own = second.receipts.iter().filter(|it| it.2 == 1).cloned();
            second.receipts = own.chain(news).collect();
            let news: Vec<_> = second
                .receipts
                .iter()
                .filter(|it| it.2 == 1)
                .cloned()
                .collect();
            first.receipts.retain(|it| it.2 == 0);
            first.receipts.extend(news);
        }
    }
    sent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn two_notifiers_lose_nothing_and_each_tells_each_thing_at_most_once(story in story()) {
        let sent = run(&story);
        let mut by_notifier = BTreeSet::new();
        for (rank, id, ..) in &sent {
            prop_assert!(by_notifier.insert((*rank, *id)), "twice by one notifier: {:?}", story);
        }
        // What lasted longer than waits and standbys reached ops or the shop.
        for (n, place, opened, over) in &story.alerts {
            let lasts = over.map_or(END - opened, |over| over - opened);
            let got: BTreeSet<_> = sent
                .iter()
                .filter(|it| it.3 == AlertId([*n; 32]) && matches!(it.2, State::Problem(_)))
                .map(|it| it.4.clone())
                .collect();
            // A group's interval may hold it back for five minutes.
            if lasts > 400 {
                prop_assert!(got.contains("chat"), "{} at {} was lost: {:?}", n, place, story);
            }
            let told_of_end: BTreeSet<_> = sent
                .iter()
                .filter(|it| it.3 == AlertId([*n; 32]) && it.2 == State::Resolved)
                .map(|it| it.4.clone())
                .collect();
            // With the first dead its receipts may be on its disk alone.
            if over.is_some_and(|over| over + 400 < END) && story.dead.is_none() {
                prop_assert_eq!(&told_of_end, &got, "{:?}", story);
            }
            prop_assert!(told_of_end.is_subset(&got));
        }
    }

    #[test]
    fn while_they_hear_each_other_nothing_is_told_twice_and_after_healing_neither(story in story()) {
        let quiet = Story { cut: 0..0, dead: None, ..story.clone() };
        let sent = run(&quiet);
        let ids: BTreeSet<_> = sent.iter().map(|it| it.1).collect();
        prop_assert_eq!(ids.len(), sent.len());
        prop_assert!(sent.iter().all(|it| it.0 == 0), "the standby has nothing to do");
        // Duplicates of a partition were sent in it, or as it ended.
        let healed = Story { dead: None, ..story };
        let mut first = BTreeMap::new();
        for (rank, id, _, _, _, now) in run(&healed) {
            if let Some(other) = first.insert(id, rank) {
                prop_assert!(other != rank);
                prop_assert!(now <= healed.cut.end, "told twice after healing, at {}: {:?}", now, healed);
            }
        }
    }

    #[test]
    fn the_plan_does_not_depend_on_the_order_of_facts(story in story(), turn in 0_usize..7) {
        let world = World::new(usual());
        let mut one = One::new(0);
        for now in (0..900).step_by(7) {
            one.send(&world, &story.at(now), now);
        }
        let mut alerts = story.at(900);
        let mut turned = One::new(0);
        turned.receipts = one.receipts.iter().rev().cloned().collect();
        let plan = One { notifier: Notifier::new(0), ..one }.look(&world, &alerts, 900);
        let shift = turn % alerts.len().max(1);
        alerts.rotate_left(shift);
        let again = turned.look(&world, &alerts, 900);
        prop_assert_eq!(plan.due, again.due);
        prop_assert_eq!(plan.next, again.next);
    }
}
