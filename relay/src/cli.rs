//! The command line: what was typed. Each subcommand has a file of its own, whose doc comment is its help.

mod completions;
mod config_check;
mod id;
mod run;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::error::RelayError;

/// Exit code for an error of the user or the environment.
const EXIT_ENVIRONMENT: u8 = 1;
/// Exit code for a wrong command line.
const EXIT_USAGE: u8 = 2;
/// Exit code for a bug of ours.
const EXIT_BUG: u8 = 70;

/// The always-on member that stores and forwards what it cannot read
#[derive(Debug, Parser)]
#[command(name = "aramaki-relay", version, max_term_width = 100)]
struct Cli {
    /// Configuration file; the default one may be missing
    #[arg(long, global = true, env = "ARAMAKI_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder, readable by its owner only
    #[arg(
        long,
        global = true,
        env = "ARAMAKI_DATA",
        value_name = "DIR",
        default_value = DATA_DEFAULT
    )]
    data: PathBuf,
    /// Key file, if not in the data folder (created there at first start)
    #[arg(long, global = true, env = "ARAMAKI_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
    /// What is logged on stderr: error, warn, info, debug, trace, or a filter such as iroh=warn
    #[arg(
        long,
        global = true,
        env = "ARAMAKI_LOG",
        value_name = "FILTER",
        default_value = "info,iroh=warn,iroh_relay=warn,noq=warn"
    )]
    log: String,
    #[command(subcommand)]
    verb: Verb,
}

const CONFIG_DEFAULT: &str = "/etc/aramaki/relay.toml";
const DATA_DEFAULT: &str = "/var/lib/aramaki-relay";

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Run),
    #[command(subcommand)]
    Config(ConfigVerb),
    Id(id::Id),
    Completions(completions::Completions),
}

/// Work with the configuration file
#[derive(Debug, Subcommand)]
enum ConfigVerb {
    Check(config_check::Check),
}

impl Cli {
    /// A file that was named must be there; the default one may be missing.
    fn configuration(&self) -> Result<Config, RelayError> {
        Ok(match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::read_or_default(CONFIG_DEFAULT.as_ref())?,
        })
    }
}

/// Runs the command line and returns its exit code; what people read goes to `out` and `err`.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut (impl Write + Send),
    err: &mut (impl Write + Send),
) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(refused) => {
            let text = refused.render();
            // A closed pipe leaves nobody to tell.
            return if refused.use_stderr() {
                drop(write!(err, "{text}"));
                EXIT_USAGE.into()
            } else {
                drop(write!(out, "{text}"));
                ExitCode::SUCCESS
            };
        }
    };
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match &cli.verb {
        Verb::Run(verb) => verb.execute(&cli),
        Verb::Config(ConfigVerb::Check(verb)) => verb.execute(&cli, out),
        Verb::Id(verb) => verb.execute(&cli, out),
        Verb::Completions(verb) => verb.execute(out),
    }));
    match done {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            report(&error, err);
            EXIT_ENVIRONMENT.into()
        }
        Err(_panic_was_printed) => EXIT_BUG.into(),
    }
}

fn report(error: &RelayError, err: &mut impl Write) {
    let mut line = format!("error {}: {error}", error.code());
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    // A closed stderr leaves nobody to tell.
    drop(writeln!(err, "{line}"));
    if let Some(hint) = error.hint() {
        drop(writeln!(err, "hint: {hint}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
