//! `aramaki join`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_sync::replica::ClockAhead;
use aramaki_sync::text_file;
use aramaki_sync_core::bundle::Bundle;
use aramaki_sync_core::{SpaceId, Timestamp};
use clap::Args;
use serde_json::{Value, json};

use super::report::Lines;
use super::take::{add_problems, taken_json};
use super::when::span;
use super::{CliError, Report, local, parse_span};
use crate::workspace::{
    Awaiting, EarlyThere, Joined, JoinedByFile, Live, NewestKey, capability_word, names_file,
};

/// More on standard input is no invitation.
const INPUT_LEN_BYTES_MAX: u64 = 64 * 1024;

/// Join a System by an invitation: a code, or a file that needs no network.
///
/// With a code, Ctrl-C ends the wait, not the joining: the invitation is kept, and the System comes as
/// soon as somebody who has it can be reached. `aramaki peers` lists what is waited for.
#[derive(Debug, Args)]
pub(crate) struct Join {
    /// The code, or the file that `aramaki share --file` wrote; `-` reads a code from standard input,
    /// where no other user of this machine sees it.
    #[arg(
        required_unless_present = "cancel",
        conflicts_with = "cancel",
        value_name = "CODE|FILE"
    )]
    invitation: Option<String>,
    /// How long to wait for somebody who has the System; it arrives later anyway.
    #[arg(long, value_name = "SPAN", default_value = "20s", value_parser = parse_span)]
    wait: Duration,
    /// Wait no more for a System that `aramaki peers` lists as awaited, and forget its invitation.
    #[arg(long, value_name = "SYSTEM")]
    cancel: Option<String>,
    /// The file, made absolute.
    #[arg(skip)]
    file: Option<PathBuf>,
}

impl Join {
    /// The code on standard input, if it is there.
    pub(crate) fn read_input(&self) -> Result<Option<String>, CliError> {
        if self.invitation.as_deref() != Some("-") {
            return Ok(None);
        }
        let input = Path::new("standard input");
        let read = text_file::read_stream(input, std::io::stdin(), INPUT_LEN_BYTES_MAX);
        Ok(Some(read?))
    }

    /// The code that was on standard input.
    pub(crate) fn take_input(&mut self, input: String) {
        self.invitation = Some(input);
        self.file = None;
    }

    /// The path among its arguments. A word that looks like neither is taken for a mistyped code.
    pub(crate) fn path(&mut self) -> Option<&mut PathBuf> {
        let word = self.invitation.as_ref()?;
        if !names_file(word) {
            return None;
        }
        self.file = Some(PathBuf::from(word));
        self.file.as_mut()
    }

    /// Takes the invitation and waits until the System can be read.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        if let Some(wanted) = &self.cancel {
            return Ok(cancelled(&live.cancel(wanted).await?));
        }
        if let Some(file) = &self.file {
            return Ok(by_file(&live.join_file(file).await?));
        }
        let code = self.invitation.as_deref().unwrap_or_default();
        if Bundle::is_text(code) {
            return Ok(by_file(&live.join_text(code).await?));
        }
        let joining = live.join(code).await?;
        let space = joining.space;
        if let Some(begin) = joining.begins_after(self.wait) {
            return Ok(begins_later(&space, begin));
        }
        let Some(joined) = live.wait_for_system(joining, self.wait).await? else {
            let short = space.short();
            if live.is_let_in(joining).await {
                return Ok(Report::new(
                    format!(
                        "You are a member of {short} by this code, but what it says has not come yet: it comes \
                         as soon as somebody who has it can be reached: open the app, or run any verb, for \
                         example `aramaki peers --wait 1m`."
                    ),
                    &json!({
                        "id": space.to_string(), "title": null, "complete": false, "member": true,
                    }),
                ));
            }
            return Ok(Report::new(
                format!(
                    "Nobody who has {short} answered yet; the invitation is kept, and the System comes as \
                     soon as somebody does: open the app, or run any verb, for example `aramaki peers \
                     --wait 1m`. If it never comes, the invitation may have been revoked: `aramaki join \
                     --cancel {short}`, and ask for a new one."
                ),
                &json!({"id": space.to_string(), "title": null, "complete": false}),
            ));
        };
        let mut text = Lines::default();
        say_joined(&mut text, &space.short(), &joined);
        if joined.again && !joined.handed_over {
            text.add(
                "Nobody answered, so whether you may still is not known: run `aramaki peers --wait 1m`, until \
                 somebody who has it can be reached.",
            );
        } else if !joined.handed_over {
            text.add(
                "Nobody else knows yet that you are in: leave the app open, or run `aramaki peers --wait 1m`, \
                 until somebody who has it can be reached.",
            );
        }
        Ok(Report::new(
            text.into_text(),
            &joined_json(&space.to_string(), Some(&joined)),
        ))
    }
}

/// What is so while the newest key of a System has not come.
const AWAITS_KEY: &str = "What was written there last cannot be read yet: its key comes as soon as \
                                     somebody who has it is there too.";

/// What is so while nobody counts what a device wrote, because its clock is ahead.
fn clock_ahead(ahead: ClockAhead) -> String {
    format!(
        "This device's clock is at least {} ahead of the clock of whoever keeps it: what you wrote there last counts for \
         nobody else before it is {} by theirs. Put the clock right.",
        span(ahead.by),
        local(ahead.counts_from)
    )
}

/// The same of one of several Systems.
pub(crate) fn say_clock_ahead(early: &EarlyThere) -> String {
    format!("{}: {}", early.title, clock_ahead(early.ahead))
}

/// The same for programs.
pub(crate) fn clock_ahead_json(ahead: ClockAhead) -> Value {
    json!({
        "by_ms": ahead.by.as_millis(),
        "counts_from": ahead.counts_from.to_string(),
    })
}

/// The same of one of several Systems.
pub(crate) fn say_awaits_key(title: &str) -> String {
    format!("{title}: {AWAITS_KEY}")
}

fn say_joined(text: &mut Lines, space: &str, joined: &Joined) {
    if joined.again {
        let title = &joined.title;
        text.add(format_args!(
            "You came to {title}, {space}, by this code already: it changes nothing."
        ));
    } else {
        text.add(format_args!("Joined {}, {space}.", joined.title));
    }
    let capability = joined.capability.map(capability_word);
    if let (Some(may), Some(end)) = (capability, joined.end) {
        text.add(format_args!("You may {may} until {}.", local(end)));
    }
    text.add(format_args!(
        "Checks: {}, notes: {}, parts: {}, agents that can be read here already: {} of {}.",
        joined.checks, joined.notes, joined.parts, joined.agents_readable, joined.agents
    ));
    if joined.newest_key == NewestKey::Awaited {
        text.add(AWAITS_KEY);
    }
    if let Some(ahead) = joined.clock_ahead {
        text.add(clock_ahead(ahead));
    }
}

fn joined_json(id: &str, joined: Option<&Joined>) -> Value {
    let Some(joined) = joined else {
        return json!({"id": id, "title": null, "complete": false});
    };
    json!({
        "id": id,
        "title": joined.title,
        "complete": true,
        "capability": joined.capability.map(capability_word),
        "end": joined.end.map(|end| end.to_string()),
        "checks": joined.checks,
        "notes": joined.notes,
        "parts": joined.parts,
        "agents": joined.agents,
        "agents_readable": joined.agents_readable,
        "awaits_key": joined.newest_key == NewestKey::Awaited,
        "handed_over": joined.handed_over,
        "again": joined.again,
        "clock_ahead": joined.clock_ahead.map(clock_ahead_json),
    })
}

fn by_file(came: &JoinedByFile) -> Report {
    let (id, short) = (came.space.to_string(), came.space.short());
    let mut text = Lines::default();
    match &came.joined {
        Some(joined) => say_joined(&mut text, &short, joined),
        None => text.add(format_args!(
            "You are a member of {short}; what it says comes over the network, or by `aramaki take FILE`."
        )),
    }
    add_problems(&mut text, &came.carried);
    text.add(format_args!(
        "Nobody else knows yet that you are in. They learn it over the network, or by a file: \
         `aramaki carry {short} FILE` here, `aramaki take FILE` there."
    ));
    let mut json = joined_json(&id, came.joined.as_ref());
    json["by_file"] = json!(true);
    json["taken"] = taken_json(&came.carried);
    Report::new(text.into_text(), &json)
}

/// What is said of a code before its time.
fn begins_later(space: &SpaceId, begin: Timestamp) -> Report {
    let (short, begins) = (space.short(), local(begin));
    Report::new(
        format!(
            "The invitation to {short} begins {begins}. It is kept, and the System comes by itself then: leave the \
             app open, or run any verb after that, for example `aramaki peers --wait 1m`. `aramaki join --cancel \
             {short}` gives it up."
        ),
        &json!({
            "id": space.to_string(), "title": null, "complete": false, "begin": begin.to_string(),
        }),
    )
}

fn cancelled(awaited: &Awaiting) -> Report {
    let short = awaited.space.short();
    Report::new(
        format!("{short} is waited for no more; its invitation is forgotten here."),
        &json!({"id": awaited.space.to_string(), "cancelled": true}),
    )
}
