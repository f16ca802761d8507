//! Spaces, invitations, agents and relays: who may do what, and until when.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_model::desired::{DesiredState, HEADS_LEN_BYTES_MAX};
use aramaki_model::{AgentConfig, Presence, name};
use aramaki_sync::replica::{CreateSpace, GrantRequest, InviteRequest, ReplicaError, SpaceSummary};
use aramaki_sync::transport::{AddressError, PeerAddress};
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::id::IdError;
use aramaki_sync_core::invitation::{Invitation, InvitationError, Invitee};
use aramaki_sync_core::statement::{Body, Capability, RelayAddress};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};
use serde_bytes::ByteBuf;

use super::change::SystemChange;
use super::fresh;
use super::home::Standing;
use super::joined::Joining;
use super::live::Live;
use super::profile::with_causes;
use super::reason::OF_AGENT;
use crate::cli::CliError;

/// How long grants to relays and to the readers of a System last.
const LONG: Duration = Duration::from_hours(5 * 365 * 24);

/// What to do about a code that is of no use any more.
pub(super) const ASK_AGAIN: &str = "ask for a new one";

const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// What somebody is invited to.
#[derive(Clone, Debug)]
pub(crate) struct ShareRequest {
    /// Whom it is for, as all who read the System will call them; empty when nobody says.
    pub(crate) name: String,
    /// What for, in words; empty when nobody says.
    pub(crate) reason: String,
    /// What they may do.
    pub(crate) capability: Capability,
    /// From when on; none: now.
    pub(crate) begin: Option<Timestamp>,
    /// For how long.
    pub(crate) span: Duration,
    /// How many devices.
    pub(crate) redemptions: u16,
    /// Whether what they wrote in time may arrive for three days after the end.
    pub(crate) long_grace: bool,
}

/// An invitation. The code is a secret.
#[derive(Clone)]
pub(crate) struct Invited {
    /// Into which Space.
    pub(crate) space: SpaceId,
    /// Its grant.
    pub(crate) grant: EnvelopeId,
    /// Its key.
    pub(crate) author: AuthorId,
    /// The code.
    pub(crate) code: String,
    /// From when on the code can be used; none: at once.
    pub(crate) begin: Option<Timestamp>,
    /// When the access ends.
    pub(crate) end: Timestamp,
    /// When the code ends.
    pub(crate) redeem_until: Timestamp,
    /// Whether a relay keeps the Space; without one, this device has to be online for joining.
    pub(crate) relayed: bool,
}

impl std::fmt::Debug for Invited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Invited({}, <secret>)", self.space.short())
    }
}

fn refused(what: &'static str) -> impl Fn(&dyn std::error::Error) -> CliError {
    move |error| CliError::Refused {
        what,
        reason: with_causes(error),
    }
}

impl Live {
    /// Makes a Space under the recovery kit's key, or with this device at its top if there is no kit.
    ///
    /// # Errors
    /// When this device waits for being accepted as one of a person's, or the store refuses.
    pub(super) async fn create_space(&self) -> Result<SpaceId, CliError> {
        self.refuse_while_waiting().await?;
        let failed = refused("the new Space");
        let (principal, anchor) = self.identity().await;
        let request = CreateSpace {
            anchor,
            ..CreateSpace::new(principal)
        };
        let space = self
            .replica()
            .create_space(request)
            .await
            .map_err(|error| failed(&error))?;
        self.model().open_space(space);
        self.share_with_own(space).await?;
        Ok(space)
    }

    /// Makes an invitation.
    ///
    /// # Errors
    /// When this device may not, or the store refuses.
    pub(crate) async fn share(
        &self,
        space: SpaceId,
        request: &ShareRequest,
    ) -> Result<Invited, CliError> {
        let invite = InviteRequest {
            redemptions: request.redemptions,
            long_grace: request.long_grace,
            ..InviteRequest::lasting(request.capability, request.span)
        };
        let invite = match request.begin {
            Some(begin) => invite.beginning(begin),
            None => invite,
        };
        self.check_may_give(space, request.capability, invite.end)
            .await?;
        self.check_may_invite(space).await?;
        if invite.long_grace && !self.administers_in(space).await {
            return Err(CliError::Refused {
                what: "the invitation",
                reason: "only who administers a System gives somebody three days more: leave out --offline"
                    .to_owned(),
            });
        }
        let invited = self.invite(space, invite).await?;
        self.say_of(&invited, request).await;
        Ok(invited)
    }

    pub(super) async fn invite(
        &self,
        space: SpaceId,
        request: InviteRequest,
    ) -> Result<Invited, CliError> {
        let (invited, _secret) = self.invite_with_keys(space, request).await?;
        Ok(invited)
    }

    /// The same, with the invitation itself.
    ///
    /// # Errors
    /// As [`Live::invite`].
    pub(super) async fn invite_with_keys(
        &self,
        space: SpaceId,
        request: InviteRequest,
    ) -> Result<(Invited, Invitation), CliError> {
        let failed = refused("the invitation");
        let invitation = self
            .replica()
            .invite(space, request)
            .await
            .map_err(|error| failed(&error))?;
        let code = invitation.to_text().map_err(|error| failed(&error))?;
        let invited = Invited {
            space,
            grant: invitation.grant,
            author: invitation.keys().author(),
            code: code.as_str().to_owned(),
            begin: invitation.begin,
            end: invitation.end,
            redeem_until: invitation.redeem_until,
            relayed: !self.relays(space).await?.is_empty(),
        };
        Ok((invited, invitation))
    }

    /// Reads an invitation and refuses one that has ended or is for something else.
    ///
    /// # Errors
    /// When the code is malformed, has ended, or is for something else.
    pub(super) fn check_invitation(code: &str, wanted: Invitee) -> Result<Invitation, CliError> {
        let invitation: Invitation =
            code.parse()
                .map_err(|error: InvitationError| CliError::Invitation {
                    reason: error.to_string(),
                    hint: "copy the whole code again, or ask for a new one",
                })?;
        Self::usable_invitation(invitation, wanted)
    }

    /// Refuses an invitation that has ended or is for something else.
    ///
    /// # Errors
    /// As [`Live::check_invitation`].
    pub(super) fn usable_invitation(
        invitation: Invitation,
        wanted: Invitee,
    ) -> Result<Invitation, CliError> {
        let (reason, hint) = match invitation.invitee {
            _ if invitation.redeem_until <= fresh::now() => {
                let end = crate::cli::local(invitation.redeem_until);
                let now = crate::cli::local(fresh::now());
                return Err(CliError::Invitation {
                    reason: format!("it ended {end}, and this device's clock says {now}"),
                    hint: "put the clock right if it is ahead; else ask for a new one",
                });
            }
            invitee if invitee == wanted => return Ok(invitation),
            Invitee::Agent => ("it is for an agent", "on its host run `aramaki-agent join`"),
            Invitee::Device => (
                "it makes this device one of somebody's own",
                "if that is you, run `aramaki device join`",
            ),
            Invitee::Person => ("it is for a System", "run `aramaki join`"),
        };
        Err(CliError::Invitation {
            reason: reason.to_owned(),
            hint,
        })
    }

    /// Takes an invitation into a System.
    ///
    /// # Errors
    /// When the code is malformed, has ended or is for something else, or the store refuses.
    pub(crate) async fn join(&self, code: &str) -> Result<Joining, CliError> {
        let invitation = Self::check_invitation(code, Invitee::Person)?;
        self.take_invitation(&invitation).await
    }

    pub(super) async fn take_invitation(
        &self,
        invitation: &Invitation,
    ) -> Result<Joining, CliError> {
        let (space, grant) = (invitation.space, invitation.grant);
        let failed = refused("joining");
        let came = self.replica().came_before(space, grant).await;
        let again = came.map_err(|error| failed(&error))?;
        self.replica()
            .join(invitation)
            .await
            .map_err(|error| failed(&error))?;
        self.model().open_space(space);
        let begin = invitation.begin;
        Ok(Joining {
            space,
            grant,
            begin,
            again,
        })
    }

    /// Makes an agent's own Space, readable by the System's readers, and invites the agent. One of that name
    /// that never joined is invited again: its code was lost.
    ///
    /// # Errors
    /// When an agent of that name works there, this device may not, or the store refuses.
    pub(crate) async fn invite_agent(
        &self,
        system: SpaceId,
        (name, presence): (&str, Presence),
        span: Duration,
    ) -> Result<Invited, CliError> {
        let failed = refused("the agent's Space");
        let request = InviteRequest {
            redeem_until: fresh::now().plus(span),
            ..InviteRequest::for_agent()
        };
        if let Some(known) = self.agent_called(system, name) {
            if self.has_joined(known).await? {
                return Err(CliError::Refused {
                    what: "the invitation",
                    reason: format!(
                        "{name:?} is an agent of this System already, {}: choose another name",
                        known.short()
                    ),
                });
            }
            return self.invite(known, request).await;
        }
        let space = self.create_space().await?;
        let end = fresh::now().plus(LONG);
        self.replica()
            .grant(space, GrantRequest::to_readers_of(system, end))
            .await
            .map_err(|error| failed(&error))?;
        for relay in self.relays(system).await? {
            self.add_relay(space, relay).await?;
        }
        let link = SystemChange::Agent {
            space,
            label: name.to_owned(),
        };
        let mut changes = vec![link];
        if presence != Presence::Always {
            changes.push(SystemChange::Presence(Some(space), presence));
        }
        self.edit_system(system, changes).await?;
        self.configure_agent(system, space).await?;
        self.invite(space, request).await
    }

    fn agent_called(&self, system: SpaceId, name: &str) -> Option<SpaceId> {
        let model = self.model();
        let mut agents = model.system(&system)?.agents.iter();
        let found = agents.find(|(_agent, link)| link.label == name);
        found.map(|(agent, _link)| *agent)
    }

    /// Whether an agent uses its Space, as far as is known here.
    async fn has_joined(&self, agent: SpaceId) -> Result<bool, CliError> {
        let failed = refused("the invitation");
        let here = self.replica().space(agent).await;
        let members = here.map_err(|error| failed(&error))?.members;
        Ok(members
            .iter()
            .any(|it| it.capability == Capability::Write && !it.is_invitation()))
    }

    /// Lets the agent of a Space keep the Systems at which it looks, as a relay does: so it learns who
    /// left, and seals what it writes from then on to those who are still there.
    pub(super) async fn let_agent_keep(&self, agent: SpaceId) {
        if self.systems_of(agent).is_empty() {
            return;
        }
        let _keeping = self.shared.keeping.lock().await;
        let administered = self.administered().await.into_iter().collect();
        self.keep_by(agent, &administered).await;
    }

    /// The same of all agents of a System, before they are told of it: the reason of such a grant stands in its
    /// document, and must not follow what they are told. While what is returned is held none is written.
    pub(super) async fn let_agents_keep(&self, system: SpaceId) -> tokio::sync::MutexGuard<'_, ()> {
        let keeping = self.shared.keeping.lock().await;
        let administered = self.administered().await.into_iter().collect();
        for agent in self.agents_of(system) {
            self.keep_by(agent, &administered).await;
        }
        keeping
    }

    async fn keep_by(&self, agent: SpaceId, administered: &BTreeSet<SpaceId>) {
        let systems = self.systems_of(agent);
        let kept = async {
            if !administered.contains(&agent) {
                return Ok(());
            }
            let now = fresh::now();
            let members = self.replica().space(agent).await?.members;
            // It alone may write there and no more.
            let writers = members.iter().filter(|it| {
                it.capability == Capability::Write && !it.is_invitation() && it.is_live(now)
            });
            for system in systems {
                if !administered.contains(&system) {
                    continue;
                }
                let there = self.replica().space(system).await?.members;
                let mut given = Vec::new();
                for writer in writers.clone() {
                    let knows = |it: &Member| it.author == writer.author && it.is_live(now);
                    if !there.iter().any(knows) {
                        let keeper = GrantRequest::to_keeper(writer.author, writer.end);
                        given.push(self.replica().grant(system, keeper).await?.id);
                    }
                }
                self.give_reason(system, &given, OF_AGENT).await;
            }
            Ok::<(), ReplicaError>(())
        };
        if let Err(error) = kept.await {
            tracing::warn!(%error, space = %agent.short(), "an agent does not learn who may read");
        }
    }

    /// Hands the System's checks to its agents.
    ///
    /// # Errors
    /// When the store refuses; agents that this device may not configure are passed over.
    pub(super) async fn configure_agents(&self, system: SpaceId) -> Result<(), CliError> {
        let agents: Vec<SpaceId> = self
            .model()
            .system(&system)
            .map(|system| system.agents.keys().copied().collect())
            .unwrap_or_default();
        let administered = self.administered().await;
        for agent in agents {
            if administered.contains(&agent) {
                self.configure_agent(system, agent).await?;
            }
        }
        Ok(())
    }

    /// Whether agents can be told the checks of a System together with these; none: a new one. Asked
    /// before anything is written: a System that changed and agents that cannot follow would contradict
    /// each other.
    ///
    /// # Errors
    /// When they are too many or too long.
    pub(super) fn check_room(
        &self,
        system: Option<SpaceId>,
        changes: &[SystemChange],
    ) -> Result<(), CliError> {
        let mut checks = system
            .and_then(|system| Some(self.model().system(&system)?.checks.clone()))
            .unwrap_or_default();
        for change in changes {
            if let SystemChange::Checks(more) = change {
                checks.extend(more.iter().map(|check| (check.id, check.clone())));
            }
        }
        let mut desired = system
            .and_then(|system| Some((*self.model().system(&system)?.desired).clone()))
            .unwrap_or_default();
        for change in changes {
            match change {
                SystemChange::Desire(path, value) => {
                    desired.insert(path.clone(), value.clone());
                }
                SystemChange::Undesire(path) => drop(desired.remove(path)),
                _ => {}
            }
        }
        let longest = "0".repeat(HEADS_LEN_BYTES_MAX);
        let config = AgentConfig {
            generation: u64::MAX,
            system: SpaceId::ZERO,
            checks: checks.into_values().collect(),
            desired: DesiredState::new(longest, &desired).map_err(|error| CliError::Setting {
                what: "desired state",
                value: format!("{} values", desired.len()),
                reason: error.0,
            })?,
        };
        config
            .encode()
            .map(drop)
            .map_err(|error| refused("the System's checks")(&error))
    }

    async fn configure_agent(&self, system: SpaceId, agent: SpaceId) -> Result<(), CliError> {
        let failed = refused("the agent's configuration");
        let (checks, desired) = {
            let model = self.model();
            let heads = model.system_heads(&system);
            let Some(said) = model.system(&system) else {
                return Ok(());
            };
            let desired =
                DesiredState::new(heads, &said.desired).map_err(|error| failed(&error))?;
            (said.checks.values().cloned().collect(), desired)
        };
        // The clock is a generation that grows on every device without asking the others.
        let generation = u64::try_from(fresh::now().millis()).unwrap_or(1);
        let config = AgentConfig {
            generation,
            system,
            checks,
            desired,
        };
        let bytes = config.encode().map_err(|error| failed(&error))?;
        let body = Body::AgentConfig(ByteBuf::from(bytes));
        self.replica()
            .write(agent, name::agent_config(), body)
            .await
            .map_err(|error| failed(&error))?;
        Ok(())
    }

    /// Which configuration an agent was told last, as far as is known here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn told_generation(&self, agent: SpaceId) -> Result<Option<u64>, CliError> {
        let failed = refused("the agent's configuration");
        let told = match self.replica().bodies(agent, name::agent_config()).await {
            Ok(told) => told,
            Err(ReplicaError::UnknownSpace(_)) => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        let told = told.into_iter().filter_map(|entry| match entry.body {
            Some(Body::AgentConfig(bytes)) => AgentConfig::decode(&bytes).ok(),
            _ => None,
        });
        Ok(told.map(|config| config.generation).max())
    }

    /// The relays of a Space.
    ///
    /// # Errors
    /// When the replica has ended.
    pub(crate) async fn relays(&self, space: SpaceId) -> Result<Vec<RelayAddress>, CliError> {
        let failed = refused("the Space");
        let summary = self
            .replica()
            .space(space)
            .await
            .map_err(|error| failed(&error))?;
        Ok(summary.relays)
    }

    /// The relays that keep all that this device administers: a new System goes there too. One whose access
    /// was ended anywhere keeps less than all, though its address is still told there. Of a person's devices what
    /// their Home lists is all: what one of them made before it was theirs says nothing of where the rest is kept.
    ///
    /// # Errors
    /// When the replica has ended.
    pub(super) async fn usual_relays(&self) -> Result<Vec<RelayAddress>, CliError> {
        let listed = match self.standing().await? {
            Standing::Accepted(home) => {
                let mut listed = self.model().home(&home).followed;
                listed.insert(home);
                Some(listed)
            }
            Standing::Alone | Standing::Waits => None,
        };
        let counts = |space: &SpaceId| listed.as_ref().is_none_or(|it| it.contains(space));
        let (spaces, now) = (self.spaces().await, fresh::now());
        let mut own = spaces
            .iter()
            .filter(|space| space.capability >= Some(Capability::Administer))
            .filter(|space| counts(&space.id))
            .map(|space| {
                let keeps = |relay: &&RelayAddress| {
                    let mut members = space.members.iter();
                    members.any(|it| it.author == relay.author && it.is_live(now))
                };
                let relays = space.relays.iter();
                relays.filter(keeps).cloned().collect::<Vec<_>>()
            });
        let first = own.next().unwrap_or_default();
        Ok(own.fold(first, |mut usual, relays| {
            usual.retain(|relay| relays.contains(relay));
            usual
        }))
    }

    /// Lets a relay store and forward a Space, and tells its members where it is.
    ///
    /// # Errors
    /// When this device may not administer the Space, or the store refuses.
    pub(crate) async fn add_relay(
        &self,
        space: SpaceId,
        relay: RelayAddress,
    ) -> Result<(), CliError> {
        let failed = refused("the relay");
        let end = fresh::now().plus(LONG);
        self.replica()
            .add_relay(space, relay, end)
            .await
            .map_err(|error| failed(&error))?;
        self.explain_relays(space).await;
        Ok(())
    }

    /// Who answers at a relay's address; none when nobody does in time.
    pub(crate) async fn relay_answers(
        &self,
        relay: &RelayAddress,
        limit: Duration,
    ) -> Option<AuthorId> {
        let answers = async {
            loop {
                let peers = self.replica().peers();
                let mut there = peers
                    .iter()
                    .filter(|peer| peer.is_connected() && peer.address.endpoint == relay.endpoint);
                if let Some(device) = there.find_map(|peer| peer.device) {
                    return device;
                }
                tokio::time::sleep(LOOK_PAUSE).await;
            }
        };
        tokio::time::timeout(limit, answers).await.ok()
    }

    /// The Spaces on this device; none when the replica has ended.
    pub(crate) async fn spaces(&self) -> Vec<SpaceSummary> {
        self.replica().spaces().await.unwrap_or_else(|error| {
            // Whoever looks on while the program ends loses nothing.
            if !matches!(error, ReplicaError::Closed) {
                tracing::error!(%error, "the replica does not answer");
            }
            Vec::new()
        })
    }

    /// Every Space in which this device administers, Systems and agents alike.
    pub(crate) async fn administered(&self) -> Vec<SpaceId> {
        let spaces = self.spaces().await;
        let own = spaces
            .iter()
            .filter(|space| space.capability >= Some(Capability::Administer));
        own.map(|space| space.id).collect()
    }
}

/// Reads a relay's keys and addresses as `aramaki-relay id` prints them.
///
/// # Errors
/// When one of them is malformed.
pub(crate) fn relay_address(author: &str, address: &str) -> Result<RelayAddress, CliError> {
    let author = author
        .parse()
        .map_err(|error: IdError| unusable("relay's key", author, error.to_string()))?;
    let peer = peer_address(address)?;
    Ok(RelayAddress {
        author,
        endpoint: peer.endpoint,
        addresses: peer.addresses,
    })
}

/// Reads a relay's address.
///
/// # Errors
/// When it is malformed or says nowhere.
pub(crate) fn peer_address(address: &str) -> Result<PeerAddress, CliError> {
    let peer: PeerAddress = address
        .parse()
        .map_err(|error: AddressError| unusable("relay's address", address, error.to_string()))?;
    if peer.addresses.is_empty() {
        let reason = "KEY@IP:PORT or KEY@URL is expected".to_owned();
        return Err(unusable("relay's address", address, reason));
    }
    Ok(peer)
}

fn unusable(what: &'static str, value: &str, reason: String) -> CliError {
    CliError::Setting {
        what,
        value: value.to_owned(),
        reason,
    }
}
