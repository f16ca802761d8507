//! Looking after a workspace: verify, back up, let what was written settle.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _};
use std::time::{Duration, Instant};

use aramaki_sync::replica::{AuditEvent, HowEnded, PeerStatus, SpaceSummary};
use aramaki_sync_core::admission::{Held as HeldFor, Verdict};
use aramaki_sync_core::statement::Audience;
use aramaki_sync_core::{AuthorId, DocumentId, SpaceId, Timestamp};
use serde::Deserialize;

use super::fresh;
use super::live::Live;
use super::profile::store_error;
use crate::cli::CliError;

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

/// How this device's access to a Space came to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessOver {
    /// A peer says so, and its time came by this device's clock.
    ByTime,
    /// A peer says so, and by what is known here its time has not come: it was ended.
    Earlier,
    /// A revocation that is here ended it: it came in a file, say.
    Here,
}

/// A System to which this device's access is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OverAt {
    /// Which.
    pub(crate) space: SpaceId,
    /// What it is called here.
    pub(crate) title: String,
    /// How that came to be.
    pub(crate) how: AccessOver,
}

impl OverAt {
    /// Whether a peer said so.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.how != AccessOver::Here
    }
}

/// A peer takes no more of a Space for now: a quota of it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptBack {
    /// Which Space.
    pub(crate) space: SpaceId,
    /// What that is called here.
    pub(crate) title: String,
    /// Who takes no more.
    pub(crate) peer: AuthorId,
    /// What that one is called here.
    pub(crate) name: String,
    /// Since when, as far as this process heard.
    pub(crate) since: Timestamp,
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

    /// How far this device's own chain goes in each Space.
    pub(crate) async fn positions(&self) -> BTreeMap<SpaceId, u64> {
        let spaces = self.spaces().await.into_iter();
        spaces
            .filter_map(|space| Some((space.id, space.receipts.own?.1)))
            .collect()
    }

    /// The titles of Spaces in which this device wrote since `before` what nobody else holds, and where a
    /// peer says that its access has ended.
    pub(crate) async fn written_in_vain(&self, before: &BTreeMap<SpaceId, u64>) -> Vec<String> {
        let mut spaces = self.spaces().await;
        spaces.retain(|space| {
            let own = space.receipts.own.map(|(_chain, seq)| seq);
            let only_here = space.receipts.only_here > 0;
            space.ended_elsewhere.is_some() && only_here && own > before.get(&space.id).copied()
        });
        let titles = spaces.iter().map(|space| {
            let title = self.space_title(space.id);
            title.unwrap_or_else(|| space.id.short())
        });
        titles.collect()
    }

    /// Systems to which this device's access is over, as a peer says or as a statement that is here does.
    pub(crate) async fn over_at(&self, wanted: Option<SpaceId>) -> Vec<OverAt> {
        let mut over = Vec::new();
        for space in self.spaces().await {
            if wanted.is_some_and(|wanted| wanted != space.id) || !self.is_system(space.id) {
                continue;
            }
            if let Some(how) = self.over_in(&space).await {
                let title = self.space_name(space.id);
                over.push(OverAt {
                    space: space.id,
                    title,
                    how,
                });
            }
        }
        over
    }

    /// How this device's access to a Space came to be over, if it is.
    pub(crate) async fn over_in(&self, space: &SpaceSummary) -> Option<AccessOver> {
        let (own, now) = (self.profile().device, fresh::now());
        if space.ended_elsewhere.is_some() {
            let mut members = space.members.iter();
            let ran_out = members.any(|it| it.author == own && it.end <= now);
            return Some(if ran_out && space.capability.is_none() {
                AccessOver::ByTime
            } else {
                AccessOver::Earlier
            });
        }
        if space.capability.is_some() {
            return None;
        }
        let entries = self.replica().audit(space.id).await.unwrap_or_default();
        let is_revoked = entries.iter().any(|entry| match &entry.event {
            AuditEvent::Granted { grant, ended, .. } => {
                let how = ended.map(|it| it.how);
                grant.audience == Audience::Author(own)
                    && matches!(how, Some(HowEnded::Revoked { .. }))
            }
            _ => false,
        });
        is_revoked.then_some(AccessOver::Here)
    }

    /// Where a peer says that it takes no more of what is shown, for a quota of it. Where a peer says that this
    /// device's access is over, that is why.
    pub(crate) async fn over_quota(&self, wanted: Option<SpaceId>) -> Vec<KeptBack> {
        let spaces = self.spaces().await;
        self.kept_back(&spaces, wanted)
    }

    /// The same, of Spaces that were read already.
    pub(crate) fn kept_back(
        &self,
        spaces: &[SpaceSummary],
        wanted: Option<SpaceId>,
    ) -> Vec<KeptBack> {
        let names = self.names(spaces);
        let is_meant = |it: &&SpaceSummary| wanted.is_none_or(|wanted| wanted == it.id);
        let spaces = spaces.iter().filter(is_meant);
        let spaces = spaces.filter(|it| it.ended_elsewhere.is_none());
        let each = spaces.flat_map(|space| {
            let peers = space.over_quota_at.iter();
            peers.map(|(peer, since)| KeptBack {
                space: space.id,
                title: self.space_name(space.id),
                peer: *peer,
                name: names.of(*peer),
                since: *since,
            })
        });
        each.collect()
    }

    /// Systems to which this device came by a code that had let in as many as it may, and by nothing else: what it
    /// writes there counts for nobody. Known as soon as what others' use of the code says is here.
    pub(crate) async fn came_by_used_codes(
        &self,
        wanted: Option<SpaceId>,
    ) -> Vec<(SpaceId, String)> {
        let mut found = Vec::new();
        for space in self.spaces().await {
            let is_meant = wanted.is_none_or(|wanted| wanted == space.id);
            if is_meant && space.capability.is_none() && self.is_too_many(space.id).await {
                let title = self.space_title(space.id);
                found.push((space.id, title.unwrap_or_else(|| space.id.short())));
            }
        }
        found
    }

    /// Whether this device came by a code as one more than that lets in.
    async fn is_too_many(&self, space: SpaceId) -> bool {
        let own = Audience::Author(self.profile().device);
        let entries = self.replica().audit(space).await.unwrap_or_default();
        entries.iter().any(|entry| match &entry.event {
            AuditEvent::Granted { grant, .. } => {
                grant.audience == own && entry.verdict == Verdict::Held(HeldFor::Redeemed)
            }
            _ => false,
        })
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
            let mut handed_over = false;
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
                if offline || !waiting && handed_over {
                    return;
                }
                if !waiting {
                    handed_over = true;
                    if !self.hand_over_keys(&spaces).await {
                        return;
                    }
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

impl Live {
    /// Gives readers what they lack of what came meanwhile: whoever was just let in may be there before this
    /// device is again.
    async fn hand_over_keys(&self, spaces: &[SpaceSummary]) -> bool {
        let mut any = false;
        for space in spaces {
            match self.replica().hand_over(space.id).await {
                Ok(given) => any |= given,
                Err(error) => tracing::debug!(%error, "keys are handed over later"),
            }
        }
        any
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
