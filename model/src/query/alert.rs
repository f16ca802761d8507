//! Alerts as rows of a worklist.

use aramaki_sync_core::Timestamp;

use super::{Flag, Moment, Number, Phase, Row, SeverityField, TextField};
use crate::alert::{Alert, AlertState, Hold};
use crate::severity::Severity;
use crate::snapshot::SystemView;

/// An alert with its System, if that can be read here.
#[derive(Clone, Copy, Debug)]
pub struct AlertRow<'a> {
    /// The alert.
    pub alert: &'a Alert,
    /// Its System: category and labels are searched there.
    pub system: Option<&'a SystemView>,
}

impl Row for AlertRow<'_> {
    fn any_text(&self, field: TextField, holds: &mut impl FnMut(&str) -> bool) -> bool {
        let alert = self.alert;
        match field {
            TextField::System => holds(&alert.title),
            TextField::Category => self
                .system
                .is_some_and(|it| !it.category.is_empty() && holds(&it.category)),
            TextField::Check => holds(&alert.name),
            TextField::Family => holds(&alert.family),
            TextField::Owner => {
                let claims = alert.claims.iter().filter(|it| it.holds);
                let acknowledged = alert.acknowledgements.iter().filter(|it| it.holds);
                let mut names = claims
                    .map(|it| &it.name)
                    .chain(acknowledged.map(|it| &it.name));
                names.any(|name| !name.is_empty() && holds(name))
            }
            TextField::Summary => !alert.summary.is_empty() && holds(&alert.summary),
        }
    }

    fn any_label(&self, holds: &mut impl FnMut(&str, &str) -> bool) -> bool {
        let mut labels = self.system.into_iter().flat_map(|system| &system.labels);
        labels.any(|(name, value)| holds(name, value))
    }

    fn severity(&self, field: SeverityField) -> Severity {
        match field {
            SeverityField::Now => self.alert.severity,
            SeverityField::Worst => self.alert.worst,
        }
    }

    fn phase(&self) -> Phase {
        match self.alert.state {
            AlertState::Open => Phase::Open,
            AlertState::Acknowledged => Phase::Acknowledged,
            AlertState::Resolved => Phase::Resolved,
        }
    }

    fn is(&self, flag: Flag) -> bool {
        let alert = self.alert;
        let holds = |is_of_kind: fn(&Hold) -> bool| alert.holds.iter().any(is_of_kind);
        match flag {
            Flag::Claimed => alert.claimed_by().next().is_some(),
            Flag::Silenced => holds(|hold| matches!(hold, Hold::Silence { .. })),
            Flag::Maintenance => holds(|hold| matches!(hold, Hold::Maintenance { .. })),
            Flag::Inhibited => holds(|hold| matches!(hold, Hold::Inhibited { .. })),
            Flag::Flapping => alert.is_flapping,
            Flag::Attention => alert.needs_attention(),
        }
    }

    fn moment(&self, moment: Moment) -> Option<Timestamp> {
        match moment {
            Moment::Opened => Some(self.alert.opened),
            Moment::Changed => Some(self.alert.resolved.unwrap_or(self.alert.since)),
            Moment::LastOk => self.alert.last_ok,
            Moment::FirstSeen => self.alert.first_seen,
        }
    }

    fn resolved(&self) -> Option<Timestamp> {
        self.alert.resolved
    }

    fn number(&self, number: Number) -> u64 {
        u64::from(match number {
            Number::Flaps => self.alert.flaps,
            Number::Occurrences => self.alert.occurrences,
        })
    }
}
