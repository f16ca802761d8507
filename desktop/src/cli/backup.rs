//! `aramaki backup`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{CliError, Report};
use crate::workspace::Live;

/// Write a copy of the workspace to a new file; also while the app runs.
///
/// The file holds keys: keep it as you keep the device.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The new file.
    file: PathBuf,
}

impl Backup {
    /// The path among its arguments.
    pub(crate) fn path(&mut self) -> &mut PathBuf {
        &mut self.file
    }

    /// Writes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let bytes = live.backup(&self.file).await?;
        Ok(Report::new(
            format!("Wrote {bytes} bytes to {}.", self.file.display()),
            &json!({"file": self.file, "bytes": bytes}),
        ))
    }
}
