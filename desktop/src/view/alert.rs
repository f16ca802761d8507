//! One alert: always broken or just happened, what people did, and what changed before.

use std::time::Duration;

use aramaki_model::alert::{Alert, AlertId, STRIP_DAYS};
use aramaki_model::snapshot::{TimelineEvent, TimelineItem};
use aramaki_model::{Severity, Snapshot};
use aramaki_sync_core::Timestamp;

const DAY: Duration = Duration::from_hours(24);
/// How many entries of its own timeline are shown.
pub const STORY_ITEMS_MAX: usize = 60;
/// An alert that is open for so long did not just happen.
const LONG: Duration = Duration::from_hours(7 * 24);

/// Whether a check is always broken, or something just happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// It was OK on every day before that is known.
    New {
        /// How many days those are.
        days: u32,
    },
    /// It was not OK on some of them.
    Sometimes {
        /// On how many.
        bad: u32,
        /// Of how many.
        days: u32,
    },
    /// It was not OK on more than half of them.
    Often {
        /// On how many.
        bad: u32,
        /// Of how many.
        days: u32,
    },
    /// This alert is open for a week or longer.
    Long {
        /// For how many days.
        days: u32,
    },
    /// Nothing is known of the time before.
    Unknown,
}

impl Habit {
    /// What the strip tells.
    pub fn of(alert: &Alert, now: Timestamp) -> Self {
        let lasted = alert.resolved.unwrap_or(now).since(alert.opened);
        if lasted >= LONG {
            let days = u32::try_from(lasted.as_secs() / DAY.as_secs()).unwrap_or(u32::MAX);
            return Self::Long { days };
        }
        let strip = days(alert, now);
        let opened = day_of(alert.opened);
        let first = day_of(now) - i64::from(STRIP_DAYS) + 1;
        let before = (first..)
            .zip(strip)
            .filter(|(day, severity)| *day < opened && *severity != Severity::Missing);
        let (mut known, mut bad) = (0_u32, 0_u32);
        for (_day, severity) in before {
            known += 1;
            bad += u32::from(!severity.is_ok());
        }
        match (known, bad) {
            (0, _) => Self::Unknown,
            (days, 0) => Self::New { days },
            (days, bad) if bad * 2 > days => Self::Often { bad, days },
            (days, bad) => Self::Sometimes { bad, days },
        }
    }
}

/// Days since the beginning of Unix time, in UTC.
fn day_of(time: Timestamp) -> i64 {
    time.millis().div_euclid(86_400_000)
}

/// The worst state of the check on each of the last [`STRIP_DAYS`] days in UTC, oldest first; Missing
/// where nothing is known.
pub fn days(alert: &Alert, now: Timestamp) -> Vec<Severity> {
    let first = day_of(now) - i64::from(STRIP_DAYS) + 1;
    let mut strip = Vec::new();
    let mut transitions = alert.transitions.iter().peekable();
    let mut carried = None;
    for day in first..=day_of(now) {
        let mut worst: Option<Severity> = carried;
        while let Some((_at, severity)) = transitions.next_if(|(at, _)| day_of(*at) <= day) {
            let was_before = carried.is_none() && worst.is_none();
            worst = if was_before {
                Some(*severity)
            } else {
                worst.max(Some(*severity))
            };
            carried = Some(*severity);
        }
        strip.push(worst.unwrap_or(Severity::Missing));
    }
    strip
}

/// What happened to it, newest first: its check, and what people wrote since shortly before.
pub fn story<'a>(snapshot: &'a Snapshot, alert: &Alert) -> Vec<&'a TimelineItem> {
    let begin = alert.opened.minus(Duration::from_hours(1));
    let end = alert
        .resolved
        .map_or(Timestamp::MAX, |at| at.plus(DAY / 24));
    let Some(system) = snapshot.system(&alert.system) else {
        return Vec::new();
    };
    let is_of_it = |item: &&TimelineItem| match &item.event {
        TimelineEvent::Transition { check, .. } => *check == alert.check,
        TimelineEvent::Acknowledgement(it) => it.check.is_none_or(|check| check == alert.check),
        TimelineEvent::Membership { .. } => false,
        _ => true,
    };
    let items = system.timeline.iter().map(AsRef::as_ref);
    items
        .filter(|item: &&TimelineItem| (begin..=end).contains(&item.at))
        .filter(is_of_it)
        .take(STORY_ITEMS_MAX)
        .collect()
}

/// An alert by its id.
pub fn find(snapshot: &Snapshot, id: AlertId) -> Option<&Alert> {
    let found = snapshot.alerts.iter().find(|alert| alert.id == id);
    found.map(AsRef::as_ref)
}
