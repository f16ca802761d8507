//! Whose results are taken: checks that are configured as external, and names that the host lets in.
//! No I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::check_fault::SPAN_MAX_MS;
use aramaki_model::heartbeat::HEARTBEAT_INTERVAL_MS;
use aramaki_model::{Check, CheckId, CheckKind, Pattern, Severity};
use aramaki_sync_core::{AuthorId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::config::{ListenConfig, local_check_id};
use crate::listen::{ExternalResult, Said};

/// Names that were refused and are remembered, so that the host can let them in.
pub(crate) const REFUSED_MAX: usize = 64;
/// An alert that is over is remembered for so long.
const ALERT_KEPT_MS: i64 = 86_400_000;
/// A check tells of another time to live at most so often.
const TTL_CHANGE_MS_MIN: i64 = 60_000;
/// Others hear of a result by a heartbeat, and one may be lost: silence counts from there.
const HEARING_MS: u64 = 2 * HEARTBEAT_INTERVAL_MS;

/// A check that came to be because somebody sent a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learned {
    /// What makes it the same check the next time.
    key: String,
    pub(crate) check: Check,
    /// When its check last changed.
    changed: Timestamp,
    /// When an alert ends, if it is not sent again.
    ends: Option<Timestamp>,
    /// When an alert ended.
    ended: Option<Timestamp>,
}

/// A name whose results were not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefusedName {
    pub(crate) name: String,
    /// How many results.
    pub(crate) count: u64,
    /// When the last one came.
    pub(crate) last: Timestamp,
}

/// A result that is taken.
#[derive(Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) check: CheckId,
    /// A check that was not known before, or not in this way.
    pub(crate) news: Option<Check>,
}

/// What is configured under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// A check that waits for results.
    Awaits(CheckId),
    /// The same, turned off.
    Off,
    /// One that this agent runs itself: nobody else says how it is.
    RunHere,
}

/// Whose results are taken.
#[derive(Debug)]
pub(crate) struct Externals {
    agent: AuthorId,
    names: Vec<Pattern>,
    limit: usize,
    ttl_ms: u64,
    /// What the names of configured checks mean for results.
    configured: BTreeMap<String, Named>,
    /// The ids of all that is configured.
    ids: BTreeSet<CheckId>,
    learned: BTreeMap<CheckId, Learned>,
    refused: Vec<RefusedName>,
    /// Names that the host let out for good.
    forgotten: BTreeSet<String>,
}

impl Externals {
    /// Remembers what was learned before, as far as the host still lets it in.
    pub(crate) fn new(agent: AuthorId, config: &ListenConfig, learned: Vec<Learned>) -> Self {
        let mut externals = Self {
            agent,
            names: config.names.clone(),
            limit: config.limit,
            ttl_ms: config.ttl_ms,
            configured: BTreeMap::new(),
            ids: BTreeSet::new(),
            learned: BTreeMap::new(),
            refused: Vec::new(),
            forgotten: BTreeSet::new(),
        };
        let kept: Vec<_> = learned
            .into_iter()
            .filter(|learned| externals.lets_in(&learned.check.name))
            .take(externals.limit)
            .collect();
        externals
            .learned
            .extend(kept.into_iter().map(|learned| (learned.check.id, learned)));
        externals
    }

    /// These checks are configured now; one of them takes the place of one that was learned under its name, or
    /// under its id.
    pub(crate) fn configure<'a>(&mut self, checks: impl IntoIterator<Item = &'a Check>) {
        self.configured.clear();
        self.ids.clear();
        for check in checks {
            self.ids.insert(check.id);
            let named = match (&check.kind, check.enabled) {
                (CheckKind::External {}, true) => Named::Awaits(check.id),
                (CheckKind::External {}, false) => Named::Off,
                _ => Named::RunHere,
            };
            let known = self.configured.entry(check.name.clone()).or_insert(named);
            // Of two with one name the one that is run decides: no sender takes its place.
            if named == Named::RunHere {
                *known = named;
            }
        }
        let (names, ids) = (&self.configured, &self.ids);
        self.learned
            .retain(|id, learned| !names.contains_key(&learned.check.name) && !ids.contains(id));
    }

    /// These names are let out from now on, and no others; returns the checks that are gone by that.
    pub(crate) fn let_out(&mut self, names: BTreeSet<String>) -> BTreeSet<CheckId> {
        self.forgotten = names;
        let forgotten = &self.forgotten;
        let gone: BTreeSet<_> = self
            .learned
            .values()
            .filter(|learned| forgotten.contains(&learned.check.name))
            .map(|learned| learned.check.id)
            .collect();
        self.learned.retain(|id, _| !gone.contains(id));
        self.refused
            .retain(|refused| !forgotten.contains(&refused.name));
        gone
    }

    /// The checks that were learned.
    pub(crate) fn checks(&self) -> impl Iterator<Item = &Check> {
        self.learned.values().map(|learned| &learned.check)
    }

    /// What to remember.
    pub(crate) fn learned(&self) -> Vec<Learned> {
        self.learned.values().cloned().collect()
    }

    /// Names whose results were not taken, most recent last.
    pub(crate) fn refused(&self) -> &[RefusedName] {
        &self.refused
    }

    /// A name that the host lets in: one pattern is like it, and none with `!` before it.
    fn lets_in(&self, name: &str) -> bool {
        let mut is_in = false;
        for pattern in &self.names {
            match pattern.0.strip_prefix('!') {
                Some(not) if Pattern(not.to_owned()).matches(name) => return false,
                Some(_) => {}
                None => is_in |= pattern.matches(name),
            }
        }
        is_in
    }

    /// Whether a result is taken, and for which check; for none if it says nothing of anything known.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) fn take(
        &mut self,
        result: &ExternalResult,
        now: Timestamp,
    ) -> Result<Option<Taken>, String> {
        let name = &result.name;
        match self.configured.get(name) {
            Some(Named::Awaits(id)) => {
                return Ok(Some(Taken {
                    check: *id,
                    news: None,
                }));
            }
            Some(Named::Off) => return Err(format!("the check {name:?} is turned off")),
            Some(Named::RunHere) => {
                return Err(format!(
                    "the check {name:?} is run by this agent, and takes no results of others"
                ));
            }
            None => {}
        }
        let id = local_check_id(self.agent, &result.key);
        let ttl_ms = result.ttl_ms.map(|ttl| ttl.saturating_add(HEARING_MS));
        // An alert that is over says nothing for as long as all is well.
        let ttl_ms = match result.ends {
            Some(_) => SPAN_MAX_MS,
            None => ttl_ms.unwrap_or(self.ttl_ms).min(SPAN_MAX_MS),
        };
        let is_over = matches!(
            result.said,
            Said::Alert {
                severity: Severity::Ok,
                ..
            }
        );
        let ended = (result.ends.is_some() && is_over).then_some(now);
        if let Some(learned) = self.learned.get_mut(&id) {
            learned.ends = result.ends.filter(|_| !is_over);
            learned.ended = ended.map(|now| learned.ended.unwrap_or(now));
            let since = now.millis().saturating_sub(learned.changed.millis());
            let is_other = learned.check.ttl_ms != Some(ttl_ms);
            let news = (is_other && since >= TTL_CHANGE_MS_MIN).then(|| {
                learned.check.ttl_ms = Some(ttl_ms);
                learned.changed = now;
                learned.check.clone()
            });
            return Ok(Some(Taken { check: id, news }));
        }
        if ended.is_some() && self.lets_in(name) && !self.forgotten.contains(name) {
            // Nobody knew of it, and it is over: nothing happened here.
            return Ok(None);
        }
        self.learn(id, result, ttl_ms, now).map(Some)
    }

    /// Lets a new name in.
    fn learn(
        &mut self,
        id: CheckId,
        result: &ExternalResult,
        ttl_ms: u64,
        now: Timestamp,
    ) -> Result<Taken, String> {
        let name = &result.name;
        if self.forgotten.contains(name) {
            return Err(format!(
                "results under the name {name:?} are let out here: `aramaki-agent forget {name:?} --undo` takes them"
            ));
        }
        if !self.lets_in(name) {
            self.refuse(name, now);
            return Err(format!(
                "no check is called {name:?}, and listen.names does not let it in"
            ));
        }
        if self.ids.contains(&id) {
            return Err(format!(
                "{name:?} would stand in the place of a configured check"
            ));
        }
        if self.learned.len() >= self.limit {
            self.refuse(name, now);
            return Err(format!(
                "{name:?} would be one more than the {} of listen.limit",
                self.limit
            ));
        }
        let check = Check {
            ttl_ms: Some(ttl_ms),
            about: result.about.clone(),
            ..Check::new(id, name.clone(), CheckKind::External {})
        };
        if let Err(fault) = check.examine() {
            return Err(fault.to_string());
        }
        let learned = Learned {
            key: result.key.clone(),
            check: check.clone(),
            changed: now,
            ends: result.ends,
            ended: None,
        };
        self.learned.insert(id, learned);
        Ok(Taken {
            check: id,
            news: Some(check),
        })
    }

    fn refuse(&mut self, name: &str, now: Timestamp) {
        let known = self.refused.iter().position(|known| known.name == name);
        let count = known.map_or(0, |place| self.refused.remove(place).count);
        if self.refused.len() >= REFUSED_MAX {
            self.refused.remove(0);
        }
        self.refused.push(RefusedName {
            name: name.to_owned(),
            count: count.saturating_add(1),
            last: now,
        });
    }

    /// Alerts that were not sent again until their end: what to observe of them.
    pub(crate) fn over(&mut self, now: Timestamp) -> Vec<ExternalResult> {
        let mut over = Vec::new();
        for learned in self.learned.values_mut() {
            if learned.ends.is_none_or(|ends| ends > now) {
                continue;
            }
            learned.ends = None;
            learned.ended = Some(now);
            over.push(ExternalResult {
                key: learned.key.clone(),
                name: learned.check.name.clone(),
                about: None,
                said: Said::Alert {
                    severity: Severity::Ok,
                    summary: "resolved: it was not sent again until its end".to_owned(),
                    detail: String::new(),
                },
                metrics: Vec::new(),
                at: None,
                ttl_ms: None,
                ends: Some(now),
            });
        }
        over
    }

    /// When the next alert ends or is forgotten.
    pub(crate) fn next_end(&self) -> Option<Timestamp> {
        let learned = self.learned.values();
        learned
            .filter_map(|learned| {
                let forgotten = learned.ended.map(forgotten_at);
                [learned.ends, forgotten].into_iter().flatten().min()
            })
            .min()
    }

    /// Forgets alerts that were over for a day; returns those.
    pub(crate) fn forget(&mut self, now: Timestamp) -> BTreeSet<CheckId> {
        let forgotten: BTreeSet<_> = self
            .learned
            .values()
            .filter(|learned| {
                learned
                    .ended
                    .is_some_and(|ended| forgotten_at(ended) <= now)
            })
            .map(|learned| learned.check.id)
            .collect();
        self.learned.retain(|id, _| !forgotten.contains(id));
        forgotten
    }
}

fn forgotten_at(ended: Timestamp) -> Timestamp {
    Timestamp::from_millis(ended.millis().saturating_add(ALERT_KEPT_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_mins(1);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    fn config(names: &[&str]) -> ListenConfig {
        ListenConfig {
            names: names.iter().map(|it| Pattern((*it).to_owned())).collect(),
            limit: 3,
            ..ListenConfig::default()
        }
    }

    fn externals(names: &[&str]) -> Externals {
        Externals::new(AuthorId::ZERO, &config(names), Vec::new())
    }

    fn result(name: &str) -> ExternalResult {
        ExternalResult {
            key: name.to_owned(),
            name: name.to_owned(),
            about: None,
            said: Said::Plugin {
                status: 0,
                output: "fine".to_owned(),
            },
            metrics: Vec::new(),
            at: None,
            ttl_ms: None,
            ends: None,
        }
    }

    fn alert(name: &str, severity: Severity, ends: Timestamp) -> ExternalResult {
        ExternalResult {
            said: Said::Alert {
                severity,
                summary: String::new(),
                detail: String::new(),
            },
            ends: Some(ends),
            ..result(name)
        }
    }

    #[test]
    fn a_name_that_is_let_out_is_gone_until_it_is_taken_again() {
        let mut externals = externals(&["*"]);
        let taken = externals.take(&result("mysql"), at(1)).unwrap().unwrap();
        externals.take(&result("disk"), at(1)).unwrap().unwrap();
        let gone = externals.let_out(["mysql".to_owned()].into());
        assert_eq!(gone, [taken.check].into());
        let refused = externals.take(&result("mysql"), at(2)).unwrap_err();
        assert!(refused.contains("forget"), "{refused}");
        // It is no name that somebody should let in.
        assert!(externals.refused().is_empty());
        assert_eq!(externals.checks().count(), 1);
        assert!(externals.let_out(BTreeSet::new()).is_empty());
        let again = externals.take(&result("mysql"), at(3)).unwrap().unwrap();
        assert_eq!(again.check, taken.check);
    }

    #[test]
    fn names_are_let_in_by_pattern_and_bounded() {
        let mut externals = externals(&["backup-*", "!backup-old", "x"]);
        let first = externals.take(&result("backup-a"), at(1)).unwrap().unwrap();
        assert!(first.news.is_some());
        let again = externals.take(&result("backup-a"), at(2)).unwrap().unwrap();
        assert_eq!((again.check, again.news), (first.check, None));
        for name in ["backup-old", "y"] {
            let refused = externals.take(&result(name), at(3)).unwrap_err();
            assert!(refused.contains("listen.names"), "{refused}");
        }
        externals.take(&result("x"), at(4)).unwrap().unwrap();
        externals.take(&result("backup-b"), at(4)).unwrap().unwrap();
        let refused = externals.take(&result("backup-c"), at(5)).unwrap_err();
        assert!(refused.contains("listen.limit"), "{refused}");
        let names: Vec<_> = externals
            .refused()
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        assert_eq!(names, ["backup-old", "y", "backup-c"]);
        for n in 0..REFUSED_MAX {
            drop(externals.take(&result(&format!("n{n}")), at(6)));
        }
        assert_eq!(externals.refused().len(), REFUSED_MAX);
    }

    #[test]
    fn what_was_learned_survives_a_restart_as_long_as_it_is_let_in() {
        let mut before = externals(&["*"]);
        let check = before.take(&result("a"), at(1)).unwrap().unwrap().check;
        before.take(&result("b"), at(1)).unwrap();
        let config = config(&["*", "!b"]);
        let mut after = Externals::new(AuthorId::ZERO, &config, before.learned());
        assert_eq!(after.checks().count(), 1);
        let taken = after.take(&result("a"), at(2)).unwrap().unwrap();
        assert_eq!((taken.check, taken.news), (check, None));
    }

    /// Any program of this machine may send: it says nothing of what the agent looks at itself, also not
    /// when it was there first.
    #[test]
    fn nobody_takes_the_place_of_a_check_that_is_run_here() {
        let run = CheckKind::Command {
            program: "/bin/true".to_owned(),
            arguments: Vec::new(),
        };
        let own = Check::new(local_check_id(AuthorId::ZERO, "state"), "state", run);
        let mut externals = externals(&["*"]);
        externals.take(&result("state"), at(1)).unwrap().unwrap();
        externals.configure([&own]);
        assert_eq!(externals.checks().count(), 0, "it is run again");
        let refused = externals.take(&result("state"), at(2)).unwrap_err();
        assert!(refused.contains("run by this agent"), "{refused}");
        // An alert with another name whose labels make the same key.
        let alert = ExternalResult {
            key: "state".to_owned(),
            ..result("other")
        };
        assert!(externals.take(&alert, at(3)).is_err());
        let sent = Check::new(
            CheckId::from_bytes([9; 16]),
            "state",
            CheckKind::External {},
        );
        for both in [[&own, &sent], [&sent, &own]] {
            externals.configure(both);
            assert!(externals.take(&result("state"), at(4)).is_err());
        }
    }

    #[test]
    fn a_configured_check_takes_the_results_of_its_name_and_keeps_its_id() {
        let mut externals = externals(&["*"]);
        let learned = externals.take(&result("a"), at(1)).unwrap().unwrap().check;
        assert_eq!(
            learned,
            local_check_id(AuthorId::ZERO, "a"),
            "as in the file"
        );
        let check = |id: u8, name: &str, enabled| Check {
            enabled,
            ..Check::new(CheckId::from_bytes([id; 16]), name, CheckKind::External {})
        };
        externals.configure(&[check(1, "a", true), check(2, "off", false)]);
        let taken = externals.take(&result("a"), at(2)).unwrap().unwrap();
        assert_eq!(taken.check, CheckId::from_bytes([1; 16]));
        assert_eq!(externals.checks().count(), 0);
        let refused = externals.take(&result("off"), at(3)).unwrap_err();
        assert!(refused.contains("turned off"), "{refused}");
    }

    #[test]
    fn a_time_to_live_counts_from_where_others_hear_and_changes_rarely() {
        let mut externals = externals(&["*"]);
        let with = |ttl_ms| ExternalResult {
            ttl_ms: Some(ttl_ms),
            ..result("a")
        };
        let ttl = |taken: Taken| taken.news.and_then(|check| check.ttl_ms);
        assert_eq!(
            ttl(externals.take(&with(30_000), at(1)).unwrap().unwrap()),
            Some(70_000)
        );
        let soon = at(1).plus(MINUTE / 2);
        assert_eq!(
            ttl(externals.take(&with(60_000), soon).unwrap().unwrap()),
            None
        );
        assert_eq!(
            ttl(externals.take(&with(60_000), at(2)).unwrap().unwrap()),
            Some(100_000)
        );
    }

    #[test]
    fn an_alert_ends_by_itself_and_is_forgotten_a_day_later() {
        let mut externals = externals(&["*"]);
        let firing = alert("a", Severity::Critical, at(5));
        externals.take(&firing, at(0)).unwrap().unwrap();
        assert_eq!(externals.next_end(), Some(at(5)));
        assert_eq!(externals.over(at(4)), []);
        // Sent again, it holds longer.
        let again = alert("a", Severity::Critical, at(8));
        externals.take(&again, at(4)).unwrap().unwrap();
        assert_eq!(externals.over(at(5)), []);
        let over = externals.over(at(8));
        assert_eq!(over.len(), 1);
        externals.take(&over[0], at(8)).unwrap().unwrap();
        assert_eq!(externals.over(at(9)), [], "once");
        assert!(externals.forget(at(9)).is_empty());
        assert_eq!(externals.next_end(), Some(at(8 + 24 * 60)));
        assert_eq!(externals.forget(at(8 + 24 * 60)).len(), 1);
        assert_eq!(externals.next_end(), None);
        // What nobody knew and is over makes no check.
        let over = alert("b", Severity::Ok, at(1));
        assert_eq!(externals.take(&over, at(9)), Ok(None));
        assert_eq!(externals.checks().count(), 0);
    }
}
