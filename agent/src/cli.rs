//! The command line: what was typed, and one file for each verb.

mod actions;
mod answer;
mod check;
mod completions;
mod discover;
mod failure;
mod forget;
mod join;
mod run;
mod series;

use std::ffi::OsString;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{CONFIG_PATH, Config, ConfigError, DATA_PATH};
use crate::run::AgentOptions;
use failure::Failure;

/// How long threads that block are waited for at the end.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(1);

/// Observes the machine it runs on, keeps a journal of what changed, and works offline.
#[derive(Debug, Parser)]
#[command(name = "aramaki-agent", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

/// What every verb understands. A flag counts over its variable, that over the file, that over the default.
#[derive(Debug, Args)]
struct Common {
    /// The configuration file; without this the default one is read if it is there.
    #[arg(long, value_name = "FILE", env = "ARAMAKI_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// The folder of keys, store and state.
    #[arg(long, value_name = "DIR", env = "ARAMAKI_DATA", global = true)]
    data: Option<PathBuf>,
    /// The key file or systemd credential, if it is not in the folder, where the first start makes it.
    #[arg(long, value_name = "FILE", env = "ARAMAKI_KEY", global = true)]
    key: Option<PathBuf>,
    /// One of several agents on this machine: its defaults are /etc/aramaki/agent-NAME.toml and
    /// /var/lib/aramaki-agent-NAME.
    #[arg(long, value_name = "NAME", env = "ARAMAKI_PROFILE", global = true, value_parser = profile)]
    profile: Option<String>,
    /// What is logged to standard error, such as `info` or `aramaki_agent=debug`.
    #[arg(long, value_name = "FILTER", env = "ARAMAKI_LOG", global = true)]
    log: Option<String>,
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    json: bool,
}

impl Common {
    fn config(&self) -> Result<Config, ConfigError> {
        match &self.config {
            Some(path) => Config::read(path),
            None => Config::read_or_default(&self.of_profile(CONFIG_PATH)),
        }
    }

    fn options(&self, config: Config) -> AgentOptions {
        let mut options = AgentOptions::new(self.data(), config);
        options.key.clone_from(&self.key);
        options
    }

    fn data(&self) -> PathBuf {
        let data = self.data.clone();
        data.unwrap_or_else(|| self.of_profile(DATA_PATH))
    }

    /// A default path, with the profile's name behind that of the agent.
    fn of_profile(&self, path: &str) -> PathBuf {
        let Some(profile) = &self.profile else {
            return PathBuf::from(path);
        };
        match path.strip_suffix(".toml") {
            Some(stem) => format!("{stem}-{profile}.toml").into(),
            None => format!("{path}-{profile}").into(),
        }
    }
}

/// The name of a profile becomes part of a folder's: it must not lead elsewhere.
fn profile(name: &str) -> Result<String, String> {
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    if (1..=32).contains(&name.len()) && name.chars().all(is_allowed) {
        Ok(name.to_owned())
    } else {
        Err("1 to 32 letters, digits, - or _ are expected".to_owned())
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Run),
    Check(check::Check),
    Actions(actions::Actions),
    Join(join::Join),
    Series(series::Series),
    Discover(discover::Discover),
    Forget(forget::Forget),
    Completions(completions::Completions),
}

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    let (mut out, mut errors) = (std::io::stdout(), std::io::stderr());
    run_with(std::env::args_os(), &mut out, &mut errors)
}

/// Runs the program: 0 done, 1 the user's or the environment's error, 2 wrong usage, 70 our bug.
pub fn run_with(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for; clap knows which stream each belongs to.
            let stream: &mut dyn Write = if error.use_stderr() {
                &mut *errors
            } else {
                &mut *out
            };
            return written(write!(stream, "{}", error.render()))
                .unwrap_or_else(|| ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)));
        }
    };
    let json = cli.common.json;
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| perform(&cli, out)));
    match result {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            // Every failure that gets here is the user's or the environment's.
            written(failure.write(json, errors)).unwrap_or(ExitCode::FAILURE)
        }
        // The panic's message is on standard error already.
        Err(_panic) => ExitCode::from(70),
    }
}

/// A stream that was closed is no error of ours; any other failed write ends the program with 1.
fn written(result: std::io::Result<()>) -> Option<ExitCode> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Some(ExitCode::FAILURE),
        _ => None,
    }
}

fn perform(cli: &Cli, out: &mut dyn Write) -> Result<(), Failure> {
    match &cli.verb {
        Verb::Run(verb) => verb.perform(&cli.common, out),
        Verb::Check(verb) => verb.perform(&cli.common, out),
        Verb::Actions(actions::Actions {}) => actions::Actions::perform(&cli.common, out),
        Verb::Join(verb) => verb.perform(&cli.common, out),
        Verb::Series(verb) => verb.perform(&cli.common, out),
        Verb::Discover(discover::Discover {}) => discover::Discover::perform(&cli.common, out),
        Verb::Forget(verb) => verb.perform(&cli.common, out),
        Verb::Completions(verb) => verb.perform(out),
    }
}

/// Logs to standard error from now on. A filter from flag, variable or file that is none is an error.
fn log(common: &Common, config: &Config) -> Result<(), Failure> {
    let filter = common.log.as_deref().unwrap_or(&config.log);
    let parsed = EnvFilter::try_new(filter).map_err(|error| Failure::log(filter, &error))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(std::io::stderr);
    if subscriber.with_ansi(false).try_init().is_err() {
        tracing::debug!("somebody logs already");
    }
    Ok(())
}

/// Runs to the end. A reading that hangs in the kernel does not keep the program alive.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("start threads", &error))?;
    let result = runtime.block_on(future);
    runtime.shutdown_timeout(SHUTDOWN_LIMIT);
    Ok(result)
}

#[cfg(test)]
mod tests;
