//! Work that waits: it came after its grant had ended, or by an invitation that was used up.

use aramaki_sync_core::admission::Held;
use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};

use super::live::Live;
use super::profile::with_causes;
use crate::cli::CliError;

/// Shorter prefixes of a grant's id are refused.
const PREFIX_LEN_CHARS_MIN: usize = 6;

/// Envelopes of one grant that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LateWork {
    /// In which Space.
    pub(crate) space: SpaceId,
    /// What people call it.
    pub(crate) title: Option<String>,
    /// Under which grant they were written.
    pub(crate) grant: EnvelopeId,
    /// Who wrote them.
    pub(crate) who: String,
    /// For what they wait.
    pub(crate) held: Held,
    /// How many they are.
    pub(crate) envelopes: u64,
    /// The first and the last, by their author's clock.
    pub(crate) span: (Timestamp, Timestamp),
}

impl LateWork {
    /// Whether an administrator can accept it. Other work waits for something else: a grant, a clock,
    /// or a fork that is settled.
    pub(crate) fn can_be_accepted(&self) -> bool {
        self.held == Held::Expired
    }
}

fn refused(error: &dyn std::error::Error) -> CliError {
    CliError::Refused {
        what: "the late work",
        reason: with_causes(error),
    }
}

impl Live {
    /// What waits in one Space, or in all.
    ///
    /// # Errors
    /// When the replica has ended.
    pub(crate) async fn late_work(
        &self,
        wanted: Option<SpaceId>,
    ) -> Result<Vec<LateWork>, CliError> {
        let spaces = self.spaces().await;
        let names = self.names(&spaces);
        let mut late = Vec::new();
        for space in spaces.iter().map(|it| it.id) {
            if wanted.is_some_and(|wanted| wanted != space) {
                continue;
            }
            let waiting = self.replica().waiting(space).await;
            let title = self.space_title(space);
            for work in waiting.map_err(|error| refused(&error))? {
                late.push(LateWork {
                    space,
                    title: title.clone(),
                    grant: work.grant,
                    who: names.of(work.author),
                    held: work.held,
                    envelopes: work.envelopes,
                    span: work.span,
                });
            }
        }
        Ok(late)
    }

    /// Lets late work count that was written under a grant: as much of it as is here.
    ///
    /// # Errors
    /// When nothing of it waits, or this device does not administer the Space.
    pub(crate) async fn accept_late(
        &self,
        space: SpaceId,
        wanted: &str,
    ) -> Result<LateWork, CliError> {
        let late = self.late_work(Some(space)).await?;
        let prefix = wanted.trim().to_ascii_lowercase();
        let mut found = late.into_iter().filter(|it| {
            let named = it.grant.to_string().starts_with(&prefix);
            named && prefix.len() >= PREFIX_LEN_CHARS_MIN && it.can_be_accepted()
        });
        let (Some(work), None) = (found.next(), found.next()) else {
            return Err(CliError::NoSuchGrant {
                wanted: wanted.to_owned(),
            });
        };
        let accepted = self.replica().accept_late(space, work.grant).await;
        accepted.map_err(|error| refused(&error))?;
        Ok(work)
    }
}
