//! `aramaki recovery-kit`.

use std::path::{Path, PathBuf};

use aramaki_sync_core::SpaceId;
use clap::Args;
use serde_json::json;

use super::report::{Lines, count};
use super::{CliError, PassphraseSource, Report, Sealed};
use crate::workspace::{EmergencyKey, KitNamed, Live};

/// Bring the recovery kit up to date: name the Spaces and relays of now in it.
///
/// Needs no passphrase: the sealed keys in the file stay as they are. Do it after you added Systems,
/// agents or relays; else `aramaki recover` has to be told a relay, and the emergency key in the kit opens
/// fewer Systems than there are.
#[derive(Debug, Args)]
pub(crate) struct RecoveryKit {
    /// The kit that `aramaki init` wrote.
    file: PathBuf,
    /// Write what opens Systems in an emergency, and nothing else of the kit, to this new file: for
    /// whoever is on call. Its passphrase is the emergency key's.
    #[arg(long, value_name = "FILE")]
    emergency_envelope: Option<PathBuf>,
    /// Draw a new emergency key, and end what the old one could open: after it was used, or if somebody
    /// had it who should not.
    #[arg(long)]
    new_emergency_key: bool,
    /// A file whose first line is the new emergency key's passphrase, of at least 12 characters; `-` is
    /// standard input. Without it a terminal is asked.
    #[arg(long, value_name = "FILE", requires = "new_emergency_key")]
    emergency_passphrase_file: Option<PathBuf>,
    /// A new key: sealed before another process hears of it.
    #[arg(skip)]
    drawn: Option<EmergencyKey>,
}

impl RecoveryKit {
    /// Makes paths those that are meant from where the verb was typed.
    pub(crate) fn resolve(&mut self, folder: &Path) {
        self.file = folder.join(&self.file);
        if let Some(envelope) = &mut self.emergency_envelope {
            *envelope = folder.join(&*envelope);
        }
    }

    /// Draws a new emergency key if that is wanted, here where its passphrase can be asked for.
    pub(crate) fn read_input(&self) -> Result<Option<String>, CliError> {
        if !self.new_emergency_key {
            return Ok(None);
        }
        let source = PassphraseSource::from(self.emergency_passphrase_file.as_ref());
        let passphrase = source.new_one(Sealed::Emergency)?;
        Ok(Some(EmergencyKey::draw(&passphrase)?.to_text()))
    }

    /// Takes what was drawn.
    pub(crate) fn take_input(&mut self, input: &str) {
        self.drawn = EmergencyKey::of_text(input);
    }

    /// Writes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        if self.new_emergency_key && self.drawn.is_none() {
            return Err(CliError::Bug("the new emergency key is gone".to_owned()));
        }
        if let Some(envelope) = self.emergency_envelope.as_ref().filter(|it| it.exists()) {
            return Err(CliError::File {
                action: "make",
                path: envelope.clone(),
                source: std::io::Error::from(std::io::ErrorKind::AlreadyExists),
            });
        }
        let named = live.renew_kit(&self.file, self.drawn.clone()).await?;
        if let Some(file) = &self.emergency_envelope {
            let Some(envelope) = &named.envelope else {
                return Err(CliError::Kit {
                    file: self.file.clone(),
                    reason: "there is no emergency key in it: --new-emergency-key makes one"
                        .to_owned(),
                });
            };
            envelope.write_new(file)?;
        }
        let ids = |spaces: &[SpaceId]| -> Vec<String> {
            spaces.iter().map(ToString::to_string).collect()
        };
        Ok(Report::new(
            self.text(live, &named),
            &json!({
                "recovery_kit": self.file,
                "spaces": ids(&named.spaces),
                "relays": named.relays.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "without_relay": ids(&named.unrelayed),
                "emergency_envelope": self.emergency_envelope,
                "emergency_opens": ids(&named.sealed.open),
                "emergency_ended": ids(&named.sealed.ended),
            }),
        ))
    }

    fn text(&self, live: &Live, named: &KitNamed) -> String {
        let title = |space: &SpaceId| live.title(*space).unwrap_or_else(|| space.short());
        let mut text = Lines::default();
        text.add(format_args!(
            "{} names {} and {} now. Keep it offline.",
            self.file.display(),
            count(named.spaces.len(), "Space"),
            count(named.relays.len(), "relay")
        ));
        for space in &named.unrelayed {
            text.add(format_args!(
                "Warning: no relay keeps {}: without this device it is lost.",
                title(space)
            ));
        }
        if named.has_emergency {
            text.add(format_args!(
                "Its emergency key opens {}.",
                count(named.sealed.open.len(), "System")
            ));
        } else {
            text.add("It has no emergency key: --new-emergency-key makes one.");
        }
        for space in &named.sealed.ended {
            text.add(format_args!(
                "Its emergency key was ended in {}: --new-emergency-key makes another.",
                title(space)
            ));
        }
        if let Some(envelope) = &self.emergency_envelope {
            text.add(format_args!(
                "{} is for whoever is on call, with the emergency key's passphrase: it opens and recovers \
                 nothing else.",
                envelope.display()
            ));
        }
        text.into_text()
    }
}
