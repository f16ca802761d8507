//! Whether a request is run: the whole order of checks (TRUST §9), without touching anything.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::ItemId;
use aramaki_model::action::{
    ActionGrant, ActionPower, ActionRequest, Approval, REQUEST_SPAN_MAX, RefusedFor,
    SCHEDULE_SPAN_MAX,
};
use aramaki_model::maintenance::redundancy::GroupsHeld;
use aramaki_model::maintenance::request::Window;
use aramaki_sync_core::{AuthorId, EnvelopeId, PrincipalId, SpaceId, Timestamp};

use super::catalogue::Actions;
use super::definition::Definition;
use super::journal::{Journal, Row};

/// A request that was admitted, and who signed it when.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// The envelope that carries it.
    pub(super) id: EnvelopeId,
    pub(super) request: ActionRequest,
    pub(super) by: AuthorId,
    /// By the asker's clock.
    pub(super) at: Timestamp,
    /// The work that it confirms, if it is for a maintenance window.
    pub(super) maintenance: Option<ItemId>,
    /// Up to which generation whoever signed it knew this agent to be told of redundancy groups.
    pub(super) groups: u64,
}

/// Somebody whose grant in this agent's Space stands and lets them ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    pub(super) principal: PrincipalId,
    /// A guest of an invitation; who that is nobody vouched for (A52).
    pub(super) is_guest: bool,
    /// Whether they may still read the System to which the agent reports. Who was sent away there may hold
    /// a grant here that nobody ended yet.
    pub(super) is_in_system: bool,
}

/// What a decision follows from.
#[derive(Clone, Debug)]
pub(super) struct View<'a> {
    pub(super) now: Timestamp,
    /// Whether the host's clock can be believed.
    pub(super) clock: bool,
    /// The agent's own Space.
    pub(super) agent: SpaceId,
    pub(super) actions: &'a Actions,
    pub(super) journal: &'a Journal,
    pub(super) people: &'a BTreeMap<AuthorId, Person>,
    /// In the order in which they count: a later one replaces an earlier one.
    pub(super) grants: &'a [ActionGrant],
    pub(super) approvals: &'a [(AuthorId, Approval)],
    /// When a witness or administrator was last in touch.
    pub(super) contact: Option<Timestamp>,
    /// Of which Systems so many must stay in service, as administrators told; none when that cannot be
    /// read.
    pub(super) groups: Option<&'a GroupsHeld>,
}

/// What becomes of a request now.
#[derive(Clone, Debug)]
pub(super) enum Decision {
    /// It is run.
    Run {
        definition: Box<Definition>,
        argv: Vec<String>,
        /// Action and arguments, to find the same again.
        same: [u8; 32],
    },
    /// Not yet; at the latest then it is decided.
    Wait(Timestamp),
    /// Not before this, whatever else happens but an objection.
    Later(Timestamp),
    /// Never.
    Refuse(RefusedFor),
}

/// Decides.
pub(super) fn decide(asked: &Asked, view: &View<'_>) -> Decision {
    match check(asked, view) {
        Ok(decision) => decision,
        Err(refused) => Decision::Refuse(refused),
    }
}

fn check(asked: &Asked, view: &View<'_>) -> Result<Decision, RefusedFor> {
    let request = &asked.request;
    if asked.at < view.journal.since {
        return Err(RefusedFor::BeforeRecords);
    }
    if !may(view, asked.by, &request.action, ActionPower::Request) {
        return Err(RefusedFor::NotGranted);
    }
    if request.agent != view.agent {
        return Err(RefusedFor::WrongTarget);
    }
    let definition = view.actions.definitions.get(&request.action);
    let definition = definition.ok_or(RefusedFor::NotInCatalogue)?;
    if definition.digest != request.definition {
        return Err(RefusedFor::OtherDefinition);
    }
    if !view.clock {
        return Err(RefusedFor::ClockWentBack);
    }
    if asked.maintenance.is_some() && definition.maintenance.is_none() {
        return Err(RefusedFor::NotMaintenance);
    }
    if !is_timely(asked) {
        return Err(RefusedFor::OutOfTime);
    }
    let argv = definition.argv(&request.arguments);
    let argv = argv.map_err(RefusedFor::Argument)?;
    let missing = fresh(definition, view)
        .and_then(|()| in_system(asked, view))
        .and_then(|()| approved(asked, definition, view))
        .and_then(|()| told(asked, view))
        .err();
    if missing == Some(RefusedFor::Denied) {
        return Err(RefusedFor::Denied);
    }
    if view.now > request.end {
        return Err(missing.unwrap_or(RefusedFor::OutOfTime));
    }
    let row = view.journal.rows.get(&asked.id);
    let not_before = row.and_then(Row::again_at).unwrap_or(request.not_before);
    if view.now < not_before {
        return Ok(Decision::Later(not_before));
    }
    if missing.is_some() {
        return Ok(Decision::Wait(request.end));
    }
    let same = same(request);
    single(asked, definition, same, view)?;
    if asked.maintenance.is_some() {
        in_service(view.groups, asked, view.now)?;
    }
    if running(view, &request.action) >= definition.concurrency {
        return Ok(Decision::Wait(request.end));
    }
    Ok(Decision::Run {
        definition: Box::new(definition.clone()),
        argv,
        same,
    })
}

/// Whether a request asks for a time that a signature is good for: soon and for a short while, or for a
/// maintenance window of the next day.
fn is_timely(asked: &Asked) -> bool {
    let request = &asked.request;
    let lasts = request.end.since(request.not_before);
    let far = asked.at.plus(SCHEDULE_SPAN_MAX);
    let is_near = match asked.maintenance {
        Some(_item) => request.end <= far,
        None => lasts <= REQUEST_SPAN_MAX && request.not_before <= far,
    };
    request.not_before <= request.end && is_near
}

/// Whether this agent was told of the groups as late as whoever signed knew. It is waited for until the request
/// ends: what was told may come later than the request.
fn told(asked: &Asked, view: &View<'_>) -> Result<(), RefusedFor> {
    match view.groups {
        Some(held) if held.generation < asked.groups => {
            let why = "what is told of redundancy groups did not arrive: only older is known here";
            Err(RefusedFor::NotStarted(why.to_owned()))
        }
        _ => Ok(()),
    }
}

/// Refuses work that would leave too few of a group in service now.
fn in_service(held: Option<&GroupsHeld>, asked: &Asked, now: Timestamp) -> Result<(), RefusedFor> {
    let Some(held) = held else {
        let why = "what an administrator said of redundancy groups cannot be read";
        return Err(RefusedFor::NotStarted(why.to_owned()));
    };
    let moment = Window {
        begin: now,
        end: Timestamp::from_millis(now.millis().saturating_add(1)),
    };
    let before = Some((asked.at, asked.id));
    for (name, group) in &held.groups {
        if let Some(broken) = group.broken_by(held.system, moment, &held.members, before) {
            let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
            return Err(RefusedFor::WouldBreak {
                group: name.clone(),
                in_service: count(broken.in_service),
                at_least: count(broken.at_least),
            });
        }
    }
    Ok(())
}

/// Whether somebody holds a grant for an action that has not ended.
fn may(view: &View<'_>, who: AuthorId, action: &str, power: ActionPower) -> bool {
    let of_it = (view.agent, action);
    let grant = ActionGrant::in_force(view.grants, (who, power), of_it, view.now);
    view.people.contains_key(&who) && grant.is_some()
}

/// Whether this agent would have heard of a revocation.
fn fresh(definition: &Definition, view: &View<'_>) -> Result<(), RefusedFor> {
    match view.contact {
        Some(contact) if view.now.since(contact) <= definition.freshness => Ok(()),
        _ => Err(RefusedFor::StaleView),
    }
}

/// Whether who asks is in the System still. It is waited for until the request ends: the System's own
/// statements may come later than the request.
fn in_system(asked: &Asked, view: &View<'_>) -> Result<(), RefusedFor> {
    match view.people.get(&asked.by) {
        Some(person) if !person.is_in_system => Err(RefusedFor::NotGranted),
        _ => Ok(()),
    }
}

/// Whether enough others agree. Whoever asked is one person with all their devices.
fn approved(asked: &Asked, definition: &Definition, view: &View<'_>) -> Result<(), RefusedFor> {
    // After its end a request is judged by what was so then.
    let at = view.now.min(asked.request.end);
    let of_request = |(_who, approval): &&(AuthorId, Approval)| approval.request == asked.id;
    let asker = view.people.get(&asked.by).map(|it| it.principal);
    let mut agree = BTreeSet::new();
    for (who, approval) in view.approvals.iter().filter(of_request) {
        let withdraws = *who == asked.by && !approval.agrees;
        let counts = may(view, *who, &asked.request.action, ActionPower::Approve);
        let person = view.people.get(who);
        let person = person.filter(|it| counts && !it.is_guest && it.is_in_system);
        match person {
            _ if withdraws => return Err(RefusedFor::Denied),
            Some(_person) if !approval.agrees => return Err(RefusedFor::Denied),
            Some(person) if Some(person.principal) != asker && at <= approval.end => {
                agree.insert(person.principal);
            }
            _ => {}
        }
    }
    let given = u32::try_from(agree.len()).unwrap_or(u32::MAX);
    if given >= definition.approvals {
        return Ok(());
    }
    Err(RefusedFor::NotApproved {
        needed: definition.approvals,
        given,
    })
}

/// Refuses what was just asked for by another request that whoever asks does not know of.
fn single(
    asked: &Asked,
    definition: &Definition,
    same: [u8; 32],
    view: &View<'_>,
) -> Result<(), RefusedFor> {
    if !definition.single_flight {
        return Ok(());
    }
    let rows = view.journal.rows.iter();
    let before = rows
        .filter(|(id, row)| **id != asked.id && row.same == same && row.ran)
        .filter(|(_id, row)| {
            row.result.is_none() || view.now.since(row.at) <= definition.duplicate_window
        })
        .max_by_key(|(id, row)| (row.at, **id));
    match before {
        Some((id, _row)) if asked.request.again != Some(*id) => Err(RefusedFor::DuplicateOf(*id)),
        _ => Ok(()),
    }
}

fn running(view: &View<'_>, action: &str) -> usize {
    let rows = view.journal.rows.values();
    let runs = rows.filter(|row| row.is_open());
    runs.filter(|row| row.action == action).count()
}

/// What makes two requests ask for the same.
fn same(request: &ActionRequest) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("aramaki same action v1");
    let arguments = request
        .arguments
        .iter()
        .flat_map(|(name, value)| [name, value]);
    for text in std::iter::once(&request.action).chain(arguments) {
        let len = u64::try_from(text.len()).unwrap_or(u64::MAX);
        hasher.update(&len.to_le_bytes());
        hasher.update(text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests;
