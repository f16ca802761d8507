//! Systems at which the agents of others look.

use aramaki_desktop::view::Route;
use aramaki_model::{
    Check, CheckState, EntryId, JournalEntry, Observation, Observer, Severity, Workspace,
};
use egui_kittest::kittest::Queryable as _;

use crate::acts::go;
use crate::world::{AGENT, CHECKOUT, Desk, ME, at, chain, check, organisation, space};
use crate::{WIDE, app};

/// The network of the office, which has no agent.
const OFFICE: u8 = 4;
/// A System that cannot be read here.
const PARTNER: u8 = 98;

fn observed() -> Workspace {
    let mut workspace = organisation();
    let uplink = Check {
        about_system: Some(space(OFFICE)),
        ..check(3, "uplink")
    };
    let named = |label: &str| Observer {
        label: label.to_owned(),
    };
    workspace
        .edit_system(space(CHECKOUT), &chain(ME), at(-8_000), |edit| {
            edit.put_check(&uplink)
        })
        .map(drop)
        .unwrap();
    workspace
        .edit_system(space(OFFICE), &chain(ME), at(-8_000), |edit| {
            edit.put_observer(space(CHECKOUT), &named("Checkout"))?;
            edit.put_observer(space(PARTNER), &named("A partner"))
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
