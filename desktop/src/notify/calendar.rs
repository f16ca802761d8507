//! iCalendar in and out: who is on call, for the calendars that people look at.
//!
//! Of RFC 5545 what such calendars need: events with a beginning and an end. The crates that know more
//! call themselves for each nested component, and draw clocks and random names when they write.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use aramaki_model::notify::{Duty, OnCallOverride, Schedule, Zone};
use aramaki_model::{ItemId, is_deceptive};
use aramaki_sync_core::{SpaceId, Timestamp};
use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// Events of one file.
const EVENTS_MAX: usize = 1_000;
/// The longest time of one event.
const EVENT_DAYS_MAX: u64 = 400;
/// A line is folded after so many bytes.
const LINE_LEN_BYTES_MAX: usize = 74;
const STAMP: &str = "%Y%m%dT%H%M%S";

/// Writes duties as a calendar.
pub(crate) fn write_calendar(
    system: SpaceId,
    title: &str,
    schedule: &str,
    duties: &[Duty],
    now: Timestamp,
) -> String {
    let mut out = Lines::default();
    out.add("BEGIN", "VCALENDAR");
    out.add("VERSION", "2.0");
    out.add("PRODID", "-//Aramaki//on call//EN");
    out.add("X-WR-CALNAME", &escaped(&format!("{title}: {schedule}")));
    for duty in duties {
        // The same duty has the same name in each export, so that calendars replace it.
        let seed = format!("{system}/{schedule}/{}", duty.from.millis());
        let uid = blake3::hash(seed.as_bytes()).to_hex();
        out.add("BEGIN", "VEVENT");
        out.add("UID", &format!("{}@aramaki", uid.get(..32).unwrap_or(&uid)));
        for (name, at) in [
            ("DTSTAMP", now),
            ("DTSTART", duty.from),
            ("DTEND", duty.until),
        ] {
            let at = DateTime::from_timestamp_millis(at.millis()).unwrap_or_default();
            out.add(name, &format!("{}Z", at.format(STAMP)));
        }
        out.add("SUMMARY", &escaped(&duty.who));
        out.add(
            "DESCRIPTION",
            &escaped(&format!("On call for {title} ({schedule})")),
        );
        out.add("END", "VEVENT");
    }
    out.add("END", "VCALENDAR");
    out.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    /// Adds a line, folded between characters.
    fn add(&mut self, name: &str, value: &str) {
        let mut len = 0;
        for c in name.chars().chain([':']).chain(value.chars()) {
            if len + c.len_utf8() > LINE_LEN_BYTES_MAX {
                self.0.push_str("\r\n ");
                len = 1;
            }
            self.0.push(c);
            len += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => out.push(' '),
                Some(c) => out.push(c),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// A property: its parameters and its value as they stand there.
#[derive(Clone, Debug, Default)]
struct Property {
    zone: Option<String>,
    value: String,
}

/// The properties of one event, by name; of those that come twice, the first.
type Properties = BTreeMap<String, Property>;

/// Reads events as times in which their summary's receiver is on call; a cancelled event takes that
/// back. An event that comes twice with the same UID replaces itself.
///
/// # Errors
/// What is wrong, with the event's summary.
pub(crate) fn read_calendar(
    text: &str,
    name: &str,
    schedule: &Schedule,
) -> Result<Vec<(ItemId, Option<OnCallOverride>)>, String> {
    let events = events(text)?;
    if events.is_empty() {
        return Err("there is no event in it".to_owned());
    }
    events
        .iter()
        .map(|event| one(event, name, schedule))
        .collect()
}

/// The events; what stands inside of them, such as alarms, is passed over.
fn events(text: &str) -> Result<Vec<Properties>, String> {
    // A line that begins with a space goes on where the one before ended.
    let text = text
        .replace("\r\n", "\n")
        .replace("\n ", "")
        .replace("\n\t", "");
    let mut found: Vec<Properties> = Vec::new();
    let (mut in_event, mut inside) = (false, 0_usize);
    for line in text.lines() {
        let Some((name, property)) = property(line) else {
            continue;
        };
        let is_event = property.value.eq_ignore_ascii_case("VEVENT");
        match name.as_str() {
            "BEGIN" if in_event => inside += 1,
            "BEGIN" if is_event => {
                if found.len() >= EVENTS_MAX {
                    return Err(format!("more than {EVENTS_MAX} events"));
                }
                in_event = true;
                found.push(Properties::new());
            }
            "END" if inside > 0 => inside -= 1,
            "END" if is_event => in_event = false,
            _ if in_event && inside == 0 => {
                if let Some(event) = found.last_mut() {
                    event.entry(name).or_insert(property);
                }
            }
            _ => {}
        }
    }
    if in_event {
        return Err("it ends within an event".to_owned());
    }
    Ok(found)
}

/// `NAME;PARAMETER=VALUE:VALUE`; a quoted parameter may hold colons and semicolons.
fn property(line: &str) -> Option<(String, Property)> {
    let mut quoted = false;
    let is_end = |c: char| {
        quoted ^= c == '"';
        c == ':' && !quoted
    };
    let (head, value) = line.split_at(line.find(is_end)?);
    let mut parts = head.split(';');
    let name = parts.next()?.trim().to_ascii_uppercase();
    let zone = parts
        .filter_map(|part| part.split_once('='))
        .find_map(|(key, value)| {
            key.eq_ignore_ascii_case("TZID")
                .then(|| value.trim_matches('"').to_owned())
        });
    let value = value.get(1..).unwrap_or_default().trim().to_owned();
    Some((name, Property { zone, value }))
}

fn one(
    event: &Properties,
    name: &str,
    schedule: &Schedule,
) -> Result<(ItemId, Option<OnCallOverride>), String> {
    let word = |field: &str| {
        event
            .get(field)
            .map(|it| it.value.as_str())
            .unwrap_or_default()
    };
    let who = unescaped(word("SUMMARY"));
    let who: String = who.trim().chars().filter(|c| !is_deceptive(*c)).collect();
    let wrong = |why: String| format!("event `{who}`: {why}");
    if word("UID").is_empty() {
        return Err(wrong("it has no UID".to_owned()));
    }
    let hash = blake3::hash(format!("on call\0{name}\0{}", word("UID")).as_bytes());
    let id = hash
        .as_bytes()
        .first_chunk::<16>()
        .copied()
        .unwrap_or_default();
    let id = ItemId::from_bytes(id);
    if word("STATUS").eq_ignore_ascii_case("CANCELLED") {
        return Ok((id, None));
    }
    for field in ["RRULE", "RDATE", "RECURRENCE-ID"] {
        if event.contains_key(field) {
            return Err(wrong(format!(
                "it comes again ({field}): a rotation of the policy says that, or single events"
            )));
        }
    }
    let read = |field: &str| -> Result<Timestamp, String> {
        let property = event
            .get(field)
            .ok_or_else(|| wrong(format!("it has no {field}")))?;
        moment(property, schedule.zone).ok_or_else(|| {
            let value = &property.value;
            wrong(format!(
                "{field} `{value}` is no time: UTC, a zone of the IANA list or a date is expected"
            ))
        })
    };
    let (from, until) = (read("DTSTART")?, read("DTEND")?);
    if until <= from || until.since(from).as_secs() > EVENT_DAYS_MAX * 86_400 {
        return Err(wrong(format!(
            "it ends before it begins, or lasts longer than {EVENT_DAYS_MAX} days"
        )));
    }
    let change = OnCallOverride {
        schedule: name.to_owned(),
        who,
        from,
        until,
        reason: "from a calendar".to_owned(),
    };
    Ok((id, Some(change)))
}

/// A time in UTC, in its own zone, or in that of the schedule; a date is its first moment there.
fn moment(property: &Property, zone: Zone) -> Option<Timestamp> {
    let text = property.value.as_str();
    if let Some(utc) = text.strip_suffix('Z') {
        let at = NaiveDateTime::parse_from_str(utc, STAMP).ok()?.and_utc();
        return Some(Timestamp::from_millis(at.timestamp_millis()));
    }
    let zone = match &property.zone {
        Some(name) => Zone::from_str(name).ok()?,
        None => zone,
    };
    let local = match NaiveDateTime::parse_from_str(text, STAMP) {
        Ok(local) => local,
        Err(_) => NaiveDate::parse_from_str(text, "%Y%m%d")
            .ok()?
            .and_hms_opt(0, 0, 0)?,
    };
    zone.instant(local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aramaki_model::notify::duties;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
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

    #[test]
    fn what_is_written_reads_back_as_the_same_duties() {
        let schedule = schedule();
        let (from, until) = (at("2026-03-23T08:00:00Z"), at("2026-04-20T07:00:00Z"));
        let planned = duties("first", &schedule, &BTreeMap::new(), from, until);
        let text = write_calendar(SpaceId::ZERO, "Webshop", "first", &planned, from);
        assert_eq!(
            text,
            write_calendar(SpaceId::ZERO, "Webshop", "first", &planned, from)
        );
        let read = read_calendar(&text, "first", &schedule).unwrap();
        let read: BTreeMap<_, _> = read
            .into_iter()
            .map(|(id, change)| (id, change.unwrap()))
            .collect();
        let nobody = Schedule {
            people: Vec::new(),
            ..schedule
        };
        assert_eq!(duties("first", &nobody, &read, from, until), planned);
    }

    #[test]
    fn times_of_other_programs_are_read_and_what_cannot_be_meant_is_named() {
        let event = |more: &str| {
            format!(
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:bob\r\n{more}\r\n\
                 END:VEVENT\r\nEND:VCALENDAR\r\n"
            )
        };
        let read = |more: &str| read_calendar(&event(more), "first", &schedule());
        let times = |more: &str| {
            let (_, change) = read(more).unwrap().remove(0);
            change.map(|change| (change.from, change.until))
        };
        let day = Some((at("2026-07-03T22:00:00Z"), at("2026-07-04T22:00:00Z")));
        assert_eq!(
            times("DTSTART;VALUE=DATE:20260704\r\nDTEND;VALUE=DATE:20260705"),
            day
        );
        assert_eq!(
            times("DTSTART:20260704T000000\r\nDTEND:20260705T000000"),
            day
        );
        assert_eq!(
            times("DTSTART:20260703T220000Z\r\nDTEND:20260704T220000Z"),
            day
        );
        assert_eq!(
            times(
                "DTSTART;TZID=Europe/Athens:20260704T010000\r\nDTEND;TZID=Europe/Athens:20260705T010000"
            ),
            day
        );
        assert_eq!(times("STATUS:CANCELLED"), None);
        let good = "DTSTART:20260703T220000Z\r\nDTEND:20260704T220000Z";
        for (more, part) in [
            (format!("{good}\r\nRRULE:FREQ=DAILY"), "comes again"),
            ("DTSTART:20260703T220000Z".to_owned(), "no DTEND"),
            (
                "DTSTART:20260703T220000Z\r\nDTEND:20260703T220000Z".to_owned(),
                "ends before",
            ),
            (
                "DTSTART;TZID=Mars:20260703T220000\r\nDTEND:20260704T220000Z".to_owned(),
                "no time",
            ),
        ] {
            let error = read(&more).unwrap_err();
            assert!(error.contains(part) && error.contains("bob"), "{error}");
        }
        let deep = "BEGIN:A\r\n".repeat(100_000);
        assert!(read_calendar(&deep, "first", &schedule()).is_err());
        let alarm = format!("{good}\r\nBEGIN:VALARM\r\nUID:2\r\nDTSTART:1\r\nEND:VALARM");
        assert_eq!(times(&alarm), day, "an alarm in it is passed over");
        assert!(read_calendar("", "first", &schedule()).is_err());
    }
}
