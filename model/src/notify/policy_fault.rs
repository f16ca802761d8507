//! What a policy cannot mean: told to whoever writes it, before it is written.

use std::collections::BTreeSet;

use super::clock::TimeOfDay;
use super::policy::{
    NOTIFY_MAX, PEOPLE_MAX, Policy, RECEIVERS_MAX, ROUTES_MAX, Receiver, SCHEDULES_MAX, STEPS_MAX,
    Step, WORD_LEN_BYTES_MAX,
};
use crate::severity::Severity;
use crate::text::is_deceptive;

/// The shortest time after which something is told again: nobody is called every second.
const EVERY_MIN_MS: u64 = 60_000;

/// What a policy cannot mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFault {
    /// Where, as in its text: `route[1].then[2].notify[1]`.
    pub field: String,
    /// What is wrong, in a lower-case phrase.
    pub message: String,
}

type Found = Result<(), PolicyFault>;

fn fault(field: impl Into<String>, message: impl Into<String>) -> Found {
    Err(PolicyFault {
        field: field.into(),
        message: message.into(),
    })
}

fn word(field: &str, text: &str) -> Found {
    if text.len() > WORD_LEN_BYTES_MAX {
        return fault(
            field,
            format!("at most {WORD_LEN_BYTES_MAX} bytes are expected"),
        );
    }
    if text.chars().any(is_deceptive) {
        return fault(field, "one line without control characters is expected");
    }
    Ok(())
}

fn few(field: &str, count: usize, limit: usize) -> Found {
    if count > limit {
        return fault(field, format!("at most {limit} are expected"));
    }
    Ok(())
}

impl Policy {
    /// Says what it cannot mean, if there is something.
    ///
    /// # Errors
    /// The first fault.
    pub fn examine(&self) -> Result<(), PolicyFault> {
        few("receiver", self.receiver.len(), RECEIVERS_MAX)?;
        few("schedule", self.schedule.len(), SCHEDULES_MAX)?;
        few("route", self.route.len(), ROUTES_MAX)?;
        for (name, receiver) in &self.receiver {
            self.examine_receiver(name, receiver)?;
        }
        self.examine_schedules()?;
        if self.group.repeat.millis() < EVERY_MIN_MS {
            return fault("group.repeat", "at least 1m is expected");
        }
        for (number, route) in (1..).zip(&self.route) {
            let place = format!("route[{number}]");
            word(&format!("{place}.checks"), &route.checks)?;
            if route.at_least == Severity::Ok {
                return fault(format!("{place}.at_least"), "what is ok is no problem");
            }
            let then = format!("{place}.then");
            if route.then.is_empty() && route.go_on {
                return fault(
                    then,
                    "a route without steps that lets others decide does nothing",
                );
            }
            few(&then, route.then.len(), STEPS_MAX)?;
            for (number, step) in (1..).zip(&route.then) {
                self.examine_step(&format!("{then}[{number}]"), step)?;
            }
        }
        Ok(())
    }

    fn examine_receiver(&self, name: &str, receiver: &Receiver) -> Found {
        let place = format!("receiver.{name}");
        if name.is_empty() {
            return fault("receiver", "a receiver needs a name");
        }
        word(&place, name)?;
        word(&format!("{place}.via"), &receiver.via)?;
        word(&format!("{place}.to"), &receiver.to)?;
        match (receiver.via.is_empty(), receiver.on_call.is_empty()) {
            (true, true) => fault(place, "`via` or `on_call` is expected"),
            (false, false) => fault(
                format!("{place}.on_call"),
                "whoever is on call has their own `via`: one of both is expected",
            ),
            (true, false) if !receiver.to.is_empty() => fault(
                format!("{place}.to"),
                "whoever is on call has their own `to`",
            ),
            (true, false) if !self.schedule.contains_key(&receiver.on_call) => fault(
                format!("{place}.on_call"),
                format!("there is no schedule `{}`", receiver.on_call),
            ),
            _ => Ok(()),
        }
    }

    fn examine_schedules(&self) -> Found {
        for (name, schedule) in &self.schedule {
            let place = format!("schedule.{name}");
            word(&place, name)?;
            let people = format!("{place}.people");
            few(&people, schedule.people.len(), PEOPLE_MAX)?;
            if schedule.people.is_empty() {
                return fault(people, "at least one receiver is expected");
            }
            if schedule.every_days == 0 {
                return fault(format!("{place}.every_days"), "at least 1 is expected");
            }
            if schedule.handoff == TimeOfDay::END {
                return fault(format!("{place}.handoff"), "00:00 to 23:59 is expected");
            }
            for (number, who) in (1..).zip(&schedule.people) {
                let place = format!("{people}[{number}]");
                match self.receiver.get(who) {
                    None => return fault(place, format!("there is no receiver `{who}`")),
                    Some(receiver) if !receiver.on_call.is_empty() => {
                        return fault(place, format!("`{who}` is a schedule itself"));
                    }
                    Some(_) => {}
                }
            }
        }
        Ok(())
    }

    fn examine_step(&self, place: &str, step: &Step) -> Found {
        let notify = format!("{place}.notify");
        few(&notify, step.notify.len(), NOTIFY_MAX)?;
        if step.notify.is_empty() {
            return fault(notify, "at least one receiver is expected");
        }
        let mut seen = BTreeSet::new();
        for (number, name) in (1..).zip(&step.notify) {
            let place = format!("{notify}[{number}]");
            if !self.receiver.contains_key(name) {
                return fault(place, format!("there is no receiver `{name}`"));
            }
            if !seen.insert(name) {
                return fault(place, format!("`{name}` is told already"));
            }
        }
        if step
            .every
            .is_some_and(|every| every.millis() < EVERY_MIN_MS)
        {
            return fault(format!("{place}.every"), "at least 1m is expected");
        }
        match &step.hours {
            Some(hours) if hours.from == TimeOfDay::END => {
                fault(format!("{place}.hours.from"), "00:00 to 23:59 is expected")
            }
            Some(hours) if hours.from == hours.until => fault(
                format!("{place}.hours.until"),
                "another time than the beginning is expected",
            ),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    type Change<'a> = &'a dyn Fn(&mut serde_json::Value);

    #[test]
    fn what_a_policy_cannot_mean_is_named_with_its_place() {
        let good = || {
            json!({
                "receiver": {"ops": {"via": "mail"}, "duty": {"on_call": "first"}},
                "schedule": {"first": {"begin": "2026-01-05", "people": ["ops"]}},
                "route": [{"then": [{"notify": ["duty", "ops"]}]}]
            })
        };
        let fault_of = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut value = good();
            change(&mut value);
            let (policy, unread) = Policy::read(&value);
            assert!(unread.is_empty(), "{unread:?}");
            policy.examine().map_err(|fault| fault.field)
        };
        assert_eq!(fault_of(&|_| {}), Ok(()));
        let cases: [(Change<'_>, &str); 9] = [
            (&|v| v["receiver"]["ops"]["via"] = json!(""), "receiver.ops"),
            (
                &|v| v["receiver"]["duty"]["via"] = json!("x"),
                "receiver.duty.on_call",
            ),
            (
                &|v| v["receiver"]["duty"]["on_call"] = json!("x"),
                "receiver.duty.on_call",
            ),
            (
                &|v| v["receiver"]["ops"]["to"] = json!("a\nb"),
                "receiver.ops.to",
            ),
            (
                &|v| v["schedule"]["first"]["people"][0] = json!("duty"),
                "schedule.first.people[1]",
            ),
            (
                &|v| v["schedule"]["first"]["every_days"] = json!(0),
                "schedule.first.every_days",
            ),
            (
                &|v| v["route"][0]["at_least"] = json!("ok"),
                "route[1].at_least",
            ),
            (
                &|v| v["route"][0]["then"][0]["notify"][1] = json!("boss"),
                "route[1].then[1].notify[2]",
            ),
            (
                &|v| v["route"][0]["then"][0]["every"] = json!("5s"),
                "route[1].then[1].every",
            ),
        ];
        for (change, field) in cases {
            assert_eq!(fault_of(change), Err(field.to_owned()));
        }
    }
}
