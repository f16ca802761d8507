//! The agent at work, with an outlet that can fail.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aramaki_model::desired::DesiredState;
use aramaki_model::{Builtin, CheckId, CheckKind, Severity, Thresholds};
use aramaki_sync_core::SpaceId;
use tokio::sync::Notify;

use super::*;
use crate::listen::{Inbox, Listeners};

mod listening;
mod peers;
mod wanted;

#[derive(Debug, thiserror::Error)]
#[error("the disk is full")]
struct Full;

#[derive(Debug, Default)]
struct Heard {
    envelopes: Vec<Vec<Pending>>,
    beats: Vec<Heartbeat>,
    config: Option<AgentConfig>,
    full: bool,
    standing: Standing,
}

#[derive(Debug, Clone, Default)]
struct Fake {
    heard: Arc<Mutex<Heard>>,
    changed: Arc<Notify>,
}

impl Fake {
    fn entries(&self) -> Vec<JournalEntry> {
        read(&self.heard.lock().unwrap())
    }

    async fn until(&self, reached: impl Fn(&Heard) -> bool) {
        let limit = Instant::now() + Duration::from_secs(30);
        while !reached(&self.heard.lock().unwrap()) {
            assert!(Instant::now() < limit, "not reached: {:?}", self.heard);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Outlet for Fake {
    type Error = Full;

    fn standing(&mut self) -> Standing {
        let standing = &mut self.heard.lock().unwrap().standing;
        let late = std::mem::take(&mut standing.late);
        Standing { late, ..*standing }
    }

    async fn append(
        &mut self,
        entries: &[Pending],
        _carried: &[JournalEntry],
        _now: Timestamp,
    ) -> Result<(), Full> {
        let mut heard = self.heard.lock().unwrap();
        if heard.full {
            return Err(Full);
        }
        heard.envelopes.push(entries.to_vec());
        Ok(())
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Full> {
        self.heard
            .lock()
            .unwrap()
            .beats
            .push(Heartbeat::decode(&bytes).unwrap());
        Ok(())
    }

    async fn configuration(&mut self) -> Result<Option<AgentConfig>, Full> {
        Ok(self.heard.lock().unwrap().config.clone())
    }

    async fn changed(&mut self) {
        self.changed.notified().await;
    }
}

const LOCAL: &str = "[[check]]\nname = \"up\"\nuptime = {}\ninterval = \"1s\"\n\
    [[check]]\nname = \"gone\"\nfile_age = { path = \"/nonexistent\", age = {} }\ninterval = \"1s\"\n";

async fn while_serving(folder: &Path, local: &str, fake: &Fake, story: impl AsyncFnOnce()) {
    let config = Config::parse(local, Path::new("test")).unwrap();
    let listening = async |_addresses: Vec<SocketAddr>| story().await;
    while_listening(folder, config, fake, listening).await;
}

/// The same, with the addresses on which results of others are taken in.
async fn while_listening(
    folder: &Path,
    config: Config,
    fake: &Fake,
    story: impl AsyncFnOnce(Vec<SocketAddr>),
) {
    let saved = Saved::read(folder).unwrap();
    let (inbox, arrivals) = Inbox::new();
    let listen = config.listen.clone();
    let mut service = Service::new(
        folder.to_owned(),
        AuthorId::ZERO,
        config,
        saved,
        fake.clone(),
        arrivals,
    );
    let measured = service.observer().measured();
    let listeners = Listeners::start(&listen, &inbox, measured).await.unwrap();
    let addresses = listeners.addresses.clone();
    let stop = CancellationToken::new();
    let (served, ()) = tokio::join!(service.serve(&stop), async {
        story(addresses).await;
        stop.cancel();
    });
    served.unwrap();
    listeners.end().await;
}

fn transitions(entries: &[JournalEntry]) -> Vec<Severity> {
    let severity = |entry: &JournalEntry| match entry {
        JournalEntry::Transition(transition) => Some(transition.to),
        _ => None,
    };
    let mut severities: Vec<_> = entries.iter().filter_map(severity).collect();
    severities.sort();
    severities
}

#[tokio::test]
async fn only_changes_are_written_and_a_restart_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    while_serving(folder.path(), LOCAL, &fake, async || {
        fake.until(|heard| transitions(&read(heard)).len() == 2)
            .await;
        // Several more rounds bring no entry: nothing changed.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    })
    .await;
    assert_eq!(
        transitions(&fake.entries()),
        [Severity::Ok, Severity::Critical]
    );
    assert!(matches!(
        fake.entries().first(),
        Some(JournalEntry::Started(_))
    ));
    assert!(matches!(
        fake.entries().last(),
        Some(JournalEntry::Stopped { .. })
    ));

    while_serving(folder.path(), LOCAL, &fake, async || {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    })
    .await;
    assert_eq!(
        transitions(&fake.entries()),
        [Severity::Ok, Severity::Critical]
    );
    let beats = &fake.heard.lock().unwrap().beats;
    assert_eq!(
        beats.last().unwrap().checks.len(),
        2,
        "the second start knows the last results"
    );
}

#[tokio::test]
async fn what_could_be_looked_at_is_proposed_once_and_only_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let proposals = |heard: &Heard| {
        let entries = read(heard).into_iter();
        entries
            .filter(|entry| matches!(entry, JournalEntry::Proposed { .. }))
            .count()
    };
    // Something to be found, whatever machine this is.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    while_serving(folder.path(), "propose = true\n", &fake, async || {
        fake.until(|heard| proposals(heard) == 1).await;
    })
    .await;
    drop(listener);
    let other = tempfile::tempdir().unwrap();
    let silent = Fake::default();
    while_serving(other.path(), LOCAL, &silent, async || {
        silent
            .until(|heard| transitions(&read(heard)).len() == 2)
            .await;
    })
    .await;
    assert_eq!(proposals(&silent.heard.lock().unwrap()), 0);
}

#[tokio::test]
async fn entries_survive_a_full_disk_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    fake.heard.lock().unwrap().full = true;
    while_serving(folder.path(), LOCAL, &fake, async || {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    })
    .await;
    assert_eq!(fake.entries(), []);
    let waiting = Saved::read(folder.path()).unwrap().pending;
    assert_eq!(
        waiting.len(),
        5,
        "started, the names of its checks, two transitions, stopped"
    );

    fake.heard.lock().unwrap().full = false;
    while_serving(folder.path(), "", &fake, async || {
        fake.until(|heard| heard.envelopes.iter().flatten().count() >= 6)
            .await;
    })
    .await;
    let first = fake.heard.lock().unwrap().envelopes[0].clone();
    assert_eq!(
        first[..5],
        waiting[..],
        "the same entries under the same ids"
    );
    assert_eq!(Saved::read(folder.path()).unwrap().pending, []);
}

#[tokio::test]
async fn a_replicated_check_that_cannot_be_meant_is_not_run_and_never_spins() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let uptime = |id: u8, name: &str| {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        Check::new(CheckId::from_bytes([id; 16]), name, kind)
    };
    let absurd = |id: u8, number: u64| Check {
        interval_ms: number,
        timeout_ms: number,
        attempts: u32::try_from(number).unwrap_or(u32::MAX),
        retry_interval_ms: number,
        ttl_ms: Some(number),
        ..uptime(id, "absurd")
    };
    fake.heard.lock().unwrap().config = Some(AgentConfig {
        generation: 1,
        system: SpaceId::ZERO,
        checks: vec![
            absurd(1, 0),
            absurd(2, u64::MAX),
            uptime(3, ""),
            uptime(4, "first"),
            // The second of one id is left out instead of the first.
            absurd(4, 0),
        ],
        desired: DesiredState::default(),
    });
    while_serving(folder.path(), "", &fake, async || {
        fake.until(|heard| transitions(&read(heard)).len() == 4)
            .await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    })
    .await;
    let unknown = Severity::Unknown;
    assert_eq!(
        transitions(&fake.entries()),
        [Severity::Ok, unknown, unknown, unknown]
    );
    let reasons: Vec<String> = fake
        .entries()
        .into_iter()
        .filter_map(|entry| match entry {
            JournalEntry::Transition(transition) => Some(transition.summary),
            _ => None,
        })
        .filter(|summary| summary.starts_with("not run: "))
        .collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
}

#[tokio::test]
async fn a_new_generation_changes_what_is_observed_and_an_older_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let config = |generation, id: u8| {
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        let check = Check::new(CheckId::from_bytes([id; 16]), format!("c{id}"), kind);
        Some(AgentConfig {
            generation,
            system: SpaceId::ZERO,
            checks: vec![check],
            desired: DesiredState::default(),
        })
    };
    let applied = |heard: &Heard| {
        read(heard)
            .iter()
            .filter(|entry| matches!(entry, JournalEntry::ConfigApplied { .. }))
            .count()
    };
    while_serving(folder.path(), "", &fake, async || {
        fake.until(|heard| !heard.envelopes.is_empty()).await;
        for (generation, expected) in [(3, 1), (2, 1), (4, 2)] {
            fake.heard.lock().unwrap().config =
                config(generation, u8::try_from(generation).unwrap());
            fake.changed.notify_one();
            fake.until(|heard| applied(heard) == expected).await;
        }
        fake.until(|heard| !transitions(&read(heard)).is_empty())
            .await;
    })
    .await;
    let states = Saved::read(folder.path()).unwrap().states;
    assert_eq!(
        states.iter().map(|state| state.check).collect::<Vec<_>>(),
        [CheckId::from_bytes([4; 16])]
    );
}

fn read(heard: &Heard) -> Vec<JournalEntry> {
    heard
        .envelopes
        .iter()
        .flatten()
        .map(|pending| JournalEntry::decode(&pending.entry))
        .collect()
}

#[test]
fn one_envelope_is_bounded_and_the_oldest_go_first() {
    let pending: Vec<Pending> = (0..100_u8)
        .map(|n| Pending {
            id: EntryId::from_bytes([n; 16]),
            entry: vec![n; 8 * 1024],
        })
        .collect();
    let first = batch(pending.iter());
    assert_eq!(first.len(), 16);
    assert_eq!(first[..], pending[..16]);
    let small: Vec<Pending> = (0..100_u8)
        .map(|n| Pending {
            id: EntryId::from_bytes([n; 16]),
            entry: vec![n],
        })
        .collect();
    assert_eq!(batch(small.iter()).len(), BATCH_ENTRIES_MAX);
}

#[tokio::test]
async fn states_that_never_change_are_told_again_before_readers_forget_them() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::parse(LOCAL, Path::new("test")).unwrap();
    let (_inbox, arrivals) = Inbox::new();
    let saved = Saved::default();
    let folder = folder.path().to_owned();
    let agent = AuthorId::ZERO;
    let mut service = Service::new(folder, agent, config, saved, Fake::default(), arrivals);
    service.reconfigure(true).await;
    let check = service.watch.checks().next().unwrap().id;
    let said = Observation::of_builtin(check, now(), Severity::Ok, "said");
    service.observed(Observed::of(said), now());
    let told = |service: &Service<Fake>| {
        let pending = service.watch.pending();
        let entries = pending.map(|pending| JournalEntry::decode(&pending.entry));
        let states = entries.filter(|entry| matches!(entry, JournalEntry::States(_)));
        states.count()
    };
    service.saved.told_on = day_of(now());
    service.sum_up();
    assert_eq!(told(&service), 0);
    service.saved.told_on -= TELL_EVERY_DAYS;
    service.sum_up();
    service.sum_up();
    assert_eq!(told(&service), 1);
    // So they are when the chain was left, and when older entries come in between.
    let stands = |service: &Service<Fake>, chain, late| {
        service.outlet.heard.lock().unwrap().standing = Standing { chain, late };
    };
    for (chain, late, times) in [
        (7, false, 1),
        (7, false, 1),
        (8, false, 2),
        (8, true, 3),
        (8, false, 3),
    ] {
        stands(&service, chain, late);
        service.tell_again();
        assert_eq!(told(&service), times, "{chain} {late}");
    }
}
