//! One picture of everything, for the window.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use aramaki_model::NoteHistory;
use aramaki_sync::replica::{ClockAhead, PeerStatus, SpaceSummary};
use aramaki_sync::transport::Path;
use aramaki_sync_core::admission::{Held, Member as Granted};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, DocumentId, EnvelopeId, SpaceId, Timestamp};

use super::care::KeptBack;
use super::deeds::Undo;
use super::emergency::shown_reason;
use super::fresh;
use super::live::Live;
use super::names::Names;
use super::roster::is_over;
use super::who::Who;
use crate::view::actions::{LookedRun, SystemActions};
use crate::view::earlier::Earlier;
use crate::view::maintenance::SystemWork;
use crate::view::{
    Awaited, Demo, Emergency, Ended, Ending, EqualRank, Frame, IncidentAnswer, Late, LeftOut,
    LookedBack, MadeInvitation, Member, NoteWork, OverQuota, OwnDevice, Peer, PeerKind, Presence,
    Problem, RelayState, Stage, SyncState, Through, Trust, Typed,
};

/// What only the window asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Extras {
    /// An invitation to show.
    pub(super) invitation: Option<MadeInvitation>,
    /// What ending somebody's access would do.
    pub(super) ending: Option<Ending>,
    /// What became of the incident that was asked for.
    pub(super) incident: Option<IncidentAnswer>,
    /// What went wrong last.
    pub(super) problem: Option<Problem>,
    /// How what was done about alerts last is taken back.
    pub(super) undo: Vec<Undo>,
    /// The System that is looked at: what can be run there is shown.
    pub(super) looked_at: Option<SpaceId>,
    /// The run whose page was opened last.
    pub(super) looked_at_run: Option<(SpaceId, EnvelopeId)>,
    /// What was read further back.
    pub(super) earlier: Option<Arc<Earlier>>,
    /// Which trust page was opened last: whose access has ended there is shown.
    pub(super) looked_back: Option<LookedBack>,
    /// What was found of a System the last time, while it stays as it is.
    pub(super) ended: Arc<Mutex<EndedBefore>>,
    /// How many grants of each Space had ended by time when that was looked at last.
    pub(super) over: Arc<Mutex<BTreeMap<SpaceId, usize>>>,
    /// What was done to notes from this window, and what of it can be undone.
    pub(super) notes: BTreeMap<DocumentId, (Typed, NoteHistory)>,
}

/// Everything as it is now.
pub(super) async fn of(live: &Live, extras: &Extras) -> Frame {
    let spaces = live.spaces().await;
    let who = Who::of(live, &spaces);
    let now = fresh::now();
    let names = live.names(&spaces);
    let snapshot = live.snapshot();
    live.keep_ends_of_outages(&snapshot);
    Frame {
        stage: Stage::Open,
        taken: String::new(),
        person: live.profile().name.clone(),
        snapshot: Some(snapshot),
        sync: SyncState {
            awaited: awaited(live).await,
            ..sync(live, &spaces, &who, now)
        },
        trust: trust(live, &spaces, &who, (now, extras)).await,
        without_kit: !live.has_kit().await,
        devices: devices(live).await,
        perspectives: live.perspectives(),
        actions: actions(live, extras.looked_at).await,
        waiting: live.waiting(&spaces, &names).await,
        ran: live.ran(&names),
        earlier: extras.earlier.clone(),
        run: run(live, extras.looked_at_run).await,
        work: work(live, extras.looked_at).await,
        evidence: live.fetched_evidence(),
        demo: live.demo_running().map(|running| Demo {
            relay: if running {
                RelayState::Running
            } else {
                RelayState::Stopped
            },
        }),
        invitation: extras.invitation.clone(),
        ending: extras.ending.clone(),
        incident: extras.incident,
        emergencies: emergencies(live, &spaces),
        equal_ranks: equal_ranks(live, &names),
        problem: extras.problem.clone(),
        notes: extras
            .notes
            .iter()
            .map(|(document, (seen, history))| {
                let work = NoteWork {
                    seen: *seen,
                    can_undo: history.can_undo(),
                    can_redo: history.can_redo(),
                };
                (*document, work)
            })
            .collect(),
    }
}

/// Who is in by an emergency key.
fn emergencies(live: &Live, spaces: &[SpaceSummary]) -> Vec<Emergency> {
    if spaces.iter().all(|space| space.emergencies.is_empty()) {
        return Vec::new();
    }
    let rows = live.emergencies(spaces, &live.names(spaces)).into_iter();
    rows.map(|row| Emergency {
        space: row.space,
        title: row.title,
        who: row.who.join(", "),
        reason: row.reason,
        since: row.since,
        until: row.until,
        here: row.here,
    })
    .collect()
}

/// Notifiers that tell what others tell.
fn equal_ranks(live: &Live, names: &Names) -> Vec<EqualRank> {
    let found = live.equal_ranks(None).into_iter();
    let equal = found.map(|it| EqualRank {
        system: it.policy,
        title: live.title(it.policy).unwrap_or_else(|| it.policy.short()),
        rank: it.rank,
        notifiers: it.notifiers.iter().map(|who| names.of(*who)).collect(),
    });
    equal.collect()
}

/// Everyone who is connected or takes part in a Space here.
fn sync(live: &Live, spaces: &[SpaceSummary], who: &Who, now: Timestamp) -> SyncState {
    let mut rosters = rosters(spaces, who, now);
    let mut peers: Vec<Peer> = live
        .replica()
        .peers()
        .iter()
        .map(|status| {
            let known = status.device.and_then(|device| rosters.remove(&device));
            let mut peer = known.unwrap_or_else(|| stranger(status, spaces, who));
            peer.path = status.path.as_ref().map(|path| path_words(path, status));
            peer.seen = status.last_seen.map(|ago| now.minus(ago));
            peer
        })
        .collect();
    peers.extend(rosters.into_values());
    peers.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    let over_quota = live.kept_back(spaces, None).into_iter();
    let words = |it: KeptBack| OverQuota {
        peer: it.name,
        system: it.title,
    };
    SyncState {
        pending: spaces.iter().map(|space| space.receipts.only_here).sum(),
        newest: live.newest(),
        peers,
        awaited: Vec::new(),
        over_quota: over_quota.map(words).collect(),
    }
}

/// Every other key with a grant that has not ended, and the most that it may do anywhere.
fn rosters(spaces: &[SpaceSummary], who: &Who, now: Timestamp) -> BTreeMap<AuthorId, Peer> {
    let mut peers: BTreeMap<AuthorId, Peer> = BTreeMap::new();
    let mut counted: BTreeSet<(AuthorId, SpaceId)> = BTreeSet::new();
    let members = spaces.iter().flat_map(|space| {
        let members = space.members.iter();
        members.map(|member| (space.id, member))
    });
    for (space, member) in members {
        let kind = who.kind(&member.author);
        let is_peer = matches!(kind, PeerKind::Relay | PeerKind::Device | PeerKind::Agent);
        if member.end <= now || !is_peer {
            continue;
        }
        let peer = peers.entry(member.author).or_insert_with(|| Peer {
            name: who.name(&member.author),
            kind,
            path: None,
            seen: None,
            may: None,
            spaces: 0,
            agent: who.agent_space(&member.author),
        });
        // Two grants in one Space are one Space.
        peer.spaces += usize::from(counted.insert((member.author, space)));
        peer.may = peer.may.max(Some((member.capability, member.end)));
    }
    peers
}

/// Somebody who is looked for or connected and has no grant here.
fn stranger(status: &PeerStatus, spaces: &[SpaceSummary], who: &Who) -> Peer {
    let kind = match status.device {
        Some(device) => who.kind(&device),
        None if relay_endpoint(spaces, status) => PeerKind::Relay,
        None => PeerKind::Device,
    };
    let name = status.device.map_or_else(
        || data_encoding::HEXLOWER.encode(&status.address.endpoint[..4]),
        |device| who.name(&device),
    );
    Peer {
        name,
        kind,
        path: None,
        seen: None,
        may: None,
        spaces: 0,
        agent: None,
    }
}

fn relay_endpoint(spaces: &[SpaceSummary], peer: &PeerStatus) -> bool {
    let mut relays = spaces.iter().flat_map(|space| &space.relays);
    relays.any(|relay| relay.endpoint == peer.address.endpoint)
}

/// What is waited for.
async fn awaited(live: &Live) -> Vec<Awaited> {
    let awaited = live.awaiting().await.into_iter().map(|it| Awaited {
        space: it.space,
        begin: it.begin,
        until: it.redeem_until,
        is_spent: it.spent.is_some(),
    });
    awaited.collect()
}

/// What can be run for the System that is looked at.
async fn actions(live: &Live, system: Option<SpaceId>) -> Option<SystemActions> {
    match live.host_actions(system?).await {
        Ok(actions) => Some(actions),
        Err(error) => {
            tracing::warn!(error = error.message(), "what can be run is not known");
            None
        }
    }
}

/// All of the run that is looked at.
async fn run(live: &Live, looked: Option<(SpaceId, EnvelopeId)>) -> Option<LookedRun> {
    match live.looked_run(looked?).await {
        Ok(looked) => Some(looked),
        Err(error) => {
            tracing::warn!(error = error.message(), "a run cannot be read");
            None
        }
    }
}

/// Maintenance of the System that is looked at.
async fn work(live: &Live, system: Option<SpaceId>) -> Option<SystemWork> {
    match live.system_work(system?).await {
        Ok(work) => Some(work),
        Err(error) => {
            tracing::warn!(
                error = error.message(),
                "what is asked for in maintenance windows is not known"
            );
            None
        }
    }
}

/// This person's devices.
async fn devices(live: &Live) -> Vec<OwnDevice> {
    let devices = live.own_devices().await.unwrap_or_default().into_iter();
    devices
        .map(|device| OwnDevice {
            key: device.author,
            here: device.here,
            accepted: device.accepted,
            beyond: device.beyond.len(),
        })
        .collect()
}

/// Whether a System cannot be read yet, because nobody handed over its key.
async fn awaits_key(live: &Live, space: SpaceId) -> bool {
    let awaits = live.replica().awaits_key(space).await;
    awaits.unwrap_or_default()
}

/// How far this device's clock is ahead of those who keep a System.
async fn clock_ahead(live: &Live, space: SpaceId) -> Option<ClockAhead> {
    let ahead = live.replica().clock_ahead(space).await;
    ahead.unwrap_or_default()
}

/// Who may do what in each System, most capable first.
async fn trust(
    live: &Live,
    spaces: &[SpaceSummary],
    who: &Who,
    (now, extras): (Timestamp, &Extras),
) -> BTreeMap<SpaceId, Trust> {
    let seen = live.seen(spaces);
    let here: BTreeSet<AuthorId> = live
        .replica()
        .peers()
        .iter()
        .filter(|peer| peer.path.is_some())
        .filter_map(|peer| peer.device)
        .collect();
    let mut trust = BTreeMap::new();
    for space in spaces.iter().filter(|space| live.is_system(space.id)) {
        let mut members = members(
            (space, &live.standing_reasons(space)),
            who,
            (&seen, &here),
            now,
        );
        members
            .sort_by(|a, b| (b.may, a.kind, &a.name, a.end).cmp(&(a.may, b.kind, &b.name, b.end)));
        let over = over(space, now);
        see_whose_time_came(live, (space.id, over), extras).await;
        let administers = space.capability == Some(Capability::Administer);
        let waiting = live.replica().waiting(space.id).await.unwrap_or_default();
        let late = waiting.into_iter().map(|it| Late {
            grant: it.grant,
            name: who.name_or_key(&it.author),
            envelopes: it.envelopes,
            last: it.span.1,
            held: it.held,
            left_out: None,
            can_accept: administers && matches!(it.held, Held::Expired | Held::RedeemedLate),
        });
        let cut_off = live.replica().cut_off(space.id).await.unwrap_or_default();
        let cut_off = cut_off.into_iter().map(|it| Late {
            grant: it.grant,
            name: who.name_or_key(&it.author),
            envelopes: it.envelopes,
            last: it.span.1,
            held: Held::Expired,
            left_out: Some(LeftOut {
                in_time: it.in_time,
                closers: it.closers.iter().map(|closer| who.name(closer)).collect(),
            }),
            can_accept: administers,
        });
        let late = late.chain(cut_off);
        let forks = live.replica().forks(space.id).await.unwrap_or_default();
        let forked: BTreeSet<_> = forks.iter().map(|fork| fork.chain.author).collect();
        let shown = Trust {
            mine: space.capability,
            ended_elsewhere: space.ended_elsewhere.is_some(),
            awaits_key: awaits_key(live, space.id).await,
            clock_ahead: clock_ahead(live, space.id).await,
            only_here: space.receipts.only_here,
            members,
            late: late.collect(),
            ended: if extras.looked_back.is_some_and(|it| it.covers(space.id)) {
                ended(live, (space, over), who, &extras.ended).await
            } else {
                Vec::new()
            },
            two_histories: forked.iter().map(|author| who.name(author)).collect(),
        };
        trust.insert(space.id, shown);
    }
    trust
}

/// Whose access has ended in Systems, by what each held when that was found.
type EndedBefore = BTreeMap<SpaceId, (([u8; 32], usize), Vec<Ended>)>;

/// How many grants of a Space have ended by time.
fn over(space: &SpaceSummary, now: Timestamp) -> usize {
    space.members.iter().filter(|it| it.end <= now).count()
}

/// Puts it on the timeline when somebody's time came: nothing comes in then.
async fn see_whose_time_came(live: &Live, (space, over): (SpaceId, usize), extras: &Extras) {
    let seen = extras.over.lock();
    let before = seen
        .unwrap_or_else(PoisonError::into_inner)
        .insert(space, over);
    if before.is_some_and(|before| before != over) {
        live.follow_members(space).await;
        live.tell_changed();
    }
}

/// Whose access has ended in a System, looked up again only when something came in or somebody's time came: an
/// audit reads all control.
async fn ended(
    live: &Live,
    (space, over): (&SpaceSummary, usize),
    who: &Who,
    before: &Mutex<EndedBefore>,
) -> Vec<Ended> {
    let key = (space.digest, over);
    let kept = || before.lock().unwrap_or_else(PoisonError::into_inner);
    let known = kept().get(&space.id).cloned();
    if let Some((_key, ended)) = known.filter(|(known, _ended)| *known == key) {
        return ended;
    }
    let ended = live.ended(space.id, who).await;
    kept().insert(space.id, (key, ended.clone()));
    ended
}

/// Everyone with a grant that has not ended.
fn members(
    space: (&SpaceSummary, &BTreeMap<EnvelopeId, String>),
    who: &Who,
    (seen, connected): (&BTreeMap<AuthorId, Timestamp>, &BTreeSet<AuthorId>),
    now: Timestamp,
) -> Vec<Member> {
    let (space, reasons) = space;
    let live = || space.members.iter().filter(|member| !is_over(member, now));
    let here = |member: &&Granted| who.kind(&member.author) == PeerKind::Here;
    let nearest = live()
        .filter(|member| member.capability == Capability::Administer)
        .filter(here)
        .map(|member| member.through.len())
        .min();
    let shown = live().map(|member| {
        let above = |member: &Granted| {
            let grant = member.through.last()?;
            space.members.iter().find(|above| above.grant == *grant)
        };
        let through = match (above(member), member.guest_of) {
            (None, _) => Through::Root,
            // Above a guest stands the invitation's key; above that, who made it.
            (Some(invitation), Some(_)) => Through::Invitation(
                above(invitation).map_or_else(String::new, |issuer| who.name(&issuer.author)),
            ),
            (Some(issuer), None) => Through::Member(who.name(&issuer.author)),
        };
        Member {
            key: member.author,
            name: who.name(&member.author),
            kind: who.kind(&member.author),
            may: member.capability,
            begin: space.begin_of(member),
            end: member.end,
            depth: member.depth_left,
            through,
            grant: member.grant,
            reason: reasons.get(&member.grant).cloned().unwrap_or_default(),
            seen: seen.get(&member.author).copied(),
            presence: if connected.contains(&member.author) {
                Presence::Here
            } else {
                Presence::Away
            },
            code_end: super::roster::code_end(member),
            left: member
                .is_invitation()
                .then_some((member.redemptions_left, member.redeem_until)),
            opened: space
                .emergency_uses
                .iter()
                .rfind(|it| it.grant == member.grant)
                .map(|it| (it.since, shown_reason(&it.reason))),
            can_renew: nearest.is_some()
                && !here(&member)
                && matches!(
                    who.kind(&member.author),
                    PeerKind::Device | PeerKind::Agent | PeerKind::Relay
                ),
            can_end: nearest.is_some_and(|own| own < member.through.len()) && !here(&member),
        }
    });
    shown.collect()
}

/// The path in words: `direct, 0.4 ms`.
fn path_words(path: &Path, peer: &PeerStatus) -> String {
    match peer.rtt {
        Some(rtt) => format!("{}, {:.1} ms", path_word(path), rtt.as_secs_f64() * 1_000.0),
        None => path_word(path).to_owned(),
    }
}

/// The path in one word.
pub(crate) fn path_word(path: &Path) -> &'static str {
    match path {
        Path::Direct(_) => "direct",
        Path::Relayed(_) => "relayed",
        Path::Unknown => "unknown",
    }
}
