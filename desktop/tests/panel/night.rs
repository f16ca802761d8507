//! A night with several alerts: one just happened after a deployment, one that somebody knows of, an old
//! one, and one that is over.

use std::collections::BTreeMap;

use aramaki_desktop::view::actions::{Came, HostAction, MayAnswer, Run, SystemActions, Waiting};
use aramaki_desktop::view::deed::{Deed, DeedKind};
use aramaki_desktop::view::{Backend as _, Frame, PeerKind, Presence};
use aramaki_model::action::{Parameter, ParameterKind};
use aramaki_model::day::{Day, day_of};
use aramaki_model::entry::{Acknowledgement, Claim, Deployment, Message};
use aramaki_model::preview::preview_silence;
use aramaki_model::system::AgentRef;
use aramaki_model::{
    AlertId, CheckBeat, CheckState, EntryId, Heartbeat, JournalEntry, Observation, Severity,
    TimelineEntry, Workspace,
};
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId};

use crate::world::{
    AGENT, CHECKOUT, DATABASES, Desk, ME, WEBSHOP, at, chain, check, item, organisation, space,
};

/// Who is awake too.
pub(crate) const OTHER: u8 = ME + 1;
const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// What the agent saw: check, name, when, how bad, what it said.
const SEEN: [(u8, &str, i64, Severity, &str); 9] = [
    (3, "disk_usage", -31 * DAY, Severity::Ok, "/ 61 % used"),
    (
        4,
        "backup_age",
        -31 * DAY,
        Severity::Ok,
        "last backup 2 h ago",
    ),
    (
        5,
        "connections",
        -31 * DAY,
        Severity::Ok,
        "41 of 200 connections",
    ),
    (
        3,
        "disk_usage",
        -12 * DAY,
        Severity::Warning,
        "/ 86 % used, limit 85 %",
    ),
    (
        5,
        "connections",
        -3 * DAY,
        Severity::Critical,
        "199 of 200 connections",
    ),
    (
        5,
        "connections",
        -3 * DAY + 600,
        Severity::Ok,
        "52 of 200 connections",
    ),
    (
        4,
        "backup_age",
        -190 * MINUTE,
        Severity::Critical,
        "last backup 27 h ago, limit 26 h",
    ),
    (
        5,
        "connections",
        -50 * MINUTE,
        Severity::Critical,
        "200 of 200 connections",
    ),
    (
        5,
        "connections",
        -41 * MINUTE,
        Severity::Ok,
        "60 of 200 connections",
    ),
];

/// The night.
pub(crate) fn workspace() -> Workspace {
    let mut workspace = organisation();
    let describe = |workspace: &mut Workspace, n: u8, more: &[(u8, &str)]| {
        workspace
            .edit_system(space(n), &chain(ME), at(-9_000), |edit| {
                for (author, name) in [(ME, "Duty operator"), (OTHER, "Developer on call")] {
                    edit.put_person(AuthorId::from_bytes([author; 32]), name)?;
                }
                for (id, name) in more {
                    edit.put_check(&check(*id, name))?;
                }
                edit.put_label("site", "rzob")?;
                let label = "db2.example.org".to_owned();
                let agent = AgentRef {
                    label,
                    author: None,
                };
                edit.put_agent(space(AGENT), &agent)
            })
            .map(drop)
            .unwrap();
    };
    describe(&mut workspace, CHECKOUT, &[]);
    let checks = [(3, "disk_usage"), (4, "backup_age"), (5, "connections")];
    describe(&mut workspace, DATABASES, &checks);
    observe(&mut workspace);
    let deployment = Deployment {
        at: at(-19 * MINUTE),
        title: "checkout 2026.47.3".to_owned(),
        reference: "b5dbd31".to_owned(),
        link: String::new(),
    };
    write(
        &mut workspace,
        CHECKOUT,
        OTHER,
        TimelineEntry::Deployment(deployment),
        -19 * MINUTE,
    );
    let known = Acknowledgement {
        at: at(-170 * MINUTE),
        check: Some(check(4, "").id),
        text: "The tape robot is being repaired, backup follows at 09:00.".to_owned(),
        ..Acknowledgement::default()
    };
    let known = TimelineEntry::Acknowledgement(known);
    write(&mut workspace, DATABASES, OTHER, known, -170 * MINUTE);
    workspace
}

/// The same, and the shop itself is checked too and takes no orders.
pub(crate) fn without_orders() -> Workspace {
    let mut workspace = workspace();
    let orders = check(6, "orders");
    workspace
        .edit_system(space(WEBSHOP), &chain(ME), at(-9_000), |edit| {
            edit.put_check(&orders)?;
            let label = "db2.example.org".to_owned();
            let agent = AgentRef {
                label,
                author: None,
            };
            edit.put_agent(space(AGENT), &agent)
        })
        .map(drop)
        .unwrap();
    let said = Observation::of_builtin(orders.id, at(-20), Severity::Critical, "no order came");
    let transition = CheckState::new(orders.id).observe(&orders, &said).unwrap();
    let id = EntryId::new(at(-20), [200; 10]);
    workspace
        .append_journal(
            space(AGENT),
            &chain(AGENT),
            at(-20),
            &[(id, JournalEntry::Transition(transition))],
        )
        .map(drop)
        .unwrap();
    workspace
}

/// The agent sums up its days; in one week nobody heard it.
fn sum_up(workspace: &mut Workspace) {
    let mut sums = Vec::new();
    for ago in (1..=31_i32).filter(|ago| !(14..21).contains(ago)) {
        for n in [1, 3, 4, 5] {
            let (worst, seconds) = match n {
                3 if ago <= 12 => (Severity::Warning, 86_400),
                5 if ago == 3 => (Severity::Critical, 600),
                _ => (Severity::Ok, 86_400),
            };
            let mut day = Day::new(day_of(at(0)) - ago, worst);
            day.lasted(worst, seconds);
            sums.push((check(n, "").id, day));
        }
    }
    let entries = (0_u8..).zip(JournalEntry::sum_up(at(-40), &sums));
    let entries: Vec<_> = entries
        .map(|(n, entry)| (EntryId::new(at(-40), [n; 10]), entry))
        .collect();
    workspace
        .append_days(space(AGENT), &chain(AGENT), at(-40), &entries)
        .map(drop)
        .unwrap();
}

fn observe(workspace: &mut Workspace) {
    let mut states = BTreeMap::new();
    let mut entries = Vec::new();
    for (place, (n, name, seconds, severity, said)) in (100..).zip(SEEN) {
        let check = check(n, name);
        let state = states.entry(n).or_insert_with(|| CheckState::new(check.id));
        let observation = Observation::of_builtin(check.id, at(seconds), severity, said);
        if let Some(transition) = state.observe(&check, &observation) {
            let id = EntryId::new(at(seconds), [place; 10]);
            entries.push((id, JournalEntry::Transition(transition)));
        }
    }
    workspace
        .append_journal(space(AGENT), &chain(AGENT), at(-30), &entries)
        .map(drop)
        .unwrap();
    sum_up(workspace);
    let beats = [
        (1, Severity::Critical),
        (2, Severity::Ok),
        (3, Severity::Warning),
        (4, Severity::Critical),
        (5, Severity::Ok),
    ];
    let beats = beats.map(|(n, raw)| CheckBeat {
        check: check(n, "").id,
        at: at(-3),
        raw,
        attempt: 0,
    });
    let heartbeat = Heartbeat {
        at: at(-3),
        generation: 1,
        checks: beats.into(),
    };
    workspace.heartbeat(space(AGENT), &heartbeat, at(-3));
}

fn write(workspace: &mut Workspace, system: u8, who: u8, entry: TimelineEntry, seconds: i64) {
    let id = EntryId::new(at(seconds), [who; 10]);
    workspace
        .append_timeline(space(system), &chain(who), at(seconds), &[(id, entry)])
        .map(drop)
        .unwrap();
}

/// Carries out what the window asked for about alerts, for those of one System.
pub(crate) fn carry_out(workspace: &mut Workspace, deed: &Deed) {
    let snapshot = workspace.view(at(0));
    if deed.kind == DeedKind::Silence {
        for (place, wish) in (0..).zip(deed.wishes(&snapshot, at(0)).unwrap()) {
            let preview = preview_silence(&snapshot, &wish, |_| true, at(0)).unwrap();
            for (system, silences) in preview.writes {
                workspace
                    .edit_system(system, &chain(ME), at(0), |edit| {
                        let mut silences = silences.iter();
                        silences.try_for_each(|it| edit.put_silence(item(place), it))
                    })
                    .map(drop)
                    .unwrap();
            }
        }
        return;
    }
    for (place, alert) in (0..).zip(deed.meant(&snapshot)) {
        let entry = match deed.kind {
            DeedKind::Say => TimelineEntry::Message(Message {
                at: at(0),
                text: deed.text.clone(),
            }),
            DeedKind::Claim => TimelineEntry::Claim(Claim {
                at: at(0),
                check: Some(alert.check),
                text: deed.text.clone(),
                until: deed.until(at(0)).unwrap(),
                alert: Some(alert.id),
            }),
            DeedKind::Acknowledge | DeedKind::Silence => {
                TimelineEntry::Acknowledgement(Acknowledgement {
                    at: at(0),
                    check: Some(alert.check),
                    text: deed.text.clone(),
                    alert: Some(alert.id),
                    ..Acknowledgement::default()
                })
            }
        };
        let id = EntryId::new(at(0), [place; 10]);
        workspace
            .append_timeline(alert.system, &chain(ME), at(0), &[(id, entry)])
            .map(drop)
            .unwrap();
    }
}

/// What can be run for Checkout; somebody did it six minutes ago.
pub(crate) fn flush() -> HostAction {
    let run = |who: &str, minutes: i64, came| Run {
        id: EnvelopeId::from_bytes([u8::try_from(minutes % 200).unwrap(); 32]),
        who: who.to_owned(),
        at: at(-minutes * MINUTE),
        reason: "stale prices".to_owned(),
        alert: None,
        arguments: BTreeMap::from([("path".to_owned(), "/".to_owned())]),
        came,
        tail: "200 banned".to_owned(),
    };
    HostAction {
        host: "db2.example.org".to_owned(),
        name: "flush-cache".to_owned(),
        description: "Bans everything below a path from the cache.".to_owned(),
        parameters: vec![Parameter {
            name: "path".to_owned(),
            kind: ParameterKind::Text {
                pattern: "/.*".to_owned(),
                len_bytes_max: 200,
            },
            default: Some("/".to_owned()),
        }],
        approvals: 0,
        is_read_only: false,
        runs: vec![
            run("Developer on call", 6, Came::Done),
            run("Duty operator", 1_500, Came::Failed("exit 3".to_owned())),
        ],
        watched: Vec::new(),
    }
}

/// Somebody asks for a flush, and somebody else has to agree.
pub(crate) fn waiting(may: MayAnswer) -> Waiting {
    let flush = flush();
    Waiting {
        id: EnvelopeId::from_bytes([77; 32]),
        system: space(CHECKOUT),
        agent: space(AGENT),
        host: flush.host,
        action: flush.name,
        description: flush.description,
        who: "Developer on call".to_owned(),
        at: at(-2 * MINUTE),
        end: at(8 * MINUTE),
        reason: "prices are wrong".to_owned(),
        arguments: BTreeMap::from([("path".to_owned(), "/shop".to_owned())]),
        said: Vec::new(),
        needed: Some(1),
        may,
        last: flush.runs,
    }
}

/// The night as a frame.
pub(crate) fn frame() -> Frame {
    let mut frame = Frame::clone(&Desk::of(workspace()).frame());
    dress(&mut frame);
    frame
}

/// What the workspace alone does not know: actions, and who is connected.
pub(crate) fn dress(frame: &mut Frame) {
    frame.actions = Some(SystemActions {
        actions: vec![flush()],
        ..SystemActions::new(space(CHECKOUT))
    });
    for trust in frame.trust.values_mut() {
        for member in &mut trust.members {
            if member.kind == PeerKind::Device {
                "Developer on call".clone_into(&mut member.name);
                member.presence = Presence::Here;
            }
        }
    }
}

/// The alert of a check.
pub(crate) fn alert_of(frame: &Frame, system: SpaceId, name: &str) -> AlertId {
    let alerts = &frame.snapshot.as_ref().unwrap().alerts;
    let found = alerts
        .iter()
        .find(|alert| alert.system == system && alert.name == name);
    found.unwrap().id
}

/// What somebody who was woken reads on the page of Checkout: the answer to each of the five questions.
pub(crate) const FIVE_ANSWERS: [(&str, &[&str]); 5] = [
    (
        "is it always broken, or did it just happen?",
        &[
            "replication: lag 41 s, limit 10 s, Critical",
            "14 min ago",
            "Just happened: it was OK on all 24 days before that are known.",
            "last OK ",
        ],
    ),
    ("what went on today?", &["checkout 2026.47.3"]),
    (
        "did someone just do that, and who is here?",
        &["Developer on call, 6 min ago: done", "connected now"],
    ),
    (
        "what may I touch, and whom do I call?",
        &[
            "restart web workers, one at a time",
            "+49 30 0000 0000 · every night",
        ],
    ),
    ("how does this work here?", &["Payment gateway is slow"]),
];

/// The alert that just happened.
pub(crate) fn replication() -> AlertId {
    alert_of(&frame(), space(CHECKOUT), "replication")
}
