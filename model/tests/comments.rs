//! Who may comment adds entries to timelines and does nothing else, whatever their program sends (A10).

mod common;

use aramaki_model::doc::Refusal;
use aramaki_model::entry::Message;
use aramaki_model::{
    ChangeScope, Edit, EntryId, Finding, NoteId, Reason, TimelineEntry, Workspace,
};
use common::{at, chain, receive, send, space};

const ALICE: u8 = 11;
const GUEST: u8 = 12;

/// Takes an edit in as one of somebody who may comment.
fn comment(workspace: &mut Workspace, edit: Edit) -> Vec<Finding> {
    let mut sent = send(space(1), &chain(GUEST), edit);
    sent.admitted.scope = ChangeScope::Timelines;
    receive(workspace, &sent)
}

#[test]
fn a10_a_commenters_change_counts_in_a_timeline_alone() {
    let (mut guest, mut other) = (Workspace::new(), Workspace::new());
    for workspace in [&mut guest, &mut other] {
        workspace.open_space(space(1));
    }
    let alice = chain(ALICE);
    let mut author = Workspace::new();
    author.open_space(space(1));
    let system = author.edit_system(space(1), &alice, at(0), |edit| edit.title("Webshop"));
    let system = send(space(1), &alice, system.unwrap());
    for workspace in [&mut guest, &mut other] {
        assert!(receive(workspace, &system).is_empty());
    }
    let guest_is = chain(GUEST);
    let id = EntryId::new(at(1), [1; 10]);
    let message = TimelineEntry::Message(Message {
        at: at(1),
        text: "it was the disk".to_owned(),
    });
    let entry = guest.append_timeline(space(1), &guest_is, at(1), &[(id, message)]);
    let entry = entry.unwrap();
    let segment = entry.document;
    assert!(comment(&mut other, entry).is_empty());
    assert!(other.is_timeline(&space(1), &segment));
    let snapshot = other.view(at(2));
    let shown = snapshot.system(&space(1)).unwrap();
    assert_eq!(shown.timeline.len(), 1);

    let title = guest.edit_system(space(1), &guest_is, at(2), |edit| edit.title("Mine"));
    let findings = comment(&mut other, title.unwrap());
    let [refused] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(refused.reason, Reason::Refused(Refusal::Comment));
    assert_eq!(other.system(&space(1)).unwrap().title, "Webshop");

    // Nor does it begin a document of another kind.
    let note = NoteId::default();
    let text = guest.set_note(space(1), note, &guest_is, at(3), "mine");
    comment(&mut other, text.unwrap());
    assert_eq!(other.note_text(&space(1), note), None);
}
