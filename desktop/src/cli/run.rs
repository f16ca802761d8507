//! From the command line to an exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aramaki_sync_core::SpaceId;
use clap::Parser as _;
use clap::error::ErrorKind;

use super::action::Action;
use super::error::{EXIT_OK, EXIT_USAGE};
use super::notify::Notify;
use super::report::printable;
use super::{Cli, CliError, Config, Report, Verb};
use crate::workspace::{Answer, Call, Live, ask_telling};
use crate::{demo, workspace};

/// What is so although its answer was not printed.
const AFTER: &str = "; what was asked is done";
/// So often whoever may have begun to listen is asked before this process opens the store itself.
const ASKS_MAX: usize = 3;
/// Between two signs of life of a verb that waits.
const WAITING_PAUSE: Duration = Duration::from_secs(3);

/// Runs the program and says how it ended.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let outcome = match Cli::try_parse_from(&arguments) {
        Ok(cli) => run(cli),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                let shown = written(error.print(), EXIT_OK, "");
                return ExitCode::from(shown);
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                drop(error.print());
                return ExitCode::from(EXIT_USAGE);
            }
            _ if json => Err(CliError::Usage(error.to_string())),
            _ => {
                let text = printable(&error.render().to_string());
                drop(write!(std::io::stderr().lock(), "{text}"));
                return ExitCode::from(EXIT_USAGE);
            }
        },
    };
    ExitCode::from(print(&outcome, json))
}

/// Prints an outcome.
fn print(outcome: &Result<Report, CliError>, json: bool) -> u8 {
    match outcome {
        Ok(report) => {
            if let Some(warning) = report.warning.as_ref().filter(|_warning| !json) {
                drop(writeln!(std::io::stderr().lock(), "warning: {warning}"));
            }
            let mut out = std::io::stdout().lock();
            let printed = if json && report.json.is_null() {
                Ok(())
            } else if json {
                writeln!(out, "{}", report.json)
            } else if out.is_terminal() {
                write!(out, "{}", printable(&report.text))
            } else {
                // Into a file or a pipe as it is: an exported note stays what it was.
                write!(out, "{}", report.text)
            };
            let printed = printed.and_then(|()| out.flush());
            let failed = report.failed.clone().map(CliError::from);
            let exit = failed.as_ref().map_or(EXIT_OK, |error| say(error, json));
            written(printed, exit, AFTER)
        }
        Err(error) => say(error, json),
    }
}

/// Says what went wrong; its exit code.
fn say(error: &CliError, json: bool) -> u8 {
    let mut out = std::io::stderr().lock();
    // When this fails there is no place left to say so.
    drop(if json {
        writeln!(out, "{}", error.json())
    } else {
        write!(out, "{}", printable(&error.text()))
    });
    error.exit()
}

/// The exit code after printing. A reader that went away, as with `| head`, is no error; that there
/// is no room is one, and is said, because a code that was made is lost with it.
fn written(printed: std::io::Result<()>, exit: u8, after: &'static str) -> u8 {
    match printed {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let error = CliError::Unprinted {
                after,
                source: error,
            };
            drop(write!(std::io::stderr().lock(), "{}", error.text()));
            error.exit()
        }
        _ => exit,
    }
}

fn run(cli: Cli) -> Result<Report, CliError> {
    let config = Config::try_from(&cli.global)?;
    let Some(verb) = cli.verb else {
        return workspace::open_window(&config);
    };
    super::log::start(&config)?;
    match verb {
        Verb::Completions(verb) => Ok(verb.run()),
        Verb::Init(verb) => verb.run(&config),
        Verb::Restore(verb) => verb.run(&config),
        Verb::Key(verb) => verb.run(&config),
        Verb::RecoveryShares(verb) => verb.run(),
        Verb::Recover(verb) => verb.run(&config),
        Verb::Emergency(verb) if verb.opens() => verb.open(&config, cli.global.json),
        Verb::Notify(Notify::Run(verb)) => block_on(verb.run(&config))?,
        Verb::Service(mut verb) if verb.stays() => {
            let folder = std::env::current_dir().unwrap_or_default();
            if let Some(path) = verb.path() {
                *path = folder.join(&*path);
            }
            block_on(verb.stay(&config))?
        }
        Verb::Notify(Notify::Test(verb)) => block_on(verb.run())?,
        Verb::Demo(verb) => demo::run(&verb, &config),
        Verb::DemoRelay(verb) => block_on(verb.run(config.data))?,
        Verb::DemoAgent(verb) => block_on(verb.run(config.data))?,
        Verb::DemoPerson(verb) => verb.run(&config),
        mut verb => {
            let folder = std::env::current_dir().unwrap_or_default();
            verb.resolve(&folder);
            let answer = if cli.global.json {
                None
            } else {
                asked_first(&verb, &config)?
            };
            let input = match answer {
                Some(answer) => Some(answer),
                None => verb.read_input()?,
            };
            let call = Call {
                arguments: std::env::args_os()
                    .map(|argument| argument.to_string_lossy().into_owned())
                    .collect(),
                folder,
                input,
            };
            block_on(call_or_open(verb, &config, call, cli.global.json))?
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

/// Shows who sits at a terminal what an action did lately, before one more is asked for.
fn asked_first(verb: &Verb, config: &Config) -> Result<Option<String>, CliError> {
    let Verb::Action(Action::Request(request)) = verb else {
        return Ok(None);
    };
    let Some(look) = request.first_look() else {
        return Ok(None);
    };
    let arguments = look.arguments();
    let verb = Verb::Action(Action::Request(look));
    let looked = block_on(in_workspace(verb, config, arguments, false))??;
    request.confirm(&looked).map(Some)
}

/// Does what another verb of this program wants done in the workspace: by the running app, or here.
///
/// # Errors
/// As the verb's own.
pub(super) async fn in_workspace(
    verb: Verb,
    config: &Config,
    arguments: Vec<String>,
    json: bool,
) -> Result<Report, CliError> {
    let call = Call {
        arguments,
        folder: std::env::current_dir().unwrap_or_default(),
        input: None,
    };
    Box::pin(call_or_open(verb, config, call, json)).await
}

/// Lets the running app answer, or opens the store here; ends in good order when interrupted.
async fn call_or_open(
    verb: Verb,
    config: &Config,
    call: Call,
    json: bool,
) -> Result<Report, CliError> {
    let waits_for = verb.waits_for().filter(|_for_people| !json);
    tokio::select! {
        report = call_or_open_silently(verb, config, call, json) => report,
        report = say_waiting(waits_for) => report,
    }
}

async fn call_or_open_silently(
    mut verb: Verb,
    config: &Config,
    call: Call,
    json: bool,
) -> Result<Report, CliError> {
    // A program gets one object.
    let print = |part: &str| {
        if !json {
            print_part(part);
        }
    };
    let hint = verb.when_interrupted();
    let interrupted = || Err(CliError::Interrupted { hint });
    let mut opened = None;
    for _ in 0..ASKS_MAX {
        let answered = tokio::select! {
            answered = ask_telling(&config.socket, &call, print) => answered,
            () = super::interrupted() => return interrupted(),
        };
        match answered {
            Ok(Some(Answer::Done(report))) => return Ok(report),
            Ok(Some(Answer::Failed(line))) => return Err(line.into()),
            Ok(None) => {}
            Err(source) => return Err(not_asked(config, source)),
        }
        opened = Live::open_unless_served(config).await?;
        if opened.is_some() {
            break;
        }
    }
    let live = match opened {
        Some(live) => live,
        None => Live::open_soon(config).await?,
    };
    verb.take_input(call.input);
    let report = tokio::select! {
        report = async {
            let before = live.positions().await;
            let report = printing(verb.answer(&live), print).await;
            live.settle(&before).await;
            match report {
                Ok(report) => Ok(with_warnings(report, &live, &before).await),
                Err(error) => Err(error),
            }
        } => report,
        () = super::interrupted() => interrupted(),
    };
    live.close().await;
    report
}

/// Prints what a verb says on its way.
fn print_part(text: &str) {
    let mut out = std::io::stdout().lock();
    let printed = if out.is_terminal() {
        write!(out, "{}", printable(text))
    } else {
        write!(out, "{text}")
    };
    // Whether the answer itself can be printed is told in the end.
    drop(printed.and_then(|()| out.flush()));
}

/// Answers a verb here, and prints what it says on its way.
async fn printing<F: Future>(verb: F, print: impl Fn(&str)) -> F::Output {
    let (parts, mut told) = tokio::sync::mpsc::channel::<String>(1);
    let printed = async {
        while let Some(text) = told.recv().await {
            print(&text);
        }
    };
    let (answer, ()) = tokio::join!(super::parts::to(parts, verb), printed);
    answer
}

/// Why whoever listens could not be asked.
fn not_asked(config: &Config, source: std::io::Error) -> CliError {
    // Another user's folder: the app is none of this user's either.
    let (action, path) = if source.kind() == std::io::ErrorKind::PermissionDenied {
        ("open the workspace in", &config.data)
    } else {
        ("ask the app at", &config.socket)
    };
    CliError::File {
        action,
        path: path.clone(),
        source,
    }
}

/// Tells people again and again why nothing happens; never answers.
async fn say_waiting(what: Option<&'static str>) -> Result<Report, CliError> {
    let begun = Instant::now();
    while let Some(what) = what {
        tokio::time::sleep(WAITING_PAUSE).await;
        let seconds = begun.elapsed().as_secs();
        let line = format!("waiting for {seconds} s: {what}");
        if writeln!(std::io::stderr().lock(), "{line}").is_err() {
            break;
        }
    }
    std::future::pending().await
}

/// An answer from a damaged store says that something may be missing; what was written where this
/// device's access has ended, that nobody else gets it.
async fn with_warnings(mut report: Report, live: &Live, before: &BTreeMap<SpaceId, u64>) -> Report {
    let mut warnings = Vec::new();
    let count = live.replica().damaged();
    if count > 0 {
        warnings.push(format!(
            "{count} stored entries are damaged, so something may be missing here: see `aramaki verify`"
        ));
    }
    for title in live.written_in_vain(before).await {
        warnings.push(format!(
            "a peer says that your access to {title} has ended: what you wrote is on this disk only, and \
             reaches nobody over the network; `aramaki carry` brings it to an administrator in a file, who decides \
             what of it counts if your time was over; after a revocation nothing does"
        ));
    }
    if !warnings.is_empty() {
        report.warn(warnings.join("; "));
    }
    report
}

/// Answers a call that another process of this user made.
pub(crate) async fn answer(live: &Live, call: Call) -> Answer {
    let parsed =
        Cli::try_parse_from(&call.arguments).map_err(|error| CliError::Usage(error.to_string()));
    let mut before = BTreeMap::new();
    let report = match parsed.map(|cli| cli.verb) {
        Ok(Some(mut verb)) => {
            verb.resolve(&call.folder);
            verb.take_input(call.input);
            before = live.positions().await;
            verb.answer(live).await
        }
        Ok(None) => Err(CliError::Usage("the app runs already".to_owned())),
        Err(error) => Err(error),
    };
    match report {
        Ok(report) => Answer::Done(with_warnings(report, live, &before).await),
        Err(error) => Answer::Failed(error.line()),
    }
}

impl Verb {
    /// Makes paths absolute: another process, in another folder, may read them.
    fn resolve(&mut self, folder: &Path) {
        if let Self::Import(verb) = self {
            verb.paths().for_each(|path| *path = folder.join(&*path));
        }
        let paths = match self {
            Self::System(verb) => verb.path(),
            Self::Export(verb) => verb.path(),
            Self::Backup(verb) => Some(verb.path()),
            Self::Carry(verb) => Some(verb.path()),
            Self::Take(verb) => Some(verb.path()),
            Self::Share(verb) => verb.path(),
            Self::Join(verb) => verb.path(),
            Self::RecoveryKit(verb) => {
                verb.resolve(folder);
                None
            }
            Self::Notify(verb) => verb.path(),
            Self::Service(verb) => verb.path(),
            _ => None,
        };
        if let Some(path) = paths {
            *path = folder.join(&*path);
        }
    }

    /// What it takes from standard input or a pipe; it may be answered by a process that has others.
    fn read_input(&self) -> Result<Option<String>, CliError> {
        match self {
            Self::Join(verb) => verb.read_input(),
            Self::Note(verb) => verb.read_input(),
            Self::RecoveryKit(verb) => verb.read_input(),
            _ => Ok(None),
        }
    }

    /// Puts what was read in its place.
    fn take_input(&mut self, input: Option<String>) {
        match (self, input) {
            (Self::Action(Action::Request(verb)), Some(_yes)) => verb.take_answer(),
            (Self::Join(verb), Some(input)) => verb.take_input(input),
            (Self::Note(verb), Some(input)) => verb.take_input(input),
            (Self::RecoveryKit(verb), Some(input)) => verb.take_input(&input),
            _ => {}
        }
    }

    /// For what it may wait long.
    const fn waits_for(&self) -> Option<&'static str> {
        match self {
            Self::Join(_) => Some("nobody who has the System answered yet (Ctrl-C ends the wait)"),
            Self::Import(verb) => verb.waits_for(),
            _ => None,
        }
    }

    /// What to do after it was interrupted.
    const fn when_interrupted(&self) -> &'static str {
        match self {
            Self::Join(_) => {
                "the invitation is kept: the System comes when the app runs, or join again"
            }
            Self::Import(_) => {
                "nothing was changed, or all of it happens when the workspace opens next"
            }
            _ => "what was written before is stored",
        }
    }

    /// Does what was asked in an open workspace.
    async fn answer(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::System(verb) => verb.run(live).await,
            Self::Status(verb) => verb.run(live).await,
            Self::Timeline(verb) => verb.run(live).await,
            Self::Note(verb) => verb.run(live).await,
            Self::Notify(verb) => verb.run(live).await,
            Self::Say(verb) => verb.run(live).await,
            Self::Deployed(verb) => verb.run(live).await,
            Self::Handover(verb) => verb.run(live).await,
            Self::PostMortem(verb) => verb.run(live).await,
            Self::Alert(verb) => verb.run(live).await,
            Self::Maintenance(verb) => verb.run(live).await,
            Self::Incident(verb) => verb.run(live).await,
            Self::Share(verb) => verb.run(live).await,
            Self::Join(verb) => verb.run(live).await,
            Self::Carry(verb) => verb.run(live).await,
            Self::Take(verb) => verb.run(live).await,
            Self::Trust(verb) => verb.run(live).await,
            Self::Device(verb) => verb.run(live).await,
            Self::Agent(verb) => verb.run(live).await,
            Self::Action(verb) => verb.run(live).await,
            Self::Service(verb) => verb.run(live).await,
            Self::Desired(verb) => verb.run(live).await,
            Self::Relay(verb) => verb.run(live).await,
            Self::Peers(verb) => verb.run(live).await,
            Self::Export(verb) => verb.run(live),
            Self::Import(verb) => verb.run(live).await,
            Self::Verify(verb) => verb.run(live).await,
            Self::Compact(verb) => verb.run(live).await,
            Self::Backup(verb) => verb.run(live).await,
            Self::RecoveryKit(verb) => verb.run(live).await,
            Self::Emergency(verb) => verb.run(live).await,
            Self::Follow(verb) => verb.run(live).await,
            Self::Init(_)
            | Self::Key(_)
            | Self::Restore(_)
            | Self::Recover(_)
            | Self::RecoveryShares(_)
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
