//! `aramaki-relay config check`.

use std::io::Write;

use clap::Args;

use crate::error::RelayError;
use crate::transport;

/// Say whether the configuration can be used; changes nothing
#[derive(Debug, Args)]
pub(super) struct Check {}

impl Check {
    #[expect(clippy::unused_self, reason = "all subcommands are executed alike")]
    pub(super) fn execute(&self, cli: &super::Cli, out: &mut impl Write) -> Result<(), RelayError> {
        let config = cli.configuration()?;
        let mut warnings = config.warnings();
        match transport::check_files(&config.transport) {
            Err(error) if error.is_absent_credential() => {
                warnings.push(format!("not checked, the service alone has it: {error}"));
            }
            checked => checked?,
        }
        for warning in &warnings {
            writeln!(out, "note: {warning}").map_err(RelayError::Output)?;
        }
        writeln!(out, "ok").map_err(RelayError::Output)
    }
}
