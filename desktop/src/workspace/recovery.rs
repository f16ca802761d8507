//! The recovery kit: the anchor key and the emergency key, sealed by passphrases in a file that is kept
//! offline, and where its Spaces are kept.

use std::io;
use std::path::{Path, PathBuf};

use aramaki_sync::keys::{self, Passphrase};
use aramaki_sync::transport::PeerAddress;
use aramaki_sync_core::SpaceId;
use aramaki_sync_core::statement::Capability;

use super::carry::typed_path;
use super::emergency::{EmergencyKey, SealedFor};
use super::kit::{self, KitText, unusable};
use super::live::Live;
use super::profile::{Anchor, key_error};
use crate::cli::{CliError, PassphraseSource, Sealed};
use crate::view::new_kit::NewKit;

/// A kit about to be written.
#[derive(Debug)]
pub(crate) struct RecoveryKit {
    file: PathBuf,
    passphrase: Passphrase,
    /// What seals the emergency key in it; none: the same.
    emergency: Option<Passphrase>,
}

/// The public halves of what a new kit holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    /// The key above all devices.
    pub(crate) anchor: Anchor,
    /// The key for emergencies.
    pub(crate) emergency: Anchor,
}

impl RecoveryKit {
    /// Refuses a file that exists, and takes the passphrases.
    ///
    /// # Errors
    /// When the passphrase is too short or the file is there already.
    pub(crate) fn prepare(
        file: &Path,
        passphrase: &PassphraseSource,
        emergency: Option<&PassphraseSource>,
    ) -> Result<Self, CliError> {
        check_place(file)?;
        Ok(Self {
            file: file.to_owned(),
            passphrase: passphrase.new_one(Sealed::Kit)?,
            emergency: emergency
                .map(|source| source.new_one(Sealed::Emergency))
                .transpose()?,
        })
    }

    /// The same with what was typed in the window, which seals both keys.
    ///
    /// # Errors
    /// As [`RecoveryKit::prepare`].
    pub(super) fn typed(kit: &NewKit) -> Result<Self, CliError> {
        let file = typed_path(&kit.file);
        check_place(&file)?;
        Ok(Self {
            file,
            passphrase: PassphraseSource::checked(kit.passphrase.to_string())?,
            emergency: None,
        })
    }

    /// Draws the anchor key and the emergency key and writes them, sealed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn write(&self) -> Result<Drawn, CliError> {
        let keys = keys::create(&self.file, Some(&self.passphrase))
            .map_err(|error| key_error(&self.file, &error))?;
        let passphrase = self.emergency.as_ref().unwrap_or(&self.passphrase);
        let emergency = EmergencyKey::draw(passphrase)?;
        let kit = KitText::written(&self.file, keys.author(), Some(emergency.clone()))?;
        kit.replace(&self.file)?;
        Ok(Drawn {
            anchor: keys.public().into(),
            emergency: emergency.public,
        })
    }

    /// Where it is written.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}

/// What a kit names after it was brought up to date.
#[derive(Debug)]
pub(crate) struct KitNamed {
    /// The Spaces that it can recover.
    pub(crate) spaces: Vec<SpaceId>,
    /// Where they are kept.
    pub(crate) relays: Vec<PeerAddress>,
    /// Those that no relay keeps.
    pub(crate) unrelayed: Vec<SpaceId>,
    /// Which its emergency key opens.
    pub(crate) sealed: SealedFor,
    /// Whether it has an emergency key.
    pub(crate) has_emergency: bool,
    /// What of it can be handed out for emergencies.
    pub(crate) envelope: Option<KitText>,
}

impl Live {
    /// Names the Spaces and relays of now in a kit, and seals to its emergency key what is not yet; to a
    /// new one if there is one, and ends what the old one could open.
    ///
    /// # Errors
    /// When it is another workspace's, cannot be read, or the disk refuses.
    pub(crate) async fn renew_kit(
        &self,
        file: &Path,
        new: Option<EmergencyKey>,
    ) -> Result<KitNamed, CliError> {
        let mut kit = KitText::read(file)?;
        let Some(anchor) = self
            .profile()
            .anchor
            .filter(|it| kit.anchor == Some(it.author))
        else {
            let reason = "it is not the kit of this workspace".to_owned();
            return Err(unusable(file, reason));
        };
        let mut spaces = self.spaces().await;
        spaces.retain(|space| {
            let mut members = space.members.iter();
            members.any(|it| it.author == anchor.author && it.capability == Capability::Administer)
        });
        let unrelayed = spaces.iter().filter(|space| space.relays.is_empty());
        let unrelayed = unrelayed.map(|space| space.id).collect();
        kit.spaces = spaces.iter().map(|space| space.id).collect();
        kit.home = self.home().filter(|home| kit.spaces.contains(home));
        kit.relays.clear();
        for relay in spaces.iter().flat_map(|space| &space.relays) {
            let address = PeerAddress::from(relay);
            if !kit.relays.contains(&address) {
                kit.relays.push(address);
            }
        }
        let old = kit.emergency.as_ref().map(|it| it.public.author);
        if let Some(new) = new {
            // In the kit first: no System is sealed to a key that nobody holds.
            kit.emergency = Some(new);
            kit.replace(file)?;
        }
        let key = kit.emergency.as_ref().map(|it| it.public);
        let mut sealed = SealedFor::default();
        if let Some(key) = key {
            self.know_emergency_key(key).await?;
            sealed = self.seal_all(&spaces, key).await?;
            if let Some(old) = old.filter(|old| *old != key.author) {
                self.retire(&spaces, old).await?;
            }
        }
        kit.emergency_spaces.clone_from(&sealed.open);
        kit.replace(file)?;
        Ok(KitNamed {
            unrelayed,
            sealed,
            has_emergency: key.is_some(),
            envelope: kit.envelope(),
            spaces: kit.spaces,
            relays: kit.relays,
        })
    }
}

/// A kit goes into a new file of a folder that is there.
fn check_place(file: &Path) -> Result<(), CliError> {
    if file.exists() {
        return Err(CliError::File {
            action: "make",
            path: file.to_owned(),
            source: io::Error::from(io::ErrorKind::AlreadyExists),
        });
    }
    let folder = kit::folder_of(file);
    if !folder.is_dir() {
        return Err(CliError::File {
            action: "write to",
            path: folder.to_owned(),
            source: io::Error::from(io::ErrorKind::NotFound),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kit_opens_with_its_passphrase_and_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (file, passphrase) = (folder.path().join("kit"), folder.path().join("passphrase"));
        std::fs::write(&passphrase, "twelve letters\n").unwrap();
        let passphrase = PassphraseSource::File(passphrase);
        let kit = RecoveryKit::prepare(&file, &passphrase, None).unwrap();
        let drawn = kit.write().unwrap();
        let read = KitText::read(&file).unwrap();
        assert_eq!(read.anchor, Some(drawn.anchor.author));
        let opened = read.open(&file, &passphrase).unwrap();
        assert_eq!(opened.author(), drawn.anchor.author);
        let opened = read.open_emergency(&file, &passphrase).unwrap();
        assert_eq!(opened.author(), drawn.emergency.author);
        assert_ne!(drawn.emergency.author, drawn.anchor.author);
        assert!(RecoveryKit::prepare(&file, &passphrase, None).is_err());
    }
}
