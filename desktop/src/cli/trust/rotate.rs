//! `aramaki trust rotate`.

use clap::Args;
use serde_json::json;

use crate::cli::{CliError, Report};
use crate::workspace::Live;

/// Seal to the readers of now what is written from now on, in a System and its agents' Spaces.
///
/// Writing does the same by itself when a reader left; this does it at once.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Which System.
    system: String,
}

impl Rotate {
    /// Seals anew.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        live.rotate(space).await?;
        Ok(Report::new(
            "What is written from now on is sealed to the readers of now.",
            &json!({"system": space.to_string(), "rotated": true}),
        ))
    }
}
