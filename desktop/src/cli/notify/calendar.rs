//! `aramaki notify calendar`.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use aramaki_model::notify::duties_now;
use aramaki_sync::text_file;
use aramaki_sync_core::SpaceId;
use clap::Args;
use serde_json::json;

use super::{policy_of, schedule_of};
use crate::cli::report::{Lines, count};
use crate::cli::{CliError, Clock, Report, local, parse_span};
use crate::notify::{Known, Taken, read_calendar, write_calendar};
use crate::workspace::Live;

/// How long a calendar may be.
const FILE_LEN_BYTES_MAX: u64 = 1024 * 1024;

/// Print who is on call as iCalendar, or take times from a calendar.
///
/// Events may be whole days, have an end or a duration, and come again by days, weeks, months or years:
/// those are taken a year ahead. What is not understood is named with its line, and nothing is taken.
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
            let snapshot = live.snapshot();
            let there = snapshot
                .system(&space)
                .map(|system| system.on_call.clone())
                .unwrap_or_default();
            let known = Known {
                name: &self.schedule,
                schedule,
                there: &there,
                is_receiver: &|who| policy.receiver.contains_key(who),
                now: Clock::now(),
            };
            let taken = read_calendar(&text, &known).map_err(|error| CliError::Config {
                file: file.clone(),
                line: error.line,
                message: error.message,
            })?;
            return self.take(live, space, taken).await;
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

    /// Puts on call whom a calendar names.
    async fn take(&self, live: &Live, space: SpaceId, taken: Taken) -> Result<Report, CliError> {
        let (events, ahead) = (taken.events, taken.ahead);
        let changes: Vec<_> = taken.changes.into_iter().collect();
        let times = changes
            .iter()
            .filter(|(_, change)| change.is_some())
            .count();
        let back = changes.len() - times;
        live.put_on_call(space, changes).await?;
        let mut text = Lines::default();
        text.add(format_args!(
            "Took {} from the calendar: {}, {} taken back.",
            count(events, "event"),
            count(times, "time"),
            back
        ));
        if let Some(ahead) = ahead {
            text.add(format_args!(
                "What comes again after {0} was taken until then: import it again before.",
                local(ahead)
            ));
        }
        Ok(Report::new(
            text.into_text(),
            &json!({
                "schedule": self.schedule,
                "events": events,
                "times": times,
                "taken_back": back,
                "until": ahead.map(|it| it.to_string()),
            }),
        ))
    }
}
