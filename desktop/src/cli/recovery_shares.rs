//! `aramaki recovery-shares`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::report::Lines;
use super::{CliError, PassphraseSource, Report};
use crate::workspace::{KitText, SHARES_MAX, split_kit};

/// Split the recovery kit into shares for several hands, of which some together can do what it can.
///
/// For teams in which nobody is to hold the whole kit: `--of 5 --need 3` makes five files, any three of
/// which recover with `aramaki recover --share FILE --share FILE --share FILE`. Fewer say nothing. Give each
/// to another person or device; then destroy the kit itself if nobody is to hold it, and bring shares up to
/// date by splitting the kit again.
#[derive(Debug, Args)]
pub(crate) struct RecoveryShares {
    /// The kit that `aramaki init` wrote, up to date: see `aramaki recovery-kit`.
    kit: PathBuf,
    /// How many shares to make.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=i64::from(SHARES_MAX)))]
    of: u8,
    /// How many of them are needed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=i64::from(SHARES_MAX)))]
    need: u8,
    /// Where to write them: share-1.aramaki and so on.
    #[arg(long, value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// A file whose first line is the kit's passphrase; `-` is standard input. Without it a terminal is
    /// asked.
    #[arg(long, value_name = "FILE")]
    kit_passphrase_file: Option<PathBuf>,
}

impl RecoveryShares {
    /// Writes them.
    pub(crate) fn run(&self) -> Result<Report, CliError> {
        if self.need > self.of {
            let usage = format!("--need {} of --of {} cannot be had", self.need, self.of);
            return Err(CliError::Usage(usage));
        }
        let kit = KitText::read(&self.kit)?;
        let source = PassphraseSource::from(self.kit_passphrase_file.as_ref());
        let keys = kit.open(&self.kit, &source)?;
        let files = split_kit(&kit, &keys, &self.folder, (self.need, self.of))?;
        let mut text = Lines::default();
        for file in &files {
            text.add(file.display());
        }
        text.add(format_args!(
            "Any {} of these {} recover. Give each to another person or device.",
            self.need, self.of
        ));
        if kit.relays.is_empty() {
            text.add("Warning: the kit names no relay; bring it up to date with `aramaki recovery-kit` first.");
        }
        Ok(Report::new(
            text.into_text(),
            &json!({"shares": files, "need": self.need, "relays": kit.relays.len()}),
        ))
    }
}
