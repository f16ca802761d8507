//! The recovery kit in several hands: shares of its key, of which some together make it again (Shamir).
//!
//! Each is a file for one person or device. Fewer than are needed say nothing of the key, so none is
//! sealed by a passphrase; each names whose kit it is, its relays and Spaces.

use std::path::{Path, PathBuf};

use aramaki_sync::transport::PeerAddress;
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::{AuthorId, SpaceId};
use blahaj::{Share, Sharks};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::kit::{self, KitText};
use crate::cli::CliError;

/// The first line of a share.
const HEAD: &str = "aramaki-kit-share 1";
const SEED_LEN_BYTES: usize = 32;
/// More hands than these keep no secret.
pub(crate) const SHARES_MAX: u8 = 32;

/// What one share's file says.
struct ShareText {
    /// How many are needed.
    needed: u8,
    /// The point's place, and its value for each byte of the key.
    point: Zeroizing<Vec<u8>>,
    anchor: AuthorId,
    relays: Vec<PeerAddress>,
    spaces: Vec<SpaceId>,
    home: Option<SpaceId>,
}

/// Splits a kit's key and writes a file for each hand; returns where.
///
/// # Errors
/// When a file exists, or the disk refuses; then those that were written are removed again.
pub(crate) fn split(
    kit: &KitText,
    keys: &DeviceKeys,
    folder: &Path,
    (needed, count): (u8, u8),
) -> Result<Vec<PathBuf>, CliError> {
    let seed = Zeroizing::new(*keys.expose_seed());
    let points: Vec<Share> = Sharks(needed)
        .dealer(seed.as_slice())
        .take(usize::from(count))
        .collect();
    let mut written = Vec::new();
    for (number, point) in (1..).zip(&points) {
        let point = Zeroizing::new(Vec::from(point));
        let mut lines = vec![
            HEAD.to_owned(),
            format!("needed {needed}"),
            format!("share {}", HEXLOWER.encode(&point)),
            format!("anchor {}", keys.author()),
        ];
        lines.extend(kit.relays.iter().map(|it| format!("relay {it}")));
        lines.extend(kit.spaces.iter().map(|it| format!("space {it}")));
        lines.extend(kit.home.iter().map(|it| format!("home {it}")));
        let path = folder.join(format!("share-{number}.aramaki"));
        if let Err(error) = kit::write_checked(&path, &lines) {
            for path in written {
                drop(std::fs::remove_file(path));
            }
            return Err(error);
        }
        written.push(path);
    }
    Ok(written)
}

/// Makes the kit's key again from the shares of enough hands.
///
/// # Errors
/// When a file is no share, is damaged or of another kit, or there are too few.
pub(crate) fn join(files: &[PathBuf]) -> Result<(KitText, DeviceKeys), CliError> {
    let mut shares: Vec<ShareText> = Vec::new();
    for file in files {
        let share = ShareText::read(file)?;
        if let Some(first) = shares.first()
            && (first.anchor, first.needed) != (share.anchor, share.needed)
        {
            let reason = "it is a share of another kit, or of another splitting".to_owned();
            return Err(kit::unusable(file, reason));
        }
        // The same share twice is one hand.
        if !shares.iter().any(|known| known.point == share.point) {
            shares.push(share);
        }
    }
    let (Some(first), Some(file)) = (shares.first(), files.first()) else {
        return Err(CliError::Usage("a share is expected".to_owned()));
    };
    let have = shares.len();
    if have < usize::from(first.needed) {
        let needed = first.needed;
        let reason = format!("{needed} different shares are needed, these are {have}");
        return Err(kit::unusable(file, reason));
    }
    let wrong = || kit::unusable(file, "these shares do not fit together".to_owned());
    let points: Vec<Share> = shares
        .iter()
        .map(|share| Share::try_from(share.point.as_slice()))
        .collect::<Result<_, _>>()
        .map_err(|_malformed| wrong())?;
    let sharks = Sharks(first.needed);
    let seed = sharks.recover(&points);
    let seed = Zeroizing::new(seed.map_err(|_too_few| wrong())?);
    let seed: [u8; SEED_LEN_BYTES] = seed.as_slice().try_into().map_err(|_length| wrong())?;
    let keys = DeviceKeys::from_seed(seed);
    if keys.author() != first.anchor {
        return Err(wrong());
    }
    let mut kit = KitText::of(first.anchor);
    for share in shares {
        let new = |it: &PeerAddress| !kit.relays.contains(it);
        let relays: Vec<_> = share.relays.into_iter().filter(new).collect();
        kit.relays.extend(relays);
        let new = |it: &SpaceId| !kit.spaces.contains(it);
        let spaces: Vec<_> = share.spaces.into_iter().filter(new).collect();
        kit.spaces.extend(spaces);
        kit.home = kit.home.or(share.home);
    }
    Ok((kit, keys))
}

impl ShareText {
    fn read(file: &Path) -> Result<Self, CliError> {
        let lines = kit::read_checked(file)?;
        let wrong = |reason: String| kit::unusable(file, reason);
        if lines.first().is_none_or(|line| line != HEAD) {
            return Err(wrong("it is no share of a recovery kit".to_owned()));
        }
        let (mut needed, mut point, mut anchor) = (None, None, None);
        let (mut relays, mut spaces, mut home) = (Vec::new(), Vec::new(), None);
        for (at, line) in lines.iter().enumerate().skip(1) {
            let (word, value) = line.split_once(' ').unwrap_or((line, ""));
            let taken = match word {
                "needed" => value.parse().map(|it| needed = Some(it)).is_ok(),
                "share" => HEXLOWER
                    .decode(value.as_bytes())
                    .map(|it| point = Some(Zeroizing::new(it)))
                    .is_ok(),
                "anchor" => value.parse().map(|it| anchor = Some(it)).is_ok(),
                "relay" => value.parse().map(|it| relays.push(it)).is_ok(),
                "space" => value.parse().map(|it| spaces.push(it)).is_ok(),
                "home" => value.parse().map(|it| home = Some(it)).is_ok(),
                // A newer program may say more.
                _ => true,
            };
            if !taken {
                return Err(wrong(format!("its line {} cannot be read", at + 1)));
            }
        }
        match (needed, point, anchor) {
            (Some(needed), Some(point), Some(anchor)) if point.len() == SEED_LEN_BYTES + 1 => {
                Ok(Self {
                    needed,
                    point,
                    anchor,
                    relays,
                    spaces,
                    home,
                })
            }
            _ => Err(wrong("it is incomplete".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(folder: &Path, seed: u8) -> (DeviceKeys, Vec<PathBuf>) {
        std::fs::create_dir_all(folder).unwrap();
        let keys = DeviceKeys::from_seed([seed; 32]);
        let mut kit = KitText::of(keys.author());
        kit.spaces.push(SpaceId::from_bytes([7; 32]));
        kit.home = Some(SpaceId::from_bytes([7; 32]));
        let files = split(&kit, &keys, folder, (2, 3)).unwrap();
        (keys, files)
    }

    fn reason(files: &[PathBuf]) -> String {
        join(files).map(drop).unwrap_err().message()
    }

    #[test]
    fn enough_shares_make_the_kit_again_and_fewer_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, files) = shares(folder.path(), 5);
        for pair in [[0, 1], [0, 2], [2, 1]] {
            let pair = pair.map(|at: usize| files[at].clone());
            let (kit, joined) = join(&pair).unwrap();
            assert_eq!(joined.author(), keys.author());
            assert_eq!(joined.expose_seed(), keys.expose_seed());
            assert_eq!(kit.spaces, [SpaceId::from_bytes([7; 32])]);
            assert_eq!(kit.home, Some(SpaceId::from_bytes([7; 32])));
        }
        assert!(reason(&files[..1]).contains("2 different shares are needed, these are 1"));
        let twice = [files[0].clone(), files[0].clone()];
        assert!(reason(&twice).contains("these are 1"));
    }

    #[test]
    fn damaged_and_foreign_shares_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let (_keys, files) = shares(folder.path(), 5);
        let (_keys, others) = shares(&folder.path().join("other"), 6);
        let mixed = [files[0].clone(), others[1].clone()];
        assert!(reason(&mixed).contains("another kit"));
        let text = std::fs::read_to_string(&files[1]).unwrap();
        std::fs::write(&files[1], text.replacen("share ", "share 0", 1)).unwrap();
        assert!(reason(&files[..2]).contains("damaged"));
        std::fs::write(&files[1], "hello\n").unwrap();
        assert!(reason(&files[..2]).contains("no kit"));
    }

    #[cfg(unix)]
    #[test]
    fn a_share_is_its_owners_and_overwrites_nothing() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (keys, files) = shares(folder.path(), 5);
        let mode = std::fs::metadata(&files[0]).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let kit = KitText::of(keys.author());
        assert!(split(&kit, &keys, folder.path(), (2, 3)).is_err());
        assert_eq!(files.iter().filter(|file| file.exists()).count(), 3);
    }
}
