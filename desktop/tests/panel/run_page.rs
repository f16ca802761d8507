//! One run: reached from wherever it is named, read along, and once more.

use aramaki_desktop::view::actions::{Came, LookedRun, Ran, RunPage};
use aramaki_desktop::view::{Frame, Route};
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::acts::{click, go, press};
use crate::night;
use crate::world::{CHECKOUT, Desk, at, space};
use crate::{WIDE, app};

/// The run of six minutes ago, as its page has it.
fn page() -> RunPage {
    let flush = night::flush();
    let run = flush.runs[0].clone();
    RunPage {
        system: space(CHECKOUT),
        host: flush.host,
        action: flush.name,
        end: at(0),
        again: None,
        said: vec![("Duty operator".to_owned(), true)],
        began: Some(at(-350)),
        ended: Some(at(-348)),
        len_bytes: 70_000,
        left_out_bytes: 69_990,
        run,
    }
}

fn with_page(page: Option<RunPage>) -> Frame {
    let mut frame = night::frame();
    frame.run = Some(LookedRun {
        request: night::flush().runs[0].id,
        page: page.map(Box::new),
    });
    frame
}

#[test]
fn a_run_is_reached_from_the_last_runs_and_told_from_request_to_output() {
    let desk = Desk::over(with_page(Some(page())));
    let mut window = app(&desk, WIDE);
    go(&mut window, "Checkout");
    let last = "Developer on call, 6 min ago: done (path=/; stale prices)";
    window.get_by_role_and_label(Role::Link, last).click();
    window.run();
    let route = Route::Run(space(CHECKOUT), night::flush().runs[0].id);
    assert_eq!(*window.state().route(), route);
    for words in [
        "path = \"/\"",
        "Why: stale prices",
        "Duty operator agrees",
        "200 banned",
        "70000 bytes in all",
        "The first 69990 bytes are left out.",
    ] {
        window.get_by_label(words);
    }
    window.get_by_label_contains("after 2.0 s");
    window.get_by_label_contains("Developer on call asked 6 min ago");
    // Once more means to be asked, with the same values; it was just done, so it is said twice.
    click(&mut window, "Run again…");
    window.get_by_label("Run flush-cache on db2.example.org");
    let path = window.get_by_role_and_label(Role::TextInput, "path");
    assert_eq!(path.accesskit_node().value().as_deref(), Some("/"));
    window.get_by_label_contains("Someone just did that.");
    assert_eq!(desk.asked(), Vec::<String>::new());
}

#[test]
fn what_changed_before_an_alert_and_the_timeline_lead_to_a_run() {
    let id = night::flush().runs[0].id;
    let mut frame = with_page(Some(page()));
    if let Some(actions) = &mut frame.actions {
        actions.actions[0].runs[0].at = at(-20 * 60);
    }
    frame.ran = vec![Ran {
        id,
        system: space(CHECKOUT),
        host: "db2.example.org".to_owned(),
        action: "flush-cache".to_owned(),
        who: "Developer on call".to_owned(),
        at: at(-18 * 60),
        reason: "stale prices".to_owned(),
        alert: None,
        came: Came::Done,
    }];
    let desk = Desk::over(frame);
    let mut window = app(&desk, WIDE);
    click(&mut window, "Timeline");
    let line = "flush-cache on db2.example.org: done · Developer on call: stale prices";
    // It stands between what happened before and after it.
    let lines: Vec<_> = window
        .query_all_by_role(Role::Button)
        .filter_map(|node| node.accesskit_node().label())
        .collect();
    let place = |words: &str| lines.iter().position(|it| it.contains(words));
    let (run, deployment) = (place(line).unwrap(), place("checkout 2026.47.3").unwrap());
    assert_eq!(run + 1, deployment, "{lines:?}");
    window.get_by_label_contains(line).click();
    window.run();
    assert_eq!(*window.state().route(), Route::Run(space(CHECKOUT), id));
    press(&mut window, egui::Key::Escape);
    // So it does on the System's own page.
    go(&mut window, "Checkout");
    window.get_by_label_contains(line).click_accesskit();
    window.run();
    assert_eq!(*window.state().route(), Route::Run(space(CHECKOUT), id));
    press(&mut window, egui::Key::Escape);
    window.get_by_label("Alerts, 2 need attention").click();
    window.run();
    press(&mut window, egui::Key::J);
    press(&mut window, egui::Key::Enter);
    window
        .get_by_label_contains("flush-cache on db2.example.org: Developer on call, 20 min ago")
        .click();
    window.run();
    assert_eq!(*window.state().route(), Route::Run(space(CHECKOUT), id));
}

#[test]
fn a_run_that_goes_on_is_read_along_and_one_that_is_gone_says_so() {
    let mut running = page();
    running.run.came = Came::Runs;
    running.ended = None;
    running.run.tail = "step 1 of 3".to_owned();
    let desk = Desk::over(with_page(Some(running)));
    let mut window = app(&desk, WIDE);
    go(&mut window, "Checkout");
    let last = "Developer on call, 6 min ago: done (path=/; stale prices)";
    window.get_by_role_and_label(Role::Link, last).click();
    window.run();
    window.get_by_label("step 1 of 3");
    desk.show(|frame| {
        let page = frame.run.as_mut().and_then(|run| run.page.as_mut());
        page.unwrap().run.tail = "step 1 of 3\nstep 2 of 3".to_owned();
    });
    window.run();
    window.get_by_label("step 1 of 3\nstep 2 of 3");
    // One that nobody answered.
    let mut expired = page();
    expired.run.came = Came::Expired;
    expired.run.tail = String::new();
    (expired.began, expired.ended) = (None, None);
    desk.show(|frame| *frame = with_page(Some(expired)));
    window.run();
    window.get_by_label("expired: the agent did not answer");
    window.get_by_label("Nothing was heard of it.");
    desk.show(|frame| *frame = with_page(None));
    window.run();
    window.get_by_label("This run is not known here any more.");
}
