//! From the command line to an exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aramaki_sync_core::SpaceId;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use tokio_util::sync::CancellationToken;

use super::action::Action;
use super::error::{EXIT_OK, EXIT_USAGE};
use super::notify::Notify;
use super::parts::{self, Part};
use super::report::printable;
use super::{Cli, CliError, Config, Report, Verb};
use crate::workspace::{
    Answer, Call, Called, Live, Serving, Tenure, ask_telling, wait_for_next, went_away,
};
use crate::{demo, workspace};

/// What is so although its answer was not printed.
const AFTER: &str = "; what was asked is done";
/// So often whoever may have begun to listen is asked before this process opens the store itself.
const ASKS_MAX: usize = 3;
/// A verb that takes longer answers others beside it, which would find the workspace in use.
const SERVE_AFTER: Duration = Duration::from_millis(500);
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

/// Asks whoever has the workspace, or opens it; again when it changes hands meanwhile.
async fn call_or_open_silently(
    mut verb: Verb,
    config: &Config,
    mut call: Call,
    json: bool,
) -> Result<Report, CliError> {
    let end = super::interrupted();
    tokio::pin!(end);
    let hint = verb.when_interrupted();
    let mut asks = 0;
    let rest = Rest::default();
    loop {
        let asked = tokio::select! {
            // First: from here on a signal ends it in good order.
            biased;
            () = &mut end => return Err(CliError::Interrupted { hint }),
            asked = ask_telling(&config.socket, &call, |part| rest.take(part, json)) => asked,
        };
        rest.replaces(&mut verb, &mut call);
        match asked {
            Ok(Called::Answer(Answer::Done(report))) => return Ok(report),
            Ok(Called::Answer(Answer::Failed(line))) => return Err(line.into()),
            Ok(Called::Nobody) => asks += 1,
            Ok(Called::Again) => asks = 1,
            // Who ended in the midst of it had changed nothing for somebody who only looks.
            Err(error) if verb.looks() && went_away(&error) => asks = 1,
            Err(source) => return Err(not_asked(config, source)),
        }
        let opened = if asks < ASKS_MAX {
            Live::open_unless_served(config).await?
        } else {
            Some(Live::open_soon(config).await?)
        };
        let Some(live) = opened else {
            continue;
        };
        verb.take_input(call.input.take());
        let alone = Alone {
            verb: &verb,
            live: &live,
            config,
            json,
            rest: &rest,
        };
        let report = tokio::select! {
            report = alone.answer(&call) => report,
            () = &mut end => Some(Err(CliError::Interrupted { hint })),
        };
        live.close().await;
        if let Some(report) = report {
            return report;
        }
        rest.replaces(&mut verb, &mut call);
        tokio::select! {
            () = wait_for_next(config) => {}
            () = &mut end => return Err(CliError::Interrupted { hint }),
        }
        asks = 0;
    }
}

/// What is left of a verb that did what was asked and looks on. Asked once more, it would do it once more.
#[derive(Default)]
struct Rest(Mutex<Option<Vec<String>>>);

impl Rest {
    /// Prints a part, or keeps what is left.
    fn take(&self, part: Part, json: bool) {
        match part {
            Part::Rest(arguments) => {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(arguments);
            }
            part => print_part(part, json),
        }
    }

    /// From here on nothing else is asked for.
    fn replaces(&self, verb: &mut Verb, call: &mut Call) {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(arguments) = left else {
            return;
        };
        if let Some(rest) = Cli::try_parse_from(&arguments).ok().and_then(|it| it.verb) {
            *verb = rest;
            call.arguments = arguments;
            call.input = None;
        }
    }
}

/// A verb in a process that has the workspace for itself.
struct Alone<'a> {
    verb: &'a Verb,
    live: &'a Live,
    config: &'a Config,
    json: bool,
    rest: &'a Rest,
}

impl Alone<'_> {
    /// Answers it, and others meanwhile if it takes long; none when it let go of the workspace for somebody who
    /// stays.
    async fn answer(&self, call: &Call) -> Option<Result<Report, CliError>> {
        let before = self.live.positions().await;
        let done = CancellationToken::new();
        let work = printing(self.verb.answer(self.live), |part| {
            if matches!(part, Part::Rest(_)) {
                done.cancel();
            }
            self.rest.take(part, self.json);
        });
        tokio::pin!(work);
        let soon = tokio::time::timeout(SERVE_AFTER, &mut work).await;
        let report = match soon {
            Ok(report) => report,
            Err(_takes_longer) => {
                let tenure = if self.verb.looks() {
                    Tenure::Yields
                } else {
                    Tenure::Works(words_of(call), done.clone())
                };
                let serving = Serving::begin(self.config, self.live, tenure);
                let report = tokio::select! {
                    report = &mut work => Some(report),
                    () = wanted(serving.as_ref()) => None,
                };
                self.end(serving).await;
                report?
            }
        };
        self.live.settle(&before).await;
        Some(match report {
            Ok(report) => Ok(with_warnings(report, self.live, &before).await),
            Err(error) => Err(error),
        })
    }

    /// Lets others finish that are answered here.
    async fn end(&self, serving: Option<Serving>) {
        let Some(serving) = serving else {
            return;
        };
        let say = async {
            tokio::time::sleep(SERVE_AFTER).await;
            let others = "another verb works through this one, which ends with it\n".to_owned();
            print_part(Part::Waits(others), self.json);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = serving.end() => {}
            () = say => {}
        }
    }
}

/// Waits until somebody who stays wants the workspace.
async fn wanted(serving: Option<&Serving>) {
    match serving {
        Some(serving) => serving.wanted().await,
        None => std::future::pending().await,
    }
}

/// What is done, without what was said with it: that can be a secret.
fn words_of(call: &Call) -> String {
    let mut words = vec!["aramaki".to_owned()];
    let parsed = Cli::command().try_get_matches_from(&call.arguments).ok();
    let mut matches = parsed.as_ref();
    while let Some((word, below)) = matches.and_then(clap::ArgMatches::subcommand) {
        words.push(word.to_owned());
        matches = Some(below);
    }
    format!("`{}`", words.join(" "))
}

/// Prints what a verb says on its way. A program gets one object, and nothing before it.
fn print_part(part: Part, json: bool) {
    if json {
        return;
    }
    let printed = match part {
        Part::Answer(text) => {
            let mut out = std::io::stdout().lock();
            let printed = if out.is_terminal() {
                write!(out, "{}", printable(&text))
            } else {
                write!(out, "{text}")
            };
            printed.and_then(|()| out.flush())
        }
        Part::Waits(text) => write!(std::io::stderr().lock(), "{}", printable(&text)),
        // Nothing to read.
        Part::Rest(_) => Ok(()),
    };
    // Whether the answer itself can be printed is told in the end.
    drop(printed);
}

/// Answers a verb here, and prints what it says on its way.
async fn printing<F: Future>(verb: F, print: impl Fn(Part)) -> F::Output {
    let (parts, mut told) = tokio::sync::mpsc::channel::<Part>(1);
    let printed = async {
        while let Some(part) = told.recv().await {
            print(part);
        }
    };
    let (answer, ()) = tokio::join!(parts::to(parts, verb), printed);
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

/// A call that another process of this user made.
pub(crate) struct Answering {
    verb: Result<Verb, CliError>,
}

impl Answering {
    /// Reads what was typed there.
    pub(crate) fn of(call: Call) -> Self {
        let parsed = Cli::try_parse_from(&call.arguments);
        let verb = match parsed.map(|cli| cli.verb) {
            Ok(Some(mut verb)) => {
                verb.resolve(&call.folder);
                verb.take_input(call.input);
                Ok(verb)
            }
            Ok(None) => Err(CliError::Usage("the app runs already".to_owned())),
            Err(error) => Err(CliError::Usage(error.to_string())),
        };
        Self { verb }
    }

    /// Whether it changes nothing, and may be asked again elsewhere.
    pub(crate) fn looks(&self) -> bool {
        self.verb.as_ref().is_ok_and(Verb::looks)
    }

    /// Answers it.
    pub(crate) async fn answer(self, live: &Live) -> Answer {
        let mut before = BTreeMap::new();
        let report = match self.verb {
            Ok(verb) => {
                before = live.positions().await;
                verb.answer(live).await
            }
            Err(error) => Err(error),
        };
        match report {
            Ok(report) => Answer::Done(with_warnings(report, live, &before).await),
            Err(error) => Answer::Failed(error.line()),
        }
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

    /// Whether it changes nothing, and may go on in another process that has the workspace: whatever may look on
    /// for long.
    const fn looks(&self) -> bool {
        match self {
            Self::Status(_) | Self::Peers(_) => true,
            Self::Action(verb) => verb.looks(),
            Self::Alert(verb) => verb.looks(),
            Self::Agent(verb) => verb.looks(),
            _ => false,
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
