//! Ending what lost devices may: who loses access with them, who stays and is let in anew.

use std::collections::BTreeSet;

use aramaki_sync::replica::{LastAccepted, SpaceSummary, Staying};
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use super::fresh;
use super::home::can_end_in;
use super::live::Live;
use super::names::{Names, called};
use super::over::{Ever, Over};
use super::profile::with_causes;
use crate::cli::CliError;
use crate::view::WhyCut;

/// Shorter prefixes of a key are refused.
const PREFIX_LEN_CHARS_MIN: usize = 6;

/// Which devices are lost.
#[derive(Clone, Debug)]
pub(super) struct Losing {
    /// Those whose every grant ends.
    pub(super) lost: BTreeSet<AuthorId>,
    /// Grants that do not stay either. What came through no lost device stays, whoever named it.
    pub(super) cut: BTreeSet<EnvelopeId>,
    /// Grants of administrators that stay though a lost device let them in: people said so, or they are known.
    pub(super) keep: BTreeSet<EnvelopeId>,
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
    /// Its key.
    pub(crate) key: AuthorId,
    /// It has no access anywhere here, and had one.
    pub(crate) over: Option<Over>,
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
    /// Who stays: one line for each, but of whom a lost device let in one for each access that differs.
    pub(crate) kept: Vec<Holder>,
    /// What ends with the lost devices, and why.
    pub(crate) cut: Vec<(Holder, WhyCut)>,
    /// The grants by which those who stay do so.
    pub(super) grants: BTreeSet<EnvelopeId>,
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
    /// What it may do.
    pub(crate) capability: Capability,
    /// Until when.
    pub(crate) end: Timestamp,
    /// By which grants.
    pub(crate) grants: BTreeSet<EnvelopeId>,
    /// Whether its holder is there through a lost device alone: only people know who let them in.
    pub(crate) by_lost: bool,
}

impl Holder {
    /// Whether it is no less than another line of the same holder.
    fn is_as_much(&self, other: &Self) -> bool {
        let is_more = self.capability >= other.capability && self.end >= other.end;
        self.author == other.author && self.by_lost == other.by_lost && is_more
    }

    /// Whether another line of the same holder says the same.
    fn is_same(&self, other: &Self) -> bool {
        let same = (self.author, self.capability, self.end);
        same == (other.author, other.capability, other.end)
    }
}

impl SpacePlan {
    /// Administrators who end because a lost device let them in, and of whom nobody said anything.
    pub(super) fn undecided(&self) -> impl Iterator<Item = &Holder> {
        let cut = self
            .cut
            .iter()
            .filter(|(_, why)| *why == WhyCut::Administrator);
        cut.map(|(holder, _why)| holder)
    }

    /// Whose every grant ends; all else that ends is below theirs.
    pub(super) fn ends(&self) -> BTreeSet<AuthorId> {
        self.lost.iter().map(|it| it.author).collect()
    }

    /// The most that somebody goes on to hold.
    pub(super) fn stays(&self, author: AuthorId) -> Option<&Holder> {
        let kept = self.kept.iter().filter(|it| it.author == author);
        kept.max_by_key(|it| (it.capability, it.end))
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
        let cut = Cut::named(&spaces, &names, cut)?;
        let ever = self.ever(&spaces).await?;
        let key = lost_key(&ever, (&spaces, &names), wanted)?;
        let losing = Losing {
            lost: [key].into(),
            cut: cut.iter().flat_map(|it| it.grants.clone()).collect(),
            keep: BTreeSet::new(),
            device: None,
        };
        if key == own {
            return Err(CliError::Refused {
                what: "the revocation",
                reason: "this device would lock itself out: another administrator's device or the \
                         recovery kit ends its access"
                    .to_owned(),
            });
        }
        let mut plan = LostPlan {
            who: names.of(key),
            spaces: Vec::new(),
            beyond: Vec::new(),
            key,
            over: None,
        };
        let now = fresh::now();
        for space in &spaces {
            match can_end_in(space, (own, key), now) {
                Some(true) => plan
                    .spaces
                    .push(self.plan_of(space, &names, &losing).await?),
                Some(false) => plan.beyond.push((space.id, self.space_title(space.id))),
                None => {}
            }
        }
        if plan.spaces.is_empty() && plan.beyond.is_empty() {
            refuse_cut_after(&plan.who, &cut)?;
            plan.over = ever.over(key);
            return Ok(plan);
        }
        let ended = spaces
            .iter()
            .filter(|it| plan.spaces.iter().any(|of| of.space == it.id));
        check_cut(ended, &losing.lost, &cut)?;
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
            let (lost, keep) = (space.ends(), space.keeps());
            let summary = self.replica().space(space.space).await;
            let summary = summary.map_err(|error| refused(&error))?;
            let grants: Vec<_> = summary
                .members
                .iter()
                .filter(|member| lost.contains(&member.author))
                .map(|member| member.grant)
                .collect();
            let ended = self.replica().end_devices(space.space, &lost, &keep).await;
            ended.map_err(|error| refused(&error))?;
            self.give_end_reason(space.space, &grants, reason).await;
            self.keep_reasons(space, &summary).await;
        }
        Ok(())
    }

    /// Says of what was given anew what it was given for before.
    pub(super) async fn keep_reasons(&self, plan: &SpacePlan, before: &SpaceSummary) {
        let reasons = self.standing_reasons(before);
        let Ok(after) = self.replica().space(plan.space).await else {
            return;
        };
        let is_new = |it: &&Member| before.members.iter().all(|old| old.grant != it.grant);
        for holder in plan.kept.iter().filter(|it| it.by_lost) {
            let mut said = holder.grants.iter().filter_map(|it| reasons.get(it));
            let Some(reason) = said.next() else {
                continue;
            };
            let given = after.members.iter().filter(is_new);
            let given = given.filter(|it| {
                (it.author, it.capability) == (holder.author, holder.capability)
                    && it.end <= holder.end
            });
            let given: Vec<_> = given.map(|it| it.grant).collect();
            self.give_reason(plan.space, &given, reason).await;
        }
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
        let (lost, device) = (&losing.lost, losing.device);
        let own = self.profile().device;
        let now = fresh::now();
        let mut plan = SpacePlan {
            space: space.id,
            title: self.space_title(space.id),
            lost: Vec::new(),
            kept: Vec::new(),
            cut: Vec::new(),
            grants: BTreeSet::new(),
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
                grants: [member.grant].into(),
                by_lost: below_lost(member, &space.members, lost).is_some(),
            };
            if lost.contains(&member.author) {
                add_most(&mut plan.lost, holder);
            } else if Some(member.author) == device {
                // It is what all this is for.
            } else if let Some(why) = why_cut(member, (&space.members, now), losing) {
                add_cut(&mut plan.cut, (holder, why));
            } else {
                plan.grants.insert(member.grant);
                add_kept(&mut plan.kept, holder);
            }
        }
        // What ends and is no more than what stays is no loss; what people named was their decision.
        let kept = space.members.iter();
        let kept: Vec<_> = kept.filter(|it| plan.grants.contains(&it.grant)).collect();
        plan.cut.retain(|(cut, why)| {
            let mut stays = kept.iter().filter(|it| it.author == cut.author);
            *why == WhyCut::Named
                || !stays.any(|it| it.capability >= cut.capability && it.end >= cut.end)
        });
        let mut ends = plan.ends();
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

/// One line for each key and all that it may, without what is no more than another of its lines.
fn add_most(holders: &mut Vec<Holder>, holder: Holder) {
    if holders.iter().any(|it| it.is_as_much(&holder)) {
        return;
    }
    holders.retain(|it| !holder.is_as_much(it));
    holders.push(holder);
}

/// People decide about what a lost device gave, so each access that differs is a line; else what somebody
/// keeps at the most is enough.
fn add_kept(holders: &mut Vec<Holder>, holder: Holder) {
    if !holder.by_lost {
        return add_most(holders, holder);
    }
    match holders.iter_mut().find(|it| it.is_same(&holder)) {
        Some(known) => known.grants.extend(holder.grants),
        None => holders.push(holder),
    }
}

fn add_cut(cut: &mut Vec<(Holder, WhyCut)>, (holder, why): (Holder, WhyCut)) {
    let same = |(known, other): &&mut (Holder, WhyCut)| *other == why && known.is_same(&holder);
    match cut.iter_mut().find(same) {
        Some((known, _why)) => known.grants.extend(holder.grants),
        None => cut.push((holder, why)),
    }
}

/// Why a grant does not stay: a thief may have let in more and given more, but can give nobody more than it
/// has. What came through no lost device stays.
fn why_cut(
    member: &Member,
    (members, now): (&[Member], Timestamp),
    losing: &Losing,
) -> Option<WhyCut> {
    let Losing {
        lost, cut, keep, ..
    } = losing;
    let administers = |it: &Member| {
        let may = it.capability == Capability::Administer && !it.is_invitation();
        may && !keep.contains(&it.grant)
    };
    let between = below_lost(member, members, lost)?;
    if member.is_invitation() {
        Some(WhyCut::Invitation)
    } else if has_beside(member.author, (members, now), lost) {
        // That stays; what is more may be a thief's, and what is no more is not needed.
        Some(WhyCut::More)
    } else if cut.contains(&member.grant) {
        Some(WhyCut::Named)
    } else if administers(member) {
        Some(WhyCut::Administrator)
    } else if between
        .iter()
        .any(|it| administers(it) || cut.contains(&it.grant))
    {
        Some(WhyCut::Below)
    } else {
        None
    }
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

/// What somebody typed of whom or what does not stay.
pub(super) struct Cut {
    word: String,
    pub(super) grants: BTreeSet<EnvelopeId>,
}

impl Cut {
    /// What is meant: all grants of a key, by its name or digits, or one grant by its digits.
    ///
    /// # Errors
    /// When nothing, or several, are called so.
    pub(super) fn named(
        spaces: &[SpaceSummary],
        names: &Names,
        wanted: &[String],
    ) -> Result<Vec<Self>, CliError> {
        let members: Vec<&Member> = spaces.iter().flat_map(|it| &it.members).collect();
        let keys = named(spaces, names, wanted).into_iter().zip(wanted);
        let meant = keys.map(|(key, word)| {
            let prefix = key.trim().to_ascii_lowercase();
            let begins = |id: &str| prefix.len() >= PREFIX_LEN_CHARS_MIN && id.starts_with(&prefix);
            let by_key = |it: &&&Member| begins(&it.author.to_string());
            let by_grant = |it: &&&Member| begins(&it.grant.to_string());
            let holders: BTreeSet<_> = members.iter().filter(by_key).map(|it| it.author).collect();
            let grants: BTreeSet<_> = members.iter().filter(by_grant).map(|it| it.grant).collect();
            if holders.len() + grants.len() != 1 {
                return Err(CliError::Setting {
                    what: "device or grant to cut",
                    value: word.clone(),
                    reason: not_one(holders.len() + grants.len(), "keys and grants"),
                });
            }
            let of_holder = members.iter().filter(|it| holders.contains(&it.author));
            let of_holder = of_holder.map(|it| it.grant);
            Ok(Self {
                word: word.clone(),
                grants: of_holder.chain(grants).collect(),
            })
        });
        meant.collect()
    }
}

/// Refuses to cut what did not come through a lost device: it would stay, and whoever named it would believe
/// that it ended.
///
/// # Errors
/// When nothing that was meant by a word ends.
pub(super) fn check_cut<'a>(
    spaces: impl Iterator<Item = &'a SpaceSummary>,
    lost: &BTreeSet<AuthorId>,
    cut: &[Cut],
) -> Result<(), CliError> {
    let ends = spaces.flat_map(|space| {
        let members = space.members.iter();
        members.filter(|it| below_lost(it, &space.members, lost).is_some())
    });
    let ends: BTreeSet<EnvelopeId> = ends.map(|it| it.grant).collect();
    let mut stay = cut.iter().filter(|it| it.grants.is_disjoint(&ends));
    stay.next().map_or(Ok(()), |it| {
        Err(CliError::Setting {
            what: "device or grant to cut",
            value: it.word.clone(),
            reason: "nothing of that came through the lost device where this ends it: `aramaki trust revoke` \
                     ends an access by itself"
                .to_owned(),
        })
    })
}

/// Refuses to cut what stands through a device that is ended already: nothing does, so nobody would end.
///
/// # Errors
/// When something is to be cut.
fn refuse_cut_after(who: &str, cut: &[Cut]) -> Result<(), CliError> {
    cut.first().map_or(Ok(()), |it| {
        Err(CliError::Setting {
            what: "device or grant to cut",
            value: it.word.clone(),
            reason: format!(
                "{who} is ended already, and what others have they do not have through it any more: `aramaki trust \
                 revoke SYSTEM GRANT` ends an access by itself, and `aramaki trust list SYSTEM` shows its grant"
            ),
        })
    })
}

/// The key of the device that is lost: who has access comes before whose access is over.
fn lost_key(
    ever: &Ever,
    (spaces, names): (&[SpaceSummary], &Names),
    wanted: &str,
) -> Result<AuthorId, CliError> {
    let mut wanted = named(spaces, names, &[wanted]);
    for word in &mut wanted {
        let keys = ever.keys().into_iter();
        let called: Vec<_> = keys.filter(|key| names.calls(*key, word)).collect();
        if let [key] = called.as_slice() {
            *word = key.to_string();
        }
    }
    let found = match_among(&ever.keys(), "lost device", &wanted)?;
    found
        .first()
        .copied()
        .ok_or_else(|| CliError::Bug("a device that was found is none".to_owned()))
}

/// Why a word does not name one of what has ids.
fn not_one(count: usize, of: &str) -> String {
    match count {
        0 => format!(
            "nobody here is called so alone, and no {of} begin so; a prefix needs {PREFIX_LEN_CHARS_MIN} digits"
        ),
        count => format!("{count} {of} in these Spaces begin so"),
    }
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
                reason: not_one(named.len(), "keys"),
            });
        }
        found.extend(named);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use aramaki_sync_core::key::DeviceKeys;

    use super::*;

    /// Whoever writes until noon and reads until night stays for both.
    #[test]
    fn every_access_that_is_more_than_another_in_something_has_a_line() {
        let holder = |capability, end, grant: u8| Holder {
            author: DeviceKeys::from_seed([9; 32]).author(),
            who: "zoe".to_owned(),
            capability,
            end: Timestamp::from_millis(end),
            grants: [EnvelopeId::from_bytes([grant; 32])].into(),
            by_lost: false,
        };
        let lines = |all: &[Holder]| {
            let mut lines = Vec::new();
            for holder in all {
                add_most(&mut lines, holder.clone());
            }
            let lines = lines.iter();
            let mut lines: Vec<_> = lines.map(|it| (it.capability, it.end.millis())).collect();
            lines.sort_unstable();
            lines
        };
        let (writes, reads) = (
            holder(Capability::Write, 12, 1),
            holder(Capability::Read, 24, 2),
        );
        let both = [(Capability::Read, 24), (Capability::Write, 12)];
        assert_eq!(lines(&[writes.clone(), reads.clone()]), both);
        assert_eq!(
            lines(&[reads.clone(), writes.clone(), writes.clone()]),
            both
        );
        let all = holder(Capability::Administer, 24, 3);
        assert_eq!(lines(&[writes, all, reads]), [(Capability::Administer, 24)]);
    }
}
