//! `aramaki-relay completions`.

use std::io::Write;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::error::RelayError;

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn execute(&self, out: &mut impl Write) -> Result<(), RelayError> {
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut super::Cli::command(),
            "aramaki-relay",
            &mut script,
        );
        out.write_all(&script).map_err(RelayError::Output)
    }
}
