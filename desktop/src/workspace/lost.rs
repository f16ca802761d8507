//! Ending what lost devices may: who loses access with them, who stays and is let in anew.

use std::collections::BTreeSet;

use aramaki_sync::replica::{LastAccepted, SpaceSummary, Staying};
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use super::fresh;
use super::live::Live;
use super::names::{Names, called};
use super::profile::with_causes;
use crate::cli::CliError;

/// Shorter prefixes of a key are refused.
const PREFIX_LEN_CHARS_MIN: usize = 6;

/// Why somebody does not stay: people said so.
pub(super) const NAMED_TO_CUT: &str = "named with --cut";

/// Which devices are lost.
#[derive(Clone, Debug)]
pub(super) struct Losing {
    /// Those whose every grant ends.
    pub(super) lost: BTreeSet<AuthorId>,
    /// Who does not stay either.
    pub(super) cut: BTreeSet<AuthorId>,
    /// The device for which all this is done, if it is not the one that does it.
    pub(super) device: Option<AuthorId>,
}

/// What ending a lost device would do, Space by Space.
#[derive(Clone, Debug)]
pub(crate) struct LostPlan {
    /// What the lost device is called.
    pub(crate) who: String,
    /// Where this device can end its access.
    pub(crate) spaces: Vec<SpacePlan>,
    /// Where it keeps its access, because this device stands no nearer the root.
    pub(crate) beyond: Vec<(SpaceId, Option<String>)>,
}

/// What would stay and end in one Space.
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
    /// What ends besides, and why: all that its holder may, or what a lost device had given them of more than
    /// that.
    pub(crate) cut: Vec<(Holder, &'static str)>,
    /// The grants by which those who stay do so.
    pub(super) grants: BTreeSet<EnvelopeId>,
    /// Who is there through a lost device alone, whether they stay or not.
    pub(crate) through: BTreeSet<AuthorId>,
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
    /// Until when.
    pub(crate) end: Timestamp,
}

impl SpacePlan {
    /// Whose every grant ends: of lost devices, and of who does not stay either.
    pub(super) fn ends(&self) -> (BTreeSet<AuthorId>, BTreeSet<AuthorId>) {
        let cut = self.cut.iter().map(|(holder, _why)| holder);
        let cut = cut.filter(|it| self.stays(it.author).is_none());
        let lost = self.lost.iter().map(|it| it.author);
        (lost.collect(), cut.map(|it| it.author).collect())
    }

    /// What somebody goes on to hold.
    pub(super) fn stays(&self, author: AuthorId) -> Option<&Holder> {
        self.kept.iter().find(|it| it.author == author)
    }

    /// What is given anew.
    pub(super) fn keeps(&self) -> Staying {
        Staying {
            grants: self.grants.clone(),
            readers_of: self.readers_of.iter().copied().collect(),
        }
    }
}

impl Live {
    /// What ending a lost device would do wherever this device administers.
    ///
    /// # Errors
    /// When no device, several, or this one is named so.
    pub(crate) async fn plan_lost(
        &self,
        wanted: &str,
        cut: &[String],
    ) -> Result<LostPlan, CliError> {
        let spaces = self.spaces().await;
        let names = self.names(&spaces);
        let own = self.profile().device;
        let losing = Losing {
            lost: match_keys(&spaces, "lost device", &named(&spaces, &names, &[wanted]))?,
            cut: match_keys(&spaces, "device to cut", &named(&spaces, &names, cut))?,
            device: None,
        };
        if losing.lost.contains(&own) {
            return Err(CliError::Refused {
                what: "the revocation",
                reason: "this device would lock itself out: another administrator's device or the \
                         recovery kit ends its access"
                    .to_owned(),
            });
        }
        let who = losing.lost.iter().map(|it| names.of(*it)).collect();
        let mut plan = LostPlan {
            who,
            spaces: Vec::new(),
            beyond: Vec::new(),
        };
        let now = fresh::now();
        for space in &spaces {
            let of_lost = |it: &&Member| it.is_live(now) && losing.lost.contains(&it.author);
            let Some(lost_place) = nearest(space.members.iter().filter(of_lost)) else {
                continue;
            };
            let administers = |it: &&Member| {
                it.author == own && it.is_live(now) && it.capability == Capability::Administer
            };
            let own_place = nearest(space.members.iter().filter(administers));
            if own_place.is_some_and(|own| own < lost_place) {
                plan.spaces
                    .push(self.plan_of(space, &names, &losing).await?);
            } else {
                plan.beyond.push((space.id, self.space_title(space.id)));
            }
        }
        plan.spaces
            .sort_by(|a, b| (&a.title, a.space).cmp(&(&b.title, b.space)));
        Ok(plan)
    }

    /// Carries a plan out: whoever stays is let in anew, then the lost devices' grants end, and what
    /// follows is sealed anew. Why is said after that, for those who stay.
    ///
    /// # Errors
    /// When the store refuses. Then doing all again is safe.
    pub(crate) async fn end_lost(&self, plan: &LostPlan, reason: &str) -> Result<(), CliError> {
        for space in &plan.spaces {
            let ((lost, cut), keep) = (space.ends(), space.keeps());
            let summary = self.replica().space(space.space).await;
            let members = summary.map_err(|error| refused(&error))?.members;
            let grants: Vec<_> = members
                .iter()
                .filter(|member| lost.contains(&member.author))
                .map(|member| member.grant)
                .collect();
            let ends = (&lost, &cut);
            let ended = self.replica().end_devices(space.space, ends, &keep).await;
            ended.map_err(|error| refused(&error))?;
            self.give_end_reason(space.space, &grants, reason).await;
        }
        Ok(())
    }

    /// What would stay and end in a Space.
    ///
    /// # Errors
    /// When the Space is not here.
    pub(super) async fn plan_of(
        &self,
        space: &SpaceSummary,
        names: &Names,
        losing: &Losing,
    ) -> Result<SpacePlan, CliError> {
        let Losing { lost, cut, device } = losing;
        let (own, device) = (self.profile().device, *device);
        let now = fresh::now();
        let mut plan = SpacePlan {
            space: space.id,
            title: self.space_title(space.id),
            lost: Vec::new(),
            kept: Vec::new(),
            cut: Vec::new(),
            grants: BTreeSet::new(),
            through: BTreeSet::new(),
            readers_of: Vec::new(),
            accepted: Vec::new(),
            done: false,
        };
        // Whoever comes later goes on to come later.
        let stand = space.members.iter();
        let stand = stand.filter(|it| it.is_live(it.not_before.max(now)));
        for member in stand.filter(|it| it.author != own) {
            let holder = Holder {
                author: member.author,
                who: names.of(member.author),
                capability: member.capability,
                end: member.end,
            };
            if is_there_through(member, (&space.members, now), lost) {
                plan.through.insert(member.author);
            }
            if lost.contains(&member.author) {
                add(&mut plan.lost, holder);
            } else if Some(member.author) == device {
                // It is what all this is for.
            } else if let Some(why) = why_cut(member, (&space.members, now), lost, cut) {
                plan.cut.push((holder, why));
            } else {
                plan.grants.insert(member.grant);
                add(&mut plan.kept, holder);
            }
        }
        // What ends and is no more than what stays is no loss.
        let kept = space.members.iter();
        let kept: Vec<_> = kept.filter(|it| plan.grants.contains(&it.grant)).collect();
        plan.cut.retain(|(cut, _why)| {
            let mut stays = kept.iter().filter(|it| it.author == cut.author);
            !stays.any(|it| it.capability >= cut.capability && it.end >= cut.end)
        });
        let (mut ends, cut) = plan.ends();
        ends.extend(cut);
        ends.extend(lost);
        let ends = ends.into_iter().collect();
        let leaving = self
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

    /// What a Space is called: a System's title, or its agent's label.
    pub(super) fn space_title(&self, space: SpaceId) -> Option<String> {
        let agent = || {
            let labels = self.agent_labels().into_iter();
            let mut own = labels.filter(|(agent, _label)| *agent == space);
            own.next().map(|(_agent, label)| format!("agent {label}"))
        };
        if self.home() == Some(space) {
            return Some("the Home of your devices".to_owned());
        }
        self.title(space).or_else(agent)
    }
}

fn refused(error: &dyn std::error::Error) -> CliError {
    CliError::Refused {
        what: "the change of trust",
        reason: with_causes(error),
    }
}

/// How many grants stand above the one of these that is nearest the root.
fn nearest<'a>(members: impl Iterator<Item = &'a Member>) -> Option<usize> {
    members.map(|it| it.through.len()).min()
}

/// One line for each key, with the most that it may do, and until when that.
fn add(holders: &mut Vec<Holder>, holder: Holder) {
    match holders.iter_mut().find(|it| it.author == holder.author) {
        Some(known) if (known.capability, known.end) < (holder.capability, holder.end) => {
            *known = holder;
        }
        Some(_) => {}
        None => holders.push(holder),
    }
}

/// Why a grant does not stay: a thief may have let in more and given more, but can give nobody more than it
/// has.
fn why_cut(
    member: &Member,
    (members, now): (&[Member], Timestamp),
    lost: &BTreeSet<AuthorId>,
    cut: &BTreeSet<AuthorId>,
) -> Option<&'static str> {
    if cut.contains(&member.author) {
        return Some(NAMED_TO_CUT);
    }
    let between = below_lost(member, members, lost)?;
    if member.is_invitation() {
        Some("an invitation of a lost device")
    } else if has_beside(member.author, (members, now), lost) {
        // That stays; what is more may be a thief's, and what is no more is not needed.
        Some("more than they have without the lost device")
    } else if member.capability == Capability::Administer {
        Some("an administrator whom a lost device let in")
    } else if between.iter().any(|it| {
        let administers = it.capability == Capability::Administer && !it.is_invitation();
        administers || cut.contains(&it.author)
    }) {
        Some("let in by what somebody does not keep")
    } else {
        None
    }
}

/// Whether whoever holds a grant is there through the lost devices alone.
fn is_there_through(
    member: &Member,
    (members, now): (&[Member], Timestamp),
    lost: &BTreeSet<AuthorId>,
) -> bool {
    below_lost(member, members, lost).is_some()
        && !member.is_invitation()
        && !has_beside(member.author, (members, now), lost)
}

/// Whether somebody has access without the lost devices, now or at a later beginning.
fn has_beside(
    author: AuthorId,
    (members, now): (&[Member], Timestamp),
    lost: &BTreeSet<AuthorId>,
) -> bool {
    members.iter().any(|it| {
        it.author == author
            && !it.is_invitation()
            && it.is_live(it.not_before.max(now))
            && below_lost(it, members, lost).is_none()
    })
}

/// The grants between a lost device's and one that it led to, the lost one's first; none if it led to none.
fn below_lost<'a>(
    member: &Member,
    members: &'a [Member],
    lost: &BTreeSet<AuthorId>,
) -> Option<Vec<&'a Member>> {
    let above = |grant| members.iter().find(|it| it.grant == grant);
    let above: Vec<&Member> = member.through.iter().copied().filter_map(above).collect();
    let position = above.iter().position(|it| lost.contains(&it.author))?;
    above.get(position + 1..).map(<[_]>::to_vec)
}

/// The keys that are called as somebody typed, each whole; what is no name is left as it is. Two keys of
/// one name are two: nobody knows which is meant.
fn named(spaces: &[SpaceSummary], names: &Names, wanted: &[impl AsRef<str>]) -> Vec<String> {
    let wanted = wanted.iter().map(AsRef::as_ref).map(|wanted: &str| {
        let members = spaces.iter().flat_map(|it| &it.members);
        let keys = called(names, members, wanted, fresh::now());
        match keys.first() {
            Some(key) if keys.len() == 1 => key.to_string(),
            _ => wanted.to_owned(),
        }
    });
    wanted.collect()
}

/// The members that these keys or prefixes name.
pub(super) fn match_keys(
    spaces: &[SpaceSummary],
    what: &'static str,
    wanted: &[String],
) -> Result<BTreeSet<AuthorId>, CliError> {
    let members = spaces.iter().flat_map(|it| &it.members);
    match_among(&members.map(|it| it.author).collect(), what, wanted)
}

/// Which of these keys are named, by themselves or by prefixes.
pub(super) fn match_among(
    keys: &BTreeSet<AuthorId>,
    what: &'static str,
    wanted: &[String],
) -> Result<BTreeSet<AuthorId>, CliError> {
    let mut found = BTreeSet::new();
    for key in wanted {
        let prefix = key.trim().to_ascii_lowercase();
        let named = keys.iter().filter(|author| {
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
