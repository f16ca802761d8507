//! Granting, inviting and joining.

use aramaki_sync_core::admission::Member;
use aramaki_sync_core::engine::{ClockAhead, Engine, Input, WriteError, Written};
use aramaki_sync_core::invitation::{self, Bootstrap, Draft, Invitation, Terms};
use aramaki_sync_core::statement::{Grant, RelayAddress, Statement};
use aramaki_sync_core::{AuthorId, Entropy, EnvelopeId, SpaceId, Timestamp};
use tokio::sync::broadcast::error::RecvError;

use super::{
    BACKDATE, GrantRequest, InviteRequest, Replica, ReplicaError, ReplicaEvent, Spent, inspect,
    system,
};
use crate::driver::{self, Command};
use crate::records::{self, Awaited};
use crate::transport::PeerAddress;

impl Replica {
    /// Gives trust, under this device's strongest grant and until that one's end at the latest: a
    /// longer one would count nowhere.
    ///
    /// # Errors
    /// When this device holds no grant there, or the store fails. Whether the grant counts is
    /// decided by the rules of admission, on every replica alike.
    pub async fn grant(
        &self,
        space: SpaceId,
        request: GrantRequest,
    ) -> Result<Written, ReplicaError> {
        let own = self.grant_of(space, request.under).await?;
        let grant = Grant {
            audience: request.audience,
            box_key: request.box_key,
            principal: request.principal.unwrap_or(own.principal),
            capability: request.capability,
            flags: request.flags,
            not_before: request
                .begin
                .unwrap_or_else(|| driver::now().minus(BACKDATE)),
            end: request.end.min(own.end),
            depth_left: request.depth_left,
            redemptions: 0,
            redeem_until: Timestamp::ZERO,
            parent: Some(own.grant),
        };
        self.write_control(space, Statement::Grant(grant)).await
    }

    /// Lets a relay store and forward a Space, tells its members where it is, and dials it.
    ///
    /// # Errors
    /// As [`Replica::grant`].
    pub async fn add_relay(
        &self,
        space: SpaceId,
        relay: RelayAddress,
        end: Timestamp,
    ) -> Result<(), ReplicaError> {
        let summary = self.space(space).await?;
        let granted = summary.members.iter().any(|it| it.author == relay.author);
        if !granted {
            self.grant(space, GrantRequest::to_relay(relay.author, end))
                .await?;
        }
        let mut relays = summary.relays;
        if !relays.contains(&relay) {
            relays.retain(|known| known.author != relay.author);
            relays.push(relay.clone());
            self.write_control(space, Statement::Relays(relays)).await?;
        }
        self.add_peer(PeerAddress::from(&relay));
        Ok(())
    }

    /// Tells members that a relay keeps a Space no longer. That it may not is said by the end of its grant.
    ///
    /// # Errors
    /// As [`Replica::grant`].
    pub async fn forget_relay(&self, space: SpaceId, relay: AuthorId) -> Result<(), ReplicaError> {
        let mut relays = self.space(space).await?.relays;
        let told = relays.len();
        relays.retain(|known| known.author != relay);
        if relays.len() < told {
            self.write_control(space, Statement::Relays(relays)).await?;
        }
        Ok(())
    }

    /// Makes an invitation: whoever has its text can join until it ends, which is when this device's
    /// own grant ends at the latest.
    ///
    /// # Errors
    /// As [`Replica::grant`].
    pub async fn invite(
        &self,
        space: SpaceId,
        request: InviteRequest,
    ) -> Result<Invitation, ReplicaError> {
        let own = self.own_grant(space).await?;
        let end = request.end.min(own.end);
        let terms = Terms {
            invitee: request.invitee,
            parent: own.grant,
            principal: own.principal,
            capability: request.capability,
            not_before: request
                .begin
                .unwrap_or_else(|| driver::now().minus(BACKDATE)),
            end,
            redeem_until: request.redeem_until.min(end),
            redemptions: request.redemptions.max(1),
            long_grace: request.long_grace,
        };
        let draft = Draft::new(&terms, &mut entropy()?);
        let written = self.write_control(space, draft.statement()).await?;
        let addresses = self.bootstraps(space).await?;
        let invitation = draft.issued(space, written.id, addresses);
        let begin = request.begin;
        Ok(Invitation {
            begin,
            ..invitation
        }
        .shortened())
    }

    /// Takes an invitation: proves its key to peers from now on, and looks for its peers. Returns when that wish
    /// is durable; [`Replica::joined`] waits until the Space is here.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn join(&self, invitation: &Invitation) -> Result<SpaceId, ReplicaError> {
        let (space, keys) = (invitation.space, Box::new(invitation.keys()));
        let peers = invitation.addresses.iter().map(|peer| PeerAddress {
            endpoint: peer.endpoint,
            addresses: peer.addresses.clone(),
        });
        let awaited = Awaited {
            since: driver::now(),
            grant: invitation.grant,
            capability: invitation.capability,
            redeem_until: invitation.redeem_until,
            end: invitation.end,
            peers: peers.collect(),
            begin: invitation.begin,
        };
        // Where to look is on disk before the wish is: a later start finds both, or neither.
        self.command(Command::Await(space, awaited)).await?;
        self.ask(move |write| Input::Join {
            write,
            space,
            invitation: Some(keys),
        })
        .await?;
        Ok(space)
    }

    /// The Spaces that an invitation led to and that nobody has answered for yet, oldest first, and why
    /// it will not let this device in, if that is known.
    ///
    /// # Errors
    /// When the replica is shut down, or the store cannot be read.
    pub async fn awaited(&self) -> Result<Vec<(SpaceId, Awaited, Option<Spent>)>, ReplicaError> {
        let store = self.store()?;
        let kept = super::blocking(move || store.values(records::AWAITED_PREFIX)).await??;
        let kept: Vec<_> = kept
            .iter()
            .filter_map(|(key, value)| {
                let space = records::space(records::AWAITED_PREFIX, key)?;
                Some((space, records::awaited(value)?))
            })
            .collect();
        let author = self.author();
        let mut awaited = self
            .inspect(move |engine| {
                let waits = |space, it: &Awaited| {
                    inspect::waits_for(engine, space, it, author, driver::now())
                };
                let kept = kept.into_iter().filter(|(space, it)| waits(*space, it));
                let spent = |space, it: &Awaited| inspect::spent(engine, space, it.grant, author);
                kept.map(|(space, it)| {
                    let spent = spent(space, &it);
                    (space, it, spent)
                })
                .collect::<Vec<_>>()
            })
            .await?;
        awaited.sort_by_key(|(space, it, _spent)| (it.since, *space));
        Ok(awaited)
    }

    /// Waits no more for a Space, and forgets its invitation. Where something of the Space is here
    /// already, that stays, and only the wait ends.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget(&self, space: SpaceId) -> Result<(), ReplicaError> {
        self.command(Command::GiveUp(space)).await?;
        match self.ask(move |write| Input::Forget { write, space }).await {
            Ok(_) | Err(ReplicaError::Write(WriteError::NotAllowed)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Holds a Space in which this device was granted something directly, as soon as a peer that
    /// has it is connected.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn follow(&self, space: SpaceId) -> Result<(), ReplicaError> {
        self.ask(move |write| Input::Join {
            write,
            space,
            invitation: None,
        })
        .await?;
        Ok(())
    }

    /// Waits until this device is a member of a Space and can read what is here of it.
    ///
    /// # Errors
    /// When the replica is shut down. Callers bound the wait.
    pub async fn joined(&self, space: SpaceId) -> Result<(), ReplicaError> {
        let author = self.author();
        let joined = move |engine: &Engine| {
            inspect::joined(engine, space, author, driver::now()).then_some(())
        };
        self.until(space, joined).await
    }

    /// Waits until this device is a member of a Space by that invitation, whatever else it holds there,
    /// and can read what is here.
    ///
    /// # Errors
    /// When the replica is shut down. Callers bound the wait.
    pub async fn joined_by(
        &self,
        space: SpaceId,
        invitation: EnvelopeId,
    ) -> Result<(), ReplicaError> {
        let author = self.author();
        let joined = move |engine: &Engine| {
            let now = driver::now();
            inspect::joined_by(engine, space, invitation, author, now).then_some(())
        };
        self.until(space, joined).await
    }

    /// Whether this device is a member by that invitation, and whether a peer said that it holds the
    /// grant: till then nobody else knows.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn came_by(
        &self,
        space: SpaceId,
        invitation: EnvelopeId,
    ) -> Result<(bool, bool), ReplicaError> {
        let author = self.author();
        let look = move |engine: &Engine| {
            let now = driver::now();
            (
                inspect::joined_by(engine, space, invitation, author, now),
                inspect::is_handed_over(engine, space, invitation, author),
            )
        };
        self.inspect(look).await
    }

    /// Whether this device is a member of a Space and can read what is here of it.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn is_joined(&self, space: SpaceId) -> Result<bool, ReplicaError> {
        let author = self.author();
        self.inspect(move |engine| inspect::joined(engine, space, author, driver::now()))
            .await
    }

    /// Whether this device's clock is ahead of those who keep a Space, so that what it wrote there last counts for
    /// nobody yet; as far as their receipts say.
    ///
    /// # Errors
    /// When the replica is shut down.
    pub async fn clock_ahead(&self, space: SpaceId) -> Result<Option<ClockAhead>, ReplicaError> {
        self.inspect(move |engine| engine.clock_ahead(space)).await
    }

    /// Waits until it is known that an invitation does not let this device in: somebody else used it,
    /// or it was revoked. While nobody who has the Space answers, nothing is known.
    ///
    /// # Errors
    /// When the replica is shut down. Callers bound the wait.
    pub async fn spent(
        &self,
        space: SpaceId,
        invitation: EnvelopeId,
    ) -> Result<Spent, ReplicaError> {
        let author = self.author();
        let spent = move |engine: &Engine| inspect::spent(engine, space, invitation, author);
        self.until(space, spent).await
    }

    /// Looks again whenever a Space changes, until there is an answer.
    pub(super) async fn until<T: Send + 'static>(
        &self,
        space: SpaceId,
        look: impl Fn(&Engine) -> Option<T> + Clone + Send + 'static,
    ) -> Result<T, ReplicaError> {
        let mut events = self.subscribe();
        loop {
            if let Some(answer) = self.inspect(look.clone()).await? {
                return Ok(answer);
            }
            loop {
                match events.recv().await {
                    Ok(
                        ReplicaEvent::Space { space: changed }
                        | ReplicaEvent::Rebuilt { space: changed }
                        | ReplicaEvent::Admitted { space: changed, .. },
                    ) if changed == space => break,
                    Ok(_other) => {}
                    Err(RecvError::Lagged(_missed)) => break,
                    Err(RecvError::Closed) => return Err(ReplicaError::Closed),
                }
            }
        }
    }

    /// Where guests find the Space: its relays first, then this device.
    async fn bootstraps(&self, space: SpaceId) -> Result<Vec<Bootstrap>, ReplicaError> {
        let relays = self.space(space).await?.relays;
        let own: Vec<RelayAddress> = self.relay_address().into_iter().collect();
        let all = relays
            .iter()
            .take(invitation::BOOTSTRAPS_MAX - 1)
            .chain(&own);
        Ok(all
            .map(|peer| Bootstrap {
                endpoint: peer.endpoint,
                addresses: peer
                    .addresses
                    .iter()
                    .filter(|address| address.len() <= invitation::ADDRESS_LEN_BYTES_MAX)
                    .take(invitation::ADDRESSES_MAX)
                    .cloned()
                    .collect(),
            })
            .collect())
    }

    pub(super) async fn own_grant(&self, space: SpaceId) -> Result<Member, ReplicaError> {
        let author = self.author();
        self.inspect(move |engine| inspect::own_grant(engine, space, author, driver::now()))
            .await?
            .ok_or(ReplicaError::NotAllowed(space))
    }

    /// A grant of this device that holds now: this one, or the best.
    pub(super) async fn grant_of(
        &self,
        space: SpaceId,
        grant: Option<EnvelopeId>,
    ) -> Result<Member, ReplicaError> {
        let Some(grant) = grant else {
            return self.own_grant(space).await;
        };
        let (own, now) = (self.author(), driver::now());
        let members = self.space(space).await?.members.into_iter();
        let mut held = members.filter(|it| it.author == own && it.is_live(now));
        held.find(|it| it.grant == grant)
            .ok_or(ReplicaError::NotAllowed(space))
    }
}

fn entropy() -> Result<Entropy, ReplicaError> {
    let seed = crate::keys::random_seed().map_err(|cause| system(&cause))?;
    Ok(Entropy::from_seed(*seed))
}
