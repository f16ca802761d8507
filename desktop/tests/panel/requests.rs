//! Requests that wait: where they are seen, and who may answer how.

use aramaki_desktop::view::Route;
use aramaki_desktop::view::actions::{MayAnswer, WhyNot};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::acts::{Window, click, go, press};
use crate::night;
use crate::world::{CHECKOUT, Desk, space};
use crate::{NARROW, WIDE, app, focused};

const AGREE: &str = "Agree to flush-cache on db2.example.org";
const REFUSE: &str = "Refuse flush-cache on db2.example.org";

fn asked(may: MayAnswer) -> Desk {
    let mut frame = night::frame();
    frame.waiting.push(night::waiting(may));
    Desk::over(frame)
}

fn is_disabled(window: &Window, name: &str) -> bool {
    let button = window.get_by_role_and_label(Role::Button, name);
    button.accesskit_node().is_disabled()
}

#[test]
fn what_waits_is_seen_from_the_overview_and_agreed_to_once_it_was_read_whole() {
    let desk = asked(MayAnswer::Both);
    let mut window = app(&desk, WIDE);
    window.get_by_label("A request waits for an answer");
    window.get_by_label_contains("asks for flush-cache").click();
    window.run();
    assert_eq!(*window.state().route(), Route::System(space(CHECKOUT)));
    for words in [
        "Waits for an answer",
        "path = \"/shop\"",
        "Why: prices are wrong",
        "Somebody else must agree.",
    ] {
        window.get_by_label(words);
    }
    let last = "Developer on call, 6 min ago: done (path=/; stale prices)";
    assert!(window.query_all_by_label(last).count() > 0);
    // A press asks once more, and the keyboard is at the button that means it.
    click(&mut window, AGREE);
    assert_eq!(desk.asked(), Vec::<String>::new());
    window.get_by_label("It runs then, and nothing takes that back.");
    assert_eq!(focused(&window), "Agree");
    press(&mut window, Key::Enter);
    assert_eq!(desk.asked(), ["Agree"]);
    assert!(window.query_by_label("Agree to this?").is_none());
}

#[test]
fn by_keyboard_alone_a_request_is_refused() {
    let desk = asked(MayAnswer::Both);
    let mut window = app(&desk, NARROW);
    go(&mut window, "Checkout");
    assert_eq!(*window.state().route(), Route::System(space(CHECKOUT)));
    press(&mut window, Key::J);
    assert_eq!(focused(&window), AGREE);
    press(&mut window, Key::Tab);
    assert_eq!(focused(&window), REFUSE);
    press(&mut window, Key::Enter);
    assert_eq!(desk.asked(), ["Refuse"]);
}

#[test]
fn who_may_not_answer_sees_why_and_no_button_that_works() {
    for (may, reason) in [
        (MayAnswer::Nothing(WhyNot::Guest), "A guest cannot answer."),
        (
            MayAnswer::Nothing(WhyNot::NotGranted),
            "This device may not approve this action.",
        ),
    ] {
        let desk = asked(may);
        let mut window = app(&desk, WIDE);
        go(&mut window, "Checkout");
        window.get_by_label(reason);
        assert!(is_disabled(&window, AGREE) && is_disabled(&window, REFUSE));
        click(&mut window, AGREE);
        assert!(window.query_by_label("Agree to this?").is_none());
        assert_eq!(desk.asked(), Vec::<String>::new());
    }
    let desk = asked(MayAnswer::Withdraw);
    let mut window = app(&desk, WIDE);
    go(&mut window, "Checkout");
    window.get_by_label("You asked for it yourself: somebody else has to agree.");
    assert!(is_disabled(&window, AGREE));
    click(&mut window, "Withdraw flush-cache on db2.example.org");
    assert_eq!(desk.asked(), ["Refuse"]);
}

#[test]
fn where_nobody_has_to_agree_nobody_is_asked_to_and_nobody_is_told_that_others_must() {
    for may in [
        MayAnswer::Withdraw,
        MayAnswer::Both,
        MayAnswer::Refuse(WhyNot::SamePerson),
        MayAnswer::Nothing(WhyNot::NotGranted),
    ] {
        let desk = asked(may);
        desk.show(|frame| frame.waiting[0].needed = Some(0));
        let mut window = app(&desk, WIDE);
        assert!(
            window
                .query_by_label("A request waits for an answer")
                .is_none()
        );
        go(&mut window, "Checkout");
        window.get_by_label("Waits for its host");
        window.get_by_label("Nobody has to agree: the host begins, or says why not.");
        for words in [
            "Enough agree",
            "else has to agree",
            "may not approve",
            "Agree to",
        ] {
            assert_eq!(
                window.query_all_by_label_contains(words).count(),
                0,
                "{may:?}: {words}"
            );
        }
    }
    let desk = asked(MayAnswer::Withdraw);
    desk.show(|frame| frame.waiting[0].needed = Some(0));
    let mut window = app(&desk, WIDE);
    go(&mut window, "Checkout");
    click(&mut window, "Withdraw flush-cache on db2.example.org");
    assert_eq!(desk.asked(), ["Refuse"]);
}

#[test]
fn the_page_of_an_alert_shows_what_waits_at_its_system() {
    let desk = asked(MayAnswer::Both);
    let mut window = app(&desk, WIDE);
    window.get_by_label("Alerts, 2 need attention").click();
    window.run();
    window.get_by_label("A request waits for an answer");
    press(&mut window, Key::J);
    press(&mut window, Key::Enter);
    assert_eq!(*window.state().route(), Route::Alert(night::replication()));
    click(&mut window, REFUSE);
    assert_eq!(desk.asked(), ["Refuse"]);
}

#[test]
fn what_is_over_while_it_is_read_cannot_be_agreed_to() {
    let desk = asked(MayAnswer::Both);
    let mut window = app(&desk, WIDE);
    go(&mut window, "Checkout");
    click(&mut window, AGREE);
    desk.show(|frame| frame.waiting.clear());
    window.run();
    window.get_by_label("This request waits no more.");
    press(&mut window, Key::Enter);
    assert_eq!(desk.asked(), Vec::<String>::new());
}
