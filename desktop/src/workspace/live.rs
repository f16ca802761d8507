//! The open workspace: a replica and the model of what it holds, kept in step.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aramaki_model::{Edit, EditError, SavedPerspective, Snapshot, TimelineReach, View, Workspace};
use aramaki_sync::replica::{Replica, ReplicaError, ReplicaOptions};
use aramaki_sync_core::engine::WriteError;
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::{Body, Capability};
use aramaki_sync_core::{AuthorId, Chain, DocumentId, SpaceId, Timestamp};
use serde_bytes::ByteBuf;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::names::KIT_NAME;
use super::profile::{self, Anchor, Profile, store_error, with_causes};
use super::serve::ask_to_let_go;
use super::socket::is_served;
use super::{evidence, feed, fresh, group_news, heard, recall, streams};
use crate::cli::{CliError, Config};

/// Plain changes of one envelope; the engine allows 256 KiB with everything around them.
const CHANGES_BYTES_MAX: usize = 200 * 1024;
/// Typing waits this long for more letters.
const TYPING_PAUSE: Duration = Duration::from_millis(300);
/// How long a verb waits for another one that works in the same workspace.
const BUSY_TIME: Duration = Duration::from_secs(10);
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// Arrivals that wait for a slow listener; older ones are lost to it.
const ARRIVALS_MAX: usize = 4_096;
/// Requests to read a Space anew that wait for others.
const RELOADS_QUEUED_MAX: usize = 8;

/// What arrived: one batch of admitted envelopes.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// In which Space.
    pub(crate) space: SpaceId,
    /// When it arrived here.
    pub(crate) at: Timestamp,
    /// When each envelope was sealed, by its author's clock.
    pub(crate) sealed: Vec<Timestamp>,
}

/// Changes made here and not yet written, by document, with the chain for which they were made.
type Typed = BTreeMap<(SpaceId, DocumentId), (Chain, Vec<Vec<u8>>)>;

/// The open workspace. A handle: clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(super) shared: Arc<Shared>,
}

/// What all handles share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) replica: Replica,
    pub(super) profile: Profile,
    /// The person's Home, once they have one.
    home: Mutex<Option<SpaceId>>,
    /// The key of the emergency envelope, once this device knows it.
    emergency: Mutex<Option<Anchor>>,
    pub(super) data: PathBuf,
    model: Mutex<Workspace>,
    /// What was derived from the model; locked before it.
    view: Mutex<View>,
    /// Notes that are being typed: changes made here and not yet written.
    typed: Mutex<Typed>,
    /// Held from an edit until it is durable, so that chains and documents keep one order.
    writing: tokio::sync::Mutex<()>,
    pub(super) changed: watch::Sender<u64>,
    pub(super) arrivals: broadcast::Sender<Arrival>,
    /// Whether the demo's relay runs; none outside the demo.
    demo: watch::Sender<Option<bool>>,
    /// What the demo bar's button asks for.
    wanted: watch::Sender<Option<bool>>,
    /// When news last came from elsewhere.
    newest: Mutex<Option<Timestamp>>,
    /// Spaces that are here or awaited.
    known: Mutex<BTreeSet<SpaceId>>,
    /// Asks the feed to read a Space anew.
    reload: mpsc::Sender<feed::Reload>,
    /// How the person looks at the worklist, as far as it is on this disk alone; none: not read yet.
    shelf: Mutex<Option<Vec<SavedPerspective>>>,
    /// What was written down of when agents were heard.
    heard_kept: Mutex<heard::Kept>,
    /// What agents' Spaces say of actions.
    memory: Mutex<recall::Memory>,
    /// What running actions say.
    pub(super) streams: Mutex<streams::Streams>,
    /// Evidence that is fetched from agents.
    pub(super) evidence: Mutex<evidence::Evidence>,
    /// Whether agents may have to be told of redundancy groups.
    pub(super) group_news: group_news::GroupNews,
    /// Held while agents are let keep their System and while they are told of it: what the first writes in the
    /// System's document belongs to what they are told.
    pub(super) keeping: tokio::sync::Mutex<()>,
    /// Held while an import is written.
    pub(super) importing: tokio::sync::Mutex<()>,
    pub(super) stop: CancellationToken,
}

/// The same keys, for another attempt.
fn again(keys: &DeviceKeys) -> DeviceKeys {
    DeviceKeys::from_seed(*keys.expose_seed())
}

impl Live {
    /// Opens the store of a workspace and takes in what it holds.
    ///
    /// # Errors
    /// When there is no workspace, or another process holds it.
    pub(crate) async fn open(config: &Config) -> Result<Self, CliError> {
        Self::open_with(config, Self::keys(config)?).await
    }

    /// As [`Live::open`], but waits a while for another verb that works in the same workspace.
    ///
    /// # Errors
    /// As [`Live::open`].
    pub(crate) async fn open_soon(config: &Config) -> Result<Self, CliError> {
        let keys = Self::keys(config)?;
        let limit = Instant::now() + BUSY_TIME;
        loop {
            match Self::open_with(config, again(&keys)).await {
                Err(CliError::InUse { .. }) if Instant::now() < limit => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                opened => return opened,
            }
        }
    }

    /// As [`Live::open_soon`], for a program that stays: who only looks is asked to let go of the workspace, and
    /// goes on through that program.
    ///
    /// # Errors
    /// As [`Live::open`]; who works in it is named.
    pub(crate) async fn open_to_stay(config: &Config) -> Result<Self, CliError> {
        let keys = Self::keys(config)?;
        let limit = Instant::now() + BUSY_TIME;
        loop {
            let opened = Self::open_with(config, again(&keys)).await;
            let Err(CliError::InUse { data, reason }) = opened else {
                return opened;
            };
            let who = ask_to_let_go(config).await;
            if Instant::now() >= limit {
                return Err(who.unwrap_or(CliError::InUse { data, reason }));
            }
            tokio::time::sleep(BUSY_PAUSE).await;
        }
    }

    /// As [`Live::open_soon`]; none as soon as whoever holds the workspace answers verbs: an app or
    /// notifier that was just started is first in the store and listens a moment later.
    ///
    /// # Errors
    /// As [`Live::open`].
    pub(crate) async fn open_unless_served(config: &Config) -> Result<Option<Self>, CliError> {
        let keys = Self::keys(config)?;
        let limit = Instant::now() + BUSY_TIME;
        loop {
            let opened = Self::open_with(config, again(&keys)).await;
            let is_busy = matches!(opened, Err(CliError::InUse { .. }));
            if is_busy && is_served(&config.socket).await {
                return Ok(None);
            }
            if !is_busy || Instant::now() >= limit {
                return opened.map(Some);
            }
            tokio::time::sleep(BUSY_PAUSE).await;
        }
    }

    /// This device's keys, of a workspace that may be opened.
    fn keys(config: &Config) -> Result<DeviceKeys, CliError> {
        Profile::load(&config.data)?;
        profile::refuse_lost(&config.data)?;
        profile::device_keys(&config.data, &config.passphrase)
    }

    /// Opens with keys that need not be in a file.
    ///
    /// # Errors
    /// As [`Live::open`].
    pub(super) async fn open_with(config: &Config, keys: DeviceKeys) -> Result<Self, CliError> {
        let profile = Profile::load(&config.data)?;
        let options = ReplicaOptions {
            network: Some(super::network::options(&config.network)),
            ..ReplicaOptions::new(profile::store(&config.data), keys)
        };
        let replica = Replica::open(options)
            .await
            .map_err(|error| store_error(&config.data, &error))?;
        let (reload, reloads) = mpsc::channel(RELOADS_QUEUED_MAX);
        let live = Self {
            shared: Arc::new(Shared {
                replica,
                reload,
                home: Mutex::new(profile.home),
                emergency: Mutex::new(profile.emergency),
                profile,
                data: config.data.clone(),
                model: Mutex::new(Workspace::new()),
                view: Mutex::new(View::default()),
                typed: Mutex::new(BTreeMap::new()),
                writing: tokio::sync::Mutex::new(()),
                changed: watch::Sender::new(0),
                arrivals: broadcast::Sender::new(ARRIVALS_MAX),
                demo: watch::Sender::new(None),
                wanted: watch::Sender::new(None),
                newest: Mutex::new(None),
                known: Mutex::new(BTreeSet::new()),
                shelf: Mutex::default(),
                heard_kept: Mutex::new(heard::Kept::new()),
                memory: Mutex::default(),
                streams: Mutex::default(),
                evidence: Mutex::default(),
                group_news: group_news::GroupNews::default(),
                keeping: tokio::sync::Mutex::new(()),
                importing: tokio::sync::Mutex::new(()),
                stop: CancellationToken::new(),
            }),
        };
        feed::start(&live, reloads).await?;
        if let Err(error) = live.finish_import().await {
            tracing::warn!(error = error.message(), "an import is still not finished");
        }
        Ok(live)
    }

    /// Writes what was typed and lets the store go.
    pub(crate) async fn close(&self) {
        self.flush().await;
        self.keep_heard();
        self.shared.stop.cancel();
        self.shared.replica.shutdown().await;
    }

    /// Who uses this device.
    pub(crate) fn profile(&self) -> &Profile {
        &self.shared.profile
    }

    /// This person's Home, if they have one.
    pub(super) fn home_mut(&self) -> MutexGuard<'_, Option<SpaceId>> {
        let home = self.shared.home.lock();
        home.unwrap_or_else(PoisonError::into_inner)
    }

    /// Perspectives that are on this disk alone.
    pub(super) fn shelf_mut(&self) -> MutexGuard<'_, Option<Vec<SavedPerspective>>> {
        let shelf = self.shared.shelf.lock();
        shelf.unwrap_or_else(PoisonError::into_inner)
    }

    /// What was written down of when agents were heard.
    pub(super) fn heard_kept(&self) -> MutexGuard<'_, heard::Kept> {
        let kept = self.shared.heard_kept.lock();
        kept.unwrap_or_else(PoisonError::into_inner)
    }

    /// What was read of actions.
    pub(super) fn memory(&self) -> MutexGuard<'_, recall::Memory> {
        let memory = self.shared.memory.lock();
        memory.unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of the emergency envelope, if this device knows it.
    pub(super) fn emergency_mut(&self) -> MutexGuard<'_, Option<Anchor>> {
        let emergency = self.shared.emergency.lock();
        emergency.unwrap_or_else(PoisonError::into_inner)
    }

    /// The same with what was learnt since it was read.
    pub(super) fn profile_now(&self) -> Profile {
        Profile {
            home: self.home(),
            emergency: *self.emergency_mut(),
            ..self.shared.profile.clone()
        }
    }

    /// The folder of the workspace.
    pub(super) fn data(&self) -> &std::path::Path {
        &self.shared.data
    }

    /// The replica behind it.
    pub(crate) fn replica(&self) -> &Replica {
        &self.shared.replica
    }

    /// The model. A panic elsewhere while it was locked left it whole: edits swap documents.
    pub(super) fn model(&self) -> MutexGuard<'_, Workspace> {
        self.shared
            .model
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that can be seen here now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        let view = self.shared.view.lock();
        let mut view = view.unwrap_or_else(PoisonError::into_inner);
        view.update(&self.model(), fresh::now())
    }

    /// The same, with timelines of these Systems (of all, if none is named) that reach that far back.
    pub(crate) fn looking_back(
        &self,
        systems: Option<&[SpaceId]>,
        reach: TimelineReach,
    ) -> Snapshot {
        let view = self.shared.view.lock();
        let mut view = view.unwrap_or_else(PoisonError::into_inner);
        let model = self.model();
        view.update(&model, fresh::now());
        view.reaching_back(&model, systems, reach)
    }

    /// Says when something changed.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Says what arrives.
    pub(crate) fn arrivals(&self) -> broadcast::Receiver<Arrival> {
        self.shared.arrivals.subscribe()
    }

    /// Says when the demo's relay stops or starts.
    pub(super) fn watch_demo(&self) -> watch::Receiver<Option<bool>> {
        self.shared.demo.subscribe()
    }

    /// Whether the demo's relay runs; none outside the demo.
    pub(super) fn demo_running(&self) -> Option<bool> {
        *self.shared.demo.borrow()
    }

    /// The demo's relay runs or not.
    pub(crate) fn demo_relay(&self, running: bool) {
        self.shared.demo.send_replace(Some(running));
    }

    /// Somebody wants the demo's relay to run, or not.
    pub(super) fn want_relay(&self, running: bool) {
        self.shared.wanted.send_replace(Some(running));
    }

    /// Says when somebody pressed the demo bar's button.
    pub(crate) fn watch_wanted(&self) -> watch::Receiver<Option<bool>> {
        self.shared.wanted.subscribe()
    }

    /// When news last came from elsewhere.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        *self
            .shared
            .newest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// News came from elsewhere.
    pub(super) fn heard(&self, at: Timestamp) {
        let mut newest = self
            .shared
            .newest
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *newest = (*newest).max(Some(at));
    }

    /// Remembers a Space that is here or awaited; says whether it was not known before.
    pub(super) fn know(&self, space: SpaceId) -> bool {
        let mut known = self
            .shared
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(space)
    }

    pub(super) fn tell_changed(&self) {
        self.shared
            .changed
            .send_modify(|version| *version = version.wrapping_add(1));
    }

    /// Reads a Space anew; returns when what is stored of it now can be seen.
    pub(super) async fn catch_up(&self, space: SpaceId) {
        let (done, read) = oneshot::channel();
        if self.shared.reload.send((space, done)).await.is_ok() && read.await.is_err() {
            tracing::debug!("the workspace was closed meanwhile");
        }
    }

    /// The chain for which edits are made: what was typed and waits is written in the same one as what is
    /// made now.
    pub(super) fn chain(&self) -> Chain {
        let typed = self.typed();
        let waiting = typed.values().next().map(|(chain, _changes)| *chain);
        waiting.unwrap_or_else(|| self.shared.replica.chain())
    }

    /// Makes an edit in the model and writes it; returns when it is durable.
    ///
    /// # Errors
    /// When the model refuses, or the store does: then the model forgets the edit.
    pub(super) async fn edit(
        &self,
        space: SpaceId,
        make: impl FnOnce(&mut Workspace, &Chain, Timestamp) -> Result<Edit, EditError>,
    ) -> Result<(), CliError> {
        let _order = self.shared.writing.lock().await;
        if self.chain() != self.replica().chain() {
            self.write_typed().await;
        }
        let chain = self.chain();
        let edit =
            make(&mut self.model(), &chain, fresh::now()).map_err(|error| CliError::Refused {
                what: "the edit",
                reason: with_causes(&error),
            })?;
        let typed = self.typed().remove(&(space, edit.document));
        let typed = typed.map_or_else(Vec::new, |(_chain, changes)| changes);
        let changes = typed.into_iter().chain(edit.changes).collect();
        self.tell_changed();
        self.write(&chain, space, edit.document, changes).await?;
        self.introduce(space, &chain).await
    }

    /// Whether this device may add to timelines and change nothing.
    async fn comments(&self, space: SpaceId) -> bool {
        let may = self.replica().space(space).await.ok();
        may.and_then(|summary| summary.capability) == Some(Capability::Comment)
    }

    /// The key of this person's recovery kit, where it holds a grant.
    async fn kit_in(&self, space: SpaceId) -> Option<AuthorId> {
        let kit = self.profile().anchor.as_ref()?.author;
        let summary = self.replica().space(space).await.ok()?;
        let mut members = summary.members.iter();
        members.any(|it| it.author == kit).then_some(kit)
    }

    /// Tells the others of a System what whoever uses this device is called, once: with what was
    /// written first, so that nobody has to ask at night whose key that is. So it is with the key of their
    /// recovery kit.
    async fn introduce(&self, space: SpaceId, chain: &Chain) -> Result<(), CliError> {
        let (device, name) = (self.profile().device, &self.profile().name);
        let is_known = |model: &Workspace| {
            let system = model.system(&space);
            system.is_none_or(|system| system.people.get(&device) == Some(name))
        };
        if is_known(&self.model()) {
            return Ok(());
        }
        if self.comments(space).await {
            // They write no document; whoever invited them says what they are called.
            return Ok(());
        }
        let kit = self.kit_in(space).await;
        let edit = self
            .model()
            .edit_system(space, chain, fresh::now(), |edit| {
                edit.put_person(device, name)?;
                kit.map_or(Ok(()), |kit| edit.put_person(kit, KIT_NAME))
            });
        match edit {
            Ok(edit) => self.write(chain, space, edit.document, edit.changes).await,
            // What was asked for is written; a name that cannot be is no reason to refuse it.
            Err(error) => {
                tracing::warn!(%error, "this device's name was not written");
                Ok(())
            }
        }
    }

    /// The same as [`Live::introduce`] for a System that was just joined, if this device may write there.
    pub(super) async fn introduce_after_joining(&self, space: SpaceId) {
        let may = self.replica().space(space).await.ok();
        if may.and_then(|summary| summary.capability) < Some(Capability::Write) {
            return;
        }
        let _order = self.shared.writing.lock().await;
        if let Err(error) = self.introduce(space, &self.chain()).await {
            tracing::warn!(
                error = error.message(),
                "this device's name was not written"
            );
        }
    }

    /// Makes an edit that waits for more of its kind before it is written.
    pub(super) fn type_edit(
        &self,
        space: SpaceId,
        make: impl FnOnce(&mut Workspace, &Chain, Timestamp) -> Result<Edit, EditError>,
    ) -> Result<(), CliError> {
        let chain = self.chain();
        let edit =
            make(&mut self.model(), &chain, fresh::now()).map_err(|error| CliError::Refused {
                what: "the edit",
                reason: with_causes(&error),
            })?;
        let is_first = {
            let mut typed = self.typed();
            let is_first = typed.is_empty();
            typed
                .entry((space, edit.document))
                .or_insert((chain, Vec::new()))
                .1
                .extend(edit.changes);
            is_first
        };
        self.tell_changed();
        if is_first {
            let live = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(TYPING_PAUSE).await;
                live.flush().await;
            });
        }
        Ok(())
    }

    /// Writes what was typed.
    pub(super) async fn flush(&self) {
        let _order = self.shared.writing.lock().await;
        self.write_typed().await;
    }

    /// The same for who holds the lock of writing.
    async fn write_typed(&self) {
        let typed = std::mem::take(&mut *self.typed());
        for ((space, document), (chain, changes)) in typed {
            if let Err(error) = self.write(&chain, space, document, changes).await {
                tracing::error!(error = error.message(), %space, "what was typed was not stored");
            }
        }
    }

    fn typed(&self) -> MutexGuard<'_, Typed> {
        self.shared
            .typed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(
        &self,
        chain: &Chain,
        space: SpaceId,
        document: DocumentId,
        changes: Vec<Vec<u8>>,
    ) -> Result<(), CliError> {
        let comments = !changes.is_empty() && self.comments(space).await;
        if comments && !self.model().is_timeline(&space, &document) {
            feed::rebuild(self, space, document).await;
            self.tell_changed();
            return Err(not_written(&ReplicaError::NotAllowed(space)));
        }
        for body in bodies(changes) {
            let body = match body {
                Body::Changes(changes) if comments => Body::Entries(changes),
                body => body,
            };
            if let Err(error) = self.replica().write_in(*chain, space, document, body).await {
                feed::rebuild(self, space, document).await;
                self.tell_changed();
                return Err(not_written(&error));
            }
        }
        Ok(())
    }
}

/// Why a write was not made: a missing grant is not a full disk.
fn not_written(error: &ReplicaError) -> CliError {
    let reason = with_causes(error);
    match error {
        ReplicaError::Write(WriteError::NotAllowed) | ReplicaError::NotAllowed(_) => {
            CliError::Refused {
                what: "the change",
                reason,
            }
        }
        _ => CliError::Write { reason },
    }
}

/// Bodies that fit envelopes, in order.
fn bodies(changes: Vec<Vec<u8>>) -> Vec<Body> {
    let mut bodies: Vec<Vec<ByteBuf>> = Vec::new();
    let mut bytes = CHANGES_BYTES_MAX;
    for change in changes {
        bytes += change.len();
        if bytes > CHANGES_BYTES_MAX {
            bodies.push(Vec::new());
            bytes = change.len();
        }
        if let Some(body) = bodies.last_mut() {
            body.push(ByteBuf::from(change));
        }
    }
    bodies.into_iter().map(Body::Changes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_keep_their_order_over_several_envelopes() {
        let changes: Vec<Vec<u8>> = (0..5_u8).map(|n| vec![n; 90 * 1024]).collect();
        let bodies = bodies(changes);
        let firsts: Vec<Vec<u8>> = bodies
            .iter()
            .map(|body| match body {
                Body::Changes(changes) => changes.iter().map(|change| change[0]).collect(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(firsts, [vec![0, 1], vec![2, 3], vec![4]]);
    }

    #[test]
    fn an_edit_that_changes_nothing_writes_nothing() {
        assert!(bodies(Vec::new()).is_empty());
    }
}
