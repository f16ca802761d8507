//! Questions to whoever writes a Space, asked by who reads it through another one.
//!
//! A message needs a grant of its author in the Space in which it is said. Who reads an agent as a reader of its
//! System has none in the agent's Space, so it asks in the System's, sealed under the agent's epoch: those who
//! keep both hear it, others pass on what they cannot open.

use super::Engine;
use super::io::Event;
use crate::ephemeral::Ephemeral;
use crate::id::{DocumentId, SpaceId};
use crate::statement::Capability;

impl Engine {
    /// Asks in `through` whoever writes `space`; dropped when its readers do not read there, or this device does not.
    pub(super) fn ask_through(
        &mut self,
        (through, space): (SpaceId, SpaceId),
        document: DocumentId,
        plain: &[u8],
    ) {
        if self.reads_through(through, space)
            && let Some(epoch) = self.epoch_in_force(space)
        {
            self.speak(through, document, plain, epoch);
        }
    }

    /// A message that the keys of its own Space do not open: a question about another one that this device may
    /// answer, from a reader of that other one.
    pub(super) fn asked(&self, message: &Ephemeral) -> Option<Event> {
        let header = message.header();
        let through = header.space;
        let (space, key) = self.spaces.iter().find_map(|(space, held)| {
            // Cheapest first: whoever may speak in a Space may ask without end.
            let key = held.keyring.get(header.epoch)?;
            let may = held.evaluation.capability(self.author, self.now);
            let answers = *space != through && may >= Some(Capability::Write);
            (answers && self.reads_through(through, *space)).then_some((*space, key))
        })?;
        Some(Event::Asked {
            space,
            through,
            document: header.document,
            chain: header.chain,
            bytes: message.open(key).ok()?,
        })
    }

    /// Whether a standing grant lets the readers of one Space read another.
    fn reads_through(&self, through: SpaceId, space: SpaceId) -> bool {
        self.spaces.get(&space).is_some_and(|held| {
            held.evaluation.audiences().iter().any(|audience| {
                audience.space == through
                    && audience.capability >= Capability::Read
                    && audience.is_live(self.now)
            })
        })
    }
}
