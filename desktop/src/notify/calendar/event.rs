//! Events of a calendar as times in which somebody is on call.

use std::collections::BTreeMap;

use aramaki_model::notify::{OnCallOverride, Schedule};
use aramaki_model::{ItemId, is_deceptive};
use aramaki_sync_core::Timestamp;

use super::recur::Rule;
use super::text::{Event, Property, events, unescaped};
use super::time::{EVENT_DAYS_MAX, Length, Moment};

/// So far ahead an event is taken that comes again.
const AHEAD_DAYS_MAX: i64 = 366;
/// Times that one file may say: they are written as one change, which has its length.
const TIMES_MAX: usize = 1_000;
const DAY_MS: i64 = 86_400_000;

/// What of a calendar cannot be taken: then nothing of it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CalendarError {
    /// In which line.
    pub(crate) line: Option<usize>,
    /// What is wrong.
    pub(crate) message: String,
}

impl CalendarError {
    pub(super) const fn at(line: usize, message: String) -> Self {
        Self {
            line: Some(line),
            message,
        }
    }
}

/// What a calendar is read for.
pub(crate) struct Known<'a> {
    /// What the schedule is called.
    pub(crate) name: &'a str,
    /// The schedule.
    pub(crate) schedule: &'a Schedule,
    /// Changes that are there already.
    pub(crate) there: &'a BTreeMap<ItemId, OnCallOverride>,
    /// Whether somebody of that name is told.
    pub(crate) is_receiver: &'a (dyn Fn(&str) -> bool + Sync),
    /// Now.
    pub(crate) now: Timestamp,
}

/// What a calendar says.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Who is on call when, by id; none: what was there is taken back.
    pub(crate) changes: BTreeMap<ItemId, Option<OnCallOverride>>,
    /// Events of the file.
    pub(crate) events: usize,
    /// Until when events were taken that come again after that too.
    pub(crate) ahead: Option<Timestamp>,
}

/// Reads events as times in which their summary's receiver is on call; a cancelled event takes that
/// back. What comes twice with the same UID replaces itself, in the file and in what is there.
///
/// # Errors
/// What is wrong and in which line; then nothing may be taken.
pub(crate) fn read_calendar(text: &str, known: &Known<'_>) -> Result<Taken, CalendarError> {
    let events = events(text)?;
    if events.is_empty() {
        return Err(CalendarError {
            line: None,
            message: "there is no event in it".to_owned(),
        });
    }
    let mut taken = Taken {
        events: events.len(),
        ..Taken::default()
    };
    // Single times of an event that comes again stand beside it, before or behind.
    let mut single = Vec::new();
    for event in &events {
        let read = Reading { event, known };
        match event.one("RECURRENCE-ID")? {
            None => read.whole(&mut taken)?,
            Some(which) => single.push((read, which)),
        }
    }
    for (read, which) in single {
        read.single(which, &mut taken)?;
    }
    if taken.changes.len() > TIMES_MAX {
        return Err(CalendarError {
            line: None,
            message: format!("more than {TIMES_MAX} times"),
        });
    }
    Ok(taken)
}

#[derive(Clone, Copy)]
struct Reading<'a> {
    event: &'a Event,
    known: &'a Known<'a>,
}

impl Reading<'_> {
    /// The event's own id, which begins the ids of all of its times.
    fn id(&self) -> Result<ItemId, CalendarError> {
        let uid = self.event.one("UID")?.map(|it| it.value.as_str());
        let Some(uid) = uid.filter(|it| !it.is_empty()) else {
            let message = "this event has no UID".to_owned();
            return Err(CalendarError::at(self.event.line, message));
        };
        let hash = blake3::hash(format!("on call\0{}\0{uid}", self.known.name).as_bytes());
        let id = hash.as_bytes().first_chunk::<16>().copied();
        Ok(ItemId::from_bytes(id.unwrap_or_default()))
    }

    fn is_cancelled(&self) -> Result<bool, CalendarError> {
        let status = self.event.one("STATUS")?;
        Ok(status.is_some_and(|it| it.value.eq_ignore_ascii_case("CANCELLED")))
    }

    fn who(&self) -> Result<String, CalendarError> {
        let summary = self.event.one("SUMMARY")?;
        let line = summary.map_or(self.event.line, |it| it.line);
        let who = unescaped(summary.map(|it| it.value.as_str()).unwrap_or_default());
        let who: String = who.trim().chars().filter(|c| !is_deceptive(*c)).collect();
        if (self.known.is_receiver)(&who) {
            Ok(who)
        } else {
            let message = format!("event `{who}`: the policy has no receiver of that name");
            Err(CalendarError::at(line, message))
        }
    }

    /// When it begins, and how long it lasts.
    fn span(&self) -> Result<(Moment, Length, usize), CalendarError> {
        let zone = self.known.schedule.zone;
        let Some(start) = self.event.one("DTSTART")? else {
            let message = "this event has no DTSTART".to_owned();
            return Err(CalendarError::at(self.event.line, message));
        };
        let from = Moment::read(start, &start.value, "DTSTART", zone)?;
        let (length, line) = match (self.event.one("DTEND")?, self.event.one("DURATION")?) {
            (Some(_), Some(duration)) => {
                let message = "DTEND and DURATION: one of them".to_owned();
                return Err(CalendarError::at(duration.line, message));
            }
            (Some(end), None) => {
                let until = Moment::read(end, &end.value, "DTEND", zone)?;
                if until.is_day != from.is_day {
                    let message = "DTSTART and DTEND: dates, or times, both".to_owned();
                    return Err(CalendarError::at(end.line, message));
                }
                (Length::between(&from, &until).unwrap_or_default(), end.line)
            }
            (None, Some(duration)) => (Length::read(duration)?, duration.line),
            // A day lasts a day.
            (None, None) if from.is_day => (Length::day(), start.line),
            (None, None) => {
                let message = "this event has no DTEND and no DURATION".to_owned();
                return Err(CalendarError::at(start.line, message));
            }
        };
        if length.is_possible() {
            Ok((from, length, line))
        } else {
            let message =
                format!("it ends before it begins, or lasts longer than {EVENT_DAYS_MAX} days");
            Err(CalendarError::at(line, message))
        }
    }

    fn change(
        &self,
        who: &str,
        from: &Moment,
        length: Length,
        line: usize,
    ) -> Result<OnCallOverride, CalendarError> {
        let until = length.end_of(from);
        let Some((from, until)) = from
            .instant()
            .zip(until)
            .filter(|(from, until)| from < until)
        else {
            let message = "it ends before it begins there, or at no time of a calendar".to_owned();
            return Err(CalendarError::at(line, message));
        };
        Ok(OnCallOverride {
            schedule: self.known.name.to_owned(),
            who: who.to_owned(),
            from,
            until,
            reason: "from a calendar".to_owned(),
        })
    }

    /// An event with all of its times.
    fn whole(&self, taken: &mut Taken) -> Result<(), CalendarError> {
        let id = self.id()?;
        taken.changes.retain(|other, _| !is_of(id, *other));
        for (there, change) in self.known.there {
            // What is over is history.
            let is_ahead = change.until > self.known.now || *there == id;
            if is_of(id, *there) && change.schedule == self.known.name && is_ahead {
                taken.changes.insert(*there, None);
            }
        }
        if self.is_cancelled()? {
            taken.changes.insert(id, None);
            return Ok(());
        }
        if let Some(rule) = self.event.all("EXRULE").first() {
            let message = "EXRULE is not understood: EXDATE names single times".to_owned();
            return Err(CalendarError::at(rule.line, message));
        }
        let who = self.who()?;
        let (from, length, line) = self.span()?;
        let (rule, more) = (self.event.one("RRULE")?, self.event.all("RDATE"));
        if rule.is_none() && more.is_empty() {
            let change = self.change(&who, &from, length, line)?;
            taken.changes.insert(id, Some(change));
            return Ok(());
        }
        for time in self.times(rule, more, &from, length, taken)? {
            let change = self.change(&who, &time, length, line)?;
            let id = id_of(id, change.from);
            taken.changes.insert(id, Some(change));
        }
        Ok(())
    }

    /// The times of an event that comes again, as far as they are not over.
    fn times(
        &self,
        rule: Option<&Property>,
        more: &[Property],
        from: &Moment,
        length: Length,
        taken: &mut Taken,
    ) -> Result<Vec<Moment>, CalendarError> {
        let now = self.known.now;
        let ahead = Timestamp::from_millis(now.millis().saturating_add(AHEAD_DAYS_MAX * DAY_MS));
        let at = |local| Moment { local, ..*from };
        let is_wanted = |local| length.end_of(&at(local)).is_some_and(|until| until > now);
        let mut locals = vec![from.local];
        if let Some(property) = rule {
            let wrong = |message| CalendarError::at(property.line, message);
            let rule = Rule::read(property, from)?;
            let until = from.zone.local(ahead);
            let until = until.ok_or_else(|| wrong("it has no end in a calendar".to_owned()))?;
            let times = rule.times(from, until, TIMES_MAX, is_wanted);
            let (times, goes_on) = times.map_err(wrong)?;
            locals = times;
            taken.ahead = Some(ahead).filter(|_| goes_on).or(taken.ahead);
        }
        for (property, added) in self.listed(more, "RDATE", from)? {
            if added.zone != from.zone {
                let message = "RDATE: the zone of DTSTART is expected".to_owned();
                return Err(CalendarError::at(property, message));
            }
            locals.push(added.local);
        }
        for (_, out) in self.listed(self.event.all("EXDATE"), "EXDATE", from)? {
            let out = out.instant();
            locals.retain(|local| at(*local).instant() != out);
        }
        locals.sort_unstable();
        locals.dedup();
        Ok(locals
            .into_iter()
            .filter(|local| is_wanted(*local))
            .map(at)
            .collect())
    }

    /// Times of lists, with their lines.
    fn listed(
        &self,
        properties: &[Property],
        name: &str,
        from: &Moment,
    ) -> Result<Vec<(usize, Moment)>, CalendarError> {
        let mut found = Vec::new();
        for property in properties {
            for text in property.value.split(',') {
                let zone = self.known.schedule.zone;
                let moment = Moment::read(property, text, name, zone)?;
                if moment.is_day != from.is_day {
                    let message = format!("{name}: dates where DTSTART is one, or else times");
                    return Err(CalendarError::at(property.line, message));
                }
                if found.len() >= TIMES_MAX {
                    let message = format!("{name}: more than {TIMES_MAX} times");
                    return Err(CalendarError::at(property.line, message));
                }
                found.push((property.line, moment));
            }
        }
        Ok(found)
    }

    /// One time of an event that comes again, which is another than the rule says.
    fn single(&self, which: &Property, taken: &mut Taken) -> Result<(), CalendarError> {
        if which.range.is_some() {
            let message = "RANGE is not understood: single times can be changed".to_owned();
            return Err(CalendarError::at(which.line, message));
        }
        for name in ["RRULE", "RDATE", "EXRULE"] {
            if let Some(more) = self.event.all(name).first() {
                let message = format!("{name} beside RECURRENCE-ID: it would come again again");
                return Err(CalendarError::at(more.line, message));
            }
        }
        let zone = self.known.schedule.zone;
        let at = Moment::read(which, &which.value, "RECURRENCE-ID", zone)?;
        let Some(at) = at.instant() else {
            let message = "RECURRENCE-ID is at no time of a calendar".to_owned();
            return Err(CalendarError::at(which.line, message));
        };
        let id = id_of(self.id()?, at);
        let change = if self.is_cancelled()? {
            None
        } else {
            let who = self.who()?;
            let (from, length, line) = self.span()?;
            let change = self.change(&who, &from, length, line)?;
            Some(change).filter(|it| it.until > self.known.now)
        };
        taken.changes.insert(id, change);
        Ok(())
    }
}

/// The id of one time of an event: what belongs together begins with the same half.
fn id_of(event: ItemId, at: Timestamp) -> ItemId {
    let mut bytes = *event.as_bytes();
    let mut hasher = blake3::Hasher::new();
    hasher.update(event.as_bytes());
    hasher.update(&at.millis().to_be_bytes());
    let hash = hasher.finalize();
    for (byte, own) in bytes.iter_mut().skip(8).zip(hash.as_bytes()) {
        *byte = *own;
    }
    ItemId::from_bytes(bytes)
}

/// Whether an id is that of an event, or of one of its times.
fn is_of(event: ItemId, id: ItemId) -> bool {
    event.as_bytes().first_chunk::<8>() == id.as_bytes().first_chunk::<8>()
}
