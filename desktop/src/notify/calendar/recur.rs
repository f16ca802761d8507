//! Events that come again: of the rules of RFC 5545 those by which shifts are planned.

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, Weekday};

use super::event::CalendarError;
use super::text::Property;
use super::time::{Moment, days_after};

/// How long ago an event that still comes again may have begun, in days.
const BEGAN_DAYS_AGO_MAX: i64 = 100 * 366;

/// How often something comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Often {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// Until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    Day(NaiveDate),
    Time(Moment),
}

/// A rule by which an event comes again.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    often: Often,
    interval: i64,
    count: Option<usize>,
    until: Option<Until>,
    /// Days of the week, with which of the month.
    days: Vec<(Option<i64>, Weekday)>,
    /// Days of the month, from its end if negative.
    month_days: Vec<i64>,
    months: Vec<u32>,
    week_begins: Weekday,
}

impl Rule {
    /// Reads `FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU;UNTIL=20261231T000000Z`.
    pub(super) fn read(property: &Property, start: &Moment) -> Result<Self, CalendarError> {
        let wrong = |message: String| CalendarError::at(property.line, message);
        let mut often = None;
        let mut rule = Self {
            often: Often::Daily,
            interval: 1,
            count: None,
            until: None,
            days: Vec::new(),
            month_days: Vec::new(),
            months: Vec::new(),
            week_begins: Weekday::Mon,
        };
        for part in property.value.split(';').filter(|it| !it.is_empty()) {
            let not_understood = || wrong(format!("RRULE: `{part}` is not understood here"));
            let (name, value) = part.split_once('=').ok_or_else(not_understood)?;
            let number = || value.parse::<u32>().ok().filter(|it| *it > 0);
            match name.to_ascii_uppercase().as_str() {
                "FREQ" => often = Some(often_of(value).ok_or_else(not_understood)?),
                "INTERVAL" => rule.interval = number().ok_or_else(not_understood)?.into(),
                "COUNT" => {
                    let count = number().and_then(|it| usize::try_from(it).ok());
                    rule.count = Some(count.ok_or_else(not_understood)?);
                }
                "UNTIL" => {
                    let moment = Moment::read(property, value, "UNTIL", start.zone)?;
                    rule.until = Some(if moment.is_day {
                        Until::Day(moment.local.date())
                    } else {
                        Until::Time(moment)
                    });
                }
                "BYDAY" => rule.days = list(value, day_of).ok_or_else(not_understood)?,
                "BYMONTHDAY" => {
                    let day = |text: &str| {
                        let day: i64 = text.parse().ok()?;
                        (1..=31).contains(&day.abs()).then_some(day)
                    };
                    rule.month_days = list(value, day).ok_or_else(not_understood)?;
                }
                "BYMONTH" => {
                    let month = |text: &str| text.parse().ok().filter(|it| (1..=12).contains(it));
                    rule.months = list(value, month).ok_or_else(not_understood)?;
                }
                "WKST" => rule.week_begins = weekday(value).ok_or_else(not_understood)?,
                _ => return Err(not_understood()),
            }
        }
        rule.often = often.ok_or_else(|| wrong("RRULE without FREQ".to_owned()))?;
        if rule.count.is_some() && rule.until.is_some() {
            return Err(wrong("RRULE has COUNT and UNTIL: one of them".to_owned()));
        }
        let numbered = rule.days.iter().any(|(which, _)| which.is_some());
        if rule.often == Often::Yearly && !rule.days.is_empty()
            || numbered && rule.often != Often::Monthly
        {
            return Err(wrong(
                "RRULE: BYDAY is understood by weeks, and with a number by months".to_owned(),
            ));
        }
        if rule.fits(start.local.date(), start.local.date()) {
            Ok(rule)
        } else {
            let message = "RRULE: the event's own DTSTART is none of the times that it says";
            Err(wrong(message.to_owned()))
        }
    }

    /// When it comes: what the wall shows, until a moment, and at most so many; and whether it goes on then.
    ///
    /// # Errors
    /// How many, or how long ago, is too much.
    pub(super) fn times(
        &self,
        start: &Moment,
        until: NaiveDateTime,
        max: usize,
        is_wanted: impl Fn(NaiveDateTime) -> bool,
    ) -> Result<(Vec<NaiveDateTime>, bool), String> {
        let span = until.signed_duration_since(start.local).num_days();
        if span > BEGAN_DAYS_AGO_MAX {
            return Err(format!(
                "RRULE: it began more than {BEGAN_DAYS_AGO_MAX} days ago"
            ));
        }
        let (mut found, mut count) = (Vec::new(), 0_usize);
        let mut at = start.local;
        while at < until && !self.is_over(at, start) {
            if self.fits(at.date(), start.local.date()) {
                count += 1;
                if self.count.is_some_and(|limit| count > limit) {
                    break;
                }
                if is_wanted(at) {
                    if found.len() >= max {
                        return Err(format!("RRULE: it comes more than {max} times"));
                    }
                    found.push(at);
                }
            }
            let Some(next) = days_after(at, 1) else {
                break;
            };
            at = next;
        }
        let is_more = self.count.is_none_or(|limit| count < limit);
        Ok((found, is_more && !self.is_over(at, start)))
    }

    fn is_over(&self, at: NaiveDateTime, start: &Moment) -> bool {
        match self.until {
            None => false,
            Some(Until::Day(day)) => at.date() > day,
            Some(Until::Time(until)) if until.zone == start.zone => at > until.local,
            Some(Until::Time(until)) => {
                let at = Moment {
                    local: at,
                    ..*start
                };
                at.instant() > until.instant()
            }
        }
    }

    /// Whether a date is one of its own.
    fn fits(&self, date: NaiveDate, start: NaiveDate) -> bool {
        let months = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
        let weeks = |date: NaiveDate| {
            let first = date.week(self.week_begins).checked_first_day();
            first.map(|it| {
                it.signed_duration_since(NaiveDate::default())
                    .num_days()
                    .div_euclid(7)
            })
        };
        let passed = match self.often {
            Often::Daily => Some(date.signed_duration_since(start).num_days()),
            Often::Weekly => weeks(date).zip(weeks(start)).map(|(at, from)| at - from),
            Often::Monthly => Some(months(date) - months(start)),
            Often::Yearly => Some(i64::from(date.year()) - i64::from(start.year())),
        };
        if passed.and_then(|it| it.checked_rem(self.interval)) != Some(0) {
            return false;
        }
        let in_month = self.months.is_empty() || self.months.contains(&date.month());
        let (has_days, has_month_days) = (!self.days.is_empty(), !self.month_days.is_empty());
        let by_day = !has_days || self.days.iter().any(|day| is_day(date, *day));
        let by_month_day =
            !has_month_days || self.month_days.iter().any(|day| is_month_day(date, *day));
        let by_start = has_days
            || has_month_days
            || match self.often {
                Often::Daily => true,
                Often::Weekly => date.weekday() == start.weekday(),
                Often::Monthly => date.day() == start.day(),
                Often::Yearly => {
                    date.day() == start.day()
                        && (!self.months.is_empty() || date.month() == start.month())
                }
            };
        // Days of a month are those of the month in which it begins, if nothing else is said of a year.
        let by_year =
            self.often != Often::Yearly || !self.months.is_empty() || date.month() == start.month();
        in_month && by_day && by_month_day && by_start && by_year
    }
}

fn often_of(text: &str) -> Option<Often> {
    match text.to_ascii_uppercase().as_str() {
        "DAILY" => Some(Often::Daily),
        "WEEKLY" => Some(Often::Weekly),
        "MONTHLY" => Some(Often::Monthly),
        "YEARLY" => Some(Often::Yearly),
        _ => None,
    }
}

fn list<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    /// Entries of one list: more than there are days in a month, twice.
    const LIST_MAX: usize = 64;
    let entries: Vec<&str> = text.split(',').map(str::trim).collect();
    if entries.len() > LIST_MAX {
        return None;
    }
    entries.into_iter().map(read).collect()
}

fn weekday(text: &str) -> Option<Weekday> {
    match text.to_ascii_uppercase().as_str() {
        "MO" => Some(Weekday::Mon),
        "TU" => Some(Weekday::Tue),
        "WE" => Some(Weekday::Wed),
        "TH" => Some(Weekday::Thu),
        "FR" => Some(Weekday::Fri),
        "SA" => Some(Weekday::Sat),
        "SU" => Some(Weekday::Sun),
        _ => None,
    }
}

/// `MO`, `1MO`, `-1FR`.
fn day_of(text: &str) -> Option<(Option<i64>, Weekday)> {
    let (number, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let day = weekday(day)?;
    if number.is_empty() {
        return Some((None, day));
    }
    let number: i64 = number.parse().ok()?;
    (1..=5)
        .contains(&number.abs())
        .then_some((Some(number), day))
}

/// Days of a date's month.
fn days_of_month(date: NaiveDate) -> i64 {
    date.num_days_in_month().into()
}

fn is_day(date: NaiveDate, (which, day): (Option<i64>, Weekday)) -> bool {
    let from_begin = i64::from(date.day0()) / 7 + 1;
    let from_end = (days_of_month(date) - i64::from(date.day())) / 7 + 1;
    date.weekday() == day && which.is_none_or(|which| which == from_begin || which == -from_end)
}

fn is_month_day(date: NaiveDate, day: i64) -> bool {
    let from_end = days_of_month(date) - i64::from(date.day()) + 1;
    day == i64::from(date.day()) || day == -from_end
}

#[cfg(test)]
mod tests {
    use super::*;
    use aramaki_model::notify::Zone;

    fn start(text: &str) -> Moment {
        Moment {
            local: NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").unwrap(),
            zone: Zone::default(),
            is_day: false,
        }
    }

    fn property(value: &str) -> Property {
        Property {
            line: 7,
            value: value.to_owned(),
            ..Property::default()
        }
    }

    fn dates(rule: &str, from: &str, until: &str) -> Result<Vec<String>, String> {
        let start = start(from);
        let rule = Rule::read(&property(rule), &start).map_err(|error| error.message)?;
        let until = NaiveDateTime::parse_from_str(until, "%Y%m%dT%H%M%S");
        let until = until.map_err(|error| error.to_string())?;
        let (times, _) = rule.times(&start, until, 100, |_| true)?;
        Ok(times
            .iter()
            .map(|it| it.format("%m%d").to_string())
            .collect())
    }

    #[test]
    fn rules_of_shifts_give_the_days_that_the_standard_says() {
        for (rule, from, expected) in [
            ("FREQ=DAILY;COUNT=3", "20260101T090000", "0101 0102 0103"),
            (
                "FREQ=DAILY;INTERVAL=2;UNTIL=20260105",
                "20260101T090000",
                "0101 0103 0105",
            ),
            (
                "FREQ=DAILY;UNTIL=20260102T090000Z",
                "20260101T090000",
                "0101 0102",
            ),
            ("FREQ=WEEKLY;COUNT=3", "20260101T090000", "0101 0108 0115"),
            (
                "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4",
                "20260105T090000",
                "0105 0107 0112 0114",
            ),
            // The two weeks of the standard: which days they are depends on where a week begins.
            (
                "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
                "19970805T090000",
                "0805 0810 0819 0824",
            ),
            (
                "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
                "19970805T090000",
                "0805 0817 0819 0831",
            ),
            ("FREQ=MONTHLY;COUNT=3", "20260131T090000", "0131 0331 0531"),
            (
                "FREQ=MONTHLY;BYDAY=1MO;COUNT=3",
                "20260105T090000",
                "0105 0202 0302",
            ),
            (
                "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3",
                "20260130T090000",
                "0130 0227 0327",
            ),
            (
                "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3",
                "20260131T090000",
                "0131 0228 0331",
            ),
            ("FREQ=YEARLY;COUNT=2", "20260704T090000", "0704 0704"),
            (
                "FREQ=YEARLY;BYMONTH=1,7;COUNT=3",
                "20260704T090000",
                "0704 0104 0704",
            ),
            (
                "FREQ=DAILY;BYMONTH=1;BYDAY=SA,SU;COUNT=3",
                "20260103T090000",
                "0103 0104 0110",
            ),
        ] {
            let until = format!("{}1231T000000", from[..4].parse::<u32>().unwrap() + 3);
            let found = dates(rule, from, &until).unwrap();
            assert_eq!(found.join(" "), expected, "{rule}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_and_nothing_runs_on() {
        let at = "20260101T090000";
        for (rule, part) in [
            ("FREQ=HOURLY", "FREQ=HOURLY"),
            ("INTERVAL=2", "without FREQ"),
            ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS=1"),
            ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0"),
            ("FREQ=DAILY;COUNT=2;UNTIL=20260601", "one of them"),
            ("FREQ=WEEKLY;BYDAY=1TH", "by months"),
            ("FREQ=YEARLY;BYDAY=TH", "by months"),
            ("FREQ=WEEKLY;BYDAY=MO", "DTSTART"),
            ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32"),
            ("FREQ=DAILY;UNTIL=soon", "is no time"),
            ("FREQ", "FREQ"),
        ] {
            let error = dates(rule, at, "20270101T000000").unwrap_err();
            assert!(error.contains(part), "{rule}: {error}");
        }
        let often = dates("FREQ=DAILY", at, "20270101T000000").unwrap_err();
        assert!(often.contains("more than 100 times"), "{often}");
        let long = dates("FREQ=YEARLY", "10000101T090000", "20270101T000000").unwrap_err();
        assert!(long.contains("days ago"), "{long}");
    }
}
