//! `aramaki carry`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::report::{Lines, count};
use super::{CliError, Report};
use crate::workspace::{CarriedFile, Live};

/// Write what is here of a System to a new file, for somebody who has it and cannot be reached.
///
/// On the other side: `aramaki take FILE`. The file is sealed: it tells who is no member no more than a
/// relay sees. What the System's agents saw goes along.
#[derive(Debug, Args)]
pub(crate) struct Carry {
    /// Which System.
    system: String,
    /// The new file.
    file: PathBuf,
}

impl Carry {
    /// The path among its arguments.
    pub(crate) fn path(&mut self) -> &mut PathBuf {
        &mut self.file
    }

    /// Writes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let title = live.title(space).unwrap_or_else(|| space.short());
        let carried = live.carry(space, &self.file).await?;
        let mut text = Lines::default();
        text.add(format_args!(
            "Wrote {title} to {}: {}.",
            self.file.display(),
            amount(&carried)
        ));
        text.add("On the other side: aramaki take FILE");
        if carried.bare > 0 {
            text.add(too_much(&carried));
        }
        let mut json = carried_json(&carried);
        json["system"] = json!(space.to_string());
        json["title"] = json!(title);
        json["file"] = json!(self.file);
        Ok(Report::new(text.into_text(), &json))
    }
}

/// `12 entries, 4,096 bytes`.
pub(super) fn amount(carried: &CarriedFile) -> String {
    format!(
        "{}, {}",
        entries(carried.envelopes),
        count(carried.bytes, "byte")
    )
}

/// `1 entry`, `2 entries`.
pub(super) fn entries(number: usize) -> String {
    if number == 1 {
        "1 entry".to_owned()
    } else {
        format!("{number} entries")
    }
}

/// What is said of a file that does not hold everything.
pub(super) fn too_much(carried: &CarriedFile) -> String {
    format!(
        "The oldest of it did not fit: {} without their content, which comes over the network later.",
        entries(carried.bare)
    )
}

/// The same for programs.
pub(super) fn carried_json(carried: &CarriedFile) -> Value {
    json!({
        "bytes": carried.bytes,
        "spaces": carried.spaces,
        "envelopes": carried.envelopes,
        "without_content": carried.bare,
    })
}
