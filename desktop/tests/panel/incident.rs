//! Why somebody has access is asked and shown; an incident is opened in one step.

use aramaki_desktop::view::{PeerKind, Route};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use crate::acts::{enter_into, go, type_into};
use crate::world::{Desk, INCIDENT, REFUSED, WEBSHOP, space};
use crate::{WIDE, app};

#[test]
fn what_access_is_for_is_asked_when_sharing_and_told_on_the_trust_page() {
    let desk = Desk::new();
    desk.show(|frame| {
        let trust = frame.trust.get_mut(&space(WEBSHOP)).unwrap();
        let mut members = trust.members.iter_mut();
        let relay = members.find(|it| it.kind == PeerKind::Relay).unwrap();
        relay.reason = "keeps this System".to_owned();
    });
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Share…").click();
    window.run();
    type_into(&mut window, "For whom (others will see it)", "the auditor");
    let reason = "What for (optional; others will see it)";
    enter_into(&mut window, reason, "audit of payments");
    window.get_by_label("Make invitation").click();
    window.run();
    assert_eq!(desk.invited(), ["the auditor: audit of payments"]);
    window.get_by_label("Close").click();
    window.run();
    window.get_by_label("Show everyone").click();
    window.run();
    window.get_by_label("For: keeps this System");
}

#[test]
fn an_incident_is_opened_by_its_name_and_enter_and_one_is_there() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    go(&mut window, "incident");
    window.get_by_label("Incident of “Webshop”");
    window.key_press(Key::Enter);
    window.run();
    assert!(desk.asked().is_empty(), "nothing without a title");
    type_into(&mut window, "What is the matter", "Checkout is slow");
    window.key_press(Key::Enter);
    window.run();
    window.run();
    assert_eq!(desk.asked(), ["OpenIncident", "ForgetIncident"]);
    assert_eq!(*window.state().route(), Route::System(space(INCIDENT)));
}

#[test]
fn who_is_called_in_gets_a_code_and_escape_goes_to_the_incident() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Incident…").click();
    window.run();
    type_into(&mut window, "What is the matter", "Checkout is slow");
    window.get_by_label("Call somebody in at once").click();
    window.run();
    let name = "For whom (others will see it)";
    enter_into(&mut window, name, "database vendor");
    window.get_by_label("Open incident").click();
    window.run();
    window.run();
    window.get_by_role_and_label(Role::Image, "Invitation");
    assert_eq!(desk.invited(), ["database vendor"]);
    window.key_press(Key::Escape);
    window.run();
    window.run();
    assert_eq!(*window.state().route(), Route::System(space(INCIDENT)));
    assert!(window.query_by_label_contains("aramaki1example").is_none());
    let asked = ["OpenIncident", "ForgetInvitation", "ForgetIncident"];
    assert_eq!(desk.asked(), asked);
}

#[test]
fn what_was_typed_of_an_incident_stays_when_it_is_refused() {
    let desk = Desk::new();
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window.get_by_label("Incident…").click();
    window.run();
    type_into(&mut window, "What is the matter", REFUSED);
    window.get_by_label("Open incident").click();
    window.run();
    window.run();
    window.get_by_label("Incident of “Webshop”");
    assert_eq!(desk.asked(), ["OpenIncident", "ForgetIncident"]);
    window.get_by_label("Open incident").click();
    window.run();
    assert_eq!(desk.asked().len(), 4, "it can be asked again");
    window.key_press(Key::Escape);
    window.run();
    assert_eq!(*window.state().route(), Route::System(space(WEBSHOP)));
}
