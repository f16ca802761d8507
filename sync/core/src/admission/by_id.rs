//! A map that is looked up and never walked, so that its order can reach no verdict.

#![expect(
    clippy::disallowed_types,
    reason = "walking it is what must not happen, and it offers no way to"
)]

use std::collections::HashMap;

use crate::id::EnvelopeId;

/// Values by envelope. Its keys are hashed with a key of this process: ids that a peer chose do
/// not collide.
#[derive(Clone, Debug)]
pub(super) struct ById<V>(HashMap<EnvelopeId, V>);

impl<V> Default for ById<V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<V> ById<V> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, id: &EnvelopeId) -> Option<&V> {
        self.0.get(id)
    }

    pub(super) fn contains_key(&self, id: &EnvelopeId) -> bool {
        self.0.contains_key(id)
    }

    pub(super) fn insert(&mut self, id: EnvelopeId, value: V) {
        self.0.insert(id, value);
    }
}
