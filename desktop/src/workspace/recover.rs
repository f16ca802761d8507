//! Taking Spaces back with the recovery kit: what is there, what would stay and end, and doing it.
//!
//! The kit's key is never written to this disk: a replica in a folder that is thrown away uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use aramaki_sync::replica::{GRANT_SPAN, LastAccepted, Recovery, ReplicaEvent, SpaceSummary};
use aramaki_sync::transport::PeerAddress;
use aramaki_sync_core::admission::{ChainSummary, Member};
use aramaki_sync_core::key::{DeviceKeys, PublicKeys};
use aramaki_sync_core::statement::{Audience, Capability};
use aramaki_sync_core::{AuthorId, PrincipalId, SpaceId};
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::fresh;
use super::live::Live;
use super::names::Names;
use super::profile::{Anchor, Profile, with_causes};
use crate::cli::{CliError, Config};

/// Without news for so long, what the relays have is here.
const QUIET_TIME: Duration = Duration::from_secs(2);
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// A relay may offer Spaces without end.
const OFFERED_MAX: usize = 4_096;
/// Shorter prefixes of a key are refused.
const PREFIX_LEN_CHARS_MIN: usize = 6;

/// The kit at work: all Spaces that its relays have, in a folder that is thrown away.
#[derive(Debug)]
pub(crate) struct Recovering {
    live: Live,
    wait: Duration,
    /// Removed when this ends.
    _folder: tempfile::TempDir,
}

/// Whom people name, by their keys or prefixes of these.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    /// The lost devices; none: the only one that the kit let in.
    pub(crate) lost: &'a [String],
    /// Who does not stay either.
    pub(crate) cut: &'a [String],
    /// This machine's device, if it has one already.
    pub(crate) device: Option<AuthorId>,
}

/// What a recovery would do.
#[derive(Clone, Debug)]
pub(crate) struct RecoveryPlan {
    /// A Space each.
    pub(crate) spaces: Vec<SpacePlan>,
    /// Spaces that the kit names and nobody had.
    pub(crate) missing: Vec<SpaceId>,
    /// Who is behind the kit.
    pub(crate) principal: PrincipalId,
}

/// What a recovery would do in one Space.
#[derive(Clone, Debug)]
pub(crate) struct SpacePlan {
    /// Which.
    pub(crate) space: SpaceId,
    /// What people call it, if it can be read.
    pub(crate) title: Option<String>,
    /// Devices whose every grant ends.
    pub(crate) lost: Vec<Holder>,
    /// Who stays.
    pub(crate) kept: Vec<Holder>,
    /// Who loses access besides, and why.
    pub(crate) cut: Vec<(Holder, &'static str)>,
    /// Systems whose readers go on to read here.
    pub(crate) readers_of: Vec<SpaceId>,
    /// The last envelope that is accepted of each chain.
    pub(crate) accepted: Vec<(String, LastAccepted)>,
    /// Nothing is left to do: nobody is lost, and this device administers.
    pub(crate) done: bool,
}

/// Somebody with access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Whose key.
    pub(crate) author: AuthorId,
    /// What that key is called.
    pub(crate) who: String,
    /// The most that it may do.
    pub(crate) capability: Capability,
}

impl Recovering {
    /// Opens a replica with the kit's keys and fetches what the relays have of its Spaces.
    ///
    /// # Errors
    /// When no folder can be made, the network cannot be opened, or nobody answers in time.
    pub(crate) async fn begin(
        config: &Config,
        keys: DeviceKeys,
        relays: Vec<PeerAddress>,
        spaces: &[SpaceId],
        wait: Duration,
    ) -> Result<Self, CliError> {
        let folder = tempfile::tempdir().map_err(|source| CliError::File {
            action: "make a folder in",
            path: tempfile::env::temp_dir(),
            source,
        })?;
        let mut config = Config {
            data: folder.path().to_owned(),
            ..config.clone()
        };
        // The running app may have the port.
        config.network.bind = None;
        let anchor = Anchor {
            author: keys.author(),
            box_key: keys.box_public(),
        };
        let profile = Profile {
            name: "recovery kit".to_owned(),
            device: anchor.author,
            principal: PrincipalId::from_bytes([0; 16]),
            anchor: Some(anchor),
        };
        profile.save(&config.data)?;
        let live = Live::open_with(&config, keys).await?;
        let recovering = Self {
            live,
            wait,
            _folder: folder,
        };
        if let Err(error) = recovering.fetch(relays, spaces).await {
            recovering.end().await;
            return Err(error);
        }
        Ok(recovering)
    }

    /// How far every chain goes in each Space that was fetched.
    pub(crate) async fn reached(&self) -> BTreeMap<SpaceId, Vec<ChainSummary>> {
        let spaces = self.live.spaces().await.into_iter();
        spaces.map(|space| (space.id, space.heads)).collect()
    }

    /// Lets go of the kit's keys and of all that was fetched.
    pub(crate) async fn end(self) {
        self.live.close().await;
    }

    async fn fetch(&self, relays: Vec<PeerAddress>, named: &[SpaceId]) -> Result<(), CliError> {
        let mut events = self.live.replica().subscribe();
        for relay in relays {
            self.live.replica().add_peer(relay);
        }
        let mut followed = BTreeSet::new();
        for space in named {
            followed.insert(*space);
            self.live.follow(*space).await?;
        }
        let end = Instant::now() + self.wait;
        let (mut held, mut news) = (BTreeMap::new(), Instant::now());
        while Instant::now() < end {
            match tokio::time::timeout(LOOK_PAUSE, events.recv()).await {
                Ok(Ok(ReplicaEvent::Offered { space }))
                    if followed.len() < OFFERED_MAX && followed.insert(space) =>
                {
                    self.live.follow(space).await?;
                    news = Instant::now();
                }
                Ok(Err(broadcast::error::RecvError::Closed)) => break,
                _ => {}
            }
            let spaces = self.live.spaces().await;
            let now: BTreeMap<_, _> = spaces.iter().map(|it| (it.id, it.digest)).collect();
            if now != held {
                (held, news) = (now, Instant::now());
            }
            let here = administered_of(&spaces);
            let complete = !here.is_empty() && named.iter().all(|it| here.contains(it));
            if complete && news.elapsed() > QUIET_TIME {
                return Ok(());
            }
        }
        if administered_of(&self.live.spaces().await).is_empty() {
            return Err(self.nobody());
        }
        Ok(())
    }

    fn nobody(&self) -> CliError {
        CliError::NobodyAnswered {
            seconds: self.wait.as_secs(),
        }
    }

    /// What a recovery would do.
    ///
    /// # Errors
    /// When it is not clear which device is lost, or a named key is nobody's.
    pub(crate) async fn plan(
        &self,
        named: Named<'_>,
        wanted: &[SpaceId],
    ) -> Result<RecoveryPlan, CliError> {
        let all = self.live.spaces().await;
        let names = self.live.names(&all);
        let administered = administered_of(&all);
        let (spaces, _others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|it| administered.contains(&it.id));
        let lost = self.lost(&spaces, &names, named)?;
        let cut = match_keys(&spaces, "device to cut", named.cut)?;
        let missing = wanted.iter().filter(|it| !administered.contains(it));
        let own = self.live.profile().device;
        let mut principals = spaces.iter().flat_map(|it| &it.members);
        let mut plan = RecoveryPlan {
            missing: missing.copied().collect(),
            principal: principals
                .find(|it| it.author == own)
                .map_or(PrincipalId::from_bytes([0; 16]), |it| it.principal),
            spaces: Vec::new(),
        };
        for space in &spaces {
            plan.spaces.push(
                self.plan_of(space, &names, &lost, &cut, named.device)
                    .await?,
            );
        }
        plan.spaces
            .sort_by(|a, b| (&a.title, a.space).cmp(&(&b.title, b.space)));
        Ok(plan)
    }

    /// Who is lost: whom people name, else the only device that the kit let in.
    fn lost(
        &self,
        spaces: &[SpaceSummary],
        names: &Names,
        named: Named<'_>,
    ) -> Result<BTreeSet<AuthorId>, CliError> {
        if !named.lost.is_empty() {
            return match_keys(spaces, "lost device", named.lost);
        }
        let own = self.live.profile().device;
        let now = fresh::now();
        let candidates: BTreeSet<_> = spaces
            .iter()
            .flat_map(|it| &it.members)
            .filter(|it| it.capability == Capability::Administer && it.through.len() == 1)
            .filter(|it| it.is_live(now) && it.author != own && Some(it.author) != named.device)
            .map(|it| it.author)
            .collect();
        if candidates.len() > 1 {
            let word = |it: &AuthorId| format!("{it}  {}", names.of(*it));
            return Err(CliError::SeveralDevices {
                candidates: candidates.iter().map(word).collect(),
            });
        }
        Ok(candidates)
    }

    async fn plan_of(
        &self,
        space: &SpaceSummary,
        names: &Names,
        lost: &BTreeSet<AuthorId>,
        cut: &BTreeSet<AuthorId>,
        device: Option<AuthorId>,
    ) -> Result<SpacePlan, CliError> {
        let own = self.live.profile().device;
        let now = fresh::now();
        let mut plan = SpacePlan {
            space: space.id,
            title: self.title(space.id),
            lost: Vec::new(),
            kept: Vec::new(),
            cut: Vec::new(),
            readers_of: Vec::new(),
            accepted: Vec::new(),
            done: false,
        };
        let live = space.members.iter().filter(|it| it.is_live(now));
        for member in live.filter(|it| it.author != own) {
            let holder = Holder {
                author: member.author,
                who: names.of(member.author),
                capability: member.capability,
            };
            if lost.contains(&member.author) {
                add(&mut plan.lost, holder);
            } else if Some(member.author) == device {
                // It is what all this is for.
            } else if let Some(why) = why_cut(member, &space.members, lost, cut) {
                plan.cut.push((holder, why));
            } else {
                add(&mut plan.kept, holder);
            }
        }
        // Of several grants one that stays is enough.
        let stays = |author| plan.kept.iter().any(|it: &Holder| it.author == author);
        plan.cut.retain(|(holder, _why)| !stays(holder.author));
        let mut ends: Vec<_> = lost.iter().copied().collect();
        ends.extend(plan.cut.iter().map(|(holder, _why)| holder.author));
        let leaving = self
            .live
            .replica()
            .leaving(space.id, ends)
            .await
            .map_err(|error| refused(&error))?;
        let readers = leaving.audiences.iter().map(|it| it.space);
        plan.readers_of = readers.collect::<BTreeSet<_>>().into_iter().collect();
        let accepted = leaving.accepted.into_iter();
        plan.accepted = accepted
            .map(|last| (names.of(last.cut.chain.author), last))
            .collect();
        let administers = |it: &&Member| {
            Some(it.author) == device && it.capability == Capability::Administer && it.is_live(now)
        };
        plan.done = plan.lost.is_empty()
            && plan.cut.is_empty()
            && space.members.iter().any(|it| administers(&it));
        Ok(plan)
    }

    fn title(&self, space: SpaceId) -> Option<String> {
        let agent = || {
            let labels = self.live.agent_labels().into_iter();
            let mut own = labels.filter(|(agent, _label)| *agent == space);
            own.next().map(|(_agent, label)| format!("agent {label}"))
        };
        self.live.title(space).or_else(agent)
    }

    /// Carries a plan out, and waits until somebody else holds what was signed: this folder goes.
    ///
    /// # Errors
    /// When a store refuses, or nobody takes it in time. Then doing all again is safe.
    pub(crate) async fn carry_out(
        &self,
        plan: &RecoveryPlan,
        device: PublicKeys,
    ) -> Result<(), CliError> {
        let open: Vec<&SpacePlan> = plan.spaces.iter().filter(|it| !it.done).collect();
        for space in &open {
            let kept = space.kept.iter().map(|it| Audience::Author(it.author));
            let readers = space.readers_of.iter().copied().map(Audience::ReadersOf);
            let cut = space.cut.iter().map(|(holder, _why)| holder);
            let recovery = Recovery {
                space: space.space,
                device,
                end: fresh::now().plus(GRANT_SPAN),
                lost: space.lost.iter().chain(cut).map(|it| it.author).collect(),
                keep: kept.chain(readers).collect(),
            };
            let recovered = self.live.replica().recover(recovery).await;
            recovered.map_err(|error| refused(&error))?;
        }
        let end = Instant::now() + self.wait;
        while Instant::now() < end {
            let spaces = self.live.spaces().await;
            let waits = spaces.iter().filter(|it| it.receipts.only_here > 0);
            let mut waits = waits.filter(|it| open.iter().any(|open| open.space == it.id));
            if waits.next().is_none() {
                return Ok(());
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        Err(self.nobody())
    }
}

/// Makes a data folder's profile one of the kit's: in a workspace that has a kit of its own, new
/// Systems stay under that.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn adopt(data: &Path, kit: Anchor, principal: PrincipalId) -> Result<(), CliError> {
    let profile = Profile::load(data)?;
    if profile.anchor.is_some() {
        return Ok(());
    }
    let adopted = Profile {
        anchor: Some(kit),
        principal,
        ..profile
    };
    adopted.save(data)
}

impl Live {
    /// Holds a Space in which this device was granted something, as soon as somebody has it.
    ///
    /// # Errors
    /// When the store refuses.
    pub(crate) async fn follow(&self, space: SpaceId) -> Result<(), CliError> {
        let followed = self.replica().follow(space).await;
        followed.map_err(|error| refused(&error))?;
        self.know(space);
        self.model().open_space(space);
        Ok(())
    }

    /// Follows Spaces that these relays have and waits until as much of them is here as was fetched with
    /// the kit; says which did not come. To be let in alone is not enough: what is closed after that may
    /// have come without a word of content.
    ///
    /// # Errors
    /// When the store refuses.
    pub(crate) async fn take_over(
        &self,
        relays: Vec<PeerAddress>,
        reached: BTreeMap<SpaceId, Vec<ChainSummary>>,
        wait: Duration,
    ) -> Result<Vec<SpaceId>, CliError> {
        for relay in relays {
            self.replica().add_peer(relay);
        }
        for space in reached.keys() {
            self.follow(*space).await?;
        }
        let end = Instant::now() + wait;
        let mut late = Vec::new();
        for (space, chains) in reached {
            let here = async {
                self.replica().joined(space).await.ok()?;
                while !self.holds(space, &chains).await {
                    tokio::time::sleep(LOOK_PAUSE).await;
                }
                Some(())
            };
            if tokio::time::timeout_at(end, here)
                .await
                .ok()
                .flatten()
                .is_none()
            {
                late.push(space);
            }
        }
        Ok(late)
    }

    async fn holds(&self, space: SpaceId, chains: &[ChainSummary]) -> bool {
        let Ok(summary) = self.replica().space(space).await else {
            return false;
        };
        let here: BTreeMap<_, _> = summary.heads.iter().map(|it| (it.chain, it.seq)).collect();
        chains
            .iter()
            .all(|it| here.get(&it.chain).is_some_and(|seq| *seq >= it.seq))
    }
}

fn administered_of(spaces: &[SpaceSummary]) -> BTreeSet<SpaceId> {
    let own = spaces
        .iter()
        .filter(|it| it.capability == Some(Capability::Administer));
    own.map(|it| it.id).collect()
}

fn refused(error: &dyn std::error::Error) -> CliError {
    CliError::Refused {
        what: "the recovery",
        reason: with_causes(error),
    }
}

/// One line for each key, with the most that it may do.
fn add(holders: &mut Vec<Holder>, holder: Holder) {
    match holders.iter_mut().find(|it| it.author == holder.author) {
        Some(known) => known.capability = known.capability.max(holder.capability),
        None => holders.push(holder),
    }
}

/// Why somebody does not stay: a thief may have let in more, but can give nobody more than it has.
fn why_cut(
    member: &Member,
    members: &[Member],
    lost: &BTreeSet<AuthorId>,
    cut: &BTreeSet<AuthorId>,
) -> Option<&'static str> {
    if cut.contains(&member.author) {
        return Some("named with --cut");
    }
    let above = |grant| members.iter().find(|it| it.grant == grant);
    let above: Vec<&Member> = member.through.iter().copied().filter_map(above).collect();
    let position = above.iter().position(|it| lost.contains(&it.author))?;
    let between = &above[position + 1..];
    if member.is_invitation() {
        Some("an invitation of a lost device")
    } else if member.capability == Capability::Administer {
        Some("an administrator whom a lost device let in")
    } else if between.iter().any(|it| {
        let administers = it.capability == Capability::Administer && !it.is_invitation();
        administers || cut.contains(&it.author)
    }) {
        Some("let in by somebody who does not stay")
    } else {
        None
    }
}

/// The members that these keys or prefixes name.
fn match_keys(
    spaces: &[SpaceSummary],
    what: &'static str,
    wanted: &[String],
) -> Result<BTreeSet<AuthorId>, CliError> {
    let members = || spaces.iter().flat_map(|it| &it.members);
    let mut found = BTreeSet::new();
    for key in wanted {
        let prefix = key.trim().to_ascii_lowercase();
        let named = members().map(|it| it.author).filter(|author| {
            prefix.len() >= PREFIX_LEN_CHARS_MIN && author.to_string().starts_with(&prefix)
        });
        let named: BTreeSet<_> = named.collect();
        if named.len() != 1 {
            return Err(CliError::Setting {
                what,
                value: key.clone(),
                reason: format!("{} keys in these Spaces begin so", named.len()),
            });
        }
        found.extend(named);
    }
    Ok(found)
}
