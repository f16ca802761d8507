//! `aramaki-agent completions SHELL`.

use std::io::Write;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Failure};

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// Which shell.
    shell: Shell,
}

impl Completions {
    pub(super) fn perform(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut Cli::command(),
            "aramaki-agent",
            &mut script,
        );
        Ok(out.write_all(&script)?)
    }
}
