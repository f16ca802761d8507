//! What a notifier writes down when it told somebody.

use aramaki_model::notify::{Item, Message, Receipt, Stage};
use aramaki_sync_core::Timestamp;

/// The first notifier told a message at a moment.
pub(crate) fn receipt(message: &Message, at: Timestamp) -> Receipt {
    Receipt {
        at,
        stage: Stage::Sent,
        rank: 0,
        receiver: message.receiver.clone(),
        target: message.target.clone(),
        group: message.group,
        items: message.items.iter().map(Item::receipt).collect(),
        detail: String::new(),
    }
}
