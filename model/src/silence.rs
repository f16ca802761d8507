//! Silences: problems that are quiet for a time, and what they are matched against.

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::{AlertId, stand_in};
use crate::entry::{Acknowledgement, Claim};
use crate::id::CheckId;

/// How long a silence may last when it is to end with the problem, milliseconds: no silence is for
/// ever.
pub const UNTIL_RESOLVED_MAX_MS: u64 = 90 * 86_400_000;

/// What of a System is quiet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Its own checks.
    #[default]
    System,
    /// Also what its parts bring to it. They themselves, and others that list them, stay as they
    /// are: nobody is muted by who lists them.
    Subtree,
}

impl Reach {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for a reference"
    )]
    const fn is_system(&self) -> bool {
        matches!(self, Self::System)
    }
}

/// Keeps problems quiet for a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Silence {
    /// Which check; none: the whole System.
    pub check: Option<CheckId>,
    /// Whether it reaches further than the System itself.
    #[serde(skip_serializing_if = "Reach::is_system")]
    pub reach: Reach,
    /// Which family of problems; none: all. [`Silence::of_family`] names a check beside it that no
    /// System has, so that programs that know no families take nothing more for quiet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Whether it is only for the problems that were there when it began, and so ends with them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub until_resolved: bool,
    /// Why.
    pub reason: String,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl Silence {
    /// The same, for one family of problems.
    #[must_use]
    pub fn of_family(self, family: &str) -> Self {
        let stand_in = stand_in("aramaki family that is silenced v1", family.as_bytes());
        Self {
            check: Some(CheckId::from_bytes(stand_in)),
            family: Some(family.to_owned()),
            ..self
        }
    }

    /// Whether it covers what parts bring now.
    pub fn covers_parts(&self, now: Timestamp) -> bool {
        self.reach == Reach::Subtree
            && self.check.is_none()
            && self.family.is_none()
            && !self.until_resolved
            && self.is_running(now)
    }

    /// Whether it is in force.
    pub fn is_running(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

/// A problem, as silences, acknowledgements and claims are matched against it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matter<'a> {
    /// Its alert, if there is one.
    pub(crate) alert: Option<AlertId>,
    /// Which check; for an agent that is not heard, what stands for one.
    pub(crate) check: CheckId,
    pub(crate) family: &'a str,
    /// Since when it is there; none when that is not known.
    pub(crate) opened: Option<Timestamp>,
    /// When it ended.
    pub(crate) resolved: Option<Timestamp>,
    /// The last sign of something that is only not heard: its alert keeps its id until the journal goes on, so
    /// what was said before that sign was said of another time.
    pub(crate) heard: Option<Timestamp>,
}

impl Matter<'_> {
    /// Whether it was there at a moment.
    fn was_there(&self, at: Timestamp) -> bool {
        self.opened.is_some_and(|opened| opened <= at)
            && self.resolved.is_none_or(|resolved| at <= resolved)
    }

    /// Whether something said of an alert, a check or all problems is said of this one.
    fn is_meant(&self, alert: Option<AlertId>, check: Option<CheckId>, at: Timestamp) -> bool {
        if alert.is_some() && alert == self.alert {
            // Named: the clock of whoever wrote it may be behind, by as long as silence may last where an id
            // comes again.
            return self.heard.is_none_or(|heard| heard < at);
        }
        alert.is_none() && check.is_none_or(|check| check == self.check) && self.was_there(at)
    }

    /// Whether somebody knew of it.
    pub(crate) fn is_known_by(&self, said: &Acknowledgement) -> bool {
        self.is_meant(said.alert, said.check, said.at)
    }

    /// Whether somebody works on it.
    pub(crate) fn is_claimed_by(&self, said: &Claim) -> bool {
        self.is_meant(said.alert, said.check, said.at)
    }

    /// Whether a silence covered it at a moment at which it was there.
    pub(crate) fn is_quiet_at(&self, silence: &Silence, at: Timestamp) -> bool {
        self.was_there(at) && self.is_covered_by(silence, at)
    }

    /// Whether a silence covered it at some time before this.
    pub(crate) fn is_quiet_in(&self, silence: &Silence, until: Timestamp) -> bool {
        self.is_there_in(silence.from, until) && self.is_covered_by(silence, silence.from)
    }

    /// Whether it was there at some time between two moments.
    pub(crate) fn is_there_in(&self, from: Timestamp, until: Timestamp) -> bool {
        self.opened.is_some_and(|opened| opened < until)
            && self.resolved.is_none_or(|resolved| from < resolved)
    }

    /// Whether a silence covers it now.
    pub(crate) fn is_covered_by(&self, silence: &Silence, now: Timestamp) -> bool {
        let is_meant = match &silence.family {
            Some(family) => family == self.family,
            None => silence.check.is_none_or(|check| check == self.check),
        };
        is_meant
            && silence.is_running(now)
            && (!silence.until_resolved || self.was_there(silence.from))
    }
}

/// Whether an acknowledgement holds at a moment.
pub(crate) fn holds(said: &Acknowledgement, now: Timestamp) -> bool {
    said.until.is_none_or(|until| now < until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    const CHECK: CheckId = CheckId::from_bytes([1; 16]);

    fn matter(opened: i64) -> Matter<'static> {
        Matter {
            alert: Some(AlertId([9; 32])),
            check: CHECK,
            family: "disk: full",
            opened: Some(at(opened)),
            resolved: None,
            heard: None,
        }
    }

    fn silence() -> Silence {
        Silence {
            from: at(100),
            until: at(200),
            ..Silence::default()
        }
    }

    #[test]
    fn a_silence_covers_its_check_or_family_for_its_time() {
        let covers = |silence: &Silence, now| matter(50).is_covered_by(silence, at(now));
        for (now, covered) in [(99, false), (100, true), (199, true), (200, false)] {
            assert_eq!(covers(&silence(), now), covered, "{now}");
        }
        let other = CheckId::from_bytes([2; 16]);
        for (check, covered) in [(CHECK, true), (other, false)] {
            let check = Some(check);
            assert_eq!(covers(&Silence { check, ..silence() }, 150), covered);
        }
        assert!(covers(&silence().of_family("disk: full"), 150));
        assert!(!covers(&silence().of_family("disk: slow"), 150));
    }

    #[test]
    fn programs_that_know_no_families_take_nothing_more_for_quiet() {
        let silence = silence().of_family("disk: full");
        assert!(silence.check.is_some_and(|check| check != CHECK));
        let text = serde_json::to_string(&silence).unwrap();
        assert_eq!(serde_json::from_str::<Silence>(&text).unwrap(), silence);
        let old = r#"{"check":null,"reason":"move","from":1,"until":2}"#;
        let old: Silence = serde_json::from_str(old).unwrap();
        assert_eq!((old.family, old.until_resolved), (None, false));
    }

    #[test]
    fn one_until_resolved_is_for_what_was_there_when_it_began() {
        let silence = Silence {
            until_resolved: true,
            ..silence()
        };
        assert!(matter(100).is_covered_by(&silence, at(150)));
        assert!(!matter(101).is_covered_by(&silence, at(150)));
        let unknown = Matter {
            opened: None,
            ..matter(0)
        };
        assert!(!unknown.is_covered_by(&silence, at(150)));
    }

    #[test]
    fn an_alert_that_is_named_is_meant_whatever_the_clock_says() {
        let said = |alert, at_seconds| Acknowledgement {
            at: at(at_seconds),
            check: Some(CHECK),
            alert,
            ..Acknowledgement::default()
        };
        assert!(matter(50).is_known_by(&said(None, 60)));
        assert!(!matter(50).is_known_by(&said(None, 40)));
        assert!(matter(50).is_known_by(&said(Some(AlertId([9; 32])), 40)));
        assert!(!matter(50).is_known_by(&said(Some(AlertId([8; 32])), 60)));
    }
}
