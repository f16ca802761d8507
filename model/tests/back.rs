//! Timelines further back than a snapshot has them.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

#[path = "common/names.rs"]
mod common;
#[path = "common/shop.rs"]
#[expect(dead_code, reason = "other stories look at more of the shop")]
mod shop;

use aramaki_model::changed_before::{changed_before, reaches_before};
use aramaki_model::entry::Message;
use aramaki_model::snapshot::TIMELINE_ITEMS_MAX;
use aramaki_model::{EntryId, Severity, TimelineEntry, TimelineReach, View, Workspace};
use common::{at, chain, space};
use shop::{ALICE, DATABASE, SHOP, alerts, told, workspace};

/// What a busy System says: one word a second from 2000 on.
fn busy(words: i64) -> Workspace {
    let mut workspace = workspace();
    told(&mut workspace, 1, &[(5, Severity::Ok)]);
    say(&mut workspace, DATABASE, 100, "before it broke");
    told(&mut workspace, 1, &[(200, Severity::Critical)]);
    say(&mut workspace, SHOP, 300, "of a quiet System");
    for n in 0..words {
        say(&mut workspace, DATABASE, 2_000 + n, "noise");
    }
    workspace
}

fn say(workspace: &mut Workspace, system: u8, seconds: i64, text: &str) {
    let said = TimelineEntry::Message(Message {
        at: at(seconds),
        text: text.to_owned(),
    });
    let entry = (EntryId::new(at(seconds), [ALICE; 10]), said);
    let edit = workspace.append_timeline(space(system), &chain(ALICE), at(seconds), &[entry]);
    drop(edit.unwrap());
}

fn words(snapshot: &aramaki_model::Snapshot, wanted: &str) -> usize {
    let items = snapshot.timeline.iter();
    items
        .filter(|item| format!("{:?}", item.event).contains(wanted))
        .count()
}

#[test]
fn what_a_busy_system_pushed_out_is_there_for_whoever_looks_further_back() {
    let workspace = busy(700);
    let mut view = View::default();
    let newest = view.update(&workspace, at(5_000));
    assert_eq!(newest.timeline.len(), TIMELINE_ITEMS_MAX);
    assert_eq!(words(&newest, "of a quiet System"), 0);

    let all = view.reaching_back(&workspace, None, TimelineReach::since(at(0)));
    assert_eq!(words(&all, "noise"), 700);
    assert_eq!(words(&all, "of a quiet System"), 1);
    let times: Vec<_> = all.timeline.iter().map(|item| item.at).collect();
    assert!(times.is_sorted_by(|a, b| a >= b));

    let since = view.reaching_back(&workspace, None, TimelineReach::since(at(2_100)));
    assert_eq!((words(&since, "noise"), since.timeline.len()), (600, 600));
    let few = view.reaching_back(&workspace, None, TimelineReach::newest(650));
    assert_eq!(few.timeline.len(), 650);
    let shop = [space(SHOP)];
    let shop = view.reaching_back(&workspace, Some(&shop), TimelineReach::newest(5));
    assert_eq!(
        (words(&shop, "of a quiet System"), words(&shop, "noise")),
        (1, 0)
    );
    // It is the snapshot otherwise, and that stays as it was.
    assert_eq!(all.counts, newest.counts);
    assert_eq!(view.update(&workspace, at(5_000)), newest);
}

#[test]
fn what_changed_before_an_old_alert_is_found_however_much_was_said_since() {
    let workspace = busy(700);
    let mut view = View::default();
    let newest = view.update(&workspace, at(5_000));
    let hour = std::time::Duration::from_hours(1);
    let alert = alerts(&workspace, 5_000).remove(0);
    assert_eq!(alert.opened, at(200));
    assert!(!reaches_before(&newest, &alert, hour));
    assert_eq!(changed_before(&newest, &alert, hour).len(), 0);
    let from = alert.opened.minus(hour);
    let back = view.reaching_back(&workspace, None, TimelineReach::since(from));
    let before = changed_before(&back, &alert, hour);
    let found = before
        .iter()
        .any(|it| format!("{:?}", it.item.event).contains("before it broke"));
    assert!(found, "{before:?}");
    let quiet = busy(10);
    assert!(reaches_before(&quiet.view(at(5_000)), &alert, hour));
}
