//! Maintenance on the page of a System: windows, work that is asked for, confirmed and withdrawn, and who serves.

use std::collections::BTreeMap;

use aramaki_desktop::view::actions::SystemActions;
use aramaki_desktop::view::maintenance::{GroupState, SystemWork, Work};
use aramaki_model::ItemId;
use aramaki_model::maintenance::redundancy::OutOfService;
use aramaki_model::maintenance::request::{RequestState, Wants, Window as Span};
use egui_kittest::kittest::Queryable as _;

use crate::acts::{Window, click, go, type_into};
use crate::night::flush;
use crate::world::{CHECKOUT, Desk, at, space};
use crate::{WIDE, app};

const HOST: &str = "db2.example.org";

fn work(n: u8, action: &str, state: RequestState, wants: Wants) -> Work {
    Work {
        item: ItemId::from_bytes([n; 16]),
        host: HOST.to_owned(),
        action: action.to_owned(),
        arguments: BTreeMap::new(),
        who: "Duty operator".to_owned(),
        reason: "kernel".to_owned(),
        state,
        wants,
        window: Some(Span {
            begin: at(3_600),
            end: at(7_200),
        }),
        attempts: 0,
        again_at: None,
        came: String::new(),
    }
}

fn page(said: SystemWork) -> (Desk, Window) {
    let desk = Desk::new();
    desk.show(|frame| {
        frame.actions = Some(SystemActions {
            actions: vec![flush()],
            ..SystemActions::new(space(CHECKOUT))
        });
        frame.work = Some(SystemWork {
            system: space(CHECKOUT),
            ..said
        });
    });
    let mut window = app(&desk, WIDE);
    go(&mut window, "checkout");
    (desk, window)
}

#[test]
fn work_says_how_it_stands_and_only_what_can_be_is_confirmed_or_withdrawn() {
    let failed = Work {
        came: "exit 3".to_owned(),
        ..work(4, "rotate", RequestState::Error, Wants::Nothing)
    };
    let (desk, mut window) = page(SystemWork {
        work: vec![
            work(1, "upgrade", RequestState::Pending, Wants::Confirmation),
            work(2, "reboot", RequestState::Running, Wants::Nothing),
            work(3, "vacuum", RequestState::Pending, Wants::Nothing),
            failed,
        ],
        ..SystemWork::default()
    });
    window.get_by_label_contains("due soon, to be confirmed");
    window.get_by_label("not done: exit 3");
    for never in ["reboot", "rotate"] {
        let withdraw = format!("Withdraw {never} on {HOST}");
        assert!(window.query_by_label(&withdraw).is_none(), "{never}");
    }
    let confirm = format!("Confirm vacuum on {HOST}");
    assert!(window.query_by_label(&confirm).is_none());
    click(&mut window, &format!("Confirm upgrade on {HOST}"));
    click(&mut window, &format!("Withdraw vacuum on {HOST}"));
    assert_eq!(desk.asked(), ["ConfirmWork", "WithdrawWork"]);
}

#[test]
fn where_nothing_is_planned_or_asked_for_the_page_says_so() {
    let (_desk, window) = page(SystemWork::default());
    window.get_by_label("No maintenance window is planned.");
    window.get_by_label("No work is asked for in a window.");
}

#[test]
fn who_is_out_of_service_and_what_must_stay_stands_there() {
    let (_desk, window) = page(SystemWork {
        window: Some(Span {
            begin: at(-60),
            end: at(60),
        }),
        out: vec![OutOfService {
            since: at(-600),
            until: None,
            reason: "a broken disk".to_owned(),
        }],
        groups: vec![GroupState {
            name: "front".to_owned(),
            at_least: 1,
            in_service: 2,
            members: 3,
        }],
        ..SystemWork::default()
    });
    window.get_by_label_contains("A window is open until");
    window.get_by_label_contains("a broken disk");
    window.get_by_label("Of front at least 1 of 3 must stay in service; 2 are now.");
}

#[test]
fn an_action_that_its_host_lets_be_run_so_is_asked_for_in_the_next_window() {
    let action = flush();
    let offers = [(action.host.clone(), action.name.clone())].into();
    let (desk, mut window) = page(SystemWork {
        offers,
        ..SystemWork::default()
    });
    click(
        &mut window,
        &format!("Run {} on {}", action.name, action.host),
    );
    type_into(&mut window, "Why? Others read it beside the run.", "kernel");
    click(&mut window, "In the next window");
    assert_eq!(desk.asked(), ["AskWork"]);
    // Another host's action is run now or not at all.
    let (_desk, mut window) = page(SystemWork::default());
    click(
        &mut window,
        &format!("Run {} on {}", action.name, action.host),
    );
    assert!(window.query_by_label("In the next window").is_none());
}
