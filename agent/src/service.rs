//! The agent at work: runs checks when they are due, hands changes to the journal, says it lives.
//!
//! Nothing here waits for a peer: what cannot be sent is written locally and replicated later, and
//! what cannot be written yet is kept beside the replica until it can.

mod others;
mod wanted;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use aramaki_model::agent_config::CHECKS_MAX;
use aramaki_model::day::day_of;
use aramaki_model::entry::AgentStarted;
use aramaki_model::heartbeat::HEARTBEAT_INTERVAL_MS;
use aramaki_model::{
    AgentConfig, Check, EntryId, Exit, Hardness, Heartbeat, JournalEntry, Observation, PluginOutput,
};
use aramaki_sync_core::{AuthorId, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::answered::Answered;
use crate::config::Config;
use crate::days::Days;
use crate::desired::Desires;
use crate::discover;
use crate::evidence::Kept;
use crate::explain::Origin;
use crate::external::Externals;
use crate::forgotten::Forgotten;
use crate::listen::Arrival;
use crate::metrics::Counts;
use crate::observe::{Observed, Observer};
use crate::platform;
use crate::series::Recorder;
use crate::state::{Pending, Saved, StateError};
use crate::watch::Watch;

/// Checks that run at the same time.
const RUNS_MAX: usize = 16;
/// How long a change waits for others of the same round.
const COALESCE: Duration = Duration::from_millis(200);
/// How long until a failed write is tried again: twice as long each time, up to the second.
const RETRY_MIN: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_mins(1);
/// How long one write or message may take.
const OUTLET_LIMIT: Duration = Duration::from_secs(10);
/// From one look at which names are let out to the next.
const LET_OUT_EVERY: Duration = Duration::from_secs(2);
/// How often states without a change are kept on disk: what a crash can repeat, not lose. Results that others
/// were answered about cannot be repeated: they are on disk before.
const KEEP_EVERY: Duration = Duration::from_secs(10);
/// The clock may jump: sleeping is cut into pieces.
const SLEEP_MAX: Duration = Duration::from_secs(30);
/// Messages with results of others that are taken in before anything else has its turn.
const ARRIVALS_MAX: usize = 128;
/// How often the machine is looked at for what could be checked.
const LOOK_EVERY: Duration = Duration::from_hours(24);
/// How often the states of all checks are told though nothing changed.
const TELL_EVERY_DAYS: i32 = 14;
/// Entries and bytes of one envelope.
const BATCH_ENTRIES_MAX: usize = 64;
const BATCH_LEN_BYTES_MAX: usize = 128 * 1024;

/// Where an agent's words go.
pub(crate) trait Outlet {
    /// Why it did not take them.
    type Error: std::error::Error;

    /// Writes entries into the journal, in one envelope; returns when they are durable. A new
    /// segment begins with `carried`. Entries that are there already are left out.
    async fn append(
        &mut self,
        entries: &[Pending],
        carried: &[JournalEntry],
        now: Timestamp,
    ) -> Result<(), Self::Error>;

    /// Sends a message that nobody stores.
    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Self::Error>;

    /// The configuration of the highest generation, if there is one.
    async fn configuration(&mut self) -> Result<Option<AgentConfig>, Self::Error>;

    /// Returns when the configuration may have changed, or what readers have of the journal.
    async fn changed(&mut self);

    /// In which chain the journal goes on, and whether entries of another one were let in since this was asked
    /// last: what they say is older than what was told meanwhile.
    fn standing(&mut self) -> Standing;
}

/// How the journal stands with those who read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The number of the chain.
    pub(crate) chain: u64,
    /// Whether older entries came in between.
    pub(crate) late: bool,
}

/// The agent at work.
pub(crate) struct Service<O> {
    folder: PathBuf,
    agent: AuthorId,
    config: Config,
    observer: Observer,
    saved: Saved,
    watch: Watch,
    outlet: O,
    /// When to write what waits.
    flush_at: Option<Instant>,
    /// How long the last failed write waits.
    retry: Option<Duration>,
    dirty: bool,
    /// The checks of this machine alone as its readers know them.
    declared: Vec<JournalEntry>,
    /// Since when: what is added later adds to the same.
    declared_at: Timestamp,
    /// Whose results are taken.
    externals: Externals,
    /// Names whose results the host let out.
    forgotten: Forgotten,
    /// Results that others were answered about.
    answered: Answered,
    arrivals: mpsc::Receiver<Arrival>,
    /// What was measured.
    recorder: Recorder,
    /// What is too long for transitions.
    evidence: Kept,
    /// What days were like.
    days: Days,
    /// What is desired and not yet done.
    desires: Desires,
    counts: Counts,
    started: Timestamp,
}

impl<O: Outlet> Service<O> {
    pub(crate) fn new(
        folder: PathBuf,
        agent: AuthorId,
        config: Config,
        mut saved: Saved,
        outlet: O,
        arrivals: mpsc::Receiver<Arrival>,
    ) -> Self {
        let learned = std::mem::take(&mut saved.learned);
        let mut externals = Externals::new(agent, &config.listen, learned);
        let mut forgotten = Forgotten::new(&folder);
        if let Some(names) = forgotten.look() {
            externals.let_out(names);
        }
        let watch = Watch::new(
            agent,
            std::mem::take(&mut saved.states),
            std::mem::take(&mut saved.pending),
        )
        .with_cron_splay(config.cron_splay);
        let observer = Observer::new(config.plugin_folders.clone());
        let recorder = Recorder::new(&folder);
        let evidence = Kept::new(&folder);
        let days = Days::new(agent, std::mem::take(&mut saved.days), now());
        let desires = Desires::new(&config.watches, std::mem::take(&mut saved.desired));
        let answered = Answered::new(&folder, saved.answered);
        Self {
            folder,
            agent,
            config,
            observer,
            saved,
            watch,
            outlet,
            flush_at: None,
            retry: None,
            dirty: false,
            declared: Vec::new(),
            declared_at: Timestamp::ZERO,
            externals,
            forgotten,
            answered,
            arrivals,
            recorder,
            evidence,
            days,
            desires,
            counts: Counts::default(),
            started: now(),
        }
    }

    /// Runs the checks; listeners put there what programs on this machine send as `StatsD` has it.
    pub(crate) const fn observer(&self) -> &Observer {
        &self.observer
    }

    /// Works until `stop`. What fails on the way is reported and tried again.
    ///
    /// # Errors
    /// When the state cannot be kept at the beginning: an agent that forgets would repeat itself.
    pub(crate) async fn serve(&mut self, stop: &CancellationToken) -> Result<(), StateError> {
        self.reconfigure(true).await;
        self.take_answered()?;
        self.begin();
        self.declare();
        self.tell_again();
        self.save()?;

        let mut runs = JoinSet::new();
        let mut acts = JoinSet::new();
        let mut beat = ticks(Duration::from_millis(HEARTBEAT_INTERVAL_MS));
        let mut keep = ticks(KEEP_EVERY);
        let mut let_out = ticks(LET_OUT_EVERY);
        let mut arrived = Vec::new();
        let mut look_around = ticks(LOOK_EVERY);
        let mut looks = JoinSet::new();
        loop {
            self.end_alerts();
            self.start_due(&mut runs);
            self.start_desired(&mut acts);
            let flush_at = self.flush_at.unwrap_or_else(Instant::now);
            let wake = self.sleep();
            tokio::select! {
                () = stop.cancelled() => break,
                Some(done) = runs.join_next() => match done {
                    Ok(observed) => {
                        self.counts.runs += 1;
                        self.observed(observed, now());
                    }
                    Err(error) => tracing::error!(%error, "a run was lost"),
                },
                Some(done) = acts.join_next() => match done {
                    Ok(acted) => self.acted(acted),
                    Err(error) => tracing::error!(%error, "a desired action was lost"),
                },
                _count = self.arrivals.recv_many(&mut arrived, ARRIVALS_MAX), if !self.arrivals.is_closed() => {
                    self.take(arrived.drain(..), runs.len());
                }
                () = tokio::time::sleep_until(flush_at), if self.flush_at.is_some() => self.flush().await,
                _ = beat.tick() => self.beat().await,
                _ = let_out.tick() => self.let_out(),
                // One that still looks is enough.
                _ = look_around.tick(), if self.config.propose && looks.is_empty() => {
                    looks.spawn(discover::look());
                }
                Some(found) = looks.join_next() => match found {
                    Ok(found) => self.propose(&found),
                    Err(error) => tracing::warn!(%error, "the machine cannot be looked at"),
                },
                _ = keep.tick() => {
                    let kept = self.recorder.flush(now());
                    self.measured(kept);
                    self.sum_up();
                    self.keep();
                }
                () = self.outlet.changed() => {
                    self.reconfigure(false).await;
                    self.tell_again();
                }
                () = tokio::time::sleep(wake), if runs.len() < RUNS_MAX => {}
            }
        }
        // Dropping the runs kills their process groups.
        runs.shutdown().await;
        acts.shutdown().await;
        self.enter(&JournalEntry::Stopped { at: now() });
        self.flush().await;
        let ended = self.recorder.end(now());
        self.measured(ended);
        self.save()
    }

    /// Tells that it looks from now on.
    fn begin(&mut self) {
        let started = AgentStarted {
            at: now(),
            host: platform::host_name(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        self.enter(&JournalEntry::Started(started));
        // A segment of its own begins with all states.
        self.saved.told_on = day_of(now());
    }

    /// Reads configurations anew: the System's as it was last seen, and this machine's file.
    async fn reconfigure(&mut self, starting: bool) {
        if self.retry.take().is_some() {
            // What changed may be that the agent may write now.
            self.flush_at = Some(Instant::now());
        }
        let known = self
            .saved
            .config
            .as_ref()
            .map_or(0, |config| config.generation);
        match self.outlet.configuration().await {
            Ok(Some(config)) if config.generation > known || self.saved.config.is_none() => {
                let generation = config.generation;
                self.saved.config = Some(config);
                self.enter(&JournalEntry::ConfigApplied {
                    at: now(),
                    generation,
                });
                tracing::info!(generation, "the System's configuration is applied");
            }
            Ok(_) if !starting => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = %crate::net::chain(&error), "the System's configuration cannot be read");
            }
        }
        let checks = merged(&self.config, self.saved.config.as_ref(), self.agent);
        for (check, _origin) in &checks {
            if let Err(fault) = check.examine() {
                tracing::warn!(id = %check.id, name = check.name, %fault, "a check cannot be run");
            }
        }
        let mut checks: Vec<Check> = checks.into_iter().map(|(check, _origin)| check).collect();
        self.register(&checks);
        self.desire();
        self.externals.configure(&checks);
        let room = CHECKS_MAX.saturating_sub(checks.len());
        checks.extend(self.externals.checks().take(room).cloned());
        let ended = self.watch.configure(checks, now());
        self.ended(ended);
        self.dirty = true;
    }

    /// Tells readers the names of the checks that only this machine has.
    fn declare(&mut self) {
        self.declared_at = now();
        self.declared = self.declarations();
        for entry in self.declared.clone() {
            self.enter(&entry);
        }
    }

    fn declarations(&self) -> Vec<JournalEntry> {
        let mut checks = self.config.checks(self.agent);
        checks.extend(self.externals.checks().cloned());
        JournalEntry::declare(self.declared_at, &checks)
    }

    fn start_due(&mut self, runs: &mut JoinSet<Observed>) {
        if runs.len() >= RUNS_MAX {
            return;
        }
        let at = now();
        for (check, before) in self.watch.take_due(at, RUNS_MAX.saturating_sub(runs.len())) {
            if self.observer.is_too_early(&check) {
                self.watch.put_off(&check.id, at);
                continue;
            }
            let observer = self.observer.clone();
            runs.spawn(async move {
                let id = check.id;
                let run = AbortOnDropHandle::new(tokio::spawn(async move {
                    let observed = observer.observe(&check, at).await;
                    observer.with_evidence(&check, observed, before).await
                }));
                run.await.unwrap_or_else(|error| {
                    tracing::error!(%error, "a run failed inside the agent");
                    let output = PluginOutput::parse(
                        Exit::NotStarted("the agent failed".to_owned()),
                        b"",
                        b"",
                    );
                    Observed::of(Observation::of_plugin(id, at, output))
                })
            });
        }
    }

    fn sleep(&self) -> Duration {
        let desired = self.desires.next_due();
        let next = [self.watch.next_due(), self.externals.next_end(), desired];
        let next = next.into_iter().flatten().min();
        next.map_or(SLEEP_MAX, |due| due.since(now()))
            .min(SLEEP_MAX)
    }

    /// Takes in what was found, at the time at which that came.
    fn observed(&mut self, observed: Observed, came: Timestamp) {
        self.dirty = true;
        let (observation, whole) = observed.into_parts();
        let observation = &observation;
        self.recorder
            .take(observation.check, observation.at, &observation.metrics);
        let changed = self.watch.observed(observation, came, random());
        let hard = self.watch.hard(&observation.check);
        if let (Some(check), Some(hard)) = (self.watch.check(&observation.check), hard) {
            let is_turn = changed
                .as_ref()
                .is_some_and(|it| it.hardness == Hardness::Hard);
            let metrics = &observation.metrics;
            self.days.observed(check, (hard, is_turn), metrics, came);
        }
        if let Some(transition) = changed {
            // On disk before the journal names it.
            if let Some(whole) = whole
                && let Err(error) = self.evidence.keep(&whole, now())
            {
                tracing::warn!(%error, "evidence cannot be kept whole");
            }
            self.counts.transitions += 1;
            tracing::debug!(check = %transition.check, from = %transition.from, to = %transition.to, "a check changed");
            self.flush_soon();
        }
    }

    fn enter(&mut self, entry: &JournalEntry) {
        self.watch.enter(entry, now(), random());
        self.flush_soon();
    }

    fn flush_soon(&mut self) {
        self.flush_at
            .get_or_insert_with(|| Instant::now() + COALESCE);
    }

    fn flush_later(&mut self) {
        self.counts.retries += 1;
        let wait = self
            .retry
            .map_or(RETRY_MIN, |last| last.saturating_mul(2).min(RETRY_MAX));
        self.retry = Some(wait);
        self.flush_at = Some(Instant::now() + wait);
    }

    /// Writes what waits. It is on disk before it is handed on, so that a crash in between repeats
    /// the same entries under the same ids instead of losing them.
    async fn flush(&mut self) {
        self.flush_at = None;
        if let Err(error) = self.save() {
            tracing::error!(error = %crate::net::chain(&error), "the agent's state cannot be kept");
        }
        let lost = self.watch.take_lost();
        self.counts.lost = self.counts.lost.saturating_add(lost);
        if lost > 0 {
            tracing::error!(
                lost,
                "too many entries wait for the journal: the oldest were given up"
            );
        }
        loop {
            let batch = batch(self.watch.pending());
            if batch.is_empty() {
                break;
            }
            let mut carried = self.declared.clone();
            carried.extend(self.registrations());
            carried.extend(JournalEntry::carry(&self.watch.carried()));
            let append = self.outlet.append(&batch, &carried, now());
            match tokio::time::timeout(OUTLET_LIMIT, append).await {
                Ok(Ok(())) => {
                    let ids: Vec<EntryId> = batch.iter().map(|pending| pending.id).collect();
                    self.counts.written += u64::try_from(ids.len()).unwrap_or(u64::MAX);
                    self.watch.written(&ids);
                    self.retry = None;
                    self.dirty = true;
                }
                Ok(Err(error)) => {
                    tracing::warn!(error = %crate::net::chain(&error), "the journal cannot be written, trying again");
                    return self.flush_later();
                }
                Err(_elapsed) => {
                    tracing::warn!("the journal does not answer, trying again");
                    return self.flush_later();
                }
            }
        }
        self.keep();
    }

    async fn beat(&mut self) {
        let generation = self
            .saved
            .config
            .as_ref()
            .map_or(0, |config| config.generation);
        for heartbeat in Heartbeat::batches(now(), generation, &self.watch.beats()) {
            let bytes = match heartbeat.encode() {
                Ok(bytes) => bytes,
                Err(error) => {
                    tracing::error!(%error, "a heartbeat cannot be encoded");
                    continue;
                }
            };
            match tokio::time::timeout(OUTLET_LIMIT, self.outlet.send(bytes)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::debug!(error = %crate::net::chain(&error), "a heartbeat was not sent");
                }
                Err(_elapsed) => tracing::debug!("a heartbeat was not sent in time"),
            }
        }
    }

    /// Says whether what was measured is kept.
    fn measured(&mut self, kept: std::io::Result<()>) {
        if let Err(error) = kept {
            tracing::warn!(%error, "what was measured cannot be kept");
        }
        let lost = self.recorder.take_lost();
        if lost > 0 {
            tracing::debug!(
                lost,
                "there is no room for so many values: some were not kept"
            );
        }
    }

    /// Tells what the days were like that are over.
    fn sum_up(&mut self) {
        let over = self.days.take_over(now());
        for entry in JournalEntry::sum_up(now(), &over) {
            self.enter(&entry);
        }
        // Readers look back for a month: what never changes is told again before that.
        let today = day_of(now());
        if today.saturating_sub(self.saved.told_on) >= TELL_EVERY_DAYS {
            self.saved.told_on = today;
            self.tell_states();
        }
    }

    fn tell_states(&mut self) {
        for entry in JournalEntry::carry(&self.watch.carried()) {
            self.enter(&entry);
        }
    }

    /// Tells all states once more when readers may not have them: what was written in a chain that is left,
    /// because the clock was ahead, waits for its time, and stands then behind what is newer.
    fn tell_again(&mut self) {
        let standing = self.outlet.standing();
        let known = self.saved.told_in.replace(standing.chain);
        if known.is_some_and(|chain| chain != standing.chain) || standing.late {
            self.watch.put_right(now());
            self.tell_states();
        }
        self.dirty |= known != self.saved.told_in;
    }

    fn keep(&mut self) {
        if self.dirty
            && let Err(error) = self.save()
        {
            tracing::error!(error = %crate::net::chain(&error), "the agent's state cannot be kept");
        }
    }

    fn save(&mut self) -> Result<(), StateError> {
        self.saved.states = self.watch.states();
        self.saved.pending = self.watch.pending().cloned().collect();
        self.saved.learned = self.externals.learned();
        self.saved.desired = self.desires.saved();
        self.saved.days = self.days.saved(now());
        self.saved.refused = self.externals.refused().to_vec();
        self.saved.answered = self.answered.last();
        self.saved.write(&self.folder)?;
        self.answered.is_in_state();
        self.dirty = false;
        Ok(())
    }
}

/// Checks of the System and of this machine's file. Where both have an id, this machine's counts; of
/// several of the System with one id, the first: all others would be lost silently.
pub(crate) fn merged(
    config: &Config,
    system: Option<&AgentConfig>,
    agent: AuthorId,
) -> Vec<(Check, Origin)> {
    let local = config.checks(agent);
    let mut ids: BTreeSet<_> = local.iter().map(|check| check.id).collect();
    let mut system_ids = BTreeSet::new();
    let mut system: Vec<_> = system
        .into_iter()
        .flat_map(|system| &system.checks)
        .map(|check| (check.clone(), Origin::System))
        .collect();
    system.retain(|(check, _origin)| {
        if !system_ids.insert(check.id) {
            tracing::warn!(id = %check.id, name = check.name, "a check with an id that another has is left out");
            return false;
        }
        ids.insert(check.id)
    });
    local
        .into_iter()
        .map(|check| (check, Origin::File))
        .chain(system)
        .collect()
}

/// The oldest entries that fit one envelope.
fn batch<'a>(pending: impl Iterator<Item = &'a Pending>) -> Vec<Pending> {
    let mut len = 0_usize;
    pending
        .take(BATCH_ENTRIES_MAX)
        .take_while(|pending| {
            len = len.saturating_add(pending.entry.len());
            len <= BATCH_LEN_BYTES_MAX
        })
        .cloned()
        .collect()
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The machine's clock.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(chrono::Utc::now().timestamp_millis())
}

fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    if let Err(error) = getrandom::fill(&mut bytes) {
        // Time and order still tell entries apart; only two at one millisecond could collide.
        tracing::warn!(%error, "no random bytes");
    }
    bytes
}

#[cfg(test)]
mod tests;
