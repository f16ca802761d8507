//! `aramaki note`.

use std::fs::File;
use std::path::{Path, PathBuf};

use aramaki_model::note::NOTE_LEN_CHARS_MAX;
use aramaki_model::system::NoteKind;
use aramaki_sync::text_file::{self, TextFileError};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::parse::parse_line;
use super::report::table;
use super::{CliError, Report, local};
use crate::workspace::{Live, NoteRow};

/// Add, list, show and edit notes of a System.
#[derive(Debug, Subcommand)]
pub(crate) enum Note {
    Add(Add),
    List(List),
    Show(Show),
    Edit(Edit),
}

/// No character takes more than four bytes: whatever is longer has too many characters.
const NOTE_LEN_BYTES_MAX: u64 = 4 * NOTE_LEN_CHARS_MAX as u64;

/// Where a note's text comes from.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Source {
    /// The text itself, Markdown.
    #[arg(long, value_name = "MARKDOWN")]
    text: Option<String>,
    /// A file with the text; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Source {
    /// The text of the file, if it is in one. A pipe is taken too, and no more of it than a note holds.
    fn read(&self) -> Result<Option<String>, CliError> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let read = if file == Path::new("-") {
            let input = Path::new("standard input");
            text_file::read_stream(input, std::io::stdin(), NOTE_LEN_BYTES_MAX)
        } else {
            File::open(file)
                .map_err(|source| TextFileError::Io {
                    path: file.clone(),
                    source,
                })
                .and_then(|stream| text_file::read_stream(file, stream, NOTE_LEN_BYTES_MAX))
        };
        match read {
            Err(TextFileError::TooLarge { .. }) => Err(too_long()),
            read => Ok(Some(read?)),
        }
    }

    fn text(&self) -> Result<&str, CliError> {
        let missing = || CliError::Usage("--text or --file is needed".to_owned());
        let text = self.text.as_deref().ok_or_else(missing)?;
        if text.chars().nth(NOTE_LEN_CHARS_MAX).is_some() {
            return Err(too_long());
        }
        Ok(text)
    }
}

fn too_long() -> CliError {
    CliError::TooLong {
        what: "note",
        chars_max: NOTE_LEN_CHARS_MAX,
    }
}

/// Add a note: a runbook, a handover, anything worth keeping.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Of which System.
    system: String,
    /// What the note is called.
    #[arg(long, value_parser = parse_line)]
    title: String,
    /// What it is for. A runbook stands on the page of its System and of its alerts; there a link such as
    /// `[Flush](action:web1/flush?path=/)` is a button that asks.
    #[arg(long, value_enum, default_value_t = Kind::Note)]
    kind: Kind,
    #[command(flatten)]
    source: Source,
}

/// What a note is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Anything else.
    Note,
    /// How to do something.
    Runbook,
    /// What the next shift must know.
    Handover,
    /// What a review found.
    Review,
    /// What went wrong and what follows.
    PostMortem,
}

impl From<Kind> for NoteKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Note => Self::Note,
            Kind::Runbook => Self::Runbook,
            Kind::Handover => Self::Handover,
            Kind::Review => Self::Review,
            Kind::PostMortem => Self::PostMortem,
        }
    }
}

/// As it is typed; a kind of a newer program counts as a note here.
const fn kind_word(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::Runbook => "runbook",
        NoteKind::Handover => "handover",
        NoteKind::Review => "review",
        NoteKind::PostMortem => "post-mortem",
        _ => "note",
    }
}

/// List the notes of a System.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of which System.
    system: String,
}

/// Print a note.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Of which System.
    system: String,
    /// Its id or exact title.
    note: String,
}

/// Give a note another text; what others write at the same time is merged letter by letter.
#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Of which System.
    system: String,
    /// Its id or exact title.
    note: String,
    #[command(flatten)]
    source: Source,
}

impl Note {
    /// The text that is in a file or on standard input. It is read here, not where the verb is
    /// answered: a pipe of the shell is there for this process alone.
    pub(crate) fn read_input(&self) -> Result<Option<String>, CliError> {
        match self {
            Self::Add(Add { source, .. }) | Self::Edit(Edit { source, .. }) => source.read(),
            Self::List(_) | Self::Show(_) => Ok(None),
        }
    }

    /// The text that was read.
    pub(crate) fn take_input(&mut self, input: String) {
        if let Self::Add(Add { source, .. }) | Self::Edit(Edit { source, .. }) = self {
            *source = Source {
                text: Some(input),
                file: None,
            };
        }
    }

    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::Add(verb) => verb.run(live).await,
            Self::List(verb) => verb.run(live),
            Self::Show(verb) => verb.run(live),
            Self::Edit(verb) => verb.run(live).await,
        }
    }
}

impl Add {
    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let note = live
            .add_note_of(space, self.kind.into(), &self.title, self.source.text()?)
            .await?;
        Ok(Report::new(
            format!("Added note {note}."),
            &json!({"id": note.to_string(), "system": space.to_string(), "title": self.title, "kind": kind_word(self.kind.into())}),
        ))
    }
}

impl List {
    fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let notes = live.notes(space);
        let rows: Vec<_> = notes
            .iter()
            .map(|note| {
                let kind = kind_word(note.kind).to_owned();
                vec![
                    note.id.to_string(),
                    kind,
                    note.title.clone(),
                    local(note.made),
                ]
            })
            .collect();
        let list: Vec<_> = notes.iter().map(row_json).collect();
        Ok(Report::new(
            table(&rows),
            &json!({"system": space.to_string(), "notes": list}),
        ))
    }
}

fn row_json(note: &NoteRow) -> serde_json::Value {
    json!({
        "id": note.id.to_string(),
        "title": note.title,
        "kind": kind_word(note.kind),
        "made": note.made.to_string(),
    })
}

impl Show {
    fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let note = live.find_note(space, &self.note)?;
        let mut object = row_json(&note);
        if let Some(fields) = object.as_object_mut() {
            fields.insert("text".to_owned(), json!(note.text));
            fields.insert("system".to_owned(), json!(space.to_string()));
        }
        Ok(Report::new(note.text, &object))
    }
}

impl Edit {
    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let note = live.find_note(space, &self.note)?;
        live.set_note(space, note.id, self.source.text()?).await?;
        Ok(Report::new(
            format!("Changed note {}.", note.id),
            &json!({"id": note.id.to_string(), "system": space.to_string()}),
        ))
    }
}
