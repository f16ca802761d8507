//! Authors who signed two histories: whose, and what helps.

use aramaki_sync_core::{AuthorId, SpaceId};

use super::live::Live;
use crate::cli::CliError;

/// Somebody who signed two histories in a Space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TwoHistories {
    /// In which Space.
    pub(crate) space: SpaceId,
    /// What that is called; none if it cannot be read.
    pub(crate) title: Option<String>,
    /// Whose key.
    pub(crate) author: AuthorId,
    /// What people call them.
    pub(crate) who: String,
    /// The first position that was signed twice.
    pub(crate) seq: u64,
    /// Whether both branches are here, and not only the proof.
    pub(crate) both_here: bool,
}

impl TwoHistories {
    /// What it means, and what helps.
    pub(crate) fn text(&self) -> String {
        let (who, key) = (&self.who, self.author.short());
        format!(
            "Two histories were signed by {who}: it was restored from a copy without `aramaki restore`, or its \
             key is in two hands. What no relay saw of them does not count. Ask them; if the copy is not \
             theirs, `aramaki trust lost {key}` ends what the key may."
        )
    }
}

impl Live {
    /// Who signed two histories, in one Space or in all.
    ///
    /// # Errors
    /// When the replica has ended.
    pub(crate) async fn two_histories(
        &self,
        wanted: Option<SpaceId>,
    ) -> Result<Vec<TwoHistories>, CliError> {
        let spaces = self.spaces().await;
        let names = self.names(&spaces);
        let mut found = Vec::new();
        for space in spaces.iter().map(|it| it.id) {
            if wanted.is_some_and(|wanted| wanted != space) {
                continue;
            }
            let forks = self.replica().forks(space).await;
            let forks = forks.map_err(|error| CliError::Bug(error.to_string()))?;
            let title = self.space_title(space);
            found.extend(forks.into_iter().map(|fork| TwoHistories {
                space,
                title: title.clone(),
                author: fork.chain.author,
                who: names.of(fork.chain.author),
                seq: fork.seq,
                both_here: fork.both_here,
            }));
        }
        Ok(found)
    }
}
