//! Evidence that is too long for an alert is fetched, shown whole, given up, or said not to come.

use std::sync::Arc;

use aramaki_desktop::view::Route;
use aramaki_desktop::view::evidence::{EvidenceFault, Fetched, FetchedState};
use aramaki_model::evidence::{AgentEvidence, GatherError, WholeEvidence};
use aramaki_model::{Alert, Snapshot};
use egui_kittest::kittest::Queryable as _;

use crate::acts::{Window, click, press};
use crate::night;
use crate::world::{AGENT, Desk, space};
use crate::{WIDE, app};

const BEGIN: &str = "the beginning of what the hook said";

fn text() -> String {
    let lines: Vec<_> = (0..2_000)
        .map(|n| format!("line {n} of the hook"))
        .collect();
    format!(
        "{BEGIN}
{}",
        lines.join("\n")
    )
}

fn of() -> AgentEvidence {
    AgentEvidence {
        agent: space(AGENT),
        kept: WholeEvidence::of(&text(), BEGIN).unwrap().kept,
    }
}

/// Of the alert its agent keeps more than is told with it; so it is again after a wish, which shows all anew.
fn keep_more(desk: &Desk) {
    let id = night::replication();
    desk.show(|frame| {
        night::dress(frame);
        let mut snapshot = Snapshot::clone(frame.snapshot.as_ref().unwrap());
        let alerts = snapshot.alerts.iter().map(|alert| {
            if alert.id != id {
                return Arc::clone(alert);
            }
            Arc::new(Alert {
                detail: BEGIN.to_owned(),
                evidence: vec![of()],
                ..Alert::clone(alert)
            })
        });
        snapshot.alerts = alerts.collect();
        frame.snapshot = Some(Arc::new(snapshot));
    });
}

/// The page of an alert of which its agent keeps more.
fn page() -> (Desk, Window) {
    let desk = Desk::of(night::workspace());
    let id = night::replication();
    keep_more(&desk);
    let mut window = app(&desk, WIDE);
    window.get_by_label("Alerts, 2 need attention").click();
    window.run();
    press(&mut window, egui::Key::J);
    press(&mut window, egui::Key::Enter);
    assert_eq!(*window.state().route(), Route::Alert(id));
    (desk, window)
}

fn came(desk: &Desk, window: &mut Window, came: FetchedState) {
    keep_more(desk);
    desk.show(|frame| frame.evidence = vec![Fetched { of: of(), came }]);
    window.run();
}

#[test]
fn the_rest_is_fetched_when_somebody_wants_it_and_put_away_again() {
    let (desk, mut window) = page();
    window.get_by_label(BEGIN);
    window.get_by_label_contains("db2.example.org keeps what is longer");
    click(&mut window, "Show all (42 KiB)");
    assert_eq!(desk.asked(), ["ShowEvidence"]);
    came(&desk, &mut window, FetchedState::Comes(20 * 1_024));
    window.get_by_label("db2.example.org sends it: 20 KiB of 42 KiB");
    window.get_by_label(BEGIN);
    click(&mut window, "Stop");
    assert_eq!(desk.asked(), ["ShowEvidence", "HideEvidence"]);
    came(&desk, &mut window, FetchedState::Whole(text().into()));
    window.get_by_label("All of it, 42 KiB, from db2.example.org");
    window.get_by_label("line 3 of the hook");
    let last = "line 1999 of the hook";
    assert!(
        window.query_by_label(last).is_none(),
        "only what is on the screen is drawn"
    );
    click(&mut window, "Show less");
    assert_eq!(desk.asked().len(), 3);
}

#[test]
fn what_does_not_come_is_said_and_what_came_with_the_alert_stays() {
    let (desk, mut window) = page();
    let faults = [
        (
            EvidenceFault::NobodyAnswers,
            "db2.example.org does not answer.",
        ),
        (
            EvidenceFault::Gone,
            "db2.example.org does not keep it any more.",
        ),
        (
            EvidenceFault::Untrue(GatherError::WrongHash),
            "is not what the alert names",
        ),
        (EvidenceFault::NotAllowed, "This device may not read"),
        (
            EvidenceFault::NobodyAnswersReaders,
            "of an older version that hears no readers of its System",
        ),
    ];
    for (fault, words) in faults {
        came(&desk, &mut window, FetchedState::Failed(fault));
        window.get_by_label_contains(words);
        window.get_by_label(BEGIN);
        window.get_by_label("Try again (42 KiB)");
    }
    click(&mut window, "Try again (42 KiB)");
    assert_eq!(desk.asked(), ["ShowEvidence"]);
}
