//! What a recovery kit says in its file: keys that are sealed, where its Spaces are kept, a checksum.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aramaki_sync::keys::{self, KeyFileError};
use aramaki_sync::transport::PeerAddress;
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::{AuthorId, SpaceId};
use zeroize::Zeroizing;

use super::emergency::EmergencyKey;
use super::profile::with_causes;
use crate::cli::{CliError, PassphraseSource, Sealed};

const KIT_LEN_BYTES_MAX: u64 = 1 << 20;
/// The first two lines are a sealed key, as in every key file.
const KEY_LINES: usize = 2;
const CHECK_WORD: &str = "check ";
const CHECK_LEN_CHARS: usize = 16;

/// What a kit says. Only the key is secret, and sealed.
#[derive(Debug)]
pub(crate) struct KitText {
    key: String,
    /// Whose kit it is, to know it without its passphrase.
    pub(crate) anchor: Option<AuthorId>,
    /// Where to look for its Spaces.
    pub(crate) relays: Vec<PeerAddress>,
    /// Which Spaces there were when it was written last.
    pub(crate) spaces: Vec<SpaceId>,
    /// Which of them was the Home of its person's devices.
    pub(crate) home: Option<SpaceId>,
    /// The key for emergencies in it; of an envelope, its own.
    pub(crate) emergency: Option<EmergencyKey>,
    /// Which Spaces it opens.
    pub(crate) emergency_spaces: Vec<SpaceId>,
    /// What a newer program said in it.
    other: Vec<String>,
}

impl KitText {
    /// A kit without a key in it: that is at hand otherwise.
    pub(super) fn of(anchor: AuthorId) -> Self {
        Self {
            key: String::new(),
            anchor: Some(anchor),
            relays: Vec::new(),
            spaces: Vec::new(),
            home: None,
            emergency: None,
            emergency_spaces: Vec::new(),
            other: Vec::new(),
        }
    }

    /// A kit of which only the sealed key is in its file yet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn written(
        file: &Path,
        anchor: AuthorId,
        emergency: Option<EmergencyKey>,
    ) -> Result<Self, CliError> {
        Ok(Self {
            key: read(file)?.trim_end().to_owned(),
            emergency,
            ..Self::of(anchor)
        })
    }

    /// The emergency envelope of a kit: what can be handed to whoever is on call. None when it has none.
    pub(crate) fn envelope(&self) -> Option<Self> {
        let emergency = self.emergency.clone()?;
        Some(Self {
            key: emergency.sealed.clone().unwrap_or_else(|| self.key.clone()),
            anchor: None,
            relays: self.relays.clone(),
            spaces: Vec::new(),
            home: None,
            emergency: Some(EmergencyKey {
                sealed: None,
                ..emergency
            }),
            emergency_spaces: self.emergency_spaces.clone(),
            other: Vec::new(),
        })
    }

    /// Whether it is an emergency envelope, without the kit's own key.
    pub(crate) fn is_envelope(&self) -> bool {
        self.anchor.is_none() && self.emergency.is_some()
    }

    /// Reads a kit; `-` is standard input.
    ///
    /// # Errors
    /// When others can read the file, or it is no kit.
    pub(crate) fn read(file: &Path) -> Result<Self, CliError> {
        if file != Path::new("-") {
            return Self::parse(file, &read(file)?);
        }
        let mut text = String::new();
        let read = io::stdin()
            .take(KIT_LEN_BYTES_MAX)
            .read_to_string(&mut text);
        read.map_err(|source| CliError::File {
            action: "read",
            path: PathBuf::from("standard input"),
            source,
        })?;
        Self::parse(file, &text)
    }

    /// The last line is a checksum of all before: a kit that lay in a drawer for years says that it is
    /// damaged, instead of refusing the right passphrase or naming no relay.
    fn parse(file: &Path, text: &str) -> Result<Self, CliError> {
        Self::parse_lines(file, &checked(file, text)?)
    }

    fn parse_lines(file: &Path, lines: &[&str]) -> Result<Self, CliError> {
        let key: Vec<&str> = lines.iter().take(KEY_LINES).copied().collect();
        let mut kit = Self {
            key: key.join("\n"),
            anchor: None,
            relays: Vec::new(),
            spaces: Vec::new(),
            home: None,
            emergency: None,
            emergency_spaces: Vec::new(),
            other: Vec::new(),
        };
        for (at, line) in lines.iter().enumerate().skip(KEY_LINES) {
            if line.trim().is_empty() {
                continue;
            }
            let (word, value) = line.trim().split_once(' ').unwrap_or((line, ""));
            let taken = match word {
                "anchor" => value.parse().map(|it| kit.anchor = Some(it)).is_ok(),
                "relay" => value.parse().map(|it| kit.relays.push(it)).is_ok(),
                "space" => value.parse().map(|it| kit.spaces.push(it)).is_ok(),
                "home" => value.parse().map(|it| kit.home = Some(it)).is_ok(),
                "emergency" => EmergencyKey::parse(value)
                    .map(|it| kit.emergency = Some(it))
                    .is_some(),
                "emergency-key" => kit.emergency.as_mut().is_some_and(|it| it.seal(value)),
                "emergency-space" => value
                    .parse()
                    .map(|it| kit.emergency_spaces.push(it))
                    .is_ok(),
                // A newer program may say more; it stays.
                _ => {
                    kit.other.push((*line).to_owned());
                    true
                }
            };
            if !taken {
                let reason = format!("its line {} cannot be read", at + 1);
                return Err(unusable(file, reason));
            }
        }
        Ok(kit)
    }

    /// Opens the key.
    ///
    /// # Errors
    /// When it is none, or the passphrase is missing or wrong.
    pub(crate) fn open(
        &self,
        file: &Path,
        passphrase: &PassphraseSource,
    ) -> Result<DeviceKeys, CliError> {
        if self.is_envelope() {
            let reason = "it is an emergency envelope, which recovers nothing: \
                          `aramaki emergency` uses it";
            return Err(unusable(file, reason.to_owned()));
        }
        open_key(file, &self.key, passphrase, Sealed::Kit)
    }

    /// Opens the emergency key, of a kit or of its envelope, and nothing else.
    ///
    /// # Errors
    /// When there is none, or the passphrase is missing or wrong.
    pub(crate) fn open_emergency(
        &self,
        file: &Path,
        passphrase: &PassphraseSource,
    ) -> Result<DeviceKeys, CliError> {
        let Some(emergency) = &self.emergency else {
            let reason = "there is no emergency key in it: `aramaki recovery-kit \
                          --new-emergency-key` makes one";
            return Err(unusable(file, reason.to_owned()));
        };
        let text = match &emergency.sealed {
            Some(sealed) => sealed,
            None if self.is_envelope() => &self.key,
            None => return Err(unusable(file, "its emergency key is missing".to_owned())),
        };
        let keys = open_key(file, text, passphrase, Sealed::Emergency)?;
        if keys.author() != emergency.public.author {
            let reason = "its emergency key is another one than it says".to_owned();
            return Err(unusable(file, reason));
        }
        Ok(keys)
    }

    /// Writes it into a new file that only its owner can read.
    ///
    /// # Errors
    /// When there is such a file, or the disk refuses.
    pub(crate) fn write_new(&self, file: &Path) -> Result<(), CliError> {
        write(file, self.text(), |new| {
            let kept = new.persist_noclobber(file);
            kept.map(drop).map_err(|error| error.error)
        })
    }

    /// Writes it in place of what is there: whole, or not at all; readable by its owner alone.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn replace(&self, file: &Path) -> Result<(), CliError> {
        // Through a link to a stick the kit on the stick is written: else that one grew old, and the new one
        // stayed on this disk in the link's place.
        let file = &file.canonicalize().map_err(|source| CliError::File {
            action: "write",
            path: file.to_owned(),
            source,
        })?;
        write(file, self.text(), |new| {
            new.persist(file).map(drop).map_err(|error| error.error)
        })
    }

    fn text(&self) -> String {
        let emergency = self.emergency.iter().flat_map(EmergencyKey::lines);
        let opened = self.emergency_spaces.iter();
        let lines = std::iter::once(self.key.clone())
            .chain(self.anchor.iter().map(|it| format!("anchor {it}")))
            .chain(emergency)
            .chain(self.relays.iter().map(|it| format!("relay {it}")))
            .chain(self.spaces.iter().map(|it| format!("space {it}")))
            .chain(self.home.iter().map(|it| format!("home {it}")))
            .chain(opened.map(|it| format!("emergency-space {it}")))
            .chain(self.other.iter().cloned());
        lines.map(|line| line + "\n").collect()
    }
}

fn open_key(
    file: &Path,
    text: &str,
    passphrase: &PassphraseSource,
    of: Sealed,
) -> Result<DeviceKeys, CliError> {
    let opened = match keys::parse(file, text, None) {
        Err(KeyFileError::PassphraseMissing { .. }) => {
            let passphrase = passphrase.known(of)?;
            keys::parse(file, text, Some(&passphrase))
        }
        opened => opened,
    };
    opened.map_err(|error| match error {
        KeyFileError::PassphraseWrong { .. } => CliError::PassphraseWrong { of },
        // Whoever names another file is not helped by a word about its owner.
        _ if !begins_as_kit(file) => unusable(file, "it is no kit".to_owned()),
        other => unusable(file, with_causes(&other)),
    })
}

/// Lines without the last, which is a checksum of all before.
fn checked<'a>(file: &Path, text: &'a str) -> Result<Vec<&'a str>, CliError> {
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let last = lines.iter().rposition(|line| !line.is_empty());
    let sum = last.and_then(|at| lines.get(at)?.strip_prefix(CHECK_WORD));
    let (Some(last), Some(sum)) = (last, sum) else {
        return Err(unusable(
            file,
            "it is no kit, or its end is missing".to_owned(),
        ));
    };
    lines.truncate(last);
    if sum.trim() != checksum(&lines) {
        let reason = "it is damaged: its checksum is another one".to_owned();
        return Err(unusable(file, reason));
    }
    Ok(lines)
}

/// Reads lines that only their owner can read, and whose checksum is right.
pub(super) fn read_checked(file: &Path) -> Result<Vec<String>, CliError> {
    let text = read(file)?;
    let lines = checked(file, &text)?;
    Ok(lines.into_iter().map(str::to_owned).collect())
}

/// Writes lines and their checksum into a new file that only its owner can read.
pub(super) fn write_checked(file: &Path, lines: &[String]) -> Result<(), CliError> {
    write(file, lines.join("\n") + "\n", |new| {
        let kept = new.persist_noclobber(file);
        kept.map(drop).map_err(|error| error.error)
    })
}

fn write(
    file: &Path,
    mut text: String,
    keep: impl FnOnce(tempfile::NamedTempFile) -> io::Result<()>,
) -> Result<(), CliError> {
    let sum = checksum(&text.lines().collect::<Vec<_>>());
    text.extend([CHECK_WORD, &sum, "\n"]);
    let text = Zeroizing::new(text);
    let folder = folder_of(file);
    let write = || -> io::Result<()> {
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(text.as_bytes())?;
        new.as_file().sync_all()?;
        keep(new)?;
        std::fs::File::open(folder)?.sync_all()
    };
    write().map_err(|source| CliError::File {
        action: "write",
        path: file.to_owned(),
        source,
    })
}

/// Of lines without what ends them, which mail and editors change.
fn checksum(lines: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for line in lines {
        hasher.update(line.as_bytes());
        hasher.update(b"\n");
    }
    let mut hex = hasher.finalize().to_hex().to_string();
    hex.truncate(CHECK_LEN_CHARS);
    hex
}

pub(super) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A kit that cannot be used, and why.
pub(super) fn unusable(file: &Path, reason: String) -> CliError {
    CliError::Kit {
        file: file.to_owned(),
        reason,
    }
}

fn read(file: &Path) -> Result<String, CliError> {
    let read = keys::read_text(file, KIT_LEN_BYTES_MAX);
    read.map(|text| text.to_string())
        .map_err(|error| match error {
            KeyFileError::Io { source, .. } => CliError::File {
                action: "read",
                path: file.to_owned(),
                source,
            },
            other => unusable(file, with_causes(&other)),
        })
}

fn begins_as_kit(file: &Path) -> bool {
    let mut begin = [0; b"aramaki ".len()];
    let read = std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut begin));
    read.is_ok() && begin == *b"aramaki "
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_kit_is_brought_up_to_date_where_a_link_leads() {
        let folder = tempfile::tempdir().unwrap();
        let (stick, link) = (folder.path().join("stick"), folder.path().join("kit"));
        std::fs::create_dir(&stick).unwrap();
        let target = stick.join("kit");
        let anchor = keys::create(&target, None).unwrap();
        let mut kit = KitText::written(&target, anchor.author(), None).unwrap();
        kit.replace(&target).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        kit.spaces = vec![SpaceId::from_bytes([7; 32])];
        kit.replace(&link).unwrap();
        assert!(link.is_symlink());
        assert_eq!(KitText::read(&target).unwrap().spaces, kit.spaces);
    }

    #[test]
    fn an_envelope_opens_an_emergency_and_recovers_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let anchor = keys::create(&at("kit"), None).unwrap();
        let passphrase = keys::Passphrase::new("twelve letters".to_owned());
        let kit = KitText {
            emergency: Some(EmergencyKey::draw(&passphrase).unwrap()),
            emergency_spaces: vec![SpaceId::from_bytes([8; 32])],
            ..KitText::written(&at("kit"), anchor.author(), None).unwrap()
        };
        let envelope = kit.envelope().unwrap();
        envelope.write_new(&at("envelope")).unwrap();
        assert!(envelope.write_new(&at("envelope")).is_err(), "it is there");
        std::fs::write(at("passphrase"), "twelve letters").unwrap();
        let source = PassphraseSource::File(at("passphrase"));
        let read = KitText::read(&at("envelope")).unwrap();
        let opened = read.open_emergency(&at("envelope"), &source).unwrap();
        let expected = kit.emergency.as_ref().unwrap().public.author;
        assert_eq!(opened.author(), expected);
        assert_eq!(read.emergency_spaces, kit.emergency_spaces);
        let text = std::fs::read_to_string(at("envelope")).unwrap();
        assert!(!text.contains(&anchor.author().to_string()));
        let error = read.open(&at("envelope"), &source).unwrap_err();
        assert!(error.message().contains("aramaki emergency"));
        // A kit of before has none.
        let old = KitText::of(anchor.author());
        let error = old.open_emergency(&at("kit"), &source).unwrap_err();
        assert!(error.message().contains("--new-emergency-key"));
    }

    #[test]
    fn what_a_kit_names_reads_back_and_damage_is_told_from_a_wrong_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kit");
        let keys = keys::create(&file, None).unwrap();
        let relay = format!("{}@127.0.0.1:7410", keys.author());
        let passphrase = keys::Passphrase::new("twelve letters".to_owned());
        let kit = KitText {
            relays: vec![relay.parse().unwrap()],
            spaces: vec![SpaceId::from_bytes([7; 32])],
            home: Some(SpaceId::from_bytes([7; 32])),
            emergency: Some(EmergencyKey::draw(&passphrase).unwrap()),
            emergency_spaces: vec![SpaceId::from_bytes([8; 32])],
            other: vec!["tomorrow something new".to_owned()],
            ..KitText::written(&file, keys.author(), None).unwrap()
        };
        kit.replace(&file).unwrap();
        let read = KitText::read(&file).unwrap();
        assert_eq!(read.emergency, kit.emergency);
        assert_eq!(read.emergency_spaces, kit.emergency_spaces);
        assert_eq!(read.other, kit.other, "a newer program's words stay");
        assert_eq!((&read.relays, &read.spaces), (&kit.relays, &kit.spaces));
        assert_eq!(read.home, kit.home);
        let opened = read.open(&file, &PassphraseSource::Terminal).unwrap();
        assert_eq!(opened.author(), keys.author());

        let text = std::fs::read_to_string(&file).unwrap();
        let mailed = text.replace('\n', "\r\n") + "\r\n";
        assert!(KitText::parse(&file, &mailed).is_ok());
        let reason = |text: &str| KitText::parse(&file, text).unwrap_err().message();
        // All but the last line's end.
        for at in 0..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let damaged = String::from_utf8(bytes).unwrap();
            let said = reason(&damaged);
            assert!(
                said.contains("damaged") || said.contains("end is missing"),
                "{said}"
            );
            let cut = reason(&text[..at]);
            assert!(
                cut.contains("end is missing") || cut.contains("damaged"),
                "{cut}"
            );
        }
        let lines = [kit.key.as_str(), "space here"].join("\n");
        let lines: Vec<&str> = lines.lines().collect();
        let error = KitText::parse_lines(&file, &lines).unwrap_err();
        assert!(error.message().contains("line 3"), "{}", error.message());
    }
}
