//! `aramaki init`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::parse::parse_line;
use super::report::Lines;
use super::{CliError, Config, PassphraseSource, Report, Sealed};
use crate::workspace::{self, RecoveryKit};

/// Make a workspace: keys of this device, who you are, and the recovery kit.
///
/// The recovery kit holds the anchor key, which stands above every device of yours in all Systems
/// that you make: with it you let a new device in and revoke a lost one. It is sealed by a passphrase
/// and not needed day by day; keep it offline. Without a kit a stolen device ends your Systems.
///
/// The kit holds an emergency key too: `aramaki emergency` opens your Systems with it for a day when nobody
/// who administers them can be reached. With --emergency-passphrase-file it has a passphrase of its own.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("kit").required(true))]
pub(crate) struct Init {
    /// What others see beside what you do, for example "duty operator".
    #[arg(long, value_name = "NAME", value_parser = parse_line)]
    name: String,
    /// Write the recovery kit to this new file.
    #[arg(long, value_name = "FILE", group = "kit")]
    recovery_kit: Option<PathBuf>,
    /// Do without a kit.
    #[arg(long, group = "kit")]
    no_recovery_kit: bool,
    /// A file whose first line is the kit's passphrase, of at least 12 characters; `-` is standard
    /// input. Without it a terminal is asked.
    #[arg(long, value_name = "FILE", requires = "recovery_kit")]
    kit_passphrase_file: Option<PathBuf>,
    /// A file whose first line is a passphrase for the emergency key in the kit. Without it the kit's
    /// passphrase seals both.
    #[arg(long, value_name = "FILE", requires = "recovery_kit")]
    emergency_passphrase_file: Option<PathBuf>,
    /// Seal this device's key by a passphrase too, from --passphrase-file or the terminal. It is then
    /// needed whenever the workspace is opened.
    #[arg(long)]
    passphrase: bool,
}

impl Init {
    /// Makes it.
    pub(crate) fn run(&self, config: &Config) -> Result<Report, CliError> {
        workspace::refuse_existing(&config.data)?;
        let passphrase = self
            .passphrase
            .then(|| config.passphrase.new_one(Sealed::Device))
            .transpose()?;
        let source = PassphraseSource::from(self.kit_passphrase_file.as_ref());
        let emergency = self.emergency_passphrase_file.clone();
        let emergency = emergency.map(PassphraseSource::File);
        let kit = self
            .recovery_kit
            .as_deref()
            .map(|file| RecoveryKit::prepare(file, &source, emergency.as_ref()))
            .transpose()?;
        let profile =
            workspace::create(&config.data, &self.name, kit.as_ref(), passphrase.as_ref())?;
        let mut text = Lines::default();
        let data = config.data.display();
        text.add(format_args!(
            "Made a workspace for {} in {data}.",
            profile.name
        ));
        text.add(format_args!("This device is {}.", profile.device.short()));
        text.add(if self.passphrase {
            "Its key is sealed by the passphrase."
        } else {
            "Its key is not sealed: only its file's permissions protect it, and who can read the disk can act \
             as this device. `aramaki key seal` seals it."
        });
        match &kit {
            Some(kit) => {
                let file = kit.file().display();
                text.add(format_args!("Recovery kit: {file}. Keep it offline."));
            }
            None => text.add(
                "Warning: there is no recovery kit. Whoever steals this device can end your \
                 Systems, and nothing can undo that.",
            ),
        }
        text.add("Next: `aramaki system add TITLE`, or `aramaki join INVITATION`.");
        Ok(Report::new(
            text.into_text(),
            &json!({
                "name": profile.name,
                "device": profile.device.to_string(),
                "data": config.data,
                "sealed": self.passphrase,
                "recovery_kit": kit.as_ref().map(RecoveryKit::file),
            }),
        ))
    }
}
