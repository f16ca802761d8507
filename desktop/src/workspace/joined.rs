//! Waiting for a System that was joined, and what came with it.

use std::time::Duration;

use aramaki_sync::replica::{CameBefore, ClockAhead, Spent};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};
use tokio::time::Instant;

use super::fresh;
use super::live::Live;
use super::trust::ASK_AGAIN;
use crate::cli::CliError;

/// How long a System's agents may take to come after the System itself.
const AGENTS_TIME: Duration = Duration::from_secs(5);
/// How long the new member's own grant may take to reach somebody else.
const HAND_OVER_TIME: Duration = Duration::from_secs(6);
/// How long this device may take to let itself in by what came in a file.
const OFFLINE_TIME: Duration = Duration::from_secs(10);
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// An invitation that was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joining {
    /// Into what.
    pub(crate) space: SpaceId,
    /// The grant that the invitation's key holds.
    pub(crate) grant: EnvelopeId,
    /// From when on it can be used; none: since it was made.
    pub(crate) begin: Option<Timestamp>,
    /// Whether this device came by it before: then it changes nothing.
    pub(crate) again: bool,
}

impl Joining {
    /// When it begins, if that is later than whoever waits so long would wait.
    pub(crate) fn begins_after(&self, limit: Duration) -> Option<Timestamp> {
        self.begin.filter(|begin| *begin > fresh::now().plus(limit))
    }
}

/// The key by which what is written in a System now is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NewestKey {
    /// It is here.
    Here,
    /// Whoever has it was not there yet.
    Awaited,
}

/// A System that can be read here since it was joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Joined {
    /// What people call it.
    pub(crate) title: String,
    /// What this device may do.
    pub(crate) capability: Option<Capability>,
    /// Until when.
    pub(crate) end: Option<Timestamp>,
    /// Whether the key by which what is written now is sealed has come.
    pub(crate) newest_key: NewestKey,
    /// Checks that it lists.
    pub(crate) checks: usize,
    /// Notes that it lists.
    pub(crate) notes: usize,
    /// Parts that it lists.
    pub(crate) parts: usize,
    /// Agents that observe it.
    pub(crate) agents: usize,
    /// Agents whose Space this device can read.
    pub(crate) agents_readable: usize,
    /// Whether somebody else holds the grant by which this device came: else nobody knows it yet.
    pub(crate) handed_over: bool,
    /// Whether this device came by the same invitation before.
    pub(crate) again: bool,
    /// That its clock is ahead, so that nobody else counts it yet, as far as somebody has said so.
    pub(crate) clock_ahead: Option<ClockAhead>,
}

/// A System in which nobody counts yet what this device wrote last, because its clock is ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EarlyThere {
    /// Which.
    pub(crate) space: SpaceId,
    /// What people call it.
    pub(crate) title: String,
    /// How far, and until when.
    pub(crate) ahead: ClockAhead,
}

impl Live {
    /// Systems of which the newest key has not come, with their titles.
    pub(crate) async fn awaits_keys(&self, wanted: Option<SpaceId>) -> Vec<(SpaceId, String)> {
        let mut found = Vec::new();
        for space in self.spaces().await {
            let is_meant = wanted.is_none_or(|wanted| wanted == space.id);
            if is_meant
                && let Some(title) = self.title(space.id)
                && self
                    .replica()
                    .awaits_key(space.id)
                    .await
                    .unwrap_or_default()
            {
                found.push((space.id, title));
            }
        }
        found
    }

    /// Systems in which this device's clock is ahead of those who keep them.
    pub(crate) async fn clocks_ahead(&self, wanted: Option<SpaceId>) -> Vec<EarlyThere> {
        let mut found = Vec::new();
        for space in self.spaces().await {
            let is_meant = wanted.is_none_or(|wanted| wanted == space.id);
            let Some(title) = self.title(space.id).filter(|_title| is_meant) else {
                continue;
            };
            if let Ok(Some(ahead)) = self.replica().clock_ahead(space.id).await {
                let space = space.id;
                found.push(EarlyThere {
                    space,
                    title,
                    ahead,
                });
            }
        }
        found
    }

    /// Waits until a System can be read, then a moment longer for its agents; none when it cannot be
    /// read in time.
    ///
    /// # Errors
    /// When the invitation turns out to be used by somebody else, or revoked, or what it gave this device
    /// before has ended.
    pub(crate) async fn wait_for_system(
        &self,
        joining: Joining,
        limit: Duration,
    ) -> Result<Option<Joined>, CliError> {
        if joining.again {
            let end = Instant::now() + limit;
            let answered = self.answered_again(joining, end).await?;
            if !answered && self.title(joining.space).is_none() {
                return Ok(None);
            }
            let soon = end
                .max(Instant::now() + LOOK_PAUSE)
                .min(Instant::now() + AGENTS_TIME);
            let joined = self.arrived(joining.space, soon).await;
            return Ok(joined.map(|joined| Joined {
                handed_over: answered,
                again: true,
                ..joined
            }));
        }
        tokio::select! {
            joined = self.let_in(joining.space, Some(joining.grant), limit) => Ok(joined),
            error = self.spent(joining) => Err(error),
        }
    }

    /// Waits until this device has asked in a Home to be one of its person's; false when nobody who has
    /// it answered in time.
    ///
    /// # Errors
    /// When the code turns out to be used by another device, or revoked.
    pub(crate) async fn wait_for_home(
        &self,
        joining: Joining,
        limit: Duration,
    ) -> Result<bool, CliError> {
        let end = Instant::now() + limit;
        if joining.again {
            return self.answered_again(joining, end).await;
        }
        let asked = async {
            let joined = self.replica().joined_by(joining.space, joining.grant);
            if !matches!(tokio::time::timeout_at(end, joined).await, Ok(Ok(()))) {
                return false;
            }
            self.hand_over(joining.space, Some(joining.grant), end)
                .await
        };
        tokio::select! {
            asked = asked => Ok(asked),
            error = self.spent(joining) => Err(error),
        }
    }

    /// Whether a peer knows this device by an invitation by which it came before. That it was let in then says
    /// nothing: it may have been sent away since, and hear of it now.
    ///
    /// # Errors
    /// When its access has ended, as a peer says now; or said before, and nobody contradicts.
    async fn answered_again(&self, joining: Joining, end: Instant) -> Result<bool, CliError> {
        let space = joining.space;
        let answer = loop {
            match self.replica().since_then(space, joining.grant).await {
                Ok(None) if Instant::now() < end => tokio::time::sleep(LOOK_PAUSE).await,
                Ok(answer) => break answer,
                Err(_closed) => return Ok(false),
            }
        };
        let summary = self.replica().space(space).await;
        let said_before = summary.is_ok_and(|it| it.ended_elsewhere.is_some());
        match answer {
            Some(CameBefore::Stands) => Ok(true),
            None if !said_before => Ok(false),
            Some(CameBefore::Ended) | None => Err(CliError::Invitation {
                reason: "this device came by it before, and its access has ended since".to_owned(),
                hint: ASK_AGAIN,
            }),
        }
    }

    /// Whether this device is a member by what it joined with.
    pub(crate) async fn is_let_in(&self, joining: Joining) -> bool {
        let came = self.replica().came_by(joining.space, joining.grant).await;
        came.is_ok_and(|(is_in, _handed_over)| is_in)
    }

    /// Waits until it is known that an invitation lets this device in no more; for ever if it does.
    async fn spent(&self, joining: Joining) -> CliError {
        let (reason, hint) = match self.replica().spent(joining.space, joining.grant).await {
            Ok(Spent::Used) => (
                "as many devices have used it as it lets in",
                "ask for a code of your own: one lets in one device, if its maker did not say more",
            ),
            Ok(Spent::Revoked) => (
                "it was revoked, or its time has come by the clock of whoever keeps the System",
                ASK_AGAIN,
            ),
            Err(_closed) => std::future::pending().await,
        };
        // Nothing comes of it any more: it is not waited for.
        if let Err(error) = self.replica().forget(joining.space).await {
            tracing::warn!(%error, space = %joining.space.short(), "a spent invitation stays");
        }
        self.tell_changed();
        CliError::Invitation {
            reason: reason.to_owned(),
            hint,
        }
    }

    /// Waits until a System can be read in which this device was granted something, by that invitation if
    /// there is one, then a moment longer for its agents; none when it cannot be read in time.
    pub(crate) async fn let_in(
        &self,
        space: SpaceId,
        invitation: Option<EnvelopeId>,
        limit: Duration,
    ) -> Option<Joined> {
        let end = Instant::now() + limit;
        self.member(space, invitation, end).await?;
        tokio::time::timeout_at(end, self.titled(space))
            .await
            .ok()??;
        self.introduce_after_joining(space).await;
        let handed_over = self.hand_over(space, invitation, end).await;
        let joined = self
            .arrived(space, end.min(Instant::now() + AGENTS_TIME))
            .await?;
        Some(Joined {
            handed_over,
            ..joined
        })
    }

    /// Waits until this device is a member. A grant that it had before may have ended where that is not
    /// known here: it says nothing of an invitation.
    async fn member(
        &self,
        space: SpaceId,
        invitation: Option<EnvelopeId>,
        end: Instant,
    ) -> Option<()> {
        let replica = self.replica();
        let joined = async {
            match invitation {
                Some(grant) => replica.joined_by(space, grant).await,
                None => replica.joined(space).await,
            }
        };
        tokio::time::timeout_at(end, joined).await.ok()?.ok()
    }

    /// As [`Live::wait_for_system`] after the System came in a file: nobody else is waited for.
    pub(super) async fn joined_offline(&self, joining: Joining) -> Option<Joined> {
        let (space, end) = (joining.space, Instant::now() + OFFLINE_TIME);
        self.member(space, Some(joining.grant), end).await?;
        self.catch_up(space).await;
        self.introduce_after_joining(space).await;
        self.arrived(space, end).await
    }

    /// What came with a System.
    async fn arrived(&self, space: SpaceId, end: Instant) -> Option<Joined> {
        let title = self.title(space)?;
        let agents = self.agents_of(space);
        let mut agents_readable = 0;
        for agent in &agents {
            let joined = self.replica().joined(*agent);
            if matches!(tokio::time::timeout_at(end, joined).await, Ok(Ok(()))) {
                agents_readable += 1;
            }
        }
        let summary = self.replica().space(space).await.ok()?;
        let device = self.profile().device;
        let own = summary.members.iter().filter(|it| it.author == device);
        let page = self.page(space).ok()?;
        Some(Joined {
            title,
            capability: summary.capability,
            newest_key: match self.replica().awaits_key(space).await {
                Ok(true) => NewestKey::Awaited,
                _ => NewestKey::Here,
            },
            clock_ahead: self.replica().clock_ahead(space).await.unwrap_or_default(),
            end: own.map(|member| member.end).max(),
            checks: page.checks.len(),
            notes: page.notes.len(),
            parts: page.parts.len(),
            agents: agents.len(),
            agents_readable,
            handed_over: false,
            again: false,
        })
    }

    /// Waits until somebody else holds all that is here of a Space: else the grant that this device
    /// gave itself by the invitation would be on this disk alone, and nobody would know the guest. Says
    /// whether somebody holds that grant at least.
    async fn hand_over(
        &self,
        space: SpaceId,
        invitation: Option<EnvelopeId>,
        end: Instant,
    ) -> bool {
        let end = end.min(Instant::now() + HAND_OVER_TIME);
        while Instant::now() < end {
            let held = match self.replica().space(space).await {
                Ok(summary) => summary.receipts.peers.iter().any(|peer| peer.complete),
                Err(_closed) => return false,
            };
            if held {
                return true;
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        match invitation {
            Some(grant) => {
                let came = self.replica().came_by(space, grant).await;
                came.is_ok_and(|(_is_in, handed_over)| handed_over)
            }
            None => false,
        }
    }

    /// A System's title, once it can be read; none when the workspace is closed before.
    async fn titled(&self, space: SpaceId) -> Option<String> {
        let mut changed = self.watch();
        loop {
            if let Some(title) = self.title(space) {
                return Some(title);
            }
            changed.changed().await.ok()?;
        }
    }
}

/// What a capability is called on the command line.
pub(crate) const fn capability_word(capability: Capability) -> &'static str {
    match capability {
        Capability::Relay => "relay",
        Capability::Read => "read",
        Capability::Comment => "comment",
        Capability::Write => "write",
        Capability::Administer => "administer",
    }
}
