//! What an authorised but hostile writer can send, and that none of it gets through (TRUST §7):
//! the attacks A11 and A27 to A35 of TRUST §11, and what fuzzing adds to them.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

mod common;
#[path = "common/dice.rs"]
mod dice;

use std::num::NonZeroU64;

use aramaki_model::doc::Refusal;
use aramaki_model::entry::Message;
use aramaki_model::system::{Contact, NoteRef};
use aramaki_model::{
    Edit, EntryId, Finding, ItemId, NoteId, Reason, TimelineEntry, Workspace, name,
};
use aramaki_sync_core::DocumentId;
use automerge::legacy::{ElementId, Key, ObjectId, OpId, OpType};
use automerge::transaction::Transactable as _;
use automerge::{ActorId, Change, ExpandedChange, ObjType, ScalarValue};
use common::{Sent, at, chain, receive, send, space};
use dice::Dice;

const ALICE: u8 = 11;
const MALLORY: u8 = 12;

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

/// Sends bytes as a change of Mallory's; returns why they were refused.
fn offer(workspace: &mut Workspace, document: DocumentId, bytes: Vec<u8>) -> Option<Refusal> {
    let edit = Edit {
        document,
        changes: vec![bytes],
        is_new_document: false,
    };
    let findings = receive(workspace, &send(space(1), &chain(MALLORY), edit));
    findings
        .into_iter()
        .find_map(|Finding { reason, .. }| match reason {
            Reason::Refused(refusal) => Some(refusal),
            _ => None,
        })
}

/// The same for what must be refused: no document changed by it, and the person is told which envelope was left
/// out and why.
fn must_refuse(workspace: &mut Workspace, document: DocumentId, bytes: Vec<u8>) -> Refusal {
    let whole = workspace.digest();
    let refusal = offer(workspace, document, bytes).unwrap();
    assert_eq!(
        workspace.digest(),
        whole,
        "{refusal}: something was taken in"
    );
    let told = workspace.view(at(9)).findings;
    let is_told = told.iter().any(|it| {
        it.document == document
            && it.envelope.is_some()
            && it.reason == Reason::Refused(refusal.clone())
    });
    assert!(is_told, "{refusal}: nobody is told");
    refusal
}

fn message(seconds: i64, n: u8, text: &str) -> (EntryId, TimelineEntry) {
    let id = EntryId::new(at(seconds), [n; 10]);
    (
        id,
        TimelineEntry::Message(Message {
            at: at(seconds),
            text: text.to_owned(),
        }),
    )
}

/// A victim with a System, a note and a timeline by Alice, and what she sent.
fn victim() -> (Workspace, Vec<Sent>) {
    let mut alice = Workspace::new();
    alice.open_space(space(1));
    let alice_is = chain(ALICE);
    let system = alice.edit_system(space(1), &alice_is, at(0), |e| {
        e.title("Webshop")?;
        let note = NoteRef {
            title: "Runbook".to_owned(),
            ..NoteRef::default()
        };
        e.put_note(NoteId::default(), &note)
    });
    let note = alice.set_note(
        space(1),
        NoteId::default(),
        &alice_is,
        at(0),
        "restart web1",
    );
    let timeline = alice.append_timeline(space(1), &alice_is, at(0), &[message(0, 1, "hello")]);
    let edits = [system, note, timeline];
    let sent = edits.map(|edit| send(space(1), &alice_is, edit.unwrap()));
    // What was written comes back as admitted.
    for sent in &sent {
        assert_eq!(receive(&mut alice, sent), []);
    }
    (alice, sent.to_vec())
}

/// An honest change by Mallory to each of the documents.
fn honest(victim: &Workspace) -> [Edit; 3] {
    let mut mallory = victim.clone();
    let is = chain(MALLORY);
    let contact = Contact {
        name: "Mallory".to_owned(),
        ..Contact::default()
    };
    let system = mallory.edit_system(space(1), &is, at(1), |e| {
        e.title("Shop")?;
        e.put_contact(ItemId::default(), &contact)
    });
    let note = mallory.set_note(space(1), NoteId::default(), &is, at(1), "restart web2 now");
    let entries = [message(1, 2, "one"), message(2, 3, "two")];
    let timeline = mallory.append_timeline(space(1), &is, at(1), &entries);
    [system, note, timeline].map(Result::unwrap)
}

fn expanded(edit: &Edit) -> ExpandedChange {
    let mut change = Change::from_bytes(edit.changes[0].clone())
        .unwrap()
        .decode();
    change.hash = None;
    change
}

fn bytes(change: ExpandedChange) -> Vec<u8> {
    Change::from(change).raw_bytes().to_vec()
}

/// Mallory writes the very change that Alice would write next, under Alice's actor, in an envelope of
/// her own: it counts nowhere, and Alice's own change of that number is not kept out by it. Nor does
/// what Alice wrote become Mallory's by being sent again.
#[test]
fn a11_a_borrowed_automerge_actor_counts_nowhere_and_keeps_nobody_out() {
    let (victim, sent) = victim();
    let is = chain(ALICE);
    let next = |title: &str, text: &str, entry: u8| {
        let mut alice = victim.clone();
        let system = alice.edit_system(space(1), &is, at(1), |e| e.title(title));
        let note = alice.set_note(space(1), NoteId::default(), &is, at(1), text);
        let entries = [message(1, entry, text)];
        let timeline = alice.append_timeline(space(1), &is, at(1), &entries);
        [system, note, timeline].map(Result::unwrap)
    };
    let mut workspace = victim.clone();
    let whole = workspace.digest();
    for forged in next("Mallory's shop", "rm -rf /", 7) {
        let refused = offer(&mut workspace, forged.document, forged.changes[0].clone());
        assert_eq!(refused, Some(Refusal::Actor), "{}", forged.document);
    }
    for replayed in &sent {
        let bytes = replayed.admitted.changes[0].clone();
        let refused = offer(&mut workspace, replayed.document, bytes);
        assert_eq!(refused, Some(Refusal::Actor), "{}", replayed.document);
    }
    assert_eq!(workspace.digest(), whole, "nothing was taken in");
    for own in next("Shop", "restart web2", 8) {
        assert_eq!(receive(&mut workspace, &send(space(1), &is, own)), []);
    }
    assert_eq!(workspace.system(&space(1)).unwrap().title, "Shop");
    assert!(
        workspace
            .view(at(5))
            .timeline
            .iter()
            .all(|it| !format!("{it:?}").contains("rm -rf"))
    );
}

#[test]
fn a33_the_two_known_poisons_are_refused() {
    let (mut workspace, _) = victim();
    for hex in [
        "856f4a8382ab59e1011b001004040404040404040404040404040469010000000a01",
        "856f4a837667720e01290010010101010101ffffffffffffffffff340101010101010101010101010000000801040204151234",
    ] {
        for document in [
            name::system(),
            name::timeline(at(0), 0),
            name::note(NoteId::default()),
        ] {
            must_refuse(&mut workspace, document, bytes_of(hex));
        }
    }
}

/// A whole document as Automerge saves it.
fn saved() -> Vec<u8> {
    let encoding = automerge::TextEncoding::UnicodeCodePoint;
    let mut document = automerge::AutoCommit::new_with_encoding(encoding);
    document.set_actor(ActorId::from(chain(MALLORY).actor_bytes()));
    document.put(automerge::ROOT, "title", "x").unwrap();
    document.save()
}

/// A long honest change to the note, which deflates well.
fn long_edit(victim: &Workspace) -> Edit {
    let text = "a long line that deflates well ".repeat(100);
    let mut mallory = victim.clone();
    mallory
        .set_note(space(1), NoteId::default(), &chain(MALLORY), at(1), &text)
        .unwrap()
}

#[test]
fn a27_a_deflated_chunk_is_refused() {
    let (mut workspace, _) = victim();
    let edit = long_edit(&workspace);
    let mut change = Change::from_bytes(edit.changes[0].clone()).unwrap();
    let deflated = change.bytes().to_vec();
    assert_ne!(deflated, edit.changes[0]);
    let refused = |workspace: &mut Workspace, bytes| must_refuse(workspace, edit.document, bytes);
    assert_eq!(refused(&mut workspace, deflated), Refusal::ChunkKind);
    assert_eq!(
        refused(&mut workspace, vec![0; 300_000]),
        Refusal::TooLong(300_000)
    );
    // The same change as it should be.
    let honest = edit.changes[0].clone();
    assert_eq!(offer(&mut workspace, edit.document, honest), None);
}

#[test]
fn a29_documents_and_bundles_are_refused() {
    let (mut workspace, _) = victim();
    let edit = long_edit(&workspace);
    for kind in [0, 3] {
        let mut other = edit.changes[0].clone();
        other[8] = kind;
        assert_eq!(
            must_refuse(&mut workspace, edit.document, other),
            Refusal::ChunkKind
        );
    }
    // A real document: all of what Mallory has.
    assert_eq!(
        must_refuse(&mut workspace, edit.document, saved()),
        Refusal::ChunkKind
    );
}

#[test]
fn a30_a_change_in_another_than_the_canonical_form_is_refused() {
    let (mut workspace, _) = victim();
    let edit = long_edit(&workspace);
    let mut padded = edit.changes[0].clone();
    padded.push(0);
    assert_eq!(
        must_refuse(&mut workspace, edit.document, padded),
        Refusal::Malformed("length")
    );
    let mut unsigned = edit.changes[0].clone();
    unsigned[4] ^= 1;
    assert_eq!(
        must_refuse(&mut workspace, edit.document, unsigned),
        Refusal::NotCanonical
    );
}

#[test]
fn a28_an_operation_bomb_is_refused_before_it_is_decoded() {
    let (mut workspace, _) = victim();
    let [_, edit, _] = honest(&workspace);
    let mut change = expanded(&edit);
    let deletion = automerge::legacy::Op {
        action: OpType::Put(ScalarValue::Null),
        obj: ObjectId::Root,
        key: Key::Map("x".into()),
        pred: std::iter::empty::<OpId>().collect(),
        insert: false,
    };
    change.operations = vec![deletion; 200_000];
    let bomb = bytes(change);
    assert!(bomb.len() < 1_000);
    assert_eq!(
        must_refuse(&mut workspace, edit.document, bomb),
        Refusal::TooManyOperations
    );
}

#[test]
fn a_borrowed_actor_and_wrong_numbers_are_refused() {
    let (mut workspace, _) = victim();
    let [edit, ..] = honest(&workspace);
    let mut try_with = |change: &dyn Fn(&mut ExpandedChange)| {
        let mut mutant = expanded(&edit);
        change(&mut mutant);
        offer(&mut workspace, edit.document, bytes(mutant))
    };
    let alice = ActorId::from(chain(ALICE).actor_bytes());
    assert_eq!(
        try_with(&|c| c.actor_id = alice.clone()),
        Some(Refusal::Actor)
    );
    let seq = Refusal::Seq {
        expected: 1,
        found: 2,
    };
    assert_eq!(try_with(&|c| c.seq = 2), Some(seq));
    assert_eq!(try_with(&|c| c.deps.clear()), Some(Refusal::Dependencies));
    assert_eq!(try_with(&|c| c.time = i64::MIN), Some(Refusal::Time));
    assert_eq!(
        try_with(&|c| c.operations.clear()),
        Some(Refusal::Malformed("no operations"))
    );
    assert!(try_with(&|c| c.extra_bytes = vec![1, 2, 3]).is_some());
    assert_eq!(try_with(&|_| ()), None);
}

#[test]
fn a31_both_kinds_of_operation_number_poison_are_refused() {
    let (mut workspace, _) = victim();
    let [edit, ..] = honest(&workspace);
    let mut try_with = |start: u64| {
        let mut mutant = expanded(&edit);
        mutant.start_op = NonZeroU64::new(start).unwrap();
        offer(&mut workspace, edit.document, bytes(mutant))
    };
    let next = expanded(&edit).start_op.get();
    // At or below what it depends on: saving would succeed, loading would not.
    for low in [1, next - 1] {
        assert_eq!(try_with(low), Some(Refusal::StartOp), "{low}");
    }
    // Near the end of the counter: nobody could write any more.
    for high in [next + 1_000_001, u64::from(u32::MAX) - 2] {
        assert_eq!(try_with(high), Some(Refusal::StartOp), "{high}");
    }
    assert_eq!(try_with(next), None);
    assert_eq!(workspace.system(&space(1)).unwrap().title, "Shop");
}

#[test]
fn a32_a_reused_number_blocks_nobody_else() {
    let (mut workspace, _) = victim();
    let [edit, ..] = honest(&workspace);
    assert_eq!(
        offer(&mut workspace, edit.document, edit.changes[0].clone()),
        None
    );
    let mut again = expanded(&edit);
    again.time += 1;
    let seq = Refusal::Seq {
        expected: 2,
        found: 1,
    };
    assert_eq!(
        offer(&mut workspace, edit.document, bytes(again.clone())),
        Some(seq)
    );
    // In one envelope with an honest change, the honest one stays.
    let mut mallory = workspace.clone();
    let next = mallory
        .edit_system(space(1), &chain(MALLORY), at(3), |e| e.title("Next"))
        .unwrap();
    let changes = vec![bytes(again), next.changes[0].clone()];
    let edit = Edit { changes, ..next };
    assert_eq!(
        receive(&mut workspace, &send(space(1), &chain(MALLORY), edit)).len(),
        1
    );
    assert_eq!(workspace.system(&space(1)).unwrap().title, "Next");
}

#[test]
fn timelines_take_new_entries_only() {
    let (mut workspace, sent) = victim();
    let [.., edit] = honest(&workspace);
    let old = Change::from_bytes(sent[2].admitted.changes[0].clone()).unwrap();
    let mut try_with = |change: &dyn Fn(&mut automerge::legacy::Op)| {
        let mut mutant = expanded(&edit);
        change(&mut mutant.operations[0]);
        offer(&mut workspace, edit.document, bytes(mutant))
    };
    let entry = |what| Some(Refusal::NotAnEntry(what));
    let first = OpId(old.start_op().get(), old.actor_id().clone());
    assert_eq!(
        try_with(&|op| op.obj = ObjectId::Root),
        entry("another place")
    );
    assert_eq!(
        try_with(&|op| op.key = Key::Map("title".into())),
        entry("key")
    );
    assert_eq!(
        try_with(&|op| op.pred = [first.clone()].into_iter().collect()),
        entry("predecessor")
    );
    assert_eq!(
        try_with(&|op| op.action = OpType::Make(ObjType::Map)),
        entry("value")
    );
    assert_eq!(try_with(&|op| op.action = OpType::Delete), entry("value"));
    let long = ScalarValue::Bytes(vec![0; 8_193]);
    assert_eq!(
        try_with(&|op| op.action = OpType::Put(long.clone())),
        entry("value")
    );
    let text = ScalarValue::Str("text".into());
    assert_eq!(
        try_with(&|op| op.action = OpType::Put(text.clone())),
        entry("value")
    );
    assert_eq!(try_with(&|_| ()), None);
}

#[test]
fn two_writers_of_one_entry_are_both_read() {
    let (workspace, _) = victim();
    let mut views = Vec::new();
    let write = |n: u8, text: &str| {
        let mut writer = workspace.clone();
        let edit = writer.append_timeline(space(1), &chain(n), at(1), &[message(1, 9, text)]);
        send(space(1), &chain(n), edit.unwrap())
    };
    let (one, two) = (write(ALICE, "by alice"), write(MALLORY, "by mallory"));
    for order in [[&one, &two], [&two, &one]] {
        let mut reader = workspace.clone();
        for sent in order {
            assert_eq!(receive(&mut reader, sent), []);
        }
        let view = reader.view(at(5));
        assert_eq!(view.timeline.len(), 4, "an entry and a note were there");
        views.push(view.timeline);
    }
    assert_eq!(views[0], views[1]);
}

#[test]
fn a_document_of_another_kind_than_its_name_is_refused() {
    let (mut workspace, sent) = victim();
    let system = sent[0].admitted.changes[0].clone();
    let edit = Edit {
        document: name::note(NoteId::from_bytes([5; 16])),
        changes: vec![system],
        is_new_document: true,
    };
    let findings = receive(&mut workspace, &send(space(1), &chain(ALICE), edit));
    assert_eq!(findings[0].reason, Reason::Kind);
}

/// No document as Automerge saves it is kept: what is on disk of a document is its changes. One that went bad there
/// is found whichever of its bits it is, the rest of the workspace stays as it was, and the document begins anew from
/// the log. The undamaged change goes through by the same way.
#[test]
fn a34_a_corrupt_document_is_rebuilt_from_the_log() {
    let (whole, sent) = victim();
    let (system, rest) = sent.split_first().unwrap();
    let honest = system.admitted.changes[0].clone();
    let restarted = |changes: Vec<u8>| {
        let mut workspace = Workspace::new();
        workspace.open_space(space(1));
        let mut read = system.clone();
        read.admitted.changes = vec![changes];
        let mut findings = receive(&mut workspace, &read);
        for sent in rest {
            findings.extend(receive(&mut workspace, sent));
        }
        (workspace, findings)
    };
    let (undamaged, findings) = restarted(honest.clone());
    assert_eq!((undamaged.digest(), findings), (whole.digest(), vec![]));
    let mut dice = Dice(34);
    for _ in 0..200 {
        let mut damaged = honest.clone();
        let place = dice.below(damaged.len());
        damaged[place] ^= 1 << dice.below(8);
        let (mut workspace, findings) = restarted(damaged);
        let about: Vec<_> = findings.iter().map(|it| it.document).collect();
        let found = about == [name::system()] || workspace.digest() != whole.digest();
        assert!(found, "byte {place}");
        let admitted = [system.admitted.clone()];
        assert_eq!(workspace.rebuild(space(1), name::system(), &admitted), []);
        assert_eq!(workspace.digest(), whole.digest(), "byte {place}");
    }
    // What is in memory went wrong: the log knows better.
    let mut workspace = whole.clone();
    let edit = workspace.edit_system(space(1), &chain(ALICE), at(5), |e| e.title("corrupt"));
    drop(edit.unwrap());
    assert_ne!(workspace.digest(), whole.digest());
    let admitted = [system.admitted.clone()];
    assert_eq!(workspace.rebuild(space(1), name::system(), &admitted), []);
    assert_eq!(workspace.digest(), whole.digest());
}

/// What passes every rule of the gate and breaks the document all the same is found by the trial on a copy: it is
/// left out and named, and what stood in the same envelope beside it counts.
#[test]
fn what_breaks_a_document_is_found_by_its_trial_and_left_out_alone() {
    let (mut workspace, _) = victim();
    let [edit, ..] = honest(&workspace);
    let nobody = OpId(2, ActorId::from(chain(MALLORY).actor_bytes()));
    let broken: [&dyn Fn(&mut automerge::legacy::Op); 3] = [
        &|op| op.obj = ObjectId::Id(nobody.clone()),
        &|op| op.pred = [nobody.clone()].into_iter().collect(),
        &|op| op.key = Key::Seq(ElementId::Id(nobody.clone())),
    ];
    let mut tried = 0;
    for change in broken {
        let mut mutant = expanded(&edit);
        change(&mut mutant.operations[0]);
        let refusal = must_refuse(&mut workspace, edit.document, bytes(mutant));
        tried += usize::from(matches!(refusal, Refusal::Trial(_)));
    }
    assert!(tried > 0, "no change of these came to its trial");
    let honest = edit.changes[0].clone();
    assert_eq!(offer(&mut workspace, edit.document, honest), None);
    assert_eq!(workspace.system(&space(1)).unwrap().title, "Shop");
}

#[test]
fn a35_ten_thousand_orphans_are_bounded() {
    let (mut workspace, _) = victim();
    let [edit, ..] = honest(&workspace);
    let mut refused = 0;
    for n in 0..10_000_u32 {
        let mut orphan = expanded(&edit);
        let mut hash = [7; 32];
        hash[..4].copy_from_slice(&n.to_be_bytes());
        orphan.deps = vec![automerge::ChangeHash(hash)];
        let refusal = offer(&mut workspace, edit.document, bytes(orphan));
        refused += usize::from(refusal == Some(Refusal::NoRoom));
    }
    assert_eq!(refused, 10_000 - aramaki_model::doc::WAITING_CHANGES_MAX);
    // What was refused is remembered, but not all of it.
    assert!(workspace.view(at(9)).findings.len() <= 1 + aramaki_model::workspace::FINDINGS_MAX);
    // The flood does not stop honest changes.
    assert_eq!(
        offer(&mut workspace, edit.document, edit.changes[0].clone()),
        None
    );
    assert_eq!(workspace.system(&space(1)).unwrap().title, "Shop");
}

/// Changes one thing of a change that the format can still say.
fn mutate(change: &mut ExpandedChange, dice: &mut Dice) {
    let any_op = |dice: &mut Dice| {
        let counter = if dice.below(5) == 0 {
            dice.roll()
        } else {
            dice.roll() % 12
        };
        let actor = match dice.below(4) {
            0 => [0; 16],
            1 => chain(ALICE).actor_bytes(),
            2 => chain(MALLORY).actor_bytes(),
            _ => [dice.byte(); 16],
        };
        OpId(counter, ActorId::from(actor))
    };
    let count = change.operations.len();
    let which = dice.below(count);
    let Some(operation) = change.operations.get_mut(which) else {
        return;
    };
    match dice.below(12) {
        0 => change.seq = dice.roll() % 4,
        1 => change.start_op = NonZeroU64::new(1 + dice.roll() % 40).unwrap(),
        2 => change.time = i64::from_ne_bytes(dice.roll().to_ne_bytes()),
        3 => change.message = Some("x".repeat(dice.below(400))),
        4 => operation.obj = ObjectId::Id(any_op(dice)),
        5 => operation.obj = ObjectId::Root,
        6 => {
            operation.key = match dice.below(3) {
                0 => Key::Seq(ElementId::Id(any_op(dice))),
                1 => Key::Seq(ElementId::Head),
                _ => Key::Map("q".into()),
            }
        }
        7 => operation.pred = (0..dice.below(3)).map(|_| any_op(dice)).collect(),
        8 => operation.insert = !operation.insert,
        9 => {
            operation.action = match dice.below(6) {
                0 => OpType::Delete,
                1 => OpType::Increment(7),
                2 => OpType::Make(ObjType::Text),
                3 => OpType::MarkEnd(true),
                4 => OpType::Put(ScalarValue::counter(3)),
                _ => OpType::Put(ScalarValue::Str("text".into())),
            }
        }
        10 => change.extra_bytes = vec![dice.byte(); dice.below(40)],
        _ => {
            let copy = operation.clone();
            change.operations.push(copy);
        }
    }
}

#[test]
fn mutated_changes_never_panic_and_never_break_what_is_there() {
    let (victim, sent) = victim();
    let honest = honest(&victim);
    let mut dice = Dice(20_261_122);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..600 {
        let edit = &honest[round % 3];
        let mutant = if dice.below(3) == 0 {
            let mut raw = edit.changes[0].clone();
            for _ in 0..=dice.below(3) {
                let place = dice.below(raw.len());
                raw[place] = dice.byte();
            }
            raw
        } else {
            let mut change = expanded(edit);
            for _ in 0..=dice.below(2) {
                mutate(&mut change, &mut dice);
            }
            // Automerge's own encoder does not take everything.
            let Ok(raw) = std::panic::catch_unwind(|| bytes(change)) else {
                continue;
            };
            raw
        };
        let mut workspace = victim.clone();
        match offer(&mut workspace, edit.document, mutant.clone()) {
            None => accepted += 1,
            Some(_) => refused += 1,
        }
        // Everything still reads, and people can go on writing.
        let _view = workspace.view(at(9));
        let mine = workspace.edit_system(space(1), &chain(ALICE), at(9), |e| e.title("After"));
        assert_eq!(workspace.system(&space(1)).unwrap().title, "After");
        let note = workspace.set_note(space(1), NoteId::default(), &chain(ALICE), at(9), "after");
        let entries = [message(9, 9, "after")];
        let entry = workspace.append_timeline(space(1), &chain(ALICE), at(9), &entries);
        // Another replica that gets all of it agrees.
        let mut other = Workspace::new();
        for sent in &sent {
            receive(&mut other, sent);
        }
        offer(&mut other, edit.document, mutant);
        for edit in [mine, note, entry].into_iter().flatten() {
            assert_eq!(
                receive(&mut other, &send(space(1), &chain(ALICE), edit)),
                []
            );
        }
        assert_eq!(workspace.digest(), other.digest(), "round {round}");
    }
    assert!(
        accepted > 10 && refused > 100,
        "{accepted} accepted, {refused} refused"
    );
}

/// What makes a change fail one check of the gate: in what it says, and in its bytes.
type Break = (Refusal, fn(&mut ExpandedChange), fn(&mut Vec<u8>));

const fn nothing(_bytes: &mut Vec<u8>) {}

/// The checks of TRUST §7 in their order, each with what fails it alone.
fn order() -> [Break; 10] {
    let seq = Refusal::Seq {
        expected: 1,
        found: 2,
    };
    let no_operations = Refusal::Malformed("no operations");
    [
        (Refusal::ChunkKind, |_| (), |bytes| bytes[8] = 3),
        (
            Refusal::Actor,
            |it| it.actor_id = ActorId::from(chain(ALICE).actor_bytes()),
            nothing,
        ),
        (Refusal::Dependencies, |it| it.deps.clear(), nothing),
        (seq, |it| it.seq = 2, nothing),
        (Refusal::NotCanonical, |_| (), |bytes| bytes[4] ^= 1),
        (
            Refusal::StartOp,
            |it| it.start_op = NonZeroU64::MIN,
            nothing,
        ),
        (Refusal::Time, |it| it.time = i64::MIN, nothing),
        (no_operations, |it| it.operations.clear(), nothing),
        (
            Refusal::UnknownActor,
            |it| it.operations[0].obj = ObjectId::Id(OpId(1, ActorId::from([5; 16]))),
            nothing,
        ),
        (
            Refusal::NotAnEntry("value"),
            |it| it.operations[0].action = OpType::Put(ScalarValue::Null),
            nothing,
        ),
    ]
}

/// Of two checks that fail the first answers: so each is reached alone, and two that change places are seen.
#[test]
fn the_checks_of_the_gate_stand_in_their_order() {
    let (workspace, _) = victim();
    let [_, _, edit] = honest(&workspace);
    let refused = |breaks: &[&Break]| {
        let mut change = expanded(&edit);
        // The later first: what is cleared is not looked into.
        for (_, of_change, _) in breaks.iter().rev() {
            of_change(&mut change);
        }
        let mut bytes = bytes(change);
        for (_, _, of_bytes) in breaks {
            of_bytes(&mut bytes);
        }
        offer(&mut workspace.clone(), edit.document, bytes)
    };
    let order = order();
    for (first, broken) in order.iter().enumerate() {
        let expected = Some(broken.0.clone());
        assert_eq!(refused(&[broken]), expected, "alone");
        for also in &order[first + 1..] {
            let both = refused(&[broken, also]);
            assert_eq!(both, expected, "beside {:?}", also.0);
        }
    }
    assert_eq!(refused(&[]), None);
}
