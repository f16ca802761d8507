//! That somebody was told of an alert.

use aramaki_model::notify::{NotificationId, Receipt, ReceiptItem, Stage, State, Target};
use aramaki_model::{Alert, EntryId, TimelineEntry, Workspace};
use aramaki_sync_core::SpaceId;

use crate::common::{at, chain};

/// A notifier writes down in the timeline of a System that it told of an alert, which was as bad as this.
pub(crate) fn receipt(
    workspace: &mut Workspace,
    (who, seconds): (u8, i64),
    system: SpaceId,
    alert: &Alert,
) {
    let target = Target {
        via: "pager".to_owned(),
        to: "+49".to_owned(),
    };
    let state = State::Problem(alert.worst);
    let receipt = Receipt {
        at: at(seconds),
        stage: Stage::Sent,
        rank: 0,
        receiver: "duty".to_owned(),
        group: system,
        items: vec![ReceiptItem {
            id: NotificationId::new(&alert.id, state, &target, 0, 0),
            alert: alert.id.0,
            system,
            check: alert.check,
            state: state.code(),
            step: 0,
            repeat: 0,
            opened: None,
        }],
        detail: String::new(),
        target,
    };
    let said = TimelineEntry::Notification(receipt);
    let entries = [(EntryId::new(at(seconds), [who; 10]), said)];
    let edit = workspace.append_timeline(system, &chain(who), at(seconds), &entries);
    drop(edit.unwrap());
}
