//! What documents are made of: changes for Automerge, and the values that agents write.

use std::sync::OnceLock;

use aramaki_model::action::Outcome;
use aramaki_model::agent_config::AgentConfig;
use aramaki_model::day::{Day, day_of};
use aramaki_model::desired::{Desired, DesiredRun, DesiredState, Schema};
use aramaki_model::entry::{AgentStarted, Message};
use aramaki_model::service::ServiceClaim;
use aramaki_model::system::Contact;
use aramaki_model::{
    AdmittedChange, Builtin, Check, CheckBeat, CheckId, CheckKind, Cron, Edit, EntryId,
    EnvelopeLinks, FlappingLimits, Heartbeat, ItemId, JournalEntry, Metric, MetricRule, NoteId,
    Pattern, Severity, Thresholds, TimelineEntry, Unit, Workspace, name,
};
use aramaki_sync_core::{AuthorId, Chain, DocumentId, EnvelopeId, Instance, SpaceId, Timestamp};
use sha2::{Digest as _, Sha256};

use super::Decoder;
use super::wire::NOW;

pub(super) const CHANGE: Decoder = Decoder {
    name: "change",
    run: change,
    seeds: || {
        let edits = hostile_writers_edits();
        let chosen = (0_u8..).zip(edits);
        chosen
            .filter_map(|(document, edit)| {
                let body = edit.changes.first()?.get(HEAD_LEN_BYTES..)?;
                let (_length, data) = leb128(body)?;
                Some([&[document], data].concat())
            })
            .collect()
    },
};

pub(super) const ENTRY: Decoder = Decoder {
    name: "entry",
    run: |bytes| {
        if let Ok(written) = JournalEntry::decode(bytes).encode() {
            let again = JournalEntry::decode(&written);
            assert!(!matches!(again, JournalEntry::Unknown(_)));
        }
        if let Ok(written) = TimelineEntry::decode(bytes).encode() {
            let again = TimelineEntry::decode(&written);
            assert!(!matches!(again, TimelineEntry::Unknown(_)));
        }
    },
    seeds: || {
        let mut seeds: Vec<_> = message("the shop is slow").encode().into_iter().collect();
        let started = JournalEntry::Started(AgentStarted {
            at: NOW,
            host: "web1.example.org".to_owned(),
            version: "0.1.0".to_owned(),
        });
        seeds.extend(started.encode());
        let mut declared = JournalEntry::declare(NOW, &[check()]);
        declared.extend(JournalEntry::register(
            NOW,
            &[ServiceClaim {
                name: "web".to_owned(),
                endpoints: "https://192.0.2.7:443".parse().into_iter().collect(),
                labels: [("tier".to_owned(), "front".to_owned())].into(),
                ..ServiceClaim::default()
            }],
        ));
        declared.push(JournalEntry::DesiredRun(DesiredRun {
            at: NOW,
            path: "web".to_owned(),
            action: "reload".to_owned(),
            generation: "ab".repeat(32),
            attempt: 1,
            again: false,
            outcome: Outcome::Exit(0),
            detail: "done".to_owned(),
        }));
        let mut day = Day::new(day_of(NOW), Severity::Warning);
        day.measured(&[Metric::new("load1", 0.5, Unit::None)]);
        day.lasted(Severity::Warning, 60);
        let days = [(CheckId::from_bytes([5; 16]), day)];
        declared.extend(JournalEntry::sum_up(NOW, &days));
        seeds.extend(declared.iter().filter_map(|entry| entry.encode().ok()));
        seeds
    },
};

pub(super) const HEARTBEAT: Decoder = Decoder {
    name: "heartbeat",
    run: |bytes| {
        if let Ok(beat) = Heartbeat::decode(bytes) {
            let mut workspace = Workspace::new();
            workspace.heartbeat(space(), &beat, NOW);
            drop(workspace.view(NOW));
        }
    },
    seeds: || {
        let beat = CheckBeat {
            check: CheckId::from_bytes([5; 16]),
            at: NOW,
            raw: Severity::Warning,
            attempt: 0,
        };
        let beats = Heartbeat::batches(NOW, 3, &[beat; 3]);
        beats.iter().filter_map(|it| it.encode().ok()).collect()
    },
};

pub(super) const AGENT_CONFIG: Decoder = Decoder {
    name: "agent_config",
    run: |bytes| {
        if let Ok(config) = AgentConfig::decode(bytes)
            && let Ok(written) = config.encode()
        {
            let again = AgentConfig::decode(&written);
            assert_eq!(again.map(|it| it.encode()), Ok(Ok(written)));
        }
    },
    seeds: || {
        let config = AgentConfig {
            generation: 7,
            system: space(),
            checks: vec![check(), later_check()],
            desired: desired(),
        };
        config.encode().into_iter().collect()
    },
};

fn desired() -> DesiredState {
    let value = Desired {
        value: serde_json::json!({"ports": [80, 443]}),
        schema: Schema::Any,
    };
    let path = "web/tls".parse();
    let values = path.map(|path| (path, value));
    DesiredState::new("ab".repeat(32), &values.into_iter().collect()).unwrap_or_default()
}

/// Magic, checksum and kind, before the length.
const HEAD_LEN_BYTES: usize = 9;
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHUNK_CHANGE: u8 = 1;

fn space() -> SpaceId {
    SpaceId::from_bytes([1; 32])
}

fn chain(writer: u8) -> Chain {
    Chain {
        author: AuthorId::from_bytes([writer; 32]),
        instance: Instance(u64::from(writer)),
    }
}

const ALICE: u8 = 11;
const MALLORY: u8 = 12;

fn check() -> Check {
    let load = CheckKind::Builtin(Builtin::Load(Thresholds::default()));
    Check::new(CheckId::from_bytes([5; 16]), "load".to_owned(), load)
}

/// With all that came after the first version.
fn later_check() -> Check {
    Check {
        cron: Some(Cron {
            expression: "30 3 * * 1-5".to_owned(),
            zone: "Europe/Berlin".to_owned(),
        }),
        metrics: vec![MetricRule {
            metric: Pattern("load*".to_owned()),
            warning: "@10:20".parse().ok(),
            critical: None,
            missing: Severity::Unknown,
        }],
        flapping: Some(FlappingLimits { low: 10, high: 20 }),
        about: Some("switch-1".to_owned()),
        ..Check::new(CheckId::from_bytes([6; 16]), "sent", CheckKind::External {})
    }
}

fn message(text: &str) -> TimelineEntry {
    TimelineEntry::Message(Message {
        at: NOW,
        text: text.to_owned(),
    })
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW.millis() + seconds * 1_000)
}

/// An edit of each kind of document: a System, a note, a timeline and a journal.
fn edits(workspace: &mut Workspace, writer: u8, seconds: i64) -> [Edit; 4] {
    let (is, at) = (chain(writer), later(seconds));
    let contact = Contact {
        name: "duty operator".to_owned(),
        ..Contact::default()
    };
    let entry = EntryId::new(at, [writer; 10]);
    let system = workspace.edit_system(space(), &is, at, |edit| {
        edit.title("Webshop")?;
        edit.put_contact(ItemId::default(), &contact)
    });
    let text = format!("restart web{seconds}");
    let note = workspace.set_note(space(), NoteId::default(), &is, at, &text);
    let said = workspace.append_timeline(space(), &is, at, &[(entry, message("hello"))]);
    let stopped = (entry, JournalEntry::Stopped { at });
    let journal = workspace.append_journal(space(), &is, at, &[stopped]);
    [system, note, said, journal].map(Result::unwrap)
}

/// Takes an envelope in that builds on all before it; gives how many of its changes were left out.
fn receive(workspace: &mut Workspace, writer: u8, number: u8, edit: Edit) -> usize {
    let id = EnvelopeId::from_bytes([number; 32]);
    let links = EnvelopeLinks {
        id,
        previous: EnvelopeId::ZERO,
        ancestors: (1..number)
            .map(|it| EnvelopeId::from_bytes([it; 32]))
            .collect(),
    };
    let admitted = AdmittedChange {
        chain: chain(writer),
        id,
        changes: edit.changes,
        scope: aramaki_model::ChangeScope::default(),
    };
    let linked = workspace.link(space(), &[links]).len();
    let left_out = workspace.admit(space(), edit.document, &[admitted]);
    // What waited for this one may be refused now; that is another's fault.
    let own = left_out
        .iter()
        .filter(|it| it.envelope.is_none_or(|of| of == id));
    linked + own.count()
}

/// A Workspace with one document of each kind, all by Alice.
fn victim() -> &'static Workspace {
    static VICTIM: OnceLock<Workspace> = OnceLock::new();
    VICTIM.get_or_init(|| {
        let mut workspace = Workspace::new();
        workspace.open_space(space());
        let edits = edits(&mut workspace, ALICE, 0);
        for (number, edit) in (1..).zip(edits) {
            assert_eq!(receive(&mut workspace, ALICE, number, edit), 0);
        }
        workspace
    })
}

fn hostile_writers_edits() -> [Edit; 4] {
    edits(&mut victim().clone(), MALLORY, 1)
}

fn documents() -> [DocumentId; 4] {
    [
        name::system(),
        name::note(NoteId::default()),
        name::timeline(NOW, 0),
        name::journal(NOW, 0),
    ]
}

/// A number and what follows it.
fn leb128(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

/// A plain change chunk of this data whose checksum is right, so that the search gets past it.
fn chunk(data: &[u8]) -> Vec<u8> {
    let mut summed = vec![CHUNK_CHANGE];
    let mut length = data.len();
    while length >= 0x80 {
        summed.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    summed.push(u8::try_from(length).unwrap_or_default());
    summed.extend(data);
    let sum = Sha256::digest(&summed);
    [&MAGIC[..], &sum[..4], &summed].concat()
}

/// An authorised writer sends a change. Whatever it is, the honest go on.
fn change(bytes: &[u8]) {
    let Some((document, data)) = bytes.split_first() else {
        return;
    };
    let document = documents()[usize::from(document % 4)];
    let mut workspace = victim().clone();
    let hostile = Edit {
        document,
        changes: vec![chunk(data)],
        is_new_document: false,
    };
    let left_out = receive(&mut workspace, MALLORY, 5, hostile);
    let unchanged = workspace.digest() == victim().digest();
    assert!(
        left_out == 0 || unchanged,
        "refused, and yet it changed something"
    );
    let before = workspace.digest();
    drop(workspace.view(later(2)));
    // Every document still takes an edit, and others take that edit.
    for (number, edit) in (6..).zip(edits(&mut workspace, ALICE, 3)) {
        assert_eq!(receive(&mut workspace, ALICE, number, edit), 0);
    }
    assert_ne!(workspace.digest(), before);
}
