//! `aramaki notify calendar`.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use aramaki_model::notify::duties_now;
use aramaki_sync::text_file;
use clap::Args;
use serde_json::json;

use super::{policy_of, schedule_of};
use crate::cli::report::count;
use crate::cli::{CliError, Clock, Report, parse_span};
use crate::notify::{read_calendar, write_calendar};
use crate::workspace::Live;

/// How long a calendar may be.
const FILE_LEN_BYTES_MAX: u64 = 1024 * 1024;

/// Print who is on call as iCalendar, or take times from a calendar.
#[derive(Debug, Args)]
pub(crate) struct Calendar {
    /// Of which System.
    system: String,
    /// The schedule, as the policy calls it.
    schedule: String,
    /// How far ahead.
    #[arg(long, value_name = "SPAN", default_value = "26w", value_parser = parse_span)]
    ahead: Duration,
    /// A new file for the calendar; else it is printed.
    #[arg(long, value_name = "FILE", conflicts_with = "import")]
    out: Option<PathBuf>,
    /// A calendar whose events say who is on call instead: their summary is the name of a receiver.
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
}

impl Calendar {
    pub(super) fn path(&mut self) -> Option<&mut PathBuf> {
        self.import.as_mut().or(self.out.as_mut())
    }

    /// Writes or reads one.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let policy = policy_of(live, space)?;
        let schedule = schedule_of(&policy, &self.schedule)?;
        if let Some(file) = &self.import {
            let text = text_file::read(file, FILE_LEN_BYTES_MAX)?;
            let wrong = |message| CliError::Config {
                file: file.clone(),
                line: None,
                message,
            };
            let changes = read_calendar(&text, &self.schedule, schedule).map_err(wrong)?;
            let mut strangers = changes.iter().filter_map(|(_, change)| change.as_ref());
            if let Some(stranger) = strangers.find(|it| !policy.receiver.contains_key(&it.who)) {
                return Err(wrong(format!(
                    "event `{}`: the policy has no receiver of that name",
                    stranger.who
                )));
            }
            let taken = changes.len();
            live.put_on_call(space, changes).await?;
            return Ok(Report::new(
                format!("Took {} from the calendar.", count(taken, "event")),
                &json!({"schedule": self.schedule, "events": taken}),
            ));
        }
        let (snapshot, now) = (live.snapshot(), Clock::now());
        let changes = snapshot
            .system(&space)
            .map(|system| system.on_call.clone())
            .unwrap_or_default();
        let plan = duties_now(
            &self.schedule,
            schedule,
            &changes,
            now,
            now.plus(self.ahead),
        );
        let title = live.title(space).unwrap_or_else(|| space.short());
        let text = write_calendar(space, &title, &self.schedule, &plan, now);
        let Some(out) = &self.out else {
            return Ok(Report::new(
                text.clone(),
                &json!({"calendar": text, "events": plan.len()}),
            ));
        };
        let file = std::fs::File::create_new(out);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|source| CliError::File {
            action: "write",
            path: out.clone(),
            source,
        })?;
        Ok(Report::new(
            format!("Wrote {}.", count(plan.len(), "event")),
            &json!({"file": out.display().to_string(), "events": plan.len()}),
        ))
    }
}
