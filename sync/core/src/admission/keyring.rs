//! The epoch keys of one Space that this device can open, and new ones (TRUST §3, §5).

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::epoch_fault;
use super::evaluation::Evaluation;
use super::log::SpaceLog;
use super::roster::{EpochInForce, Outsiders};
use crate::entropy::Entropy;
use crate::guard::{Guard, holds};
use crate::id::{AuthorId, EnvelopeId, SpaceId};
use crate::key::{DeviceKeys, EpochKey, KeyError, is_box_key};
use crate::statement::{Capability, Epoch, EpochFault, PreviousEpoch, Statement, Wrap, WrapTo};
use crate::time::Timestamp;

/// How many readers one statement names; the others get theirs by [`Keyring::share`].
pub const WRAPS_MAX: usize = 2_000;
/// How many wraps to one reader in one statement are tried.
const WRAPS_TRIED_MAX: usize = 4;

/// Why a new epoch cannot be made.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyringError {
    /// Sealing failed.
    #[error("{0}")]
    Key(#[from] KeyError),
}

/// Why a writer must issue a new epoch before it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotationReason {
    /// There is none yet.
    First,
    /// Someone who no longer reads holds the key.
    ReaderLeft,
    /// The audience Space has a newer epoch.
    AudienceMoved,
    /// The epoch's public half does not match its key (A54).
    FalsePublic,
    /// Somebody who reads proved that it is unfit (A54).
    Rejected,
    /// It was not wrapped to this device, or not the committed key was (A25, A54).
    Unreadable,
}

/// A new epoch: say the statement, then give its key to [`Keyring::insert`] under its id.
#[derive(Debug)]
pub struct Rotation {
    /// What to say.
    pub statement: Statement,
    /// Its key.
    pub key: EpochKey,
}

/// The epoch keys of one Space.
///
/// **Invariant:** each key is the one that its epoch's statement commits to.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: BTreeMap<EnvelopeId, EpochKey>,
}

impl Keyring {
    /// Opens what this device can: wraps to it, wraps to epochs of other Spaces in `others`, shares,
    /// and from each key the ones before. Returns the epochs that are new.
    ///
    /// Epochs that do not count are opened too: what was sealed under them may be vouched for.
    pub fn learn(
        &mut self,
        log: &SpaceLog,
        keys: &DeviceKeys,
        others: &BTreeMap<SpaceId, &Self>,
    ) -> Vec<EnvelopeId> {
        let mut learned = Vec::new();
        for (entry, statement) in log.control() {
            let (id, wraps) = match statement {
                Statement::Epoch(epoch) => (entry.id(), &epoch.wraps),
                Statement::EpochShare { epoch, wraps } => (*epoch, wraps),
                _ => continue,
            };
            let Some(epoch) = epoch_in(log, id).filter(|_epoch| !self.keys.contains_key(&id))
            else {
                continue;
            };
            if let Some(key) = open_one(log.space(), epoch, wraps, keys, others) {
                self.keys.insert(id, key);
                learned.push(id);
            }
        }
        let mut open: Vec<EnvelopeId> = self.keys.keys().copied().collect();
        while let Some(id) = open.pop() {
            if let Some(before) = self.open_previous(log, id) {
                learned.push(before);
                open.push(before);
            }
        }
        learned
    }

    fn open_previous(&mut self, log: &SpaceLog, id: EnvelopeId) -> Option<EnvelopeId> {
        let link = epoch_in(log, id)?.previous.as_ref()?;
        if self.keys.contains_key(&link.id) {
            return None;
        }
        let key = self
            .keys
            .get(&id)?
            .open_previous(&link.id, &link.sealed)
            .ok()?;
        if key.commit() != epoch_in(log, link.id)?.commit {
            return None;
        }
        self.keys.insert(link.id, key);
        Some(link.id)
    }

    /// Takes a key from the sealed key table or from a rotation of this device.
    pub fn insert(&mut self, epoch: EnvelopeId, key: EpochKey) {
        self.keys.insert(epoch, key);
    }

    /// The key of an epoch.
    pub fn get(&self, epoch: EnvelopeId) -> Option<&EpochKey> {
        self.keys.get(&epoch)
    }

    /// All keys, for the sealed key table.
    pub fn iter(&self) -> impl Iterator<Item = (EnvelopeId, &EpochKey)> + '_ {
        self.keys.iter().map(|(id, key)| (*id, key))
    }

    /// The epoch to write in and its key: the highest number, then the lowest id, leaving out those
    /// that are unfit. None when this device cannot open it.
    pub fn in_force(
        &self,
        log: &SpaceLog,
        evaluation: &Evaluation,
    ) -> Option<(EnvelopeId, &EpochKey)> {
        let epoch = self.newest(log, evaluation)?;
        Some((epoch.id, self.keys.get(&epoch.id)?))
    }

    fn newest<'a>(&self, log: &SpaceLog, evaluation: &'a Evaluation) -> Option<&'a EpochInForce> {
        evaluation
            .epochs()
            .iter()
            .find(|epoch| !evaluation.is_epoch_rejected(epoch.id) && !self.is_false(log, epoch.id))
    }

    /// What this device should say of the newest epoch if that is unfit and nobody said so yet:
    /// those who cannot open it, as agents of other Spaces, trust that it is fit.
    pub fn rejection(
        &self,
        log: &SpaceLog,
        evaluation: &Evaluation,
        reader: AuthorId,
    ) -> Option<Statement> {
        let epoch = evaluation.epochs().first()?.id;
        if evaluation.is_epoch_rejected(epoch) {
            return None;
        }
        let fault = match self.keys.get(&epoch) {
            Some(key) if self.is_false(log, epoch) => EpochFault::FalsePublic(key.opening()),
            Some(_fit) => return None,
            None => epoch_fault::omission(log, evaluation.members(), epoch, reader)?,
        };
        Some(Statement::EpochReject { epoch, fault })
    }

    fn is_false(&self, log: &SpaceLog, id: EnvelopeId) -> bool {
        match (self.keys.get(&id), epoch_in(log, id)) {
            (Some(key), Some(epoch)) => holds(Guard::PublicHalf) && key.public() != epoch.public,
            _ => false,
        }
    }

    /// Whether a writer must rotate before its next envelope.
    pub fn rotation_due(
        &self,
        log: &SpaceLog,
        evaluation: &Evaluation,
        outsiders: &Outsiders,
        now: Timestamp,
    ) -> Option<RotationReason> {
        let Some(highest) = evaluation.epochs().first() else {
            return Some(RotationReason::First);
        };
        if self.is_false(log, highest.id) {
            return Some(RotationReason::FalsePublic);
        }
        if evaluation.is_epoch_rejected(highest.id) {
            return Some(RotationReason::Rejected);
        }
        if !self.keys.contains_key(&highest.id) {
            return Some(RotationReason::Unreadable);
        }
        // Who does not know the epoch of an audience, as an agent that holds its own Space alone, would
        // lock all its readers out: somebody who does rotates.
        if !knows_audiences(evaluation, outsiders, now) {
            return None;
        }
        let holders = holders(log, evaluation, highest.id);
        let readers = readers(evaluation, now);
        let left = holders.iter().any(|holder| match holder {
            WrapTo::Device(author) => !readers.contains_key(author),
            WrapTo::Epoch { space, .. } => !evaluation
                .audiences()
                .iter()
                .any(|audience| audience.space == *space && audience.is_live(now)),
        });
        if left && holds(Guard::RotateOnLeave) {
            return Some(RotationReason::ReaderLeft);
        }
        // Whoever sealed it last knew a later epoch of that Space than is known here: to seal to an
        // older one would let those read again who left since.
        let lags = holders.iter().any(|holder| match holder {
            WrapTo::Epoch { space, epoch } => {
                let outside = outsiders.0.get(space);
                outside.is_some_and(|outside| !outside.epochs.contains(epoch))
            }
            WrapTo::Device(_) => false,
        });
        let audiences = audience_epochs(evaluation, outsiders, now);
        let mut audiences = audiences.keys();
        let moved = audiences.any(|audience| !holders.contains(audience));
        (moved && !lags).then_some(RotationReason::AudienceMoved)
    }

    /// A new epoch for every reader of now: members, living invitations, audience Spaces. A reader
    /// whose box key is none is left out, so that it cannot stop the others.
    ///
    /// # Errors
    /// When the key before cannot be sealed; never for keys that were opened.
    pub fn rotation(
        &self,
        evaluation: &Evaluation,
        space: SpaceId,
        outsiders: &Outsiders,
        now: Timestamp,
        entropy: &mut Entropy,
    ) -> Result<Rotation, KeyringError> {
        let key = EpochKey::generate(entropy);
        let epochs = evaluation.epochs();
        let number = epochs.first().map_or(0, |epoch| epoch.number);
        let number = number.saturating_add(1);
        let previous = match epochs.iter().find_map(|epoch| {
            let before = self.keys.get(&epoch.id)?;
            Some((epoch.id, before))
        }) {
            None => None,
            Some((id, before)) => Some(PreviousEpoch {
                id,
                sealed: key.seal_previous(&id, before, entropy)?,
            }),
        };
        let mut to = audience_epochs(evaluation, outsiders, now);
        to.extend(
            readers(evaluation, now)
                .into_iter()
                .map(|(author, box_key)| (WrapTo::Device(author), box_key)),
        );
        let statement = Statement::Epoch(Epoch {
            number,
            commit: key.commit(),
            public: key.public(),
            wraps: wrap_all(&key, space, number, to, entropy),
            previous,
        });
        Ok(Rotation { statement, key })
    }

    /// The epoch in force, and others to which no later one leads, for readers that lack them: older
    /// ones, and those that do not count, where something that counts was sealed under them.
    /// Empty when everyone has everything that this device can give.
    pub fn share(
        &self,
        log: &SpaceLog,
        evaluation: &Evaluation,
        now: Timestamp,
        entropy: &mut Entropy,
    ) -> Vec<Statement> {
        let mut statements = Vec::new();
        for (id, key, lacking) in self.lacking(log, evaluation, now) {
            let Some(stated) = epoch_in(log, id) else {
                continue;
            };
            let wraps = wrap_all(key, log.space(), stated.number, lacking, entropy);
            if !wraps.is_empty() {
                statements.push(Statement::EpochShare { epoch: id, wraps });
            }
        }
        statements
    }

    /// Whether [`Keyring::share`] has something to give.
    pub fn is_lacking(&self, log: &SpaceLog, evaluation: &Evaluation, now: Timestamp) -> bool {
        let lacking = self.lacking(log, evaluation, now);
        let mut box_keys = lacking.iter().flat_map(|(_id, _key, to)| to.values());
        // To a key that is none nothing can be sealed.
        box_keys.any(is_box_key)
    }

    /// The keys that must be given, each with the readers that lack it.
    fn lacking(&self, log: &SpaceLog, evaluation: &Evaluation, now: Timestamp) -> Vec<Lacking<'_>> {
        let mut linked = BTreeSet::new();
        let mut found = Vec::new();
        let counting = evaluation.epochs().iter().map(|epoch| epoch.id);
        let others = evaluation.sealed_under().iter().copied();
        for id in counting.chain(others) {
            let Some(stated) = epoch_in(log, id) else {
                continue;
            };
            linked.extend(stated.previous.as_ref().map(|link| link.id));
            let key = self.keys.get(&id);
            // Of each once: what follows from a later one, or was looked at, is linked.
            let Some(key) = key.filter(|_key| linked.insert(id)) else {
                continue;
            };
            let holders = holders(log, evaluation, id);
            let lacking: BTreeMap<_, _> = readers(evaluation, now)
                .into_iter()
                .map(|(author, box_key)| (WrapTo::Device(author), box_key))
                .filter(|(to, _box_key)| !holders.contains(to))
                .collect();
            found.push((id, key, lacking));
        }
        found
    }
}

/// A key, and who lacks it with where it is sealed for them.
type Lacking<'a> = (EnvelopeId, &'a EpochKey, BTreeMap<WrapTo, [u8; 32]>);

impl Keyring {
    /// Whether the epoch in force, whose key is here, is not sealed to somebody.
    pub(crate) fn lacks(&self, log: &SpaceLog, evaluation: &Evaluation, author: AuthorId) -> bool {
        let in_force = self.in_force(log, evaluation);
        let to = WrapTo::Device(author);
        in_force.is_some_and(|(id, _key)| !holders(log, evaluation, id).contains(&to))
    }
}

fn epoch_in(log: &SpaceLog, id: EnvelopeId) -> Option<&Epoch> {
    match log.get(id)?.statement()? {
        Statement::Epoch(epoch) => Some(epoch),
        _ => None,
    }
}

fn open_one(
    space: SpaceId,
    epoch: &Epoch,
    wraps: &[Wrap],
    keys: &DeviceKeys,
    others: &BTreeMap<SpaceId, &Keyring>,
) -> Option<EpochKey> {
    let me = keys.author();
    let mine = wraps.iter().filter_map(|wrap| match &wrap.to {
        WrapTo::Device(author) if *author == me => Some((wrap, None)),
        WrapTo::Device(_) => None,
        WrapTo::Epoch { space, epoch } => {
            let outer = others.get(space)?.get(*epoch)?;
            Some((wrap, Some(outer)))
        }
    });
    mine.take(WRAPS_TRIED_MAX)
        .filter_map(|(wrap, outer)| match outer {
            None => keys.open_wrap(&space, epoch.number, wrap).ok(),
            Some(outer) => outer.open_wrap(&space, epoch.number, wrap).ok(),
        })
        .find(|key| key.commit() == epoch.commit || !holds(Guard::Commitment))
}

/// Who reads here by its own box key, now.
fn readers(evaluation: &Evaluation, now: Timestamp) -> BTreeMap<AuthorId, [u8; 32]> {
    evaluation
        .members()
        .iter()
        .filter(|member| member.reads(now))
        .map(|member| (member.author, member.box_key))
        .collect()
}

/// Whether this device can seal to the readers of every other Space that read here.
fn knows_audiences(evaluation: &Evaluation, outsiders: &Outsiders, now: Timestamp) -> bool {
    let mut audiences = evaluation.audiences().iter();
    audiences.all(|audience| {
        !audience.is_live(now)
            || audience.capability < Capability::Read
            || outsiders
                .0
                .get(&audience.space)
                .is_some_and(|outside| outside.epoch.is_some())
    })
}

/// The epochs of other Spaces whose readers read here.
fn audience_epochs(
    evaluation: &Evaluation,
    outsiders: &Outsiders,
    now: Timestamp,
) -> BTreeMap<WrapTo, [u8; 32]> {
    evaluation
        .audiences()
        .iter()
        .filter(|audience| audience.is_live(now) && audience.capability >= Capability::Read)
        .filter_map(|audience| {
            let space = audience.space;
            let epoch = outsiders.0.get(&space)?.epoch?;
            let to = WrapTo::Epoch {
                space,
                epoch: epoch.id,
            };
            Some((to, epoch.public))
        })
        .collect()
}

/// To whom an epoch was wrapped, by its statement and by shares that count.
fn holders(log: &SpaceLog, evaluation: &Evaluation, id: EnvelopeId) -> BTreeSet<WrapTo> {
    let mut holders = BTreeSet::new();
    for (entry, statement) in log.control() {
        match statement {
            Statement::Epoch(epoch) if entry.id() == id => {
                holders.extend(epoch.wraps.iter().map(|wrap| wrap.to));
            }
            Statement::EpochShare { epoch, wraps }
                if *epoch == id && evaluation.verdict(entry.id()).counts() =>
            {
                holders.extend(wraps.iter().map(|wrap| wrap.to));
            }
            _ => {}
        }
    }
    holders
}

fn wrap_all(
    key: &EpochKey,
    space: SpaceId,
    number: u64,
    to: BTreeMap<WrapTo, [u8; 32]>,
    entropy: &mut Entropy,
) -> Vec<Wrap> {
    to.into_iter()
        .filter_map(|(to, box_key)| key.wrap(&space, number, to, &box_key, entropy).ok())
        .take(WRAPS_MAX)
        .collect()
}
