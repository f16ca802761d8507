//! From the replica into the model: what is stored at first, what is admitted from then on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_model::{AdmittedChange, ChangeScope, EnvelopeLinks, Finding, Heartbeat, Reason, name};
use aramaki_sync::replica::{ReplicaError, ReplicaEvent};
use aramaki_sync_core::engine::Admitted;
use aramaki_sync_core::statement::Body;
use aramaki_sync_core::{AuthorId, DocumentId, SpaceId, Timestamp};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::fresh;
use super::group_news;
use super::live::{Arrival, Live};
use super::profile::store_error;
use crate::cli::CliError;

const DAY: Duration = Duration::from_hours(24);
/// Shorter than any month, so that none is passed over.
const MONTH: Duration = Duration::from_hours(28 * 24);
/// How far back journals are read: a month; agents tell all states anew more often, and what is older is in the
/// sums of days.
const JOURNAL_DAYS: u32 = 31;
/// How far back sums of days are read: three months, and one for its beginning and for short ones.
const DAYS_MONTHS: u32 = 5;
/// How far back timelines are read.
const TIMELINE_MONTHS: u32 = 13;
/// Agents of one System whose Spaces are held; what a System lists is others' word.
const AGENTS_FOLLOWED_MAX: usize = 256;
/// Agents that were removed and whose Spaces are held for what they saw: who was removed last.
const REMOVED_FOLLOWED_MAX: usize = 32;

/// A Space that is to be read anew, and who waits for it. Only the feed reads Spaces: of two readers
/// the slower would put back an older state.
pub(super) type Reload = (SpaceId, oneshot::Sender<()>);

/// Takes in what the store holds, then follows the replica until it is closed.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn start(live: &Live, reloads: mpsc::Receiver<Reload>) -> Result<(), CliError> {
    // Subscribed before reading: what comes in between comes twice, and is recognised.
    let events = live.replica().subscribe();
    load(live).await?;
    live.recall_heard();
    let live = live.clone();
    group_news::start(&live);
    live.shared.group_news.hear_all();
    tokio::spawn(async move { follow(&live, events, reloads).await });
    Ok(())
}

async fn load(live: &Live) -> Result<(), CliError> {
    let spaces = live
        .replica()
        .spaces()
        .await
        .map_err(|error| store_error(&live.shared.data, &error))?;
    for summary in &spaces {
        live.know(summary.id);
    }
    for summary in spaces {
        load_space(live, summary.id).await;
    }
    Ok(())
}

/// Reads a Space anew, also what is open of it and nothing names any more: what is cut goes.
async fn load_space(live: &Live, space: SpaceId) {
    let mut open = live.model().open_documents(&space);
    let read = read_space(live, space).await;
    open.retain(|document| !read.contains(document));
    for document in open {
        rebuild(live, space, document).await;
    }
}

/// Reads the System first, because its notes are named in it, and of the dated segments those of the
/// time that is shown. Returns which documents were read.
async fn read_space(live: &Live, space: SpaceId) -> BTreeSet<DocumentId> {
    live.model().open_space(space);
    let mut read = BTreeSet::new();
    let mut present = match live.replica().documents(space).await {
        Ok(present) => present,
        Err(ReplicaError::Closed) => return read,
        Err(error) => {
            tracing::error!(%error, %space, "a Space cannot be read");
            return read;
        }
    };
    let mut shown = Vec::new();
    if present.remove(&name::system()) {
        rebuild(live, space, name::system()).await;
        read.insert(name::system());
    }
    let notes: Option<Vec<_>> = live
        .model()
        .system(&space)
        .map(|system| system.notes.keys().copied().collect());
    let now = fresh::now();
    // Who has no Home may stand in one without knowing that it is theirs.
    let may_be_home = live.home().is_none_or(|home| home == space);
    if may_be_home && present.remove(&name::home()) {
        rebuild(live, space, name::home()).await;
        read.insert(name::home());
        live.follow_home(space).await;
    }
    if let Some(notes) = notes {
        follow_agents(live, space).await;
        live.follow_members(space).await;
        shown.extend(notes.into_iter().map(name::note));
        let months = (0..TIMELINE_MONTHS).map(|n| now.minus(MONTH * n));
        shown.extend(segments(&present, months, name::timeline));
    } else {
        let days = (0..JOURNAL_DAYS).map(|n| now.minus(DAY * n));
        shown.extend(segments(&present, days, name::journal));
        let months = (0..DAYS_MONTHS).map(|n| now.minus(MONTH * n));
        shown.extend(segments(&present, months, name::days));
    }
    for document in shown {
        if present.remove(&document) {
            rebuild(live, space, document).await;
            read.insert(document);
        }
    }
    read
}

/// Tells the model what envelopes build on that arrived since it was told last.
async fn link(live: &Live, space: SpaceId) {
    let known = live.model().linked(&space);
    match live.replica().lineage(space, known).await {
        Ok(lineage) => {
            let links: Vec<_> = lineage
                .into_iter()
                .map(|entry| EnvelopeLinks {
                    id: entry.id,
                    previous: entry.previous,
                    ancestors: entry.ancestors,
                })
                .collect();
            let findings = live.model().link(space, &links);
            note(&findings);
        }
        // The workspace is being closed, or the Space was given up meanwhile: a code was dead.
        Err(ReplicaError::Closed | ReplicaError::UnknownSpace(_)) => {}
        Err(error) => tracing::error!(%error, %space, "what envelopes build on cannot be read"),
    }
}

/// Holds the Spaces of a System's agents too: who may read the System may read those, because they
/// name it as their audience. One that does not let this device in stays empty.
async fn follow_agents(live: &Live, system: SpaceId) {
    let agents = live.agents_of(system).into_iter();
    let removed = live.removed_agents_of(system).into_iter();
    let agents = agents.take(AGENTS_FOLLOWED_MAX);
    for agent in agents.chain(removed.take(REMOVED_FOLLOWED_MAX)) {
        if live.know(agent)
            && let Err(error) = live.replica().follow(agent).await
        {
            tracing::warn!(%error, space = %agent.short(), "an agent is not followed");
        }
    }
}

/// The segments of some periods that are there: each period's first, and what follows a full one.
fn segments(
    present: &BTreeSet<DocumentId>,
    periods: impl Iterator<Item = Timestamp>,
    named: fn(Timestamp, usize) -> DocumentId,
) -> Vec<DocumentId> {
    let of_period = |at| {
        let named = (0..).map(move |full| named(at, full));
        named.take_while(|document| present.contains(document))
    };
    periods.flat_map(of_period).collect()
}

/// Reads a document anew from everything that is admitted.
pub(super) async fn rebuild(live: &Live, space: SpaceId, document: DocumentId) {
    match live.replica().bodies(space, document).await {
        Ok(admitted) => {
            link(live, space).await;
            let changes: Vec<_> = admitted.into_iter().filter_map(change).collect();
            note(&live.model().rebuild(space, document, &changes));
        }
        // The workspace is being closed.
        Err(ReplicaError::Closed) => {}
        Err(error) => tracing::error!(%error, %space, "a document cannot be read"),
    }
}

async fn follow(
    live: &Live,
    mut events: broadcast::Receiver<ReplicaEvent>,
    mut reloads: mpsc::Receiver<Reload>,
) {
    loop {
        let event = tokio::select! {
            () = live.shared.stop.cancelled() => return,
            Some((space, done)) = reloads.recv() => {
                live.forget_actions(space);
                load_space(live, space).await;
                live.tell_changed();
                if done.send(()).is_err() {
                    tracing::debug!("nobody waits for what was read anew");
                }
                continue;
            }
            event = events.recv() => event,
        };
        match event {
            Ok(event) => take(live, event).await,
            Err(broadcast::error::RecvError::Closed) => return,
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::info!(missed, "reading everything anew");
                live.forget_all_actions();
                if let Err(error) = load(live).await {
                    tracing::error!(error = error.message(), "the store cannot be read");
                }
                live.tell_changed();
            }
        }
    }
}

/// The Space in which something happened that lasts.
const fn place_of(event: &ReplicaEvent) -> Option<SpaceId> {
    match event {
        ReplicaEvent::Admitted { space, .. }
        | ReplicaEvent::Rebuilt { space }
        | ReplicaEvent::Space { space } => Some(*space),
        _ => None,
    }
}

async fn take(live: &Live, event: ReplicaEvent) {
    if let Some(space) = place_of(&event) {
        live.forget_actions(space);
    }
    match event {
        ReplicaEvent::Admitted { space, entries } => {
            let at = fresh::now();
            let sealed = entries.iter().map(|entry| entry.time).collect();
            let documents = entries.iter().map(|entry| entry.document);
            live.shared.group_news.hear(documents);
            if entries
                .iter()
                .any(|entry| entry.chain.author != live.profile().device)
            {
                live.heard(at);
            }
            link(live, space).await;
            admit(live, space, entries);
            follow_agents(live, space).await;
            listen(live, live.agents_of(space).into_iter().collect()).await;
            live.follow_home(space).await;
            // Nobody listens outside the demo.
            drop(live.shared.arrivals.send(Arrival { space, at, sealed }));
        }
        ReplicaEvent::Rebuilt { space } => {
            load_space(live, space).await;
            live.shared.group_news.hear_all();
        }
        // What a change waits for may be control, which brings no entries.
        ReplicaEvent::Space { space } => {
            link(live, space).await;
            live.follow_members(space).await;
            live.let_agent_keep(space).await;
        }
        ReplicaEvent::Snapshot {
            space,
            document,
            id,
            author,
            finding,
        } => {
            let whose = live.names(&[]).of(author);
            let finding = Finding {
                space,
                document,
                envelope: Some(id),
                reason: Reason::Snapshot(format!("{finding} (by {whose})")),
            };
            note(std::slice::from_ref(&finding));
            live.model().note_finding(finding);
        }
        ReplicaEvent::InStep { space } if !live.agents().contains(&space) => {
            live.shared.group_news.hear_all();
        }
        ReplicaEvent::InStep { space } if live.agents().contains(&space) => {
            listen(live, BTreeSet::from([space])).await;
            live.shared.group_news.hear_all();
        }
        ReplicaEvent::Peers => listen(live, live.agents()).await,
        // Other readers ask; their agent answers.
        ReplicaEvent::Ephemeral { document, .. } if document == name::evidence_ask() => return,
        ReplicaEvent::Asked { .. } => return,
        ReplicaEvent::Ephemeral {
            space,
            document,
            chain,
            bytes,
            ..
        } => hear(live, (space, document), chain.author, &bytes).await,
        _ => {}
    }
    live.tell_changed();
}

/// Takes in what somebody says in a Space and nobody stores.
async fn hear(
    live: &Live,
    (space, document): (SpaceId, DocumentId),
    author: AuthorId,
    bytes: &[u8],
) {
    if document == name::action_output() {
        live.hear_output((space, author), bytes);
    } else if document == name::evidence() {
        live.hear_evidence((space, author), bytes);
    } else {
        // Whoever reads an agent's Space themselves may speak there too.
        let agents = live.agent_authors(space);
        if !agents.is_empty() && !agents.contains(&author) {
            tracing::debug!(%author, %space, "a heartbeat is not its agent's");
            return;
        }
        match Heartbeat::decode(bytes) {
            Ok(heartbeat) => {
                live.model().heartbeat(space, &heartbeat, fresh::now());
                live.keep_heard_soon();
            }
            Err(error) => tracing::debug!(%error, %space, "an ephemeral is no heartbeat"),
        }
    }
    // Whoever speaks is heard: that it began to be may have been said while nobody here knew of it.
    if !live.model().is_heard(&space) && live.agents().contains(&space) {
        listen(live, BTreeSet::from([space])).await;
    }
}

/// Tells the model which of these agents are heard now.
async fn listen(live: &Live, agents: BTreeSet<SpaceId>) {
    if agents.is_empty() {
        return;
    }
    let now = fresh::now();
    let Ok(heard) = live.replica().hears(agents.clone()).await else {
        // The workspace is being closed.
        return;
    };
    let mut model = live.model();
    for agent in agents {
        model.hears(agent, heard.contains(&agent), now);
    }
}

/// Takes a batch in, each document's changes together.
fn admit(live: &Live, space: SpaceId, entries: Vec<Admitted>) {
    let mut documents: BTreeMap<DocumentId, Vec<AdmittedChange>> = BTreeMap::new();
    for entry in entries {
        let document = entry.document;
        if let Some(change) = change(entry) {
            documents.entry(document).or_default().push(change);
        }
    }
    for (document, changes) in documents {
        let findings = live.model().admit(space, document, &changes);
        note(&findings);
    }
}

fn change(entry: Admitted) -> Option<AdmittedChange> {
    let (changes, scope) = match entry.body? {
        Body::Changes(changes) => (changes, ChangeScope::Documents),
        Body::Entries(changes) => (changes, ChangeScope::Timelines),
        _ => return None,
    };
    Some(AdmittedChange {
        chain: entry.chain,
        id: entry.id,
        changes: changes
            .into_iter()
            .map(serde_bytes::ByteBuf::into_vec)
            .collect(),
        scope,
    })
}

/// People are shown them, see `left_out`: a verb that opens the workspace finds the same ones each time.
fn note(findings: &[Finding]) {
    for finding in findings {
        tracing::info!(space = %finding.space.short(), reason = %finding.reason, "left out");
    }
}
