//! Policies and receipts as they stand in documents: written, read, shown, and what older bytes say.

#[path = "common/names.rs"]
mod common;

use aramaki_model::alert::AlertId;
use aramaki_model::entry::ENTRY_LEN_BYTES_MAX;
use aramaki_model::notify::{
    NotificationId, OnCallOverride, RECEIPT_ITEMS_MAX, Receipt, ReceiptItem, Stage, State, Target,
    Whose, policies,
};
use aramaki_model::snapshot::TimelineEvent;
use aramaki_model::{CheckId, EntryId, ItemId, Policy, Severity, TimelineEntry, Workspace};
use aramaki_sync_core::Timestamp;
use common::{at, chain, space};
use serde_json::json;

fn receipt(items: usize) -> Receipt {
    let target = Target {
        via: "mail".to_owned(),
        to: "ops@example.org".to_owned(),
    };
    let alert = AlertId([7; 32]);
    let state = State::Problem(Severity::Critical);
    let item = |step| ReceiptItem {
        id: NotificationId::new(&alert, state, &target, step, 0),
        alert: alert.0,
        system: space(1),
        check: CheckId::from_bytes([2; 16]),
        state: state.code(),
        step,
        repeat: 0,
        opened: Some(at(4)),
    };
    Receipt {
        at: at(5),
        stage: Stage::Sent,
        rank: 1,
        receiver: "ops".to_owned(),
        group: space(1),
        items: (0..).take(items).map(item).collect(),
        detail: "disk full".to_owned(),
        target,
    }
}

#[test]
fn a_policy_and_what_changes_in_it_are_written_and_read_and_a_conflict_shows() {
    let policy: Policy = serde_json::from_value(json!({
        "receiver": {"ops": {"via": "mail", "to": "ops@example.org"}},
        "route": [{"then": [{"notify": ["ops"]}]}]
    }))
    .unwrap();
    let change = OnCallOverride {
        schedule: "first".to_owned(),
        who: "ops".to_owned(),
        from: at(1),
        until: at(2),
        reason: String::new(),
    };
    let (mut workspace, id) = (Workspace::new(), ItemId::from_bytes([3; 16]));
    workspace.open_space(space(1));
    let edit = workspace.edit_system(space(1), &chain(1), at(0), |edit| {
        edit.put_policy(&policy)?;
        edit.put_on_call(id, &change)
    });
    drop(edit.unwrap());
    let snapshot = workspace.view(at(9));
    let facts = policies(&snapshot);
    assert_eq!(facts[&space(1)].policy, &policy);
    assert_eq!(facts[&space(1)].overrides[&id], change);
    let edit = workspace.edit_system(space(1), &chain(1), at(0), |edit| {
        edit.remove_policy()?;
        edit.remove_on_call(id)
    });
    drop(edit.unwrap());
    assert!(policies(&workspace.view(at(9))).is_empty());
}

#[test]
fn a_receipt_is_an_entry_of_the_timeline_and_knows_whose_it_is() {
    let mut workspace = Workspace::new();
    workspace.open_space(space(1));
    let edit = workspace.edit_system(space(1), &chain(1), at(0), |edit| edit.title("Shop"));
    drop(edit.unwrap());
    for author in [1, 2] {
        let entry = TimelineEntry::Notification(receipt(1));
        let id = EntryId::new(at(5), [author; 10]);
        let edit = workspace.append_timeline(space(1), &chain(author), at(5), &[(id, entry)]);
        drop(edit.unwrap());
    }
    let record = workspace.told(chain(1).author);
    let marks = record.of(&AlertId([7; 32]));
    let whose: Vec<_> = marks.iter().map(|mark| mark.whose).collect();
    assert!(whose.contains(&Whose::Own) && whose.contains(&Whose::Other) && whose.len() == 2);
    assert_eq!(
        marks[0].policy,
        space(1),
        "where it is written is whose policy it was"
    );
    let snapshot = workspace.view(at(9));
    let shown = &snapshot.system(&space(1)).unwrap().timeline;
    let shown = shown
        .iter()
        .filter(|item| matches!(item.event, TimelineEvent::Notification(_)));
    assert_eq!(shown.count(), 2);
}

#[test]
fn the_fullest_receipt_fits_an_entry_and_its_bytes_do_not_change() {
    let mut full = receipt(RECEIPT_ITEMS_MAX + 1);
    for item in &mut full.items {
        item.opened = Some(Timestamp::MAX);
    }
    full.detail = "ä".repeat(10_000);
    full.receiver = "ä".repeat(10_000);
    full.target.to = "ä".repeat(10_000);
    let bytes = TimelineEntry::Notification(full).encode().unwrap();
    assert!(bytes.len() <= ENTRY_LEN_BYTES_MAX, "{}", bytes.len());
    let entry = TimelineEntry::Notification(receipt(0));
    let bytes = entry.encode().unwrap();
    assert_eq!(bytes[..3], [1, 48, 0]);
    let at = [0x90, 0xc8, 0xa1, 0xc6, 0xc0, 0x68];
    assert_eq!(bytes[3..9], at, "when");
    assert_eq!(bytes[9..11], [1, 1], "sent, rank");
    assert_eq!(TimelineEntry::decode(&bytes), entry);
    // Since when alerts were open is read behind all that older programs read, and is not known of those.
    let whole = TimelineEntry::Notification(receipt(2));
    let bytes = whole.encode().unwrap();
    assert_eq!(TimelineEntry::decode(&bytes), whole);
    let one = [1, 0xc0, 0xb8, 0xa1, 0xc6, 0xc0, 0x68];
    let opened = [&[2], &one[..], &one].concat();
    let (older, newer) = bytes.split_at(bytes.len() - opened.len());
    assert_eq!(newer, opened);
    let TimelineEntry::Notification(read) = TimelineEntry::decode(older) else {
        panic!("what an older program wrote is read");
    };
    assert_eq!(read.items.len(), 2);
    assert!(read.items.iter().all(|item| item.opened.is_none()));
    let entry = TimelineEntry::Notification(receipt(0));
    let bytes = entry.encode().unwrap();
    // A field of a newer program behind it is passed over.
    assert_eq!(
        TimelineEntry::decode(&[&bytes[..], &[1, 2, 3]].concat()),
        entry
    );
}
