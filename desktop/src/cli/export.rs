//! `aramaki export`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::system::system_json;
use super::{CliError, Report};
use crate::workspace::Live;

/// Write what can be read of one or all Systems as JSON, for other programs.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Which System; all without it.
    system: Option<String>,
    /// Write to this file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    /// The path among its arguments.
    pub(crate) fn path(&mut self) -> Option<&mut PathBuf> {
        self.output.as_mut()
    }

    /// Writes it.
    pub(crate) fn run(&self, live: &Live) -> Result<Report, CliError> {
        let wanted = self
            .system
            .as_deref()
            .map(|system| live.find(system))
            .transpose()?;
        let systems: Vec<_> = live
            .systems()
            .into_iter()
            .filter(|space| wanted.is_none_or(|wanted| wanted == *space))
            .map(|space| system_json(live, space, usize::MAX))
            .collect::<Result<_, _>>()?;
        // Who exports wants everything.
        let count = live.replica().damaged();
        if count > 0 {
            let faults = Vec::new();
            return Err(CliError::Verify { count, faults });
        }
        let report = Report::new("", &json!({"systems": systems}));
        let mut text = serde_json::to_string_pretty(&report.json)
            .map_err(|error| CliError::Bug(error.to_string()))?;
        text.push('\n');
        let Some(file) = &self.output else {
            return Ok(Report { text, ..report });
        };
        std::fs::write(file, &text).map_err(|source| CliError::File {
            action: "write",
            path: file.clone(),
            source,
        })?;
        Ok(Report::new(
            format!("Wrote {} Systems to {}.", systems.len(), file.display()),
            &json!({"systems": systems.len(), "file": file}),
        ))
    }
}
