//! What people do about alerts, one or many at once, and what it would mute.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_model::alert::{Alert, AlertId};
use aramaki_model::preview::{
    About, Ends, Preview, Scope, SilenceWish, WishError, preview_silence,
};
use aramaki_model::{Reach, Selector, SelectorError, Silence, Snapshot, label_term};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{SpaceId, Timestamp};
use thiserror::Error;

use super::Trust;

/// How many labels are offered.
const OFFERED_MAX: usize = 8;

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
    /// Whatever Systems have certain labels.
    Labels,
}

/// What of Systems that are chosen by their labels is to be quiet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Of {
    /// Everything.
    #[default]
    All,
    /// What fails in the same way as these alerts.
    Alike,
    /// Checks with the names of these.
    Named,
}

/// Why a silence cannot be written as it is asked for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeedFault {
    /// No label was said yet.
    #[error("no label is named")]
    NoLabels,
    /// What was typed is no selector.
    #[error("the labels cannot be read")]
    Labels(#[source] SelectorError),
    /// Nothing can be meant by it.
    #[error("nothing can be silenced so")]
    Wish(#[from] WishError),
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
    /// By which labels, as a selector is typed; of [`Quiet::Labels`] alone.
    pub labels: String,
    /// What of the Systems that have them.
    pub of: Of,
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
            labels: String::new(),
            of: Of::All,
        }
    }

    /// A silence that is about no alert, but about Systems with certain labels.
    pub fn by_labels() -> Self {
        Self {
            quiet: Quiet::Labels,
            ..Self::new(DeedKind::Silence, Vec::new())
        }
    }

    /// Whether it is about labels and no alert.
    pub const fn is_by_labels_alone(&self) -> bool {
        self.alerts.is_empty()
    }

    /// Whether it can be done as it is: nobody is silenced without a reason.
    pub fn is_complete(&self) -> bool {
        let needs_words = matches!(self.kind, DeedKind::Silence | DeedKind::Say);
        let is_about = !self.alerts.is_empty() || self.quiet == Quiet::Labels;
        is_about && (!needs_words || !self.text.trim().is_empty())
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

    /// Labels that could be meant, as selectors say them: those that all Systems of the alerts have,
    /// without alerts those that most Systems have.
    pub fn offered(&self, snapshot: &Snapshot) -> Vec<String> {
        let meant: BTreeSet<SpaceId> = self.meant(snapshot).iter().map(|it| it.system).collect();
        let systems = snapshot.systems.iter();
        let systems = systems.filter(|it| meant.is_empty() || meant.contains(&it.space));
        let mut found: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for system in systems {
            let labels = system.labels.iter();
            let labels = labels.map(|(key, value)| (key.as_str(), value.as_str()));
            let category = ("category", system.category.as_str());
            let category = Some(category).filter(|(_, category)| !category.is_empty());
            for label in labels.chain(category) {
                *found.entry(label).or_default() += 1;
            }
        }
        if !meant.is_empty() {
            found.retain(|_, systems| *systems == meant.len());
        }
        let mut offered: Vec<_> = found.into_iter().collect();
        offered.sort_by_key(|(label, systems)| (Reverse(*systems), *label));
        let terms = offered.into_iter();
        let terms = terms.filter_map(|((key, value), _)| label_term(key, value));
        terms.take(OFFERED_MAX).collect()
    }

    /// Takes a label that was offered: besides what is typed already.
    pub fn take_label(&mut self, term: &str) {
        let typed = self.labels.trim();
        self.labels = if typed.is_empty() {
            term.to_owned()
        } else {
            format!("{typed} AND {term}")
        };
    }

    /// The silences that it asks for.
    ///
    /// # Errors
    /// When labels are meant and cannot be read.
    pub fn wishes(
        &self,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Vec<SilenceWish>, DeedFault> {
        if self.quiet == Quiet::Labels {
            return self.wishes_by_labels(snapshot, now);
        }
        Ok(self.wishes_of_alerts(snapshot, now))
    }

    /// One wish for every Systems' matter that is meant, wherever the labels are.
    fn wishes_by_labels(
        &self,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Vec<SilenceWish>, DeedFault> {
        if self.labels.trim().is_empty() {
            return Err(DeedFault::NoLabels);
        }
        let selector: Selector = self.labels.parse().map_err(DeedFault::Labels)?;
        let meant = self.meant(snapshot);
        let texts = |of: fn(&Alert) -> &String| -> BTreeSet<String> {
            meant.iter().map(|alert| of(alert).clone()).collect()
        };
        let abouts: Vec<About> = match self.of {
            Of::All => vec![About::All],
            Of::Alike => {
                let families = texts(|alert| &alert.family).into_iter();
                families.map(About::Family).collect()
            }
            Of::Named => {
                let names = texts(|alert| &alert.name).into_iter();
                names.map(About::Named).collect()
            }
        };
        let wishes = abouts.into_iter().map(|about| SilenceWish {
            scope: Scope {
                systems: Vec::new(),
                reach: Reach::System,
                selector: Some(selector.clone()),
            },
            about,
            ends: self.until(now).map_or(Ends::WhenResolved, Ends::At),
            reason: self.text.clone(),
        });
        Ok(wishes.collect())
    }

    fn wishes_of_alerts(&self, snapshot: &Snapshot, now: Timestamp) -> Vec<SilenceWish> {
        let wish = |systems: Vec<SpaceId>, about| SilenceWish {
            scope: Scope {
                systems,
                reach: match self.quiet {
                    Quiet::Subtrees => Reach::Subtree,
                    Quiet::Checks | Quiet::Family | Quiet::Systems | Quiet::Labels => Reach::System,
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
            Quiet::Systems | Quiet::Subtrees | Quiet::Labels => {
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
    ) -> Result<Preview<Silence>, DeedFault> {
        // The reason is asked for by the button, not by the preview.
        let named = Self {
            text: "-".to_owned(),
            ..self.clone()
        };
        let may_write = |space: &SpaceId| may_write(trust, space);
        let mut sum = Preview::default();
        for wish in named.wishes(snapshot, snapshot.now)? {
            let one = preview_silence(snapshot, &wish, may_write, snapshot.now)?;
            sum.writes.extend(one.writes);
            sum.mutes.extend(one.mutes);
            sum.known.extend(one.known);
            sum.denied.extend(one.denied);
            sum.unreadable.extend(one.unreadable);
        }
        for spaces in [&mut sum.denied, &mut sum.unreadable] {
            spaces.sort_unstable();
            spaces.dedup();
        }
        for alerts in [&mut sum.mutes, &mut sum.known] {
            alerts.sort_unstable();
            alerts.dedup();
        }
        Ok(sum)
    }
}

/// Whether this device may change a System.
pub fn may_write(trust: &BTreeMap<SpaceId, Trust>, space: &SpaceId) -> bool {
    let mine = trust.get(space).and_then(|trust| trust.mine);
    mine >= Some(Capability::Write)
}
