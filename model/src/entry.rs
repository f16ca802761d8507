//! Entries of journals and timelines: one immutable encoded value each.

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::AlertId;
use crate::check::Check;
use crate::day::Day;
use crate::desired::{DesiredRun, RUN_DETAIL_LEN_BYTES_MAX};
use crate::id::{CheckId, EntryId};
use crate::notify::Receipt;
use crate::sent_check::{self, Later, SentCheck};
use crate::service::{SERVICES_MAX, ServiceClaim};
use crate::severity::Severity;
use crate::text::{clean, clean_line};
use crate::transition::Transition;
use crate::versioned::{self, DecodeError, EncodeError};

/// How long an encoded entry may be.
pub const ENTRY_LEN_BYTES_MAX: usize = 8 * 1_024;
/// How long the text of an entry may be, so that it always fits.
pub const ENTRY_TEXT_LEN_BYTES_MAX: usize = 6 * 1_024;
/// How many checks one entry proposes.
pub const PROPOSED_MAX: usize = 32;
/// How many checks one declaration can name: an entry has no room for more.
const DECLARED_MAX: usize = 1_024;
/// How long titles, references and links may be.
const LINE_LEN_BYTES_MAX: usize = 512;

/// What an agent writes into its journal.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum JournalEntry {
    /// A check changed its state.
    Transition(Transition),
    /// The agent began to observe.
    Started(AgentStarted),
    /// The agent stopped in good order.
    Stopped {
        /// When, by its clock.
        at: Timestamp,
    },
    /// The agent works by this configuration now.
    ConfigApplied {
        /// When, by its clock.
        at: Timestamp,
        /// Which configuration.
        generation: u64,
    },
    /// The states of checks, carried over into a new segment, so that it can be read alone.
    States(Vec<CarriedState>),
    /// Checks that this machine's own file adds to those of the System, so that readers can name
    /// them. Those of the newest time replace all before; several entries of one time add up.
    Declared {
        /// When, by its clock.
        at: Timestamp,
        /// What is looked at; commands are without their arguments, which may hold secrets.
        checks: Vec<Check>,
    },
    /// Checks that could be made of what is on the machine and nobody looks at: people decide. Those of
    /// the newest time replace all before.
    Proposed {
        /// When, by its clock.
        at: Timestamp,
        /// What could be looked at, at most [`PROPOSED_MAX`].
        checks: Vec<Check>,
    },
    /// Services that run on this machine, each a lease that the agent renews by being heard of. Those of
    /// the newest time replace all before; several entries of one time add up.
    Services {
        /// When, by its clock.
        at: Timestamp,
        /// What runs.
        services: Vec<ServiceClaim>,
    },
    /// The agent acted on what is desired.
    DesiredRun(DesiredRun),
    /// What days that are over were like for checks, as the agent saw them: see [`JournalEntry::sum_up`].
    Days {
        /// When it was written, by the agent's clock.
        at: Timestamp,
        /// A day of a check each.
        days: Vec<(CheckId, Day)>,
    },
    /// Written by a newer program: kept, shown as such.
    Unknown(UnknownEntry),
}

/// The state of a check at the beginning of a journal segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedState {
    /// Which check.
    pub check: CheckId,
    /// When it ran last, by the agent's clock.
    pub at: Timestamp,
    /// The state of the last result.
    pub raw: Severity,
    /// The state that counts.
    pub hard: Severity,
    /// Since when the hard state holds.
    pub hard_since: Timestamp,
    /// Since when it has not been OK; none when it is.
    pub problem_since: Option<Timestamp>,
    /// When it was last OK.
    pub last_ok: Option<Timestamp>,
    /// What the check said last, cut short.
    pub summary: String,
}

/// How many carried states fit one entry.
pub const CARRIED_STATES_MAX: usize = 32;
/// How long the summary of a carried state may be.
pub const CARRIED_SUMMARY_LEN_BYTES_MAX: usize = 128;

/// How many days of checks one entry sums up: with the longest labels and numbers they fit.
pub const DAYS_OF_ENTRY_MAX: usize = 14;
/// How many of them are read: an entry of short ones has room for more.
const DAYS_OF_ENTRY_READ_MAX: usize = 512;

/// An agent began to observe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentStarted {
    /// When, by its clock.
    pub at: Timestamp,
    /// The machine's name.
    pub host: String,
    /// The agent's version.
    pub version: String,
}

/// What people and adapters write into a System's timeline.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TimelineEntry {
    /// A few words.
    Message(Message),
    /// Something was deployed or configured.
    Deployment(Deployment),
    /// Somebody knows of a problem.
    Acknowledgement(Acknowledgement),
    /// Somebody works on it.
    Claim(Claim),
    /// An acknowledgement or a claim does not hold any more.
    Withdrawal(Withdrawal),
    /// Somebody was told of a problem, or could not be.
    Notification(Receipt),
    /// Written by a newer program: kept, shown as such.
    Unknown(UnknownEntry),
}

/// A few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// When, by the writer's clock.
    pub at: Timestamp,
    /// Markdown.
    pub text: String,
}

/// Something was deployed or configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// When, by the writer's clock.
    pub at: Timestamp,
    /// What.
    pub title: String,
    /// A version, commit or ticket.
    pub reference: String,
    /// Where to read on; may be empty.
    pub link: String,
}

/// Somebody knows of a problem.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// When, by the writer's clock.
    pub at: Timestamp,
    /// Which check; none: all problems of the System that are open at that moment.
    pub check: Option<CheckId>,
    /// Why it may stay so.
    pub text: String,
    /// Until when; none: until it recovers.
    pub until: Option<Timestamp>,
    /// Of which alert, whatever the writer's clock says; none: of the one that is open at that
    /// moment. Written after the fields above, which older programs read alone.
    #[serde(skip)]
    pub alert: Option<AlertId>,
}

/// Somebody works on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// When, by the writer's clock.
    pub at: Timestamp,
    /// On what.
    pub text: String,
    /// Until when it holds.
    pub until: Timestamp,
    /// Which check; none: all problems of the System that are open at that moment. Written after
    /// the fields above, which older programs read alone; so is `alert`.
    #[serde(skip)]
    pub check: Option<CheckId>,
    /// Of which alert, whatever the writer's clock says.
    #[serde(skip)]
    pub alert: Option<AlertId>,
}

/// An acknowledgement or a claim does not hold any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// When, by the writer's clock.
    pub at: Timestamp,
    /// The entry that is taken back.
    pub entry: EntryId,
    /// Why; may be empty.
    pub text: String,
}

/// An entry that this program cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEntry {
    /// Why.
    pub reason: DecodeError,
    /// How long it is.
    pub len_bytes: usize,
}

const KIND_TRANSITION: u16 = 1;
const KIND_STARTED: u16 = 2;
const KIND_STOPPED: u16 = 3;
const KIND_CONFIG_APPLIED: u16 = 4;
const KIND_STATES: u16 = 5;
const KIND_DECLARED: u16 = 6;
const KIND_PROPOSED: u16 = 12;
const KIND_SERVICES: u16 = 13;
const KIND_DESIRED_RUN: u16 = 14;
const KIND_DAYS: u16 = 16;
const KIND_MESSAGE: u16 = 32;
const KIND_DEPLOYMENT: u16 = 33;
const KIND_ACKNOWLEDGEMENT: u16 = 34;
const KIND_CLAIM: u16 = 35;
const KIND_WITHDRAWAL: u16 = 36;
const KIND_NOTIFICATION: u16 = 48;

impl JournalEntry {
    /// Encodes it. A transition that is too long loses its metrics and then its detail first.
    ///
    /// # Errors
    /// When it still does not fit [`ENTRY_LEN_BYTES_MAX`], or is [`JournalEntry::Unknown`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Transition(transition) => encode_transition(transition),
            Self::Started(started) => {
                let started = AgentStarted {
                    at: started.at,
                    host: clean_line(&started.host, LINE_LEN_BYTES_MAX),
                    version: clean_line(&started.version, LINE_LEN_BYTES_MAX),
                };
                encode(KIND_STARTED, &started)
            }
            Self::Stopped { at } => encode(KIND_STOPPED, at),
            Self::ConfigApplied { at, generation } => {
                encode(KIND_CONFIG_APPLIED, &(at, generation))
            }
            Self::States(states) => encode(KIND_STATES, states),
            Self::Declared { at, checks } => {
                let (checks, later) = sent_check::split(checks).map_err(EncodeError::Format)?;
                encode(KIND_DECLARED, &((at, checks), later))
            }
            Self::Proposed { at, checks } => {
                let room = checks.len().min(PROPOSED_MAX);
                let checks = checks.get(..room).unwrap_or_default();
                let (checks, later) = sent_check::split(checks).map_err(EncodeError::Format)?;
                encode(KIND_PROPOSED, &((at, checks), later))
            }
            Self::Services { at, services } => encode(KIND_SERVICES, &(at, services)),
            Self::DesiredRun(run) => {
                let line = |text: &str| clean_line(text, LINE_LEN_BYTES_MAX);
                let run = DesiredRun {
                    path: line(&run.path),
                    action: line(&run.action),
                    generation: line(&run.generation),
                    detail: clean(&run.detail, RUN_DETAIL_LEN_BYTES_MAX),
                    ..run.clone()
                };
                encode(KIND_DESIRED_RUN, &run)
            }
            Self::Days { at, days } => encode(KIND_DAYS, &(at, days)),
            Self::Unknown(_) => Err(EncodeError::UnknownKind),
        }
    }

    /// Entries that tell what these days were like, as few as fit.
    pub fn sum_up(at: Timestamp, days: &[(CheckId, Day)]) -> Vec<Self> {
        let chunks = days.chunks(DAYS_OF_ENTRY_MAX);
        chunks
            .map(|days| Self::Days {
                at,
                days: days.to_vec(),
            })
            .collect()
    }

    /// Entries that declare these checks of one machine, and no others, from `at` on.
    pub fn declare(at: Timestamp, checks: &[Check]) -> Vec<Self> {
        let public: Vec<Check> = checks.iter().map(Check::without_arguments).collect();
        let mut entries = Vec::new();
        // Without a check there is still something to say: that there is none any more.
        if public.is_empty() {
            entries.push(Self::Declared { at, checks: public });
            return entries;
        }
        declare_in_parts(at, &public, &mut entries);
        entries
    }

    /// Entries that tell these services of one machine, and no others, from `at` on. What cannot be
    /// meant is left out.
    pub fn register(at: Timestamp, services: &[ServiceClaim]) -> Vec<Self> {
        let told = services.iter().filter(|it| it.examine().is_ok());
        let told: Vec<_> = told.take(SERVICES_MAX).cloned().collect();
        if told.is_empty() {
            // There is still something to say: that there is none any more.
            let services = told;
            return vec![Self::Services { at, services }];
        }
        // One an entry: the largest one takes most of it.
        let each = told.into_iter().map(|service| vec![service]);
        each.map(|services| Self::Services { at, services })
            .collect()
    }

    /// Entries that carry these states over into a new segment.
    pub fn carry(states: &[CarriedState]) -> Vec<Self> {
        states
            .chunks(CARRIED_STATES_MAX)
            .map(|states| Self::States(states.to_vec()))
            .collect()
    }

    /// Reads any bytes; what cannot be read is [`JournalEntry::Unknown`].
    pub fn decode(bytes: &[u8]) -> Self {
        Self::try_decode(bytes).unwrap_or_else(|reason| {
            Self::Unknown(UnknownEntry {
                reason,
                len_bytes: bytes.len(),
            })
        })
    }

    fn try_decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (kind, body) = versioned::split(bytes, ENTRY_LEN_BYTES_MAX)?;
        Ok(match kind {
            KIND_TRANSITION => {
                let (known, evidence) = versioned::body_and_later(kind, body)?;
                Self::Transition(Transition { evidence, ..known })
            }
            KIND_STARTED => Self::Started(versioned::body(kind, body)?),
            KIND_STATES => Self::States(versioned::body(kind, body)?),
            KIND_STOPPED => Self::Stopped {
                at: versioned::body(kind, body)?,
            },
            KIND_CONFIG_APPLIED => {
                let (at, generation) = versioned::body(kind, body)?;
                Self::ConfigApplied { at, generation }
            }
            KIND_DECLARED => {
                // Entries of older agents end behind the checks.
                let ((at, checks), later): ((_, Vec<SentCheck>), Later) =
                    match versioned::body(kind, body) {
                        Ok(whole) => whole,
                        Err(_) => (versioned::body(kind, body)?, Later::default()),
                    };
                Self::Declared {
                    at,
                    checks: sent_check::join(checks, later, DECLARED_MAX),
                }
            }
            KIND_PROPOSED => {
                let ((at, checks), later): ((_, Vec<SentCheck>), Later) =
                    versioned::body(kind, body)?;
                Self::Proposed {
                    at,
                    checks: sent_check::join(checks, later, PROPOSED_MAX),
                }
            }
            KIND_SERVICES => {
                let (at, services) = versioned::body(kind, body)?;
                Self::Services { at, services }
            }
            KIND_DESIRED_RUN => Self::DesiredRun(versioned::body(kind, body)?),
            KIND_DAYS => {
                let (at, days): (Timestamp, Vec<(CheckId, Day)>) = versioned::body(kind, body)?;
                let sane = days.into_iter().take(DAYS_OF_ENTRY_READ_MAX);
                let sane = sane.filter_map(|(check, day)| Some((check, day.sane(at)?)));
                Self::Days {
                    at,
                    days: sane.collect(),
                }
            }
            other => return Err(DecodeError::Kind(other)),
        })
    }

    /// When it happened, as its writer says; none when it cannot be read.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Transition(transition) => Some(transition.at),
            Self::Started(started) => Some(started.at),
            Self::Stopped { at }
            | Self::ConfigApplied { at, .. }
            | Self::Declared { at, .. }
            | Self::Proposed { at, .. }
            | Self::Services { at, .. }
            | Self::Days { at, .. } => Some(*at),
            Self::DesiredRun(run) => Some(run.at),
            Self::States(states) => states.iter().map(|state| state.at).max(),
            Self::Unknown(_) => None,
        }
    }
}

impl TimelineEntry {
    /// Encodes it; long texts are cut to what an entry holds.
    ///
    /// # Errors
    /// When it is [`TimelineEntry::Unknown`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let text = |text: &str| clean(text, ENTRY_TEXT_LEN_BYTES_MAX);
        let line = |text: &str| clean_line(text, LINE_LEN_BYTES_MAX);
        match self {
            Self::Message(message) => encode(
                KIND_MESSAGE,
                &Message {
                    at: message.at,
                    text: text(&message.text),
                },
            ),
            Self::Deployment(deployment) => {
                let deployment = Deployment {
                    at: deployment.at,
                    title: line(&deployment.title),
                    reference: line(&deployment.reference),
                    link: line(&deployment.link),
                };
                encode(KIND_DEPLOYMENT, &deployment)
            }
            Self::Acknowledgement(acknowledgement) => {
                let text = text(&acknowledgement.text);
                let short = Acknowledgement {
                    text,
                    ..*acknowledgement
                };
                encode(KIND_ACKNOWLEDGEMENT, &(&short, &short.alert))
            }
            Self::Claim(claim) => {
                let text = text(&claim.text);
                let short = Claim { text, ..*claim };
                encode(KIND_CLAIM, &(&short, (&short.check, &short.alert)))
            }
            Self::Withdrawal(withdrawal) => encode(
                KIND_WITHDRAWAL,
                &Withdrawal {
                    text: text(&withdrawal.text),
                    ..*withdrawal
                },
            ),
            Self::Notification(receipt) => {
                let short = receipt.short();
                let opened = short.opened();
                encode(KIND_NOTIFICATION, &(short, opened))
            }
            Self::Unknown(_) => Err(EncodeError::UnknownKind),
        }
    }

    /// Reads any bytes; what cannot be read is [`TimelineEntry::Unknown`].
    pub fn decode(bytes: &[u8]) -> Self {
        Self::try_decode(bytes).unwrap_or_else(|reason| {
            Self::Unknown(UnknownEntry {
                reason,
                len_bytes: bytes.len(),
            })
        })
    }

    fn try_decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (kind, body) = versioned::split(bytes, ENTRY_LEN_BYTES_MAX)?;
        Ok(match kind {
            KIND_MESSAGE => Self::Message(versioned::body(kind, body)?),
            KIND_DEPLOYMENT => Self::Deployment(versioned::body(kind, body)?),
            KIND_ACKNOWLEDGEMENT => {
                let (known, alert) = versioned::body_and_later(kind, body)?;
                Self::Acknowledgement(Acknowledgement { alert, ..known })
            }
            KIND_CLAIM => {
                let (known, (check, alert)) = versioned::body_and_later(kind, body)?;
                Self::Claim(Claim {
                    check,
                    alert,
                    ..known
                })
            }
            KIND_WITHDRAWAL => Self::Withdrawal(versioned::body(kind, body)?),
            KIND_NOTIFICATION => {
                let (known, opened): (Receipt, _) = versioned::body_and_later(kind, body)?;
                Self::Notification(known.with_opened(opened))
            }
            other => return Err(DecodeError::Kind(other)),
        })
    }

    /// When it happened, as its writer says; none when it cannot be read.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Message(message) => Some(message.at),
            Self::Deployment(deployment) => Some(deployment.at),
            Self::Acknowledgement(acknowledgement) => Some(acknowledgement.at),
            Self::Claim(claim) => Some(claim.at),
            Self::Withdrawal(withdrawal) => Some(withdrawal.at),
            Self::Notification(receipt) => Some(receipt.at),
            Self::Unknown(_) => None,
        }
    }
}

/// Halves what does not fit one entry; a single check that never fits is left unnamed.
fn declare_in_parts(at: Timestamp, checks: &[Check], entries: &mut Vec<JournalEntry>) {
    let entry = JournalEntry::Declared {
        at,
        checks: checks.to_vec(),
    };
    if entry.encode().is_ok() {
        entries.push(entry);
    } else if checks.len() > 1 {
        let (left, right) = checks.split_at(checks.len() / 2);
        declare_in_parts(at, left, entries);
        declare_in_parts(at, right, entries);
    }
}

fn encode<T: Serialize + ?Sized>(kind: u16, value: &T) -> Result<Vec<u8>, EncodeError> {
    versioned::encode(kind, value, ENTRY_LEN_BYTES_MAX)
}

/// Encodes a transition, giving up metrics and then detail if it is too long.
fn encode_transition(transition: &Transition) -> Result<Vec<u8>, EncodeError> {
    let encode = |transition: &Transition| match transition.evidence {
        // As older programs write it.
        None => encode(KIND_TRANSITION, transition),
        evidence => encode(KIND_TRANSITION, &(transition, evidence)),
    };
    let whole = encode(transition);
    let Err(EncodeError::TooLong { .. }) = whole else {
        return whole;
    };
    let mut short = transition.clone();
    short.metrics.clear();
    let without_metrics = encode(&short);
    let Err(EncodeError::TooLong { .. }) = without_metrics else {
        return without_metrics;
    };
    short.detail = clean(&short.detail, 1_024);
    short.summary = clean_line(&short.summary, LINE_LEN_BYTES_MAX);
    short.raw_exit = None;
    encode(&short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day::{DAY_METRICS_MAX, MetricDay, day_of};
    use crate::evidence::{EvidenceId, KeptEvidence};
    use crate::perfdata::{LABEL_LEN_BYTES_MAX, Metric};
    use crate::transition::Hardness;
    use crate::unit::Unit;

    fn transition() -> Transition {
        Transition {
            check: CheckId::from_bytes([1; 16]),
            at: Timestamp::from_millis(5),
            from: Severity::Missing,
            to: Severity::Critical,
            hardness: Hardness::Hard,
            attempt: 1,
            attempts: 3,
            flapping: false,
            raw_exit: None,
            summary: "disk full".to_owned(),
            detail: String::new(),
            metrics: vec![Metric::new("/", 99.0, Unit::Percent)],
            evidence: None,
        }
    }

    #[test]
    fn entries_read_back() {
        let entry = JournalEntry::Transition(transition());
        assert_eq!(JournalEntry::decode(&entry.encode().unwrap()), entry);
        let at = Timestamp::from_millis(1);
        let text = "known, ticket 12".to_owned();
        let alert = Some(AlertId([7; 32]));
        let check = Some(CheckId::from_bytes([2; 16]));
        let entries = [
            TimelineEntry::Acknowledgement(Acknowledgement {
                at,
                check,
                text: text.clone(),
                until: None,
                alert,
            }),
            TimelineEntry::Claim(Claim {
                at,
                text: text.clone(),
                until: Timestamp::from_millis(9),
                check,
                alert,
            }),
            TimelineEntry::Withdrawal(Withdrawal {
                at,
                entry: EntryId::from_bytes([3; 16]),
                text,
            }),
        ];
        for entry in entries {
            assert_eq!(TimelineEntry::decode(&entry.encode().unwrap()), entry);
        }
    }

    #[test]
    fn a_transition_names_its_evidence_behind_what_older_programs_read() {
        let old = JournalEntry::Transition(transition()).encode().unwrap();
        let evidence = Some(KeptEvidence {
            id: EvidenceId([9; 32]),
            len_bytes: 60_000,
        });
        let new = JournalEntry::Transition(Transition {
            evidence,
            ..transition()
        });
        let bytes = new.encode().unwrap();
        assert_eq!(JournalEntry::decode(&bytes), new);
        assert!(bytes.starts_with(&old) && bytes.len() <= old.len() + 36);
        assert_eq!(
            JournalEntry::decode(&old),
            JournalEntry::Transition(transition()),
            "what was written before reads as it did"
        );
        // However long it is, its evidence is named.
        let mut long = transition();
        long.detail = "d".repeat(20_000);
        long.evidence = evidence;
        let bytes = JournalEntry::Transition(long).encode().unwrap();
        let JournalEntry::Transition(read) = JournalEntry::decode(&bytes) else {
            panic!("another entry came back");
        };
        assert_eq!(read.evidence, evidence);
    }

    #[test]
    fn acknowledgements_and_claims_of_older_programs_still_read() {
        // As they were written before they could name an alert.
        let known = [1, 34, 0, 2, 0, 2, b'h', b'i', 1, 18];
        let read = TimelineEntry::Acknowledgement(Acknowledgement {
            at: Timestamp::from_millis(1),
            check: None,
            text: "hi".to_owned(),
            until: Some(Timestamp::from_millis(9)),
            alert: None,
        });
        assert_eq!(TimelineEntry::decode(&known), read);
        assert!(
            read.encode().unwrap().starts_with(&known),
            "older programs read what newer ones write"
        );
        let claim = [1, 35, 0, 2, 2, b'h', b'i', 18];
        let read = TimelineEntry::Claim(Claim {
            at: Timestamp::from_millis(1),
            text: "hi".to_owned(),
            until: Timestamp::from_millis(9),
            check: None,
            alert: None,
        });
        assert_eq!(TimelineEntry::decode(&claim), read);
        assert!(read.encode().unwrap().starts_with(&claim));
        // What follows is damaged: then it is not guessed.
        let mut damaged = claim.to_vec();
        damaged.extend([1, 2, 3]);
        assert!(matches!(
            TimelineEntry::decode(&damaged),
            TimelineEntry::Unknown(_)
        ));
    }

    #[test]
    fn the_encoding_does_not_change() {
        let entry = TimelineEntry::Message(Message {
            at: Timestamp::from_millis(1),
            text: "hi".to_owned(),
        });
        assert_eq!(entry.encode().unwrap(), [1, 32, 0, 2, 2, b'h', b'i']);
    }

    #[test]
    fn newer_fields_are_ignored_and_newer_kinds_are_shown_as_such() {
        let mut bytes = JournalEntry::Stopped {
            at: Timestamp::from_millis(9),
        }
        .encode()
        .unwrap();
        bytes.extend([1, 2, 3]);
        let read = JournalEntry::decode(&bytes);
        assert_eq!(
            read,
            JournalEntry::Stopped {
                at: Timestamp::from_millis(9)
            }
        );
        bytes[1] = 200;
        let JournalEntry::Unknown(unknown) = JournalEntry::decode(&bytes) else {
            panic!("a kind from the future was read");
        };
        assert_eq!(unknown.reason, DecodeError::Kind(200));
        bytes[0] = 7;
        let JournalEntry::Unknown(unknown) = JournalEntry::decode(&bytes) else {
            panic!("a version from the future was read");
        };
        assert_eq!(unknown.reason, DecodeError::Version(7));
    }

    #[test]
    fn an_entry_always_fits() {
        let mut long = transition();
        long.detail = "d".repeat(20_000);
        long.metrics = vec![Metric::new("m".repeat(5_000), 1.0, Unit::None); 8];
        let bytes = JournalEntry::Transition(long).encode().unwrap();
        assert!(bytes.len() <= ENTRY_LEN_BYTES_MAX);
        let text = "ü".repeat(20_000);
        let message = TimelineEntry::Message(Message {
            at: Timestamp::ZERO,
            text,
        });
        assert!(message.encode().unwrap().len() <= ENTRY_LEN_BYTES_MAX);
    }

    #[test]
    fn what_is_proposed_is_bounded_and_reads_back() {
        let kind = crate::check::CheckKind::External {};
        let check =
            |n: usize| Check::new(CheckId::from_bytes([7; 16]), format!("c{n}"), kind.clone());
        let entry = JournalEntry::Proposed {
            at: Timestamp::from_millis(3),
            checks: (0..PROPOSED_MAX + 9).map(check).collect(),
        };
        let JournalEntry::Proposed { at, checks } = JournalEntry::decode(&entry.encode().unwrap())
        else {
            panic!("another entry came back");
        };
        assert_eq!((at.millis(), checks.len()), (3, PROPOSED_MAX));
        assert_eq!(checks[5], check(5));
    }

    #[test]
    fn declarations_of_older_agents_read_and_those_of_newer_ones_cost_older_readers_nothing() {
        let kind = crate::check::CheckKind::Builtin(crate::check::Builtin::Uptime(
            crate::check::Thresholds::default(),
        ));
        let plain = Check::new(CheckId::from_bytes([1; 16]), "plain", kind.clone());
        let about = Check {
            about: Some("switch".to_owned()),
            ..Check::new(CheckId::from_bytes([2; 16]), "about", kind)
        };
        let sent: Vec<_> = [&plain].into_iter().map(SentCheck::from).collect();
        let old = encode(KIND_DECLARED, &(Timestamp::ZERO, sent)).unwrap();
        let JournalEntry::Declared { checks, .. } = JournalEntry::decode(&old) else {
            panic!("an old entry is not read");
        };
        assert_eq!(checks, std::slice::from_ref(&plain));
        let entry = JournalEntry::Declared {
            at: Timestamp::ZERO,
            checks: vec![plain, about],
        };
        let new = entry.encode().unwrap();
        assert_eq!(JournalEntry::decode(&new), entry);
        let (_, body) = versioned::split(&new, ENTRY_LEN_BYTES_MAX).unwrap();
        let (_at, as_before): (Timestamp, Vec<SentCheck>) =
            versioned::body(KIND_DECLARED, body).unwrap();
        assert_eq!(as_before.len(), 2);
    }

    #[test]
    fn days_fit_their_entries_and_older_programs_keep_them() {
        let metric = MetricDay {
            label: "l".repeat(LABEL_LEN_BYTES_MAX),
            unit: Unit::Other("u".repeat(16)),
            min: f32::MIN,
            max: f32::MAX,
            last: -1.5e-9,
        };
        let at = Timestamp::from_millis(1_800_000_000_000);
        let day = Day {
            changes: u32::MAX,
            seconds: [21_600; 4],
            metrics: vec![metric; DAY_METRICS_MAX],
            is_counted: true,
            ..Day::new(day_of(at), Severity::Critical)
        };
        let days = vec![(CheckId::from_bytes([0xff; 16]), day); 50];
        let entries = JournalEntry::sum_up(at, &days);
        assert_eq!(entries.len(), 4);
        for entry in &entries {
            let bytes = entry.encode().unwrap();
            assert_eq!(&JournalEntry::decode(&bytes), entry);
            assert_eq!(bytes[1..3], KIND_DAYS.to_le_bytes());
        }
        // As older programs read it, which do not know the kind.
        let mut bytes = entries[0].encode().unwrap();
        bytes[1] = 99;
        assert!(matches!(
            JournalEntry::decode(&bytes),
            JournalEntry::Unknown(_)
        ));
    }

    #[test]
    fn carried_states_fit_their_entries() {
        let state = CarriedState {
            check: CheckId::from_bytes([0xff; 16]),
            at: Timestamp::MAX,
            raw: Severity::Missing,
            hard: Severity::Missing,
            hard_since: Timestamp::MAX,
            problem_since: Some(Timestamp::MAX),
            last_ok: Some(Timestamp::MAX),
            summary: "s".repeat(CARRIED_SUMMARY_LEN_BYTES_MAX),
        };
        let entries = JournalEntry::carry(&vec![state; 70]);
        assert_eq!(entries.len(), 3);
        for entry in entries {
            assert_eq!(JournalEntry::decode(&entry.encode().unwrap()), entry);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic() {
        for length in 0..64 {
            for fill in [0_u8, 1, 2, 32, 127, 255] {
                let bytes = vec![fill; length];
                let _read = (JournalEntry::decode(&bytes), TimelineEntry::decode(&bytes));
                let mut headed = vec![1, fill % 5, 0];
                headed.extend(bytes);
                let _read = JournalEntry::decode(&headed);
            }
        }
    }
}
