//! Who may do what: the stored set of a Space, and the verdicts that follow from it (TRUST §4).
//!
//! [`SpaceLog`] keeps what has form. [`Evaluation`] says, from that set alone, what counts.
//! [`Keyring`] holds the epoch keys that this device can open. [`open_snapshot`] says which plain bodies
//! of a snapshot are those that their own authors signed.
//!
//! **Invariant:** equal sets with equal arrival times give equal verdicts, in any order of arrival.

mod additions;
mod by_id;
mod control;
mod cuts;
mod emergency;
mod ended;
mod entry;
mod epoch_fault;
mod evaluation;
mod fork;
mod grant_chain;
mod keyring;
mod known;
mod left_out;
mod log;
mod receipts;
mod redemptions;
mod revoking;
mod roster;
mod snapshot;
mod verdict;

#[cfg(test)]
mod tests;

pub use control::CLOCK_AHEAD_MAX;
pub use emergency::EmergencyUse;
pub use ended::DELIVERY_SPAN;
pub use entry::{Entry, Link};
pub use evaluation::{Evaluation, evaluate};
pub use fork::Fork;
pub(crate) use grant_chain::needed;
pub use grant_chain::{BREAK_GLASS_SPAN, DEPTH_MAX, GRACE, LONG_GRACE, Refusal, guest_principal};
pub use keyring::{Keyring, KeyringError, Rotation, RotationReason, WRAPS_MAX};
pub use left_out::LeftOut;
pub use log::{BRANCHES_MAX, ChainSummary, Inserted, NotInserted, SpaceLog};
pub use roster::{AudienceSpace, EpochInForce, Member, OutsideSpace, Outsiders};
#[cfg(test)]
pub(crate) use snapshot::list_in;
pub use snapshot::{
    LISTED_BYTES_MAX, OpenedSnapshot, PassedOver, SNAPSHOT_BYTES_TARGET, SnapshotFault,
    is_listable, listed_as, open_snapshot, sealed_again, snapshot_of, wanted_bodies,
};
pub use verdict::{Held, Refreshed, Verdict};
