//! The worklist of alerts, an alert's page, and the questions of somebody who was woken at night.

use aramaki_desktop::view::actions::{Came, Run};
use aramaki_desktop::view::alert::{Habit, days};
use aramaki_desktop::view::alerts::{Grouping, Line, Tab, Worklist};
use aramaki_desktop::view::{Backend as _, Route};
use aramaki_model::Query;
use aramaki_model::Severity::{Critical, Ok, Warning};
use aramaki_model::alert::AlertState;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{By, NodeT as _, Queryable as _};

use crate::acts::{Window, click, enter_into, go, press, press_with, steps, type_into};
use crate::night;
use crate::world::{CHECKOUT, DATABASES, Desk, at, space};
use crate::{NARROW, WIDE, app, focused};

fn night() -> (Desk, Window) {
    let desk = Desk::of(night::workspace());
    desk.show(night::dress);
    let mut window = app(&desk, WIDE);
    window.get_by_label("Alerts, 2 need attention").click();
    window.run();
    (desk, window)
}

#[test]
fn the_worst_comes_first_and_is_acknowledged_by_keys_alone() {
    let (desk, mut window) = night();
    press(&mut window, Key::J);
    assert!(
        focused(&window).starts_with("Checkout, replication, Critical, lag 41 s"),
        "{}",
        focused(&window)
    );
    press(&mut window, Key::A);
    window.get_by_label("Acknowledge Checkout · replication");
    window.event(egui::Event::Text("known, waits for the vendor".to_owned()));
    window.run();
    press(&mut window, Key::Enter);
    assert_eq!(desk.asked(), ["Acknowledge"]);
    window.get_by_label("Needs attention (1)");
    window.get_by_label("Open (3)").click();
    window.run();
    let line = window.get_by_label_contains("Checkout, replication, Critical");
    let words = line.accesskit_node().label().unwrap_or_default();
    assert!(words.contains("Duty operator knows"), "{words}");
    // It asks for nobody, and is not well.
    go(&mut window, "Checkout");
    window.get_by_label("acknowledged");
    let raw = window.query_all_by_role_and_label(Role::Label, "Critical");
    assert_eq!(raw.count(), 1, "the state beside the tick");
}

/// Somebody at this window is on the one alert that is broken in Checkout, and has not acknowledged it.
fn is_claimed(desk: &Desk, window: &mut Window) {
    assert_eq!(desk.asked(), ["Claim"]);
    let frame = desk.frame();
    let snapshot = frame.snapshot.as_ref().unwrap();
    let alert = snapshot.alert(&night::replication()).unwrap();
    let [claim] = alert.claims.as_slice() else {
        panic!("{:?}", alert.claims);
    };
    assert_eq!(
        (claim.text.as_str(), claim.holds),
        ("looking at the disk", true)
    );
    assert_eq!(claim.until, at(3_600), "for an hour, as is offered");
    assert_eq!(
        (alert.state, &alert.acknowledgements),
        (AlertState::Open, &vec![])
    );
    go(window, "alerts");
    click(window, "Open (3)");
    let line = window.get_by_label_contains("Checkout, replication, Critical");
    let words = line.accesskit_node().label().unwrap_or_default();
    assert!(words.contains("Duty operator is on it"), "{words}");
    assert!(!words.contains("knows"), "{words}");
}

#[test]
fn an_alert_is_claimed_with_a_key() {
    let (desk, mut window) = night();
    press(&mut window, Key::J);
    press(&mut window, Key::C);
    window.get_by_label("I am on it: Checkout · replication");
    // Until it is over nobody is on anything: a claim ends by itself.
    assert!(window.query_by_label("Until resolved").is_none());
    window.event(egui::Event::Text("looking at the disk".to_owned()));
    window.run();
    press(&mut window, Key::Enter);
    is_claimed(&desk, &mut window);
    // Z takes it back.
    press(&mut window, Key::Z);
    assert_eq!(desk.asked(), ["Claim", "UndoDeed"]);
}

#[test]
fn an_alert_is_claimed_with_the_buttons_of_its_page() {
    let (desk, mut window) = night();
    press(&mut window, Key::J);
    press(&mut window, Key::Enter);
    assert_eq!(*window.state().route(), Route::Alert(night::replication()));
    click(&mut window, "I am on it…");
    enter_into(
        &mut window,
        "What are you doing about it?",
        "looking at the disk",
    );
    window.get_by_role_and_label(Role::Button, "Claim").click();
    window.run();
    is_claimed(&desk, &mut window);
}

#[test]
fn several_are_selected_and_acted_on_with_one_text() {
    let (desk, mut window) = night();
    press(&mut window, Key::J);
    press(&mut window, Key::X);
    window.key_press_modifiers(Modifiers::SHIFT, Key::J);
    window.run();
    window.get_by_label("2 selected");
    press(&mut window, Key::N);
    window.get_by_label("Note on 2 alerts");
    window.event(egui::Event::Text("The provider has a fault.".to_owned()));
    window.run();
    press(&mut window, Key::Enter);
    assert_eq!(desk.asked(), ["Say"]);
    press(&mut window, Key::Escape);
    assert!(window.query_by_label("2 selected").is_none());
    assert_eq!(
        *window.state().route(),
        Route::Alerts,
        "Escape kept the page"
    );
    press(&mut window, Key::Z);
    assert_eq!(desk.asked(), ["Say", "UndoDeed"]);
}

#[test]
fn the_filter_is_completed_and_says_where_it_is_wrong() {
    let (_desk, mut window) = night();
    window.get_by_label("Open (3)").click();
    window.run();
    window.key_press(Key::F);
    steps(&mut window);
    let hint = "Filter: severity>=warning system:db NOT silenced:yes opened<2h …";
    let write = |window: &mut Window, text: &str| {
        window
            .get_by_role_and_label(Role::TextInput, hint)
            .type_text(text);
        steps(window);
    };
    write(&mut window, "sev");
    window.get_by_label_contains("severity:");
    window.key_press(Key::Tab);
    steps(&mut window);
    write(&mut window, "w");
    window.key_press(Key::Tab);
    steps(&mut window);
    let field = window.get_by_role_and_label(Role::TextInput, hint);
    assert_eq!(field.value().as_deref(), Some("severity:warning "));
    window.get_by_label_contains("Databases, disk_usage, Warning");
    assert!(
        window
            .query_by_label_contains("Databases, backup_age")
            .is_none()
    );
    write(&mut window, "nosuch:x");
    window.get_by_label_contains("At character 18: there is no field nosuch");
    window.get_by_label_contains("Databases, disk_usage, Warning");
}

#[test]
fn a_silence_says_first_what_it_would_mute_and_needs_a_reason() {
    let (desk, mut window) = night();
    press(&mut window, Key::J);
    press(&mut window, Key::S);
    window.get_by_label("Would mute 1 alert now:");
    window.get_by_role_and_label(Role::Button, "Checkout · replication, Critical");
    let silence = |window: &Window| {
        let button = window.get_by_role_and_label(Role::Button, "Silence");
        button.accesskit_node().is_disabled()
    };
    assert!(silence(&window), "without a reason nothing is silenced");
    window.event(egui::Event::Text("moving the rack".to_owned()));
    window.run();
    window
        .get_by_label("The whole Systems and what their parts bring to them")
        .click();
    window.run();
    window.get_by_label("Would mute 1 alert now:");
    assert!(!silence(&window));
    window
        .get_by_role_and_label(Role::Button, "Silence")
        .click();
    window.run();
    assert_eq!(desk.asked(), ["Silence"]);
}

/// What the field for labels is called.
const LABELS: &str = "Which labels: site=rzob AND NOT stage=test";

#[test]
fn a_silence_by_labels_says_while_one_types_what_it_would_mute() {
    let (desk, mut window) = night();
    press(&mut window, Key::J);
    press(&mut window, Key::S);
    click(&mut window, "Systems with certain labels");
    window.get_by_label("Say labels, and what would be quiet is shown here.");
    // What the alert's System has is offered.
    click(&mut window, "site=rzob");
    window.get_by_label("2 Systems are meant.");
    window.get_by_label("Would mute 2 alerts now:");
    window.get_by_role_and_label(Role::Button, "Databases · disk_usage, Warning");
    click(&mut window, "What fails alike");
    window.get_by_label("Would mute 1 alert now:");
    click(&mut window, "Checks of the same name");
    window.get_by_label("1 System is meant.");
    click(&mut window, "Everything of them");
    enter_into(&mut window, LABELS, " AND (");
    window.get_by_label_contains("Character 16: this cannot be read.");
    enter_into(&mut window, LABELS, "NOT category=Services)");
    window.get_by_label("Would mute 1 alert now:");
    enter_into(&mut window, "Why is it to be quiet? (needed)", "new rack");
    window
        .get_by_role_and_label(Role::Button, "Silence")
        .click();
    window.run();
    assert_eq!(desk.asked(), ["Silence"]);
    window.get_by_label("Needs attention (1)");
    window.get_by_label_contains("Checkout, replication, Critical");
}

#[test]
fn systems_are_silenced_by_labels_before_anything_is_wrong_there() {
    let (desk, mut window) = night();
    go(&mut window, "silence");
    let silence = |window: &Window| {
        let button = window.get_by_role_and_label(Role::Button, "Silence");
        button.accesskit_node().is_disabled()
    };
    enter_into(&mut window, "Why is it to be quiet? (needed)", "new rack");
    assert!(silence(&window), "nothing is meant yet");
    enter_into(&mut window, LABELS, "site=elsewhere");
    window.get_by_label("There is nothing here that this would make quiet.");
    assert!(silence(&window));
    window
        .get_by_role_and_label(Role::TextInput, LABELS)
        .focus();
    window.run();
    press_with(&mut window, Modifiers::COMMAND, Key::A);
    type_into(&mut window, LABELS, "site=rzob");
    window.get_by_label("Would mute 2 alerts now:");
    assert!(!silence(&window));
    window
        .get_by_role_and_label(Role::Button, "Silence")
        .click();
    window.run();
    assert_eq!(desk.asked(), ["Silence"]);
    window.get_by_label("Needs attention (0)");
}

#[test]
fn the_page_of_an_alert_tells_what_since_when_whether_always_and_what_changed_before() {
    let (_desk, mut window) = night();
    press(&mut window, Key::J);
    press(&mut window, Key::Enter);
    assert_eq!(*window.state().route(), Route::Alert(night::replication()));
    window.get_by_label("lag 41 s, limit 10 s");
    assert!(window.query_all_by_label_contains("14 min").count() > 0);
    assert!(
        window
            .query_all_by_label_contains("checkout 2026.47.3 b5dbd31")
            .count()
            > 0
    );
    window.get_by_label("What changed in the hour before");
    window.get_by_label("restart web workers, one at a time");
    window.get_by_label("+49 30 0000 0000 · every night");
    window.get_by_label_contains("Developer on call, 6 min ago: done");
    window.get_by_label("Nobody has said anything yet.");
    window.get_by_label_contains("Webshop → Checkout");
}

#[test]
fn what_somebody_just_did_needs_a_second_confirmation() {
    let (desk, mut window) = night();
    press(&mut window, Key::J);
    press(&mut window, Key::Enter);
    window
        .get_by_label("Run flush-cache on db2.example.org")
        .click();
    window.run();
    window.event(egui::Event::Text("prices are old".to_owned()));
    window.run();
    window.get_by_label_contains("Someone just did that. Developer on call, 6 min ago: done");
    let again = |window: &Window| {
        let button = window.get_by_role_and_label(Role::Button, "Run again");
        button.accesskit_node().is_disabled()
    };
    assert!(again(&window));
    window.get_by_label("Run it once more all the same").click();
    window.run();
    assert!(!again(&window));
    window.get_by_label("Run again").click();
    window.run();
    assert_eq!(desk.asked(), ["Run"]);
}

#[test]
fn the_system_page_answers_the_five_questions_of_the_night_on_one_screen() {
    let (_desk, mut window) = night();
    press(&mut window, Key::J);
    press(&mut window, Key::Enter);
    window.get_by_role_and_label(Role::Link, "Checkout").click();
    window.run();
    assert_eq!(*window.state().route(), Route::System(space(CHECKOUT)));
    for (question, answers) in night::FIVE_ANSWERS {
        for words in answers {
            assert!(!on_screen(&window, words).is_empty(), "{question} {words}");
        }
    }
    // The strip of its days is a picture, and says how many they are.
    let screen = screen();
    let mut strips = window.query_all(By::new().role(Role::Image).label_contains(" days"));
    assert!(strips.any(|strip| screen.contains_rect(strip.rect())));
    // Which dashboards there are stands on the page, below what fits on this screen.
    window.get_by_label("Orders per minute");
    // Since when and how it was before stand in the row of the check too.
    let check = window.get_by_label("replication").rect();
    let mut oks = on_screen(&window, "last OK ").into_iter();
    assert!(oks.any(|ok| ok.y_range().contains(check.center().y)));
}

fn screen() -> egui::Rect {
    let [width, height] = WIDE;
    egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width, height))
}

/// Where words stand that are wholly on the screen.
pub(crate) fn on_screen(window: &Window, words: &str) -> Vec<egui::Rect> {
    let nodes = window.query_all_by_label_contains(words);
    let places = nodes.map(|node| node.rect());
    places.filter(|it| screen().contains_rect(*it)).collect()
}

#[test]
fn a_list_that_is_empty_says_why_and_what_can_be_done() {
    let mut window = app(&Desk::new(), NARROW);
    press(&mut window, Key::Slash);
    window.get_by_role(Role::TextInput).type_text("alerts");
    window.run();
    press(&mut window, Key::Enter);
    assert_eq!(*window.state().route(), Route::Alerts);
    window.get_by_label_contains("Checkout, replication, Critical");
    window.get_by_label("Resolved (0)").click();
    window.run();
    window.get_by_label("No alert was resolved lately");
}

#[test]
fn what_was_run_in_the_hour_before_stands_among_what_changed() {
    let desk = Desk::of(night::workspace());
    desk.show(|frame| {
        night::dress(frame);
        let ran = |minutes: i64, came| Run {
            at: at(-60 * minutes),
            came,
            ..night::flush().runs[0].clone()
        };
        let known = frame.actions.as_mut().unwrap();
        // After it began, in the hour before, not run at all, and long ago.
        known.actions[0].runs = vec![
            ran(6, Came::Done),
            ran(20, Came::Done),
            ran(25, Came::Refused("not allowed".to_owned())),
            ran(90, Came::Done),
        ];
    });
    let mut window = app(&desk, WIDE);
    window.get_by_label("Alerts, 2 need attention").click();
    window.run();
    press(&mut window, Key::J);
    press(&mut window, Key::Enter);
    assert_eq!(*window.state().route(), Route::Alert(night::replication()));
    let run = "flush-cache on db2.example.org: Developer on call, 20 min ago";
    let ran = "flush-cache on db2.example.org: Developer on call";
    window.get_by_label_contains(run);
    assert_eq!(window.query_all_by_label_contains(ran).count(), 1);
}

#[test]
fn from_the_alert_of_an_aggregate_one_click_leads_to_the_cause() {
    let desk = Desk::of(night::without_orders());
    desk.show(night::dress);
    let mut window = app(&desk, WIDE);
    window.get_by_label("Alerts, 3 need attention").click();
    window.run();
    press(&mut window, Key::J);
    press(&mut window, Key::J);
    press(&mut window, Key::Enter);
    window.get_by_label("Broken below, perhaps the cause");
    window
        .get_by_label_contains("Checkout: replication: lag 41 s")
        .click();
    window.run();
    assert_eq!(*window.state().route(), Route::Alert(night::replication()));
    // What lies in the System itself stands on the page already.
    for title in ["Why it is so", "Broken below, perhaps the cause"] {
        assert!(window.query_by_label(title).is_none());
    }
}

#[test]
fn groups_stand_by_their_worst_and_hold_every_alert_once() {
    let frame = night::frame();
    let snapshot = frame.snapshot.as_ref().unwrap();
    let everything = Query::default();
    for grouping in Grouping::ALL {
        let list = Worklist::of(snapshot, Tab::Open, &everything, grouping);
        let mut shown: Vec<_> = list
            .lines
            .iter()
            .filter_map(|line| line.alert(snapshot))
            .map(|alert| alert.id)
            .collect();
        shown.sort_unstable();
        shown.dedup();
        assert_eq!((shown.len(), list.alerts), (3, 3), "{grouping:?}");
        let heads = list.lines.iter().filter(|it| matches!(it, Line::Head(_)));
        assert_eq!(heads.count(), list.groups.len());
        let worst: Vec<_> = list.groups.iter().map(|group| group.worst).collect();
        if grouping == Grouping::System {
            assert!(worst.is_sorted_by(|a, b| a >= b), "{worst:?}");
        }
    }
    let query: Query = "label.site:rzob owner:developer".parse().unwrap();
    let list = Worklist::of(snapshot, Tab::Open, &query, Grouping::None);
    let only = list.lines[0].alert(snapshot).unwrap();
    assert_eq!((list.alerts, only.name.as_str()), (1, "backup_age"));
    assert_eq!(only.system, space(DATABASES));
}

#[test]
fn the_strip_tells_what_just_happened_from_what_is_always_broken() {
    let frame = night::frame();
    let snapshot = frame.snapshot.as_ref().unwrap();
    let of = |name: &str| {
        let mut alerts = snapshot.alerts.iter();
        let alert = alerts.find(|alert| alert.name == name).unwrap();
        let strip = days(alert, snapshot.now);
        assert_eq!(strip.len(), 90);
        let unheard = strip
            .iter()
            .filter(|day| day.is_begun && day.worst.is_none());
        assert_eq!(strip[72].worst, None, "nobody heard it that day");
        let seen = (strip[89].drawn(), strip[86].drawn(), unheard.count());
        (Habit::of(alert, snapshot.now), seen)
    };
    let (days, unheard) = (24, 7);
    // That began yesterday, before midnight.
    let new = Habit::New { days: 23, unheard };
    assert_eq!(of("backup_age"), (new, (Critical, Ok, 7)));
    let long = Habit::Long { days: 12 };
    assert_eq!(of("disk_usage"), (long, (Warning, Warning, 7)));
    let now_and_then = Habit::Sometimes {
        bad: 1,
        days,
        unheard,
    };
    assert_eq!(of("connections"), (now_and_then, (Critical, Critical, 7)));
    let new = Habit::New { days, unheard };
    assert_eq!(of("replication"), (new, (Critical, Ok, 7)));
    let unknown = Desk::of(night::without_orders()).frame();
    let snapshot = unknown.snapshot.as_ref().unwrap();
    let mut alerts = snapshot.alerts.iter();
    let orders = alerts.find(|alert| alert.name == "orders").unwrap();
    assert_eq!(Habit::of(orders, snapshot.now), Habit::Unknown);
}
