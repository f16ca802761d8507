//! The policy of a System: whom to tell of its problems and of those below it, and when.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::hours::Hours;
use super::rotation::Schedule;
use super::span::Span;
use crate::severity::Severity;
use crate::text::clean_line;

/// How long a policy may be when it is written: one item of a System document.
pub const POLICY_LEN_BYTES_MAX: usize = crate::edit::ITEM_LEN_BYTES_MAX;
/// How many receivers a policy may name.
pub(super) const RECEIVERS_MAX: usize = 256;
/// How many schedules it may have, and how many people one of them.
pub(super) const SCHEDULES_MAX: usize = 64;
pub(super) const PEOPLE_MAX: usize = 64;
/// How many routes it may have.
pub(super) const ROUTES_MAX: usize = 256;
/// How many steps a route may have, and how many receivers one of them.
pub(super) const STEPS_MAX: usize = 16;
pub(super) const NOTIFY_MAX: usize = 16;
/// How long names, addresses and patterns may be.
pub(super) const WORD_LEN_BYTES_MAX: usize = 256;
/// So many words of what could not be read are kept.
const UNREAD_LEN_BYTES_MAX: usize = 256;

const WAIT_DEFAULT_MS: u64 = 30_000;
const INTERVAL_DEFAULT_MS: u64 = 300_000;
const REPEAT_DEFAULT_MS: u64 = 4 * 3_600_000;

/// Whom to tell of the problems of a System and of everything below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Whom it can tell, by name.
    pub receiver: BTreeMap<String, Receiver>,
    /// Who takes turns, by name.
    pub schedule: BTreeMap<String, Schedule>,
    /// What is told together.
    pub group: Grouping,
    /// What is told to whom: the first route that fits decides, unless it lets others decide too.
    pub route: Vec<Route>,
}

/// Somebody to tell: at an address, or whoever is on call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Receiver {
    /// A channel of the notifier's own file; empty for whoever is on call.
    pub via: String,
    /// Where to, as that channel understands it; may be empty.
    pub to: String,
    /// A schedule: whoever is on call by it.
    pub on_call: String,
}

/// What is told together, and how often again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grouping {
    /// How long the first message of a group waits for more.
    pub wait: Span,
    /// How long after a message the next of the same group is sent at the earliest.
    pub interval: Span,
    /// After which time an open problem is told again.
    pub repeat: Span,
    /// What makes a group.
    pub by: GroupBy,
}

impl Default for Grouping {
    fn default() -> Self {
        Self {
            wait: Span::from_millis(WAIT_DEFAULT_MS),
            interval: Span::from_millis(INTERVAL_DEFAULT_MS),
            repeat: Span::from_millis(REPEAT_DEFAULT_MS),
            by: GroupBy::default(),
        }
    }
}

/// What makes a group, besides whom it is told to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// The nearest System that the problems can have in common.
    #[default]
    System,
    /// Everything that the policy tells.
    Policy,
}

/// What is told to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Route {
    /// Only problems at least so bad.
    pub at_least: Severity,
    /// Only problems from there.
    pub from: Origin,
    /// Only checks with such a name; `*` stands for anything. Empty: all.
    pub checks: String,
    /// Whether the routes below decide too.
    #[serde(rename = "continue")]
    pub go_on: bool,
    /// One step after the other, until somebody acknowledges.
    pub then: Vec<Step>,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            at_least: Severity::Missing,
            from: Origin::default(),
            checks: String::new(),
            go_on: false,
            then: Vec::new(),
        }
    }
}

/// Where a problem is, as seen from the System whose policy it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// In the System itself or below it.
    #[default]
    All,
    /// In the System itself.
    Own,
    /// Below it.
    Parts,
}

/// One step of an escalation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// How long after the step before; of the first: after the problem began.
    pub wait: Span,
    /// Names of receivers.
    pub notify: Vec<String>,
    /// Only at these times; outside of them the step waits, and the next does not wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// How often again; none: for as long as nobody acknowledges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u16>,
    /// After which time again; none: after the group's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// Whether it goes on after somebody acknowledged.
    pub although_acknowledged: bool,
}

impl Policy {
    /// Whether somebody is told that an agent is not heard any more, or that a check gives no result.
    pub fn takes_missing(&self) -> bool {
        let routes = self.route.iter();
        let mut routes = routes.filter(|route| route.at_least <= Severity::Missing);
        routes.any(|route| {
            let is_all = route.checks.chars().all(|c| c == '*');
            is_all && route.then.iter().any(|step| !step.notify.is_empty())
        })
    }

    /// Reads a document's value. What cannot be read is left out and named, so that one field of a
    /// newer program, or a slip, never leaves everybody untold.
    pub(crate) fn read(value: &Value) -> (Self, Vec<String>) {
        let mut reading = Reading { unread: Vec::new() };
        let policy = Self {
            receiver: reading.map(value, "receiver", RECEIVERS_MAX),
            schedule: reading.map(value, "schedule", SCHEDULES_MAX),
            group: value
                .get("group")
                .and_then(|group| reading.one("group", group))
                .unwrap_or_default(),
            route: reading.routes(value),
        };
        (policy, reading.unread)
    }
}

struct Reading {
    unread: Vec<String>,
}

impl Reading {
    fn one<T: DeserializeOwned>(&mut self, place: &str, value: &Value) -> Option<T> {
        match T::deserialize(value) {
            Ok(read) => Some(read),
            Err(error) => {
                let told = format!("policy: {place}: {error}");
                self.unread.push(clean_line(&told, UNREAD_LEN_BYTES_MAX));
                None
            }
        }
    }

    fn map<T: DeserializeOwned>(
        &mut self,
        value: &Value,
        name: &str,
        limit: usize,
    ) -> BTreeMap<String, T> {
        let mut found = BTreeMap::new();
        let items = value.get(name).and_then(Value::as_object);
        for (key, item) in items.into_iter().flatten().take(limit) {
            let key = clean_line(key, WORD_LEN_BYTES_MAX);
            if let Some(read) = self.one(&format!("{name}.{key}"), item) {
                found.insert(key, read);
            }
        }
        found
    }

    /// Routes whose steps are read one by one: a step that cannot be read takes no other with it.
    fn routes(&mut self, value: &Value) -> Vec<Route> {
        let mut found = Vec::new();
        let routes = value.get("route").and_then(Value::as_array);
        for (number, route) in (1..).zip(routes.into_iter().flatten().take(ROUTES_MAX)) {
            let mut rest = route.clone();
            let steps = rest
                .as_object_mut()
                .and_then(|route| route.remove("then"))
                .unwrap_or_default();
            let place = format!("route[{number}]");
            let Some(mut route) = self.one::<Route>(&place, &rest) else {
                continue;
            };
            let steps = steps.as_array().cloned().unwrap_or_default();
            for (number, step) in (1..).zip(steps.iter().take(STEPS_MAX)) {
                let step = self.one::<Step>(&format!("{place}.then[{number}]"), step);
                // What cannot be read still has its place, so that waits count as they were meant.
                route.then.push(step.unwrap_or_default());
            }
            for step in &mut route.then {
                step.notify.truncate(NOTIFY_MAX);
            }
            found.push(route);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_agents_that_are_not_heard_somebody_is_told_by_a_route_that_takes_missing_alone() {
        let policy = |route: Value| Policy::read(&json!({"route": [route]})).0;
        let then = json!([{"notify": ["ops"]}]);
        assert!(policy(json!({"then": then})).takes_missing());
        assert!(
            policy(json!({"at_least": "missing", "checks": "*", "then": then})).takes_missing()
        );
        assert!(!policy(json!({"at_least": "warning", "then": then})).takes_missing());
        assert!(!policy(json!({"checks": "disk*", "then": then})).takes_missing());
        assert!(!policy(json!({"then": []})).takes_missing());
        assert!(!Policy::default().takes_missing());
    }

    #[test]
    fn what_a_newer_program_wrote_takes_nothing_else_with_it() {
        let value = json!({
            "receiver": {"ops": {"via": "mail", "to": "ops@example.org", "tone": 3}, "odd": 7},
            "schedule": {"first": {"begin": "2026-01-05", "people": ["ops"]}},
            "group": {"wait": "10s", "by": "moon"},
            "route": [
                {"from": "everywhere", "then": [{"notify": ["ops"]}]},
                {"at_least": "critical", "then": [{"wait": "soon"}, {"wait": "5m", "notify": ["ops"]}]}
            ],
            "later": {}
        });
        let (policy, unread) = Policy::read(&value);
        assert_eq!(policy.receiver.len(), 1);
        assert_eq!(policy.schedule["first"].every_days, 7);
        assert_eq!(policy.group, Grouping::default());
        assert_eq!(policy.route.len(), 1);
        assert_eq!(policy.route[0].then[1].wait, "5m".parse().unwrap());
        assert_eq!(unread.len(), 4, "{unread:?}");
        assert_eq!(Policy::read(&json!(3)), (Policy::default(), Vec::new()));
    }

    #[test]
    fn a_policy_reads_back_as_it_was_written() {
        let mut policy = Policy::default();
        policy
            .receiver
            .insert("ops".to_owned(), Receiver::default());
        policy.route.push(Route {
            then: vec![Step {
                hours: Some(Hours::default()),
                repeat: Some(3),
                ..Step::default()
            }],
            ..Route::default()
        });
        let value = serde_json::to_value(&policy).unwrap();
        assert_eq!(Policy::read(&value), (policy, Vec::new()));
    }
}
