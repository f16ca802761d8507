//! What is desired of a System: which version of its document says so, and which agents are told.

use aramaki_sync_core::SpaceId;

use super::live::Live;

impl Live {
    /// The heads of a System's document, as agents that act on it are told.
    pub(crate) fn heads_of(&self, system: SpaceId) -> String {
        self.model().system_heads(&system)
    }

    /// How many agents of a System this device tells what is desired, and how many there are.
    pub(crate) async fn told_agents(&self, system: SpaceId) -> (usize, usize) {
        let agents = self.agents_of(system);
        let administered = self.administered().await;
        let told = agents.iter().filter(|agent| administered.contains(agent));
        (told.count(), agents.len())
    }
}
