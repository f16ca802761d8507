//! What an alert's check names as its runbook, and what is done because of an alert.

use aramaki_desktop::view::Route;
use aramaki_desktop::view::actions::{AboutAlert, Came, Ran, Run, Taken};
use aramaki_model::NoteId;
use aramaki_model::system::{NoteKind, NoteRef};
use aramaki_sync_core::EnvelopeId;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use crate::acts::{Window, click, go, press};
use crate::night;
use crate::world::{CHECKOUT, Desk, ME, at, chain, check, space};
use crate::{WIDE, app};

const TEXT: &str = "First [flush the shop](action:db2.example.org/flush-cache?path=/shop).\n";

/// The night, with two runbooks, and a check that names one so.
fn desk(runbook: &str) -> Desk {
    let mut workspace = night::workspace();
    for (n, title) in [(8, "Old prices"), (9, "Lag of the copy")] {
        let note = NoteId::new(at(-8_000), [n; 10]);
        let set = workspace.set_note(space(CHECKOUT), note, &chain(ME), at(-800), TEXT);
        set.map(drop).unwrap();
        let place = NoteRef {
            title: title.to_owned(),
            kind: NoteKind::Runbook,
        };
        let edit = workspace.edit_system(space(CHECKOUT), &chain(ME), at(-800), |edit| {
            edit.put_note(note, &place)
        });
        edit.map(drop).unwrap();
    }
    let mut named = check(1, "replication");
    named.runbook = Some(runbook.to_owned());
    let edit = workspace.edit_system(space(CHECKOUT), &chain(ME), at(-700), |edit| {
        edit.put_check(&named)
    });
    edit.map(drop).unwrap();
    let desk = Desk::of(workspace);
    desk.show(night::dress);
    desk
}

fn alert_page(desk: &Desk) -> Window {
    let mut window = app(desk, WIDE);
    window.get_by_label("Alerts, 2 need attention").click();
    window.run();
    press(&mut window, egui::Key::J);
    press(&mut window, egui::Key::Enter);
    assert_eq!(*window.state().route(), Route::Alert(night::replication()));
    window
}

#[test]
fn the_runbook_that_a_check_names_is_open_on_its_alert_and_asks_for_the_alert() {
    let desk = desk("lag of the COPY");
    let mut window = alert_page(&desk);
    window.get_by_label("Runbook of replication");
    // It alone is open: the other one can be unfolded.
    assert_eq!(window.query_all_by_label("flush the shop").count(), 1);
    click(&mut window, "flush the shop");
    window.get_by_label("For the alert replication: its page will say so.");
    window.event(egui::Event::Text("prices are old".to_owned()));
    window.run();
    window.get_by_role_and_label(Role::Button, "Run").click();
    window.run();
    assert_eq!(desk.asked(), ["Run"]);
    // Beside the check it is a button that leads there; what is asked for there is for no alert.
    go(&mut window, "checkout");
    click(&mut window, "Runbook of replication");
    assert!(matches!(*window.state().route(), Route::Note(..)));
    click(&mut window, "flush the shop");
    assert!(window.query_by_label_contains("For the alert").is_none());
}

#[test]
fn a_runbook_elsewhere_is_shown_whole_before_it_is_opened_and_a_missing_one_is_said() {
    let elsewhere = desk("https://wiki.example.org/lag");
    let mut window = alert_page(&elsewhere);
    click(&mut window, "Open this page…");
    window.get_by_label("Open this address?");
    click(&mut window, "Cancel");
    let missing = desk("Nowhere");
    let mut window = alert_page(&missing);
    window.get_by_label_contains("No note of this System is called Nowhere.");
    go(&mut window, "checkout");
    let button = window.get_by_role_and_label(Role::Button, "Runbook of replication");
    assert!(button.accesskit_node().is_disabled());
}

#[test]
fn what_was_done_because_of_an_alert_stands_on_its_page_and_in_the_timeline() {
    let desk = desk("Old prices");
    let alert = night::replication();
    desk.show(|frame| {
        let run = |minutes: i64, alert, came| Run {
            id: EnvelopeId::from_bytes([u8::try_from(minutes).unwrap(); 32]),
            at: at(-60 * minutes),
            alert,
            came,
            ..night::flush().runs[0].clone()
        };
        let taken = |run| Taken {
            host: "db2.example.org".to_owned(),
            action: "flush-cache".to_owned(),
            run,
        };
        let other = aramaki_model::AlertId([9; 32]);
        frame.actions.as_mut().unwrap().taken = vec![
            taken(run(3, Some(alert), Came::Failed("exit 1".to_owned()))),
            taken(run(4, Some(other), Came::Done)),
        ];
        frame.ran = vec![Ran {
            id: EnvelopeId::from_bytes([5; 32]),
            system: space(crate::world::DATABASES),
            host: "db3".to_owned(),
            action: "restart".to_owned(),
            who: "Developer on call".to_owned(),
            at: at(-300),
            reason: "the lag".to_owned(),
            alert: Some(AboutAlert {
                id: alert,
                name: "replication".to_owned(),
            }),
            came: Came::Done,
        }];
    });
    let mut window = alert_page(&desk);
    window.get_by_label("Actions taken for this alert");
    let line = "flush-cache on db2.example.org: failed (exit 1) · Developer on call";
    assert_eq!(window.query_all_by_label_contains(line).count(), 1);
    window.get_by_label_contains("restart on db3: done · Developer on call: the lag");
    click(&mut window, "Timeline");
    window.get_by_label_contains("the lag (for the alert replication)");
}
