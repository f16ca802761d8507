//! Rows that must not say two things at once: what somebody has in hand, who was never heard, and a workspace that
//! another program has.

use aramaki_desktop::view::{Frame, Stage};
use aramaki_model::entry::Acknowledgement;
use aramaki_model::system::AgentRef;
use aramaki_model::{EntryId, Severity, TimelineEntry, Workspace};
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use crate::acts::{Window, go};
use crate::world::{CHECKOUT, Desk, ME, at, chain, organisation, space};
use crate::{WIDE, app};

const NEVER: &str = "not heard of yet: its machine has not joined, or reaches nobody";

fn images(window: &Window, label: &str) -> usize {
    window
        .query_all_by_role_and_label(Role::Image, label)
        .count()
}

/// Somebody knows that replication is broken.
fn known(workspace: &mut Workspace) {
    let view = workspace.view(at(-1));
    let alert = view.alerts.iter().find(|it| it.system == space(CHECKOUT));
    let alert = alert.unwrap();
    let said = Acknowledgement {
        at: at(-1),
        alert: Some(alert.id),
        check: Some(alert.check),
        text: "replacing the disk".to_owned(),
        ..Acknowledgement::default()
    };
    let entries = [(
        EntryId::new(at(-1), [9; 10]),
        TimelineEntry::Acknowledgement(said),
    )];
    let edit = workspace.append_timeline(space(CHECKOUT), &chain(ME), at(-1), &entries);
    drop(edit.unwrap());
}

#[test]
fn a_check_that_somebody_has_in_hand_shows_no_tick_beside_what_it_really_is() {
    let mut workspace = organisation();
    known(&mut workspace);
    let view = workspace.view(at(0));
    let system = view.system(&space(CHECKOUT)).unwrap();
    let states = system
        .checks
        .iter()
        .map(|it| (it.status.raw, it.status.effective));
    let states: Vec<_> = states.collect();
    let (critical, ok) = (Severity::Critical, Severity::Ok);
    assert_eq!(states, [(critical, ok), (ok, ok)]);
    let desk = Desk::of(workspace);
    let mut window = app(&desk, WIDE);
    go(&mut window, "Checkout");
    assert_eq!(images(&window, "Critical, in hand"), 1);
    window.get_by_label("acknowledged");
}

#[test]
fn an_agent_that_was_never_heard_is_said_to_be_calmly() {
    let mut workspace = organisation();
    let invited = AgentRef {
        label: "db3.example.org".to_owned(),
        author: None,
    };
    workspace.open_space(space(51));
    let edit = workspace.edit_system(space(CHECKOUT), &chain(ME), at(-1), |edit| {
        edit.put_agent(space(51), &invited)
    });
    drop(edit.unwrap());
    let kinds = |workspace: &Workspace| workspace.view(at(0)).alerts.len();
    assert_eq!(kinds(&workspace), 1, "nobody is called for it");
    let desk = Desk::of(workspace);
    let mut window = app(&desk, WIDE);
    go(&mut window, "Checkout");
    window.get_by_label("db3.example.org");
    assert_eq!(window.query_all_by_label(NEVER).count(), 1);
}

#[test]
fn a_workspace_that_another_program_has_is_waited_for_and_that_is_said() {
    let who = "the workspace in /x is busy: process 7 works in it (`aramaki join`)";
    let desk = Desk::over(Frame {
        stage: Stage::Taken,
        taken: who.to_owned(),
        ..Frame::default()
    });
    let window = app(&desk, WIDE);
    window.get_by_label("Another program works in this workspace");
    window.get_by_label("This window opens by itself as soon as that program lets go of it.");
    window.get_by_label(who);
}
