//! From the command line to an exit code.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use super::error::{EXIT_ERROR, EXIT_OK};
use super::{Cli, CliError, Config, Report, Verb};
use crate::workspace::{Answer, Call, Live, ask};
use crate::{demo, workspace};

/// Runs the program and says how it ended.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let outcome = match Cli::try_parse_from(&arguments) {
        Ok(cli) => run(cli),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let wanted = error.exit_code() == 0;
                drop(error.print());
                return if wanted {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::from(2)
                };
            }
            _ if json => Err(CliError::Usage(error.to_string())),
            _ => {
                drop(error.print());
                return ExitCode::from(2);
            }
        },
    };
    ExitCode::from(print(&outcome, json))
}

/// Prints an outcome; a reader that went away, as with `| head`, is no error.
fn print(outcome: &Result<Report, CliError>, json: bool) -> u8 {
    let (written, exit) = match outcome {
        Ok(report) => {
            let mut out = std::io::stdout().lock();
            let written = if json {
                writeln!(out, "{}", report.json)
            } else {
                write!(out, "{}", report.text)
            };
            (written.and_then(|()| out.flush()), EXIT_OK)
        }
        Err(error) => {
            let mut out = std::io::stderr().lock();
            let written = if json {
                writeln!(out, "{}", error.json())
            } else {
                write!(out, "{}", error.text())
            };
            (written, error.exit())
        }
    };
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => EXIT_ERROR.max(exit),
        _ => exit,
    }
}

fn run(cli: Cli) -> Result<Report, CliError> {
    let config = Config::try_from(&cli.global)?;
    super::log::start(&config)?;
    match cli.verb {
        None => workspace::open_window(&config),
        Some(Verb::Completions(verb)) => Ok(verb.run()),
        Some(Verb::Init(verb)) => verb.run(&config),
        Some(Verb::Restore(verb)) => verb.run(&config),
        Some(Verb::Demo(verb)) => demo::run(&verb, &config),
        Some(Verb::DemoRelay(verb)) => block_on(verb.run(config.data))?,
        Some(Verb::DemoAgent(verb)) => block_on(verb.run(config.data))?,
        Some(Verb::DemoPerson(verb)) => verb.run(&config),
        Some(mut verb) => {
            let folder = std::env::current_dir().unwrap_or_default();
            verb.resolve(&folder);
            block_on(call_or_open(verb, &config, folder))?
        }
    }
}

/// Runs something to its end on a runtime of its own.
///
/// # Errors
/// When the operating system gives no threads.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CliError::Bug(error.to_string()))?;
    Ok(runtime.block_on(future))
}

/// Lets the running app answer, or opens the store here.
async fn call_or_open(verb: Verb, config: &Config, folder: PathBuf) -> Result<Report, CliError> {
    let arguments = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let call = Call { arguments, folder };
    match ask(&config.socket, &call).await {
        Ok(Some(Answer::Done(report))) => return Ok(report),
        Ok(Some(Answer::Failed(line))) => return Err(line.into()),
        Ok(None) => {}
        Err(source) => {
            return Err(CliError::File {
                action: "ask the app at",
                path: config.socket.clone(),
                source,
            });
        }
    }
    let live = Live::open(config).await?;
    let report = verb.answer(&live).await;
    live.settle().await;
    live.close().await;
    report
}

/// Answers a call that another process of this user made.
pub(crate) async fn answer(live: &Live, call: Call) -> Answer {
    let parsed =
        Cli::try_parse_from(&call.arguments).map_err(|error| CliError::Usage(error.to_string()));
    let report = match parsed.map(|cli| cli.verb) {
        Ok(Some(mut verb)) => {
            verb.resolve(&call.folder);
            verb.answer(live).await
        }
        Ok(None) => Err(CliError::Usage("the app runs already".to_owned())),
        Err(error) => Err(error),
    };
    match report {
        Ok(report) => Answer::Done(report),
        Err(error) => Answer::Failed(error.line()),
    }
}

impl Verb {
    /// Makes paths absolute: another process, in another folder, may read them.
    fn resolve(&mut self, folder: &Path) {
        let paths = match self {
            Self::System(verb) => verb.path(),
            Self::Note(verb) => verb.path(),
            Self::Export(verb) => verb.path(),
            Self::Backup(verb) => Some(verb.path()),
            _ => None,
        };
        if let Some(path) = paths {
            *path = folder.join(&*path);
        }
    }

    /// Does what was asked in an open workspace.
    async fn answer(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::System(verb) => verb.run(live).await,
            Self::Status(verb) => verb.run(live),
            Self::Timeline(verb) => verb.run(live),
            Self::Note(verb) => verb.run(live).await,
            Self::Share(verb) => verb.run(live).await,
            Self::Join(verb) => verb.run(live).await,
            Self::Agent(verb) => verb.run(live).await,
            Self::Relay(verb) => verb.run(live).await,
            Self::Peers(verb) => verb.run(live).await,
            Self::Export(verb) => verb.run(live),
            Self::Verify(verb) => verb.run(live).await,
            Self::Backup(verb) => verb.run(live).await,
            Self::Init(_)
            | Self::Restore(_)
            | Self::Completions(_)
            | Self::Demo(_)
            | Self::DemoRelay(_)
            | Self::DemoAgent(_)
            | Self::DemoPerson(_) => {
                Err(CliError::Usage("this verb needs no workspace".to_owned()))
            }
        }
    }
}
