//! What snapshots give and what they do not: no document differs by them (A49).

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_bytes::ByteBuf;

use super::stage::{Actor, Cast, Stage, minute, stage};
use crate::admission::{
    Keyring, OpenedSnapshot, PassedOver, SnapshotFault, Verdict, list_in, open_snapshot,
    snapshot_of,
};
use crate::codec;
use crate::envelope::{self, Envelope, FormError, sealed_at_random};
use crate::id::{DocumentId, EnvelopeId};
use crate::key::EpochKey;
use crate::statement::{Body, Statement};

const EPOCH: EnvelopeId = EnvelopeId::from_bytes([99; 32]);

fn body(text: &str) -> Body {
    Body::Changes(vec![ByteBuf::from(text.as_bytes())])
}

fn plain(body: &Body) -> ByteBuf {
    ByteBuf::from(codec::encode(body).unwrap())
}

fn keyring(stage: &Stage) -> Keyring {
    let mut keyring = Keyring::default();
    keyring.insert(EPOCH, stage.epoch.clone());
    keyring
}

/// Says a body in a document.
fn say(stage: &mut Stage, actor: &mut Actor, at: i64, document: &str, body: &Body) -> EnvelopeId {
    let envelope = make(stage, actor, at, document, body);
    actor.said(&envelope);
    stage.deliver(&envelope, minute(at));
    envelope.id()
}

fn make(stage: &mut Stage, actor: &Actor, at: i64, document: &str, body: &Body) -> Envelope {
    let position = actor.position(stage.space, at);
    let document = DocumentId::named(document);
    let epoch = (EPOCH, &stage.epoch);
    envelope::sealed(&actor.keys, position, document, body, epoch).unwrap()
}

fn opened(stage: &Stage, id: EnvelopeId) -> Result<OpenedSnapshot, SnapshotFault> {
    let evaluation = stage.evaluate(200);
    let mut all = stage.all.iter();
    let (envelope, _received) = all.find(|(it, _received)| it.id() == id).unwrap();
    open_snapshot(&stage.log, &evaluation, &keyring(stage), envelope)
}

/// Bob wrote twice in the System and once in a note.
fn written() -> (Stage, Cast, [EnvelopeId; 3]) {
    let (mut stage, mut cast) = stage();
    let one = say(&mut stage, &mut cast.bob, 1, "system", &body("one"));
    let two = say(&mut stage, &mut cast.bob, 2, "system", &body("two"));
    let note = say(&mut stage, &mut cast.bob, 3, "note/1", &body("aside"));
    (stage, cast, [one, two, note])
}

fn sorted(mut list: Vec<(EnvelopeId, ByteBuf)>) -> Body {
    list.sort_unstable();
    Body::Snapshot(list)
}

pub(super) fn a49_a_forged_body_in_a_snapshot_is_passed_over_and_the_others_count() {
    let (mut stage, mut cast, [one, two, _note]) = written();
    let unknown = EnvelopeId::from_bytes([7; 32]);
    let list = vec![
        (one, plain(&body("one"))),
        (two, plain(&body("bob never said that"))),
        (unknown, plain(&body("from nowhere"))),
    ];
    let id = say(&mut stage, &mut cast.carol, 4, "system", &sorted(list));
    let opened = opened(&stage, id).unwrap();
    assert_eq!(opened.bodies, BTreeMap::from([(one, body("one"))]));
    let counts = BTreeMap::from([(PassedOver::Unknown, 1), (PassedOver::Hash, 1)]);
    assert_eq!(opened.passed_over, counts);
    assert!(!opened.is_faultless());
}

pub(super) fn a_snapshot_of_one_document_gives_nothing_of_another() {
    let (mut stage, mut cast, [one, _two, note]) = written();
    let list = vec![(one, plain(&body("one"))), (note, plain(&body("aside")))];
    let id = say(&mut stage, &mut cast.carol, 4, "system", &sorted(list));
    let opened = opened(&stage, id).unwrap();
    assert_eq!(opened.bodies.keys().copied().collect::<Vec<_>>(), [one]);
    assert_eq!(
        opened.passed_over,
        BTreeMap::from([(PassedOver::Document, 1)])
    );
}

pub(super) fn control_configuration_and_snapshots_are_not_listed() {
    let (mut stage, mut cast, [one, ..]) = written();
    let configuration = Body::AgentConfig(ByteBuf::from(*b"checks"));
    let configured = say(&mut stage, &mut cast.carol, 4, "system", &configuration);
    let inner = sorted(vec![(one, plain(&body("one")))]);
    let snapshot = say(&mut stage, &mut cast.carol, 5, "system", &inner);
    let grant = cast.bob.grant;
    let list = vec![
        (configured, plain(&configuration)),
        (snapshot, plain(&inner)),
        (one, plain(&body("one"))),
    ];
    let id = say(&mut stage, &mut cast.carol, 6, "system", &sorted(list));
    let opened = opened(&stage, id).unwrap();
    assert_eq!(opened.bodies.keys().copied().collect::<Vec<_>>(), [one]);
    assert_eq!(opened.passed_over, BTreeMap::from([(PassedOver::Kind, 2)]));
    // A statement is listed in no document's snapshot, whatever document it names.
    let list = vec![(grant, ByteBuf::from(*b"a grant"))];
    let id = say(&mut stage, &mut cast.carol, 7, "control/", &sorted(list));
    let evaluation = stage.evaluate(20);
    let envelope = &stage.all.last().unwrap().0;
    let opened = open_snapshot(&stage.log, &evaluation, &keyring(&stage), envelope).unwrap();
    assert_eq!(envelope.id(), id);
    assert!(opened.bodies.is_empty() && !opened.is_faultless());
}

pub(super) fn what_was_sealed_so_that_nobody_can_repeat_it_is_passed_over() {
    let (mut stage, mut cast, [one, ..]) = written();
    let position = cast.carol.position(stage.space, 4);
    let (document, body) = (DocumentId::named("system"), body("once"));
    let under = (EPOCH, &stage.epoch);
    let keys = &cast.carol.keys;
    let entropy = &mut stage.entropy;
    let made = sealed_at_random(keys, position, document, &body, under, entropy).unwrap();
    cast.carol.said(&made);
    stage.deliver(&made, minute(4));
    assert_eq!(made.open(&stage.epoch).unwrap(), body);
    let list = sorted(vec![
        (made.id(), plain(&body)),
        (one, plain(&self::body("one"))),
    ]);
    let id = say(&mut stage, &mut cast.carol, 5, "system", &list);
    let opened = opened(&stage, id).unwrap();
    assert_eq!(opened.bodies.keys().copied().collect::<Vec<_>>(), [one]);
    assert_eq!(opened.passed_over, BTreeMap::from([(PassedOver::Seal, 1)]));
}

pub(super) fn a_snapshot_by_who_may_not_write_or_was_cut_is_not_read() {
    let (mut stage, mut cast, [one, ..]) = written();
    let list = sorted(vec![(one, plain(&body("one")))]);
    let readers = say(&mut stage, &mut cast.rita, 4, "system", &list);
    assert!(matches!(
        opened(&stage, readers),
        Err(SnapshotFault::Verdict(Verdict::Refused(_)))
    ));
    let cut = say(&mut stage, &mut cast.bob, 5, "system", &list);
    assert!(opened(&stage, cut).is_ok());
    let revoke = Statement::Revoke {
        target: cast.bob.grant,
        cuts: Vec::new(),
        reason: 0,
    };
    stage.say(&mut cast.alice, 6, &revoke);
    assert_eq!(
        opened(&stage, cut),
        Err(SnapshotFault::Verdict(Verdict::Cut))
    );
}

pub(super) fn a_list_out_of_order_or_with_one_twice_is_not_read() {
    let (mut stage, mut cast, [one, two, _note]) = written();
    let (high, low) = (one.max(two), one.min(two));
    let twice = vec![(one, plain(&body("false"))), (one, plain(&body("one")))];
    let turned = vec![(high, plain(&body("x"))), (low, plain(&body("x")))];
    for (at, list) in [(4, twice), (5, turned)] {
        let id = say(
            &mut stage,
            &mut cast.carol,
            at,
            "system",
            &Body::Snapshot(list),
        );
        assert_eq!(opened(&stage, id), Err(SnapshotFault::Order));
    }
}

#[test]
fn the_stories_of_snapshots_hold() {
    a49_a_forged_body_in_a_snapshot_is_passed_over_and_the_others_count();
    a_snapshot_of_one_document_gives_nothing_of_another();
    control_configuration_and_snapshots_are_not_listed();
    what_was_sealed_so_that_nobody_can_repeat_it_is_passed_over();
    a_snapshot_by_who_may_not_write_or_was_cut_is_not_read();
    a_list_out_of_order_or_with_one_twice_is_not_read();
}

#[test]
fn without_a_key_nothing_is_taken_and_with_it_everything() {
    let (mut stage, mut cast, [one, ..]) = written();
    let other = EnvelopeId::from_bytes([98; 32]);
    let later = EpochKey::from_bytes([8; 32]);
    let position = cast.carol.position(stage.space, 4);
    let list = sorted(vec![(one, plain(&body("one")))]);
    let document = DocumentId::named("system");
    let under = (other, &later);
    let keys = &cast.carol.keys;
    let made = envelope::sealed(keys, position, document, &list, under).unwrap();
    cast.carol.said(&made);
    stage.deliver(&made, minute(4));
    let evaluation = stage.evaluate(20);
    let mut keys = Keyring::default();
    let open = |keys: &Keyring| open_snapshot(&stage.log, &evaluation, keys, &made);
    assert_eq!(open(&keys), Err(SnapshotFault::NoKey));
    keys.insert(other, later.clone());
    let opened = open(&keys).unwrap();
    assert!(opened.bodies.is_empty() && opened.lacked_key() && opened.is_faultless());
    keys.insert(EPOCH, stage.epoch.clone());
    assert_eq!(open(&keys).unwrap().bodies.len(), 1);
}

#[test]
fn a_snapshot_is_sorted_and_leaves_out_what_is_too_long() {
    let ids = [3, 1, 2].map(|byte| EnvelopeId::from_bytes([byte; 32]));
    let mut bodies: BTreeMap<_, _> = ids.map(|id| (id, body("short"))).into();
    bodies.insert(EnvelopeId::from_bytes([4; 32]), body(&"x".repeat(60_000)));
    let list = list_in(snapshot_of(bodies)).unwrap();
    let listed: Vec<_> = list.iter().map(|(id, _plain)| *id).collect();
    assert_eq!(listed, [ids[1], ids[2], ids[0]]);
}

/// Lists were written unfolded first; both are read, and a folded one takes less.
#[test]
fn a_list_is_read_folded_and_unfolded() {
    let (mut stage, mut cast, [one, two, _note]) = written();
    let words = "the same words again and again ".repeat(40);
    let three = say(&mut stage, &mut cast.bob, 4, "system", &body(&words));
    let bodies = [
        (one, body("one")),
        (two, body("two")),
        (three, body(&words)),
    ];
    let unfolded = sorted(bodies.clone().map(|(id, body)| (id, plain(&body))).into());
    let folded = snapshot_of(bodies.into());
    assert!(plain(&folded).len() * 3 < plain(&unfolded).len());
    for (at, list) in [(5, unfolded), (6, folded)] {
        let id = say(&mut stage, &mut cast.carol, at, "system", &list);
        let opened = opened(&stage, id).unwrap();
        assert!(opened.is_faultless() && opened.bodies.len() == 3);
    }
}

/// Few bytes that unfold to more than an envelope may hold, or to nothing that has form, give nothing.
#[test]
fn a49_a_list_that_unfolds_to_too_much_is_not_read() {
    let (mut stage, mut cast, [one, ..]) = written();
    let long = vec![(one, ByteBuf::from(vec![0; 64 << 20]))];
    let folded = |bytes: &[u8]| {
        let folded = miniz_oxide::deflate::compress_to_vec(bytes, 6);
        Body::FoldedSnapshot(folded.into())
    };
    let bomb = folded(&codec::encode(&long).unwrap());
    let noise = folded(b"no list");
    let broken = Body::FoldedSnapshot(vec![7; 40].into());
    for (at, list) in [(4, bomb), (5, noise), (6, broken)] {
        let id = say(&mut stage, &mut cast.carol, at, "system", &list);
        let fault = FormError::Field("its list does not unfold");
        assert_eq!(opened(&stage, id), Err(SnapshotFault::Form(fault)));
    }
}

/// What a replica shows that has some sealed bodies, took some out of snapshots before it deleted what
/// was sealed, and takes out of snapshots what it can.
fn document(
    stage: &Stage,
    sealed: &BTreeSet<EnvelopeId>,
    taken: &BTreeMap<EnvelopeId, Body>,
) -> BTreeMap<EnvelopeId, Body> {
    let evaluation = stage.evaluate(200);
    let keys = keyring(stage);
    let mut found = taken.clone();
    for (envelope, _received) in &stage.all {
        if envelope.statement().is_some() {
            continue;
        }
        if sealed.contains(&envelope.id()) {
            let body = envelope.open(keys.get(EPOCH).unwrap()).unwrap();
            found.insert(envelope.id(), body);
        }
        if let Ok(opened) = open_snapshot(&stage.log, &evaluation, &keys, envelope) {
            for (id, body) in opened.bodies {
                let before = found.insert(id, body.clone());
                assert!(before.is_none_or(|before| before == body));
            }
        }
    }
    found.retain(|id, _body| evaluation.verdict(*id).counts());
    found
}

/// What the full log says.
fn full(stage: &Stage, ids: &BTreeSet<EnvelopeId>) -> BTreeMap<EnvelopeId, Body> {
    let evaluation = stage.evaluate(200);
    let said = stage.all.iter().map(|(envelope, _received)| envelope);
    said.filter(|it| ids.contains(&it.id()) && evaluation.verdict(it.id()).counts())
        .map(|it| (it.id(), it.open(&stage.epoch).unwrap()))
        .collect()
}

#[derive(Clone, Debug)]
enum Deed {
    Write {
        actor: usize,
        document: u8,
    },
    Revoke {
        of: usize,
    },
    Snapshot {
        actor: usize,
        document: u8,
        forged: Option<u8>,
    },
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        6 => (0..4_usize, 0..2_u8).prop_map(|(actor, document)| Deed::Write { actor, document }),
        1 => (2..4_usize).prop_map(|of| Deed::Revoke { of }),
        3 => (0..5_usize, 0..2_u8, prop::option::of(0..4_u8)).prop_map(|(actor, document, forged)| {
            Deed::Snapshot { actor, document, forged }
        }),
    ];
    prop::collection::vec(deed, 1..40)
}

/// Snapshots of snapshots would soon be longer than an envelope.
const NESTED_BYTES_MAX: usize = 1_000;
const DOCUMENTS: [&str; 2] = ["system", "note/1"];

/// Lists what is written in a document, or something that it should not.
fn list(stage: &Stage, document: u8, forged: Option<u8>) -> Body {
    let wanted = DocumentId::named(DOCUMENTS[usize::from(document)]);
    let mut list = Vec::new();
    for (envelope, _received) in &stage.all {
        let header = envelope.header();
        let Ok(body) = envelope.open(&stage.epoch) else {
            continue;
        };
        let text = plain(&body);
        if text.len() > NESTED_BYTES_MAX {
            continue;
        }
        match forged {
            Some(0) => list.push((envelope.id(), plain(&Body::Changes(vec![text])))),
            Some(1) => list.push((envelope.id(), text)),
            Some(2) if header.document == wanted => list.push((envelope.id(), ByteBuf::new())),
            _ if header.document == wanted => list.push((envelope.id(), text)),
            _ => {}
        }
    }
    if forged == Some(3) {
        list.reverse();
        return Body::Snapshot(list);
    }
    sorted(list)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bodies were deleted that honest snapshots hold, forged snapshots are among them, and every
    /// order of arrival is tried by the stage: the documents are those of the full log.
    #[test]
    fn documents_are_the_same_out_of_honest_and_forged_snapshots(deeds in deeds(), seed: u64) {
        let (mut stage, cast) = stage();
        let mut alice = cast.alice;
        let mut actors = [cast.anchor, cast.carol, cast.bob, cast.rita, cast.relay];
        let (mut all, mut taken) = (BTreeSet::new(), BTreeMap::new());
        for (at, deed) in (1..).zip(&deeds) {
            match deed {
                Deed::Write { actor, document } => {
                    let name = DOCUMENTS[usize::from(*document)];
                    let body = body(&format!("{at} in {name}"));
                    all.insert(say(&mut stage, &mut actors[*actor], at, name, &body));
                }
                Deed::Revoke { of } => {
                    let actor = &actors[*of];
                    let cuts = if seed % 2 == 0 && actor.seq > 0 { vec![actor.cut()] } else { Vec::new() };
                    let statement = Statement::Revoke { target: actor.grant, cuts, reason: 0 };
                    stage.say(&mut alice, at, &statement);
                }
                Deed::Snapshot { actor, document, forged } => {
                    let name = DOCUMENTS[usize::from(*document)];
                    let list = list(&stage, *document, *forged);
                    let id = say(&mut stage, &mut actors[*actor], at, name, &list);
                    if let Ok(opened) = opened(&stage, id) {
                        // Half of what it holds is deleted.
                        let held = opened.bodies.into_iter();
                        taken.extend(held.filter(|(id, _)| (u64::from(id.as_bytes()[0]) ^ seed) % 2 == 0));
                    }
                }
            }
        }
        let sealed = all.iter().filter(|id| !taken.contains_key(*id)).copied().collect();
        // Whatever became of a snapshot since: what it held proves itself.
        prop_assert_eq!(document(&stage, &sealed, &taken), full(&stage, &all));
    }
}
