//! What people do about alerts, one or many at once, and what it would mute.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_model::alert::{Alert, AlertId};
use aramaki_model::preview::{
    About, Ends, Preview, Scope, SilenceWish, WishError, preview_silence,
};
use aramaki_model::{Reach, Silence, Snapshot};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{SpaceId, Timestamp};

use super::Trust;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeedKind {
    /// Somebody knows, and it may stay so.
    Acknowledge,
    /// Somebody works on it.
    Claim,
    /// It is to be quiet.
    Silence,
    /// A few words for the timelines.
    Say,
}

/// How long it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// For so many hours.
    Hours(u32),
    /// Until the alert is over.
    UntilResolved,
}

/// What of the alerts' Systems is to be quiet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quiet {
    /// The checks of these alerts.
    #[default]
    Checks,
    /// What fails in the same way, in every System where it does now.
    Family,
    /// The whole Systems.
    Systems,
    /// The whole Systems and what their parts bring to them.
    Subtrees,
}

/// Something to be done about alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// What.
    pub kind: DeedKind,
    /// About which.
    pub alerts: Vec<AlertId>,
    /// The words for all of them.
    pub text: String,
    /// How long.
    pub lasts: Lasts,
    /// What is to be quiet.
    pub quiet: Quiet,
}

impl Deed {
    /// A deed as it is offered at first.
    pub fn new(kind: DeedKind, alerts: Vec<AlertId>) -> Self {
        let lasts = match kind {
            DeedKind::Acknowledge | DeedKind::Say => Lasts::UntilResolved,
            DeedKind::Claim => Lasts::Hours(1),
            DeedKind::Silence => Lasts::Hours(2),
        };
        Self {
            kind,
            alerts,
            text: String::new(),
            lasts,
            quiet: Quiet::Checks,
        }
    }

    /// Whether it can be done as it is: nobody is silenced without a reason.
    pub fn is_complete(&self) -> bool {
        let needs_words = matches!(self.kind, DeedKind::Silence | DeedKind::Say);
        !self.alerts.is_empty() && (!needs_words || !self.text.trim().is_empty())
    }

    /// Until when it lasts; none: until the alert is over.
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        match self.lasts {
            Lasts::Hours(hours) => Some(now.plus(Duration::from_hours(u64::from(hours)))),
            Lasts::UntilResolved => None,
        }
    }

    /// The alerts that it is about and that are here.
    pub fn meant<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a Alert> {
        let wanted: BTreeSet<AlertId> = self.alerts.iter().copied().collect();
        let alerts = snapshot.alerts.iter().map(AsRef::as_ref);
        alerts.filter(|alert| wanted.contains(&alert.id)).collect()
    }

    /// The silences that it asks for.
    pub fn wishes(&self, snapshot: &Snapshot, now: Timestamp) -> Vec<SilenceWish> {
        let wish = |systems: Vec<SpaceId>, about| SilenceWish {
            scope: Scope {
                systems,
                reach: match self.quiet {
                    Quiet::Subtrees => Reach::Subtree,
                    Quiet::Checks | Quiet::Family | Quiet::Systems => Reach::System,
                },
                selector: None,
            },
            about,
            ends: self.until(now).map_or(Ends::WhenResolved, Ends::At),
            reason: self.text.clone(),
        };
        let meant = self.meant(snapshot);
        match self.quiet {
            Quiet::Checks => meant
                .into_iter()
                .map(|alert| wish(vec![alert.system], About::Check(alert.check)))
                .collect(),
            Quiet::Family => {
                let mut families: BTreeMap<&str, BTreeSet<SpaceId>> = BTreeMap::new();
                for alert in &meant {
                    families.entry(&alert.family).or_default();
                }
                for alert in snapshot.alerts.iter().filter(|alert| alert.is_open()) {
                    if let Some(systems) = families.get_mut(alert.family.as_str()) {
                        systems.insert(alert.system);
                    }
                }
                let families = families.into_iter();
                families
                    .map(|(family, systems)| {
                        let systems = systems.into_iter().collect();
                        wish(systems, About::Family(family.to_owned()))
                    })
                    .collect()
            }
            Quiet::Systems | Quiet::Subtrees => {
                let systems: BTreeSet<SpaceId> = meant.iter().map(|alert| alert.system).collect();
                vec![wish(systems.into_iter().collect(), About::All)]
            }
        }
    }

    /// What silencing would do now.
    ///
    /// # Errors
    /// When nothing can be meant by it.
    pub fn preview(
        &self,
        snapshot: &Snapshot,
        trust: &BTreeMap<SpaceId, Trust>,
    ) -> Result<Preview<Silence>, WishError> {
        // The reason is asked for by the button, not by the preview.
        let named = Self {
            text: "-".to_owned(),
            ..self.clone()
        };
        let may_write = |space: &SpaceId| may_write(trust, space);
        let mut sum = Preview::default();
        for wish in named.wishes(snapshot, snapshot.now) {
            let one = preview_silence(snapshot, &wish, may_write, snapshot.now)?;
            sum.writes.extend(one.writes);
            sum.mutes.extend(one.mutes);
            sum.denied.extend(one.denied);
            sum.unreadable.extend(one.unreadable);
        }
        for spaces in [&mut sum.denied, &mut sum.unreadable] {
            spaces.sort_unstable();
            spaces.dedup();
        }
        sum.mutes.sort_unstable();
        sum.mutes.dedup();
        Ok(sum)
    }
}

/// Whether this device may change a System.
pub fn may_write(trust: &BTreeMap<SpaceId, Trust>, space: &SpaceId) -> bool {
    let mine = trust.get(space).and_then(|trust| trust.mine);
    mine >= Some(Capability::Write)
}
