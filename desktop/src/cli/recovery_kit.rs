//! `aramaki recovery-kit`.

use std::path::PathBuf;

use aramaki_sync_core::SpaceId;
use clap::Args;
use serde_json::json;

use super::report::{Lines, count};
use super::{CliError, Report};
use crate::workspace::Live;

/// Bring the recovery kit up to date: name the Spaces and relays of now in it.
///
/// Needs no passphrase: the sealed key in the file stays as it is. Do it after you added Systems,
/// agents or relays; else `aramaki recover` has to be told a relay.
#[derive(Debug, Args)]
pub(crate) struct RecoveryKit {
    /// The kit that `aramaki init` wrote.
    file: PathBuf,
}

impl RecoveryKit {
    /// The path that is meant from where the verb was typed.
    pub(crate) fn path(&mut self) -> &mut PathBuf {
        &mut self.file
    }

    /// Writes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let named = live.renew_kit(&self.file).await?;
        let mut text = Lines::default();
        text.add(format_args!(
            "{} names {} and {} now. Keep it offline.",
            self.file.display(),
            count(named.spaces.len(), "Space"),
            count(named.relays.len(), "relay")
        ));
        for space in &named.unrelayed {
            let title = live.title(*space).unwrap_or_else(|| space.short());
            text.add(format_args!(
                "Warning: no relay keeps {title}: without this device it is lost."
            ));
        }
        let ids = |spaces: &[SpaceId]| -> Vec<String> {
            spaces.iter().map(ToString::to_string).collect()
        };
        Ok(Report::new(
            text.into_text(),
            &json!({
                "recovery_kit": self.file,
                "spaces": ids(&named.spaces),
                "relays": named.relays.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "without_relay": ids(&named.unrelayed),
            }),
        ))
    }
}
