//! Agents are told of redundancy groups as soon as a device that administers them hears of a change, whoever made it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aramaki_model::maintenance::redundancy::GroupsHeld;
use aramaki_model::name;
use aramaki_sync::replica::SpaceSummary;
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{DocumentId, SpaceId};
use tokio::sync::Notify;

use super::live::Live;
use crate::cli::CliError;

/// Changes closer together than this are told together.
const SETTLE: Duration = Duration::from_secs(1);

/// Whether what agents should know may have changed.
#[derive(Debug, Default)]
pub(super) struct GroupNews {
    news: Notify,
    /// Whether an agent was told something, here or elsewhere.
    told: AtomicBool,
}

impl GroupNews {
    /// Something happened to a document.
    pub(super) fn hear(&self, documents: impl Iterator<Item = DocumentId>) {
        let (system, actions, groups) = (name::system(), name::actions(), name::agent_groups());
        for document in documents {
            if document == groups {
                self.told.store(true, Ordering::Relaxed);
            }
            if [system, actions, groups].contains(&document) {
                self.news.notify_one();
            }
        }
    }

    /// A Space is heard now, or read anew.
    pub(super) fn hear_all(&self) {
        self.told.store(true, Ordering::Relaxed);
        self.news.notify_one();
    }
}

/// Where this device could not tell because it may not have heard of everything, it looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What agents were told, as far as it was read.
type Told = BTreeMap<SpaceId, Option<GroupsHeld>>;

/// Tells agents until the workspace is closed.
pub(super) fn start(live: &Live) {
    let live = live.clone();
    tokio::spawn(async move {
        let stop = live.shared.stop.clone();
        let work = async {
            let (mut told, mut is_left) = (Told::new(), false);
            loop {
                let news = live.shared.group_news.news.notified();
                if is_left {
                    // Heard or not, it is looked at again.
                    drop(tokio::time::timeout(LOOK_AGAIN, news).await);
                } else {
                    news.await;
                }
                tokio::time::sleep(SETTLE).await;
                if live.shared.group_news.told.swap(false, Ordering::Relaxed) {
                    told.clear();
                }
                is_left = live.tell_unasked(&mut told).await.unwrap_or_else(|error| {
                    tracing::warn!(
                        error = error.message(),
                        "agents cannot be told of redundancy groups"
                    );
                    false
                });
            }
        };
        stop.run_until_cancelled(work).await;
    });
}

impl Live {
    /// Tells each agent that this device administers what it was not told yet. A device that may not have heard of the
    /// last changes tells nothing: what it knows may be older than what its agents know. Whether there are such.
    async fn tell_unasked(&self, told: &mut Told) -> Result<bool, CliError> {
        let mut is_left = false;
        let spaces = self.spaces().await;
        let spaces: BTreeMap<_, _> = spaces.iter().map(|it| (it.id, it)).collect();
        let administers = |agent: &SpaceId| {
            let space = spaces.get(agent);
            space.is_some_and(|it| it.capability >= Some(Capability::Administer))
        };
        let groups = self.all_groups();
        let mut members = None;
        for system in self.systems() {
            let mut agents = self.agents_of(system);
            agents.retain(administers);
            if agents.is_empty() {
                continue;
            }
            let mut known = groups.together(system);
            let has_groups = groups.of(system).next().is_some();
            for agent in &agents {
                if !told.contains_key(agent) {
                    told.insert(*agent, self.told_groups(*agent).await?);
                }
            }
            let was_told = |agent: &SpaceId| told.get(agent).is_some_and(Option::is_some);
            if !has_groups && !agents.iter().any(was_told) {
                continue;
            }
            known.extend(groups.keepers(system));
            known.extend(agents.iter().copied());
            if !self.is_current(&spaces, known).await {
                is_left = true;
                continue;
            }
            if members.is_none() {
                members = Some(self.members(&groups.members()).await?);
            }
            let known = (&groups, members.get_or_insert_default() as &_);
            if self.tell_groups_of(system, &agents, known).await? {
                self.shared.group_news.told.store(true, Ordering::Relaxed);
            }
        }
        Ok(is_left)
    }

    /// Whether what is here of these Spaces is what others have, as far as it is here at all. One in which nobody
    /// else writes is.
    async fn is_current(
        &self,
        spaces: &BTreeMap<SpaceId, &SpaceSummary>,
        known: BTreeSet<SpaceId>,
    ) -> bool {
        let me = self.profile().device;
        for space in known.iter().filter_map(|it| spaces.get(it)) {
            // A relay hears everybody, others tell what they write themselves.
            let tells = |it: &&Member| {
                it.author != me
                    && (it.capability == Capability::Relay || it.capability >= Capability::Write)
            };
            let mut others = space.members.iter().filter(tells).peekable();
            if others.peek().is_none() {
                continue;
            }
            let in_step = self.replica().in_step(space.id).await;
            let in_step = in_step.map(|(authors, _)| authors).unwrap_or_default();
            if !others.any(|it| in_step.contains(&it.author)) {
                return false;
            }
        }
        true
    }
}
