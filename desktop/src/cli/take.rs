//! `aramaki take`.

use std::path::PathBuf;

use aramaki_sync::replica::Carried;
use clap::Args;
use serde_json::{Value, json};

use super::carry::entries;
use super::report::{Lines, count};
use super::{CliError, Report};
use crate::workspace::Live;

/// Take what a file holds of Systems that are here: a file that `aramaki carry` wrote, or `share --file`.
///
/// A file is judged like a peer: only what its authors signed and may say counts. It can be taken
/// twice, and in any order with others.
#[derive(Debug, Args)]
pub(crate) struct Take {
    /// The file.
    file: PathBuf,
}

impl Take {
    /// The path among its arguments.
    pub(crate) fn path(&mut self) -> &mut PathBuf {
        &mut self.file
    }

    /// Takes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let taken = live.take_file(&self.file).await?;
        let titles: Vec<_> = taken.systems.iter().map(|(_id, it)| it.as_str()).collect();
        let mut text = Lines::default();
        text.add(format_args!(
            "Took {} of {}; {} were here already.",
            entries(taken.carried.new),
            if titles.is_empty() {
                self.file.display().to_string()
            } else {
                titles.join(", ")
            },
            taken.carried.known
        ));
        add_problems(&mut text, &taken.carried);
        if taken.left_alone > 0 {
            text.add(format_args!(
                "{} in it are none of this workspace's: left alone.",
                count(taken.left_alone, "Space")
            ));
        }
        let systems = taken.systems.iter();
        let systems = systems.map(|(id, title)| json!({"id": id.to_string(), "title": title}));
        let mut json = taken_json(&taken.carried);
        json["systems"] = systems.collect();
        json["left_alone"] = json!(taken.left_alone);
        Ok(Report::new(text.into_text(), &json))
    }
}

/// What could not be taken, and what helps.
pub(super) fn add_problems(text: &mut Lines, carried: &Carried) {
    if carried.gaps > 0 {
        text.add(format_args!(
            "{} wait for earlier ones that are not in the file: ask for a newer file.",
            entries(carried.gaps)
        ));
    }
    if carried.newer > 0 {
        text.add(format_args!(
            "{} were written by a newer version of Aramaki: update this program and take the file again.",
            entries(carried.newer)
        ));
    }
    if carried.refused > 0 {
        text.add(format_args!(
            "{} were refused: no grant of their authors is known here.",
            entries(carried.refused)
        ));
    }
}

/// The same for programs.
pub(super) fn taken_json(carried: &Carried) -> Value {
    json!({
        "new": carried.new,
        "known": carried.known,
        "gaps": carried.gaps,
        "refused": carried.refused,
        "newer": carried.newer,
    })
}
