//! The order in which changes arrive never matters.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

mod common;
#[path = "common/dice.rs"]
mod dice;

use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::entry::Message;
use aramaki_model::system::{Contact, NoteRef, Part};
use aramaki_model::{
    Check, CheckId, Edit, EditError, EntryId, ItemId, NoteId, Operator, Splice, TimelineEntry,
    Workspace,
};
use common::{Sent, at, chain, receive, send, space};
use dice::Dice;
use proptest::prelude::*;

const WRITERS: u8 = 3;

/// A random edit of one of two Systems by one writer.
fn edit(workspace: &mut Workspace, writer: u8, dice: &mut Dice) -> Result<Sent, EditError> {
    let place = space(1 + dice.byte() % 2);
    let chain = chain(10 + writer);
    let now = at(i64::from(dice.byte()));
    let small = [dice.byte() % 3; 16];
    let word = format!("w{}", dice.below(100));
    let note = NoteId::from_bytes(small);
    let edit: Edit = match dice.below(10) {
        0 => workspace.edit_system(place, &chain, now, |e| e.title(&word))?,
        1 => workspace.edit_system(place, &chain, now, |e| {
            e.put_part(
                space(1 + small[0]),
                &Part {
                    label: word,
                    ..Part::default()
                },
            )
        })?,
        2 => workspace.edit_system(place, &chain, now, |e| e.remove_part(space(1 + small[0])))?,
        3 => workspace.edit_system(place, &chain, now, |e| {
            e.put_contact(
                ItemId::from_bytes(small),
                &Contact {
                    name: word,
                    ..Contact::default()
                },
            )
        })?,
        4 => workspace.edit_system(place, &chain, now, |e| {
            e.aggregation(Operator::AtLeast(u32::from(small[0])))?;
            let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
            e.put_check(&Check::new(CheckId::from_bytes(small), word, kind))
        })?,
        5 => workspace.edit_system(place, &chain, now, |e| {
            e.put_note(
                note,
                &NoteRef {
                    title: word,
                    ..NoteRef::default()
                },
            )
        })?,
        6 | 7 => {
            let length = workspace
                .note_text(&place, note)
                .map_or(0, |text| text.chars().count());
            let from = dice.below(length + 1);
            let delete = dice.below((length - from).min(4) + 1);
            let splice = Splice {
                at: from,
                delete,
                insert: word,
            };
            workspace.splice_note(place, note, &chain, now, &splice)?
        }
        _ => {
            let message = TimelineEntry::Message(Message {
                at: now,
                text: word,
            });
            let id = EntryId::new(now, [dice.byte(); 10]);
            workspace.append_timeline(place, &chain, now, &[(id, message)])?
        }
    };
    Ok(send(place, &chain, edit))
}

/// Three writers edit, each seeing some of what the others wrote so far; returns all envelopes.
fn history(dice: &mut Dice, steps: usize) -> Vec<Sent> {
    let mut writers: Vec<_> = (0..WRITERS).map(|_| Workspace::new()).collect();
    for writer in &mut writers {
        writer.open_space(space(1));
        writer.open_space(space(2));
    }
    let mut sent: Vec<Sent> = Vec::new();
    let mut seen = [0; WRITERS as usize];
    for _ in 0..steps {
        let writer = dice.byte() % WRITERS;
        let place = usize::from(writer);
        if dice.below(3) == 0 {
            // Catch up with a part of the history, which is causally complete.
            let until = seen[place] + dice.below(sent.len() - seen[place] + 1);
            for envelope in &sent[seen[place]..until] {
                assert_eq!(receive(&mut writers[place], envelope), []);
            }
            seen[place] = until;
        }
        let envelope = edit(&mut writers[place], writer, dice).unwrap();
        if !envelope.admitted.changes.is_empty() {
            sent.push(envelope);
        }
    }
    sent
}

fn shuffled(mut sent: Vec<Sent>, dice: &mut Dice) -> Vec<Sent> {
    for i in (1..sent.len()).rev() {
        sent.swap(i, dice.below(i + 1));
    }
    sent
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn replicas_that_got_the_same_changes_in_any_order_show_the_same(seed: u64) {
        let mut dice = Dice(seed);
        let steps = 10 + dice.below(30);
        let sent = history(&mut dice, steps);
        let mut views = Vec::new();
        for replica in 0..3 {
            let mut workspace = Workspace::new();
            let order = if replica == 0 { sent.clone() } else { shuffled(sent.clone(), &mut dice) };
            for envelope in &order {
                receive(&mut workspace, envelope);
                // Duplicates change nothing.
                if dice.below(4) == 0 {
                    receive(&mut workspace, envelope);
                }
            }
            let mut view = workspace.view(at(300));
            view.version = 0;
            // What had to wait on the way is remembered; what is left out in the end must agree.
            let waits = |finding: &&aramaki_model::Finding| matches!(finding.reason, aramaki_model::Reason::Waiting(_));
            view.findings = view.findings.iter().filter(|finding| !waits(finding)).cloned().collect();
            views.push((workspace.digest(), view));
        }
        prop_assert_eq!(&views[0], &views[1]);
        prop_assert_eq!(&views[0], &views[2]);
        prop_assert!(views[0].1.findings.is_empty());
    }

    #[test]
    fn one_batch_and_single_envelopes_give_the_same(seed: u64) {
        let mut dice = Dice(seed);
        let sent = history(&mut dice, 30);
        let mut singly = Workspace::new();
        for envelope in &sent {
            receive(&mut singly, envelope);
        }
        let mut batched = Workspace::new();
        let mut by_document = std::collections::BTreeMap::<_, Vec<_>>::new();
        for envelope in sent {
            let place = (envelope.space, envelope.document);
            batched.link(envelope.space, &[envelope.links]);
            by_document.entry(place).or_default().push(envelope.admitted);
        }
        for ((space, document), admitted) in by_document {
            prop_assert_eq!(batched.admit(space, document, &admitted), []);
        }
        prop_assert_eq!(singly.digest(), batched.digest());
    }
}
