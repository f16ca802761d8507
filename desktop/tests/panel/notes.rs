//! Writing a note while others write in it.

use aramaki_sync_core::statement::Capability;
use egui::accesskit::Role;
use egui::{Event, ImeEvent, Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::acts::{Window, go, steps};
use crate::world::{CHECKOUT, Desk, space};
use crate::{WIDE, app};

const TEXT: &str = "First look at the queue.\nThen call.";

/// The note, with the cursor behind its last letter.
fn opened(desk: &Desk) -> Window {
    let mut window = app(desk, WIDE);
    go(&mut window, "gateway");
    editor(&window).focus();
    steps(&mut window);
    window.key_press_modifiers(Modifiers::COMMAND, Key::End);
    steps(&mut window);
    assert_eq!(shown(&window), TEXT);
    window
}

fn editor(window: &Window) -> egui_kittest::Node<'_> {
    window.get_by_role_and_label(Role::MultilineTextInput, "Note")
}

fn shown(window: &Window) -> String {
    editor(window).value().unwrap_or_default()
}

fn write(window: &mut Window, text: &str) {
    editor(window).type_text(text);
    steps(window);
}

fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.key_press_modifiers(modifiers, key);
    steps(window);
}

#[test]
fn what_is_typed_reaches_the_document() {
    let desk = Desk::new();
    let mut window = opened(&desk);
    write(&mut window, " Grüß sie 👩‍🚀.");
    assert_eq!(desk.text(), format!("{TEXT} Grüß sie 👩‍🚀."));
    assert_eq!(shown(&window), desk.text());
    window.get_by_label("on this disk and elsewhere");
}

#[test]
fn words_of_others_come_in_and_the_cursor_stays_behind_its_own() {
    let desk = Desk::new();
    let mut window = opened(&desk);
    write(&mut window, " Now");
    desk.remote(0, 5, "Second, and at leisure,");
    steps(&mut window);
    write(&mut window, "!");
    let expected = format!("{} Now!", TEXT.replace("First", "Second, and at leisure,"));
    assert_eq!(desk.text(), expected);
    assert_eq!(shown(&window), expected);
}

#[test]
fn undo_takes_back_own_words_alone_and_redo_brings_them_back() {
    let desk = Desk::new();
    let mut window = opened(&desk);
    write(&mut window, " mine");
    desk.remote(0, 0, "theirs ");
    steps(&mut window);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(desk.text(), format!("theirs {TEXT}"));
    assert_eq!(shown(&window), desk.text());
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(desk.text(), format!("theirs {TEXT}"), "nothing of theirs");
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(desk.text(), format!("theirs {TEXT} mine"));
    press(&mut window, Modifiers::COMMAND, Key::Z);
    press(&mut window, Modifiers::COMMAND, Key::Y);
    assert_eq!(shown(&window), format!("theirs {TEXT} mine"));
}

#[test]
fn undo_works_by_mouse_and_says_when_there_is_nothing_to_undo() {
    let desk = Desk::new();
    let mut window = opened(&desk);
    assert!(
        window
            .get_by_label("Undo (Ctrl+Z)")
            .accesskit_node()
            .is_disabled()
    );
    write(&mut window, "?");
    window.get_by_label("Undo (Ctrl+Z)").click();
    steps(&mut window);
    assert_eq!(desk.text(), TEXT);
    window.get_by_label("Redo (Ctrl+Shift+Z)").click();
    steps(&mut window);
    assert_eq!(desk.text(), format!("{TEXT}?"));
}

#[test]
fn what_waits_is_said_and_stays_on_the_screen() {
    let desk = Desk::new();
    let mut window = opened(&desk);
    desk.hold();
    write(&mut window, " held");
    assert_eq!(desk.text(), TEXT);
    assert_eq!(shown(&window), format!("{TEXT} held"));
    window.get_by_label("not on this disk yet");
    desk.let_go();
    steps(&mut window);
    assert_eq!(desk.text(), format!("{TEXT} held"));
    desk.show(|frame| {
        for trust in frame.trust.values_mut() {
            trust.only_here = 1;
        }
    });
    steps(&mut window);
    window.get_by_label("on this disk only");
}

#[test]
fn pasting_over_a_selection_and_undoing_it_leaves_the_rest_alone() {
    let desk = Desk::new();
    let mut window = opened(&desk);
    press(&mut window, Modifiers::SHIFT, Key::Home);
    window.event(Event::Paste("Call\ntwice.".to_owned()));
    steps(&mut window);
    assert_eq!(desk.text(), "First look at the queue.\nCall\ntwice.");
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(desk.text(), TEXT);
}

#[test]
fn an_input_method_sends_what_was_decided_and_nothing_before() {
    let desk = Desk::new();
    let mut window = opened(&desk);
    for text in ["に", "にほ"] {
        window.event(Event::Ime(ImeEvent::Preedit {
            text: text.to_owned(),
            active_range_chars: None,
        }));
        steps(&mut window);
        assert_eq!(desk.text(), TEXT);
    }
    window.event(Event::Ime(ImeEvent::Commit("日本".to_owned())));
    steps(&mut window);
    assert_eq!(desk.text(), format!("{TEXT}日本"));
    assert_eq!(shown(&window), desk.text());
}

#[test]
fn who_may_only_read_cannot_write() {
    let desk = Desk::new();
    desk.show(|frame| {
        let trust = frame.trust.get_mut(&space(CHECKOUT)).unwrap();
        trust.mine = Some(Capability::Read);
    });
    let mut window = opened(&desk);
    window.get_by_label("you may read this note");
    write(&mut window, "vandalism");
    assert_eq!(desk.text(), TEXT);
    assert_eq!(shown(&window), TEXT);
}
