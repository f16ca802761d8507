//! Which Systems are in service, which groups must keep some, and what their agents are told of it.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::ItemId;
use aramaki_model::maintenance::redundancy::{
    Broken, GroupsHeld, MEMBERS_MAX, Member, OutOfService, Redundancy, Reservation,
};
use aramaki_model::maintenance::request::{RequestState, Window};
use aramaki_model::name;
use aramaki_sync::replica::ReplicaError;
use aramaki_sync_core::statement::Body;
use aramaki_sync_core::{SpaceId, Timestamp};
use serde_bytes::ByteBuf;

use super::fresh;
use super::groups::Groups;
use super::live::Live;
use super::maintenance::{WorkRow, refused};
use super::profile::with_causes;
use crate::cli::{CliError, local};

/// A group, and how it stands now.
#[derive(Clone, Debug)]
pub(crate) struct GroupRow {
    /// The aggregate that keeps it.
    pub(crate) aggregate: SpaceId,
    /// Its name.
    pub(crate) name: String,
    /// What it says.
    pub(crate) group: Redundancy,
    /// Members that are not in service now.
    pub(crate) out: BTreeSet<SpaceId>,
}

/// A group that a time of work would break.
struct BrokenGroup {
    aggregate: SpaceId,
    name: String,
    broken: Broken,
}

/// A moment, as a window.
fn moment(now: Timestamp) -> Window {
    Window {
        begin: now,
        end: Timestamp::from_millis(now.millis().saturating_add(1)),
    }
}

impl Live {
    /// The groups that can be read here, of one System or all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn groups(&self, of: Option<SpaceId>) -> Result<Vec<GroupRow>, CliError> {
        let groups = self.all_groups();
        let groups: Vec<_> = match of {
            Some(of) => groups.of(of).cloned().collect(),
            None => groups.into_all(),
        };
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let members = groups
            .iter()
            .flat_map(|it| it.group.members.iter().copied());
        let members: BTreeSet<_> = members.collect();
        let known = self.members(&members).await?;
        let now = moment(fresh::now());
        let rows = groups.into_iter().map(|it| GroupRow {
            out: it
                .group
                .members
                .iter()
                .filter(|member| {
                    known
                        .get(*member)
                        .is_none_or(|it| !it.is_in_service(now, None))
                })
                .copied()
                .collect(),
            aggregate: it.keeper,
            name: it.name,
            group: it.group,
        });
        Ok(rows.collect())
    }

    /// A System and all that are in a group with it.
    pub(super) fn together(&self, system: SpaceId) -> BTreeSet<SpaceId> {
        self.all_groups().together(system)
    }

    /// What is known of Systems that can be read here.
    pub(super) async fn members(
        &self,
        systems: &BTreeSet<SpaceId>,
    ) -> Result<BTreeMap<SpaceId, Member>, CliError> {
        let now = fresh::now();
        let mut known: BTreeMap<SpaceId, Member> = BTreeMap::new();
        {
            let model = self.model();
            for system in systems {
                if let Some(said) = model.system(system) {
                    let out = said.out_of_service.values().map(OutOfService::window);
                    let member = Member {
                        out: out.filter(|window| now < window.end).collect(),
                        reserved: Vec::new(),
                    };
                    known.insert(*system, member);
                }
            }
        }
        if known.is_empty() {
            return Ok(known);
        }
        let readable: Vec<_> = known.keys().copied().collect();
        for row in self.work(Some(&readable)).await? {
            let reserved = reservation(&row).filter(|it| now < it.window.end);
            if let (Some(member), Some(reserved)) = (known.get_mut(&row.system), reserved) {
                member.reserved.push(reserved);
            }
        }
        Ok(known)
    }

    /// Refuses a time of work that would leave too few of a group in service.
    ///
    /// # Errors
    /// When it would: with group and members.
    pub(super) async fn refuse_broken(
        &self,
        system: SpaceId,
        window: Window,
    ) -> Result<(), CliError> {
        let groups = self.all_groups();
        if groups.of(system).next().is_none() {
            return Ok(());
        }
        let known = self.members(&groups.together(system)).await?;
        let broken: Vec<_> = groups
            .of(system)
            .filter_map(|it| {
                let broken = it.group.broken_by(system, window, &known, None)?;
                Some(BrokenGroup {
                    aggregate: it.keeper,
                    name: it.name.clone(),
                    broken,
                })
            })
            .collect();
        if broken.is_empty() {
            return Ok(());
        }
        let called = |space: &SpaceId| {
            let title = self.title(*space);
            title.unwrap_or_else(|| format!("{} (not shared here)", space.short()))
        };
        let words = broken.iter().map(|it| {
            let out: Vec<_> = it.broken.out.iter().map(called).collect();
            format!(
                "of the redundancy group {} of {} at least {} must stay in service, and {} would: {} {} out then",
                it.name,
                called(&it.aggregate),
                it.broken.at_least,
                it.broken.in_service,
                if out.is_empty() { "no other".to_owned() } else { out.join(", ") },
                if out.len() > 1 { "are" } else { "is" },
            )
        });
        let words: Vec<_> = words.collect();
        Err(CliError::WouldBreak {
            reason: words.join("; "),
        })
    }

    /// Tells the agents of these Systems what must stay in service, where this device administers them
    /// and it is not what they were told; whether any was told something.
    ///
    /// # Errors
    /// When the store refuses.
    pub(super) async fn tell_groups(&self, systems: &BTreeSet<SpaceId>) -> Result<bool, CliError> {
        let mut has_told = false;
        let administered = self.administered().await;
        let groups = self.all_groups();
        let members = systems.iter().flat_map(|it| groups.together(*it));
        let members = self.members(&members.collect()).await?;
        for system in systems {
            let mut agents = self.agents_of(*system);
            agents.retain(|agent| administered.contains(agent));
            let known = (&groups, &members);
            has_told |= self.tell_groups_of(*system, &agents, known).await?;
        }
        Ok(has_told)
    }

    /// Tells these agents of a System; whether any was told something.
    ///
    /// # Errors
    /// As [`Live::tell_groups`].
    pub(super) async fn tell_groups_of(
        &self,
        system: SpaceId,
        agents: &[SpaceId],
        (groups, members): (&Groups, &BTreeMap<SpaceId, Member>),
    ) -> Result<bool, CliError> {
        let held = held_groups(system, groups, members);
        let mut has_told = false;
        for agent in agents {
            has_told |= self.tell_agent(*agent, &held).await?;
        }
        Ok(has_told)
    }

    /// What an agent was told last; none when it never was.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn told_groups(&self, agent: SpaceId) -> Result<Option<GroupsHeld>, CliError> {
        let told = match self.replica().bodies(agent, name::agent_groups()).await {
            Ok(told) => told,
            Err(ReplicaError::UnknownSpace(_)) => return Ok(None),
            Err(error) => return Err(refused(with_causes(&error))),
        };
        let told = told.into_iter().filter_map(|entry| match entry.body {
            Some(Body::AgentConfig(bytes)) => GroupsHeld::decode(&bytes).ok(),
            _ => None,
        });
        Ok(told.max_by_key(|it| it.generation))
    }

    /// Up to which generation an agent was told of the groups of its System, so that it stops what they forbid.
    ///
    /// # Errors
    /// When it knows less than this device, which does not administer it and cannot tell it.
    pub(super) async fn groups_known(
        &self,
        (system, agent): (SpaceId, SpaceId),
        window: Window,
    ) -> Result<u64, CliError> {
        let told = self.told_groups(agent).await?.unwrap_or_default();
        let groups = self.all_groups();
        let members = self.members(&groups.together(system)).await?;
        let current = held_groups(system, &groups, &members);
        if self.administered().await.contains(&agent) || told.knows(&current, window) {
            return Ok(told.generation);
        }
        Err(refused(
            "its host does not know the redundancy groups as they are now: they are told it by any device that administers \
             it, as soon as that is online for a moment; then try again",
        ))
    }

    async fn tell_agent(&self, agent: SpaceId, held: &GroupsHeld) -> Result<bool, CliError> {
        let document = name::agent_groups();
        let failed = |error: &dyn std::error::Error| refused(with_causes(error));
        let told = self.told_groups(agent).await?;
        let known = told.as_ref().map_or(0, |it| it.generation);
        let now = fresh::now();
        let held = match &told {
            Some(told) => {
                let model = self.model();
                held.clone()
                    .with_told(told, now, |space| model.system(space).is_some())
            }
            None => held.clone(),
        };
        let is_same = match &told {
            Some(told) => told.says_same(&held, now),
            None => held.groups.is_empty(),
        };
        if is_same {
            return Ok(false);
        }
        let clock = u64::try_from(fresh::now().millis()).unwrap_or(1);
        let held = GroupsHeld {
            generation: clock.max(known.saturating_add(1)),
            ..held
        };
        let bytes = held.encode().map_err(|error| failed(&error))?;
        let body = Body::AgentConfig(ByteBuf::from(bytes));
        let written = self.replica().write(agent, document, body).await;
        written.map(|_written| true).map_err(|error| failed(&error))
    }

    /// Keeps a group in an aggregate's document, or changes the one of that name.
    ///
    /// # Errors
    /// When it asks for more than it has, has too many, or this device may not write there.
    pub(crate) async fn put_group(
        &self,
        aggregate: SpaceId,
        name: &str,
        group: Redundancy,
    ) -> Result<(), CliError> {
        let (members, at_least) = (group.members.len(), usize::from(group.at_least));
        if members > MEMBERS_MAX {
            return Err(refused(format!(
                "a group has at most {MEMBERS_MAX} members"
            )));
        }
        if at_least == 0 || at_least > members {
            return Err(refused(format!(
                "at least 1 and at most all {members} members can stay in service"
            )));
        }
        let before = self.group_members(aggregate, name);
        self.edit(aggregate, |model, chain, now| {
            model.edit_system(aggregate, chain, now, |edit| {
                edit.put_redundancy(name, &group)
            })
        })
        .await?;
        let told =
            format!("redundancy group {name}: at least {at_least} of {members} stay in service");
        self.say(aggregate, &told).await?;
        self.tell_groups(&before.union(&group.members).copied().collect())
            .await
            .map(drop)
    }

    /// Removes a group.
    ///
    /// # Errors
    /// When there is none, or this device may not write there.
    pub(crate) async fn remove_group(
        &self,
        aggregate: SpaceId,
        name: &str,
    ) -> Result<(), CliError> {
        let members = self.group_members(aggregate, name);
        if members.is_empty() {
            return Err(refused(format!("it keeps no redundancy group {name}")));
        }
        self.edit(aggregate, |model, chain, now| {
            model.edit_system(aggregate, chain, now, |edit| edit.remove_redundancy(name))
        })
        .await?;
        self.say(aggregate, &format!("redundancy group {name} removed"))
            .await?;
        self.tell_groups(&members).await.map(drop)
    }

    fn group_members(&self, aggregate: SpaceId, name: &str) -> BTreeSet<SpaceId> {
        let model = self.model();
        let kept = model.system(&aggregate);
        let group = kept.and_then(|system| system.redundancy.get(name));
        group.map(|group| group.members.clone()).unwrap_or_default()
    }

    /// Takes a System out of service.
    ///
    /// # Errors
    /// When a group would be broken, or this device may not write there.
    pub(crate) async fn take_out(
        &self,
        system: SpaceId,
        until: Option<Timestamp>,
        reason: &str,
    ) -> Result<(), CliError> {
        let out = OutOfService {
            since: fresh::now(),
            until,
            reason: reason.to_owned(),
        };
        self.refuse_broken(system, out.window()).await?;
        let item = ItemId::new(out.since, fresh::random()?);
        self.edit(system, |model, chain, now| {
            model.edit_system(system, chain, now, |edit| edit.put_out(item, &out))
        })
        .await?;
        let end = until.map_or_else(String::new, |until| format!(" until {}", local(until)));
        self.say(system, &format!("taken out of service{end}: {reason}"))
            .await?;
        self.tell_groups(&self.together(system)).await.map(drop)
    }

    /// Puts a System back into service; whether it was out by hand.
    ///
    /// # Errors
    /// When this device may not write there.
    pub(crate) async fn put_back(&self, system: SpaceId) -> Result<bool, CliError> {
        let out: Vec<_> = {
            let model = self.model();
            let said = model.system(&system);
            said.map(|it| it.out_of_service.keys().copied().collect())
                .unwrap_or_default()
        };
        if out.is_empty() {
            return Ok(false);
        }
        self.edit(system, |model, chain, now| {
            model.edit_system(system, chain, now, |edit| {
                out.iter().try_for_each(|item| edit.remove_out(*item))
            })
        })
        .await?;
        self.say(system, "put back into service").await?;
        self.tell_groups(&self.together(system)).await?;
        Ok(true)
    }

    /// Why a System is out of service now by hand, oldest first; nothing when it is in service.
    pub(crate) fn out_now(&self, system: SpaceId) -> Vec<OutOfService> {
        let (model, now) = (self.model(), fresh::now());
        let said = model.system(&system);
        let out = said.into_iter().flat_map(|it| it.out_of_service.values());
        out.filter(|it| it.window().covers(now)).cloned().collect()
    }
}

/// The groups of a System, and what is known of the others in them.
fn held_groups(
    system: SpaceId,
    groups: &Groups,
    members: &BTreeMap<SpaceId, Member>,
) -> GroupsHeld {
    let mut others = groups.together(system);
    others.remove(&system);
    let others = others.into_iter();
    let own = groups.of(system);
    GroupsHeld {
        generation: 0,
        system,
        keepers: groups.of(system).map(|it| it.keeper).collect(),
        groups: own.map(|it| (it.name.clone(), it.group.clone())).collect(),
        members: others
            .filter_map(|it| Some((it, members.get(&it)?.clone())))
            .collect(),
    }
}

/// The time that a row's signed request holds: while it may begin, and while it runs.
fn reservation(row: &WorkRow) -> Option<Reservation> {
    let signed = row.confirmed()?;
    let window = Window {
        begin: signed.request.not_before,
        end: signed.request.end,
    };
    let end = match row.standing.state {
        RequestState::Pending | RequestState::Due | RequestState::Retry | RequestState::Unknown => {
            window.end
        }
        RequestState::Running => Timestamp::MAX,
        // Its host may still begin it until it has answered.
        RequestState::Deleted if signed.result.is_none() => window.end,
        _ => return None,
    };
    Some(Reservation {
        at: signed.at,
        id: signed.id,
        system: row.system,
        window: Window { end, ..window },
    })
}
