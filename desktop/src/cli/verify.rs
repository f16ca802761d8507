//! `aramaki verify`.

use clap::Args;
use serde_json::json;

use super::report::Lines;
use super::trust::fork_json;
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
        let forks = live.two_histories(None).await?;
        let mut text = Lines::default();
        text.add(format_args!(
            "{} envelopes in {} Spaces: every signature, chain and hash holds.",
            verified.envelopes, verified.spaces
        ));
        for fork in &forks {
            text.add(fork.text());
        }
        let two_histories: Vec<_> = forks.iter().map(fork_json).collect();
        Ok(Report::new(
            text.into_text(),
            &json!({
                "spaces": verified.spaces,
                "envelopes": verified.envelopes,
                "faults": [],
                "two_histories": two_histories,
            }),
        ))
    }
}
