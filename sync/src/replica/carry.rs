//! Spaces in a bundle: made here, and taken from one, without a network.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_sync_core::bundle::{Bundle, BundleError, Section, Verified};
use aramaki_sync_core::engine::{Engine, Refusal, StoreFailure, WriteError};
use aramaki_sync_core::envelope::{Envelope, RawEnvelope};
use aramaki_sync_core::invitation::Invitation;
use aramaki_sync_core::statement::{Epoch, Statement, WrapTo};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId};
use tokio::sync::oneshot;

use super::read::READ_AT_ONCE;
use super::{Replica, ReplicaError, blocking};
use crate::driver::Command;

/// What a header, a signature and their lengths take, about: for what is planned before it is read.
const HEADER_LEN_BYTES: usize = 512;
/// Content of a bundle, so that with heads and lengths it stays below the largest.
const CONTENT_LEN_BYTES_MAX: usize = 60 << 20;
/// Bytes that are handed to the engine at once.
const TAKEN_LEN_BYTES: usize = 2 << 20;
/// While the disk has enough to do.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
const BUSY_TRIES_MAX: usize = 200;

/// How much of its Spaces a bundle carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Everything; where it is too much, the oldest content goes without its bodies.
    All,
    /// What a guest needs to be a member: grants, epochs, and of content what holds them together,
    /// without bodies.
    TrustAlone,
}

/// What came of one Space of a bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Envelopes that were new here.
    pub new: usize,
    /// Envelopes that were here already.
    pub known: usize,
    /// Envelopes whose predecessor is neither here nor in the bundle.
    pub gaps: usize,
    /// Envelopes that were not taken for another reason.
    pub refused: usize,
    /// Envelopes that a newer program wrote, which this one cannot check.
    pub newer: usize,
}

/// An envelope, and whether its body goes along.
#[derive(Clone, Copy)]
struct Planned {
    id: EnvelopeId,
    control: bool,
    with_body: bool,
    len_bytes: usize,
}

impl Replica {
    /// Puts Spaces, and an invitation into one of them, into a bundle.
    ///
    /// # Errors
    /// When a Space is not here, its grants alone are too much for a bundle, or the store cannot be
    /// read.
    pub async fn bundle(
        &self,
        spaces: Vec<SpaceId>,
        invitation: Option<Invitation>,
        contents: Contents,
    ) -> Result<Bundle, ReplicaError> {
        let invited = invitation.as_ref().map(|it| it.grant);
        let mut room = CONTENT_LEN_BYTES_MAX;
        let mut sections = Vec::new();
        for space in spaces {
            if let Err(error) = self.hand_over(space).await {
                tracing::debug!(%error, "keys are handed over later");
            }
            let planned = self
                .inspect(move |engine| plan(engine, space, invited, contents))
                .await?
                .ok_or(ReplicaError::UnknownSpace(space))?;
            let planned = fit(planned, &mut room).ok_or(BundleError::TooLong)?;
            let envelopes = self.read(planned).await?;
            sections.push(Section { space, envelopes });
        }
        Ok(Bundle {
            invitation,
            sections,
        })
    }

    /// Waits until a Space's key is sealed to a reader who was just let in. Callers bound the wait.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn sealed_to(&self, space: SpaceId, reader: AuthorId) -> Result<(), ReplicaError> {
        let sealed = move |engine: &Engine| {
            let mut control = engine.log(space)?.control();
            let found = control.any(|(_entry, statement)| match statement {
                Statement::Epoch(Epoch { wraps, .. }) | Statement::EpochShare { wraps, .. } => {
                    wraps.iter().any(|wrap| wrap.to == WrapTo::Device(reader))
                }
                _ => false,
            });
            found.then_some(())
        };
        self.until(space, sealed).await
    }

    /// Reads envelopes from the store, as they travel.
    async fn read(&self, planned: Vec<Planned>) -> Result<Vec<RawEnvelope>, ReplicaError> {
        let store = self.store()?;
        let read = blocking(move || {
            let mut envelopes = Vec::with_capacity(planned.len());
            for some in planned.chunks(READ_AT_ONCE) {
                let ids: Vec<_> = some.iter().map(|it| it.id).collect();
                let bare = some.iter().filter(|it| !it.with_body).map(|it| it.id);
                let bare: BTreeSet<_> = bare.collect();
                for row in store.envelopes(&ids)? {
                    let mut raw = row.raw;
                    if bare.contains(&raw.id()) {
                        raw.body = None;
                    }
                    envelopes.push(raw);
                }
            }
            Ok::<_, ReplicaError>(envelopes)
        });
        read.await?
    }

    /// Takes what a bundle holds of a Space that is held or awaited here; returns when it is durable.
    /// Each envelope is judged as if a peer had sent it.
    ///
    /// # Errors
    /// When the Space is neither held nor awaited, or the store fails; what was taken before stays.
    pub async fn take(&self, section: Verified) -> Result<Carried, ReplicaError> {
        let space = section.space;
        let mut carried = Carried {
            newer: section.newer,
            ..Carried::default()
        };
        let (mut part, mut bytes) = (Vec::new(), 0);
        for envelope in section.envelopes {
            bytes += envelope.raw().len_bytes();
            part.push(envelope);
            if bytes >= TAKEN_LEN_BYTES {
                let full = std::mem::take(&mut part);
                self.take_part(space, full, &mut carried).await?;
                bytes = 0;
            }
        }
        self.take_part(space, part, &mut carried).await?;
        Ok(carried)
    }

    async fn take_part(
        &self,
        space: SpaceId,
        envelopes: Vec<Envelope>,
        carried: &mut Carried,
    ) -> Result<(), ReplicaError> {
        let count = envelopes.len();
        if count == 0 {
            return Ok(());
        }
        let mut tries = 0;
        let taken = loop {
            let (reply, answer) = oneshot::channel();
            let command = Command::Take {
                space,
                envelopes: envelopes.clone(),
                reply,
            };
            self.command(command).await?;
            match answer.await.map_err(|_gone| ReplicaError::Closed)? {
                Err(WriteError::Busy) if tries < BUSY_TRIES_MAX => {
                    tries += 1;
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                Err(WriteError::UnknownSpace) => return Err(ReplicaError::UnknownSpace(space)),
                taken => break taken?,
            }
        };
        for (_id, reason) in &taken.refused {
            match reason {
                Refusal::Store => return Err(WriteError::Store(StoreFailure::Failed).into()),
                Refusal::Gap => carried.gaps += 1,
                _ => carried.refused += 1,
            }
        }
        carried.known += taken.known;
        carried.new += count.saturating_sub(taken.known + taken.refused.len());
        Ok(())
    }
}

/// What goes into a bundle of a Space, in the order of arrival.
fn plan(
    engine: &Engine,
    space: SpaceId,
    invited: Option<EnvelopeId>,
    contents: Contents,
) -> Option<Vec<Planned>> {
    let log = engine.log(space)?;
    let needed = match contents {
        Contents::All => None,
        Contents::TrustAlone => Some(needed(engine, space, invited)),
    };
    let entries = log
        .iter()
        .filter(|entry| needed.as_ref().is_none_or(|it| it.contains(&entry.id())));
    let planned = entries.map(|entry| {
        let body = usize::try_from(entry.header().body_len).unwrap_or(usize::MAX);
        Planned {
            id: entry.id(),
            control: entry.is_control(),
            with_body: entry.is_control() || contents == Contents::All,
            len_bytes: body,
        }
    });
    Some(planned.collect())
}

/// An invitation's grant and the Space's epochs, with all that they stand and build on.
fn needed(engine: &Engine, space: SpaceId, invited: Option<EnvelopeId>) -> BTreeSet<EnvelopeId> {
    let Some(log) = engine.log(space) else {
        return BTreeSet::new();
    };
    let epochs = log.control().filter(|(_entry, statement)| {
        matches!(
            statement,
            Statement::Epoch(_) | Statement::EpochShare { .. }
        )
    });
    let mut open: Vec<EnvelopeId> = epochs.map(|(entry, _statement)| entry.id()).collect();
    open.extend(invited);
    let mut needed = BTreeSet::new();
    while let Some(id) = open.pop() {
        let Some(entry) = log.get(id) else { continue };
        if needed.insert(id) {
            open.extend(entry.links());
            open.push(entry.header().authority);
        }
    }
    needed
}

/// Leaves out the bodies of the oldest content until everything fits; none when control and headers
/// alone do not.
fn fit(mut planned: Vec<Planned>, room: &mut usize) -> Option<Vec<Planned>> {
    let mut left = *room;
    for it in &planned {
        let body = if it.control { it.len_bytes } else { 0 };
        left = left.checked_sub(body.saturating_add(HEADER_LEN_BYTES))?;
    }
    let content = planned.iter_mut().rev();
    let mut full = false;
    for it in content.filter(|it| !it.control && it.with_body) {
        // Nothing older once something did not fit: what is whole stays in one piece.
        full |= it.len_bytes > left;
        if full {
            it.with_body = false;
        } else {
            left -= it.len_bytes;
        }
    }
    *room = left;
    Some(planned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(control: bool, len_bytes: usize) -> Planned {
        Planned {
            id: EnvelopeId::ZERO,
            control,
            with_body: true,
            len_bytes,
        }
    }

    #[test]
    fn the_oldest_bodies_are_left_out_and_control_never() {
        let all = || {
            vec![
                planned(true, 100),
                planned(false, 1_000),
                planned(false, 1_000),
            ]
        };
        let with_bodies = |mut room: usize| {
            let fitted = fit(all(), &mut room)?;
            Some(fitted.iter().map(|it| it.with_body).collect::<Vec<_>>())
        };
        let headers = 3 * HEADER_LEN_BYTES + 100;
        assert_eq!(with_bodies(headers + 2_000), Some(vec![true, true, true]));
        assert_eq!(with_bodies(headers + 1_999), Some(vec![true, false, true]));
        assert_eq!(with_bodies(headers), Some(vec![true, false, false]));
        assert_eq!(with_bodies(headers - 1), None);
    }
}
