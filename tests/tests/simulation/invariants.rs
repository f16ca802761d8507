//! What must hold at every moment, and what in the end.

use std::collections::BTreeSet;

use aramaki_sync_core::envelope::Envelope;
use aramaki_sync_core::statement::{Body, Kind};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId};

use crate::world::{FORGER, FOUNDER, GUEST, HONEST_BYTE, RELAY, WINDOW_BYTES, World};

/// What did not hold.
pub(crate) type Violation = String;

/// One envelope may go beyond a window; what is written here folds so well that a snapshot is short.
const WINDOW_EXCESS_BYTES: usize = 16 << 10;

pub(crate) fn queues_are_bounded(world: &World, node: usize) -> Result<(), Violation> {
    let Some(engine) = &world.nodes[node].engine else {
        return Ok(());
    };
    let pressure = engine.pressure();
    if pressure.outstanding_bytes > WINDOW_BYTES + WINDOW_EXCESS_BYTES {
        return Err(format!("node {node}: {pressure:?} on the way to one peer"));
    }
    Ok(())
}

/// What an engine says that a peer holds is on that peer's disk.
pub(crate) fn receipts_are_true(world: &World, node: usize) -> Result<(), Violation> {
    let (Some(engine), Some(space)) = (&world.nodes[node].engine, world.space) else {
        return Ok(());
    };
    for holder in engine.holders(space) {
        let at = world
            .nodes
            .iter()
            .position(|it| it.keys.author() == holder.peer);
        let Some(peer) = at.filter(|at| *at != FORGER) else {
            continue;
        };
        let image = &world.nodes[peer].disk.image;
        let met = engine
            .peers()
            .any(|it| it.peer == holder.peer && it.store_epoch == Some(image.store_epoch));
        for (chain, seq) in holder.heads {
            if met && !image.holds(space, chain, seq) {
                return Err(format!(
                    "node {node} says falsely that {peer} holds {chain} up to {seq}"
                ));
            }
        }
    }
    Ok(())
}

/// Nothing of a reader's is shown as written.
pub(crate) fn nothing_forged(
    world: &World,
    node: usize,
    mut authors: impl Iterator<Item = AuthorId>,
) -> Result<(), Violation> {
    let forger = world.nodes[FORGER].keys.author();
    if authors.any(|author| author == forger) {
        return Err(format!("node {node} shows a reader's envelope as admitted"));
    }
    Ok(())
}

/// Members read what honest writers wrote, whatever snapshots say; the relay has all that was sealed.
fn everything_is_readable(world: &World, space: SpaceId) -> Result<(), Violation> {
    for node in RELAY..=GUEST {
        let it = &world.nodes[node];
        let Some((log, evaluation, engine)) = it
            .engine
            .as_ref()
            .and_then(|engine| Some((engine.log(space)?, engine.evaluation(space)?, engine)))
        else {
            continue;
        };
        let content = log.iter().filter(|entry| !entry.is_control());
        for entry in content.filter(|entry| !world.lost.contains(&entry.id())) {
            let (id, kind) = (entry.id(), entry.header().kind);
            if node == RELAY {
                let sealed = it.disk.image.stored(id).and_then(Envelope::body);
                if sealed.is_none() {
                    return Err(format!("the relay lacks the body of {}", id.short()));
                }
            } else if kind == Kind::Changes && evaluation.verdict(id).counts() {
                let Some(Body::Changes(changes)) = it.disk.image.read(engine, space, id) else {
                    return Err(format!("node {node} cannot read {}", id.short()));
                };
                if changes
                    .iter()
                    .flat_map(|it| it.iter())
                    .any(|byte| *byte != HONEST_BYTE)
                {
                    return Err(format!("node {node} believes a snapshot: {}", id.short()));
                }
            }
        }
    }
    Ok(())
}

/// In the end all hold the same, all of it counts the same, nothing acknowledged is missing.
pub(crate) fn everything_agrees(world: &World) -> Result<(), Violation> {
    let Some(space) = world.space else {
        return Err("the Space was never founded".to_owned());
    };
    everything_is_readable(world, space)?;
    let mut first: Option<([u8; 32], BTreeSet<EnvelopeId>)> = None;
    for node in RELAY..=GUEST {
        let engine = world.nodes[node].engine.as_ref();
        let Some((log, evaluation)) =
            engine.and_then(|engine| Some((engine.log(space)?, engine.evaluation(space)?)))
        else {
            let founder = world.nodes[FOUNDER].engine.as_ref();
            let members = founder.map_or(0, |engine| engine.members(space).len());
            return Err(format!(
                "node {node} does not have the Space of {members} members"
            ));
        };
        if let Some((chain, seq)) = log.forked_chains().next() {
            return Err(format!("an honest chain forked: {chain} at {seq}"));
        }
        for stored in &world.nodes[node].disk.image.envelopes {
            let header = stored.envelope.header();
            if !world.nodes[node]
                .disk
                .image
                .follows(space, header.chain, header.seq)
            {
                return Err(format!("node {node} stored a gap below {}", header.seq));
            }
        }
        let counts: BTreeSet<_> = log
            .iter()
            .filter(|entry| evaluation.verdict(entry.id()).counts())
            .map(aramaki_sync_core::admission::Entry::id)
            .collect();
        if let Some(lost) = world.acknowledged.iter().find(|id| !counts.contains(id)) {
            let verdict = evaluation.verdict(*lost);
            return Err(format!(
                "node {node} lacks acknowledged {}: {verdict:?}",
                lost.short()
            ));
        }
        nothing_forged(
            world,
            node,
            counts
                .iter()
                .filter_map(|id| log.get(*id))
                .filter(|entry| !entry.is_control())
                .map(|entry| entry.header().chain.author),
        )?;
        let mine = (log.digest(), counts);
        if first.get_or_insert_with(|| mine.clone()) != &mine {
            return Err(format!("node {node} disagrees ({} envelopes)", log.len()));
        }
    }
    Ok(())
}
