//! What people do about alerts in the window, one or many at once, and how it is taken back.

use std::collections::BTreeMap;

use aramaki_model::entry::{Acknowledgement, Claim, Message, Withdrawal};
use aramaki_model::handover::CHECKS_CHANGED;
use aramaki_model::preview::preview_silence;
use aramaki_model::{Alert, CheckId, EntryId, ItemId, Perspective, TimelineEntry};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{SpaceId, Timestamp};

use super::SystemChange;
use super::alerts::written;
use super::fresh;
use super::live::Live;
use super::profile::with_causes;
use crate::cli::CliError;
use crate::view::deed::{Deed, DeedKind};

/// How what was done is taken back.
#[derive(Clone, Debug)]
pub(crate) enum Undo {
    /// An acknowledgement or a claim.
    Entry(SpaceId, EntryId),
    /// A silence.
    Silence(SpaceId, ItemId),
    /// Proposals that were accepted.
    Checks(SpaceId, Vec<CheckId>),
    /// Proposals that were ignored.
    Ignored(SpaceId, Vec<CheckId>),
    /// A perspective, and what it was before.
    Perspective(ItemId, Option<Perspective>),
}

fn refused(reason: String) -> CliError {
    CliError::Refused {
        what: "the deed",
        reason,
    }
}

fn nowhere() -> CliError {
    refused("none of these Systems can be changed by this device".to_owned())
}

impl Live {
    /// Does it, in every System of its alerts that this device may change.
    ///
    /// # Errors
    /// When it is nowhere allowed, means nothing, or cannot be stored.
    pub(crate) async fn deed(&self, deed: &Deed) -> Result<Vec<Undo>, CliError> {
        let spaces = self.spaces().await.into_iter();
        let mine: BTreeMap<SpaceId, Option<Capability>> =
            spaces.map(|space| (space.id, space.capability)).collect();
        let may_write = |space: &SpaceId| {
            let capability = mine.get(space).copied().flatten();
            capability >= Some(Capability::Write)
        };
        if deed.kind == DeedKind::Silence {
            return self.silence_all(deed, may_write).await;
        }
        let snapshot = self.snapshot();
        let mut by_system: BTreeMap<SpaceId, Vec<&Alert>> = BTreeMap::new();
        for alert in deed.meant(&snapshot) {
            by_system.entry(alert.system).or_default().push(alert);
        }
        by_system.retain(|space, _| may_write(space));
        if by_system.is_empty() {
            return Err(nowhere());
        }
        let mut undo = Vec::new();
        for (space, alerts) in by_system {
            let now = fresh::now();
            let mut entries = Vec::new();
            match deed.kind {
                DeedKind::Say => entries.push((entry_id(now)?, said(deed, now))),
                DeedKind::Acknowledge | DeedKind::Claim | DeedKind::Silence => {
                    for alert in alerts {
                        entries.push((entry_id(now)?, entry(deed, alert, now)));
                    }
                }
            }
            self.edit(space, |model, chain, now| {
                model.append_timeline(space, chain, now, &entries)
            })
            .await?;
            if deed.kind != DeedKind::Say {
                undo.extend(entries.iter().map(|(id, _)| Undo::Entry(space, *id)));
            }
        }
        Ok(undo)
    }

    /// Puts an entry on a System's timeline.
    ///
    /// # Errors
    /// When the model or the store refuses.
    pub(crate) async fn append(
        &self,
        space: SpaceId,
        entry: (EntryId, TimelineEntry),
    ) -> Result<(), CliError> {
        self.edit(space, |model, chain, now| {
            model.append_timeline(space, chain, now, &[entry])
        })
        .await
    }

    /// Writes silences in every System that they mute and this device may change, as the verbs do.
    async fn silence_all(
        &self,
        deed: &Deed,
        may_write: impl Fn(&SpaceId) -> bool,
    ) -> Result<Vec<Undo>, CliError> {
        let (snapshot, now) = (self.snapshot(), fresh::now());
        let mut previews = Vec::new();
        let wishes = deed.wishes(&snapshot, now);
        for wish in wishes.map_err(|fault| refused(with_causes(&fault)))? {
            let preview = preview_silence(&snapshot, &wish, &may_write, now);
            previews.push(preview.map_err(|error| refused(error.to_string()))?);
        }
        if previews.iter().all(|preview| preview.writes.is_empty()) {
            return Err(nowhere());
        }
        let mut undo = Vec::new();
        for preview in previews {
            let item = self.silence(&preview).await?;
            let written = written(item, &preview);
            undo.extend(written.map(|(space, item)| Undo::Silence(space, item)));
        }
        Ok(undo)
    }

    /// Takes back what was done.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub(super) async fn undo_deed(&self, undo: Vec<Undo>) -> Result<(), CliError> {
        for step in undo {
            match step {
                Undo::Entry(space, entry) => {
                    let at = fresh::now();
                    let text = String::new();
                    let withdrawal = Withdrawal { at, entry, text };
                    let entries = [(entry_id(at)?, TimelineEntry::Withdrawal(withdrawal))];
                    self.edit(space, |model, chain, now| {
                        model.append_timeline(space, chain, now, &entries)
                    })
                    .await?;
                }
                Undo::Checks(space, checks) => {
                    self.edit_system(space, vec![SystemChange::RemoveChecks(checks)])
                        .await?;
                    self.say(space, &format!("{CHECKS_CHANGED}took back what was added"))
                        .await?;
                }
                Undo::Ignored(space, checks) => {
                    self.edit_system(space, vec![SystemChange::Unignore(checks)])
                        .await?;
                }
                Undo::Perspective(id, before) => {
                    self.put_perspective(id, before).await?;
                }
                Undo::Silence(space, item) => {
                    self.edit(space, |model, chain, now| {
                        model.edit_system(space, chain, now, |edit| edit.remove_silence(item))
                    })
                    .await?;
                }
            }
        }
        Ok(())
    }
}

fn entry_id(now: Timestamp) -> Result<EntryId, CliError> {
    Ok(EntryId::new(now, fresh::random()?))
}

fn said(deed: &Deed, at: Timestamp) -> TimelineEntry {
    TimelineEntry::Message(Message {
        at,
        text: deed.text.trim().to_owned(),
    })
}

fn entry(deed: &Deed, alert: &Alert, at: Timestamp) -> TimelineEntry {
    let text = deed.text.trim().to_owned();
    match (deed.kind, deed.until(at)) {
        (DeedKind::Claim, Some(until)) => TimelineEntry::Claim(Claim {
            at,
            text,
            until,
            check: Some(alert.check),
            alert: Some(alert.id),
        }),
        (_, until) => TimelineEntry::Acknowledgement(Acknowledgement {
            at,
            check: Some(alert.check),
            text,
            until,
            alert: Some(alert.id),
        }),
    }
}
