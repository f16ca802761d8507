//! Silences and maintenance windows as lines of a timeline, derived from what became of them.

use std::collections::BTreeMap;
use std::time::Duration;

use aramaki_sync_core::{AuthorId, Timestamp};

use crate::alert::{Alert, AlertKind, RESOLVED_DAYS, RESOLVED_OF_CHECK_MAX, agent_check};
use crate::doc::Act;
use crate::id::{CheckId, EntryId, ItemId};
use crate::lived::Lived;
use crate::maintenance::Maintenance;
use crate::quiet::{Quiet, QuietAbout, QuietStep};
use crate::severity::Severity;
use crate::silence::{Matter, Reach, Silence};
use crate::snapshot::CheckView;
use crate::system::{NAME_LEN_BYTES_MAX, System};
use crate::text::clean_line;
use crate::workspace::OpenSpace;

/// A window that opens so soon after it was planned has no line of its own for that.
const AT_ONCE: Duration = Duration::from_mins(1);

/// How long alerts that are over are known, and with them what was quiet.
const KEPT: Duration = Duration::from_hours(24 * RESOLVED_DAYS as u64);

/// One line: when, by whom, and what.
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) id: EntryId,
    pub(super) by: Option<AuthorId>,
    pub(super) quiet: Quiet,
}

/// All that the lines of a System follow from.
pub(super) struct Quieted<'a> {
    pub(super) system: &'a System,
    pub(super) open: &'a OpenSpace,
    pub(super) checks: &'a [CheckView],
    pub(super) alerts: &'a [Alert],
    pub(super) now: Timestamp,
}

impl Quieted<'_> {
    /// The lines of all silences and windows.
    pub(super) fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (item, lived) in &self.system.lives.silences {
            self.silence(*item, lived, &mut lines);
        }
        for (item, lived) in &self.system.lives.maintenance {
            self.maintenance(*item, lived, &mut lines);
        }
        lines
    }

    /// The moments at which time alone changes them.
    pub(super) fn deadlines(&self) -> Vec<Timestamp> {
        let forgotten = |from: Timestamp| from.plus(KEPT).plus(Duration::from_millis(1));
        let mut deadlines = Vec::new();
        for (_, lived) in &self.system.lives.silences {
            deadlines.extend([lived.what.until, forgotten(lived.what.from)]);
            deadlines.extend(lived.taken.map(|taken| taken.at));
        }
        for (_, lived) in &self.system.lives.maintenance {
            let window = &lived.what;
            let taken = lived.taken.map(|taken| taken.at);
            deadlines.extend(taken.into_iter().chain(window.next_change(self.now)));
            let last = taken.map_or(self.now, |at| at.min(self.now));
            let over = window.ended(last).map(|end| end.minus(length(window)));
            let open = window.next_window(last).map(|(begin, _)| begin);
            deadlines.extend(over.into_iter().chain(open).map(forgotten));
        }
        deadlines
    }

    fn silence(&self, item: ItemId, lived: &Lived<Silence>, lines: &mut Vec<Line>) {
        let silence = &lived.what;
        let made = moment(item, lived.made.at);
        // Of which family a problem was at a moment, nobody knows later: that follows from its last words.
        let counted = |is_so: &dyn Fn(&Matter<'_>) -> bool| {
            let is_counted = silence.family.is_none();
            is_counted
                .then(|| self.counted(silence.from, is_so))
                .flatten()
        };
        let base = Quiet {
            about: self.about(silence),
            step: QuietStep::Made,
            reason: clean_line(&silence.reason, NAME_LEN_BYTES_MAX),
            from: silence.from,
            until: silence.until,
            until_resolved: silence.until_resolved,
            again: false,
            muted: counted(&|matter| matter.is_quiet_at(silence, silence.from)),
        };
        let mut line = |at, by: Option<Act>, quiet| lines.push(self.line(item, (at, by), quiet));
        line(made, Some(lived.made), base.clone());
        let ended = |step, until| Quiet {
            step,
            muted: counted(&|matter| matter.is_quiet_in(silence, until)),
            ..base.clone()
        };
        let taken = lived.taken.filter(|taken| taken.at < silence.until);
        let resolved = self.resolved(silence);
        let resolved = resolved.filter(|at| taken.is_none_or(|taken| *at <= taken.at));
        match (resolved, taken) {
            (Some(at), _) => line(at, None, ended(QuietStep::Resolved, at)),
            (None, Some(taken)) => {
                line(taken.at, Some(taken), ended(QuietStep::Ended, taken.at));
            }
            (None, None) if silence.until <= self.now && silence.from < silence.until => {
                let until = silence.until;
                line(until, None, ended(QuietStep::RanOut, until));
            }
            (None, None) => {}
        }
    }

    fn maintenance(&self, item: ItemId, lived: &Lived<Maintenance>, lines: &mut Vec<Line>) {
        let window = &lived.what;
        let made = moment(item, lived.made.at);
        let again = window.cron.is_some() || window.every_days.is_some();
        let base = Quiet {
            about: QuietAbout::Maintenance,
            step: QuietStep::Made,
            reason: clean_line(&window.reason, NAME_LEN_BYTES_MAX),
            from: window.from,
            until: window.until,
            until_resolved: false,
            again,
            muted: None,
        };
        let mut line = |at, by: Option<Act>, quiet| lines.push(self.line(item, (at, by), quiet));
        line(made, Some(lived.made), base.clone());
        let last = lived.taken.map_or(self.now, |taken| taken.at.min(self.now));
        let of = |step, from: Timestamp, until: Timestamp, seen: Timestamp| Quiet {
            step,
            from,
            until,
            muted: match step {
                QuietStep::Opened => None,
                _ => self.counted(from, |matter| matter.is_there_in(from, seen)),
            },
            ..base.clone()
        };
        if let Some(end) = window.ended(last).filter(|end| *end > made) {
            let begin = end.minus(length(window));
            if begin > made.plus(AT_ONCE) {
                line(begin, None, of(QuietStep::Opened, begin, end, end));
            }
            line(end, None, of(QuietStep::RanOut, begin, end, end));
        }
        let open = window.next_window(last).filter(|_| window.covers(last));
        if let Some((begin, end)) = open.filter(|(begin, _)| *begin > made.plus(AT_ONCE)) {
            line(begin, None, of(QuietStep::Opened, begin, end, end));
        }
        let Some(taken) = lived.taken else {
            return;
        };
        // What was over was only tidied up.
        if let Some((begin, end)) = window.next_window(taken.at) {
            line(
                taken.at,
                Some(taken),
                of(QuietStep::Ended, begin, end, taken.at),
            );
        }
    }

    fn line(&self, item: ItemId, (at, by): (Timestamp, Option<Act>), quiet: Quiet) -> Line {
        Line {
            at,
            id: id(item, quiet.step, at),
            by: by.and_then(|by| self.open.author(&by.actor)),
            quiet,
        }
    }

    /// What a silence is of, by the names of today.
    fn about(&self, silence: &Silence) -> QuietAbout {
        if let Some(family) = &silence.family {
            return QuietAbout::Family(clean_line(family, NAME_LEN_BYTES_MAX));
        }
        match (silence.check, silence.reach) {
            (None, Reach::System) => QuietAbout::System,
            (None, Reach::Subtree) => QuietAbout::Subtree,
            (Some(check), _) => self.agent(&check).unwrap_or_else(|| {
                let mut known = self.checks.iter().map(|view| &view.check);
                let name = known.find(|known| known.id == check);
                let mut removed = self.system.lives.checks.iter();
                let removed = removed.find(|(id, _, _)| *id == check);
                let name = name.or(removed.map(|(_, check, _)| check));
                let name = name.map(|check| check.name.clone()).unwrap_or_default();
                QuietAbout::Check { check, name }
            }),
        }
    }

    fn agent(&self, check: &CheckId) -> Option<QuietAbout> {
        let mut agents = self.system.lives.agents.iter();
        let (agent, lived) = agents.find(|(agent, _)| agent_check(agent) == *check)?;
        let label = clean_line(&lived.what.label, NAME_LEN_BYTES_MAX);
        let name = Some(label).filter(|label| !label.is_empty());
        Some(QuietAbout::Agent(name.unwrap_or_else(|| agent.short())))
    }

    /// How many problems of which checks told are so; none when some of that time are forgotten. What was only not
    /// heard leaves nothing behind, so a number with it would be another one when that is over.
    fn counted(&self, from: Timestamp, is_so: impl Fn(&Matter<'_>) -> bool) -> Option<u32> {
        if self.now > from.plus(KEPT) || self.is_forgotten(from) {
            return None;
        }
        let told = self.alerts.iter();
        let told = told.filter(|alert| alert.kind == AlertKind::Problem);
        let so = told.filter(|alert| is_so(&matter(alert)));
        Some(u32::try_from(so.count()).unwrap_or(u32::MAX))
    }

    /// Whether a check had so many problems since a moment that the first of them are not shown any more.
    fn is_forgotten(&self, from: Timestamp) -> bool {
        if self.alerts.len() < RESOLVED_OF_CHECK_MAX {
            return false;
        }
        let over = self.alerts.iter().filter(|it| it.resolved > Some(from));
        let mut since: BTreeMap<CheckId, usize> = BTreeMap::new();
        for alert in over {
            *since.entry(alert.check).or_default() += 1;
        }
        since.values().any(|count| *count >= RESOLVED_OF_CHECK_MAX)
    }

    /// When all problems were over that a silence was for; none while one is there, or it is not known.
    fn resolved(&self, silence: &Silence) -> Option<Timestamp> {
        if !silence.until_resolved {
            return None;
        }
        let ends: Option<Vec<Timestamp>> = if silence.family.is_some() {
            let alerts = self.alerts.iter();
            let meant = alerts.filter(|alert| matter(alert).is_quiet_at(silence, silence.from));
            meant.map(|alert| alert.resolved).collect()
        } else {
            let checks = self.checks.iter();
            let meant = checks.filter(|view| silence.check.is_none_or(|it| it == view.check.id));
            let problems = meant.filter(|view| was_problem(&view.history, silence.from));
            problems
                .map(|view| ok_after(&view.history, silence.from))
                .collect()
        };
        let end = ends?.into_iter().max()?;
        (end < silence.until).then_some(end)
    }
}

fn length(window: &Maintenance) -> Duration {
    window.until.since(window.from)
}

/// Whether a check was a problem at a moment.
fn was_problem(history: &[(Timestamp, Severity)], at: Timestamp) -> bool {
    let before = history.iter().take_while(|(changed, _)| *changed <= at);
    before
        .last()
        .is_some_and(|(_, was)| *was > Severity::Missing)
}

/// When it was no problem for the first time after a moment.
fn ok_after(history: &[(Timestamp, Severity)], at: Timestamp) -> Option<Timestamp> {
    let mut after = history.iter().skip_while(|(changed, _)| *changed <= at);
    let fine = after.find(|(_, state)| *state <= Severity::Missing);
    fine.map(|(at, _)| *at)
}

fn matter(alert: &Alert) -> Matter<'_> {
    Matter {
        alert: Some(alert.id),
        check: alert.check,
        family: &alert.family,
        opened: Some(alert.opened),
        resolved: alert.resolved,
        heard: None,
    }
}

/// When an item was made, to the millisecond where its id says so.
fn moment(item: ItemId, second: Timestamp) -> Timestamp {
    let at = item.at();
    let is_within = second <= at && at < second.plus(Duration::from_secs(1));
    if is_within { at } else { second }
}

/// Tells lines apart, on every replica alike.
fn id(item: ItemId, step: QuietStep, at: Timestamp) -> EntryId {
    let mut hasher = blake3::Hasher::new_derive_key("aramaki line of a silence or window v1");
    hasher.update(item.as_bytes());
    hasher.update(step.word().as_bytes());
    let mut random = [0; 10];
    for (place, byte) in random.iter_mut().zip(hasher.finalize().as_bytes()) {
        *place = *byte;
    }
    EntryId::new(at, random)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_history_says_what_was_a_problem_at_a_moment_and_when_that_was_over() {
        use Severity::{Critical, Missing, Ok, Warning};
        let history = [
            (at(5), Ok),
            (at(10), Critical),
            (at(20), Warning),
            (at(30), Missing),
            (at(40), Ok),
        ];
        let was = |now| was_problem(&history, at(now));
        assert_eq!(
            [4, 5, 9, 10, 29, 30, 40].map(was),
            [false, false, false, true, true, false, false]
        );
        assert_eq!(ok_after(&history, at(10)), Some(at(30)));
        assert_eq!(ok_after(&history, at(30)), Some(at(40)));
        assert_eq!(ok_after(&history, at(40)), None);
    }

    #[test]
    fn the_second_in_which_an_item_was_made_is_known_closer_by_an_honest_id() {
        let made = at(7).plus(Duration::from_millis(400));
        let item = ItemId::new(made, [1; 10]);
        assert_eq!(moment(item, at(7)), made);
        assert_eq!(moment(item, at(9)), at(9));
        assert_eq!(moment(item, at(6)), at(6));
    }

    #[test]
    fn two_lines_of_one_moment_have_ids_of_their_own() {
        let item = ItemId::new(at(7), [1; 10]);
        let id = |step| id(item, step, at(9));
        assert_eq!(id(QuietStep::Ended), id(QuietStep::Ended));
        assert_ne!(id(QuietStep::Ended), id(QuietStep::Opened));
    }
}
