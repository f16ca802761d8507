//! What trust costs: verifying, admitting, evaluating a large roster, rotating a large Space.
#![expect(clippy::unwrap_used, reason = "a benchmark ends where it fails")]

use aramaki_sync_core::admission::{Evaluation, Keyring, Outsiders, SpaceLog, evaluate};
use aramaki_sync_core::envelope::{self, Envelope, Founding, Position, RawEnvelope};
use aramaki_sync_core::key::{DeviceKeys, EpochKey, PublicKeys, SpaceKey};
use aramaki_sync_core::statement::{Audience, Body, Capability, Grant, GrantFlags, Statement};
use aramaki_sync_core::{DocumentId, Entropy, EnvelopeId, Instance, PrincipalId, Timestamp};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use serde_bytes::ByteBuf;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const MEMBERS: u64 = 1_000;
const CONTROL_ENTRIES: usize = 10_000;

fn main() {
    divan::main();
}

fn member(number: u64) -> DeviceKeys {
    let mut seed = [1; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    DeviceKeys::from_seed(seed)
}

/// A Space while it is written: the founder's chain and everybody's log.
struct Scene {
    log: SpaceLog,
    founder: DeviceKeys,
    position: Position,
    /// Everything stored, as it travels.
    sent: Vec<RawEnvelope>,
}

impl Scene {
    fn new() -> Self {
        let mut entropy = Entropy::from_seed([7; 32]);
        let key = SpaceKey::generate(&mut entropy);
        let space = key.space();
        let founder = member(0);
        let root = grant(founder.public(), Capability::Administer, None);
        let Founding { root, .. } = envelope::found(key, root, None, NOW).unwrap();
        let mut log = SpaceLog::new(space);
        log.insert(&root, NOW).unwrap();
        let position = Position {
            space,
            instance: Instance(1),
            seq: 1,
            previous: EnvelopeId::ZERO,
            authority: root.id(),
            ancestors: Vec::new(),
            time: NOW,
        };
        Self {
            log,
            founder,
            position,
            sent: vec![root.raw().clone()],
        }
    }

    fn say(&mut self, statement: &Statement) -> Envelope {
        let said = envelope::control(&self.founder, self.position.clone(), statement).unwrap();
        self.position.seq += 1;
        self.position.previous = said.id();
        said
    }

    fn stored(&mut self, statement: &Statement) {
        let said = self.say(statement);
        self.log.insert(&said, NOW).unwrap();
        self.sent.push(said.raw().clone());
    }

    /// A thousand readers, then receipts until there are enough control entries.
    fn crowd(self) -> Self {
        self.crowd_of(CONTROL_ENTRIES)
    }

    fn crowd_of(mut self, entries: usize) -> Self {
        for number in 1..MEMBERS {
            let keys = member(number).public();
            let parent = Some(self.position.authority);
            let grant = grant(keys, Capability::Read, parent);
            self.stored(&Statement::Grant(grant));
        }
        while self.log.len() < entries {
            self.stored(&receipt());
        }
        self
    }

    fn write(&mut self, count: usize) -> Vec<Envelope> {
        let key = EpochKey::from_bytes([3; 32]);
        let body = Body::Changes(vec![ByteBuf::from(vec![7; 200])]);
        let epoch = (EnvelopeId::from_bytes([4; 32]), &key);
        let mut written = Vec::new();
        for _envelope in 0..count {
            let document = DocumentId::named("note/1");
            let position = self.position.clone();
            let made = envelope::sealed(&self.founder, position, document, &body, epoch);
            let made = made.unwrap();
            self.position.seq += 1;
            self.position.previous = made.id();
            written.push(made);
        }
        written
    }
}

fn grant(to: PublicKeys, capability: Capability, parent: Option<EnvelopeId>) -> Grant {
    Grant {
        audience: Audience::Author(to.author),
        box_key: to.box_key,
        principal: PrincipalId::from_bytes([1; 16]),
        capability,
        flags: GrantFlags::NONE,
        not_before: Timestamp::ZERO,
        end: Timestamp::MAX,
        depth_left: if parent.is_none() { 7 } else { 0 },
        redemptions: 0,
        redeem_until: Timestamp::ZERO,
        parent,
    }
}

fn receipt() -> Statement {
    Statement::Receipt {
        cuts: Vec::new(),
        at: NOW,
    }
}

#[divan::bench]
fn verify_and_admit_one_envelope(bencher: Bencher<'_, '_>) {
    let mut scene = Scene::new();
    let written = scene.write(1);
    let mut evaluation = Evaluation::default();
    evaluation.refresh(&scene.log, &Outsiders::none(), NOW);
    bencher
        .with_inputs(|| {
            let raw = written[0].raw().clone();
            (raw, scene.log.clone(), evaluation.clone())
        })
        .bench_values(|(raw, mut log, mut evaluation)| {
            log.insert(&raw.verify().unwrap(), NOW).unwrap();
            black_box(evaluation.refresh(&log, &Outsiders::none(), NOW))
        });
}

#[divan::bench(args = [1_000, 10_000])]
fn verify_and_admit_a_batch(bencher: Bencher<'_, '_>, count: usize) {
    let mut scene = Scene::new();
    let written = scene.write(count);
    let mut evaluation = Evaluation::default();
    evaluation.refresh(&scene.log, &Outsiders::none(), NOW);
    bencher
        .counter(ItemsCount::new(count))
        .with_inputs(|| {
            let raw: Vec<_> = written.iter().map(|it| it.raw().clone()).collect();
            (raw, scene.log.clone(), evaluation.clone())
        })
        .bench_values(|(raw, mut log, mut evaluation)| {
            for raw in raw {
                log.insert(&raw.verify().unwrap(), NOW).unwrap();
            }
            black_box(evaluation.refresh(&log, &Outsiders::none(), NOW))
        });
}

/// Somebody comes into a Space of a thousand members: all of its control is verified and says who they are. With as
/// many entries as there are members, and with receipts until there are ten times as many.
#[divan::bench(args = [1_000, 10_000], sample_count = 10)]
fn join_a_space_of_1000_members(bencher: Bencher<'_, '_>, entries: usize) {
    let scene = Scene::new().crowd_of(entries);
    let space = scene.log.space();
    bencher
        .with_inputs(|| scene.sent.clone())
        .bench_values(|sent| {
            let mut log = SpaceLog::new(space);
            for raw in sent {
                log.insert(&raw.verify().unwrap(), NOW).unwrap();
            }
            black_box(evaluate(&log, &Outsiders::none(), NOW))
        });
}

#[divan::bench(sample_count = 20)]
fn evaluate_1000_members_and_10000_control_entries_cold(bencher: Bencher<'_, '_>) {
    let scene = Scene::new().crowd();
    bencher.bench(|| evaluate(black_box(&scene.log), &Outsiders::none(), NOW));
}

#[divan::bench(sample_count = 20)]
fn evaluate_one_more_control_entry(bencher: Bencher<'_, '_>) {
    let mut scene = Scene::new().crowd();
    let evaluation = evaluate(&scene.log, &Outsiders::none(), NOW);
    scene.stored(&receipt());
    bencher
        .with_inputs(|| evaluation.clone())
        .bench_refs(|evaluation| evaluation.refresh(&scene.log, &Outsiders::none(), NOW));
}

/// Somebody is let in: what every member's device does then.
#[divan::bench(sample_count = 20)]
fn evaluate_one_more_grant(bencher: Bencher<'_, '_>) {
    let mut scene = Scene::new().crowd();
    let evaluation = evaluate(&scene.log, &Outsiders::none(), NOW);
    let keys = member(MEMBERS).public();
    let grant = grant(keys, Capability::Write, Some(scene.position.authority));
    scene.stored(&Statement::Grant(grant));
    bencher
        .with_inputs(|| evaluation.clone())
        .bench_refs(|evaluation| evaluation.refresh(&scene.log, &Outsiders::none(), NOW));
}

/// Somebody is sent away who had said nothing: it changes no earlier verdict and is added like the rest.
#[divan::bench(sample_count = 20)]
fn evaluate_one_more_revocation(bencher: Bencher<'_, '_>) {
    let mut scene = Scene::new().crowd();
    let evaluation = evaluate(&scene.log, &Outsiders::none(), NOW);
    let mut grants = scene.log.control().filter(|(_entry, statement)| {
        matches!(statement, Statement::Grant(grant) if grant.parent.is_some())
    });
    let target = grants.next().unwrap().0.id();
    drop(grants);
    scene.stored(&Statement::Revoke {
        target,
        cuts: Vec::new(),
        reason: 0,
    });
    bencher
        .with_inputs(|| evaluation.clone())
        .bench_refs(|evaluation| evaluation.refresh(&scene.log, &Outsiders::none(), NOW));
}

#[divan::bench(sample_count = 20)]
fn evaluate_one_more_note(bencher: Bencher<'_, '_>) {
    let mut scene = Scene::new().crowd();
    // The first note of all vouches for everything before it, once.
    let written = scene.write(2);
    scene.log.insert(&written[0], NOW).unwrap();
    let evaluation = evaluate(&scene.log, &Outsiders::none(), NOW);
    scene.log.insert(&written[1], NOW).unwrap();
    bencher
        .with_inputs(|| evaluation.clone())
        .bench_refs(|evaluation| evaluation.refresh(&scene.log, &Outsiders::none(), NOW));
}

#[divan::bench(sample_count = 10)]
fn rotate_a_space_of_1000_devices(bencher: Bencher<'_, '_>) {
    let scene = Scene::new().crowd();
    let evaluation = evaluate(&scene.log, &Outsiders::none(), NOW);
    let ring = Keyring::default();
    let space = scene.log.space();
    bencher
        .with_inputs(|| Entropy::from_seed([9; 32]))
        .bench_refs(|entropy| {
            let rotation = ring.rotation(&evaluation, space, &Outsiders::none(), NOW, entropy);
            black_box(rotation.unwrap())
        });
}

#[divan::bench]
fn verify_a_grant(bencher: Bencher<'_, '_>) {
    let mut scene = Scene::new();
    let parent = Some(scene.position.authority);
    let grant = grant(member(1).public(), Capability::Write, parent);
    let said = scene.say(&Statement::Grant(grant));
    bencher
        .with_inputs(|| said.raw().clone())
        .bench_values(|raw| raw.verify().unwrap());
}
