//! Runbooks where they are needed, and their buttons that ask.

use aramaki_desktop::view::Route;
use aramaki_model::NoteId;
use aramaki_model::system::{NoteKind, NoteRef};
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::acts::{Window, click, go, press};
use crate::night;
use crate::world::{CHECKOUT, Desk, ME, at, chain, space};
use crate::{NARROW, WIDE, app};

const TEXT: &str = "# Prices are old\n\nFirst [flush the shop](action:db2.example.org/flush-cache?path=/shop), \
then look at [orders](https://orders.example.org/today).\n\n- [reboot](action:db2.example.org/reboot)\n\
- [elsewhere](action:db9/flush-cache)\n- [wrong](action:db2.example.org/flush-cache?path=x)\n";

fn desk() -> Desk {
    let mut workspace = night::workspace();
    let note = NoteId::new(at(-8_000), [8; 10]);
    workspace
        .set_note(space(CHECKOUT), note, &chain(ME), at(-800), TEXT)
        .map(drop)
        .unwrap();
    let place = NoteRef {
        title: "Old prices".to_owned(),
        kind: NoteKind::Runbook,
    };
    workspace
        .edit_system(space(CHECKOUT), &chain(ME), at(-800), |edit| {
            edit.put_note(note, &place)
        })
        .map(drop)
        .unwrap();
    let desk = Desk::of(workspace);
    desk.show(night::dress);
    desk
}

fn is_disabled(window: &Window, name: &str) -> bool {
    let button = window.get_by_role_and_label(Role::Button, name);
    button.accesskit_node().is_disabled()
}

#[test]
fn a_button_in_a_runbook_asks_with_its_values_and_runs_nothing_by_itself() {
    let desk = desk();
    let mut window = app(&desk, WIDE);
    go(&mut window, "Checkout");
    window.get_by_label("Prices are old");
    click(&mut window, "flush the shop");
    assert_eq!(desk.asked(), Vec::<String>::new());
    let path = window.get_by_role_and_label(Role::TextInput, "path");
    assert_eq!(path.accesskit_node().value().as_deref(), Some("/shop"));
    window.event(egui::Event::Text("prices are old".to_owned()));
    window.run();
    window.get_by_role_and_label(Role::Button, "Run").click();
    window.run();
    assert_eq!(desk.asked(), ["Run"]);
}

#[test]
fn what_cannot_be_asked_for_is_a_button_that_says_why() {
    let desk = desk();
    let mut window = app(&desk, WIDE);
    go(&mut window, "Checkout");
    for (button, why) in [
        ("reboot", "db2.example.org does not allow reboot."),
        ("elsewhere", "No host of this System is called db9."),
        (
            "wrong",
            "The action does not take this: path cannot be \"x\".",
        ),
    ] {
        assert!(is_disabled(&window, button), "{button}");
        window.get_by_label_contains(why);
        click(&mut window, button);
    }
    assert!(window.query_by_label("Run").is_none());
}

#[test]
fn an_address_is_shown_whole_before_it_is_opened() {
    let desk = desk();
    let mut window = app(&desk, WIDE);
    go(&mut window, "Checkout");
    click(&mut window, "orders");
    window.get_by_label("https://orders.example.org/today");
    window.get_by_label("Open this address?");
    click(&mut window, "Cancel");
    assert!(window.query_by_label("Open this address?").is_none());
}

#[test]
fn a_runbook_stands_on_the_alert_page_and_its_preview_beside_its_text() {
    let desk = desk();
    let mut window = app(&desk, WIDE);
    window.get_by_label("Alerts, 2 need attention").click();
    window.run();
    press(&mut window, egui::Key::J);
    press(&mut window, egui::Key::Enter);
    assert_eq!(*window.state().route(), Route::Alert(night::replication()));
    window.get_by_label("flush the shop");
    click(&mut window, "Open this runbook");
    // Text and runbook, and the button works there too.
    window.get_by_role_and_label(Role::MultilineTextInput, "Note");
    window.get_by_label("As it is read");
    assert!(!is_disabled(&window, "flush the shop"));

    let mut narrow = app(&desk, NARROW);
    go(&mut narrow, "Old prices");
    assert!(narrow.query_by_label("flush the shop").is_none());
    click(&mut narrow, "As it is read");
    narrow.get_by_label("flush the shop");
}
