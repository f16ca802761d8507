//! What the handle looks up in the engine, between two of its inputs.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::admission::{Entry, Evaluation, Keyring, Member, SpaceLog};
use aramaki_sync_core::engine::{AccessEnd, Admitted, Engine};
use aramaki_sync_core::key::EpochKey;
use aramaki_sync_core::statement::{Audience, Capability, Statement};
use aramaki_sync_core::{AuthorId, Chain, DocumentId, EnvelopeId, SpaceId, Timestamp};

use crate::records::Awaited;

use super::{Lineage, Receipt, Receipts, SpaceSummary, Spent};

/// Epoch keys by their statements.
pub(super) type EpochKeys = BTreeMap<EnvelopeId, EpochKey>;

/// What of a document counts, without bodies, and the keys that open them.
pub(super) struct Readable {
    pub(super) entries: Vec<Admitted>,
    pub(super) keys: EpochKeys,
    /// Of entries whose sealed body is not here, the snapshot that holds the plain one.
    pub(super) covered: BTreeMap<EnvelopeId, EnvelopeId>,
}

/// Entries of a document that count, each after what it builds on.
pub(super) fn readable(engine: &Engine, space: SpaceId, document: DocumentId) -> Option<Readable> {
    let (log, keyring) = (engine.log(space)?, engine.keyring(space)?);
    let entries = engine.admitted(space, document);
    let mut keys = BTreeMap::new();
    let mut covered = BTreeMap::new();
    for entry in &entries {
        let by = engine.covered_by(space, entry.id);
        covered.extend(by.map(|by| (entry.id, by)));
        for id in by.into_iter().chain([entry.id]) {
            let epoch = log.get(id)?.header().epoch;
            if let Some(key) = keyring.get(epoch) {
                keys.entry(epoch).or_insert_with(|| key.clone());
            }
        }
    }
    Some(Readable {
        entries,
        keys,
        covered,
    })
}

/// Every epoch key of every Space, to check what snapshots hold.
pub(super) fn all_keys(engine: &Engine) -> BTreeMap<SpaceId, EpochKeys> {
    let keyring = |space| {
        let keys = engine.keyring(space).into_iter().flat_map(Keyring::iter);
        keys.map(|(id, key)| (id, key.clone())).collect()
    };
    let spaces = engine.spaces();
    spaces.map(|space| (space, keyring(space))).collect()
}

/// The documents in which something counts.
pub(super) fn documents(engine: &Engine, space: SpaceId) -> Option<BTreeSet<DocumentId>> {
    let (log, evaluation) = (engine.log(space)?, engine.evaluation(space)?);
    let content = log.iter().filter(|entry| !entry.is_control());
    let counting = content.filter(|entry| evaluation.verdict(entry.id()).counts());
    Some(counting.map(|entry| entry.header().document).collect())
}

/// What the entries that arrived after the first `count` build on.
pub(super) fn lineage(engine: &Engine, space: SpaceId, count: usize) -> Option<Vec<Lineage>> {
    let arrived = engine.log(space)?.arrived_after(count);
    let lineage = arrived.map(|entry| Lineage {
        id: entry.id(),
        previous: entry.header().previous,
        ancestors: entry.header().ancestors.clone(),
    });
    Some(lineage.collect())
}

pub(super) fn spaces(engine: &Engine, author: AuthorId, now: Timestamp) -> Vec<SpaceSummary> {
    let spaces: Vec<SpaceId> = engine.spaces().collect();
    let summaries = spaces.into_iter();
    summaries
        .filter_map(|id| space(engine, id, author, now))
        .collect()
}

pub(super) fn space(
    engine: &Engine,
    id: SpaceId,
    author: AuthorId,
    now: Timestamp,
) -> Option<SpaceSummary> {
    let (log, evaluation) = (engine.log(id)?, engine.evaluation(id)?);
    Some(SpaceSummary {
        id,
        capability: evaluation.capability(author, now),
        ended_elsewhere: engine.ended_elsewhere(id),
        over_quota_at: engine.over_quota_at(id),
        newer_elsewhere: engine.is_newer_elsewhere(id),
        members: evaluation.members().to_vec(),
        audiences: evaluation.audiences().to_vec(),
        granted: evaluation
            .members()
            .iter()
            .filter_map(|member| Some((member.grant, log.get(member.grant)?.header().time)))
            .collect(),
        signs: signs(log, evaluation),
        emergencies: evaluation.emergencies(log, now),
        emergency_uses: evaluation.emergency_uses(log),
        relays: evaluation.relays().to_vec(),
        heads: log.summary(),
        digest: log.digest(),
        envelopes: u64::try_from(log.len()).unwrap_or(u64::MAX),
        receipts: receipts(engine, id),
    })
}

fn signs(log: &SpaceLog, evaluation: &Evaluation) -> BTreeMap<AuthorId, Timestamp> {
    let mut signs: BTreeMap<AuthorId, Timestamp> = BTreeMap::new();
    for (chain, _seq, id) in log.heads() {
        let Some(entry) = log.get(id).filter(|_it| evaluation.verdict(id).counts()) else {
            continue;
        };
        let written = entry.header().time.min(entry.received());
        let last = signs.entry(chain.author).or_insert(written);
        *last = (*last).max(written);
    }
    signs
}

fn receipts(engine: &Engine, space: SpaceId) -> Receipts {
    let chain = Chain {
        author: engine.author(),
        instance: engine.instance(),
    };
    // An agent that keeps its System holds as a relay's grant does, and is at no known address.
    let is_relay = |peer| {
        engine
            .relays(space)
            .iter()
            .any(|relay| relay.author == peer)
    };
    let peers: Vec<Receipt> = engine
        .holders(space)
        .into_iter()
        .map(|holder| Receipt {
            peer: holder.peer,
            relay: holder.capability == Some(Capability::Relay) && is_relay(holder.peer),
            seq: holder.heads.get(&chain).copied().unwrap_or(0),
            complete: holder.complete,
        })
        .collect();
    let furthest = peers.iter().map(|receipt| receipt.seq).max().unwrap_or(0);
    let log = engine.log(space);
    let head = log.and_then(|log| log.head(chain)).map(|(seq, _id)| seq);
    let (mut own, mut only_here) = (head.map(|head| head.min(furthest)), 0);
    // Nobody misses what a witness states by itself: people wait for what was written.
    let written = log
        .into_iter()
        .flat_map(|log| log.after(chain, furthest))
        .filter(|entry| !matches!(entry.statement(), Some(Statement::Receipt { .. })));
    for entry in written {
        own = Some(entry.header().seq);
        only_here += 1;
    }
    Receipts {
        own: own.map(|seq| (chain, seq)),
        only_here,
        peers,
    }
}

/// Whether this device is a member and has a key, if only of what was written before, or only relays.
pub(super) fn joined(engine: &Engine, space: SpaceId, author: AuthorId, now: Timestamp) -> bool {
    let (Some(evaluation), Some(keyring)) = (engine.evaluation(space), engine.keyring(space))
    else {
        return false;
    };
    match evaluation.capability(author, now) {
        None => false,
        Some(Capability::Relay) => true,
        Some(_) => {
            let mut epochs = evaluation.epochs().iter();
            epochs.any(|epoch| keyring.get(epoch.id).is_some())
        }
    }
}

/// Whether this device waits to be let in by an invitation. Where it is a member by another grant, only
/// as long as that can be used.
pub(super) fn waits_for(
    engine: &Engine,
    space: SpaceId,
    awaited: &Awaited,
    author: AuthorId,
    now: Timestamp,
) -> bool {
    let came = is_redeemed(engine, space, awaited.grant, author);
    let is_in = engine.capability(space).is_some();
    !came && engine.log(space).is_some() && (!is_in || now < awaited.redeem_until)
}

/// Whether no grant here ever named this device.
fn is_awaited(engine: &Engine, space: SpaceId, author: AuthorId) -> bool {
    let Some(log) = engine.log(space) else {
        return false;
    };
    let own = Audience::Author(author);
    let names_it = |statement: &Statement| matches!(statement, Statement::Grant(grant) if grant.audience == own);
    !log.control().any(|(_entry, statement)| names_it(statement))
}

/// The grant that this device gave itself by an invitation, if it counts.
fn redemption(
    engine: &Engine,
    space: SpaceId,
    invitation: EnvelopeId,
    author: AuthorId,
) -> Option<&Entry> {
    let (log, evaluation) = (engine.log(space)?, engine.evaluation(space)?);
    let own = |statement: &Statement| {
        matches!(statement, Statement::Grant(grant)
            if grant.parent == Some(invitation) && grant.audience == Audience::Author(author))
    };
    let mut control = log.control();
    let found = control
        .find(|(entry, statement)| own(statement) && evaluation.verdict(entry.id()).counts());
    found.map(|(entry, _statement)| entry)
}

/// Whether this device used an invitation, whatever became of that.
fn is_redeemed(engine: &Engine, space: SpaceId, invitation: EnvelopeId, author: AuthorId) -> bool {
    let Some(log) = engine.log(space) else {
        return false;
    };
    log.control().any(|(_entry, statement)| {
        matches!(statement, Statement::Grant(grant)
            if grant.parent == Some(invitation) && grant.audience == Audience::Author(author))
    })
}

/// Whether this device is a member by that invitation, and can read what is here.
pub(super) fn joined_by(
    engine: &Engine,
    space: SpaceId,
    invitation: EnvelopeId,
    author: AuthorId,
    now: Timestamp,
) -> bool {
    redemption(engine, space, invitation, author).is_some() && joined(engine, space, author, now)
}

/// Whether a peer said that it holds the grant which this device gave itself by an invitation.
pub(super) fn is_handed_over(
    engine: &Engine,
    space: SpaceId,
    invitation: EnvelopeId,
    author: AuthorId,
) -> bool {
    let Some(redemption) = redemption(engine, space, invitation, author) else {
        return false;
    };
    let header = redemption.header();
    engine.holders(space).iter().any(|holder| {
        let held = holder.heads.get(&header.chain);
        held.is_some_and(|seq| *seq >= header.seq)
    })
}

/// Why an invitation lets this device in no more; none while it may, or nothing is known of it.
///
/// What a peer says of a key that has ended may be of a grant that this device had before, while the
/// peer has not heard of the invitation: then it says nothing of that.
pub(super) fn spent(
    engine: &Engine,
    space: SpaceId,
    invitation: EnvelopeId,
    author: AuthorId,
) -> Option<Spent> {
    let (log, evaluation) = (engine.log(space)?, engine.evaluation(space)?);
    let is_in = redemption(engine, space, invitation, author).is_some();
    match engine.ended_elsewhere(space) {
        Some(AccessEnd::UsedUp) if !is_handed_over(engine, space, invitation, author) => {
            return Some(Spent::Used);
        }
        Some(AccessEnd::Over) if !is_in && is_awaited(engine, space, author) => {
            return Some(Spent::Revoked);
        }
        _ => {}
    }
    let Statement::Grant(grant) = log.get(invitation)?.statement()? else {
        return None;
    };
    let is_over = |member: &Member| member.grant == invitation && member.is_over;
    if !evaluation.verdict(invitation).counts() || evaluation.members().iter().any(is_over) {
        return (!is_in).then_some(Spent::Revoked);
    }
    let counting = log
        .iter()
        .filter(|entry| entry.is_control() && evaluation.verdict(entry.id()).counts());
    let devices: BTreeSet<Audience> = counting
        .filter_map(|entry| match entry.statement()? {
            Statement::Grant(grant) if grant.parent == Some(invitation) => Some(grant.audience),
            _ => None,
        })
        .collect();
    (!is_in && devices.len() >= usize::from(grant.redemptions)).then_some(Spent::Used)
}

/// The grant under which this device gives trust.
pub(super) fn own_grant(
    engine: &Engine,
    space: SpaceId,
    author: AuthorId,
    now: Timestamp,
) -> Option<Member> {
    let evaluation = engine.evaluation(space)?;
    let grant = evaluation.best_grant(author, now)?;
    let members = evaluation.members();
    members.iter().find(|member| member.grant == grant).cloned()
}
