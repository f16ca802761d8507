//! Looking after a workspace: verify, back up, restore, let what was written settle.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use aramaki_sync::replica::{PeerStatus, Replica};
use aramaki_sync_core::{DocumentId, SpaceId};
use serde::{Deserialize, Serialize};

use super::live::Live;
use super::profile::{self, Profile, store_error};
use crate::cli::{CliError, PassphraseSource, block_on};

const MAGIC: &str = "aramaki backup v1\n";
const HEAD_LEN_BYTES_MAX: u64 = 64 * 1024;
/// How long a verb waits for what it wrote to reach a relay.
const SETTLE_TIME: Duration = Duration::from_secs(3);
/// What follows from what was written comes so soon after it: an invitation's grant brings the epoch
/// key for it, without which its code opens nothing.
const FOLLOW_TIME: Duration = Duration::from_millis(200);
/// After this long without any connection it is offline.
const CONNECT_TIME: Duration = Duration::from_millis(500);
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// What `verify` found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    /// Spaces seen.
    pub(crate) spaces: u64,
    /// Envelopes read.
    pub(crate) envelopes: u64,
    /// What is wrong.
    pub(crate) faults: Vec<String>,
}

/// The first part of a backup; the store follows it.
#[derive(Serialize, Deserialize)]
struct Head {
    profile: Profile,
    /// The key file as it is: a sealed one stays sealed.
    key: String,
}

impl Live {
    /// Checks every signature, chain and hash in the store.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn verify(&self) -> Result<Verified, CliError> {
        let report = self
            .replica()
            .verify()
            .await
            .map_err(|error| store_error(&self.shared.data, &error))?;
        let mut faults: Vec<_> = report
            .findings
            .iter()
            .map(|finding| format!("row {}: {}", finding.arrival, finding.what))
            .collect();
        let listed = u64::try_from(faults.len()).unwrap_or(u64::MAX);
        if report.wrong > listed {
            faults.push(format!("and {} more", report.wrong - listed));
        }
        Ok(Verified {
            spaces: report.spaces,
            envelopes: report.envelopes,
            faults,
        })
    }

    /// Writes a copy of everything to a new file and says how long it is.
    ///
    /// # Errors
    /// When the file exists, or a disk refuses.
    pub(crate) async fn backup(&self, file: &Path) -> Result<u64, CliError> {
        self.flush().await;
        let failed = |source| CliError::File {
            action: "write",
            path: file.to_owned(),
            source,
        };
        let folder = file.parent().unwrap_or_else(|| Path::new("/"));
        let store = tempfile::Builder::new()
            .prefix(".aramaki-backup-")
            .tempdir_in(folder)
            .map_err(failed)?;
        let copy = store.path().join("store");
        self.replica()
            .backup(&copy)
            .await
            .map_err(|error| store_error(&self.shared.data, &error))?;
        let key = profile::key_file(&self.shared.data);
        let head = Head {
            profile: self.profile().clone(),
            key: fs::read_to_string(&key).map_err(|source| CliError::File {
                action: "read",
                path: key,
                source,
            })?,
        };
        write(file, &head, &copy).map_err(failed)
    }

    /// How far this device's own chain goes in each Space.
    pub(crate) async fn positions(&self) -> BTreeMap<SpaceId, u64> {
        let spaces = self.spaces().await.into_iter();
        spaces
            .filter_map(|space| Some((space.id, space.receipts.own?.1)))
            .collect()
    }

    /// Gives relays a moment to confirm what was written since `before`, so that a verb's work is
    /// not alone on this disk when the verb ends. Without a relay there is nothing to wait for, and
    /// offline nobody.
    pub(crate) async fn settle(&self, before: &BTreeMap<SpaceId, u64>) {
        self.flush().await;
        let mut events = self.replica().subscribe();
        let begun = Instant::now();
        let wait = async {
            let (mut written, mut news) = (BTreeMap::new(), Instant::now());
            loop {
                let mut spaces = self.spaces().await;
                spaces.retain(|space| {
                    let own = space.receipts.own.map(|(_chain, seq)| seq);
                    !space.relays.is_empty() && own > before.get(&space.id).copied()
                });
                let now: BTreeMap<_, _> = spaces
                    .iter()
                    .map(|space| (space.id, space.receipts.own))
                    .collect();
                if now != written {
                    (written, news) = (now, Instant::now());
                }
                let waiting = !spaces.is_empty() && news.elapsed() < FOLLOW_TIME
                    || spaces
                        .iter()
                        .any(|space| space.receipts.on_relays().is_empty());
                let offline = begun.elapsed() > CONNECT_TIME
                    && !self.replica().peers().iter().any(PeerStatus::is_connected);
                if !waiting || offline {
                    return;
                }
                // An event, or another look a moment later.
                drop(tokio::time::timeout(LOOK_PAUSE, events.recv()).await);
            }
        };
        if tokio::time::timeout(SETTLE_TIME, wait).await.is_err() {
            tracing::info!("no relay confirmed in time; the app sends it later");
        }
    }
}

/// What a replica holds, as the demo compares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Over all Spaces: their ids and digests.
    pub(crate) digest: String,
    /// How many Spaces.
    pub(crate) spaces: usize,
    /// Envelopes in them.
    pub(crate) envelopes: u64,
    /// Those that others wrote.
    pub(crate) envelopes_received: u64,
    /// Their bytes.
    pub(crate) bytes_received: u64,
}

impl Live {
    /// Counts what is here.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn held(&self) -> Result<Held, CliError> {
        let mut spaces = self.spaces().await;
        spaces.sort_by_key(|space| space.id);
        let mut digest = Vec::new();
        for space in &spaces {
            digest.extend(space.id.as_bytes());
            digest.extend(space.digest);
        }
        let mut held = Held {
            digest: fingerprint(&digest),
            spaces: spaces.len(),
            envelopes: spaces.iter().map(|space| space.envelopes).sum(),
            ..Held::default()
        };
        let (reader, writer) = io::pipe().map_err(|source| CliError::File {
            action: "read",
            path: self.shared.data.clone(),
            source,
        })?;
        let own = self.profile().device.to_string();
        let count = tokio::task::spawn_blocking(move || received(reader, &own));
        self.replica()
            .export(writer)
            .await
            .map_err(|error| store_error(&self.shared.data, &error))?;
        (held.envelopes_received, held.bytes_received) = count
            .await
            .map_err(|error| CliError::Bug(error.to_string()))?;
        Ok(held)
    }
}

/// Short enough to compare by eye, long enough that equal ones mean equal sets.
fn fingerprint(bytes: &[u8]) -> String {
    DocumentId::named(&data_encoding::HEXLOWER.encode(bytes)).to_string()
}

/// Envelopes of others and their bytes, from exported lines.
fn received(lines: impl io::Read, own: &str) -> (u64, u64) {
    #[derive(Deserialize)]
    struct Line {
        #[serde(default)]
        author: String,
        header: String,
        signature: String,
        body: Option<String>,
    }
    let decoded = |text: &str| {
        data_encoding::BASE64
            .decode(text.as_bytes())
            .map_or(0, |b| b.len())
    };
    let (mut envelopes, mut bytes) = (0, 0);
    for line in io::BufReader::new(lines).lines().map_while(Result::ok) {
        let Ok(line) = serde_json::from_str::<Line>(&line) else {
            continue;
        };
        if line.author != own {
            let body = line.body.as_deref().map_or(0, decoded);
            let length = decoded(&line.header) + decoded(&line.signature) + body;
            envelopes += 1;
            bytes += u64::try_from(length).unwrap_or(0);
        }
    }
    (envelopes, bytes)
}

/// Writes a backup: readable by its owner alone, whole or not at all.
fn write(file: &Path, head: &Head, store: &Path) -> io::Result<u64> {
    if file.exists() {
        return Err(io::Error::from(io::ErrorKind::AlreadyExists));
    }
    let folder = file.parent().unwrap_or_else(|| Path::new("/"));
    let mut out = tempfile::NamedTempFile::new_in(folder)?;
    let head = serde_json::to_vec(head)?;
    out.write_all(MAGIC.as_bytes())?;
    out.write_all(&u32::try_from(head.len()).unwrap_or(u32::MAX).to_be_bytes())?;
    out.write_all(&head)?;
    io::copy(&mut fs::File::open(store)?, &mut out)?;
    out.as_file().sync_all()?;
    let length = out.as_file().metadata()?.len();
    out.persist_noclobber(file).map_err(|error| error.error)?;
    Ok(length)
}

/// Makes a workspace from a backup in a folder that has none.
///
/// # Errors
/// When there is a workspace already, the file is none of ours, or a disk refuses. Then the folder
/// is as it was.
pub(crate) fn restore(
    file: &Path,
    data: &Path,
    passphrase: &PassphraseSource,
) -> Result<Profile, CliError> {
    profile::refuse_existing(data)?;
    let failed = |source| CliError::File {
        action: "read",
        path: file.to_owned(),
        source,
    };
    let mut input = fs::File::open(file).map_err(failed)?;
    let head = read_head(&mut input).map_err(failed)?;
    profile::private_folder(data)?;
    let made = unpack(&mut input, &head, data, passphrase);
    if made.is_err() {
        // Nothing was there before: nothing may stay.
        for path in [profile::key_file(data), profile::store(data)] {
            drop(fs::remove_file(&path).or_else(|_is_folder| fs::remove_dir_all(&path)));
        }
    }
    made?;
    head.profile.save(data)?;
    Ok(head.profile)
}

fn read_head(input: &mut fs::File) -> io::Result<Head> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "not a backup of this program");
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic).map_err(|_short| malformed())?;
    let mut length = [0; 4];
    input
        .read_exact(&mut length)
        .map_err(|_short| malformed())?;
    let length = u64::from(u32::from_be_bytes(length));
    if magic != MAGIC.as_bytes() || length > HEAD_LEN_BYTES_MAX {
        return Err(malformed());
    }
    let mut head = Vec::new();
    input.take(length).read_to_end(&mut head)?;
    serde_json::from_slice(&head).map_err(|_cause| malformed())
}

fn unpack(
    input: &mut fs::File,
    head: &Head,
    data: &Path,
    passphrase: &PassphraseSource,
) -> Result<(), CliError> {
    let failed = |source| CliError::File {
        action: "write",
        path: data.to_owned(),
        source,
    };
    let mut key = tempfile::NamedTempFile::new_in(data).map_err(failed)?;
    key.write_all(head.key.as_bytes()).map_err(failed)?;
    key.as_file().sync_all().map_err(failed)?;
    key.persist_noclobber(profile::key_file(data))
        .map_err(|error| failed(error.error))?;
    let mut file = tempfile::NamedTempFile::new_in(data).map_err(failed)?;
    io::copy(input, &mut file).map_err(failed)?;
    file.flush().map_err(failed)?;
    let keys = profile::device_keys(data, passphrase)?;
    let (copy, store) = (file.path().to_owned(), profile::store(data));
    let restored = block_on(async move { Replica::restore(&copy, &store, &keys).await })?;
    restored.map_err(|error| store_error(data, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_backup_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (file, data) = (folder.path().join("file"), folder.path().join("data"));
        for bytes in [
            &b""[..],
            b"something else entirely",
            b"aramaki backup v1\n\xff\xff\xff\xff",
        ] {
            fs::write(&file, bytes).unwrap();
            assert!(matches!(
                restore(&file, &data, &PassphraseSource::Terminal),
                Err(CliError::File { .. })
            ));
            assert!(!data.exists());
        }
    }
}
