//! `aramaki verify`.

use clap::Args;
use serde_json::json;

use super::{CliError, Report};
use crate::workspace::Live;

/// Check every signature, chain and hash in the store.
#[derive(Debug, Args)]
pub(crate) struct Verify {}

impl Verify {
    /// Checks; faults make it an error.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let verified = live.verify().await?;
        if !verified.faults.is_empty() {
            return Err(CliError::Verify {
                count: verified.faults.len(),
                faults: verified.faults,
            });
        }
        Ok(Report::new(
            format!(
                "{} envelopes in {} Spaces: every signature, chain and hash holds.",
                verified.envelopes, verified.spaces
            ),
            &json!({"spaces": verified.spaces, "envelopes": verified.envelopes, "faults": []}),
        ))
    }
}
