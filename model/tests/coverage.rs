//! A change counts only if its envelope builds on what it depends on (TRUST §3, §7d).

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

mod common;

use aramaki_model::doc::Refusal;
use aramaki_model::{Edit, EnvelopeLinks, NoteId, Reason, Workspace, name};
use aramaki_sync_core::EnvelopeId;
use common::{Sent, at, chain, send, space};

const ALICE: u8 = 11;
const BOB: u8 = 12;
const CAROL: u8 = 13;

fn note() -> NoteId {
    NoteId::default()
}

/// A replica that holds these envelopes.
fn holding(sent: &[&Sent]) -> Workspace {
    let mut workspace = Workspace::new();
    workspace.open_space(space(1));
    for sent in sent {
        assert_eq!(common::receive(&mut workspace, sent), []);
    }
    workspace
}

/// What a writer adds to the note in front of everything.
fn writes(workspace: &Workspace, n: u8, text: &str) -> Edit {
    let mut workspace = workspace.clone();
    let old = workspace.note_text(&space(1), note()).unwrap_or_default();
    let text = format!("{text}{old}");
    workspace
        .set_note(space(1), note(), &chain(n), at(0), &text)
        .unwrap()
}

/// The edit in an envelope that names exactly this.
fn naming(n: u8, edit: Edit, previous: EnvelopeId, ancestors: &[EnvelopeId]) -> Sent {
    let mut sent = send(space(1), &chain(n), edit);
    sent.links.previous = previous;
    sent.links.ancestors = ancestors.to_vec();
    sent
}

/// An envelope that carries nothing for this document: control, another document, or a merge.
fn bare(n: u8, ancestors: &[EnvelopeId]) -> EnvelopeLinks {
    EnvelopeLinks {
        id: EnvelopeId::from_bytes([n; 32]),
        previous: EnvelopeId::ZERO,
        ancestors: ancestors.to_vec(),
    }
}

/// Takes envelopes in, links first for all; returns the refusals and the text then.
fn after(order: &[&Sent], links: &[EnvelopeLinks]) -> (Vec<(EnvelopeId, Refusal)>, String) {
    let mut reader = Workspace::new();
    reader.open_space(space(1));
    let mut findings = reader.link(space(1), links);
    for sent in order {
        findings.extend(common::receive(&mut reader, sent));
    }
    let refused = findings
        .into_iter()
        .filter_map(|finding| match finding.reason {
            Reason::Refused(refusal) => Some((finding.envelope?, refusal)),
            _ => None,
        });
    let text = reader.note_text(&space(1), note()).unwrap_or_default();
    (refused.collect(), text.to_owned())
}

/// Alice begins a note, Bob adds to it while naming only `ancestors`.
fn two(ancestors: impl Fn(&Sent) -> Vec<EnvelopeId>) -> (Sent, Sent) {
    let alice = send(
        space(1),
        &chain(ALICE),
        writes(&holding(&[]), ALICE, "alice"),
    );
    let bob = writes(&holding(&[&alice]), BOB, "bob ");
    let bob = naming(BOB, bob, EnvelopeId::ZERO, &ancestors(&alice));
    (alice, bob)
}

#[test]
fn a_dependency_that_the_envelope_does_not_name_is_quarantined_alone() {
    let (alice, bob) = two(|_| Vec::new());
    let honest = writes(&holding(&[&alice]), CAROL, "carol ");
    let carol = send(space(1), &chain(CAROL), honest);
    for order in [
        [&alice, &bob, &carol],
        [&carol, &bob, &alice],
        [&bob, &carol, &alice],
    ] {
        let (refused, text) = after(&order, &[]);
        assert_eq!(refused, [(bob.admitted.id, Refusal::NotCovered)]);
        assert_eq!(text, "carol alice");
    }
    // It is shown.
    let mut reader = holding(&[&alice, &carol]);
    common::receive(&mut reader, &bob);
    let shown = reader.view(at(1)).findings;
    assert!(shown.iter().any(|f| f.envelope == Some(bob.admitted.id)
        && f.document == name::note(note())
        && f.reason == Reason::Refused(Refusal::NotCovered)));
}

#[test]
fn a_dependency_is_covered_by_what_the_envelope_names() {
    let (alice, bob) = two(|alice| vec![alice.admitted.id]);
    for order in [[&alice, &bob], [&bob, &alice]] {
        assert_eq!(after(&order, &[]), (Vec::new(), "bob alice".to_owned()));
    }
}

#[test]
fn the_way_may_lead_through_chains_control_and_merge_envelopes() {
    // Carol's control envelope 71 names Alice's; a merge 72 names that one; Bob names the merge.
    let (alice, bob) = two(|_| vec![EnvelopeId::from_bytes([72; 32])]);
    let links = [
        bare(71, &[alice.admitted.id]),
        bare(72, &[bare(71, &[]).id]),
    ];
    assert_eq!(
        after(&[&alice, &bob], &links),
        (Vec::new(), "bob alice".to_owned())
    );
    // Without the control envelope's own word nothing leads from the merge to Alice.
    let links = [bare(71, &[]), bare(72, &[bare(71, &[]).id])];
    assert_eq!(
        after(&[&alice, &bob], &links).0,
        [(bob.admitted.id, Refusal::NotCovered)]
    );
}

#[test]
fn own_earlier_envelopes_cover_by_the_chain() {
    let first = send(space(1), &chain(ALICE), writes(&holding(&[]), ALICE, "one"));
    let second = writes(&holding(&[&first]), ALICE, "two ");
    let second = naming(ALICE, second, first.admitted.id, &[]);
    assert_eq!(
        after(&[&second, &first], &[]),
        (Vec::new(), "two one".to_owned())
    );
    let apart = writes(&holding(&[&first]), ALICE, "two ");
    let apart = naming(ALICE, apart, EnvelopeId::ZERO, &[]);
    assert_eq!(
        after(&[&first, &apart], &[]).0,
        [(apart.admitted.id, Refusal::NotCovered)]
    );
}

#[test]
fn concurrent_edits_of_honest_writers_all_count_in_any_order() {
    let base = send(
        space(1),
        &chain(ALICE),
        writes(&holding(&[]), ALICE, "base"),
    );
    let held = holding(&[&base]);
    let one = send(space(1), &chain(ALICE), writes(&held, ALICE, "one "));
    let two = send(space(1), &chain(BOB), writes(&held, BOB, "two "));
    // Carol has seen both.
    let both = send(
        space(1),
        &chain(CAROL),
        writes(&holding(&[&base, &one, &two]), CAROL, "both "),
    );
    let mut texts = Vec::new();
    for order in [
        [&base, &one, &two, &both],
        [&both, &two, &one, &base],
        [&two, &both, &base, &one],
    ] {
        let (refused, text) = after(&order, &[]);
        assert_eq!(refused, []);
        texts.push(text);
    }
    assert!(texts[0].starts_with("both "));
    assert!(texts.iter().all(|text| *text == texts[0]));
}

#[test]
fn a_change_waits_until_it_is_known_what_its_envelope_builds_on() {
    let (alice, bob) = two(|_| vec![EnvelopeId::from_bytes([73; 32])]);
    let mut reader = holding(&[&alice]);
    assert_eq!(common::receive(&mut reader, &bob), []);
    assert_eq!(reader.note_text(&space(1), note()), Some("alice"));
    assert!(
        reader
            .view(at(1))
            .findings
            .iter()
            .any(|f| f.reason == Reason::Waiting(1))
    );
    assert_eq!(reader.link(space(1), &[bare(73, &[alice.admitted.id])]), []);
    assert_eq!(reader.note_text(&space(1), note()), Some("bob alice"));
    assert_eq!(reader.linked(&space(1)), 3);
}

#[test]
fn a_log_is_guarded_the_same_way() {
    use aramaki_model::entry::Message;
    use aramaki_model::{EntryId, TimelineEntry};
    let entry = |n: u8| {
        let message = Message {
            at: at(0),
            text: n.to_string(),
        };
        (
            EntryId::new(at(0), [n; 10]),
            TimelineEntry::Message(message),
        )
    };
    let mut alice = holding(&[]);
    let edit = alice
        .append_timeline(space(1), &chain(ALICE), at(0), &[entry(1)])
        .unwrap();
    let alice = send(space(1), &chain(ALICE), edit);
    let mut bob = holding(&[&alice]);
    let edit = bob
        .append_timeline(space(1), &chain(BOB), at(0), &[entry(2)])
        .unwrap();
    let bob = naming(BOB, edit, EnvelopeId::ZERO, &[]);
    assert_eq!(
        after(&[&alice, &bob], &[]).0,
        [(bob.admitted.id, Refusal::NotCovered)]
    );
}
