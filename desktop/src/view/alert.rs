//! One alert: always broken or just happened, what people did, and what changed before.

use std::time::Duration;

use aramaki_model::alert::{Alert, AlertId, AlertKind, STRIP_DAYS};
use aramaki_model::day::{StripDay, day_of};
use aramaki_model::snapshot::{TimelineEvent, TimelineItem};
use aramaki_model::{QuietAbout, Snapshot};
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
        /// On how many more nobody heard of it.
        unheard: u32,
    },
    /// It was not OK on some of them.
    Sometimes {
        /// On how many.
        bad: u32,
        /// Of how many.
        days: u32,
        /// On how many more nobody heard of it.
        unheard: u32,
    },
    /// It was not OK on more than half of them.
    Often {
        /// On how many.
        bad: u32,
        /// Of how many.
        days: u32,
        /// On how many more nobody heard of it.
        unheard: u32,
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
        let opened = day_of(alert.opened);
        let strip = days(alert, now).into_iter();
        let (mut known, mut bad, mut unheard) = (0_u32, 0_u32, 0_u32);
        for day in strip.filter(|day| day.is_begun && day.day < opened) {
            match day.worst {
                None => unheard += 1,
                Some(worst) => {
                    known += 1;
                    bad += u32::from(!worst.is_ok());
                }
            }
        }
        match (known, bad) {
            (0, _) => Self::Unknown,
            (days, 0) => Self::New { days, unheard },
            (days, bad) if bad * 2 > days => Self::Often { bad, days, unheard },
            (days, bad) => Self::Sometimes { bad, days, unheard },
        }
    }

    /// On how many of the days before nobody heard of the check.
    pub const fn unheard(self) -> u32 {
        match self {
            Self::New { unheard, .. }
            | Self::Sometimes { unheard, .. }
            | Self::Often { unheard, .. } => unheard,
            Self::Long { .. } | Self::Unknown => 0,
        }
    }
}

/// What is known of each of the last [`STRIP_DAYS`] days in UTC, oldest first.
pub fn days(alert: &Alert, now: Timestamp) -> Vec<StripDay> {
    let count = usize::try_from(STRIP_DAYS).unwrap_or(0);
    alert.days.strip(count, alert.present, now)
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
        TimelineEvent::Quiet(quiet) => {
            let is_of_agent = matches!(alert.kind, AlertKind::Silent { .. });
            let is_family = matches!(&quiet.about, QuietAbout::Family(it) if *it == alert.family);
            let is_agent = matches!(quiet.about, QuietAbout::Agent(_)) && is_of_agent;
            quiet.is_about(&alert.check) || is_family || is_agent
        }
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
