//! What people do about alerts: know of them, work on them, keep them quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aramaki_model::entry::{Acknowledgement, Claim, Withdrawal};
use aramaki_model::preview::{Preview, Scope, SilenceWish, preview_maintenance, preview_silence};
use aramaki_model::{
    Alert, AlertId, AlertKind, EditError, EntryId, ItemId, Maintenance, Silence, Supposed, System,
    SystemEdit, TimelineEntry,
};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{SpaceId, Timestamp};

use super::fresh;
use super::live::Live;
use super::profile::with_causes;
use crate::cli::CliError;

/// Shorter prefixes of an alert's id name nothing.
const PREFIX_LEN_CHARS_MIN: usize = 4;
/// The same of alerts of which it is not known whether they are there: as many as are shown.
const SUPPOSED_LEN_CHARS_MIN: usize = 8;

impl Live {
    /// Whether a word can name an alert at all: the beginning of an id, and not too short.
    pub(crate) fn names_alerts(wanted: &str) -> bool {
        let wanted = wanted.trim();
        wanted.len() >= PREFIX_LEN_CHARS_MIN && wanted.chars().all(|c| c.is_ascii_hexdigit())
    }

    /// The alert that an id or a unique prefix of one names.
    ///
    /// # Errors
    /// When none or several match.
    pub(crate) fn find_alert(&self, wanted: &str) -> Result<Arc<Alert>, CliError> {
        let wanted = wanted.trim().to_ascii_lowercase();
        let snapshot = self.snapshot();
        let is_long = Self::names_alerts(&wanted);
        let alerts = snapshot.alerts.iter();
        let found: Vec<_> = alerts
            .filter(|alert| is_long && alert.id.to_string().starts_with(&wanted))
            .collect();
        match found.as_slice() {
            [] => Err(CliError::NoSuchAlert { wanted }),
            [alert] => Ok(Arc::clone(alert)),
            several => Err(CliError::AmbiguousAlert {
                wanted,
                candidates: several
                    .iter()
                    .map(|alert| format!("{}  {}: {}", alert.id, alert.title, alert.called()))
                    .collect(),
            }),
        }
    }

    /// The alert of something that is not heard which an id names, if it is there as far as is known here:
    /// whoever asks for it was told of it, and nobody listened here yet.
    pub(crate) fn suppose_alert(&self, wanted: &str) -> Option<Arc<Alert>> {
        let wanted = wanted.trim().to_ascii_lowercase();
        if wanted.len() < SUPPOSED_LEN_CHARS_MIN || !Self::names_alerts(&wanted) {
            return None;
        }
        let now = fresh::now();
        let mut found: BTreeMap<AlertId, Arc<Alert>> = BTreeMap::new();
        for supposed in [Supposed::Silence, Supposed::Heartbeats] {
            let snapshot = self.model().view_supposing(supposed, now);
            let alerts = snapshot.alerts.iter();
            let named = alerts.filter(|alert| {
                let is_unheard = alert.kind != AlertKind::Problem;
                is_unheard && alert.is_open() && alert.id.to_string().starts_with(&wanted)
            });
            found.extend(named.map(|alert| (alert.id, Arc::clone(alert))));
        }
        let (_, alert) = found.pop_first()?;
        found.is_empty().then_some(alert)
    }

    /// Says that somebody knows of an alert.
    ///
    /// # Errors
    /// When it is over, or this device may not write there.
    pub(crate) async fn acknowledge(
        &self,
        alert: &Alert,
        text: &str,
        until: Option<Timestamp>,
    ) -> Result<(), CliError> {
        refuse_over(alert)?;
        let entry = TimelineEntry::Acknowledgement(Acknowledgement {
            at: fresh::now(),
            check: Some(alert.check),
            text: text.to_owned(),
            until,
            alert: Some(alert.id),
        });
        self.enter(alert.system, vec![entry]).await
    }

    /// Says that somebody works on an alert.
    ///
    /// # Errors
    /// When it is over, or this device may not write there.
    pub(crate) async fn claim(
        &self,
        alert: &Alert,
        text: &str,
        until: Timestamp,
    ) -> Result<(), CliError> {
        refuse_over(alert)?;
        let entry = TimelineEntry::Claim(Claim {
            at: fresh::now(),
            text: text.to_owned(),
            until,
            check: Some(alert.check),
            alert: Some(alert.id),
        });
        self.enter(alert.system, vec![entry]).await
    }

    /// Takes back acknowledgements or claims by their entries; says how many.
    ///
    /// # Errors
    /// When this device may not write there.
    pub(crate) async fn withdraw(
        &self,
        system: SpaceId,
        entries: &[EntryId],
        text: &str,
    ) -> Result<usize, CliError> {
        let back = |entry: &EntryId| {
            TimelineEntry::Withdrawal(Withdrawal {
                at: fresh::now(),
                entry: *entry,
                text: text.to_owned(),
            })
        };
        self.enter(system, entries.iter().map(back).collect())
            .await?;
        Ok(entries.len())
    }

    async fn enter(&self, space: SpaceId, entries: Vec<TimelineEntry>) -> Result<(), CliError> {
        if entries.is_empty() {
            return Ok(());
        }
        let entries = entries.into_iter();
        let entries =
            entries.map(|entry| Ok((EntryId::new(fresh::now(), fresh::random()?), entry)));
        let entries: Vec<_> = entries.collect::<Result<_, CliError>>()?;
        self.edit(space, |model, chain, now| {
            model.append_timeline(space, chain, now, &entries)
        })
        .await
    }

    /// The Spaces in which this device may write.
    async fn writable(&self) -> Result<BTreeSet<SpaceId>, CliError> {
        let spaces = self.replica().spaces().await;
        let spaces = spaces.map_err(|error| CliError::Refused {
            what: "the list of Spaces",
            reason: with_causes(&error),
        })?;
        let writable = spaces
            .into_iter()
            .filter(|space| space.capability >= Some(Capability::Write));
        Ok(writable.map(|space| space.id).collect())
    }

    /// What a silence would do now.
    ///
    /// # Errors
    /// When nothing is meant, or too much.
    pub(crate) async fn preview_silence(
        &self,
        wish: &SilenceWish,
    ) -> Result<Preview<Silence>, CliError> {
        let writable = self.writable().await?;
        let may_write = |space: &SpaceId| writable.contains(space);
        preview_silence(&self.snapshot(), wish, may_write, fresh::now())
            .map_err(|error| CliError::Usage(with_causes(&error)))
    }

    /// What a maintenance window would do now.
    ///
    /// # Errors
    /// When nothing is meant, or too much.
    pub(crate) async fn preview_maintenance(
        &self,
        scope: &Scope,
        window: &Maintenance,
    ) -> Result<Preview<Maintenance>, CliError> {
        let writable = self.writable().await?;
        let may_write = |space: &SpaceId| writable.contains(space);
        preview_maintenance(&self.snapshot(), scope, window, may_write, fresh::now())
            .map_err(|error| CliError::Usage(with_causes(&error)))
    }

    /// Writes a silence in every System of its preview, whose timelines tell of it by that; returns its item.
    ///
    /// # Errors
    /// When the store refuses; what was written until then stays.
    pub(crate) async fn silence(&self, preview: &Preview<Silence>) -> Result<ItemId, CliError> {
        let item = ItemId::new(fresh::now(), fresh::random()?);
        for (space, silences) in &preview.writes {
            self.edit(*space, |model, chain, now| {
                model.edit_system(*space, chain, now, |edit| {
                    let mut silences = items(item).zip(silences);
                    silences.try_for_each(|(item, silence)| edit.put_silence(item, silence))
                })
            })
            .await?;
        }
        Ok(item)
    }

    /// Ends a silence by its item, and those that were written together with it, in every System that
    /// has them and where this device may write.
    ///
    /// # Errors
    /// When no System has it, or the store refuses.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method itself is of one lifetime"
    )]
    pub(crate) async fn unsilence(&self, item: ItemId) -> Result<EndedItems, CliError> {
        let those = |system: &System| together(item, system.silences.keys());
        self.remove_items(item, those, |edit, item| edit.remove_silence(item))
            .await
    }

    /// Writes a maintenance window in every System of its preview; returns its item.
    ///
    /// # Errors
    /// When the store refuses; what was written until then stays.
    pub(crate) async fn maintain(
        &self,
        preview: &Preview<Maintenance>,
    ) -> Result<ItemId, CliError> {
        let item = ItemId::new(fresh::now(), fresh::random()?);
        for (space, windows) in &preview.writes {
            self.edit(*space, |model, chain, now| {
                model.edit_system(*space, chain, now, |edit| {
                    let mut windows = items(item).zip(windows);
                    windows.try_for_each(|(item, window)| edit.put_maintenance(item, window))
                })
            })
            .await?;
        }
        Ok(item)
    }

    /// Removes a maintenance window, and those that were written together with it, in every System
    /// that has them and where this device may write.
    ///
    /// # Errors
    /// When no System has it, or the store refuses.
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method itself is of one lifetime"
    )]
    pub(crate) async fn end_maintenance(&self, item: ItemId) -> Result<EndedItems, CliError> {
        let those = |system: &System| together(item, system.maintenance.keys());
        self.remove_items(item, those, |edit, item| edit.remove_maintenance(item))
            .await
    }

    /// Removes what was written together with an item; nothing unless the item itself is somewhere.
    async fn remove_items(
        &self,
        item: ItemId,
        those: impl Fn(&System) -> Vec<ItemId>,
        remove: impl Fn(&mut SystemEdit<'_, '_>, ItemId) -> Result<(), EditError>,
    ) -> Result<EndedItems, CliError> {
        let there: Vec<_> = {
            let model = self.model();
            let of = |space| model.system(&space).map(&those).unwrap_or_default();
            let there = model.spaces().map(|space| (space, of(space)));
            there.filter(|(_, items)| !items.is_empty()).collect()
        };
        let is_there = there.iter().any(|(_, items)| items.contains(&item));
        let there = if is_there { there } else { Vec::new() };
        let writable = self.writable().await?;
        let (mine, others): (Vec<_>, Vec<_>) = there
            .into_iter()
            .partition(|(space, _)| writable.contains(space));
        if mine.is_empty() {
            let reason = if others.is_empty() {
                "no System here has it: `aramaki alert silences` and `aramaki maintenance list` show ids"
            } else {
                "this device may not write where it is"
            };
            return Err(CliError::Setting {
                what: "id",
                value: item.to_string(),
                reason: reason.to_owned(),
            });
        }
        for (space, items) in &mine {
            self.edit(*space, |model, chain, now| {
                model.edit_system(*space, chain, now, |edit| {
                    items.iter().try_for_each(|item| remove(edit, *item))
                })
            })
            .await?;
        }
        Ok(EndedItems {
            count: mine.iter().map(|(_, items)| items.len()).sum(),
            systems: mine.into_iter().map(|(space, _)| space).collect(),
        })
    }
}

/// Silences or maintenance windows that were ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndedItems {
    /// How many, in all Systems together.
    pub(crate) count: usize,
    /// Where.
    pub(crate) systems: Vec<SpaceId>,
}

/// Which of these were written by the same act as an item: [`items`] gives them ids in a row.
fn together<'a>(item: ItemId, all: impl Iterator<Item = &'a ItemId>) -> Vec<ItemId> {
    let act = |item: &ItemId| item.as_bytes().split_last().map(|(_, act)| act.to_vec());
    let wanted = act(&item);
    all.filter(|other| act(other) == wanted).copied().collect()
}

/// Under which item each silence of a preview was written, if the first of a System has this one.
pub(super) fn written(
    first: ItemId,
    preview: &Preview<Silence>,
) -> impl Iterator<Item = (SpaceId, ItemId)> {
    let writes = preview.writes.iter();
    writes.flat_map(move |(space, silences)| {
        let items = items(first).zip(silences);
        items.map(move |(item, _)| (*space, item))
    })
}

/// The item itself, then others beside it for further ones in the same System.
fn items(first: ItemId) -> impl Iterator<Item = ItemId> {
    (0..=u8::MAX).map(move |n| {
        let mut bytes = *first.as_bytes();
        if let Some(last) = bytes.last_mut() {
            *last = last.wrapping_add(n);
        }
        ItemId::from_bytes(bytes)
    })
}

fn refuse_over(alert: &Alert) -> Result<(), CliError> {
    match alert.resolved {
        None => Ok(()),
        Some(at) => Err(CliError::Setting {
            what: "alert",
            value: alert.id.short(),
            reason: format!("it was resolved {}", crate::cli::local(at)),
        }),
    }
}
