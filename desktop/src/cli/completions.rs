//! `aramaki completions`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use serde_json::json;

use super::{Cli, Report};

/// Print completions for a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell.
    shell: Shell,
}

impl Completions {
    /// Writes the script.
    pub(crate) fn run(&self) -> Report {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "aramaki", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        Report::new(
            script.clone(),
            &json!({"shell": self.shell.to_string(), "script": script}),
        )
    }
}
