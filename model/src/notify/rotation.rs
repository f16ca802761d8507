//! Who is on call: a rotation with handoffs, and overrides for a time.

use std::time::Duration;

use aramaki_sync_core::Timestamp;
use chrono::Days;
use serde::{Deserialize, Serialize};

use super::clock::{Date, TimeOfDay, Zone};
use crate::id::ItemId;

/// How many duties are listed at once.
const DUTIES_MAX: usize = 1_000;

/// People who take turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// The day of the first handoff.
    pub begin: Date,
    /// The time of day at which one hands over to the next.
    pub handoff: TimeOfDay,
    /// After how many days.
    pub every_days: u16,
    /// Whose clocks.
    pub zone: Zone,
    /// Names of receivers, in turn.
    pub people: Vec<String>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            begin: Date::default(),
            handoff: TimeOfDay::default(),
            every_days: 7,
            zone: Zone::default(),
            people: Vec::new(),
        }
    }
}

/// Somebody else is on call for a time: a swap, a holiday, an import from a calendar.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OnCallOverride {
    /// Of which schedule.
    pub schedule: String,
    /// The name of a receiver.
    pub who: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Why; may be empty.
    pub reason: String,
}

/// Somebody's time on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The name of a receiver.
    pub who: String,
    /// Since when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl Schedule {
    /// Whose turn it is, without overrides; none before the first handoff.
    pub fn turn(&self, at: Timestamp) -> Option<Duty> {
        let every = u64::from(self.every_days.max(1));
        let today = self.zone.date(at)?;
        let days = u64::try_from(today.signed_duration_since(self.begin.0).num_days()).ok()?;
        let mut turn = days / every;
        let begin_of = |turn: u64| {
            let day = self
                .begin
                .0
                .checked_add_days(Days::new(turn.checked_mul(every)?))?;
            self.zone.at(day, self.handoff)
        };
        // On the day of a handoff it may be before its time of day.
        if begin_of(turn)? > at {
            turn = turn.checked_sub(1)?;
        }
        let place = turn.checked_rem(u64::try_from(self.people.len()).ok()?)?;
        Some(Duty {
            who: self.people.get(usize::try_from(place).ok()?)?.clone(),
            from: begin_of(turn)?,
            until: begin_of(turn + 1)?,
        })
    }
}

/// Who is on call at a moment. Of overrides that overlap, the one that began last counts; of those
/// that began together, the one that was written last.
pub fn duty<'a>(
    name: &str,
    schedule: &Schedule,
    overrides: impl IntoIterator<Item = (&'a ItemId, &'a OnCallOverride)>,
    at: Timestamp,
) -> Option<Duty> {
    let mut replaced: Option<(Timestamp, ItemId, &OnCallOverride)> = None;
    let (mut before, mut after) = (None::<Timestamp>, None::<Timestamp>);
    for (id, change) in overrides {
        if change.schedule != name || change.from >= change.until {
            continue;
        }
        for edge in [change.from, change.until] {
            if edge > at {
                after = Some(after.map_or(edge, |known| known.min(edge)));
            } else {
                before = before.max(Some(edge));
            }
        }
        let covers = change.from <= at && at < change.until;
        if covers && replaced.is_none_or(|(from, known, _)| (from, known) < (change.from, *id)) {
            replaced = Some((change.from, *id, change));
        }
    }
    let turn = schedule.turn(at);
    // Each edge of an override may change who it is; equal neighbours are one duty all the same.
    match replaced {
        // Another one within it may just have ended.
        Some((from, _, change)) => Some(Duty {
            who: change.who.clone(),
            from: before.map_or(from, |before| before.max(from)),
            until: after.map_or(change.until, |after| after.min(change.until)),
        }),
        None => turn.map(|turn| Duty {
            from: before.map_or(turn.from, |before| before.max(turn.from)),
            until: after.map_or(turn.until, |after| after.min(turn.until)),
            who: turn.who,
        }),
    }
}

/// The same from now on, in order, of which the first one that goes on now has its real beginning: whenever it is
/// asked for, the same duty is the same.
pub fn duties_now<'a, I>(
    name: &str,
    schedule: &Schedule,
    overrides: I,
    now: Timestamp,
    until: Timestamp,
) -> Vec<Duty>
where
    I: IntoIterator<Item = (&'a ItemId, &'a OnCallOverride)> + Clone,
{
    let at = |at: Timestamp| duty(name, schedule, overrides.clone(), at);
    let Some(current) = at(now) else {
        return duties(name, schedule, overrides, now, until);
    };
    // Equal neighbours are one duty.
    let mut from = current.from;
    for _ in 0..DUTIES_MAX {
        match at(from.minus(Duration::from_millis(1))) {
            Some(before) if before.who == current.who && before.from < from => from = before.from,
            _ => break,
        }
    }
    let mut found = duties(name, schedule, overrides, now, until);
    if let Some(first) = found.first_mut().filter(|first| first.from <= now) {
        first.from = from;
    }
    found
}

/// Who is on call from one moment to another, in order; at most 1,000 duties.
#[expect(
    clippy::needless_pass_by_value,
    reason = "an iterator that can be begun anew is handed over as it is"
)]
pub fn duties<'a, I>(
    name: &str,
    schedule: &Schedule,
    overrides: I,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Duty>
where
    I: IntoIterator<Item = (&'a ItemId, &'a OnCallOverride)> + Clone,
{
    let mut found: Vec<Duty> = Vec::new();
    let mut at = from;
    for _ in 0..DUTIES_MAX {
        if at >= until || found.len() >= DUTIES_MAX {
            break;
        }
        let Some(duty) = duty(name, schedule, overrides.clone(), at) else {
            // Nobody yet: on to the first handoff or the next override.
            let first = schedule.zone.at(schedule.begin.0, schedule.handoff);
            let begins = overrides.clone().into_iter().filter_map(|(_, change)| {
                (change.schedule == name && change.from < change.until).then_some(change.from)
            });
            match begins.chain(first).filter(|begin| *begin > at).min() {
                Some(begin) => at = begin,
                None => break,
            }
            continue;
        };
        let end = duty.until;
        match found.last_mut() {
            Some(last) if last.who == duty.who && last.until == duty.from.max(at) => {
                last.until = end;
            }
            _ => found.push(Duty {
                from: duty.from.max(at),
                ..duty
            }),
        }
        if end <= at {
            break;
        }
        at = end;
    }
    if let Some(last) = found.last_mut() {
        last.until = last.until.min(until);
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn utc(text: &str) -> Timestamp {
        let at = chrono::DateTime::parse_from_rfc3339(text).unwrap();
        Timestamp::from_millis(at.timestamp_millis())
    }

    fn schedule() -> Schedule {
        Schedule {
            begin: "2026-03-23".parse().unwrap(),
            handoff: "09:00".parse().unwrap(),
            every_days: 7,
            zone: "Europe/Berlin".parse().unwrap(),
            people: vec!["alice".to_owned(), "bob".to_owned()],
        }
    }

    fn swap(n: u8, who: &str, from: &str, until: &str) -> (ItemId, OnCallOverride) {
        let change = OnCallOverride {
            schedule: "first".to_owned(),
            who: who.to_owned(),
            from: utc(from),
            until: utc(until),
            reason: String::new(),
        };
        (ItemId::from_bytes([n; 16]), change)
    }

    #[test]
    fn the_handoff_is_at_its_time_on_the_wall_before_and_after_clocks_change() {
        let schedule = schedule();
        let who = |at: &str| schedule.turn(utc(at)).map(|duty| duty.who);
        assert_eq!(
            who("2026-03-23T07:59:59Z"),
            None,
            "before the first handoff"
        );
        assert_eq!(who("2026-03-23T08:00:00Z").as_deref(), Some("alice"));
        // Summer time began on the 29th: nine o'clock is an hour earlier.
        assert_eq!(who("2026-03-30T06:59:59Z").as_deref(), Some("alice"));
        assert_eq!(who("2026-03-30T07:00:00Z").as_deref(), Some("bob"));
        assert_eq!(who("2026-04-06T07:00:00Z").as_deref(), Some("alice"));
        let nobody = Schedule {
            people: Vec::new(),
            ..schedule.clone()
        };
        assert_eq!(nobody.turn(utc("2026-04-06T07:00:00Z")), None);
    }

    #[test]
    fn the_duty_that_goes_on_has_its_real_beginning_whenever_it_is_asked_for() {
        let schedule = schedule();
        let changes: BTreeMap<_, _> = [
            swap(1, "carol", "2026-03-24T00:00:00Z", "2026-03-26T00:00:00Z"),
            swap(2, "bob", "2026-03-25T00:00:00Z", "2026-03-25T06:00:00Z"),
        ]
        .into();
        let until = utc("2026-04-20T07:00:00Z");
        let now = |now: &str| {
            let plan = duties_now("first", &schedule, &changes, utc(now), until);
            (plan[0].who.clone(), plan[0].from, plan.len())
        };
        let early = duties_now(
            "first",
            &schedule,
            &changes,
            utc("2026-03-23T08:00:00Z"),
            until,
        );
        for (at, place) in [
            ("2026-03-23T08:00:00Z", 0),
            ("2026-03-23T11:00:00Z", 0),
            ("2026-03-24T11:00:00Z", 1),
            ("2026-03-25T05:00:00Z", 2),
            ("2026-03-25T11:00:00Z", 3),
            ("2026-03-28T11:00:00Z", 4),
            ("2026-04-01T11:00:00Z", 5),
        ] {
            let duty: &Duty = &early[place];
            let expected = (duty.who.clone(), duty.from, early.len() - place);
            assert_eq!(now(at), expected, "{at}");
        }
        let alone = Schedule {
            people: vec!["alice".to_owned()],
            ..schedule.clone()
        };
        let first = utc("2026-03-23T08:00:00Z");
        for at in ["2026-03-24T00:00:00Z", "2026-04-19T00:00:00Z"] {
            let plan = duties_now("x", &alone, &BTreeMap::new(), utc(at), until);
            assert_eq!((plan.len(), plan[0].from, plan[0].until), (1, first, until));
        }
    }

    #[test]
    fn an_override_holds_for_its_time_and_the_later_one_wins() {
        let schedule = schedule();
        let changes: BTreeMap<_, _> = [
            swap(1, "carol", "2026-03-24T00:00:00Z", "2026-03-26T00:00:00Z"),
            swap(2, "bob", "2026-03-25T00:00:00Z", "2026-03-25T06:00:00Z"),
            swap(3, "nobody", "2026-03-25T00:00:00Z", "2026-03-24T00:00:00Z"),
        ]
        .into();
        let plan = duties(
            "first",
            &schedule,
            &changes,
            utc("2026-03-20T00:00:00Z"),
            utc("2026-04-06T07:00:00Z"),
        );
        let brief: Vec<_> = plan
            .iter()
            .map(|duty| (duty.who.as_str(), duty.from))
            .collect();
        assert_eq!(
            brief,
            [
                ("alice", utc("2026-03-23T08:00:00Z")),
                ("carol", utc("2026-03-24T00:00:00Z")),
                ("bob", utc("2026-03-25T00:00:00Z")),
                ("carol", utc("2026-03-25T06:00:00Z")),
                ("alice", utc("2026-03-26T00:00:00Z")),
                ("bob", utc("2026-03-30T07:00:00Z")),
            ]
        );
        assert_eq!(plan[5].until, utc("2026-04-06T07:00:00Z"));
        for pair in plan.windows(2) {
            assert_eq!(pair[0].until, pair[1].from, "nobody is missing in between");
        }
    }
}
