//! `aramaki compact`.

use clap::Args;
use serde_json::json;

use super::{CliError, Report};
use crate::workspace::Live;

/// Delete sealed bodies that a verified snapshot on this disk holds; nothing that is shown changes.
///
/// A relay that comes later is given sealed bodies all the same: they are sealed again out of the snapshot.
/// Never done by itself.
#[derive(Debug, Args)]
pub(crate) struct Compact {
    /// Which System, with its agents; all without it.
    system: Option<String>,
}

impl Compact {
    /// Deletes them.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let wanted = self.system.as_deref().map(|system| live.find(system));
        let done = live.compact(wanted.transpose()?).await?;
        let text = if done.bodies == 0 {
            "Nothing to delete: no snapshot holds a body that is still kept twice.".to_owned()
        } else {
            format!(
                "Deleted {} sealed bodies that {} snapshots hold; the store is {} bytes shorter.",
                done.bodies, done.snapshots, done.bytes
            )
        };
        let json = json!({
            "spaces": done.spaces,
            "snapshots": done.snapshots,
            "bodies": done.bodies,
            "bytes": done.bytes,
        });
        Ok(Report::new(text, &json))
    }
}
