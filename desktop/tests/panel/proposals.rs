//! Checks that hosts propose are listed, and accepted or ignored, several at once.

use std::sync::Arc;

use aramaki_desktop::view::actions::{HostAction, SystemActions};
use aramaki_desktop::view::asked::{Answer, Proposed};
use aramaki_model::proposal::Proposals;
use aramaki_model::{Builtin, Check, CheckId, CheckKind};
use aramaki_sync_core::statement::Capability;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::acts::{Window, click, go};
use crate::world::{AGENT, CHECKOUT, Desk, at, space};
use crate::{NARROW, WIDE, app};

const HOST: &str = "db2.example.org";

fn discover() -> HostAction {
    HostAction {
        host: HOST.to_owned(),
        name: "discover".to_owned(),
        description: "What could be checked here, as JSON".to_owned(),
        parameters: Vec::new(),
        approvals: 0,
        is_read_only: true,
        runs: Vec::new(),
        watched: Vec::new(),
    }
}

fn service(n: u8, name: &str) -> Check {
    let units = vec![format!("{name}.service")];
    let kind = CheckKind::Builtin(Builtin::Systemd { units });
    Check::new(
        CheckId::from_bytes([n; 16]),
        format!("service {name}"),
        kind,
    )
}

/// What the host was asked a moment ago, and what came.
fn answer(desk: &Desk, came: Answer, checks: Option<Vec<Check>>) {
    let proposed = Proposed {
        agent: space(AGENT),
        host: HOST.to_owned(),
        at: at(-1),
        came,
        last: checks.map(|checks| {
            let left_out = 0;
            (at(-1), Arc::new(Proposals { checks, left_out }))
        }),
    };
    desk.show(|frame| {
        frame.actions.as_mut().unwrap().proposed = vec![proposed];
    });
}

fn page(actions: Vec<HostAction>, size: [f32; 2]) -> (Desk, Window) {
    let desk = Desk::new();
    desk.show(|frame| {
        frame.actions = Some(SystemActions {
            actions,
            ..SystemActions::new(space(CHECKOUT))
        });
    });
    let mut window = app(&desk, size);
    go(&mut window, "checkout");
    (desk, window)
}

fn is_disabled(window: &Window, name: &str) -> bool {
    window.get_by_label(name).accesskit_node().is_disabled()
}

#[test]
fn proposals_are_asked_for_and_some_are_accepted_and_others_ignored() {
    let (desk, mut window) = page(vec![discover()], WIDE);
    click(&mut window, "What could be checked…");
    window.get_by_label("Proposed checks for Checkout");
    assert_eq!(desk.asked(), ["AskProposals"]);
    answer(&desk, Answer::Waits, None);
    window.run();
    window.get_by_label("asking…");
    assert!(is_disabled(&window, "Ask again"));
    let found = ["nginx", "redis", "cron"];
    let found = (1..).zip(found).map(|(n, name)| service(n, name));
    answer(&desk, Answer::Came, Some(found.collect()));
    window.run();
    assert!(is_disabled(&window, "Accept"), "nothing is chosen yet");
    click(&mut window, "service nginx");
    click(&mut window, "service redis");
    click(&mut window, "Accept 2");
    let accepted = window.query_by_role_and_label(Role::CheckBox, "service nginx");
    assert!(accepted.is_none(), "it is a check now, no proposal");
    click(&mut window, "service cron");
    click(&mut window, "Ignore 1");
    window.get_by_label("Everything that was found is looked at, or ignored.");
    click(&mut window, "Undo");
    assert!(
        window.query_by_label("Undo").is_none(),
        "one step is taken back"
    );
    assert_eq!(
        desk.asked(),
        [
            "AskProposals",
            "AcceptProposals",
            "IgnoreProposals",
            "UndoDeed"
        ]
    );
    click(&mut window, "Close");
    window.get_by_label("service redis");
    // The answer is new: nobody is asked again, and nothing is left.
    click(&mut window, "What could be checked…");
    assert_eq!(desk.asked().len(), 4);
}

#[test]
fn all_are_chosen_at_once_and_the_line_says_how_many_there_are() {
    let (desk, mut window) = page(vec![discover()], NARROW);
    let found = (1..)
        .zip(["nginx", "redis"])
        .map(|(n, name)| service(n, name));
    answer(&desk, Answer::Came, Some(found.collect()));
    window.run();
    // In a small window the line is below what can be seen.
    window.get_by_label("2 proposed checks…").scroll_to_me();
    window.run();
    click(&mut window, "2 proposed checks…");
    assert!(desk.asked().is_empty(), "the answer is new");
    click(&mut window, "All");
    click(&mut window, "Ignore 2");
    assert_eq!(desk.asked(), ["IgnoreProposals"]);
    click(&mut window, "Close");
    window.get_by_label("What could be checked…");
}

#[test]
fn who_may_not_change_the_system_sees_proposals_and_cannot_take_them() {
    let (desk, mut window) = page(vec![discover()], WIDE);
    answer(&desk, Answer::Came, Some(vec![service(1, "nginx")]));
    desk.show(|frame| {
        frame.trust.get_mut(&space(CHECKOUT)).unwrap().mine = Some(Capability::Read);
    });
    window.run();
    click(&mut window, "1 proposed check…");
    click(&mut window, "service nginx");
    window.get_by_label("You may not change this System.");
    assert!(is_disabled(&window, "Accept 1") && is_disabled(&window, "Ignore 1"));
}

#[test]
fn where_no_host_tells_what_helps_is_said() {
    let (desk, mut window) = page(Vec::new(), WIDE);
    click(&mut window, "What could be checked…");
    window.get_by_label_contains("Put docs/discover.toml.example into /etc/aramaki/actions.d");
    assert!(desk.asked().is_empty());
}
