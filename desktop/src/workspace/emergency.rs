//! For a night on which nobody who administers can be reached: a sealed key that opens Systems for a
//! day, after it said why, and what everybody else sees of it.
//!
//! Its key is drawn with the recovery kit and can be handed out without it. Every System lets it in under a
//! mark that makes its reason the first thing that it says; it may read and write, never administer.

use std::collections::BTreeSet;

use aramaki_model::{EntryId, HomeEntry, Kit};
use aramaki_sync::keys::{self, Passphrase};
use aramaki_sync::replica::{Keep, REASON_NONE, SpaceSummary};
use aramaki_sync_core::admission::Member;
use aramaki_sync_core::key::{DeviceKeys, PublicKeys};
use aramaki_sync_core::statement::{Capability, GrantFlags};
use aramaki_sync_core::{AuthorId, EnvelopeId, PrincipalId, SpaceId, Timestamp};
use data_encoding::HEXLOWER;

use super::fresh;
use super::live::Live;
use super::names::Names;
use super::profile::{Anchor, with_causes};
use crate::cli::CliError;

const PRINCIPAL_CONTEXT: &str = "aramaki emergency principal v1";
/// Others' words, which may be long: so much of a reason is shown.
const REASON_LEN_CHARS_SHOWN: usize = 400;

/// A key for emergencies as a kit has it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EmergencyKey {
    /// Its public half.
    pub(crate) public: Anchor,
    /// The text of its key file; none in an envelope of its own, whose first lines it is.
    pub(super) sealed: Option<String>,
}

impl std::fmt::Debug for EmergencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EmergencyKey({}, <secret>)", self.public.author.short())
    }
}

impl EmergencyKey {
    /// Draws a key and seals it.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub(crate) fn draw(passphrase: &Passphrase) -> Result<Self, CliError> {
        let drawn = || -> Result<_, keys::KeyFileError> {
            let seed = keys::random_seed()?;
            let text = keys::text(&seed, Some(passphrase))?;
            Ok((DeviceKeys::from_seed(*seed).public(), text))
        };
        let (public, text) = drawn().map_err(|error| CliError::Refused {
            what: "the emergency key",
            reason: with_causes(&error),
        })?;
        Ok(Self {
            public: public.into(),
            sealed: Some(text.trim_end().to_owned()),
        })
    }

    /// Reads the public half: the key and its box key.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (author, box_key) = value.split_once(' ')?;
        let box_key = HEXLOWER.decode(box_key.as_bytes()).ok()?;
        let public = Anchor {
            author: author.parse().ok()?,
            box_key: box_key.try_into().ok()?,
        };
        Some(Self {
            public,
            sealed: None,
        })
    }

    /// Takes the sealed half, on one line; false when it is none.
    pub(super) fn seal(&mut self, value: &str) -> bool {
        self.sealed = value
            .rsplit_once(' ')
            .map(|(form, key)| format!("{form}\n{key}"));
        self.sealed.is_some()
    }

    /// As lines of a kit.
    pub(super) fn lines(&self) -> Vec<String> {
        let Anchor { author, box_key } = self.public;
        let public = format!("emergency {author} {}", HEXLOWER.encode(&box_key));
        let sealed = self.sealed.as_ref();
        let sealed = sealed.map(|text| format!("emergency-key {}", text.replace('\n', " ")));
        std::iter::once(public).chain(sealed).collect()
    }

    /// As one text that another process of this user reads; the key in it stays sealed.
    pub(crate) fn to_text(&self) -> String {
        self.lines().join("\n")
    }

    /// Reads that text.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let (public, sealed) = text.split_once('\n')?;
        let mut key = Self::parse(public.strip_prefix("emergency ")?)?;
        let sealed = sealed.strip_prefix("emergency-key ")?;
        key.seal(sealed).then_some(key)
    }
}

/// Whose the key is: nobody's who has another one. A second person approves what it asks for.
pub(super) fn principal_of(emergency: AuthorId) -> PrincipalId {
    let hash = blake3::derive_key(PRINCIPAL_CONTEXT, emergency.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    PrincipalId::from_bytes(bytes)
}

/// Somebody is in by an emergency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EmergencyRow {
    /// In which Space.
    pub(crate) space: SpaceId,
    /// What people call it.
    pub(crate) title: String,
    /// The emergency grant: whoever may end it ends everything below it.
    pub(crate) grant: EnvelopeId,
    /// Why, in their words, without what a screen would obey.
    pub(crate) reason: String,
    /// Who was let in; empty before that.
    pub(crate) who: Vec<String>,
    /// Since when, by their clock.
    pub(crate) since: Timestamp,
    /// Until when.
    pub(crate) until: Timestamp,
    /// Whether it is this device.
    pub(crate) here: bool,
}

/// What came of sealing Systems for emergencies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SealedFor {
    /// Those that the key opens.
    pub(crate) open: Vec<SpaceId>,
    /// Those in which its grant has ended: it is not given again.
    pub(crate) ended: Vec<SpaceId>,
}

fn refused(error: &dyn std::error::Error) -> CliError {
    CliError::Refused {
        what: "the emergency",
        reason: with_causes(error),
    }
}

/// Others' words on one line, and not longer than is read.
pub(super) fn shown_reason(reason: &str) -> String {
    let plain = |c: char| {
        if aramaki_model::is_deceptive(c) || c.is_whitespace() {
            ' '
        } else {
            c
        }
    };
    let mut shown: String = reason
        .chars()
        .map(plain)
        .take(REASON_LEN_CHARS_SHOWN)
        .collect();
    if reason.chars().nth(REASON_LEN_CHARS_SHOWN).is_some() {
        shown.push('…');
    }
    shown.trim().to_owned()
}

/// Whether this is the sealed grant itself, not somebody whom it let in.
pub(super) fn is_sealed(member: &Member) -> bool {
    member.flags.has(GrantFlags::BREAK_GLASS)
}

impl Live {
    /// The key to which new Systems are sealed for emergencies.
    pub(super) fn emergency_key(&self) -> Option<PublicKeys> {
        let of_home = self
            .home()
            .and_then(|home| self.model().home(&home).emergency);
        let of_home = of_home.map(|kit| PublicKeys {
            author: kit.author,
            box_key: kit.box_key,
        });
        of_home.or_else(|| (*self.emergency_mut()).map(PublicKeys::from))
    }

    /// Seals a System that was just made. That nobody can open it in an emergency is no reason to refuse
    /// it: `aramaki recovery-kit` does it later.
    pub(super) async fn seal_new(&self, space: SpaceId) {
        let Some(keys) = self.emergency_key() else {
            return;
        };
        let principal = principal_of(keys.author);
        let sealed = self.replica().seal_emergency(space, keys, principal).await;
        if let Err(error) = sealed {
            tracing::warn!(%error, space = %space.short(), "not sealed for emergencies");
        }
    }

    /// Remembers which key opens this person's Systems in an emergency, and tells their other devices.
    ///
    /// # Errors
    /// When the disk or the store refuses.
    pub(super) async fn know_emergency_key(&self, key: Anchor) -> Result<(), CliError> {
        let is_known = self.emergency_mut().replace(key) == Some(key);
        if !is_known {
            self.profile_now().save(&self.shared.data)?;
        }
        let Some(home) = self.home() else {
            return Ok(());
        };
        let told = self.model().home(&home).emergency;
        if told.is_some_and(|it| it.author == key.author) {
            return Ok(());
        }
        let at = fresh::now();
        let kit = Kit {
            at,
            author: key.author,
            box_key: key.box_key,
        };
        let entry = (
            EntryId::new(at, fresh::random()?),
            HomeEntry::Emergency(kit),
        );
        self.tell_home(home, &[entry]).await
    }

    /// Seals those Systems to an emergency key to which they are not yet.
    ///
    /// # Errors
    /// When the store refuses.
    pub(super) async fn seal_all(
        &self,
        spaces: &[SpaceSummary],
        key: Anchor,
    ) -> Result<SealedFor, CliError> {
        let mut sealed = SealedFor::default();
        let own = self.profile().device;
        for space in spaces {
            let now = fresh::now();
            let holds = |it: &Member| it.author == key.author && it.is_live(now);
            let administers = space.members.iter().any(|it| {
                let may = it.capability == Capability::Administer && it.depth_left > 1;
                it.author == own && it.is_live(now) && may
            });
            if !self.is_system(space.id) || self.home() == Some(space.id) {
                continue;
            }
            if space.members.iter().any(holds) {
                sealed.open.push(space.id);
                continue;
            }
            if !administers {
                continue;
            }
            let keys = PublicKeys::from(key);
            let principal = principal_of(key.author);
            let given = self.replica().seal_emergency(space.id, keys, principal);
            if given.await.map_err(|error| refused(&error))? {
                sealed.open.push(space.id);
            } else {
                sealed.ended.push(space.id);
            }
        }
        Ok(sealed)
    }

    /// Ends what an emergency key could open, wherever this device may.
    ///
    /// # Errors
    /// When the store refuses.
    pub(super) async fn retire(
        &self,
        spaces: &[SpaceSummary],
        key: AuthorId,
    ) -> Result<(), CliError> {
        for space in spaces {
            let old = space.members.iter().filter(|it| it.author == key);
            for member in old {
                let ended = self
                    .replica()
                    .revoke(space.id, member.grant, Keep::WhatIsHere, REASON_NONE)
                    .await;
                ended.map_err(|error| refused(&error))?;
            }
        }
        Ok(())
    }

    /// Emergencies that last now, the oldest first.
    pub(crate) fn emergencies(&self, spaces: &[SpaceSummary], names: &Names) -> Vec<EmergencyRow> {
        let own = self.profile().device;
        let mut rows = Vec::new();
        for space in spaces {
            for it in &space.emergencies {
                let opened: BTreeSet<AuthorId> = it.opened_to.iter().copied().collect();
                rows.push(EmergencyRow {
                    space: space.id,
                    title: self
                        .space_title(space.id)
                        .unwrap_or_else(|| space.id.short()),
                    grant: it.grant,
                    reason: shown_reason(&it.reason),
                    who: opened.iter().map(|author| names.of(*author)).collect(),
                    since: it.since,
                    until: it.until,
                    here: opened.contains(&own),
                });
            }
        }
        rows.sort_by(|a, b| (a.since, &a.title).cmp(&(b.since, &b.title)));
        rows
    }

    /// Emergencies that last now, as verbs say it.
    pub(crate) async fn emergencies_now(&self) -> Vec<EmergencyRow> {
        let spaces = self.spaces().await;
        if spaces.iter().all(|space| space.emergencies.is_empty()) {
            return Vec::new();
        }
        let names = self.names(&spaces);
        self.emergencies(&spaces, &names)
    }

    /// Gives up what this device has by emergency keys; returns in which Spaces.
    ///
    /// # Errors
    /// When the store refuses.
    pub(crate) async fn give_up_emergencies(&self) -> Result<Vec<SpaceId>, CliError> {
        let mut ended = Vec::new();
        for space in self.spaces().await {
            let closed = self.replica().close_emergency(space.id).await;
            if closed.map_err(|error| refused(&error))? > 0 {
                ended.push(space.id);
            }
        }
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_from_its_lines_and_prints_no_secret() {
        let passphrase = Passphrase::new("twelve letters".to_owned());
        let key = EmergencyKey::draw(&passphrase).unwrap();
        let text = key.to_text();
        assert_eq!(EmergencyKey::of_text(&text), Some(key.clone()));
        assert_eq!(text.lines().count(), 2);
        let secret = key.sealed.clone().unwrap();
        let secret = secret.lines().nth(1).unwrap();
        assert!(!format!("{key:?}").contains(secret));
        let file = std::path::Path::new("kit");
        let opened = keys::parse(file, key.sealed.as_ref().unwrap(), Some(&passphrase)).unwrap();
        assert_eq!(opened.author(), key.public.author);
        assert_eq!(EmergencyKey::of_text(""), None);
        assert_eq!(EmergencyKey::of_text("emergency x\nemergency-key y"), None);
    }

    #[test]
    fn a_reason_is_one_bounded_line() {
        let long = format!("a\nb\u{1b}[31m\u{202e}{}", "x".repeat(500));
        let shown = shown_reason(&long);
        assert!(shown.starts_with("a b"), "{shown}");
        assert!(!shown.contains(['\n', '\u{1b}', '\u{202e}']));
        assert!(shown.chars().count() <= REASON_LEN_CHARS_SHOWN + 1);
    }
}
