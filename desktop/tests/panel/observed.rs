//! Systems at which the agents of others look.

use aramaki_desktop::view::{Frame, Route};
use aramaki_model::{
    Check, CheckState, EntryId, JournalEntry, Observation, Observer, Severity, Workspace,
};
use egui_kittest::kittest::Queryable as _;

use crate::acts::{Window, click, enter_into, go, steps, type_into};
use crate::world::{AGENT, CHECKOUT, Desk, ME, at, chain, check, organisation, space};
use crate::{NARROW, WIDE, app};

/// The network of the office, which has no agent.
pub(crate) const OFFICE: u8 = 4;
/// A System that cannot be read here.
const PARTNER: u8 = 98;

/// Both halves are there, and a partner may look too.
fn observed() -> Workspace {
    let mut workspace = half_observed();
    let named = |label: &str| Observer {
        label: label.to_owned(),
    };
    workspace
        .edit_system(space(OFFICE), &chain(ME), at(-8_000), |edit| {
            edit.put_observer(space(CHECKOUT), &named("Checkout"))?;
            edit.put_observer(space(PARTNER), &named("A partner"))
        })
        .map(drop)
        .unwrap();
    workspace
}

/// A check of Checkout is about the office, which lets nobody look.
fn half_observed() -> Workspace {
    let mut workspace = organisation();
    let uplink = Check {
        about_system: Some(space(OFFICE)),
        ..check(3, "uplink")
    };
    workspace
        .edit_system(space(CHECKOUT), &chain(ME), at(-8_000), |edit| {
            edit.put_check(&uplink)
        })
        .map(drop)
        .unwrap();
    let said = Observation::of_builtin(uplink.id, at(-300), Severity::Warning, "80 ms");
    let transition = CheckState::new(uplink.id).observe(&uplink, &said).unwrap();
    let entry = (
        EntryId::new(at(-300), [3; 10]),
        JournalEntry::Transition(transition),
    );
    workspace
        .append_journal(space(AGENT), &chain(AGENT), at(-300), &[entry])
        .map(drop)
        .unwrap();
    workspace
}

#[test]
fn both_pages_say_who_looks_and_whose_it_is() {
    let mut window = app(&Desk::of(observed()), WIDE);
    go(&mut window, "office network");
    window.get_by_label("uplink");
    window.get_by_label("seen from Checkout, db2.example.org");
    window.get_by_label("Seen from other Systems");
    window.get_by_label("A partner, not shared with you");
    window.get_by_label_contains("What a System that is not shared with you sees is not known");
    go(&mut window, "checkout");
    window.get_by_label("Looks at for others");
    window
        .get_by_label_contains("Office network, counts there")
        .click();
    window.run();
    assert_eq!(*window.state().route(), Route::System(space(OFFICE)));
}

/// The desk of somebody who writes the office, of which only one half is said.
fn half() -> Desk {
    let desk = Desk::of(half_observed());
    desk.show(|frame| {
        let trust = frame.trust[&space(CHECKOUT)].clone();
        frame.trust.insert(space(OFFICE), trust);
    });
    desk
}

/// For pictures.
pub(crate) fn half_frame() -> Frame {
    Frame::clone(&aramaki_desktop::view::Backend::frame(&half()))
}

const WHICH: &str = "The other System: part of its title, or a full Space id";

fn says(window: &Window, words: &str) {
    window.get_by_label_contains(words);
}

#[test]
fn another_system_is_let_look_after_both_halves_were_on_the_screen() {
    let desk = half();
    let mut window = app(&desk, WIDE);
    go(&mut window, "office network");
    says(&window, "Its own agents alone say how it is.");
    click(&mut window, "Let another System look…");
    says(&window, "Who looks at Office network?");
    let button = |window: &Window| {
        let button = window.get_by_label("Let it look");
        egui_kittest::kittest::NodeT::accesskit_node(&button).is_disabled()
    };
    assert!(button(&window), "nobody is chosen");
    type_into(&mut window, WHICH, "nobody is called that");
    says(&window, "No System here is called that.");
    window.get_by_label("Cancel").click();
    steps(&mut window);

    // One whose half is missing.
    click(&mut window, "Let another System look…");
    type_into(&mut window, WHICH, "databases");
    let offered = window.get_all_by_label("Databases").last();
    offered.unwrap().click();
    steps(&mut window);
    says(&window, "Office network says: agents of Databases may look");
    says(&window, "No check of Databases says so yet");
    says(&window, &format!("about_system = \"{}\"", space(OFFICE)));
    window.get_by_label("Cancel").click();
    steps(&mut window);
    assert!(desk.asked().is_empty(), "{:?}", desk.asked());

    // One that says so already: by its own page, where the half is missed.
    go(&mut window, "checkout");
    says(&window, "counts nowhere");
    click(&mut window, "Let it count at Office network…");
    says(&window, "From then on these count for Office network:");
    assert_eq!(
        window.get_all_by_label("uplink").count(),
        2,
        "here and in the preview"
    );
    window.get_by_label("Let it look").click();
    steps(&mut window);
    assert_eq!(desk.asked(), ["LetLook"]);
    says(&window, "Office network, counts there");
}

#[test]
fn one_that_cannot_be_read_is_named_by_its_id_and_each_can_be_ended() {
    let desk = half();
    let mut window = app(&desk, NARROW);
    go(&mut window, "office network");
    window
        .get_by_label("Let another System look…")
        .scroll_to_me();
    steps(&mut window);
    click(&mut window, "Let another System look…");
    type_into(&mut window, WHICH, &space(PARTNER).to_string());
    let label = "What it is called for those who cannot read it";
    enter_into(&mut window, label, "A partner");
    says(&window, "A partner is not shared with you");
    window.get_by_label("Let it look").click();
    steps(&mut window);
    window
        .get_by_label("A partner, not shared with you")
        .scroll_to_me();
    steps(&mut window);
    click(&mut window, "End that A partner looks…");
    says(
        &window,
        "What agents of A partner see of Office network counts there no more",
    );
    window.get_by_label("End it").click();
    steps(&mut window);
    assert_eq!(desk.asked(), ["LetLook", "EndLook"]);
    says(&window, "Its own agents alone say how it is.");
    // Who may not write it is offered nothing.
    desk.show(|frame| {
        frame.trust.remove(&space(OFFICE));
    });
    window.run();
    assert!(window.query_by_label("Let another System look…").is_none());
}
