//! A reader who wants to write: valid signatures without the right, forged ones, gaps, noise.

use aramaki_sync_core::envelope::{self, Position, RawEnvelope};
use aramaki_sync_core::key::EpochKey;
use aramaki_sync_core::statement::Body;
use aramaki_sync_core::{DocumentId, EnvelopeId, Instance, SpaceId};

use crate::world::{FORGER, World, envelopes_frame};

/// Frames that an honest engine must survive without showing anything of them.
pub(crate) fn frames(world: &mut World, space: SpaceId) -> Vec<Vec<u8>> {
    let number = 1_000_000 + world.dice.below(1_000_000);
    let mut frames = vec![world.dice.bytes().to_vec()];
    let Some((epoch, key)) = world.reader_key() else {
        return frames;
    };
    let instance = Instance(world.dice.next());
    let chain = chain(world, space, instance, (epoch, &key));
    let [first, _held_back, third] = chain.as_slice() else {
        return frames;
    };
    frames.push(envelopes_frame(space, number, vec![first.clone()]));
    // The second is held back: the third stands on nothing.
    frames.push(envelopes_frame(space, number + 1, vec![third.clone()]));
    let mut forged = first.clone();
    forged.signature[0] ^= 1;
    frames.push(envelopes_frame(space, number + 2, vec![forged]));
    frames
}

fn chain(
    world: &World,
    space: SpaceId,
    instance: Instance,
    epoch: (EnvelopeId, &EpochKey),
) -> Vec<RawEnvelope> {
    let it = &world.nodes[FORGER];
    let authority = it
        .engine
        .as_ref()
        .and_then(|engine| engine.best_grant(space));
    let mut previous = EnvelopeId::ZERO;
    (1..=3)
        .filter_map(|seq| {
            let position = Position {
                space,
                instance,
                seq,
                previous,
                authority: authority.unwrap_or_default(),
                ancestors: Vec::new(),
                time: world.clock(FORGER),
            };
            let body = Body::Changes(vec![serde_bytes::ByteBuf::from(*b"forged")]);
            let document = DocumentId::named("system");
            let made = envelope::sealed(&it.keys, position, document, &body, epoch).ok()?;
            previous = made.id();
            Some(made.raw().clone())
        })
        .collect()
}
