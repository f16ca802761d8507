//! Fetches evidence from the agents that keep it: asks again for what was lost, believes what has the right hash.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use aramaki_model::evidence::{AgentEvidence, EvidenceAnswer, Gathering, NoEvidence};
use aramaki_model::name;
use aramaki_sync::replica::SpaceSummary;
use aramaki_sync_core::statement::{Capability, GrantFlags};
use aramaki_sync_core::{AuthorId, SpaceId};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fresh;
use super::live::Live;
use crate::view::evidence::{EvidenceFault, Fetched, FetchedState};

/// How long an answer may take before the same is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How long nothing new may come.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long a device that was started anew may refuse what it hears, because it may have heard it before.
const DEAF_MAX: Duration = Duration::from_secs(150);
/// Texts that are fetched at once, by window and verbs together.
const FETCHED_AT_ONCE_MAX: usize = 8;
/// Texts that the window has fetched; the oldest goes.
const SHOWN_MAX: usize = 8;

/// What is being fetched, and what the window has fetched.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    next: u64,
    fetching: BTreeMap<u64, Fetching>,
    shown: VecDeque<(Fetched, CancellationToken)>,
}

/// How this device asks an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// In the agent's own Space, where it holds a grant.
    Member,
    /// As a reader of this System, in the System's Space.
    Through(SpaceId),
}

#[derive(Debug)]
struct Fetching {
    of: AgentEvidence,
    /// Who may answer: whoever writes the agent's journal.
    from: BTreeSet<AuthorId>,
    gathering: Gathering,
    nothing: Option<NoEvidence>,
    came: Arc<Notify>,
}

impl Evidence {
    /// Takes in what somebody in an agent's Space says.
    fn hear(&mut self, (space, author): (SpaceId, AuthorId), answer: &EvidenceAnswer) {
        let id = match answer {
            EvidenceAnswer::Piece(piece) => piece.id,
            EvidenceAnswer::Nothing(id, _) => *id,
        };
        for it in self.fetching.values_mut() {
            if it.of.agent != space || it.of.kept.id != id || !it.from.contains(&author) {
                continue;
            }
            let is_new = match answer {
                EvidenceAnswer::Piece(piece) => it.gathering.take(piece),
                EvidenceAnswer::Nothing(_, why) => it.nothing.replace(*why).is_none(),
            };
            if is_new {
                it.came.notify_one();
            }
        }
    }
}

/// One fetching: forgotten when it is dropped, however it ends.
struct Fetch<'a> {
    live: &'a Live,
    number: u64,
}

impl Drop for Fetch<'_> {
    fn drop(&mut self) {
        self.live.evidence().fetching.remove(&self.number);
    }
}

impl Live {
    fn evidence(&self) -> MutexGuard<'_, Evidence> {
        let evidence = self.shared.evidence.lock();
        evidence.unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what somebody answers who was asked for evidence.
    pub(super) fn hear_evidence(&self, place: (SpaceId, AuthorId), bytes: &[u8]) {
        match EvidenceAnswer::decode(bytes) {
            Ok(answer) => self.evidence().hear(place, &answer),
            Err(error) => tracing::debug!(%error, space = %place.0.short(), "no evidence"),
        }
    }

    /// Fetches evidence whole from the agent that keeps it. Dropping the future stops it.
    ///
    /// # Errors
    /// When it does not come, or is something else.
    pub(crate) async fn fetch_evidence(&self, of: AgentEvidence) -> Result<String, EvidenceFault> {
        let gathering = Gathering::new(of.kept).map_err(EvidenceFault::Untrue)?;
        let (from, way) = self.who_answers(of.agent).await?;
        let came = Arc::new(Notify::new());
        let fetch = {
            let mut evidence = self.evidence();
            if evidence.fetching.len() >= FETCHED_AT_ONCE_MAX {
                return Err(EvidenceFault::TooMany);
            }
            let number = evidence.next;
            evidence.next += 1;
            let fetching = Fetching {
                of,
                from,
                gathering,
                nothing: None,
                came: Arc::clone(&came),
            };
            evidence.fetching.insert(number, fetching);
            Fetch { live: self, number }
        };
        let begun = Instant::now();
        let mut news = begun;
        while let Some(ask) = fetch.look(|it| it.gathering.next())? {
            let bytes = ask.encode().map_err(|_too_long| EvidenceFault::Closed)?;
            self.ask(of.agent, way, bytes).await?;
            loop {
                let lacks = |it: &Fetching| (it.gathering.lacks(&ask), it.nothing);
                match fetch.look(lacks)? {
                    (false, _) => break,
                    (true, Some(why)) => return Err(why.into()),
                    (true, None) => {}
                }
                if tokio::time::timeout(ASK_AGAIN, came.notified())
                    .await
                    .is_err()
                {
                    break;
                }
                news = Instant::now();
            }
            if begun.elapsed() < DEAF_MAX && self.is_deaf(of.agent).await {
                // Silence says nothing yet.
                news = Instant::now();
            }
            if news.elapsed() >= SILENCE_MAX {
                return Err(match way {
                    Way::Member => EvidenceFault::NobodyAnswers,
                    Way::Through(_) => EvidenceFault::NobodyAnswersReaders,
                });
            }
        }
        let whole = fetch.look(|it| it.gathering.whole())?;
        whole
            .unwrap_or_else(|| Ok(String::new()))
            .map_err(EvidenceFault::Untrue)
    }

    /// Whether what the agent says arrives here and is refused, because this device was started a moment ago and may
    /// have heard it in its life before.
    pub(crate) async fn is_deaf(&self, agent: SpaceId) -> bool {
        let in_step = self.replica().in_step(agent).await;
        let is_in_step = in_step.is_ok_and(|(peers, _)| !peers.is_empty());
        let hears = self.replica().hears(BTreeSet::from([agent])).await;
        is_in_step && hears.is_ok_and(|hears| hears.is_empty())
    }

    async fn ask(&self, agent: SpaceId, way: Way, bytes: Vec<u8>) -> Result<(), EvidenceFault> {
        let (replica, document) = (self.replica(), name::evidence_ask());
        let sent = match way {
            Way::Member => replica.send_ephemeral(agent, document, bytes).await,
            Way::Through(system) => {
                replica
                    .ask_as_reader((system, agent), document, bytes)
                    .await
            }
        };
        sent.map_err(|_closed| EvidenceFault::Closed)
    }

    /// Whose answers count in an agent's Space, if this device may read there, and how they are asked.
    async fn who_answers(
        &self,
        agent: SpaceId,
    ) -> Result<(BTreeSet<AuthorId>, Way), EvidenceFault> {
        let spaces = self.spaces().await;
        let space = spaces.iter().find(|space| space.id == agent);
        let space = space.filter(|space| space.capability >= Some(Capability::Read));
        let space = space.ok_or(EvidenceFault::NotAllowed)?;
        let writers = space.members.iter().filter(|member| {
            member.capability == Capability::Write && !member.flags.has(GrantFlags::INVITATION)
        });
        let writers = writers.map(|member| member.author);
        // Where its Systems say whose journal counts, only that one.
        let named = self.agent_authors(agent);
        let from: BTreeSet<_> = writers
            .filter(|author| named.is_empty() || named.contains(author))
            .collect();
        // A message needs a grant in the Space itself: readers of its System hear, and ask where they hold one.
        let (own, now) = (self.profile().device, fresh::now());
        let reads = |space: &SpaceSummary| {
            let mut members = space.members.iter();
            members.any(|it| it.author == own && it.reads(now) && !it.is_invitation())
        };
        if reads(space) {
            return Ok((from, Way::Member));
        }
        let keeps = |system: &SpaceSummary| {
            let mut members = system.members.iter();
            members.any(|it| from.contains(&it.author) && it.is_live(now))
        };
        let audiences = space.audiences.iter().filter(|it| it.is_live(now));
        let mut systems = audiences.filter_map(|it| spaces.iter().find(|s| s.id == it.space));
        let system = systems.find(|system| reads(system) && keeps(system));
        let system = system.ok_or(EvidenceFault::MayNotAsk)?;
        Ok((from, Way::Through(system.id)))
    }

    /// Fetches evidence for the window.
    pub(super) fn show_evidence(&self, of: AgentEvidence) {
        let stop = CancellationToken::new();
        {
            let mut evidence = self.evidence();
            forget(&mut evidence, of);
            while evidence.shown.len() >= SHOWN_MAX {
                if let Some((_, stop)) = evidence.shown.pop_front() {
                    stop.cancel();
                }
            }
            let came = FetchedState::Comes(0);
            evidence
                .shown
                .push_back((Fetched { of, came }, stop.clone()));
        }
        let live = self.clone();
        tokio::spawn(async move {
            let fetched = stop.run_until_cancelled(live.fetch_evidence(of)).await;
            let came = match fetched {
                // Whoever stopped it has forgotten it.
                None => return,
                Some(Ok(text)) => FetchedState::Whole(text.into()),
                Some(Err(fault)) => FetchedState::Failed(fault),
            };
            if !stop.is_cancelled() {
                let mut evidence = live.evidence();
                let mut shown = evidence.shown.iter_mut();
                if let Some((shown, _)) = shown.find(|(shown, _)| shown.of == of) {
                    shown.came = came;
                }
            }
            live.tell_changed();
        });
    }

    /// Shows evidence no longer, and fetches it no longer.
    pub(super) fn hide_evidence(&self, of: AgentEvidence) {
        forget(&mut self.evidence(), of);
    }

    /// What the window asked for, and how far it is.
    pub(super) fn fetched_evidence(&self) -> Vec<Fetched> {
        let evidence = self.evidence();
        let shown = evidence.shown.iter().map(|(shown, _)| {
            let mut fetching = evidence.fetching.values();
            let mut shown = shown.clone();
            if let (FetchedState::Comes(len), Some(it)) =
                (&mut shown.came, fetching.find(|it| it.of == shown.of))
            {
                *len = it.gathering.len_came_bytes();
            }
            shown
        });
        shown.collect()
    }
}

fn forget(evidence: &mut Evidence, of: AgentEvidence) {
    evidence.shown.retain(|(shown, stop)| {
        let is_it = shown.of == of;
        if is_it {
            stop.cancel();
        }
        !is_it
    });
}

impl Fetch<'_> {
    fn look<T>(&self, look: impl FnOnce(&Fetching) -> T) -> Result<T, EvidenceFault> {
        let evidence = self.live.evidence();
        let fetching = evidence.fetching.get(&self.number);
        fetching.map(look).ok_or(EvidenceFault::Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aramaki_model::evidence::{EvidenceId, EvidencePiece, KeptEvidence};

    #[test]
    fn only_who_writes_the_agents_journal_is_heard() {
        let text = b"what the hook said".to_vec();
        let kept = KeptEvidence {
            id: EvidenceId::of(&text),
            len_bytes: 18,
        };
        let agent = SpaceId::from_bytes([1; 32]);
        let [writer, reader] = [2, 3].map(|n| AuthorId::from_bytes([n; 32]));
        let mut evidence = Evidence::default();
        let fetching = Fetching {
            of: AgentEvidence { agent, kept },
            from: BTreeSet::from([writer]),
            gathering: Gathering::new(kept).unwrap(),
            nothing: None,
            came: Arc::default(),
        };
        evidence.fetching.insert(7, fetching);
        let piece = |bytes: &[u8]| {
            EvidenceAnswer::Piece(EvidencePiece {
                id: kept.id,
                number: 0,
                bytes: bytes.to_vec(),
            })
        };
        // Of the right length, of the right name, and a lie; and that it is gone, which is one too.
        evidence.hear((agent, reader), &piece(&[b'x'; 18]));
        let gone = EvidenceAnswer::Nothing(kept.id, NoEvidence::Gone);
        evidence.hear((agent, reader), &gone);
        evidence.hear((SpaceId::ZERO, writer), &gone);
        assert_eq!(evidence.fetching[&7].gathering.len_came_bytes(), 0);
        assert_eq!(evidence.fetching[&7].nothing, None);
        evidence.hear((agent, writer), &piece(&text));
        let whole = evidence.fetching[&7].gathering.whole();
        assert_eq!(whole, Some(Ok("what the hook said".to_owned())));
    }
}
