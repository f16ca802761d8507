//! What it costs to see everything: a view derived anew, and after one change.
//!
//! `cargo bench -p aramaki-model --bench view`

#![expect(clippy::unwrap_used, reason = "a step that fails ends the benchmark")]

use std::collections::BTreeMap;

use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::rollup::roll_up;
use aramaki_model::system::{AgentRef, Part};
use aramaki_model::{
    AdmittedChange, ChangeScope, Check, CheckBeat, CheckId, CheckState, EntryId, Heartbeat,
    JournalEntry, Observation, Severity, View, Workspace, name,
};
use aramaki_sync_core::{AuthorId, Chain, EnvelopeId, Instance, SpaceId, Timestamp};
use divan::Bencher;

/// Systems that one aggregate lists.
const PARTS: u16 = 100;

fn main() {
    divan::main();
}

fn space(kind: u8, n: u16) -> SpaceId {
    let mut bytes = [kind; 32];
    bytes[1..3].copy_from_slice(&n.to_be_bytes());
    SpaceId::from_bytes(bytes)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_370_000_000 + seconds * 1_000)
}

fn chain() -> Chain {
    Chain {
        author: AuthorId::from_bytes([7; 32]),
        instance: Instance(1),
    }
}

fn check(n: u16) -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    let mut id = [0; 16];
    id[..2].copy_from_slice(&n.to_be_bytes());
    Check::new(CheckId::from_bytes(id), "uptime", kind)
}

/// An agent tells what it saw.
fn observed(workspace: &mut Workspace, n: u16, severity: Severity, second: i64) {
    let mut state = CheckState::new(check(n).id);
    let said = Observation::of_builtin(check(n).id, at(second), severity, "up 12 days");
    let transition = state.observe(&check(n), &said).unwrap();
    let id = EntryId::new(at(second), [1; 10]);
    let entries = [(id, JournalEntry::Transition(transition))];
    let _edit = workspace
        .append_journal(space(2, n), &chain(), at(second), &entries)
        .unwrap();
}

/// Systems in aggregates of a hundred under one root; each part has a check and an agent.
fn workspace(systems: u16) -> Workspace {
    let mut workspace = Workspace::new();
    let groups = systems.div_ceil(PARTS);
    let mut list = |of: SpaceId, title: String, parts: Vec<SpaceId>| {
        workspace.open_space(of);
        let _edit = workspace
            .edit_system(of, &chain(), at(0), |edit| {
                edit.title(&title)?;
                edit.category("service")?;
                parts
                    .iter()
                    .try_for_each(|part| edit.put_part(*part, &Part::default()))
            })
            .unwrap();
    };
    list(
        space(3, 0),
        "hosting".to_owned(),
        (0..groups).map(|group| space(4, group)).collect(),
    );
    for group in 0..groups {
        let parts = (group * PARTS)..((group + 1) * PARTS).min(systems);
        list(
            space(4, group),
            format!("group {group}"),
            parts.map(|n| space(1, n)).collect(),
        );
    }
    for n in 0..systems {
        workspace.open_space(space(1, n));
        workspace.open_space(space(2, n));
        let agent = AgentRef {
            label: format!("host{n}"),
            author: Some(chain().author),
        };
        let _edit = workspace
            .edit_system(space(1, n), &chain(), at(0), |edit| {
                edit.title(&format!("host{n}.example.org"))?;
                edit.category("server")?;
                edit.put_check(&check(n))?;
                edit.put_agent(space(2, n), &agent)
            })
            .unwrap();
        observed(&mut workspace, n, Severity::Ok, 1);
    }
    workspace
}

#[divan::bench(args = [1_000, 10_000], sample_count = 10)]
fn anew(bencher: Bencher<'_, '_>, systems: u16) {
    let workspace = workspace(systems);
    bencher.bench_local(|| View::default().update(&workspace, at(2)));
}

#[divan::bench(args = [1_000, 10_000], sample_count = 50)]
fn after_a_transition(bencher: Bencher<'_, '_>, systems: u16) {
    let mut workspace = workspace(systems);
    let mut view = View::default();
    view.update(&workspace, at(2));
    let mut second = 10;
    bencher.bench_local(|| {
        let state = if second % 2 == 0 {
            Severity::Critical
        } else {
            Severity::Ok
        };
        // The edit itself is a few microseconds of this.
        observed(&mut workspace, systems / 2, state, second);
        second += 1;
        view.update(&workspace, at(2))
    });
}

/// Every check has an open alert.
fn alarmed(systems: u16) -> Workspace {
    let mut workspace = workspace(systems);
    for n in 0..systems {
        observed(&mut workspace, n, Severity::Critical, 2);
    }
    workspace
}

#[divan::bench(args = [1_000, 10_000], sample_count = 10)]
fn open_alerts_anew(bencher: Bencher<'_, '_>, systems: u16) {
    let workspace = alarmed(systems);
    bencher.bench_local(|| {
        let snapshot = View::default().update(&workspace, at(3));
        assert_eq!(snapshot.alerts.len(), usize::from(systems));
        snapshot
    });
}

#[divan::bench(args = [1_000, 10_000], sample_count = 50)]
fn one_more_among_open_alerts(bencher: Bencher<'_, '_>, systems: u16) {
    let mut workspace = alarmed(systems);
    let mut view = View::default();
    view.update(&workspace, at(3));
    let mut second = 10;
    bencher.bench_local(|| {
        let state = if second % 2 == 0 {
            Severity::Critical
        } else {
            Severity::Ok
        };
        observed(&mut workspace, systems / 2, state, second);
        second += 1;
        view.update(&workspace, at(3))
    });
}

/// The states of all Systems summed up, by themselves.
#[divan::bench(args = [1_000, 10_000], sample_count = 20)]
fn status_roll_up(bencher: Bencher<'_, '_>, systems: u16) {
    let workspace = alarmed(systems);
    let snapshot = workspace.view(at(3));
    let own = snapshot.systems.iter();
    let own: BTreeMap<SpaceId, Severity> = own
        .filter_map(|view| Some((view.space, view.status.own?)))
        .collect();
    bencher.bench_local(|| roll_up(&snapshot.graph, &own));
}

#[divan::bench(args = [1_000, 10_000], sample_count = 50)]
fn after_a_heartbeat(bencher: Bencher<'_, '_>, systems: u16) {
    let mut workspace = workspace(systems);
    let mut view = View::default();
    let mut second = 2;
    view.update(&workspace, at(second));
    bencher.bench_local(|| {
        second += 1;
        let beat = Heartbeat {
            at: at(second),
            generation: 1,
            checks: vec![CheckBeat {
                check: check(3).id,
                at: at(second),
                raw: Severity::Ok,
                attempt: 0,
            }],
        };
        workspace.heartbeat(space(2, 3), &beat, at(second));
        view.update(&workspace, at(2))
    });
}

/// Ten thousand changes of one document, each in an envelope of its own, by somebody whose are admitted: decoded,
/// passed through the gate, tried and applied.
fn ten_thousand_changes() -> Vec<AdmittedChange> {
    let mut author = Workspace::new();
    author.open_space(space(1, 1));
    let mut changes = Vec::new();
    for n in 0..10_000_u32 {
        let edit = author
            .edit_system(space(1, 1), &chain(), at(0), |edit| {
                edit.title(&format!("title {n}"))
            })
            .unwrap();
        let mut id = [0; 32];
        id[..4].copy_from_slice(&n.to_be_bytes());
        changes.push(AdmittedChange {
            chain: chain(),
            id: EnvelopeId::from_bytes(id),
            changes: edit.changes,
            scope: ChangeScope::Documents,
        });
    }
    changes
}

/// In batches as they come out of the store.
#[divan::bench(sample_count = 5)]
fn apply_10000_changes(bencher: Bencher<'_, '_>) {
    let changes = ten_thousand_changes();
    bencher.bench(|| {
        let mut workspace = Workspace::new();
        workspace.open_space(space(1, 1));
        for batch in changes.chunks(1_000) {
            let findings = workspace.admit(space(1, 1), name::system(), batch);
            assert_eq!(findings, []);
        }
        workspace
    });
}
