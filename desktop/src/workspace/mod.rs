//! The workspace at run time: a replica, the model of what it holds, and what people do with them.

mod act;
mod care;
mod change;
mod checks;
mod desk;
mod feed;
mod frame;
mod fresh;
mod joined;
mod live;
mod network;
mod open;
mod profile;
mod read;
mod recovery;
mod rows;
mod serve;
mod socket;
mod trust;

pub(crate) use care::restore;
pub(crate) use change::SystemChange;
pub(crate) use checks::read_checks;
pub(crate) use frame::path_word;
pub(crate) use fresh::random;
pub(crate) use joined::capability_word;
pub(crate) use live::{Arrival, Live};
pub(crate) use open::{open_demo_window, open_window, overview_png};
pub(crate) use profile::{create, refuse_existing, with_causes};
pub(crate) use read::transitions;
pub(crate) use recovery::RecoveryKit;
pub(crate) use rows::{NoteRow, SystemPage, SystemRow, TimelineRow};
pub(crate) use serve::serve_verbs;
pub(crate) use socket::{Answer, Call, Server, ask};
pub(crate) use trust::{ShareRequest, relay_address};
