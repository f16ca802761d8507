//! Only at these times: hours of some days of the week.

use std::collections::BTreeSet;

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock::{Day, TimeOfDay, Zone};

/// Days that are looked at around a moment: every day of the week comes, and one for zones.
const DAYS_AHEAD: u64 = 9;

/// Hours of some days of the week, on the clocks of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hours {
    /// On which days they begin; none: on all.
    pub days: BTreeSet<Day>,
    /// When they begin.
    pub from: TimeOfDay,
    /// When they end; before the beginning: on the next day.
    pub until: TimeOfDay,
    /// Whose clocks.
    pub zone: Zone,
}

impl Default for Hours {
    fn default() -> Self {
        Self {
            days: BTreeSet::new(),
            from: TimeOfDay::default(),
            until: TimeOfDay::END,
            zone: Zone::default(),
        }
    }
}

impl Hours {
    /// Whether it is such a time.
    pub fn covers(&self, now: Timestamp) -> bool {
        self.windows(now)
            .any(|(from, until)| from <= now && now < until)
    }

    /// When such a time begins next; none if it never does.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let begins = self.windows(now).map(|(from, _)| from);
        begins.filter(|from| *from > now).min()
    }

    /// The windows around a moment.
    fn windows(&self, now: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        let yesterday = self.zone.date(now).and_then(|date| date.pred_opt());
        let days = yesterday.into_iter().flat_map(|first| first.iter_days());
        let wraps = self.until <= self.from;
        days.take(usize::try_from(DAYS_AHEAD).unwrap_or(9))
            .filter_map(move |date| {
                if !self.days.is_empty() && !self.days.contains(&Day::of(date)) {
                    return None;
                }
                let last = if wraps { date.succ_opt()? } else { date };
                Some((
                    self.zone.at(date, self.from)?,
                    self.zone.at(last, self.until)?,
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Timestamp {
        let at = chrono::DateTime::parse_from_rfc3339(text).unwrap();
        Timestamp::from_millis(at.timestamp_millis())
    }

    fn hours(days: &[Day], from: &str, until: &str) -> Hours {
        Hours {
            days: days.iter().copied().collect(),
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
            zone: "Europe/Berlin".parse().unwrap(),
        }
    }

    #[test]
    fn office_hours_follow_the_clocks_of_their_zone() {
        let week = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri];
        let office = hours(&week, "08:00", "18:00");
        // Monday in winter and in summer.
        assert!(office.covers(utc("2026-01-05T07:00:00Z")));
        assert!(!office.covers(utc("2026-07-06T16:00:00Z")));
        assert!(office.covers(utc("2026-07-06T15:59:59Z")));
        let friday_evening = utc("2026-07-03T16:00:00Z");
        assert!(!office.covers(friday_evening));
        assert_eq!(
            office.next(friday_evening),
            Some(utc("2026-07-06T06:00:00Z"))
        );
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let night = hours(&[Day::Fri], "22:00", "06:00");
        assert!(
            night.covers(utc("2026-07-03T21:00:00Z")),
            "Friday, 23 o'clock"
        );
        assert!(night.covers(utc("2026-07-04T03:59:00Z")), "Saturday, 5:59");
        assert!(
            !night.covers(utc("2026-07-04T21:00:00Z")),
            "Saturday, 23 o'clock"
        );
        assert!(Hours::default().covers(utc("2026-07-04T21:00:00Z")));
    }
}
