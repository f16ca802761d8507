//! Timelines further back than the newest entries.

use aramaki_model::entry::Message;
use aramaki_model::{EntryId, TimelineEntry, Workspace};
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use crate::acts::go;
use crate::world::{CHECKOUT, Desk, ME, WEBSHOP, at, chain, organisation, space};
use crate::{WIDE, app};

const FIRST: &str = "the cable was repaired";

/// Somebody wrote once, long before a script wrote seven hundred times.
fn busy() -> Workspace {
    let mut workspace = organisation();
    let mut say = |system: u8, seconds: i64, text: &str| {
        let text = text.to_owned();
        let said = TimelineEntry::Message(Message {
            at: at(seconds),
            text,
        });
        let entry = (EntryId::new(at(seconds), [7; 10]), said);
        workspace
            .append_timeline(space(system), &chain(ME), at(seconds), &[entry])
            .map(drop)
            .unwrap();
    };
    say(CHECKOUT, -90_000, FIRST);
    for n in 0..700 {
        say(WEBSHOP, -8_000 + n, "noise");
    }
    workspace
}

#[test]
fn who_looks_further_back_finds_what_the_newest_pushed_out() {
    let desk = Desk::of(busy());
    let mut window = app(&desk, WIDE);
    window.get_by_label("Timeline").click();
    window.run();
    let field = "Words, or a System";
    let field = window.get_by_role_and_label(Role::TextInput, field);
    field.focus();
    field.type_text("cable");
    window.run();
    window.get_by_label("Nothing of that kind is here.");
    window.get_by_label("Earlier entries").click();
    window.run();
    window.run();
    assert_eq!(desk.asked(), ["ReadBack"]);
    window.get_by_label_contains(FIRST);
    assert!(window.query_by_label("Earlier entries").is_none());
}

#[test]
fn a_systems_page_leads_to_all_of_its_timeline() {
    let desk = Desk::of(busy());
    let mut window = app(&desk, WIDE);
    go(&mut window, "webshop");
    window
        .get_by_label("All of this timeline")
        .click_accesskit();
    window.run();
    let of = "Of Webshop and its parts ×";
    window.get_by_label(of);
    let field = window.get_by_role_and_label(Role::TextInput, "Words, or a System");
    field.focus();
    field.type_text("cable");
    window.run();
    // The part's own newest are all here.
    window.get_by_label_contains(FIRST);
    window.get_by_label(of).click();
    window.run();
    assert!(window.query_by_label(of).is_none());
    window.get_by_label("Nothing of that kind is here.");
}
