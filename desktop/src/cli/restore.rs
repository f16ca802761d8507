//! `aramaki restore`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{CliError, Config, Report};
use crate::workspace;

/// Make a workspace from a backup, in a folder that has none.
///
/// It always starts a new instance, so that it never continues where the old one may still write.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// What `aramaki backup` wrote.
    file: PathBuf,
}

impl Restore {
    /// Restores it.
    pub(crate) fn run(&self, config: &Config) -> Result<Report, CliError> {
        let profile = workspace::restore(&self.file, &config.data, &config.passphrase)?;
        Ok(Report::new(
            format!(
                "Restored the workspace of {} in {}.",
                profile.name,
                config.data.display()
            ),
            &json!({
                "name": profile.name,
                "device": profile.device.to_string(),
                "data": config.data,
            }),
        ))
    }
}
