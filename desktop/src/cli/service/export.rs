//! `aramaki service export`.

use std::path::PathBuf;
use std::time::Duration;

use aramaki_model::service::{Targets, targets};
use clap::Args;
use serde_json::json;

use super::list::find;
use super::source::{Source, Told};
use super::{heard, views};
use crate::cli::report::count;
use crate::cli::{CliError, Config, Report, interrupted, parse_span};
use crate::workspace::{Live, write_whole};

/// From one look to the next while the file is kept current.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// Print or write the services that are believed now, as Prometheus reads them.
///
/// Prometheus watches a file that is named in `file_sd_configs`. It is replaced as a whole, so that nobody
/// reads half of it. Services whose lease is over are left out and counted.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Only those of this System.
    system: Option<String>,
    /// Replace this file instead of printing.
    #[arg(long, value_name = "FILE")]
    file_sd: Option<PathBuf>,
    /// Keep the file current until it is ended.
    ///
    /// It is left as it is until every known agent was heard of, or its lease ran out since the start.
    #[arg(long, requires = "file_sd")]
    watch: bool,
    /// Listen first until every agent was heard of, at most so long; 30s listens once to all.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    wait: Option<Duration>,
}

impl Export {
    pub(super) fn path(&mut self) -> Option<&mut PathBuf> {
        self.file_sd.as_mut()
    }

    pub(super) const fn stays(&self) -> bool {
        self.watch
    }

    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = find(live, self.system.as_deref())?;
        heard(live, self.wait).await;
        let targets = targets(&views(live, system));
        if let Some(file) = &self.file_sd {
            write_whole(file, targets.json().as_bytes())?;
        }
        let mut report = Report::new(
            match &self.file_sd {
                Some(file) => {
                    let places = count(targets.groups.len(), "group");
                    format!("Wrote {places} of targets to {}.", file.display())
                }
                None => targets.json(),
            },
            &json!({
                "targets": targets.groups,
                "stale": targets.stale,
                "conflicts": targets.conflicts,
                "unheard_ms": targets.unheard_ms,
                "file": self.file_sd,
            }),
        );
        if let Some(words) = left_out(&targets) {
            report.warn(words);
        }
        Ok(report)
    }

    pub(super) async fn stay(&self, config: &Config) -> Result<Report, CliError> {
        let Some(file) = &self.file_sd else {
            return Err(CliError::Bug("no file to keep current".to_owned()));
        };
        let mut source = Source::new(config, self.system.clone(), self.wait);
        let kept = tokio::select! {
            kept = keep(&mut source, file) => kept,
            () = interrupted() => Ok(()),
        };
        source.close().await;
        kept.map(|()| Report::default())
    }
}

/// Writes the file whenever it says something else.
async fn keep(source: &mut Source, file: &std::path::Path) -> Result<(), CliError> {
    let mut written: Option<Targets> = None;
    loop {
        let targets = source.targets().await?;
        if source.judge(&targets) == Told::Later {
            source.pause(LOOK_PAUSE).await;
            continue;
        }
        if written.as_ref() != Some(&targets) {
            let is_other = written
                .as_ref()
                .is_none_or(|written| written.groups != targets.groups);
            if is_other {
                write_whole(file, targets.json().as_bytes())?;
            }
            log_change(&targets);
            written = Some(targets);
        }
        source.pause(LOOK_PAUSE).await;
    }
}

/// Logs that others are told from now on, and what is left out.
pub(super) fn log_change(targets: &Targets) {
    tracing::info!(
        groups = targets.groups.len(),
        stale = targets.stale,
        conflicts = targets.conflicts,
        "targets changed"
    );
    if let Some(words) = left_out(targets) {
        tracing::warn!("{words}");
    }
}

/// What is not told, and why.
fn left_out(targets: &Targets) -> Option<String> {
    let stale = count(targets.stale, "service");
    let conflicts = count(targets.conflicts, "claim");
    match (targets.stale, targets.conflicts) {
        (0, 0) => None,
        (_, 0) => Some(format!(
            "{stale} left out: nobody is heard of who runs them (`aramaki service list`)"
        )),
        (0, _) => Some(format!(
            "{conflicts} cannot all be right (`aramaki service list`)"
        )),
        (_, _) => Some(format!(
            "{stale} left out: nobody is heard of who runs them; {conflicts} cannot all be right \
             (`aramaki service list`)"
        )),
    }
}
