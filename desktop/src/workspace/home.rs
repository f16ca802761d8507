//! A person's Home: the Space through which their own devices find each other and share the rest.
//!
//! Another device joins the Home by a code, and is accepted on a device that is in already: that one
//! grants it everything that it administers itself, as the same person. From then on, what one of
//! them makes it grants to the others. Nothing is given by the code alone.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_model::{EntryId, Followed, HomeEntry, Kit};
use aramaki_sync::replica::{GrantRequest, InviteRequest, ReplicaError, SpaceSummary};
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::invitation::Invitee;
use aramaki_sync_core::key::PublicKeys;
use aramaki_sync_core::statement::{Capability, GrantFlags};
use aramaki_sync_core::{AuthorId, PrincipalId, SpaceId, Timestamp};

use super::awaited::Awaiting;
use super::fresh;
use super::joined::Joining;
use super::live::Live;
use super::lost::match_keys;
use super::profile::with_causes;
use super::trust::Invited;
use crate::cli::CliError;

/// How long a code for another device can be used, and how long that waits to be accepted.
const CODE_SPAN: Duration = Duration::from_hours(1);
const WAITING_SPAN: Duration = Duration::from_hours(24);

/// One of this person's devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnDevice {
    /// Its key.
    pub(crate) author: AuthorId,
    /// Whether it is this one.
    pub(crate) here: bool,
    /// Whether it has been accepted, or waits.
    pub(crate) accepted: bool,
    /// Where this device could not end its access, were it lost.
    pub(crate) beyond: Vec<SpaceId>,
    /// Since when.
    pub(crate) begin: Timestamp,
    /// Until when.
    pub(crate) end: Timestamp,
}

/// Whether a Home is made where another one seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HomeBeside {
    /// No: whoever asks is told of that one.
    Refused,
    /// Whoever asks knows of it.
    Made,
}

/// How this device stands to a Home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has none, or its access there is over: what it makes is its own alone.
    Alone,
    /// It asked to be one of a person's devices.
    Waits,
    /// It is one of them.
    Accepted(SpaceId),
}

/// A device of this person that was lost, and may something still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StillThere {
    /// Its key.
    pub(crate) author: AuthorId,
    /// Where.
    pub(crate) spaces: Vec<SpaceId>,
}

/// What accepting a device gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// The device.
    pub(crate) author: AuthorId,
    /// In how many Spaces it administers now, agents' and the Home among them.
    pub(crate) spaces: usize,
    /// Systems to which only this device was invited: who shared them invites the other one.
    pub(crate) alone: Vec<SpaceId>,
    /// Where it administered before, as near the Space's own key as this device or nearer: there only the
    /// recovery kit can end it.
    pub(crate) beyond: Vec<SpaceId>,
}

fn refused(error: &dyn std::error::Error) -> CliError {
    CliError::Refused {
        what: "the other device",
        reason: with_causes(error),
    }
}

/// Whether a device can end all that another one may in a Space, as administrators nearer its own key can; none
/// where that one may nothing.
pub(super) fn can_end_in(
    space: &SpaceSummary,
    (own, other): (AuthorId, AuthorId),
    now: Timestamp,
) -> Option<bool> {
    let nearest = |author, least| {
        let members = space.members.iter();
        let live = members.filter(|it| it.author == author && it.is_live(now));
        live.filter(|it| it.capability >= least)
            .map(|it| it.through.len())
            .min()
    };
    let there = nearest(other, Capability::Relay)?;
    let here = nearest(own, Capability::Administer);
    Some(here.is_some_and(|here| here < there))
}

/// Where a device holds something that another cannot end.
fn beyond(spaces: &[SpaceSummary], own: AuthorId, other: AuthorId) -> Vec<SpaceId> {
    let now = fresh::now();
    let stays = |it: &&SpaceSummary| can_end_in(it, (own, other), now) == Some(false);
    spaces.iter().filter(stays).map(|it| it.id).collect()
}

fn administers(member: &Member, now: Timestamp) -> bool {
    member.is_live(now) && member.capability == Capability::Administer
}

impl Live {
    /// This person's Home, if they have one.
    pub(crate) fn home(&self) -> Option<SpaceId> {
        *self.home_mut()
    }

    /// Remembers which Space is this person's Home.
    ///
    /// # Errors
    /// When this device is in another one already, or the disk refuses.
    pub(crate) async fn move_in(&self, home: SpaceId) -> Result<(), CliError> {
        if let Some(known) = self.home().filter(|known| *known != home)
            && let Ok(summary) = self.replica().space(known).await
            && summary.capability.is_some()
        {
            return Err(CliError::Refused {
                what: "the code",
                reason: "this device is one of a person's devices already".to_owned(),
            });
        }
        *self.home_mut() = Some(home);
        self.profile_now().save(&self.shared.data)
    }

    /// Takes a code for another device of the same person: this device asks to be one of theirs.
    ///
    /// # Errors
    /// When the code is malformed, has ended or is for something else, this device is one of
    /// somebody's already, or the store refuses.
    pub(crate) async fn join_home(&self, code: &str) -> Result<Joining, CliError> {
        let invitation = Self::check_invitation(code, Invitee::Device)?;
        self.move_in(invitation.space).await?;
        self.take_invitation(&invitation).await
    }

    /// What a Space is called, or its short id.
    pub(crate) fn space_name(&self, space: SpaceId) -> String {
        self.space_title(space).unwrap_or_else(|| space.short())
    }

    /// This person's devices, those that wait for being accepted last.
    ///
    /// # Errors
    /// When the replica has ended.
    pub(crate) async fn own_devices(&self) -> Result<Vec<OwnDevice>, CliError> {
        let here = self.profile().device;
        let this = |begin, end| OwnDevice {
            author: here,
            here: true,
            accepted: true,
            beyond: Vec::new(),
            begin,
            end,
        };
        let Some(home) = self.home() else {
            return Ok(vec![this(Timestamp::ZERO, Timestamp::MAX)]);
        };
        let spaces = self.spaces().await;
        let Some(summary) = spaces.iter().find(|it| it.id == home) else {
            return Err(refused(&ReplicaError::UnknownSpace(home)));
        };
        let (now, kit) = (fresh::now(), self.kit_of(home));
        let mut devices: Vec<OwnDevice> = Vec::new();
        for member in &summary.members {
            let is_device = !member.is_invitation() && member.capability >= Capability::Read;
            if !is_device || !member.is_live(now) || kit == Some(member.author) {
                continue;
            }
            let device = OwnDevice {
                author: member.author,
                here: member.author == here,
                accepted: administers(member, now),
                beyond: Vec::new(),
                begin: summary.begin_of(member),
                end: member.end,
            };
            match devices.iter_mut().find(|it| it.author == member.author) {
                Some(known) if !known.accepted => *known = device,
                Some(_known) => {}
                None => devices.push(device),
            }
        }
        for device in devices.iter_mut().filter(|it| it.accepted && !it.here) {
            device.beyond = beyond(&spaces, here, device.author);
        }
        devices.sort_by_key(|it| (!it.accepted, it.begin, it.author));
        Ok(devices)
    }

    /// Devices that were in the Home, were ended there as lost, and have access elsewhere still: in what they
    /// made themselves, say.
    ///
    /// # Errors
    /// When the replica has ended.
    pub(crate) async fn lost_still_there(&self) -> Result<Vec<StillThere>, CliError> {
        let spaces = self.spaces().await;
        let home = spaces.iter().find(|it| Some(it.id) == self.home());
        let Some(home) = home else {
            return Ok(Vec::new());
        };
        let (own, now) = (self.profile().device, fresh::now());
        let ever = self.ever(std::slice::from_ref(home)).await?;
        let stands =
            |space: &&SpaceSummary, author| can_end_in(space, (own, author), now).is_some();
        let lost = ever.keys().into_iter().filter(|author| {
            let was_lost = ever.over(*author).is_some_and(|over| over.was_lost);
            was_lost && !stands(&home, *author)
        });
        let lost = lost.map(|author| {
            let there = spaces.iter().filter(|space| stands(space, author));
            StillThere {
                author,
                spaces: there.map(|space| space.id).collect(),
            }
        });
        Ok(lost.filter(|it| !it.spaces.is_empty()).collect())
    }

    /// Which of these Spaces say that they are the Home of devices under a kit.
    pub(super) fn homes_of(&self, kit: AuthorId, among: &BTreeSet<SpaceId>) -> Vec<SpaceId> {
        let says = |it: &&SpaceId| self.kit_of(**it) == Some(kit) && !self.is_system(**it);
        among.iter().filter(says).copied().collect()
    }

    /// How this device stands to the Home that it knows of.
    ///
    /// # Errors
    /// When the replica has ended.
    pub(super) async fn standing(&self) -> Result<Standing, CliError> {
        let Some(home) = self.home() else {
            return Ok(Standing::Alone);
        };
        let capability = match self.replica().space(home).await {
            Ok(summary) => summary.capability,
            Err(ReplicaError::UnknownSpace(_)) => None,
            Err(error) => return Err(refused(&error)),
        };
        Ok(match capability {
            Some(Capability::Administer) => Standing::Accepted(home),
            Some(_) => Standing::Waits,
            None => {
                let awaited = self.awaiting().await;
                let waits = |it: &Awaiting| it.space == home && it.is_live() && it.spent.is_none();
                if awaited.iter().any(waits) {
                    Standing::Waits
                } else {
                    Standing::Alone
                }
            }
        })
    }

    /// What a device makes while it waits would be in no Home: nobody else would see it, and it would go to no relay.
    ///
    /// # Errors
    /// When this device waits for being accepted.
    pub(super) async fn refuse_while_waiting(&self) -> Result<(), CliError> {
        if self.standing().await? == Standing::Waits {
            let key = self.profile().device.to_string();
            return Err(CliError::Waits { key });
        }
        Ok(())
    }

    /// A code by which another device of the same person asks to be one of theirs. Makes the Home if
    /// there is none.
    ///
    /// # Errors
    /// When there seems to be one that this device is not in, and none is to be made beside it; or the store
    /// refuses.
    pub(crate) async fn invite_device(&self, beside: HomeBeside) -> Result<Invited, CliError> {
        let home = if let Some(home) = self.home() {
            home
        } else {
            if beside == HomeBeside::Refused {
                self.refuse_second_home().await?;
            }
            self.make_home().await?
        };
        let request = InviteRequest {
            invitee: Invitee::Device,
            redeem_until: fresh::now().plus(CODE_SPAN),
            ..InviteRequest::lasting(Capability::Read, WAITING_SPAN)
        };
        self.invite(home, request).await
    }

    /// A device that was let in by the kit may stand in the Home of its person without knowing that it is theirs.
    async fn refuse_second_home(&self) -> Result<(), CliError> {
        let Some(anchor) = self.profile().anchor else {
            return Ok(());
        };
        let administered = self.administered().await.into_iter().collect();
        let homes = self.homes_of(anchor.author, &administered);
        if homes.is_empty() {
            return Ok(());
        }
        let homes: Vec<_> = homes.iter().map(SpaceId::short).collect();
        Err(CliError::Refused {
            what: "the code",
            reason: format!(
                "your devices seem to have a Home already ({}), and this would make a second: run `aramaki device \
                 add` on a device of yours that is in it, and `aramaki device join CODE` here; if none is yours, \
                 `aramaki device add --new-home`",
                homes.join(", ")
            ),
        })
    }

    async fn make_home(&self) -> Result<SpaceId, CliError> {
        let relays = self.usual_relays().await?;
        let listed = self.administered().await;
        let home = self.create_space().await?;
        for relay in relays {
            self.add_relay(home, relay).await?;
        }
        self.move_in(home).await?;
        if let Some(anchor) = self.profile().anchor {
            let at = fresh::now();
            let kit = Kit {
                at,
                author: anchor.author,
                box_key: anchor.box_key,
            };
            self.tell_home(
                home,
                &[(EntryId::new(at, fresh::random()?), HomeEntry::Kit(kit))],
            )
            .await?;
        }
        let emergency = *self.emergency_mut();
        if let Some(key) = emergency {
            self.know_emergency_key(key).await?;
        }
        self.list(&listed).await?;
        Ok(home)
    }

    pub(super) async fn tell_home(
        &self,
        home: SpaceId,
        entries: &[(EntryId, HomeEntry)],
    ) -> Result<(), CliError> {
        self.edit(home, |model, chain, now| {
            model.append_home(home, chain, now, entries)
        })
        .await
    }

    /// Lists Spaces in the Home.
    async fn list(&self, spaces: &[SpaceId]) -> Result<(), CliError> {
        let Some(home) = self.home() else {
            return Ok(());
        };
        let listed = self.model().home(&home).followed;
        let at = fresh::now();
        let mut entries = Vec::new();
        for space in spaces {
            if *space != home && !listed.contains(space) {
                let followed = Followed { at, space: *space };
                let id = EntryId::new(at, fresh::random()?);
                entries.push((id, HomeEntry::Followed(followed)));
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        self.tell_home(home, &entries).await
    }

    /// Makes a device that waits in the Home one of this person's: it may do what this one may.
    ///
    /// # Errors
    /// When no such device waits, or this one may not administer the Home.
    pub(crate) async fn accept_device(&self, wanted: &str) -> Result<Accepted, CliError> {
        let nobody = || CliError::Refused {
            what: "the other device",
            reason: "no device waits: `aramaki device add` makes a code with which one asks"
                .to_owned(),
        };
        let home = self.home().ok_or_else(nobody)?;
        let own = self.profile().device;
        let spaces = self.spaces().await;
        let summary = spaces.iter().find(|it| it.id == home).ok_or_else(nobody)?;
        let wanted = [wanted.to_owned()];
        let found = match_keys(std::slice::from_ref(summary), "device", &wanted)?;
        let member = summary
            .members
            .iter()
            .find(|it| found.contains(&it.author) && it.author != own && !it.is_invitation());
        let member = member.ok_or_else(nobody)?;
        let keys = PublicKeys {
            author: member.author,
            box_key: member.box_key,
        };
        let mut accepted = Accepted {
            author: keys.author,
            spaces: 0,
            alone: Vec::new(),
            beyond: beyond(&spaces, own, member.author),
        };
        // The Home last: a device that administers there has everything else.
        let (home, others): (Vec<_>, Vec<_>) = spaces.iter().partition(|it| it.id == home);
        for space in others.into_iter().chain(home) {
            if space.capability == Some(Capability::Administer) {
                self.grant_own(space, keys).await?;
                accepted.spaces += 1;
            } else if self.is_system(space.id) {
                accepted.alone.push(space.id);
            }
        }
        let administered = self.administered().await;
        self.list(&administered).await?;
        Ok(accepted)
    }

    /// Gives another device of this person what this one has in a Space.
    async fn grant_own(&self, space: &SpaceSummary, device: PublicKeys) -> Result<(), CliError> {
        let now = fresh::now();
        let held = |author: AuthorId| {
            let members = space.members.iter();
            members
                .filter(move |it| it.author == author && administers(it, now))
                .max_by_key(|it| it.depth_left)
        };
        let (Some(own), None) = (held(self.profile().device), held(device.author)) else {
            return Ok(());
        };
        let request = GrantRequest {
            principal: Some(own.principal),
            flags: GrantFlags::WITNESS,
            depth_left: own.depth_left.saturating_sub(1),
            // What leaves so much depth, also where a renewal lasts longer.
            under: Some(own.grant),
            ..GrantRequest::to_device(
                device.author,
                device.box_key,
                Capability::Administer,
                own.end,
            )
        };
        let granted = self.replica().grant(space.id, request).await;
        granted.map_err(|error| refused(&error))?;
        Ok(())
    }

    /// Gives this person's other devices what this one has in a Space that it just made.
    ///
    /// # Errors
    /// When the store refuses.
    pub(super) async fn share_with_own(&self, space: SpaceId) -> Result<(), CliError> {
        let Standing::Accepted(home) = self.standing().await? else {
            return Ok(());
        };
        if home == space {
            return Ok(());
        }
        let failed = |error| refused(&error);
        let devices = self.replica().space(home).await.map_err(failed)?;
        let made = self.replica().space(space).await.map_err(failed)?;
        let (now, kit) = (fresh::now(), self.kit_of(home));
        let mut given = BTreeSet::from([self.profile().device]);
        for member in devices.members.iter().filter(|it| administers(it, now)) {
            if kit != Some(member.author) && given.insert(member.author) {
                let keys = PublicKeys {
                    author: member.author,
                    box_key: member.box_key,
                };
                self.grant_own(&made, keys).await?;
            }
        }
        self.list(&[space]).await
    }

    /// Who this person is, and what stands above their Spaces: on a device that was accepted, what it
    /// is on the others.
    pub(super) async fn identity(&self) -> (PrincipalId, Option<PublicKeys>) {
        let profile = self.profile();
        let own = (profile.principal, profile.anchor.map(PublicKeys::from));
        let Some(home) = self.home() else {
            return own;
        };
        let Ok(summary) = self.replica().space(home).await else {
            return own;
        };
        let now = fresh::now();
        let mut members = summary.members.iter();
        let Some(here) = members.find(|it| it.author == profile.device && administers(it, now))
        else {
            return own;
        };
        let kit = self.model().home(&home).kit.map(|kit| PublicKeys {
            author: kit.author,
            box_key: kit.box_key,
        });
        (here.principal, kit.or(own.1))
    }

    /// Whether a recovery kit stands above what this device makes.
    pub(crate) async fn has_kit(&self) -> bool {
        self.identity().await.1.is_some()
    }

    /// The key that stands above all of this person's devices.
    fn kit_of(&self, home: SpaceId) -> Option<AuthorId> {
        self.model().home(&home).kit.map(|kit| kit.author)
    }

    /// Holds what the Home lists.
    pub(super) async fn follow_home(&self, space: SpaceId) {
        if self.home() != Some(space) {
            return;
        }
        let listed = self.model().home(&space).followed;
        for space in listed {
            if self.know(space)
                && let Err(error) = self.replica().follow(space).await
            {
                tracing::warn!(%error, space = %space.short(), "a Space of the Home is not followed");
            }
        }
    }
}
