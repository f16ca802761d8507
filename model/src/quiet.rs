//! Silences and maintenance windows on a timeline: when they began, when they ended, and by whom.

use aramaki_sync_core::Timestamp;

use crate::id::CheckId;

/// What of a System is to be quiet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuietAbout {
    /// All its problems.
    System,
    /// Those and what its parts bring to it.
    Subtree,
    /// One check.
    Check {
        /// Which.
        check: CheckId,
        /// What it is called; empty when nothing here has it any more.
        name: String,
    },
    /// One family of problems.
    Family(String),
    /// That an agent is not heard; what it is called.
    Agent(String),
    /// All its problems are expected: a maintenance window.
    Maintenance,
}

/// What happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuietStep {
    /// Somebody made it.
    Made,
    /// A window that was planned before opened.
    Opened,
    /// Somebody ended it early.
    Ended,
    /// Its problems were resolved, so that nothing was quiet by it any more.
    Resolved,
    /// Its time was over.
    RanOut,
}

impl QuietStep {
    /// One lower-case English word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Opened => "opened",
            Self::Ended => "ended",
            Self::Resolved => "resolved",
            Self::RanOut => "ran-out",
        }
    }
}

/// A silence or a maintenance window began or ended.
///
/// Derived from a System's document and what became of it, never stored: of a window that comes again and
/// again the last one is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// What is quiet.
    pub about: QuietAbout,
    /// What happened.
    pub step: QuietStep,
    /// Why, in the words of whoever made it.
    pub reason: String,
    /// From when; of a window that comes again this time's.
    pub from: Timestamp,
    /// Until when at the latest.
    pub until: Timestamp,
    /// Whether it is only for the problems that were there.
    pub until_resolved: bool,
    /// Whether the window comes again.
    pub again: bool,
    /// How many problems of which checks told it kept quiet: when it was made those at that moment, when it ended all
    /// in its time. None when that is not known: long ago, or of a family.
    pub muted: Option<u32>,
}

impl Quiet {
    /// Whether it is about a maintenance window.
    pub const fn is_maintenance(&self) -> bool {
        matches!(self.about, QuietAbout::Maintenance)
    }

    /// Whether it may have kept a check quiet.
    pub fn is_about(&self, check: &CheckId) -> bool {
        match &self.about {
            QuietAbout::Check { check: own, .. } => own == check,
            QuietAbout::System | QuietAbout::Subtree | QuietAbout::Maintenance => true,
            QuietAbout::Family(_) | QuietAbout::Agent(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_quiet_by_its_own_silence_and_by_those_of_all() {
        let [one, other] = [1, 2].map(|n| CheckId::from_bytes([n; 16]));
        let of_check = QuietAbout::Check {
            check: one,
            name: String::new(),
        };
        for (about, own, others) in [
            (of_check, true, false),
            (QuietAbout::System, true, true),
            (QuietAbout::Subtree, true, true),
            (QuietAbout::Maintenance, true, true),
            (QuietAbout::Family("disk".to_owned()), false, false),
            (QuietAbout::Agent("web1".to_owned()), false, false),
        ] {
            let quiet = Quiet {
                about,
                step: QuietStep::Made,
                reason: String::new(),
                from: Timestamp::ZERO,
                until: Timestamp::MAX,
                until_resolved: false,
                again: false,
                muted: None,
            };
            let is_about = (quiet.is_about(&one), quiet.is_about(&other));
            assert_eq!(is_about, (own, others), "{:?}", quiet.about);
        }
    }
}
