//! The loop of a notifier: look, say what is begun, send, say what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aramaki_model::Snapshot;
use aramaki_model::notify::{
    EqualRank, Facts, Held, Item, Message, NotificationId, Notifier, Plan, Receipt, Stage, Waiting,
    Whose, alerts, policies,
};
use aramaki_sync_core::{AuthorId, SpaceId, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::channel::{Again, Channel, Fate};
use super::config::NotifyConfig;
use super::gate::Gates;
use super::letter::Letter;
use super::outbox::Outbox;
use crate::cli::{CliError, Clock, Config, Report, interrupted};
use crate::workspace::{Live, serve_verbs};

/// Messages that are sent at the same time; more wait for the next look.
const SENDS_MAX: usize = 8;
/// Attempts at one message before that is said; the first pause doubles from one to the next.
const ATTEMPTS_MAX: u32 = 5;
/// After this time without an end others are told that this notifier is at it, and for how long.
const TRYING_AFTER: Duration = Duration::from_secs(5);
const TRYING_FOR: Duration = Duration::from_mins(1);
/// At least and at most so long between two looks.
const LOOK_PAUSE_MIN: Duration = Duration::from_millis(500);
const LOOK_PAUSE_MAX: Duration = Duration::from_secs(5);
/// After a timeline took no receipt it is asked again so much later.
const REFUSED_PAUSE: Duration = Duration::from_mins(1);
/// So often it is looked for notifiers of the same rank.
const EQUALS_PAUSE: Duration = Duration::from_secs(10);
/// What is under way when somebody ends the program has so long.
const END_TIME: Duration = Duration::from_secs(10);

/// What a message under way says.
enum News {
    /// It takes longer.
    Slow(u64),
    /// It has ended.
    Ended(u64, Stage, String),
}

/// Tells people until somebody ends it; `once`: until nothing is due.
///
/// # Errors
/// When the file or the workspace does not open, or the disk takes nothing more.
pub(crate) async fn run(config: &Config, file: &Path, once: bool) -> Result<Report, CliError> {
    let host = NotifyConfig::read(file)?;
    let live = Live::open_to_stay(config).await?;
    let worked = work(config, &live, host, once).await;
    live.close().await;
    worked?;
    Ok(Report::default())
}

async fn work(
    config: &Config,
    live: &Live,
    host: NotifyConfig,
    once: bool,
) -> Result<(), CliError> {
    let stop = tokio_util::sync::CancellationToken::new();
    serve_verbs(config, live, stop.clone());
    let _serving = stop.drop_guard();
    let (news, mut arrived) = mpsc::channel(SENDS_MAX * 4);
    let mut run = Run {
        live: live.clone(),
        outbox: Outbox::open(&config.data, Clock::now())?,
        gates: Gates::new(host.settle),
        notifier: Notifier::new(host.rank),
        host: Arc::new(host),
        sends: JoinSet::new(),
        letters: BTreeMap::new(),
        refused: BTreeMap::new(),
        equal: BTreeSet::new(),
        look_for_equals: Instant::now(),
        news,
    };
    tracing::info!(
        rank = run.host.rank,
        channels = run.host.channels.len(),
        "this notifier begins"
    );
    let mut changed = live.watch();
    let end = interrupted();
    tokio::pin!(end);
    loop {
        run.write_receipts().await;
        run.warn_of_equals();
        let Looked { next, is_soon } = run.look().await?;
        if once && run.letters.is_empty() && !is_soon {
            break;
        }
        let pause = next.map_or(LOOK_PAUSE_MAX, |at| at.since(Clock::now()));
        let pause = pause.clamp(LOOK_PAUSE_MIN, LOOK_PAUSE_MAX);
        let soonest = Instant::now() + LOOK_PAUSE_MIN;
        tokio::select! {
            () = &mut end => break,
            Some(news) = arrived.recv() => run.take(news)?,
            _ = changed.changed() => {
                // Heartbeats come all the time; a look costs something.
                tokio::select! {
                    () = &mut end => break,
                    () = tokio::time::sleep_until(soonest) => {}
                }
            }
            () = tokio::time::sleep(pause) => {}
        }
        while let Ok(news) = arrived.try_recv() {
            run.take(news)?;
        }
        while run.sends.try_join_next().is_some() {}
    }
    run.finish(&mut arrived).await
}

/// What a look says of the next one.
struct Looked {
    /// When time alone changes something.
    next: Option<Timestamp>,
    /// Whether that is a matter of seconds: something is due, or waits for its group or for others.
    is_soon: bool,
}

struct Run {
    live: Live,
    host: Arc<NotifyConfig>,
    outbox: Outbox,
    gates: Gates,
    notifier: Notifier,
    sends: JoinSet<()>,
    /// Receipts of what is under way.
    letters: BTreeMap<u64, (SpaceId, Receipt)>,
    /// Systems whose timeline took no receipt, and when they are asked again.
    refused: BTreeMap<SpaceId, Instant>,
    /// Others of its rank that the log has named, and when it is looked for them again.
    equal: BTreeSet<EqualRank>,
    look_for_equals: Instant,
    news: mpsc::Sender<News>,
}

impl Run {
    /// Says once of each if another notifier has the rank of this one.
    fn warn_of_equals(&mut self) {
        if Instant::now() < self.look_for_equals {
            return;
        }
        self.look_for_equals = Instant::now() + EQUALS_PAUSE;
        let own = self.live.replica().author();
        let mut found = self.live.equal_ranks(Some(self.host.rank));
        found.retain(|it| it.notifiers.contains(&own));
        let found: BTreeSet<_> = found.into_iter().collect();
        for equal in found.difference(&self.equal) {
            let others = equal.notifiers.iter().filter(|it| **it != own);
            let others: Vec<_> = others.map(AuthorId::short).collect();
            tracing::warn!(
                space = %equal.policy.short(),
                rank = equal.rank,
                others = %others.join(", "),
                "another notifier has the same rank, people hear everything twice: give each its own `rank`"
            );
        }
        self.equal = found;
    }

    /// Looks what is due and begins to send it; says when time alone changes something.
    async fn look(&mut self) -> Result<Looked, CliError> {
        let snapshot = self.live.snapshot();
        self.live.keep_ends_of_outages(&snapshot);
        let now = Clock::now();
        let unsettled = self.gates.look(&self.live, &snapshot, now).await;
        // What no timeline has taken yet counts all the same.
        let mut record = self.live.told();
        for (_, policy, receipt) in self.outbox.ended() {
            record.take(policy, &receipt, Whose::Own);
        }
        let busy: BTreeSet<NotificationId> = self.outbox.busy().collect();
        let alerts = alerts(&snapshot, &record);
        let plan = self.notifier.look(&Facts {
            now,
            graph: &snapshot.graph,
            policies: policies(&snapshot),
            alerts: &alerts,
            record: &record,
            unsettled,
            busy: &busy,
        });
        let soon = |waiting: &Waiting| {
            matches!(
                waiting.why,
                Held::Group | Held::Standby | Held::Unsettled | Held::Trying
            )
        };
        let is_soon = !plan.due.is_empty() || plan.waiting.iter().any(soon);
        let Plan { due, next, .. } = plan;
        for message in due {
            if self.sends.len() >= SENDS_MAX {
                break;
            }
            self.begin(&snapshot, &message, &record, now)?;
        }
        Ok(Looked { next, is_soon })
    }

    fn begin(
        &mut self,
        snapshot: &Snapshot,
        message: &Message,
        record: &aramaki_model::notify::Record,
        now: Timestamp,
    ) -> Result<(), CliError> {
        let name = |space: &SpaceId| {
            let system = snapshot.system(space);
            system.map_or_else(|| space.short(), |system| system.title.clone())
        };
        let letter = Letter::new(message, &self.host.external_url, name);
        let receipt = Receipt {
            at: now,
            stage: Stage::Unsure,
            rank: self.host.rank,
            receiver: message.receiver.clone(),
            target: message.target.clone(),
            group: message.group,
            items: message.items.iter().map(Item::receipt).collect(),
            detail: letter.subject.clone(),
        };
        if !self.host.channels.contains_key(&message.target.via) {
            return self.lacks(message, receipt, record);
        }
        let number = self.outbox.begin(message.policy, receipt.clone())?;
        self.letters.insert(number, (message.policy, receipt));
        let (host, target, news) = (
            Arc::clone(&self.host),
            message.target.clone(),
            self.news.clone(),
        );
        self.sends.spawn(async move {
            let Some(channel) = host.channels.get(&target.via) else {
                return;
            };
            let ended = tokio::select! {
                ended = deliver(channel, &target, &letter) => ended,
                ended = async {
                    tokio::time::sleep(TRYING_AFTER).await;
                    drop(news.send(News::Slow(number)).await);
                    std::future::pending().await
                } => ended,
            };
            let (stage, detail) = ended;
            drop(news.send(News::Ended(number, stage, detail)).await);
        });
        Ok(())
    }

    /// A channel that this host does not have: said once, so that people see why nobody was told.
    fn lacks(
        &mut self,
        message: &Message,
        receipt: Receipt,
        record: &aramaki_model::notify::Record,
    ) -> Result<(), CliError> {
        let said = |item: &Item| {
            let mut marks = record.of(&item.alert).iter();
            marks.any(|mark| mark.id == item.id && mark.whose == Whose::Own)
        };
        if message.items.iter().all(said) {
            return Ok(());
        }
        tracing::error!(channel = %message.target.via, "a policy names a channel that this host does not have");
        let detail = format!("this host has no channel `{}`", message.target.via);
        let failed = Receipt {
            stage: Stage::Failed,
            detail,
            ..receipt
        };
        let number = self.outbox.begin(message.policy, failed.clone())?;
        self.outbox.end(number, failed)
    }

    fn take(&mut self, news: News) -> Result<(), CliError> {
        match news {
            News::Slow(number) => {
                let Some((policy, receipt)) = self.letters.get(&number).cloned() else {
                    return Ok(());
                };
                let now = Clock::now();
                let stage = Stage::Trying {
                    until: now.plus(TRYING_FOR),
                };
                let receipt = Receipt {
                    at: now,
                    stage,
                    ..receipt
                };
                let live = self.live.clone();
                tokio::spawn(async move {
                    if let Err(error) = live.write_receipts(policy, &receipt).await {
                        tracing::debug!(
                            error = error.message(),
                            "others were not told that this takes longer"
                        );
                    }
                });
            }
            News::Ended(number, stage, detail) => {
                let Some((_, receipt)) = self.letters.remove(&number) else {
                    return Ok(());
                };
                let (receiver, via) = (&receipt.receiver, &receipt.target.via);
                let detail = if stage == Stage::Sent {
                    let items = receipt.items.len();
                    tracing::info!(%receiver, %via, items, "told");
                    receipt.detail.clone()
                } else {
                    tracing::error!(%receiver, %via, why = %detail, "not told");
                    detail
                };
                let at = Clock::now();
                self.outbox.end(
                    number,
                    Receipt {
                        at,
                        stage,
                        detail,
                        ..receipt
                    },
                )?;
            }
        }
        Ok(())
    }

    /// Puts receipts into timelines. Where this device may not write they stay here and count here.
    async fn write_receipts(&mut self) {
        for (number, policy, receipt) in self.outbox.ended() {
            let waits = self.refused.get(&policy);
            if waits.is_some_and(|until| Instant::now() < *until) {
                continue;
            }
            match self.live.write_receipts(policy, &receipt).await {
                Ok(()) => {
                    self.refused.remove(&policy);
                    if let Err(error) = self.outbox.written(number) {
                        tracing::warn!(
                            error = error.message(),
                            "a receipt may be written once more"
                        );
                    }
                }
                Err(error) => {
                    let again = Instant::now() + REFUSED_PAUSE;
                    if self.refused.insert(policy, again).is_none() {
                        tracing::warn!(
                            space = %policy.short(),
                            error = error.message(),
                            "other notifiers cannot know what this one told: its receipts are not taken"
                        );
                    }
                }
            }
        }
    }

    /// Lets what is under way end.
    async fn finish(mut self, arrived: &mut mpsc::Receiver<News>) -> Result<(), CliError> {
        let ended = async {
            while !self.letters.is_empty() {
                let Some(news) = arrived.recv().await else {
                    break;
                };
                self.take(news)?;
            }
            Ok(())
        };
        let ended = tokio::time::timeout(END_TIME, ended)
            .await
            .unwrap_or(Ok(()));
        self.sends.shutdown().await;
        self.refused.clear();
        self.write_receipts().await;
        ended
    }
}

/// Sends a message, again and again for a while.
async fn deliver(
    channel: &Channel,
    target: &aramaki_model::notify::Target,
    letter: &Letter,
) -> (Stage, String) {
    let mut attempt = 1;
    loop {
        let error = match channel.send(target, letter).await {
            Ok(()) => return (Stage::Sent, String::new()),
            Err(error) => error,
        };
        match (error.fate, error.again) {
            (Fate::Unsure, _) => return (Stage::Unsure, error.why),
            (Fate::Failed, Again::After(pause)) if attempt < ATTEMPTS_MAX => {
                tracing::warn!(via = %target.via, attempt, why = %error.why, "tried again in a moment");
                tokio::time::sleep(pause.saturating_mul(1 << (attempt - 1))).await;
                attempt += 1;
            }
            _ => return (Stage::Failed, error.why),
        }
    }
}
