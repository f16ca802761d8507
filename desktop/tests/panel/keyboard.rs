//! Everything can be reached without a mouse.

use aramaki_desktop::view::{Problem, Route};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use crate::world::{CHECKOUT, DATABASES, Desk, WEBSHOP, space};
use crate::{WIDE, app, focused};

#[test]
fn from_the_overview_to_the_broken_part_and_back() {
    let mut window = app(&Desk::new(), WIDE);
    window.key_press(Key::J);
    window.run();
    // What needs attention comes first.
    assert!(focused(&window).starts_with("Webshop: Critical"));
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(*window.state().route(), Route::System(space(WEBSHOP)));
    window.key_press(Key::J);
    window.run();
    assert!(focused(&window).starts_with("Checkout · replication: lag 41 s"));
    window.key_press(Key::J);
    window.run();
    assert_eq!(focused(&window), "Checkout, Critical");
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(*window.state().route(), Route::System(space(CHECKOUT)));
    window.key_press(Key::Escape);
    window.run();
    // Escape gives up the focus or goes back: twice does both.
    if *window.state().route() == Route::System(space(CHECKOUT)) {
        window.key_press(Key::Escape);
        window.run();
    }
    assert_eq!(*window.state().route(), Route::System(space(WEBSHOP)));
    window.key_press_modifiers(Modifiers::ALT, Key::ArrowLeft);
    window.run();
    assert_eq!(*window.state().route(), Route::Overview);
}

#[test]
fn a_system_is_made_by_typing_its_name_and_enter() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    window.get_by_label("New System").click();
    window.run();
    window.key_press(Key::Enter);
    window.run();
    assert!(
        window.query_by_label("Cancel").is_some(),
        "without a title nothing is made"
    );
    window.event(egui::Event::Text("Typed here".to_owned()));
    window.run();
    window.key_press(Key::Enter);
    window.run();
    assert!(window.query_by_label("Cancel").is_none(), "it is closed");
    assert_eq!(desk.asked(), ["NewSystem"]);
}

#[test]
fn a_problem_says_what_it_means_and_what_helps_and_can_be_closed() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    desk.show(|frame| {
        frame.problem = Some(Problem {
            code: "A-113".to_owned(),
            message: "the change was not stored: no space left".to_owned(),
        });
    });
    window.run();
    window.get_by_label_contains("A-113");
    window.get_by_label_contains("Make room on the disk");
    window.get_by_label_contains("no space left");
    window.get_by_label("Close").click();
    window.run();
    assert_eq!(desk.asked(), ["ForgetProblem"]);
}

#[test]
fn j_and_k_walk_through_more_cards_than_fit() {
    let mut window = app(&Desk::new(), [1_280.0, 500.0]);
    for _ in 0..20 {
        window.key_press(Key::J);
        window.run();
    }
    let twentieth = focused(&window);
    assert!(twentieth.starts_with("Customer project"), "{twentieth}");
    window.key_press(Key::K);
    window.run();
    let before = focused(&window);
    assert!(before < twentieth, "{before} stands before {twentieth}");
}

#[test]
fn search_finds_systems_and_notes_and_goes_there() {
    let mut window = app(&Desk::new(), WIDE);
    for key in [Key::Slash, Key::K] {
        let modifiers = if key == Key::K {
            Modifiers::COMMAND
        } else {
            Modifiers::NONE
        };
        window.key_press_modifiers(modifiers, key);
        window.run();
        let field = window.get_by_role_and_label(
            egui::accesskit::Role::TextInput,
            "Search Systems, notes, pages…",
        );
        field.type_text("gateway");
        window.run();
        window.get_by_label("Payment gateway is slow");
        window.key_press(Key::Escape);
        window.run();
        assert!(window.query_by_label("Payment gateway is slow").is_none());
    }
    window.key_press(Key::Slash);
    window.run();
    window
        .get_by_role(egui::accesskit::Role::TextInput)
        .type_text("data");
    window.run();
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(*window.state().route(), Route::System(space(DATABASES)));
}

#[test]
fn letters_that_are_typed_into_a_field_are_no_shortcuts() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    window.get_by_label("New System").click();
    window.run();
    let field = window.get_by_role_and_label(egui::accesskit::Role::TextInput, "Title");
    field.focus();
    window.run();
    window
        .get_by_role_and_label(egui::accesskit::Role::TextInput, "Title")
        .type_text("j/k");
    window.run();
    let field = window.get_by_role_and_label(egui::accesskit::Role::TextInput, "Title");
    assert_eq!(field.value().as_deref(), Some("j/k"));
    assert_eq!(*window.state().route(), Route::Overview);
}
