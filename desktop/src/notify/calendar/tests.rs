//! Calendars as other programs write them, and our own.

use std::collections::BTreeMap;

use aramaki_model::ItemId;
use aramaki_model::notify::{OnCallOverride, Schedule, duties};

use super::event::CalendarError;
use super::*;

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

type Changes = BTreeMap<ItemId, Option<OnCallOverride>>;

/// What a calendar changes at the middle of 2026, where this is there already.
fn read(text: &str, there: &BTreeMap<ItemId, OnCallOverride>) -> Result<Changes, CalendarError> {
    taken(text, there).map(|taken| taken.changes)
}

fn taken(text: &str, there: &BTreeMap<ItemId, OnCallOverride>) -> Result<Taken, CalendarError> {
    let known = Known {
        name: "first",
        schedule: &schedule(),
        there,
        is_receiver: &|who| ["alice", "bob"].contains(&who),
        now: at("2026-06-01T00:00:00Z"),
    };
    read_calendar(text, &known)
}

/// A calendar with one event of bob's; its first own line is the sixth.
fn event(more: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:bob\r\n{more}\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

/// When bob is on call by one event.
fn times(more: &str) -> Vec<(String, String)> {
    let changes = read(&event(more), &BTreeMap::new()).unwrap();
    let mut times: Vec<_> = changes
        .into_values()
        .flatten()
        .map(|it| (it.from.to_string(), it.until.to_string()))
        .collect();
    times.sort();
    times
}

fn span(from: &str, until: &str) -> (String, String) {
    (at(from).to_string(), at(until).to_string())
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
    let read = read(&text, &BTreeMap::new()).unwrap();
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
fn times_of_other_programs_are_read() {
    let day = [span("2026-07-03T22:00:00Z", "2026-07-04T22:00:00Z")];
    for more in [
        "DTSTART;VALUE=DATE:20260704\r\nDTEND;VALUE=DATE:20260705",
        "DTSTART;VALUE=DATE:20260704",
        "DTSTART;VALUE=DATE:20260704\r\nDURATION:P1D",
        "DTSTART:20260704T000000\r\nDTEND:20260705T000000",
        "DTSTART:20260704T000000\r\nDURATION:PT24H",
        "DTSTART:20260703T220000Z\r\nDTEND:20260704T220000Z",
        "DTSTART;TZID=Europe/Athens:20260704T010000\r\nDTEND;TZID=Europe/Athens:20260705T010000",
        "DTSTART;TZID=\"Europe/Athens\":20260704T010000\r\nDTEND:20260704T220000Z",
        // Folded, as long lines are.
        "DTSTART:2026\r\n 0704T000000\r\nDURATION:P\r\n\t1D",
        // An alarm in it is passed over.
        "DTSTART;VALUE=DATE:20260704\r\nBEGIN:VALARM\r\nUID:2\r\nDTSTART:1\r\nEND:VALARM",
    ] {
        assert_eq!(times(more), day, "{more}");
    }
    // A day on which the clock is put back lasts a day, and 24 hours are 24 hours.
    let autumn = times("DTSTART;VALUE=DATE:20261025");
    assert_eq!(
        autumn,
        [span("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")]
    );
    let hours = times("DTSTART:20261025T000000\r\nDURATION:PT24H");
    assert_eq!(
        hours,
        [span("2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z")]
    );
    assert_eq!(times("STATUS:CANCELLED"), []);
}

#[test]
fn what_comes_again_is_taken_a_year_ahead_and_as_the_clock_on_the_wall_shows_it() {
    let weekly = times(
        "DTSTART;TZID=Europe/Berlin:20261012T090000\r\nDTEND;TZID=Europe/Berlin:20261019T090000\r\n\
         RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3\r\nEXDATE;TZID=Europe/Berlin:20261109T090000\r\n\
         RDATE;TZID=Europe/Berlin:20261221T090000",
    );
    assert_eq!(
        weekly,
        [
            span("2026-10-12T07:00:00Z", "2026-10-19T07:00:00Z"),
            span("2026-10-26T08:00:00Z", "2026-11-02T08:00:00Z"),
            span("2026-12-21T08:00:00Z", "2026-12-28T08:00:00Z"),
        ]
    );
    // Without an end: what is over is left, and what is more than a year ahead too.
    let nights = times("DTSTART:20200106T200000Z\r\nDURATION:PT12H\r\nRRULE:FREQ=WEEKLY");
    assert_eq!(nights.len(), 53, "{nights:?}");
    assert_eq!(
        nights[0],
        span("2026-06-01T20:00:00Z", "2026-06-02T08:00:00Z")
    );
}

#[test]
fn whoever_imports_is_told_of_what_goes_on_after_the_year_that_is_taken() {
    for (ends, goes_on) in [
        ("", true),
        (";COUNT=3", false),
        (";COUNT=400", true),
        (";UNTIL=20261001T000000Z", false),
        (";UNTIL=20280101T000000Z", true),
    ] {
        let daily = format!("DTSTART:20260601T200000Z\r\nDURATION:PT12H\r\nRRULE:FREQ=DAILY{ends}");
        let ahead = taken(&event(&daily), &BTreeMap::new()).unwrap().ahead;
        let year = at("2027-06-02T00:00:00Z");
        assert_eq!(ahead, goes_on.then_some(year), "{ends}");
    }
}

#[test]
fn one_time_of_several_can_be_another_or_fall_out() {
    let whole = "BEGIN:VEVENT\nUID:7\nSUMMARY:bob\nDTSTART:20260706T080000Z\nDURATION:PT8H\n\
                 RRULE:FREQ=DAILY;COUNT=4\nEND:VEVENT\n";
    let single = "BEGIN:VEVENT\nUID:7\nSUMMARY:alice\nRECURRENCE-ID:20260707T080000Z\n\
                  DTSTART:20260707T100000Z\nDURATION:PT1H\nEND:VEVENT\n";
    let out = "BEGIN:VEVENT\nUID:7\nSUMMARY:bob\nRECURRENCE-ID:20260708T080000Z\nSTATUS:CANCELLED\n\
               DTSTART:20260708T080000Z\nEND:VEVENT\n";
    // In whichever order they stand.
    let changes = read(&format!("{single}{whole}{out}"), &BTreeMap::new()).unwrap();
    let there: BTreeMap<_, _> = changes
        .iter()
        .filter_map(|(id, change)| Some((*id, change.clone()?)))
        .collect();
    let who: Vec<_> = there
        .values()
        .map(|it| (it.who.as_str(), it.from))
        .collect();
    assert_eq!(who.len(), 3, "{who:?}");
    assert!(who.contains(&("alice", at("2026-07-07T10:00:00Z"))));
    assert!(
        !who.iter()
            .any(|(_, from)| *from == at("2026-07-08T08:00:00Z"))
    );
    // The event is moved: what it said before is taken back, and nothing of others.
    let other = ItemId::from_bytes([9; 16]);
    let mut there = there;
    there.insert(other, there.values().next().unwrap().clone());
    let moved = whole.replace("DTSTART:20260706", "DTSTART:20260806");
    let again = read(&moved, &there).unwrap();
    let (taken, back): (Vec<_>, Vec<_>) = again.iter().partition(|(_, change)| change.is_some());
    assert_eq!((taken.len(), back.len()), (4, 3));
    assert!(!again.contains_key(&other));
    // The same once more changes nothing.
    assert_eq!(read(whole, &BTreeMap::new()).unwrap().len(), 4);
    let cancelled = whole.replace("RRULE", "STATUS:CANCELLED\nRRULE");
    assert!(
        read(&cancelled, &there)
            .unwrap()
            .values()
            .all(Option::is_none)
    );
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_line_and_nothing_is_taken() {
    let good = "DTSTART:20260703T220000Z\r\nDTEND:20260704T220000Z";
    let daily = format!("{good}\r\nRRULE:FREQ=DAILY;COUNT=3");
    for (more, line, part) in [
        (format!("{good}\r\nRRULE:FREQ=HOURLY"), 8, "FREQ=HOURLY"),
        (format!("{good}\r\nEXRULE:FREQ=DAILY"), 8, "EXRULE"),
        (format!("{good}\r\nsomething else"), 8, "not understood"),
        (format!("{good}\r\nDURATION:PT1H"), 8, "one of them"),
        (
            format!("{good}\r\nDTSTART:20260703T220000Z"),
            8,
            "more than once",
        ),
        (
            format!("{good}\r\nRDATE;VALUE=PERIOD:20260703T220000Z/PT1H"),
            8,
            "no time",
        ),
        (
            format!("{daily}\r\nEXDATE;VALUE=DATE:20260704"),
            9,
            "dates where",
        ),
        (
            format!("{good}\r\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260703T220000Z"),
            8,
            "RANGE",
        ),
        (
            format!("{daily}\r\nRECURRENCE-ID:20260703T220000Z"),
            8,
            "RRULE beside",
        ),
        ("DTSTART:20260703T220000Z".to_owned(), 6, "no DTEND"),
        (
            "DTSTART:20260703T220000Z\r\nDURATION:1h".to_owned(),
            7,
            "no span",
        ),
        (
            "DTSTART:20260703T220000Z\r\nDURATION:-PT1H".to_owned(),
            7,
            "no span",
        ),
        (
            "DTSTART:20260703T220000Z\r\nDURATION:P500D".to_owned(),
            7,
            "400 days",
        ),
        (
            "DTSTART:20260703T220000Z\r\nDTEND:20260703T220000Z".to_owned(),
            7,
            "ends before",
        ),
        (
            "DTSTART;VALUE=DATE:20260703\r\nDTEND:20260704T220000Z".to_owned(),
            7,
            "both",
        ),
        (
            "DTSTART;TZID=Mars:20260703T220000\r\nDTEND:20260704T220000Z".to_owned(),
            6,
            "no time",
        ),
        ("X-NOTHING:1".to_owned(), 3, "no DTSTART"),
    ] {
        let error = read(&event(&more), &BTreeMap::new()).unwrap_err();
        assert_eq!(error.line, Some(line), "{more}: {error:?}");
        assert!(error.message.contains(part), "{more}: {error:?}");
    }
}

#[test]
fn strangers_and_what_is_too_much_are_refused() {
    let good = "DTSTART:20260703T220000Z\r\nDTEND:20260704T220000Z";
    let stranger = event(good).replace("SUMMARY:bob", "SUMMARY:carol");
    let error = read(&stranger, &BTreeMap::new()).unwrap_err();
    assert_eq!(error.line, Some(5));
    assert!(error.message.contains("carol"), "{error:?}");
    let deep = "BEGIN:A\r\n".repeat(100_000);
    assert!(read(&deep, &BTreeMap::new()).is_err());
    assert!(read("", &BTreeMap::new()).is_err());
    assert!(read("BEGIN:VEVENT\nUID:1", &BTreeMap::new()).is_err());
    let often = "BEGIN:VEVENT\nUID:1\nSUMMARY:bob\nDTSTART:20260703T220000Z\nDURATION:PT1H\n\
                 RRULE:FREQ=DAILY\nEND:VEVENT\n";
    let many: String = (0..10)
        .map(|n| often.replace("UID:1", &format!("UID:{n}")))
        .collect();
    let error = read(&many, &BTreeMap::new()).unwrap_err();
    assert!(error.message.contains("more than 1000 times"), "{error:?}");
}
