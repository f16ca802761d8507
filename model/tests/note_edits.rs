//! Notes edited by several people at once: bases, undo and redo.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

mod common;
#[path = "common/dice.rs"]
mod dice;

use aramaki_model::{
    Edit, EditError, NoteEdit, NoteHistory, NoteId, NoteVersion, Splice, Workspace,
};
use common::{at, chain, receive, send, space};
use dice::Dice;
use proptest::prelude::*;

const ALICE: u8 = 11;
const BOB: u8 = 12;

fn note() -> NoteId {
    NoteId::default()
}

fn splice(at: usize, delete: usize, insert: &str) -> Splice {
    Splice {
        at,
        delete,
        insert: insert.to_owned(),
    }
}

/// One person at a device.
struct Person {
    n: u8,
    workspace: Workspace,
    history: NoteHistory,
    second: i64,
}

impl Person {
    fn new(n: u8) -> Self {
        let mut workspace = Workspace::new();
        workspace.open_space(space(1));
        Self {
            n,
            workspace,
            history: NoteHistory::of(space(1), note()),
            second: 0,
        }
    }

    fn text(&self) -> String {
        let text = self.workspace.note_text(&space(1), note());
        text.unwrap_or_default().to_owned()
    }

    /// The version on the screen.
    fn version(&self) -> NoteVersion {
        self.workspace
            .note_version(&space(1), note())
            .unwrap_or_default()
    }

    /// Types at a version; each time is a step of its own.
    fn edits(&mut self, base: &NoteVersion, splices: &[Splice]) -> Result<Edit, EditError> {
        self.second += 10;
        let edit = NoteEdit {
            base: base.clone(),
            splices: splices.to_vec(),
        };
        let (now, chain) = (at(self.second), chain(self.n));
        self.workspace
            .edit_note(&chain, now, &edit, &mut self.history)
    }

    fn types(&mut self, splices: &[Splice]) -> Edit {
        self.edits(&self.version(), splices).unwrap()
    }

    fn undo(&mut self) -> Option<Edit> {
        let now = at(self.second);
        self.workspace
            .undo_note(&chain(self.n), now, &mut self.history)
            .unwrap()
    }

    fn redo(&mut self) -> Option<Edit> {
        let now = at(self.second);
        self.workspace
            .redo_note(&chain(self.n), now, &mut self.history)
            .unwrap()
    }
}

/// Both take in what one of them wrote.
fn share(edit: Edit, writer: &mut Person, other: &mut Person) {
    let sent = send(space(1), &chain(writer.n), edit);
    assert_eq!(receive(&mut writer.workspace, &sent), []);
    assert_eq!(receive(&mut other.workspace, &sent), []);
}

fn pair(text: &str) -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new(ALICE), Person::new(BOB));
    let edit = alice.types(&[splice(0, 0, text)]);
    share(edit, &mut alice, &mut bob);
    alice.history = NoteHistory::of(space(1), note());
    (alice, bob)
}

#[test]
fn a_remote_edit_between_two_frames_misplaces_nothing() {
    let (mut alice, mut bob) = pair("one three");
    let shown = alice.version();
    let edit = bob.types(&[splice(0, 0, "zero ")]);
    share(edit, &mut bob, &mut alice);
    // Alice typed before she saw it: behind "one ".
    let edit = alice.edits(&shown, &[splice(4, 0, "two ")]).unwrap();
    share(edit, &mut alice, &mut bob);
    assert_eq!(alice.text(), "zero one two three");
    assert_eq!(bob.text(), alice.text());
}

#[test]
fn own_edits_after_the_base_count_as_seen() {
    let (mut alice, mut bob) = pair("abc");
    let shown = alice.version();
    let edit = bob.types(&[splice(0, 3, "ABC")]);
    share(edit, &mut bob, &mut alice);
    // Three letters in three frames, none of which has drawn anything new yet.
    for (n, letter) in ["x", "y", "z"].into_iter().enumerate() {
        let edit = alice.edits(&shown, &[splice(3 + n, 0, letter)]).unwrap();
        share(edit, &mut alice, &mut bob);
    }
    assert_eq!(alice.text(), "ABCxyz");
    assert_eq!(bob.text(), alice.text());
}

#[test]
fn splices_of_one_edit_follow_each_other() {
    let (mut alice, _) = pair("hello");
    let edit = alice.types(&[splice(5, 0, " wörld"), splice(0, 1, "H"), splice(7, 1, "o")]);
    assert_eq!(alice.text(), "Hello world");
    assert_eq!(edit.changes.len(), 3);
}

#[test]
fn a_version_or_place_that_is_not_known_changes_nothing() {
    let (mut alice, _) = pair("abc");
    let unknown = NoteVersion(vec![[9; 32]]);
    assert!(matches!(
        alice.edits(&unknown, &[splice(0, 0, "x")]),
        Err(EditError::Refused(_))
    ));
    let version = alice.version();
    let places = [splice(0, 0, "x"), splice(9, 0, "y")];
    assert!(matches!(
        alice.edits(&version, &places),
        Err(EditError::Place)
    ));
    assert_eq!(alice.text(), "abc");
    assert!(!alice.history.can_undo());
}

#[test]
fn undo_takes_back_own_words_and_leaves_what_others_wrote() {
    let (mut alice, mut bob) = pair("base");
    let edit = alice.types(&[splice(4, 0, " mine")]);
    share(edit, &mut alice, &mut bob);
    let edit = bob.types(&[splice(7, 0, "BOB"), splice(0, 0, "> ")]);
    share(edit, &mut bob, &mut alice);
    assert_eq!(alice.text(), "> base miBOBne");
    let edit = alice.undo().unwrap();
    share(edit, &mut alice, &mut bob);
    assert_eq!(alice.text(), "> baseBOB");
    let edit = alice.redo().unwrap();
    share(edit, &mut alice, &mut bob);
    assert_eq!(alice.text().replace("BOB", ""), "> base mine");
    assert_eq!(bob.text(), alice.text());
    assert!(alice.redo().is_none());
}

#[test]
fn undo_goes_back_through_what_undo_brought_back() {
    let mut alice = Person::new(ALICE);
    let _edit = alice.types(&[splice(0, 0, "abc")]);
    let _edit = alice.types(&[splice(1, 1, "")]);
    let _edit = alice.types(&[splice(0, 1, "X")]);
    let texts = ["Xc", "ac", "abc", ""];
    for _ in 0..3 {
        for pair in texts.windows(2) {
            assert_eq!(alice.text(), pair[0]);
            assert!(alice.undo().is_some());
            assert_eq!(alice.text(), pair[1]);
        }
        assert!(alice.undo().is_none());
        while alice.redo().is_some() {}
        assert_eq!(alice.text(), "Xc");
    }
    // Typing anew leaves nothing to do again.
    alice.undo();
    let _edit = alice.types(&[splice(0, 0, "n")]);
    assert!(!alice.history.can_redo());
}

#[test]
fn letters_typed_in_a_row_are_one_step() {
    let mut alice = Person::new(ALICE);
    for letter in ["a", "b", "c"] {
        let end = alice.text().chars().count();
        let _edit = alice.types(&[splice(end, 0, letter)]);
        alice.second -= 10;
    }
    alice.second += 10;
    let _edit = alice.types(&[splice(3, 0, "d")]);
    alice.undo();
    assert_eq!(alice.text(), "abc");
    alice.undo();
    assert_eq!(alice.text(), "");
    assert!(!alice.history.can_undo());
}

#[test]
fn a_long_paste_is_undone_in_changes_that_others_accept() {
    let (mut alice, mut bob) = pair("kept");
    let edit = alice.types(&[splice(2, 0, &"ü line\n".repeat(6_000))]);
    assert!(edit.changes.len() > 1);
    share(edit, &mut alice, &mut bob);
    let edit = alice.undo().unwrap();
    assert!(edit.changes.len() > 1);
    share(edit, &mut alice, &mut bob);
    assert_eq!(
        (alice.text(), bob.text()),
        ("kept".to_owned(), "kept".to_owned())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn undoing_everything_leaves_what_others_wrote_and_replicas_agree(seed in any::<u64>()) {
        let mut dice = Dice(seed | 1);
        let (mut alice, mut bob) = pair("0123456789");
        let mut shown = alice.version();
        for _ in 0..14 {
            match dice.below(6) {
                0 | 1 => {
                    // Bob writes digits in between; Alice may not have drawn them yet.
                    let end = bob.text().chars().count();
                    let digit = splice(dice.below(end + 1), 0, &(dice.byte() % 10).to_string());
                    let edit = bob.types(&[digit]);
                    share(edit, &mut bob, &mut alice);
                }
                2 => shown = alice.version(),
                3 => if let Some(edit) = alice.undo() {
                    share(edit, &mut alice, &mut bob);
                    shown = alice.version();
                },
                4 => if let Some(edit) = alice.redo() {
                    share(edit, &mut alice, &mut bob);
                    shown = alice.version();
                },
                _ => {
                    let edit = alice.edits(&shown, &[splice(0, 0, "abc")]).unwrap();
                    share(edit, &mut alice, &mut bob);
                }
            }
            prop_assert_eq!(alice.text(), bob.text());
        }
        while let Some(edit) = alice.undo() {
            share(edit, &mut alice, &mut bob);
        }
        prop_assert_eq!(alice.text(), bob.text());
        prop_assert!(alice.text().chars().all(|c| c.is_ascii_digit()), "{}", alice.text());
    }
}
