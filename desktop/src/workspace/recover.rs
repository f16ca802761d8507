//! Taking Spaces back with the recovery kit: what is there, what would stay and end, and doing it.
//!
//! The kit's key is never written to this disk: a replica in a folder that is thrown away uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use aramaki_sync::replica::{GRANT_SPAN, Recovery, ReplicaEvent, SpaceSummary};
use aramaki_sync::transport::PeerAddress;
use aramaki_sync_core::admission::{ChainSummary, Member};
use aramaki_sync_core::key::{DeviceKeys, PublicKeys};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, EnvelopeId, PrincipalId, SpaceId};
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::fresh;
use super::kit::KitText;
use super::live::Live;
use super::lost::{Cut, Holder, Losing, SpacePlan, check_cut, match_among};
use super::names::Names;
use super::profile::{Anchor, Profile, with_causes};
use crate::cli::{CliError, Config};

/// Without news for so long, what the relays have is here.
const QUIET_TIME: Duration = Duration::from_secs(2);
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// A relay may offer Spaces without end.
const OFFERED_MAX: usize = 4_096;

/// The kit at work: all Spaces that its relays have, in a folder that is thrown away.
#[derive(Debug)]
pub(crate) struct Recovering {
    live: Live,
    /// What its key may do at least in the Spaces that are meant.
    least: Capability,
    wait: Duration,
    /// Removed when this ends.
    _folder: tempfile::TempDir,
}

/// Whom people name, by their keys or prefixes of these.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    /// The lost devices; none: the only one that the kit let in.
    pub(crate) lost: &'a [String],
    /// Of whom nothing stays that came through these; also single grants.
    pub(crate) cut: &'a [String],
    /// Administrators who stay though they came through these.
    pub(crate) keep: &'a [String],
    /// This machine's device, if it has one already.
    pub(crate) device: Option<AuthorId>,
    /// The Home that this machine is in already.
    pub(crate) home: Option<SpaceId>,
}

/// The Home of the devices of whoever recovers, as far as a recovery knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HomeFound {
    /// This machine becomes one of the devices in it.
    Known(SpaceId),
    /// This machine is in one already, and stays there.
    Here(SpaceId),
    /// The kit names it, and nobody who answered has it.
    Missing(SpaceId),
    /// The kit names none, and others are in these, which say that they are one under this kit. Whoever knows
    /// the kit's public half can make such a Space.
    Unsure(Vec<SpaceId>),
    /// There is none, as far as is known.
    Unknown,
}

/// What a recovery would do.
#[derive(Clone, Debug)]
pub(crate) struct RecoveryPlan {
    /// A Space each.
    pub(crate) spaces: Vec<SpacePlan>,
    /// Spaces that the kit names and nobody had.
    pub(crate) missing: Vec<SpaceId>,
    /// The Home of this person's devices.
    pub(crate) home: HomeFound,
    /// Who is behind the kit.
    pub(crate) principal: PrincipalId,
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
        (least, wait): (Capability, Duration),
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
            emergency: None,
            home: None,
        };
        profile.save(&config.data)?;
        let live = Live::open_with(&config, keys).await?;
        let recovering = Self {
            live,
            least,
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
            let here = self.held_in(&spaces);
            let complete = !here.is_empty() && named.iter().all(|it| here.contains(it));
            if complete && news.elapsed() > QUIET_TIME {
                return Ok(());
            }
        }
        if self.held_in(&self.live.spaces().await).is_empty() {
            return Err(self.nobody());
        }
        Ok(())
    }

    /// Where its key itself holds what is meant.
    pub(super) fn held_in(&self, spaces: &[SpaceSummary]) -> BTreeSet<SpaceId> {
        let (own, now) = (self.live.profile().device, fresh::now());
        let holds = |space: &&SpaceSummary| {
            let mut members = space.members.iter();
            members.any(|it| it.author == own && it.capability >= self.least && it.is_live(now))
        };
        spaces.iter().filter(holds).map(|it| it.id).collect()
    }

    /// The replica that works with its key.
    pub(super) fn live(&self) -> &Live {
        &self.live
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
        kit: &KitText,
    ) -> Result<RecoveryPlan, CliError> {
        let all = self.live.spaces().await;
        let names = self.live.names(&all);
        let administered = self.held_in(&all);
        let (spaces, _others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|it| administered.contains(&it.id));
        let lost = self.lost(&spaces, &names, named).await?;
        let words = self.not_cut_before((&spaces, &names), &lost, named.cut);
        let cut = Cut::named(&spaces, &names, &words.await?)?;
        check_cut(spaces.iter(), &lost, &cut)?;
        let keep = Cut::named(&spaces, &names, named.keep)?;
        let home = self.home_among(&spaces, (&lost, named), kit);
        let mut losing = Losing {
            lost,
            cut: cut.into_iter().flat_map(|it| it.grants).collect(),
            keep: keep.into_iter().flat_map(|it| it.grants).collect(),
            device: named.device,
        };
        if let HomeFound::Known(home) | HomeFound::Here(home) = home {
            let own = devices_in(&spaces, home, &losing.lost);
            let members = spaces.iter().flat_map(|it| &it.members);
            let theirs = members.filter(|it| own.contains(&it.author));
            losing.keep.extend(theirs.map(|it| it.grant));
        }
        let missing = kit.spaces.iter();
        let missing = missing.filter(|it| !administered.contains(it));
        let own = self.live.profile().device;
        let mut principals = spaces.iter().flat_map(|it| &it.members);
        let mut plan = RecoveryPlan {
            missing: missing.copied().collect(),
            principal: principals
                .find(|it| it.author == own)
                .map_or(PrincipalId::from_bytes([0; 16]), |it| it.principal),
            spaces: Vec::new(),
            home,
        };
        for space in &spaces {
            let mut planned = self.live.plan_of(space, &names, &losing).await?;
            planned.title = planned.title.or_else(|| plan.home.title(space.id));
            plan.spaces.push(planned);
        }
        plan.spaces
            .sort_by(|a, b| (&a.title, a.space).cmp(&(&b.title, b.space)));
        Ok(plan)
    }

    /// What is to be cut, without those who are gone with the lost devices already: a repetition finds them so.
    async fn not_cut_before(
        &self,
        (spaces, names): (&[SpaceSummary], &Names),
        lost: &BTreeSet<AuthorId>,
        words: &[String],
    ) -> Result<Vec<String>, CliError> {
        let now = fresh::now();
        let members = spaces.iter().flat_map(|it| &it.members);
        let live = members.filter(|it| it.is_live(it.not_before.max(now)));
        let there: BTreeSet<_> = live.map(|it| it.author).collect();
        if words.is_empty() || !there.is_disjoint(lost) {
            return Ok(words.to_vec());
        }
        let ever = self.live.ever(spaces).await?;
        let gone: BTreeSet<_> = ever.keys().difference(&there).copied().collect();
        let is_gone = |word: &&String| {
            let called = gone.iter().any(|key| names.calls(*key, word));
            called || match_among(&gone, "device or grant to cut", &[(*word).clone()]).is_ok()
        };
        Ok(words.iter().filter(|it| !is_gone(it)).cloned().collect())
    }

    /// Which of these Spaces is the Home of the person's devices.
    ///
    /// What the kit names is believed: their own device wrote it. What only says so of itself anybody may have
    /// made who saw the kit's public half in a roster, with a device of theirs in it; so it is taken only if
    /// nobody else is in it.
    fn home_among(
        &self,
        spaces: &[SpaceSummary],
        (lost, named): (&BTreeSet<AuthorId>, Named<'_>),
        kit: &KitText,
    ) -> HomeFound {
        if let Some(home) = named.home {
            return HomeFound::Here(home);
        }
        if let Some(home) = kit.home {
            let is_here = spaces.iter().any(|it| it.id == home);
            return if is_here {
                HomeFound::Known(home)
            } else {
                HomeFound::Missing(home)
            };
        }
        let now = fresh::now();
        let mut expected = lost.clone();
        expected.insert(self.live.profile().device);
        expected.extend(named.device);
        expected.extend(kit.emergency.as_ref().map(|it| it.public.author));
        let is_strange = |it: &Member| {
            let reads = it.capability >= Capability::Read && it.is_live(it.not_before.max(now));
            reads && !expected.contains(&it.author)
        };
        let here = spaces.iter().map(|it| it.id).collect();
        let homes = self.live.homes_of(self.live.profile().device, &here);
        let alone = |home: &&SpaceId| {
            let mut members = spaces.iter().filter(|it| it.id == **home);
            members.all(|it| !it.members.iter().any(is_strange))
        };
        match homes.iter().find(alone) {
            Some(home) => HomeFound::Known(*home),
            None if homes.is_empty() => HomeFound::Unknown,
            None => HomeFound::Unsure(homes),
        }
    }

    /// Who is lost: whom people name, else the only device that the kit let in.
    async fn lost(
        &self,
        spaces: &[SpaceSummary],
        names: &Names,
        named: Named<'_>,
    ) -> Result<BTreeSet<AuthorId>, CliError> {
        if !named.lost.is_empty() {
            let held = self.live.ever(spaces).await?.keys();
            return match_among(&held, "lost device", named.lost);
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
            let recovery = Recovery {
                space: space.space,
                device,
                end: fresh::now().plus(GRANT_SPAN),
                lost: space.ends(),
                keep: space.keeps(),
            };
            let before = self.live.replica().space(space.space).await;
            let before = before.map_err(|error| refused(&error))?;
            let recovered = self.live.replica().recover(recovery).await;
            recovered.map_err(|error| refused(&error))?;
            self.live.keep_reasons(space, &before).await;
        }
        let open: BTreeSet<_> = open.into_iter().map(|it| it.space).collect();
        self.hand_over(&open).await
    }

    /// Waits until somebody else holds what was said in these Spaces.
    ///
    /// # Errors
    /// When nobody takes it in time.
    pub(super) async fn hand_over(&self, open: &BTreeSet<SpaceId>) -> Result<(), CliError> {
        let end = Instant::now() + self.wait;
        while Instant::now() < end {
            let spaces = self.live.spaces().await;
            let waits = spaces.iter().filter(|it| it.receipts.only_here > 0);
            let mut waits = waits.filter(|it| open.contains(&it.id));
            if waits.next().is_none() {
                return Ok(());
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        Err(self.nobody())
    }
}

impl RecoveryPlan {
    /// Administrators who came through the lost devices and of whom nobody said whether they stay, each once.
    pub(crate) fn undecided(&self) -> BTreeMap<AuthorId, &Holder> {
        let all = self.spaces.iter().flat_map(SpacePlan::undecided);
        all.map(|it| (it.author, it)).collect()
    }
}

impl HomeFound {
    /// What a Home is called where nobody gave it a title.
    fn title(&self, space: SpaceId) -> Option<String> {
        let words = match self {
            Self::Known(home) | Self::Here(home) if *home == space => "the Home of your devices",
            Self::Unsure(homes) if homes.contains(&space) => {
                "what says that it is the Home of your devices"
            }
            _ => return None,
        };
        Some(words.to_owned())
    }
}

/// The devices of a person that administer their Home without the lost ones.
fn devices_in(
    spaces: &[SpaceSummary],
    home: SpaceId,
    lost: &BTreeSet<AuthorId>,
) -> BTreeSet<AuthorId> {
    let now = fresh::now();
    let members = spaces.iter().filter(|it| it.id == home);
    let members: Vec<&Member> = members.flat_map(|it| &it.members).collect();
    let is_lost = |grant: &EnvelopeId| {
        let mut of = members.iter().filter(|it| it.grant == *grant);
        of.any(|it| lost.contains(&it.author))
    };
    let own = members.iter().filter(|it| {
        let administers = it.capability == Capability::Administer && it.is_live(now);
        administers && !lost.contains(&it.author) && !it.through.iter().any(is_lost)
    });
    own.map(|it| it.author).collect()
}

/// Makes a data folder's profile one of the kit's: in a workspace that has a kit of its own, new
/// Systems stay under that.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn adopt(
    data: &Path,
    (kit, emergency): (Anchor, Option<Anchor>),
    principal: PrincipalId,
) -> Result<(), CliError> {
    let profile = Profile::load(data)?;
    if profile.anchor.is_some() {
        return Ok(());
    }
    let adopted = Profile {
        anchor: Some(kit),
        emergency,
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

fn refused(error: &dyn std::error::Error) -> CliError {
    CliError::Refused {
        what: "the recovery",
        reason: with_causes(error),
    }
}
