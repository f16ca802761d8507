//! Whom to tell of a problem, when, and how one knows that they were told: rules without I/O.
//!
//! A [`Policy`] belongs to a System and decides over its own alerts and those of everything below
//! it. A [`Notifier`] looks at [`Facts`] and says which [`Message`]s are due; whoever sends them
//! writes a [`Receipt`], which every other notifier reads.

mod channels;
mod clock;
mod derive;
mod equals;
mod facts;
mod hours;
mod id;
mod notifier;
mod on_call;
mod pending;
mod plan;
mod policy;
mod policy_fault;
mod receipt;
mod record;
mod rotation;
mod route;
mod settle;
mod span;

pub use clock::{Date, DateError, Day, TimeOfDay, TimeOfDayError, Zone, ZoneError};
pub use derive::{alerts, policies};
pub use equals::EqualRank;
pub use facts::{Acknowledged, AlertFact, Facts, Muted, PolicyFact, Recurrence};
pub use hours::Hours;
pub use id::NotificationId;
pub use notifier::{Notifier, RANK_MAX, STANDBY_MS};
pub use on_call::OnCall;
pub use plan::{Held, Item, MESSAGE_ITEMS_MAX, Message, Plan, Waiting};
pub use policy::{GroupBy, Grouping, Origin, POLICY_LEN_BYTES_MAX, Policy, Receiver, Route, Step};
pub use policy_fault::PolicyFault;
pub use receipt::{RECEIPT_ITEMS_MAX, Receipt, ReceiptItem, Stage, State, Target};
pub use record::{Mark, Record, Whose};
pub use rotation::{Duty, OnCallOverride, Schedule, duties, duty};
pub use settle::{Contact, SETTLE_DEFAULT_MS, SETTLE_MAX_MS, Settling};
pub use span::{Span, SpanError};
