//! Systems in files: an invitation with all that a guest needs, and news in both directions.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_sync::replica::{Carried, Contents, InviteRequest, ReplicaError};
use aramaki_sync_core::SpaceId;
use aramaki_sync_core::bundle::{
    BUNDLE_LEN_BYTES_MAX, Bundle, BundleError, SPACES_MAX, Verified, check_invited,
};
use aramaki_sync_core::invitation::{AGENT_PREFIX, DEVICE_PREFIX, Invitation, Invitee, PREFIX};
use directories::UserDirs;
use zeroize::Zeroizing;

use super::fresh;
use super::joined::{Joined, Joining};
use super::live::Live;
use super::profile::with_causes;
use super::trust::{Invited, ShareRequest};
use crate::cli::CliError;

/// How long the key that belongs to a new invitation may take.
const SEAL_TIME: Duration = Duration::from_secs(10);

/// What was written into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CarriedFile {
    /// How long it is.
    pub(crate) bytes: usize,
    /// The System and its agents.
    pub(crate) spaces: usize,
    /// In all of them.
    pub(crate) envelopes: usize,
    /// Envelopes without their body, because not everything fitted.
    pub(crate) bare: usize,
}

/// What came out of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TakenFile {
    /// The System, and what people call it.
    pub(crate) systems: Vec<(SpaceId, String)>,
    /// What came of their envelopes, and of their agents'.
    pub(crate) carried: Carried,
    /// Spaces in it that are none of this workspace's.
    pub(crate) left_alone: usize,
}

/// What this device joined by a file.
#[derive(Clone, Debug)]
pub(crate) struct JoinedByFile {
    /// Which Space.
    pub(crate) space: SpaceId,
    /// What came with it, if it can be read already.
    pub(crate) joined: Option<Joined>,
    /// What came of the envelopes.
    pub(crate) carried: Carried,
}

/// Where a bundle came from, for what is said of it.
#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    File(&'a Path),
    Text,
}

/// Whether a word that stands for an invitation names a file. One that looks like neither a path nor a
/// code is taken for a mistyped code.
pub(crate) fn names_file(word: &str) -> bool {
    let begins = |prefix: &str| {
        let begin = word.get(..prefix.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
    };
    let codes = [PREFIX, AGENT_PREFIX, DEVICE_PREFIX];
    let is_code = word == "-" || codes.into_iter().any(begins) || Bundle::is_text(word);
    !is_code && (word.contains(['/', '\\', '.']) || Path::new(word).exists())
}

/// A path as it is typed in the window: `~` and what is relative are below the user's home.
pub(super) fn typed_path(word: &str) -> PathBuf {
    let home = UserDirs::new().map(|dirs| dirs.home_dir().to_owned());
    let word = Path::new(word);
    let below = word.strip_prefix("~").unwrap_or(word);
    home.map_or_else(|| word.to_owned(), |home| home.join(below))
}

impl Source<'_> {
    fn unusable(self, reason: String) -> CliError {
        match self {
            Self::File(file) => CliError::Bundle {
                file: file.to_owned(),
                reason,
            },
            Self::Text => CliError::Invitation {
                reason,
                hint: "copy the whole code again, or ask for a new one",
            },
        }
    }
}

impl Live {
    /// Makes an invitation and puts it, and all that its guest needs, into a new file.
    ///
    /// # Errors
    /// When this device may not, the System is too large for a file, the file exists or a disk refuses.
    pub(crate) async fn share_file(
        &self,
        space: SpaceId,
        request: &ShareRequest,
        file: &Path,
    ) -> Result<(Invited, CarriedFile), CliError> {
        refuse_existing_file(file)?;
        let (invited, invitation) = self.share_offline(space, request).await?;
        let bundle = self
            .bundle(file, space, Some(invitation), Contents::All)
            .await?;
        Ok((invited, write(file, &bundle)?))
    }

    /// Makes an invitation that carries its grants, as a text that a QR code holds.
    ///
    /// # Errors
    /// When this device may not, the grants are too long for a code, or the store refuses.
    pub(crate) async fn share_inline(
        &self,
        space: SpaceId,
        request: &ShareRequest,
    ) -> Result<(Invited, Zeroizing<String>), CliError> {
        // Asked before an invitation is made that could not be handed over.
        self.inline(space, None).await?;
        let (invited, invitation) = self.share_offline(space, request).await?;
        let text = self.inline(space, Some(invitation)).await?;
        Ok((invited, text))
    }

    async fn inline(
        &self,
        space: SpaceId,
        invitation: Option<Invitation>,
    ) -> Result<Zeroizing<String>, CliError> {
        let bundle = self
            .replica()
            .bundle(vec![space], invitation, Contents::TrustAlone)
            .await;
        let text = bundle.map_err(|error| match error {
            ReplicaError::Bundle(error) => error,
            error => {
                tracing::warn!(%error, "an invitation was not put into a code");
                BundleError::TooLong
            }
        });
        text.and_then(|bundle| bundle.to_text())
            .map_err(|_too_long| CliError::Refused {
                what: "the code",
                reason: "what was granted and written in this System so far is too long for one: `aramaki share SYSTEM --file FILE` makes a file, which holds all of it"
                    .to_owned(),
            })
    }

    /// An invitation that can be used as long as its access lasts, because its use may have to travel.
    async fn share_offline(
        &self,
        space: SpaceId,
        request: &ShareRequest,
    ) -> Result<(Invited, Invitation), CliError> {
        let lasting = InviteRequest::lasting(request.capability, request.span);
        let invite = InviteRequest {
            redemptions: request.redemptions,
            redeem_until: lasting.end,
            // Nobody else can give it; what they write comes in time or waits.
            long_grace: self.administers_in(space).await,
            ..lasting
        };
        self.check_may_give(space, request.capability, invite.end)
            .await?;
        self.check_may_invite(space).await?;
        let (invited, invitation) = self.invite_with_keys(space, invite).await?;
        self.say_of(&invited, request).await;
        let sealed = self.replica().sealed_to(space, invited.author);
        match tokio::time::timeout(SEAL_TIME, sealed).await {
            Ok(Ok(())) => Ok((invited, invitation)),
            _late => Err(CliError::Write {
                reason: "the key for the invitation was not stored in time".to_owned(),
            }),
        }
    }

    /// Writes what is here of a System, and of its agents, into a new file.
    ///
    /// # Errors
    /// When it is too large for a file, the file exists or a disk refuses.
    pub(crate) async fn carry(&self, space: SpaceId, file: &Path) -> Result<CarriedFile, CliError> {
        refuse_existing_file(file)?;
        self.flush().await;
        let bundle = self.bundle(file, space, None, Contents::All).await?;
        write(file, &bundle)
    }

    async fn bundle(
        &self,
        file: &Path,
        space: SpaceId,
        invitation: Option<Invitation>,
        contents: Contents,
    ) -> Result<Bundle, CliError> {
        let mut spaces = vec![space];
        let here = self.spaces().await;
        let agents = self.agents_of(space).into_iter();
        let agents =
            agents.filter(|agent| here.iter().any(|it| it.id == *agent && it.envelopes > 0));
        spaces.extend(agents.take(SPACES_MAX - 1));
        let bundle = self.replica().bundle(spaces, invitation, contents).await;
        bundle.map_err(|error| match error {
            ReplicaError::Bundle(BundleError::TooLong) => CliError::Bundle {
                file: file.to_owned(),
                reason: "this System is too large for a file".to_owned(),
            },
            error => CliError::Refused {
                what: "the file",
                reason: with_causes(&error),
            },
        })
    }

    /// Takes what a file holds of Systems that are here.
    ///
    /// # Errors
    /// When it is no bundle, damaged, of nothing that is here, or the store refuses. A file that is
    /// refused changes nothing.
    pub(crate) async fn take_file(&self, file: &Path) -> Result<TakenFile, CliError> {
        self.take_bundle(Source::File(file), read(file)?).await
    }

    async fn take_bundle(&self, source: Source<'_>, bundle: Bundle) -> Result<TakenFile, CliError> {
        let invites = bundle.invitation.is_some();
        let sections = verify(source, bundle).await?;
        let spaces = self.spaces().await;
        let is_here = |space: SpaceId| spaces.iter().any(|it| it.id == space);
        if !sections.iter().any(|section| is_here(section.space)) {
            return Err(source.unusable(if invites {
                "it invites to a System that is not here: run `aramaki join FILE`".to_owned()
            } else {
                "it holds nothing of the Systems that are here".to_owned()
            }));
        }
        self.take_sections(source, sections).await
    }

    /// Takes an invitation that brings its grants, and what comes with it.
    ///
    /// # Errors
    /// As [`Live::take_file`], and when the invitation is missing, has ended or is for something else.
    pub(crate) async fn join_file(&self, file: &Path) -> Result<JoinedByFile, CliError> {
        self.join_bundle(Source::File(file), read(file)?).await
    }

    /// The same from a text, as a QR code shows it.
    ///
    /// # Errors
    /// As [`Live::join_file`].
    pub(crate) async fn join_text(&self, text: &str) -> Result<JoinedByFile, CliError> {
        self.join_bundle(Source::Text, read_text(text)?).await
    }

    async fn join_bundle(
        &self,
        source: Source<'_>,
        bundle: Bundle,
    ) -> Result<JoinedByFile, CliError> {
        let invitation = checked(source, &bundle)?;
        let sections = verify(source, bundle).await?;
        check_invited(&invitation, &sections, fresh::now())
            .map_err(|error| source.unusable(error.to_string()))?;
        let joining = self.take_invitation(&invitation).await?;
        let Joining { space, .. } = joining;
        let taken = self.take_sections(source, sections).await?;
        let joined = self.joined_offline(joining).await;
        Ok(JoinedByFile {
            space,
            joined,
            carried: taken.carried,
        })
    }

    /// Takes what was typed or pasted in the window: a code, a text that carries its grants, or a file,
    /// with an invitation or with news of what is here.
    ///
    /// # Errors
    /// As [`Live::join`] and [`Live::join_file`].
    pub(super) async fn join_by(&self, word: &str) -> Result<(), CliError> {
        let word = word.trim();
        if names_file(word) {
            let path = typed_path(word);
            let bundle = read(&path)?;
            if bundle.invitation.is_some() {
                self.join_bundle(Source::File(&path), bundle).await?;
            } else {
                self.take_bundle(Source::File(&path), bundle).await?;
            }
        } else if Bundle::is_text(word) {
            self.join_text(word).await?;
        } else {
            self.join(word).await?;
        }
        Ok(())
    }

    /// Systems before agents: a System says which agents' Spaces are held here.
    async fn take_sections(
        &self,
        source: Source<'_>,
        sections: Vec<Verified>,
    ) -> Result<TakenFile, CliError> {
        let mut taken = TakenFile::default();
        let held: Vec<_> = self.spaces().await.into_iter().map(|it| it.id).collect();
        let (first, second): (Vec<_>, Vec<_>) = sections
            .into_iter()
            .partition(|section| held.contains(&section.space));
        for section in first {
            self.take_section(section, &mut taken).await?;
        }
        for section in second {
            if self.is_agent_here(section.space).await {
                self.take_section(section, &mut taken).await?;
            } else {
                taken.left_alone += 1;
            }
        }
        tracing::info!(?source, new = taken.carried.new, "a bundle was taken");
        Ok(taken)
    }

    async fn take_section(&self, section: Verified, taken: &mut TakenFile) -> Result<(), CliError> {
        let space = section.space;
        let carried = self.replica().take(section).await;
        let carried = carried.map_err(|error| CliError::Write {
            reason: with_causes(&error),
        })?;
        let all = &mut taken.carried;
        all.new += carried.new;
        all.known += carried.known;
        all.gaps += carried.gaps;
        all.refused += carried.refused;
        all.newer += carried.newer;
        self.catch_up(space).await;
        if let Some(title) = self.title(space) {
            taken.systems.push((space, title));
        }
        Ok(())
    }

    /// Whether a Space is one of an agent of some System here; then it is held from now on.
    async fn is_agent_here(&self, space: SpaceId) -> bool {
        let listed = self.agents().contains(&space);
        if listed && self.know(space) {
            let followed = self.replica().follow(space).await;
            if let Err(error) = followed {
                tracing::warn!(%error, space = %space.short(), "an agent is not followed");
                return false;
            }
        }
        listed
    }
}

/// The invitation of a bundle, if it can be used.
fn checked(source: Source<'_>, bundle: &Bundle) -> Result<Invitation, CliError> {
    let Some(invitation) = &bundle.invitation else {
        let reason = "it holds no invitation: run `aramaki take FILE`".to_owned();
        return Err(source.unusable(reason));
    };
    Live::usable_invitation(invitation.clone(), Invitee::Person)
}

/// Refuses what nobody can join by, before a workspace is made for it.
///
/// # Errors
/// As [`Live::join_by`].
pub(super) fn check_way_in(word: &str) -> Result<(), CliError> {
    let word = word.trim();
    let path = names_file(word).then(|| typed_path(word));
    let (source, bundle) = match &path {
        Some(path) => (Source::File(path), read(path)?),
        None if Bundle::is_text(word) => (Source::Text, read_text(word)?),
        None => return Live::check_invitation(word, Invitee::Person).map(drop),
    };
    let invitation = checked(source, &bundle)?;
    let sections = bundle.verify();
    sections
        .and_then(|sections| check_invited(&invitation, &sections, fresh::now()))
        .map_err(|error| source.unusable(error.to_string()))
}

/// Signatures take a while: nothing else waits for them.
async fn verify(source: Source<'_>, bundle: Bundle) -> Result<Vec<Verified>, CliError> {
    let verified = tokio::task::spawn_blocking(move || bundle.verify()).await;
    let verified = verified.map_err(|cause| CliError::Bug(cause.to_string()))?;
    verified.map_err(|error| source.unusable(error.to_string()))
}

fn read_text(text: &str) -> Result<Bundle, CliError> {
    Bundle::from_text(text).map_err(|error| Source::Text.unusable(error.to_string()))
}

/// Reads a file that is no longer than a bundle gets.
fn read(file: &Path) -> Result<Bundle, CliError> {
    let failed = |source| CliError::File {
        action: "read",
        path: file.to_owned(),
        source,
    };
    let source = Source::File(file);
    let about = std::fs::metadata(file).map_err(failed)?;
    if !about.is_file() {
        return Err(source.unusable("it is not a regular file".to_owned()));
    }
    let most = u64::try_from(BUNDLE_LEN_BYTES_MAX).unwrap_or(u64::MAX);
    if about.len() > most {
        return Err(source.unusable(BundleError::TooLong.to_string()));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let input = File::open(file).map_err(failed)?;
    input
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Bundle::decode(&bytes).map_err(|error| source.unusable(error.to_string()))
}

fn refuse_existing_file(file: &Path) -> Result<(), CliError> {
    if file.exists() {
        return Err(not_written(file, io::ErrorKind::AlreadyExists.into()));
    }
    Ok(())
}

/// Readable by its owner alone, whole or not at all.
fn write(file: &Path, bundle: &Bundle) -> Result<CarriedFile, CliError> {
    let bytes = bundle.encode().map_err(|error| CliError::Bundle {
        file: file.to_owned(),
        reason: error.to_string(),
    })?;
    let failed = |source| not_written(file, source);
    let folder = file.parent().unwrap_or_else(|| Path::new("/"));
    let mut out = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    out.write_all(&bytes).map_err(failed)?;
    out.as_file().sync_all().map_err(failed)?;
    out.persist_noclobber(file)
        .map_err(|error| failed(error.error))?;
    let envelopes = bundle.sections.iter().flat_map(|it| &it.envelopes);
    Ok(CarriedFile {
        bytes: bytes.len(),
        spaces: bundle.sections.len(),
        envelopes: envelopes.clone().count(),
        bare: envelopes.filter(|it| it.body.is_none()).count(),
    })
}

fn not_written(file: &Path, source: io::Error) -> CliError {
    CliError::File {
        action: "write",
        path: file.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_told_from_a_path() {
        for code in [
            "-",
            "aramaki1abc",
            "ARAMAKIBUNDLE1ABC",
            "aramakidevice1x",
            "armaki1abc",
        ] {
            assert!(!names_file(code), "{code}");
        }
        for path in [
            "invite.aramaki",
            "/media/stick/invite",
            "./invite",
            "~/invite",
        ] {
            assert!(names_file(path), "{path}");
        }
    }

    #[test]
    fn typed_paths_are_below_home_and_absolute_ones_are_themselves() {
        assert_eq!(typed_path("/media/stick/a"), Path::new("/media/stick/a"));
        assert_eq!(typed_path("~/a.aramaki"), typed_path("a.aramaki"));
        assert!(typed_path("a.aramaki").ends_with("a.aramaki"));
    }
}
