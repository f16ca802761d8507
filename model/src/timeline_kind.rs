//! Kinds of what stands on a timeline, for filters: few enough to choose from.

use std::fmt;
use std::str::FromStr;

use crate::snapshot::TimelineEvent;

/// A kind of what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimelineKind {
    /// A check changed its state.
    State,
    /// Something was deployed or configured.
    Deployment,
    /// An action ran, or was asked for.
    Action,
    /// Words of people.
    Words,
    /// Somebody knows of a problem, works on it, or does not any more.
    Care,
    /// A silence or a maintenance window began or ended.
    Quiet,
    /// Somebody was told, or could not be.
    Told,
    /// Somebody's access began or ended.
    Access,
    /// An agent began or stopped.
    Agent,
    /// Written by a newer program.
    Newer,
}

impl TimelineKind {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 10] = [
        Self::State,
        Self::Deployment,
        Self::Action,
        Self::Words,
        Self::Care,
        Self::Quiet,
        Self::Told,
        Self::Access,
        Self::Agent,
        Self::Newer,
    ];

    /// Of what kind an entry is.
    pub const fn of(event: &TimelineEvent) -> Self {
        match event {
            TimelineEvent::Transition { .. } => Self::State,
            TimelineEvent::AgentStarted { .. }
            | TimelineEvent::AgentStopped
            | TimelineEvent::AgentRemoved { .. } => Self::Agent,
            TimelineEvent::Message(_) | TimelineEvent::NoteEdited { .. } => Self::Words,
            TimelineEvent::Deployment(_) => Self::Deployment,
            TimelineEvent::Acknowledgement(_)
            | TimelineEvent::Claim(_)
            | TimelineEvent::Withdrawal(_) => Self::Care,
            TimelineEvent::Quiet(_) => Self::Quiet,
            TimelineEvent::Notification(_) => Self::Told,
            TimelineEvent::DesiredRun(_) => Self::Action,
            TimelineEvent::Membership { .. } => Self::Access,
            TimelineEvent::Unknown(_) => Self::Newer,
        }
    }

    /// Its word in verbs and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Deployment => "deployment",
            Self::Action => "action",
            Self::Words => "words",
            Self::Care => "care",
            Self::Quiet => "quiet",
            Self::Told => "told",
            Self::Access => "access",
            Self::Agent => "agent",
            Self::Newer => "newer",
        }
    }
}

impl fmt::Display for TimelineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for TimelineKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.word() == text);
        found.ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|kind| kind.word()).collect();
            format!("`{text}` is no kind: {} are", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_and_another_is_refused_with_those_there_are() {
        for kind in TimelineKind::ALL {
            assert_eq!(kind.word().parse(), Ok(kind));
        }
        let refused = "tickets".parse::<TimelineKind>().unwrap_err();
        assert!(refused.contains("deployment"), "{refused}");
    }
}
