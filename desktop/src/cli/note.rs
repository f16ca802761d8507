//! `aramaki note`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
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
    fn read(&self) -> Result<String, CliError> {
        match (&self.text, &self.file) {
            (Some(text), _) => Ok(text.clone()),
            (None, Some(file)) => std::fs::read_to_string(file).map_err(|source| CliError::File {
                action: "read",
                path: file.clone(),
                source,
            }),
            (None, None) => Err(CliError::Usage("--text or --file is needed".to_owned())),
        }
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
    #[command(flatten)]
    source: Source,
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
    fn source(&mut self) -> Option<&mut Source> {
        match self {
            Self::Add(verb) => Some(&mut verb.source),
            Self::Edit(verb) => Some(&mut verb.source),
            Self::List(_) | Self::Show(_) => None,
        }
    }

    /// The path among its arguments.
    pub(crate) fn path(&mut self) -> Option<&mut PathBuf> {
        let file = self.source()?.file.as_mut();
        file.filter(|file| *file != Path::new("-"))
    }

    /// Whether the text is on standard input.
    pub(crate) fn reads_input(&self) -> bool {
        let (Self::Add(Add { source, .. }) | Self::Edit(Edit { source, .. })) = self else {
            return false;
        };
        source.file.as_deref() == Some(Path::new("-"))
    }

    /// The text that was on standard input.
    pub(crate) fn take_input(&mut self, input: String) {
        if let Some(source) = self.source() {
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
            .add_note(space, &self.title, &self.source.read()?)
            .await?;
        Ok(Report::new(
            format!("Added note {note}."),
            &json!({"id": note.to_string(), "system": space.to_string(), "title": self.title}),
        ))
    }
}

impl List {
    fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let notes = live.notes(space);
        let rows: Vec<_> = notes
            .iter()
            .map(|note| vec![note.id.to_string(), note.title.clone(), local(note.made)])
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
        live.set_note(space, note.id, &self.source.read()?).await?;
        Ok(Report::new(
            format!("Changed note {}.", note.id),
            &json!({"id": note.id.to_string(), "system": space.to_string()}),
        ))
    }
}
