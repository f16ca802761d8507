//! What somebody wants quiet, and what that would do now, before it is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use aramaki_sync_core::{SpaceId, Timestamp};
use thiserror::Error;

use crate::alert::{Alert, AlertId};
use crate::graph::Relation;
use crate::id::CheckId;
use crate::maintenance::Maintenance;
use crate::selector::Selector;
use crate::silence::{Matter, Reach, Silence, UNTIL_RESOLVED_MAX_MS};
use crate::snapshot::{Snapshot, SystemView};

/// In how many Systems one wish is written at most.
pub const WISH_SYSTEMS_MAX: usize = 500;

/// Which Systems are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// These; all that can be read here when there is none.
    pub systems: Vec<SpaceId>,
    /// Whether all of which they consist is meant too. What they merely use is not.
    pub reach: Reach,
    /// Of those only these, by labels and category.
    pub selector: Option<Selector>,
}

/// What of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum About {
    /// Everything.
    #[default]
    All,
    /// One check.
    Check(CheckId),
    /// Checks with this name.
    Named(String),
    /// One family of problems.
    Family(String),
}

/// When it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Then.
    At(Timestamp),
    /// With the problems that are there now, after 90 days at the latest.
    WhenResolved,
}

/// What somebody wants quiet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceWish {
    /// Where.
    pub scope: Scope,
    /// What.
    pub about: About,
    /// Until when.
    pub ends: Ends,
    /// Why.
    pub reason: String,
}

/// What a wish would write and do now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview<T> {
    /// What would be written, System by System, under one item id everywhere.
    pub writes: Vec<(SpaceId, Vec<T>)>,
    /// Open alerts that ask for somebody and would not any more.
    pub mutes: Vec<AlertId>,
    /// Open alerts that are meant and ask for nobody already: somebody knows, or something else keeps them quiet.
    pub known: Vec<AlertId>,
    /// Systems that are meant and where one may not write: they stay as they are.
    pub denied: Vec<SpaceId>,
    /// Systems that are meant and cannot be read here: they stay as they are.
    pub unreadable: Vec<SpaceId>,
}

impl<T> Preview<T> {
    /// Takes in which open alerts are meant.
    fn cover<'a>(&mut self, alerts: impl Iterator<Item = &'a Arc<Alert>>) {
        for alert in alerts {
            if alert.needs_attention() {
                self.mutes.push(alert.id);
            } else {
                self.known.push(alert.id);
            }
        }
    }
}

/// Why a wish cannot be carried out.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WishError {
    /// Neither Systems nor a selector.
    #[error("no System is named: name one, or select some by labels")]
    NoScope,
    /// Nothing that can be read here is meant.
    #[error("no System that can be read here is meant")]
    NoSystem,
    /// None of the Systems has such a check.
    #[error("none of these Systems has a check `{0}`")]
    NoCheck(String),
    /// It would be written in too many places.
    #[error("{count} Systems are meant, and at most {WISH_SYSTEMS_MAX} may be at once")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// It ends before it begins.
    #[error("it would end before it begins")]
    Ends,
    /// Nobody could know why.
    #[error("a reason is needed: whoever sees that it is quiet must know why")]
    NoReason,
}

impl Scope {
    /// The Systems that are meant, each once, and those of them that cannot be read here.
    fn systems<'a>(
        &self,
        snapshot: &'a Snapshot,
    ) -> Result<(Vec<&'a SystemView>, Vec<SpaceId>), WishError> {
        if self.systems.is_empty() && self.selector.is_none() {
            return Err(WishError::NoScope);
        }
        let mut meant: Vec<SpaceId> = if self.systems.is_empty() {
            snapshot.systems.iter().map(|view| view.space).collect()
        } else {
            self.systems.clone()
        };
        let mut seen: BTreeSet<SpaceId> = meant.iter().copied().collect();
        let mut next = 0;
        while self.reach == Reach::Subtree
            && let Some(here) = meant.get(next).copied()
        {
            next += 1;
            let parts = snapshot.graph.edges(&here);
            let parts = parts.filter(|edge| edge.relation == Relation::Part);
            meant.extend(
                parts
                    .map(|edge| edge.part)
                    .filter(|part| seen.insert(*part)),
            );
        }
        let mut views = Vec::new();
        let mut unreadable = Vec::new();
        for space in meant {
            match snapshot.system(&space) {
                Some(view) => views.push(view),
                None => unreadable.push(space),
            }
        }
        if let Some(selector) = &self.selector {
            // What cannot be read has no labels that could be meant.
            unreadable.clear();
            views.retain(|view| selector.selects(&view.category, &view.labels));
        }
        match views.len() {
            0 => Err(WishError::NoSystem),
            1..=WISH_SYSTEMS_MAX => Ok((views, unreadable)),
            count => Err(WishError::TooMany { count }),
        }
    }
}

/// What a silence would do at this moment, for somebody who may write where `may_write` says so.
///
/// It is written in every System that it mutes, and needs the right to write there: nobody is muted
/// by who lists them.
///
/// # Errors
/// When nothing is meant, too much, or no reason is given.
pub fn preview_silence(
    snapshot: &Snapshot,
    wish: &SilenceWish,
    may_write: impl Fn(&SpaceId) -> bool,
    now: Timestamp,
) -> Result<Preview<Silence>, WishError> {
    if wish.reason.trim().is_empty() {
        return Err(WishError::NoReason);
    }
    let (views, unreadable) = wish.scope.systems(snapshot)?;
    let mut preview = Preview {
        unreadable,
        ..Preview::default()
    };
    let mut is_checked = false;
    for view in views {
        let silences = wish.silences(view, now)?;
        is_checked |= !silences.is_empty();
        if silences.is_empty() {
            continue;
        }
        if !may_write(&view.space) {
            preview.denied.push(view.space);
            continue;
        }
        let open = view.alerts.iter().filter(|alert| alert.is_open());
        preview.cover(open.filter(|alert| {
            let matter = matter(alert);
            silences
                .iter()
                .any(|silence| matter.is_covered_by(silence, now.max(silence.from)))
        }));
        preview.writes.push((view.space, silences));
    }
    match &wish.about {
        About::Named(name) if !is_checked => Err(WishError::NoCheck(name.clone())),
        About::Check(check) if !is_checked => Err(WishError::NoCheck(check.to_string())),
        _ => Ok(preview),
    }
}

impl SilenceWish {
    /// What is written in one System; nothing where nothing is meant.
    fn silences(&self, view: &SystemView, now: Timestamp) -> Result<Vec<Silence>, WishError> {
        let latest = now.plus(std::time::Duration::from_millis(UNTIL_RESOLVED_MAX_MS));
        // By an agent's clock a problem may begin a moment after now: it is meant all the same.
        let open = view.alerts.iter().filter(|alert| alert.is_open());
        let begun = open.map(|alert| alert.opened).max();
        let (from, until, until_resolved) = match self.ends {
            Ends::At(until) => (now, until, false),
            Ends::WhenResolved => (now.max(begun.unwrap_or(now)), latest, true),
        };
        if until <= from {
            return Err(WishError::Ends);
        }
        let whole = Silence {
            check: None,
            // What parts bring is quiet with the whole System only.
            reach: match self.about {
                About::All => self.scope.reach,
                _ => Reach::System,
            },
            family: None,
            until_resolved,
            reason: self.reason.trim().to_owned(),
            from,
            until,
        };
        let of_check = |check| Silence {
            check: Some(check),
            ..whole.clone()
        };
        Ok(match &self.about {
            About::All => vec![whole],
            About::Family(family) => vec![whole.of_family(family)],
            About::Check(check) => {
                let is_there = view.checks.iter().any(|view| view.check.id == *check)
                    || view.alerts.iter().any(|alert| alert.check == *check);
                is_there.then(|| of_check(*check)).into_iter().collect()
            }
            About::Named(name) => {
                let named = view.checks.iter().map(|view| &view.check);
                let named = named.filter(|check| check.name == *name);
                named.map(|check| of_check(check.id)).collect()
            }
        })
    }
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

/// What a maintenance window would do: where it is written, and what it would quiet now if it were
/// open now.
///
/// # Errors
/// When nothing is meant, too much, no reason is given, or it ends before it begins.
pub fn preview_maintenance(
    snapshot: &Snapshot,
    scope: &Scope,
    window: &Maintenance,
    may_write: impl Fn(&SpaceId) -> bool,
    now: Timestamp,
) -> Result<Preview<Maintenance>, WishError> {
    if window.reason.trim().is_empty() {
        return Err(WishError::NoReason);
    }
    if window.until <= window.from {
        return Err(WishError::Ends);
    }
    let (views, unreadable) = scope.systems(snapshot)?;
    let mut preview = Preview {
        unreadable,
        ..Preview::default()
    };
    for view in views {
        if !may_write(&view.space) {
            preview.denied.push(view.space);
            continue;
        }
        if window.covers(now) {
            let open = view.alerts.iter().filter(|alert| alert.is_open());
            preview.cover(open);
        }
        preview.writes.push((view.space, vec![window.clone()]));
    }
    Ok(preview)
}
