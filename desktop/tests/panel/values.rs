//! What a check measured is asked for, waited for, shown, and told of when nobody answers.

use std::sync::Arc;

use aramaki_desktop::view::actions::{HostAction, SystemActions};
use aramaki_desktop::view::asked::{Answer, Values};
use aramaki_model::Severity::Unknown;
use aramaki_model::action::{Parameter, ParameterKind};
use aramaki_model::series::SeriesAnswer;
use aramaki_model::{MetricRule, Pattern};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use crate::acts::{Window, click, go, press};
use crate::night;
use crate::world::{AGENT, CHECKOUT, Desk, ME, at, chain, check, space};
use crate::{WIDE, app};

const HOST: &str = "db2.example.org";

/// What lets values be read.
fn series() -> HostAction {
    let parameter = |name: &str| Parameter {
        name: name.to_owned(),
        kind: ParameterKind::Text {
            pattern: ".*".to_owned(),
            len_bytes_max: 128,
        },
        default: None,
    };
    HostAction {
        host: HOST.to_owned(),
        name: "series".to_owned(),
        description: "What a check measured, as JSON".to_owned(),
        parameters: vec![parameter("check"), parameter("since")],
        approvals: 0,
        is_read_only: true,
        runs: Vec::new(),
        watched: Vec::new(),
    }
}

/// The host was asked so many seconds ago, and this came; an answer is of then or of an hour ago.
fn asked(desk: &Desk, seconds: i64, came: Answer, answer: Option<&SeriesAnswer>) {
    let last_at = if came == Answer::Came {
        -seconds
    } else {
        -3_600
    };
    let values = Values {
        agent: space(AGENT),
        host: HOST.to_owned(),
        at: at(-seconds),
        came,
        last: answer.map(|answer| (at(last_at), Arc::new(answer.clone()))),
    };
    desk.show(|frame| {
        let actions = frame.actions.as_mut().unwrap();
        actions.values = [("replication".to_owned(), vec![values])].into();
    });
}

/// Lag over a day, a value an hour.
fn lag() -> SeriesAnswer {
    let points: Vec<_> = (0..24)
        .map(|hour| {
            let mean = f64::from(hour) / 10.0;
            serde_json::json!({
                "at": at(i64::from(hour - 24) * 3_600).millis(),
                "min": mean / 2.0, "mean": mean, "max": mean * 2.0, "count": 60,
            })
        })
        .collect();
    let said = serde_json::json!({
        "name": "replication",
        "series": [{"label": "lag", "unit": "s", "points": points}],
        "left_out": 3,
    });
    SeriesAnswer::parse(said.to_string().as_bytes()).unwrap()
}

/// Checkout's page; its replication may lag for two and a half seconds.
fn page(tells: bool) -> (Desk, Window) {
    let mut workspace = night::workspace();
    let mut replication = check(1, "replication");
    replication.metrics.push(MetricRule {
        metric: Pattern("lag".to_owned()),
        warning: Some("2.5".parse().unwrap()),
        critical: Some("10".parse().unwrap()),
        missing: Unknown,
    });
    workspace
        .edit_system(space(CHECKOUT), &chain(ME), at(-8_000), |edit| {
            edit.put_check(&replication)
        })
        .map(drop)
        .unwrap();
    let desk = Desk::of(workspace);
    desk.show(|frame| {
        frame.actions = Some(SystemActions {
            actions: if tells { vec![series()] } else { Vec::new() },
            ..SystemActions::new(space(CHECKOUT))
        });
    });
    let mut window = app(&desk, WIDE);
    go(&mut window, "checkout");
    (desk, window)
}

#[test]
fn opening_asks_once_and_what_comes_is_drawn_with_its_extremes_and_limits() {
    let (desk, mut window) = page(true);
    click(&mut window, "Values of replication");
    assert_eq!(desk.asked(), ["AskValues"]);
    asked(&desk, 1, Answer::Waits, None);
    window.run();
    window.get_by_label("asking…");
    assert!(
        window.query_by_label("Ask again").is_none(),
        "it is asked already"
    );
    asked(&desk, 25, Answer::Waits, None);
    window.run();
    window.get_by_label_contains("Nobody answered. Is the agent connected?");
    window.get_by_label("Ask again");
    asked(&desk, 5, Answer::Came, Some(&lag()));
    window.run();
    window.get_by_role_and_label(
        Role::Image,
        "lag: least 0 s, most 4.6 s, last 2.3 s · warning above 2.5 s · critical above 10 s",
    );
    window.get_by_label("3 more had no room in the answer.");
    // Closed and opened again: the answer is new enough.
    click(&mut window, "Values of replication");
    assert!(window.query_by_label_contains("lag: least").is_none());
    click(&mut window, "Values of replication");
    window.get_by_label_contains("lag: least");
    assert_eq!(desk.asked(), ["AskValues"]);
    click(&mut window, "Ask again");
    assert_eq!(desk.asked(), ["AskValues", "AskValues"]);
}

#[test]
fn an_older_answer_stays_while_nobody_answers_anew() {
    let (desk, mut window) = page(true);
    asked(&desk, 40, Answer::Waits, Some(&lag()));
    window.run();
    click(&mut window, "Values of replication");
    window.get_by_label_contains("Nobody answered.");
    window.get_by_label("as asked 60 min ago");
    window.get_by_label_contains("lag: least");
}

#[test]
fn a_host_that_refuses_fails_or_measured_nothing_says_so() {
    let (desk, mut window) = page(true);
    click(&mut window, "Values of replication");
    asked(&desk, 1, Answer::Refused("not granted".to_owned()), None);
    window.run();
    window.get_by_label("Not answered: not granted");
    let none = SeriesAnswer::parse(br#"{"name":"replication","series":[]}"#).unwrap();
    asked(&desk, 1, Answer::Came, Some(&none));
    window.run();
    window.get_by_label("Nothing was measured in that time.");
    asked(&desk, 1, Answer::Unreadable, None);
    window.run();
    window.get_by_label_contains("What came is no answer.");
}

#[test]
fn where_no_host_tells_nobody_is_asked_and_what_helps_is_said() {
    let (desk, mut window) = page(false);
    click(&mut window, "Values of replication");
    window.get_by_label("No host of this System lets its values be read from afar.");
    window.get_by_label_contains("Put docs/series.toml.example into /etc/aramaki/actions.d");
    assert!(desk.asked().is_empty());
}

#[test]
fn the_page_of_an_alert_asks_when_somebody_wants_it_and_not_by_being_opened() {
    let (desk, mut window) = page(true);
    go(&mut window, "alerts");
    press(&mut window, Key::J);
    press(&mut window, Key::Enter);
    window.get_by_label("What it measured in the last 24 hours");
    assert!(desk.asked().is_empty());
    click(&mut window, "Ask its host");
    assert_eq!(desk.asked(), ["AskValues"]);
    asked(&desk, 5, Answer::Came, Some(&lag()));
    window.run();
    window.get_by_label_contains("lag: least 0 s, most 4.6 s, last 2.3 s");
}
