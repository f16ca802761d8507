//! Every rule of telling people by itself: who is told by which route and step, when, and when not.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

#[path = "common/fact.rs"]
mod fact;
#[path = "common/receipt.rs"]
mod receipts;

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::alert::AlertId;
use aramaki_model::graph::{Edge, Graph, Relation};
use aramaki_model::notify::{
    Acknowledged, AlertFact, Duty, Facts, Held, MESSAGE_ITEMS_MAX, Message, Muted, NotificationId,
    Notifier, OnCallOverride, Plan, PolicyFact, RANK_MAX, Receipt, Record, Recurrence, Stage,
    State, Target, Whose, duty,
};
use aramaki_model::{ItemId, Operator, Override, Policy, Severity};
use aramaki_sync_core::{SpaceId, Timestamp};
use fact::{at, space};
use receipts::receipt;
use serde_json::{Value, json};

/// A System and the one that has it as its part.
const SHOP: u8 = 1;
const DISK: u8 = 2;

/// A problem of the disk.
fn alert(n: u8, worst: Severity, opened: i64) -> AlertFact {
    AlertFact {
        name: format!("disk {n}"),
        ..fact::alert(n, DISK, worst, opened)
    }
}

/// Policies of the disk and of the shop, and what was told so far.
struct Team {
    graph: Graph,
    policies: BTreeMap<SpaceId, Policy>,
    overrides: BTreeMap<ItemId, OnCallOverride>,
    receipts: Vec<(SpaceId, Receipt, Whose)>,
    unsettled: BTreeMap<SpaceId, Timestamp>,
    busy: BTreeSet<NotificationId>,
    notifier: Notifier,
}

impl Team {
    /// Nothing waits for others of its group, unless the policy says so.
    fn new(policies: &[(u8, Value)]) -> Self {
        let mut graph = Graph::default();
        let part = Edge {
            part: space(DISK),
            label: String::new(),
            relation: Relation::Part,
            overrides: Override::NONE,
            weight: 1,
        };
        graph.add(space(SHOP), Operator::Worst, vec![part]);
        graph.add(space(DISK), Operator::Worst, Vec::new());
        let read = |(n, policy): &(u8, Value)| {
            let mut policy = policy.clone();
            let fields = policy.as_object_mut().unwrap();
            fields
                .entry("group")
                .or_insert(json!({"wait": "0s", "interval": "0s"}));
            let people = ["ann", "bob", "cat", "dan"];
            let receiver = people.map(|who| (who, json!({"via": "mail", "to": who})));
            let receivers = fields.entry("receiver").or_insert(json!({}));
            for (who, told) in receiver {
                receivers
                    .as_object_mut()
                    .unwrap()
                    .entry(who)
                    .or_insert(told);
            }
            (space(*n), serde_json::from_value(policy).unwrap())
        };
        Self {
            graph,
            policies: policies.iter().map(read).collect(),
            overrides: BTreeMap::new(),
            receipts: Vec::new(),
            unsettled: BTreeMap::new(),
            busy: BTreeSet::new(),
            notifier: Notifier::new(0),
        }
    }

    /// One policy of the disk with one route.
    fn route(route: &Value) -> Self {
        Self::new(&[(DISK, json!({"route": [route]}))])
    }

    fn look(&mut self, now: i64, alerts: &[AlertFact]) -> Plan {
        let mut record = Record::default();
        for (policy, receipt, whose) in &self.receipts {
            record.take(*policy, receipt, *whose);
        }
        let facts = self.policies.iter().map(|(space, policy)| {
            let overrides = &self.overrides;
            (*space, PolicyFact { policy, overrides })
        });
        self.notifier.look(&Facts {
            now: at(now),
            graph: &self.graph,
            policies: facts.collect(),
            alerts,
            record: &record,
            unsettled: self.unsettled.clone(),
            busy: &self.busy,
        })
    }

    fn keep(&mut self, message: &Message, now: i64, stage: Stage, whose: Whose) {
        let receipt = Receipt {
            stage,
            ..receipt(message, at(now))
        };
        self.receipts.push((message.policy, receipt, whose));
    }

    /// Tells what is due; whom.
    fn tell(&mut self, now: i64, alerts: &[AlertFact]) -> Vec<String> {
        let due = self.look(now, alerts).due;
        for message in &due {
            self.keep(message, now, Stage::Sent, Whose::Own);
        }
        due.into_iter().map(|it| it.target.to).collect()
    }

    /// Tells as time goes on, up to a moment; when whom.
    fn tells(&mut self, until: i64, alerts: &[AlertFact]) -> Vec<(i64, String)> {
        let mut told = Vec::new();
        for now in 0..=until {
            told.extend(self.tell(now, alerts).into_iter().map(|to| (now, to)));
        }
        told
    }

    /// Why the first thing for somebody waits, and until when.
    fn waits(
        &mut self,
        now: i64,
        to: &str,
        alerts: &[AlertFact],
    ) -> Option<(Held, Option<Timestamp>)> {
        let waiting = self.look(now, alerts).waiting.into_iter();
        let mut of = waiting.filter(|it| it.target.to == to);
        of.next().map(|it| (it.why, it.at))
    }
}

fn told(lines: &[(i64, &str)]) -> Vec<(i64, String)> {
    lines
        .iter()
        .map(|(at, to)| (*at, (*to).to_owned()))
        .collect()
}

const WARNING: Severity = Severity::Warning;
const CRITICAL: Severity = Severity::Critical;

#[test]
fn the_first_route_that_fits_decides_unless_it_lets_others_decide_too() {
    let routes = |go_on: bool| {
        json!({"route": [
            {"at_least": "critical", "continue": go_on, "then": [{"notify": ["ann"]}]},
            {"then": [{"notify": ["bob"]}]}
        ]})
    };
    let whom = |go_on, worst| Team::new(&[(DISK, routes(go_on))]).tell(1, &[alert(1, worst, 0)]);
    assert_eq!(whom(false, CRITICAL), ["ann"]);
    assert_eq!(whom(true, CRITICAL), ["ann", "bob"]);
    assert_eq!(whom(false, WARNING), ["bob"], "what is less bad goes on");
    // What was as bad once still is of that route.
    let better = AlertFact {
        severity: WARNING,
        ..alert(1, CRITICAL, 0)
    };
    let mut team = Team::new(&[(DISK, routes(false))]);
    assert_eq!(team.tell(1, &[better]), ["ann"]);
}

#[test]
fn a_route_may_be_for_own_problems_for_those_of_parts_or_for_checks_by_name() {
    let whom = |system: u8, field: &str, value: &str| {
        let route = json!({field: value, "then": [{"notify": ["ann"]}]});
        let mut team = Team::new(&[(system, json!({"route": [route]}))]);
        team.tell(1, &[alert(1, CRITICAL, 0)])
    };
    let nobody: [String; 0] = [];
    assert_eq!(whom(DISK, "from", "own"), ["ann"]);
    assert_eq!(whom(DISK, "from", "parts"), nobody);
    assert_eq!(whom(SHOP, "from", "own"), nobody);
    assert_eq!(whom(SHOP, "from", "parts"), ["ann"]);
    assert_eq!(whom(DISK, "from", "all"), ["ann"]);
    assert_eq!(whom(DISK, "checks", "disk*"), ["ann"]);
    assert_eq!(whom(DISK, "checks", "load*"), nobody);
}

#[test]
fn whom_several_policies_name_hears_once_by_the_one_that_says_it_first() {
    let early = json!({"route": [{"then": [{"notify": ["ann"]}]}]});
    let late = json!({"route": [{"then": [
        {"notify": ["bob"]},
        {"wait": "10m", "notify": ["ann"]}
    ]}]});
    for (disk, shop) in [(&early, &late), (&late, &early)] {
        let mut team = Team::new(&[(DISK, disk.clone()), (SHOP, shop.clone())]);
        let mut told_all = team.tells(700, &[alert(1, CRITICAL, 0)]);
        told_all.sort();
        assert_eq!(told_all, told(&[(0, "ann"), (0, "bob")]));
    }
    // Two names for one address are one receiver.
    let twice = json!({
        "receiver": {"eve": {"via": "mail", "to": "ann"}},
        "route": [{"then": [{"notify": ["ann", "eve"]}]}]
    });
    let mut team = Team::new(&[(DISK, twice)]);
    let due = team.look(1, &[alert(1, CRITICAL, 0)]).due;
    assert_eq!((due.len(), due[0].items.len()), (1, 1));
}

/// Three steps: at once, after five minutes, after ten more.
fn three_steps() -> Team {
    Team::route(&json!({"then": [
        {"notify": ["ann"], "every": "4m", "repeat": 1},
        {"wait": "5m", "notify": ["bob"]},
        {"wait": "10m", "notify": ["cat"]}
    ]}))
}

#[test]
fn each_step_waits_from_the_first_telling_of_the_one_before() {
    let alerts = [alert(1, CRITICAL, 0)];
    let mut team = three_steps();
    // The channel was out of order for a minute, so all is a minute later.
    assert_eq!(
        team.waits(30, "bob", &alerts),
        Some((Held::Step, None)),
        "nothing of the step before was told"
    );
    let mut all = Vec::new();
    for now in 60..1_200 {
        all.extend(team.tell(now, &alerts).into_iter().map(|to| (now, to)));
    }
    assert_eq!(
        all,
        told(&[(60, "ann"), (240, "ann"), (360, "bob"), (960, "cat")]),
        "that the first was told again postpones nothing"
    );
}

#[test]
fn worse_news_goes_through_the_steps_anew() {
    let mut team = three_steps();
    assert_eq!(team.tell(0, &[alert(1, WARNING, 0)]), ["ann"]);
    let worse = AlertFact {
        since: at(200),
        ..alert(1, CRITICAL, 0)
    };
    assert_eq!(team.tell(200, std::slice::from_ref(&worse)), ["ann"]);
    let whom: Vec<String> = Vec::new();
    assert_eq!(
        team.tell(310, std::slice::from_ref(&worse)),
        whom,
        "not from the warning"
    );
    let bob = team.waits(310, "bob", &[worse]);
    assert_eq!(bob, Some((Held::Time, Some(at(500)))));
}

#[test]
fn a_step_was_told_whoever_was_on_call_then_and_by_whichever_policy_told_its_people() {
    let alerts = [alert(1, CRITICAL, 0)];
    let on_call = json!({
        "receiver": {"duty": {"on_call": "week"}},
        "schedule": {"week": {"begin": "1970-01-01", "every_days": 7, "people": ["ann"]}},
        "route": [{"then": [{"notify": ["duty"]}, {"wait": "5m", "notify": ["cat"]}]}]
    });
    let mut team = Team::new(&[(DISK, on_call)]);
    assert_eq!(team.tell(1, &alerts), ["ann"]);
    let swap = OnCallOverride {
        schedule: "week".to_owned(),
        who: "bob".to_owned(),
        from: at(100),
        until: at(10_000),
        reason: String::new(),
    };
    team.overrides.insert(ItemId::from_bytes([1; 16]), swap);
    assert_eq!(
        team.waits(150, "cat", &alerts),
        Some((Held::Time, Some(at(301)))),
        "the step was told to whoever it was then"
    );
    assert_eq!(
        team.tell(150, &alerts),
        ["bob"],
        "who has it now hears of it"
    );

    // The disk's policy tells Ann, whom the shop's names first too: its next step follows from that.
    let first = json!({"route": [{"then": [{"notify": ["ann"]}]}]});
    let second = json!({"route": [{"then": [
        {"notify": ["ann"]},
        {"wait": "5m", "notify": ["bob"]}
    ]}]});
    let mut team = Team::new(&[(DISK, first.clone()), (SHOP, second)]);
    assert_eq!(team.tells(400, &alerts), told(&[(0, "ann"), (300, "bob")]));
    // That the disk's policy told somebody else is no step of the shop's.
    let other = json!({"route": [{"then": [
        {"notify": ["dan"]},
        {"wait": "5m", "notify": ["bob"]}
    ]}]});
    let mut team = Team::new(&[(DISK, first), (SHOP, other)]);
    let due = team.look(0, &alerts).due;
    let to_ann = due.iter().find(|it| it.target.to == "ann").unwrap();
    team.keep(to_ann, 0, Stage::Sent, Whose::Own);
    let to_dan = due.iter().find(|it| it.target.to == "dan").unwrap();
    team.busy.insert(to_dan.items[0].id);
    assert_eq!(team.waits(400, "bob", &alerts), Some((Held::Step, None)));
}

#[test]
fn where_nobody_is_on_call_the_next_step_does_not_wait() {
    let policy = json!({
        "receiver": {"duty": {"on_call": "week"}},
        "schedule": {"week": {"begin": "2100-01-01", "every_days": 7, "people": ["ann"]}},
        "route": [{"then": [{"notify": ["duty"]}, {"wait": "5m", "notify": ["cat"]}]}]
    });
    let mut team = Team::new(&[(DISK, policy)]);
    assert_eq!(
        team.tells(400, &[alert(1, CRITICAL, 0)]),
        told(&[(300, "cat")])
    );
}

#[test]
fn escalation_stops_at_an_acknowledgement_but_for_steps_that_say_otherwise() {
    let mut team = Team::route(&json!({"then": [
        {"notify": ["ann"]},
        {"wait": "5m", "notify": ["bob"]},
        {"wait": "0s", "notify": ["cat"], "although_acknowledged": true}
    ]}));
    let open = alert(1, CRITICAL, 0);
    assert_eq!(team.tell(0, std::slice::from_ref(&open)), ["ann"]);
    let known = AlertFact {
        acknowledged: Some(Acknowledged {
            at: at(60),
            by: "dan".to_owned(),
            text: "on it".to_owned(),
        }),
        ..open
    };
    let known = [known];
    assert_eq!(team.tell(60, &known), ["ann"], "that somebody took it");
    assert_eq!(team.tell(300, &known), ["cat"]);
    let bob = team.waits(300, "bob", &known);
    assert_eq!(bob, Some((Held::Acknowledged, None)));
}

#[test]
fn a_step_that_is_not_due_waits_for_its_time_and_not_for_its_hours() {
    let mut team = Team::route(&json!({"then": [{
        "wait": "30m",
        "notify": ["ann"],
        "hours": {"from": "09:00", "until": "17:00"}
    }]}));
    let alerts = [alert(1, CRITICAL, 0)];
    let wait = team.waits(60, "ann", &alerts);
    assert_eq!(wait, Some((Held::Time, Some(at(1_800)))));
    let wait = team.waits(1_800, "ann", &alerts);
    assert_eq!(wait, Some((Held::Hours, Some(at(9 * 3_600)))));
    assert_eq!(team.tell(9 * 3_600, &alerts), ["ann"]);
}

#[test]
fn what_was_told_says_when_it_is_told_again_and_never_oftener_than_each_minute() {
    let alerts = [alert(1, CRITICAL, 0)];
    let mut team = Team::route(&json!({"then": [{"notify": ["ann"], "every": "1s", "repeat": 2}]}));
    assert_eq!(team.tell(0, &alerts), ["ann"]);
    let plan = team.look(1, &alerts);
    assert_eq!(plan.waiting.len(), 1);
    let again = &plan.waiting[0];
    assert_eq!((again.item.repeat, again.at), (1, Some(at(60))));
    assert_eq!(plan.next, Some(at(60)), "somebody has to look then");
    assert_eq!(team.tells(300, &alerts), told(&[(60, "ann"), (120, "ann")]));
}

#[test]
fn what_is_over_for_a_week_is_told_to_nobody() {
    let mut team = three_steps();
    let open = alert(1, CRITICAL, 0);
    assert_eq!(team.tell(0, std::slice::from_ref(&open)), ["ann"]);
    let over = [AlertFact {
        resolved: Some(at(100)),
        severity: Severity::Ok,
        ..open
    }];
    let week = 7 * 86_400;
    assert_eq!(team.look(101 + week, &over), Plan::default());
    assert_eq!(team.tell(100 + week, &over), ["ann"]);
}

#[test]
fn nothing_goes_out_while_silences_of_the_problem_or_of_the_policy_may_be_missing() {
    let alerts = [alert(1, CRITICAL, 0)];
    let policy = json!({"route": [{"then": [{"notify": ["ann"]}]}]});
    for unsettled in [DISK, SHOP] {
        let mut team = Team::new(&[(SHOP, policy.clone())]);
        team.unsettled.insert(space(unsettled), at(90));
        let wait = team.waits(10, "ann", &alerts);
        assert_eq!(wait, Some((Held::Unsettled, Some(at(90)))), "{unsettled}");
    }
}

#[test]
fn what_begins_again_under_one_id_is_told_again_though_clocks_differ_by_a_little() {
    let mut team = Team::route(&json!({"then": [{"notify": ["ann"]}]}));
    let silent = AlertFact {
        recurrence: Recurrence::Possible,
        ..alert(1, CRITICAL, 100)
    };
    let mut told_before = team.look(100, std::slice::from_ref(&silent)).due;
    let message = told_before.pop().unwrap();
    // By the notifier's clock it was told half a minute before it began.
    team.keep(&message, 70, Stage::Sent, Whose::Own);
    let nobody: [String; 0] = [];
    assert_eq!(team.tell(101, std::slice::from_ref(&silent)), nobody);
    let later = AlertFact {
        opened: at(500),
        since: at(500),
        ..silent
    };
    assert_eq!(team.tell(501, &[later]), ["ann"]);
}

/// A check may be missed after seconds: what was told before its last sign was told of another time all the same.
#[test]
fn what_begins_again_within_a_minute_is_told_again() {
    let mut team = Team::route(&json!({"then": [{"notify": ["ann"]}]}));
    let missing = |heard: i64| AlertFact {
        recurrence: Recurrence::Possible,
        heard: Some(at(heard)),
        ..alert(1, CRITICAL, heard + 10)
    };
    assert_eq!(team.tell(100, &[missing(90)]), ["ann"]);
    let nobody: [String; 0] = [];
    assert_eq!(team.tell(104, &[missing(90)]), nobody);
    assert_eq!(team.tell(115, &[missing(105)]), ["ann"]);
    assert_eq!(team.tell(120, &[missing(105)]), nobody);
}

#[test]
fn what_others_told_is_told_and_what_they_could_not_is_not() {
    let alerts = [alert(1, CRITICAL, 0)];
    let mut team = Team::route(&json!({"then": [{"notify": ["ann"], "repeat": 0}]}));
    let message = team.look(0, &alerts).due.pop().unwrap();
    let trying = Stage::Trying { until: at(60) };
    let plan = |stage, whose, now| {
        let mut team = Team::route(&json!({"then": [{"notify": ["ann"], "repeat": 0}]}));
        team.keep(&message, 0, stage, whose);
        let plan = team.look(now, &alerts);
        (
            plan.due.len(),
            plan.waiting.first().map(|it| (it.why, it.at)),
        )
    };
    assert_eq!(plan(Stage::Sent, Whose::Other, 10), (0, None));
    assert_eq!(plan(Stage::Sent, Whose::Own, 10), (0, None));
    let held = Some((Held::Trying, Some(at(60))));
    assert_eq!(plan(trying, Whose::Other, 10), (0, held));
    assert_eq!(plan(trying, Whose::Other, 60), (1, None));
    assert_eq!(
        plan(trying, Whose::Own, 10),
        (1, None),
        "its own is no reason"
    );
    assert_eq!(
        plan(Stage::Failed, Whose::Other, 10),
        (1, None),
        "this one may reach them"
    );
    let again = Some((Held::Failed, Some(at(300))));
    assert_eq!(plan(Stage::Failed, Whose::Own, 10), (0, again));
    assert_eq!(plan(Stage::Failed, Whose::Own, 300), (1, None));
    // A clock that is far ahead holds nobody up.
    let for_ever = Stage::Trying { until: at(100_000) };
    assert_eq!(plan(for_ever, Whose::Other, 10), (1, None));
    // What is being sent is neither due nor waits.
    team.busy.insert(message.items[0].id);
    assert_eq!(team.look(0, &alerts), Plan::default());
}

#[test]
fn what_is_muted_waits_for_that_whatever_else_is_in_its_way() {
    let mut team = Team::route(&json!({"then": [{"notify": ["ann"]}]}));
    let open = alert(1, CRITICAL, 0);
    let message = team.look(0, std::slice::from_ref(&open)).due.pop().unwrap();
    team.keep(&message, 0, Stage::Failed, Whose::Own);
    let muted = AlertFact {
        muted: Some(Muted::Silenced),
        ..open
    };
    let wait = team.waits(10, "ann", &[muted]);
    assert_eq!(wait, Some((Held::Muted(Muted::Silenced), None)));
}

#[test]
fn a_problem_to_come_is_told_when_it_comes_and_a_receipt_to_come_delays_nothing() {
    let mut team = Team::route(&json!({"then": [{"notify": ["ann"]}]}));
    let nobody: [String; 0] = [];
    let later = [alert(1, CRITICAL, 100)];
    assert_eq!(team.tell(50, &later), nobody);
    assert_eq!(
        team.waits(50, "ann", &later),
        Some((Held::Time, Some(at(100))))
    );
    let grouped = json!({
        "group": {"wait": "0s", "interval": "5m"},
        "route": [{"then": [{"notify": ["ann"]}]}]
    });
    let mut team = Team::new(&[(DISK, grouped)]);
    let message = team.look(0, &[alert(1, CRITICAL, 0)]).due.pop().unwrap();
    team.keep(&message, 90_000, Stage::Sent, Whose::Other);
    assert_eq!(
        team.tell(10, &[alert(2, CRITICAL, 5)]),
        ["ann"],
        "its clock is wrong"
    );
}

#[test]
fn a_message_tells_the_worst_first_and_only_so_much() {
    let mut team = Team::route(&json!({"then": [{"notify": ["ann"]}]}));
    let alerts = [alert(1, WARNING, 0), alert(2, CRITICAL, 1)];
    let due = team.look(1, &alerts).due;
    let names: Vec<_> = due[0].items.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["disk 2", "disk 1"]);
    let many: Vec<_> = (0..=MESSAGE_ITEMS_MAX)
        .map(|n| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&u64::try_from(n).unwrap().to_be_bytes());
            AlertFact {
                alert: AlertId(id),
                ..alert(1, CRITICAL, 0)
            }
        })
        .collect();
    let due = team.look(1, &many).due;
    let sizes: Vec<_> = due.iter().map(|it| it.items.len()).collect();
    assert_eq!(sizes, [MESSAGE_ITEMS_MAX, 1]);
}

#[test]
fn a_standby_waits_by_its_rank_from_when_it_saw_it_whatever_its_clock_does() {
    let alerts = [alert(1, CRITICAL, 0)];
    let standby = |rank: u8| {
        let mut team = Team::route(&json!({"then": [{"notify": ["ann"]}]}));
        team.notifier = Notifier::new(rank);
        team
    };
    for rank in [0, 1, 2, RANK_MAX] {
        let mut team = standby(rank);
        let first = team.tells(400, &alerts).first().cloned();
        assert_eq!(
            first,
            Some((15 * i64::from(rank), "ann".to_owned())),
            "{rank}"
        );
    }
    let last = standby(RANK_MAX + 1).tells(400, &alerts);
    assert_eq!(
        last.first().unwrap().0,
        15 * i64::from(RANK_MAX),
        "no rank is lower"
    );
    let mut team = standby(1);
    let nobody: [String; 0] = [];
    assert_eq!(team.tell(100, &alerts), nobody);
    assert_eq!(team.tell(50, &alerts), nobody, "the clock was put back");
    assert_eq!(team.tell(65, &alerts), ["ann"]);
}

#[test]
fn an_override_is_of_its_schedule_for_its_time_and_the_one_that_began_last_counts() {
    let policy: Policy = serde_json::from_value(json!({
        "schedule": {
            "week": {"begin": "1970-01-01", "every_days": 7, "people": ["ann", "bob"]}
        }
    }))
    .unwrap();
    let week = &policy.schedule["week"];
    let change = |schedule: &str, who: &str, from: i64, until: i64| OnCallOverride {
        schedule: schedule.to_owned(),
        who: who.to_owned(),
        from: at(from),
        until: at(until),
        reason: String::new(),
    };
    let on = |changes: &[OnCallOverride], now: i64| -> Duty {
        let items = (1..).map(|n| ItemId::from_bytes([n; 16]));
        let changes: BTreeMap<_, _> = items.zip(changes.iter().cloned()).collect();
        duty("week", week, &changes, at(now)).unwrap()
    };
    let seven_days = 7 * 86_400;
    let is = |who: &str, from: i64, until: i64| Duty {
        who: who.to_owned(),
        from: at(from),
        until: at(until),
    };
    assert_eq!(on(&[], 10), is("ann", 0, seven_days));
    assert_eq!(on(&[], seven_days), is("bob", seven_days, 2 * seven_days));
    let other = [change("night", "cat", 0, 100)];
    assert_eq!(on(&other, 10).who, "ann");
    let swap = [change("week", "cat", 100, 200)];
    assert_eq!(on(&swap, 99), is("ann", 0, 100));
    assert_eq!(on(&swap, 100), is("cat", 100, 200));
    assert_eq!(on(&swap, 200), is("ann", 200, seven_days));
    for both in [
        [
            change("week", "cat", 100, 400),
            change("week", "dan", 200, 300),
        ],
        [
            change("week", "dan", 200, 300),
            change("week", "cat", 100, 400),
        ],
    ] {
        assert_eq!(on(&both, 150), is("cat", 100, 200));
        assert_eq!(on(&both, 250), is("dan", 200, 300));
        assert_eq!(on(&both, 350).who, "cat");
    }
    let same = [
        change("week", "cat", 100, 200),
        change("week", "dan", 100, 200),
    ];
    assert_eq!(
        on(&same, 150).who,
        "dan",
        "of two that began together the later"
    );
}

#[test]
fn two_targets_of_one_name_are_told_apart_by_channel_and_address() {
    let id = |via: &str, to: &str| {
        let target = Target {
            via: via.to_owned(),
            to: to.to_owned(),
        };
        let state = State::Resolved;
        NotificationId::new(&AlertId([1; 32]), state, &target, 0, 0)
    };
    let all: BTreeSet<_> = [("ab", "c"), ("a", "bc"), ("c", "ab"), ("abc", "")]
        .into_iter()
        .map(|(via, to)| id(via, to))
        .collect();
    assert_eq!(all.len(), 4);
}

#[test]
fn the_end_reaches_whom_the_problem_reached_and_nobody_else() {
    let open = alert(1, CRITICAL, 0);
    let mut team = Team::route(&json!({"then": [{"notify": ["ann", "bob", "cat"]}]}));
    let due = team.look(0, std::slice::from_ref(&open)).due;
    for (message, stage) in due.iter().zip([Stage::Sent, Stage::Failed, Stage::Unsure]) {
        team.keep(message, 0, stage, Whose::Other);
    }
    let over = [AlertFact {
        resolved: Some(at(60)),
        severity: Severity::Ok,
        ..open.clone()
    }];
    let mut whom = team.tell(60, &over);
    whom.sort();
    assert_eq!(whom, ["ann", "cat"], "it may have arrived at the third");
    // Who heard only that somebody took it did not hear of a problem.
    let mut team = Team::route(&json!({"then": [{"notify": ["ann"]}]}));
    assert_eq!(team.tell(0, std::slice::from_ref(&open)), ["ann"]);
    let known = [AlertFact {
        acknowledged: Some(Acknowledged {
            at: at(10),
            by: "dan".to_owned(),
            text: String::new(),
        }),
        ..open.clone()
    }];
    let mut taken = team.look(10, &known).due;
    let mut to_dan = taken.pop().unwrap();
    "dan".clone_into(&mut to_dan.target.to);
    team.keep(&to_dan, 11, Stage::Sent, Whose::Other);
    assert_eq!(team.tell(60, &over), ["ann"]);
    // By the name that the last receipt has for them.
    for (first, second) in [("old", "new"), ("new", "old")] {
        let mut team = Team::route(&json!({"then": [{"notify": ["ann"]}]}));
        let message = team.look(0, std::slice::from_ref(&open)).due.pop().unwrap();
        for name in [first, second] {
            let named = Message {
                receiver: name.to_owned(),
                ..message.clone()
            };
            let when = if name == "new" { 20 } else { 10 };
            team.keep(&named, when, Stage::Sent, Whose::Other);
        }
        let end = team.look(60, &over).due.pop().unwrap();
        assert_eq!(end.receiver, "new");
    }
}

#[test]
fn the_end_is_told_once_to_whom_two_policies_told_the_problem() {
    let policy = |who: &str| json!({"route": [{"then": [{"notify": [who]}]}]});
    let mut team = Team::new(&[(DISK, policy("ann")), (SHOP, policy("ann"))]);
    let open = alert(1, CRITICAL, 0);
    let due = team.look(1, std::slice::from_ref(&open)).due;
    assert_eq!(due.len(), 1);
    for policy in [DISK, SHOP] {
        let mut message = due[0].clone();
        message.policy = space(policy);
        team.keep(&message, 1, Stage::Sent, Whose::Own);
    }
    let over = AlertFact {
        resolved: Some(at(10)),
        ..open
    };
    let told: Vec<_> = team.look(20, &[over]).due;
    let items: Vec<_> = told.iter().map(|it| it.items.len()).collect();
    assert_eq!(items, [1]);
}

#[test]
fn who_is_named_twice_in_a_step_waits_and_hears_once() {
    let policy = json!({
        "group": {"wait": "30s", "interval": "0s"},
        "receiver": {"ops": {"via": "mail", "to": "ann"}},
        "route": [{"then": [{"notify": ["ann", "ops"]}]}]
    });
    let mut team = Team::new(&[(DISK, policy)]);
    let open = [alert(1, CRITICAL, 0)];
    assert_eq!(team.look(10, &open).waiting.len(), 1);
    assert_eq!(team.tell(30, &open), ["ann"]);
}

#[test]
fn what_is_muted_for_long_asks_for_no_look_in_the_past() {
    let mut team = Team::route(&json!({"then": [{"notify": ["ann"]}]}));
    let quiet = AlertFact {
        muted: Some(Muted::Silenced),
        ..alert(1, CRITICAL, 0)
    };
    let plan = team.look(100, &[quiet]);
    assert_eq!((plan.due.len(), plan.waiting.len()), (0, 1));
    assert!(plan.waiting[0].at.is_none_or(|at| at <= self::at(100)));
    assert_eq!(plan.next, None);
}
