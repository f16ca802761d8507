//! `aramaki handover` and `aramaki post-mortem`: drafts that people finish.

use std::time::Duration;

use aramaki_model::handover::Period;
use aramaki_model::system::NoteKind;
use aramaki_sync_core::SpaceId;
use clap::Args;
use serde_json::json;

use super::parse::{Moment, parse_line, parse_moment};
use super::{CliError, Clock, Report, local, parse_span};
use crate::view::draft::DraftWords;
use crate::workspace::Live;

/// How long a shift is when nobody says otherwise.
const SHIFT: Duration = Duration::from_hours(8);

/// Draft what the next shift has to know: what is wrong and who has it, what was wrong, what was changed
/// and said, what is silenced. The draft is printed; `--save` keeps it as a note of the System, to be
/// finished there.
#[derive(Debug, Args)]
pub(crate) struct Handover {
    /// Of which System and its parts; of all without it.
    #[arg(required_if_eq("save", "true"))]
    system: Option<String>,
    /// Since when: how long ago the shift began.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    since: Option<Duration>,
    /// Keep it as a note.
    #[arg(long)]
    save: bool,
    /// What the note is called; its time without this.
    #[arg(long, value_name = "TEXT", value_parser = parse_line, requires = "save")]
    title: Option<String>,
}

impl Handover {
    /// Drafts it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let now = Clock::now();
        let period = Period {
            from: now.minus(self.since.unwrap_or(SHIFT)),
            until: now,
        };
        let system = self.system.as_deref();
        let system = system.map(|system| live.find(system)).transpose()?;
        let text = live
            .draft_handover(system, period, &DraftWords::english())
            .await?;
        let title = titled(self.title.as_deref(), "Handover", period);
        let kept = Kept {
            system: system.filter(|_system| self.save),
            kind: NoteKind::Handover,
        };
        report(live, (&title, text), period, kept).await
    }
}

/// Draft a post-mortem of a period of time: what stands on the timelines then, with references to it, and
/// the questions that people answer. The draft is printed; `--save` keeps it as a note of the System.
#[derive(Debug, Args)]
pub(crate) struct PostMortem {
    /// Of which System and its parts.
    system: String,
    /// Its beginning: a time with its zone, as 2026-12-24T18:00Z.
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    from: Moment,
    /// Its end; now without it.
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    until: Option<Moment>,
    /// Keep it as a note.
    #[arg(long)]
    save: bool,
    /// What the note is called; its time without this.
    #[arg(long, value_name = "TEXT", value_parser = parse_line, requires = "save")]
    title: Option<String>,
}

impl PostMortem {
    /// Drafts it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let now = Clock::now();
        let period = Period {
            from: self.from.before(now),
            until: self.until.map_or(now, |until| until.before(now)),
        };
        if period.from >= period.until {
            return Err(CliError::Usage(
                "--from must lie before --until, and before now".to_owned(),
            ));
        }
        let system = live.find(&self.system)?;
        let text = live
            .draft_post_mortem(system, period, &DraftWords::english())
            .await?;
        let title = titled(self.title.as_deref(), "Post-mortem", period);
        let kept = Kept {
            system: self.save.then_some(system),
            kind: NoteKind::PostMortem,
        };
        report(live, (&title, text), period, kept).await
    }
}

fn titled(said: Option<&str>, what: &str, period: Period) -> String {
    let title = said.map(str::to_owned);
    title.unwrap_or_else(|| format!("{what} {}", local(period.until)))
}

/// Where a draft is kept, if it is.
struct Kept {
    system: Option<SpaceId>,
    kind: NoteKind,
}

async fn report(
    live: &Live,
    (title, text): (&str, String),
    period: Period,
    kept: Kept,
) -> Result<Report, CliError> {
    let mut object = json!({
        "from": period.from.to_string(),
        "until": period.until.to_string(),
        "markdown": text,
        "note": null,
    });
    let Some(system) = kept.system else {
        return Ok(Report::new(text, &object));
    };
    let note = live.add_note_of(system, kept.kind, title, &text).await?;
    if let Some(fields) = object.as_object_mut() {
        fields.insert("note".to_owned(), json!(note.to_string()));
        fields.insert("title".to_owned(), json!(title));
    }
    let words = format!("Kept as the note “{title}” ({note}). `aramaki note edit` finishes it.");
    Ok(Report::new(words, &object))
}
