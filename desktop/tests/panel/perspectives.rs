//! How one looks at the worklist is kept under a name, changed, renamed, deleted, and reached by keys.

use aramaki_desktop::view::Route;
use aramaki_model::Perspective;
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use crate::acts::{Window, click, enter_into, press, steps, type_into};
use crate::night;
use crate::world::{CHECKOUT, Desk, item, space};
use crate::{WIDE, app, focused};

const FILTER: &str = "Filter: severity>=warning system:db NOT silenced:yes opened<2h …";

fn night(kept: &[(&str, Perspective)]) -> (Desk, Window) {
    let desk = Desk::of(night::workspace());
    desk.show(|frame| {
        night::dress(frame);
        let kept = (0..).zip(kept).map(|(n, (name, perspective))| {
            let name = (*name).to_owned();
            (
                item(n),
                Perspective {
                    name,
                    ..perspective.clone()
                },
            )
        });
        frame.perspectives = kept.collect();
    });
    let mut window = app(&desk, WIDE);
    click(&mut window, "Alerts, 2 need attention");
    (desk, window)
}

#[test]
fn systems_filter_and_tab_are_kept_under_a_name_and_come_back_by_a_digit() {
    let (desk, mut window) = night(&[]);
    click(&mut window, "Open (3)");
    click(&mut window, "All Systems");
    window.get_by_role_and_label(Role::CheckBox, "Checkout");
    type_into(&mut window, "Find a System…", "data");
    let other = window.query_by_role_and_label(Role::CheckBox, "Checkout");
    assert!(other.is_none(), "what was typed narrows the list");
    click(&mut window, "Databases");
    press(&mut window, Key::Escape);
    let field = window.query_by_role_and_label(Role::TextInput, "Find a System…");
    assert!(
        field.is_none(),
        "Escape closes the list, and the page stays"
    );
    window.get_by_label("Databases and below");
    assert!(
        window
            .query_by_label_contains("Checkout, replication")
            .is_none()
    );
    press(&mut window, Key::V);
    click(&mut window, "Keep as…");
    enter_into(&mut window, "Title", "Storage");
    press(&mut window, Key::Enter);
    assert_eq!(desk.asked(), ["SavePerspective"]);
    window.get_by_label("Perspective: Storage");
    press(&mut window, Key::V);
    click(&mut window, "Show everything");
    window.get_by_label("All Systems");
    window.get_by_label_contains("Checkout, replication, Critical");
    press(&mut window, Key::Num1);
    window.get_by_label("Perspective: Storage");
    window.get_by_label("Databases and below");
    window.get_by_label_contains("Databases, backup_age");
    assert!(
        window
            .query_by_label_contains("Checkout, replication")
            .is_none()
    );
}

#[test]
fn what_was_changed_is_said_and_kept_only_when_somebody_wants_it() {
    let only = Perspective {
        roots: vec![space(CHECKOUT)],
        filter: "severity:critical".to_owned(),
        tab: "open".to_owned(),
        grouping: "system".to_owned(),
        ..Perspective::default()
    };
    let (desk, mut window) = night(&[("Shop", only)]);
    press(&mut window, Key::V);
    press(&mut window, Key::Num1);
    let menu = window.query_by_label("Keep as…");
    assert!(menu.is_none(), "the digit chooses and closes the menu");
    window.get_by_label("Perspective: Shop");
    window.get_by_label_contains("Group: System");
    window.key_press(Key::F);
    steps(&mut window);
    window
        .get_by_role_and_label(Role::TextInput, FILTER)
        .type_text(" age<1d");
    steps(&mut window);
    window.get_by_label("Perspective: Shop, changed").click();
    steps(&mut window);
    window.get_by_label("Keep the changes").click();
    steps(&mut window);
    window.get_by_label("Perspective: Shop");
    window.get_by_label("Perspective: Shop").click();
    steps(&mut window);
    window.get_by_label("Rename…").click();
    steps(&mut window);
    window
        .get_by_role_and_label(Role::TextInput, "Title")
        .type_text("s");
    steps(&mut window);
    window.key_press(Key::Enter);
    steps(&mut window);
    window.get_by_label("Perspective: Shops").click();
    steps(&mut window);
    window.get_by_label("Delete").click();
    steps(&mut window);
    window.get_by_label("Perspectives");
    assert_eq!(
        desk.asked(),
        ["SavePerspective", "SavePerspective", "DeletePerspective"]
    );
    press(&mut window, Key::Z);
    assert_eq!(desk.asked().last().map(String::as_str), Some("UndoDeed"));
}

#[test]
fn a_perspective_of_a_newer_program_shows_what_is_understood() {
    let newer = Perspective {
        filter: "constellation:orion".to_owned(),
        tab: "elsewhere".to_owned(),
        grouping: "phase-of-the-moon".to_owned(),
        roots: vec![space(0xee)],
        ..Perspective::default()
    };
    let (_desk, mut window) = night(&[("Stars", newer)]);
    press(&mut window, Key::Num1);
    window.get_by_label_contains("there is no field constellation");
    window.get_by_label("No alert matches");
    click(&mut window, "Clear the filter");
    window.get_by_label_contains("Checkout, replication, Critical");
}

#[test]
fn keys_belong_to_the_menu_or_the_field_before_they_belong_to_the_page() {
    let (desk, mut window) = night(&[]);
    press(&mut window, Key::J);
    press(&mut window, Key::V);
    for key in [Key::A, Key::C, Key::S, Key::N, Key::Z, Key::X] {
        press(&mut window, key);
        window.get_by_label("Keep as…");
    }
    assert!(desk.asked().is_empty(), "nobody sees what a key would do");
    assert!(window.query_by_label("Cancel").is_none());
    press(&mut window, Key::Escape);
    assert!(window.query_by_label("Keep as…").is_none());
    window.key_press(Key::F);
    steps(&mut window);
    assert_eq!(focused(&window), FILTER);
    press(&mut window, Key::Escape);
    assert_eq!(focused(&window), "");
    assert_eq!(*window.state().route(), Route::Alerts, "the field is left");
    press(&mut window, Key::Escape);
    assert_eq!(*window.state().route(), Route::Overview);
}
