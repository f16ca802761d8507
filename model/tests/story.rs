//! What two people and an agent do with a System, as their replicas see it.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

mod common;

use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::entry::{Acknowledgement, AgentStarted, Message};
use aramaki_model::snapshot::{Access, Observed, Rank, TimelineEvent};
use aramaki_model::status::AgentLife;
use aramaki_model::system::{AgentRef, NoteKind, NoteRef, Part, Rule, Touch};
use aramaki_model::{
    Check, CheckBeat, CheckId, CheckState, Edit, EntryId, Heartbeat, ItemId, JournalEntry, NoteId,
    Observation, Operator, Override, Relation, Severity, Snapshot, Splice, TimelineEntry, View,
    Workspace, name,
};
use aramaki_sync_core::Timestamp;
use common::{Sent, at, chain, receive, send, space};

const SHOP: u8 = 1;
const DATABASE: u8 = 2;
const AGENT: u8 = 9;
const ALICE: u8 = 11;
const BOB: u8 = 12;
const ROBOT: u8 = 13;

fn entry(seconds: i64, n: u8) -> EntryId {
    EntryId::new(at(seconds), [n; 10])
}

fn replication() -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    Check::new(CheckId::from_bytes([7; 16]), "replication", kind)
}

/// Alice describes a shop whose part is a database that an agent observes.
fn described(alice: &mut Workspace) -> Vec<Sent> {
    for n in [SHOP, DATABASE, AGENT] {
        alice.open_space(space(n));
    }
    let shop = alice
        .edit_system(space(SHOP), &chain(ALICE), at(0), |edit| {
            edit.title("Webshop")?;
            edit.category("service")?;
            let part = Part {
                label: "db02".to_owned(),
                ..Part::default()
            };
            edit.put_part(space(DATABASE), &part)?;
            let hidden = Part {
                label: "payment provider".to_owned(),
                ..Part::default()
            };
            edit.put_part(
                space(200),
                &Part {
                    relation: Relation::Uses,
                    ..hidden
                },
            )?;
            let rule = Rule {
                touch: Touch::Freely,
                text: "restart web*".to_owned(),
            };
            edit.put_rule(ItemId::from_bytes([1; 16]), &rule)
        })
        .unwrap();
    let database = alice
        .edit_system(space(DATABASE), &chain(ALICE), at(0), |edit| {
            edit.title("db02")?;
            edit.category("infrastructure")?;
            edit.put_check(&replication())?;
            let agent = AgentRef {
                label: "db02.example.org".to_owned(),
                author: Some(chain(ROBOT).author),
            };
            edit.put_agent(space(AGENT), &agent)
        })
        .unwrap();
    vec![
        send(space(SHOP), &chain(ALICE), shop),
        send(space(DATABASE), &chain(ALICE), database),
    ]
}

/// The agent writes what it saw; returns its envelopes.
fn observed(results: &[(i64, Severity)]) -> Vec<Sent> {
    let mut robot = Workspace::new();
    robot.open_space(space(AGENT));
    let started = AgentStarted {
        at: at(1),
        host: "db02".to_owned(),
        version: "0.1.0".to_owned(),
    };
    let mut entries = vec![(entry(1, 0), JournalEntry::Started(started))];
    let (check, mut state) = (replication(), CheckState::new(replication().id));
    for (seconds, severity) in results {
        let observation = Observation::of_builtin(check.id, at(*seconds), *severity, "lag 41 s");
        if let Some(transition) = state.observe(&check, &observation) {
            entries.push((entry(*seconds, 1), JournalEntry::Transition(transition)));
        }
    }
    let mut sent = Vec::new();
    for entry in entries {
        let edit = robot
            .append_journal(space(AGENT), &chain(ROBOT), at(1), &[entry])
            .unwrap();
        sent.push(send(space(AGENT), &chain(ROBOT), edit));
    }
    sent
}

fn heartbeat(seconds: i64, raw: Severity) -> Heartbeat {
    let beat = CheckBeat {
        check: replication().id,
        at: at(seconds),
        raw,
        attempt: 0,
    };
    Heartbeat {
        at: at(seconds),
        generation: 1,
        checks: vec![beat],
    }
}

#[test]
fn a_problem_of_a_part_reaches_its_aggregate_with_the_way_to_it() {
    let mut alice = Workspace::new();
    described(&mut alice);
    for sent in observed(&[(5, Severity::Ok), (10, Severity::Critical)]) {
        assert_eq!(receive(&mut alice, &sent), []);
    }
    let view = alice.view(at(20));
    let shop = view.system(&space(SHOP)).unwrap();
    assert_eq!(shop.status.raw, Severity::Critical);
    assert_eq!(shop.status.since, Some(at(10)));
    assert_eq!(shop.status.words(), "Webshop → db02: replication: lag 41 s");
    assert_eq!(shop.rank, Rank::Anchor);
    assert_eq!((shop.counts.critical, shop.unreadable_parts), (1, 1));
    assert_eq!(shop.parts[1].access, Access::NotShared);
    assert_eq!(shop.parts[1].label, "payment provider");
    let database = view.system(&space(DATABASE)).unwrap();
    assert_eq!(database.rank, Rank::Below);
    assert_eq!(database.aggregates, [(space(SHOP), "Webshop".to_owned())]);
    assert_eq!(database.agents[0].life, AgentLife::Alive);
    assert!(database.checks[0].alert.is_some());
    let concerned = view.concerned(space(DATABASE));
    assert_eq!(concerned[1].path, [space(SHOP), space(DATABASE)]);
    let last = &database.timeline[0].event;
    assert!(matches!(
        last,
        TimelineEvent::Transition {
            to: Severity::Critical,
            ..
        }
    ));
    assert_eq!(view.categories.len(), 1);
    assert_eq!(database.history.last(), Some(&Severity::Critical));
}

#[test]
fn silence_of_an_agent_is_missing_and_its_heartbeat_is_not() {
    let mut alice = Workspace::new();
    described(&mut alice);
    for sent in observed(&[(5, Severity::Ok)]) {
        receive(&mut alice, &sent);
    }
    alice.hears(space(AGENT), true, at(6));
    let raw = |alice: &Workspace, seconds| {
        let view = alice.view(at(seconds));
        view.system(&space(SHOP)).unwrap().status.raw
    };
    assert_eq!(raw(&alice, 100), Severity::Ok);
    assert_eq!(raw(&alice, 126), Severity::Missing);
    alice.heartbeat(space(AGENT), &heartbeat(130, Severity::Ok), at(130));
    assert_eq!(raw(&alice, 140), Severity::Ok);
    assert_eq!(raw(&alice, 300), Severity::Missing);
    let view = alice.view(at(300));
    let check = &view.system(&space(DATABASE)).unwrap().checks[0];
    assert_eq!(
        (check.status.raw, check.status.last),
        (Severity::Missing, Some(Severity::Ok))
    );
}

#[test]
fn silence_to_which_nobody_listened_says_nothing() {
    let mut alice = Workspace::new();
    described(&mut alice);
    for sent in observed(&[(5, Severity::Ok)]) {
        receive(&mut alice, &sent);
    }
    let told = |alice: &Workspace, seconds| {
        let view = alice.view(at(seconds));
        let of = |system| &view.system(&space(system)).unwrap().status;
        assert_eq!(of(SHOP).as_of, of(DATABASE).as_of, "its part's is its own");
        (of(DATABASE).raw, of(DATABASE).as_of)
    };
    assert_eq!(told(&alice, 9_000), (Severity::Ok, Some(at(5))));
    alice.hears(space(AGENT), true, at(9_000));
    // What was said last may be lost on its way: the next heartbeat comes within its time.
    assert_eq!(told(&alice, 9_024), (Severity::Ok, Some(at(5))));
    assert_eq!(told(&alice, 9_025), (Severity::Missing, None));
    alice.heartbeat(space(AGENT), &heartbeat(9_030, Severity::Ok), at(9_030));
    assert_eq!(told(&alice, 9_031), (Severity::Ok, None));
    // The connection is cut, and for an hour nothing can be heard.
    alice.hears(space(AGENT), false, at(9_040));
    assert_eq!(told(&alice, 12_640), (Severity::Ok, Some(at(9_040))));
}

#[test]
fn an_acknowledgement_quiets_the_effective_state_and_recovery_ends_it() {
    let mut alice = Workspace::new();
    described(&mut alice);
    let envelopes = observed(&[
        (5, Severity::Ok),
        (10, Severity::Critical),
        (30, Severity::Ok),
        (40, Severity::Critical),
    ]);
    for sent in &envelopes[..3] {
        receive(&mut alice, sent);
    }
    let acknowledgement = TimelineEntry::Acknowledgement(Acknowledgement {
        at: at(15),
        check: Some(replication().id),
        text: "ticket 12".to_owned(),
        until: None,
        ..Acknowledgement::default()
    });
    let entries = [(entry(15, 2), acknowledgement)];
    let edit = alice
        .append_timeline(space(DATABASE), &chain(ALICE), at(15), &entries)
        .unwrap();
    assert!(edit.is_new_document);
    let states = |alice: &Workspace, seconds| {
        let view = alice.view(at(seconds));
        let shop = view.system(&space(SHOP)).unwrap();
        (shop.status.raw, shop.status.effective)
    };
    assert_eq!(states(&alice, 20), (Severity::Critical, Severity::Ok));
    receive(&mut alice, &envelopes[3]);
    assert_eq!(states(&alice, 35), (Severity::Ok, Severity::Ok));
    receive(&mut alice, &envelopes[4]);
    assert_eq!(states(&alice, 45), (Severity::Critical, Severity::Critical));
}

#[test]
fn only_the_agents_own_entries_count() {
    let mut alice = Workspace::new();
    described(&mut alice);
    let mut forger = Workspace::new();
    forger.open_space(space(AGENT));
    let (check, mut state) = (replication(), CheckState::new(replication().id));
    let observation = Observation::of_builtin(check.id, at(5), Severity::Ok, "all fine");
    let transition = state.observe(&check, &observation).unwrap();
    let entries = [(entry(5, 1), JournalEntry::Transition(transition))];
    let edit = forger
        .append_journal(space(AGENT), &chain(BOB), at(5), &entries)
        .unwrap();
    receive(&mut alice, &send(space(AGENT), &chain(BOB), edit));
    let view = alice.view(at(6));
    assert_eq!(
        view.system(&space(DATABASE)).unwrap().status.raw,
        Severity::Missing
    );
    assert_eq!(view.findings.len(), 1);
}

/// Both get what both wrote in the shop's Space; what one wrote comes back too.
fn exchange(alice: &mut Workspace, bob: &mut Workspace, by_alice: Edit, by_bob: Edit) {
    for sent in [
        send(space(SHOP), &chain(ALICE), by_alice),
        send(space(SHOP), &chain(BOB), by_bob),
    ] {
        receive(alice, &sent);
        receive(bob, &sent);
    }
}

/// When somebody wrote in a note last, and in which.
fn notes_written(view: &Snapshot) -> Vec<(Timestamp, &str)> {
    let timeline = view.system(&space(SHOP)).unwrap().timeline.iter();
    let written = timeline.filter_map(|item| match &item.event {
        TimelineEvent::NoteEdited { title } => Some((item.at, title.as_str())),
        _ => None,
    });
    written.collect()
}

#[test]
fn two_people_edit_offline_and_both_edits_stay() {
    let (mut alice, mut bob) = (Workspace::new(), Workspace::new());
    for sent in described(&mut alice) {
        receive(&mut alice, &sent);
        receive(&mut bob, &sent);
    }
    bob.open_space(space(AGENT));
    let note = NoteId::from_bytes([3; 16]);
    let splice = |at, insert: &str| Splice {
        at,
        delete: 0,
        insert: insert.to_owned(),
    };
    // Both begin the same note while apart: it is one text.
    let by_alice = alice
        .splice_note(
            space(SHOP),
            note,
            &chain(ALICE),
            at(1),
            &splice(0, "Übergabe\n"),
        )
        .unwrap();
    let by_bob = bob
        .set_note(space(SHOP), note, &chain(BOB), at(1), "Runbook\n")
        .unwrap();
    exchange(&mut alice, &mut bob, by_alice, by_bob);
    let text = alice.note_text(&space(SHOP), note).unwrap().to_owned();
    assert_eq!(Some(text.as_str()), bob.note_text(&space(SHOP), note));
    assert!(
        text.contains("Übergabe") && text.contains("Runbook"),
        "{text}"
    );
    // Character-level merge in one line.
    let middle = text.chars().count();
    let by_alice = alice
        .splice_note(space(SHOP), note, &chain(ALICE), at(2), &splice(0, "A"))
        .unwrap();
    let by_bob = bob
        .splice_note(space(SHOP), note, &chain(BOB), at(2), &splice(middle, "B"))
        .unwrap();
    exchange(&mut alice, &mut bob, by_alice, by_bob);
    assert_eq!(
        alice.note_text(&space(SHOP), note),
        Some(format!("A{text}B").as_str())
    );
    assert_eq!(alice.digest(), bob.digest());
    assert_eq!(alice.view(at(3)), {
        let mut view = bob.view(at(3));
        view.version = alice.version();
        view
    });
    // An unlisted note is shown under its first line, a listed one under its title.
    let view = alice.view(at(3));
    assert_eq!(view.system(&space(SHOP)).unwrap().notes[0].note, None);
    let entry = NoteRef {
        title: "Shift".to_owned(),
        kind: NoteKind::Handover,
    };
    let _edit = alice
        .edit_system(space(SHOP), &chain(ALICE), at(4), |edit| {
            edit.put_note(note, &entry)
        })
        .unwrap();
    let view = alice.view(at(4));
    let listed = &view.system(&space(SHOP)).unwrap().notes;
    assert_eq!((listed.len(), listed[0].title.as_str()), (1, "Shift"));
    let written = notes_written(&view);
    assert_eq!(written, [(at(2), "Shift")], "the last time alone");
}

#[test]
fn concurrent_titles_are_shown_as_a_conflict_until_someone_decides() {
    let (mut alice, mut bob) = (Workspace::new(), Workspace::new());
    for sent in described(&mut alice) {
        receive(&mut alice, &sent);
        receive(&mut bob, &sent);
    }
    let by_alice = alice
        .edit_system(space(SHOP), &chain(ALICE), at(1), |e| e.title("Shop A"))
        .unwrap();
    let by_bob = bob
        .edit_system(space(SHOP), &chain(BOB), at(1), |e| e.title("Shop B"))
        .unwrap();
    exchange(&mut alice, &mut bob, by_alice, by_bob);
    let conflicts = |workspace: &Workspace| {
        let view = workspace.view(at(2));
        view.system(&space(SHOP)).unwrap().conflicts.clone()
    };
    assert_eq!(conflicts(&alice), conflicts(&bob));
    assert_eq!(conflicts(&alice)[0].values.len(), 2);
    // Writing the value that is shown decides too.
    let shown = alice.system(&space(SHOP)).unwrap().title.clone();
    let decided = alice
        .edit_system(space(SHOP), &chain(ALICE), at(3), |e| e.title(&shown))
        .unwrap();
    assert_eq!(decided.changes.len(), 1);
    assert_eq!(conflicts(&alice), []);
}

#[test]
fn an_edit_that_comes_back_is_recognised_and_an_equal_edit_is_none() {
    let mut alice = Workspace::new();
    for sent in described(&mut alice) {
        let digest = alice.digest();
        assert_eq!(receive(&mut alice, &sent), []);
        assert_eq!(alice.digest(), digest);
    }
    let same = alice
        .edit_system(space(SHOP), &chain(ALICE), at(1), |e| e.title("Webshop"))
        .unwrap();
    assert_eq!(same.changes, Vec::<Vec<u8>>::new());
}

#[test]
fn an_edit_that_could_not_be_written_is_forgotten_by_a_rebuild() {
    let mut alice = Workspace::new();
    let sent = described(&mut alice);
    let digest = alice.digest();
    let _lost = alice
        .edit_system(space(SHOP), &chain(ALICE), at(1), |e| e.title("lost"))
        .unwrap();
    assert_ne!(alice.digest(), digest);
    let findings = alice.rebuild(space(SHOP), name::system(), &[sent[0].admitted.clone()]);
    assert_eq!(findings, []);
    assert_eq!(alice.digest(), digest);
    // The number of the lost change is free again.
    let again = alice
        .edit_system(space(SHOP), &chain(ALICE), at(2), |e| e.title("kept"))
        .unwrap();
    let mut bob = Workspace::new();
    for sent in &sent {
        receive(&mut bob, sent);
    }
    assert_eq!(
        receive(&mut bob, &send(space(SHOP), &chain(ALICE), again)),
        []
    );
}

#[test]
fn a_document_of_which_nothing_is_admitted_any_more_is_gone() {
    let mut alice = Workspace::new();
    described(&mut alice);
    assert!(alice.system(&space(SHOP)).is_some());
    let open = alice.open_documents(&space(SHOP));
    assert!(open.contains(&name::system()));
    for document in open {
        assert_eq!(alice.rebuild(space(SHOP), document, &[]), []);
    }
    assert_eq!(alice.open_documents(&space(SHOP)), []);
    assert!(alice.system(&space(SHOP)).is_none());
    assert!(alice.view(at(2)).system(&space(SHOP)).is_none());
}

#[test]
fn changes_that_come_before_what_they_build_on_wait_for_it() {
    let mut alice = Workspace::new();
    alice.open_space(space(SHOP));
    let mut envelopes = Vec::new();
    for (n, text) in ["one", "two", "three"].into_iter().enumerate() {
        let seconds = i64::try_from(n).unwrap();
        let message = TimelineEntry::Message(Message {
            at: at(seconds),
            text: text.to_owned(),
        });
        let entries = [(entry(seconds, 0), message)];
        let edit = alice
            .append_timeline(space(SHOP), &chain(ALICE), at(0), &entries)
            .unwrap();
        envelopes.push(send(space(SHOP), &chain(ALICE), edit));
    }
    let mut bob = Workspace::new();
    for sent in envelopes.iter().rev() {
        receive(&mut bob, sent);
    }
    assert_eq!(alice.digest(), bob.digest());
}

#[test]
fn a_long_note_is_written_in_changes_that_others_accept() {
    let (mut alice, mut bob) = (Workspace::new(), Workspace::new());
    alice.open_space(space(SHOP));
    let note = NoteId::from_bytes([4; 16]);
    let text = "a line of text\n".repeat(2_000);
    let edit = alice
        .set_note(space(SHOP), note, &chain(ALICE), at(0), &text)
        .unwrap();
    assert!(edit.changes.len() > 1);
    assert_eq!(
        receive(&mut bob, &send(space(SHOP), &chain(ALICE), edit)),
        []
    );
    assert_eq!(bob.note_text(&space(SHOP), note), Some(text.as_str()));
    let edit = alice
        .set_note(space(SHOP), note, &chain(ALICE), at(1), "")
        .unwrap();
    assert_eq!(
        receive(&mut bob, &send(space(SHOP), &chain(ALICE), edit)),
        []
    );
    assert_eq!(bob.note_text(&space(SHOP), note), Some(""));
    let too_long = "x".repeat(300_000);
    assert!(
        alice
            .set_note(space(SHOP), note, &chain(ALICE), at(2), &too_long)
            .is_err()
    );
    assert_eq!(alice.digest(), bob.digest());
}

#[test]
fn an_unobserved_system_is_missing_but_does_not_hide_observed_parts() {
    let mut alice = Workspace::new();
    described(&mut alice);
    for sent in observed(&[(5, Severity::Ok)]) {
        receive(&mut alice, &sent);
    }
    alice.open_space(space(3));
    let _edit = alice
        .edit_system(space(3), &chain(ALICE), at(0), |e| e.title("Documentation"))
        .unwrap();
    let _edit = alice
        .edit_system(space(SHOP), &chain(ALICE), at(0), |e| {
            e.aggregation(Operator::Worst)?;
            e.put_part(
                space(3),
                &Part {
                    overrides: Override::NONE,
                    ..Part::default()
                },
            )
        })
        .unwrap();
    let view = alice.view(at(10));
    let documentation = view.system(&space(3)).unwrap();
    assert_eq!(documentation.status.raw, Severity::Missing);
    assert_eq!(documentation.status.observed, Observed::No);
    assert_eq!(view.system(&space(SHOP)).unwrap().status.raw, Severity::Ok);
}

#[test]
fn a_selector_finds_its_parts_by_label_and_category() {
    let mut alice = Workspace::new();
    described(&mut alice);
    for sent in observed(&[(5, Severity::Critical)]) {
        receive(&mut alice, &sent);
    }
    alice.open_space(space(3));
    let selector = "category=database AND site=rzob".parse().unwrap();
    let _edit = alice
        .edit_system(space(3), &chain(ALICE), at(0), |e| {
            e.title("Databases here")?;
            e.selector(Some(&selector))
        })
        .unwrap();
    let raw = |alice: &Workspace| {
        let view = alice.view(at(10));
        view.system(&space(3)).unwrap().status.raw
    };
    let label = |alice: &mut Workspace, site: &str| {
        let edit = alice.edit_system(space(DATABASE), &chain(ALICE), at(1), |e| {
            e.category("database")?;
            e.put_label("site", site)
        });
        drop(edit.unwrap());
    };
    assert_eq!(raw(&alice), Severity::Missing);
    label(&mut alice, "rzob");
    assert_eq!(raw(&alice), Severity::Critical);
    let view = alice.view(at(10));
    assert_eq!(view.system(&space(3)).unwrap().parts.len(), 1);
    let aggregates = &view.system(&space(DATABASE)).unwrap().aggregates;
    assert!(aggregates.contains(&(space(3), "Databases here".to_owned())));
    label(&mut alice, "elsewhere");
    assert_eq!(raw(&alice), Severity::Missing);
}

#[test]
fn a_silence_of_the_subtree_quiets_the_aggregate_and_nobody_else() {
    use aramaki_model::system::{Reach, Silence};
    let mut alice = Workspace::new();
    described(&mut alice);
    for sent in observed(&[(5, Severity::Critical)]) {
        receive(&mut alice, &sent);
    }
    let silence = Silence {
        reach: Reach::Subtree,
        from: at(10),
        until: at(20),
        ..Silence::default()
    };
    let _edit = alice
        .edit_system(space(SHOP), &chain(ALICE), at(6), |e| {
            e.put_silence(ItemId::default(), &silence)
        })
        .unwrap();
    let mut view = View::default();
    let mut states = |seconds| {
        let view = view.update(&alice, at(seconds));
        [SHOP, DATABASE].map(|n| {
            let status = &view.system(&space(n)).unwrap().status;
            (status.raw, status.effective)
        })
    };
    let loud = (Severity::Critical, Severity::Critical);
    let quiet = (Severity::Critical, Severity::Ok);
    assert_eq!(states(9), [loud, loud]);
    assert_eq!(states(10), [quiet, loud]);
    assert_eq!(states(20), [loud, loud]);
}

#[test]
fn in_a_maintenance_window_problems_are_expected() {
    use aramaki_model::Maintenance;
    use aramaki_model::status::Handled;
    let mut alice = Workspace::new();
    described(&mut alice);
    for sent in observed(&[(5, Severity::Critical)]) {
        receive(&mut alice, &sent);
    }
    let window = Maintenance {
        reason: "new disks".to_owned(),
        from: at(10),
        until: at(20),
        every_days: None,
        cron: None,
    };
    let _edit = alice
        .edit_system(space(DATABASE), &chain(ALICE), at(6), |e| {
            e.put_maintenance(ItemId::default(), &window)
        })
        .unwrap();
    let mut view = View::default();
    let mut handled = |seconds| {
        let view = view.update(&alice, at(seconds));
        let system = view.system(&space(DATABASE)).unwrap();
        (system.status.effective, system.checks[0].status.handled)
    };
    assert_eq!(handled(9), (Severity::Critical, None));
    assert_eq!(handled(10), (Severity::Ok, Some(Handled::Maintenance)));
    assert_eq!(handled(20), (Severity::Critical, None));
}

/// A System at which three agents look, with this check.
fn watched(check: &Check) -> Workspace {
    let mut alice = Workspace::new();
    described(&mut alice);
    let _edit = alice
        .edit_system(space(DATABASE), &chain(ALICE), at(0), |e| {
            e.put_check(check)?;
            e.put_agent(space(20), &AgentRef::default())?;
            e.put_agent(space(21), &AgentRef::default())
        })
        .unwrap();
    alice
}

/// What one of its agents says.
fn tell(alice: &mut Workspace, check: &Check, agent: u8, (seconds, severity): (i64, Severity)) {
    alice.open_space(space(agent));
    let mut state = CheckState::new(check.id);
    let before = if severity.is_ok() {
        Severity::Warning
    } else {
        Severity::Ok
    };
    for (at_second, severity) in [(seconds - 1, before), (seconds, severity)] {
        let said = Observation::of_builtin(check.id, at(at_second), severity, "from here");
        let transition = state.observe(check, &said);
        if at_second < seconds {
            continue;
        }
        let entries = [(
            entry(seconds, agent),
            JournalEntry::Transition(transition.unwrap()),
        )];
        let edit = alice.append_journal(space(agent), &chain(ROBOT), at(seconds), &entries);
        drop(edit.unwrap());
    }
}

/// What counts, how many look, and the open alert.
fn seen(
    alice: &Workspace,
    check: &Check,
) -> (Severity, usize, Option<aramaki_model::alert::AlertId>) {
    let view = alice.view(at(60));
    let checks = &view.system(&space(DATABASE)).unwrap().checks;
    let seen = checks.iter().find(|it| it.check.id == check.id).unwrap();
    (seen.status.raw, seen.vantages.len(), seen.alert)
}

/// Each machine has a disk of its own: the one that is well says nothing of the other's.
#[test]
fn where_several_agents_look_the_worst_of_what_they_see_counts() {
    let check = replication();
    let mut alice = watched(&check);
    for agent in [AGENT, 20, 21] {
        tell(&mut alice, &check, agent, (1, Severity::Ok));
    }
    assert_eq!(seen(&alice, &check), (Severity::Ok, 3, None));
    tell(&mut alice, &check, 20, (10, Severity::Critical));
    let (raw, vantages, alert) = seen(&alice, &check);
    assert_eq!((raw, vantages), (Severity::Critical, 3));
    assert!(alert.is_some());
    tell(&mut alice, &check, 21, (15, Severity::Warning));
    tell(&mut alice, &check, 21, (20, Severity::Ok));
    assert_eq!(
        seen(&alice, &check),
        (Severity::Critical, 3, alert),
        "of another machine"
    );
    tell(&mut alice, &check, 20, (30, Severity::Ok));
    assert_eq!(seen(&alice, &check), (Severity::Ok, 3, None));
}

#[test]
fn of_what_is_sent_to_one_machine_the_others_know_nothing() {
    let check = Check {
        kind: CheckKind::External {},
        ..replication()
    };
    let mut alice = watched(&check);
    for agent in [AGENT, 20, 21] {
        tell(&mut alice, &replication(), agent, (1, Severity::Ok));
    }
    assert_eq!(seen(&alice, &check).0, Severity::Ok);
    let check = Check {
        id: CheckId::from_bytes([77; 16]),
        ..check
    };
    let _edit = alice
        .edit_system(space(DATABASE), &chain(ALICE), at(0), |e| {
            e.put_check(&check)
        })
        .unwrap();
    assert_eq!(seen(&alice, &check).0, Severity::Missing);
    tell(&mut alice, &check, 20, (5, Severity::Ok));
    assert_eq!(seen(&alice, &check), (Severity::Ok, 0, None));
}

#[test]
fn a_problem_counts_when_enough_vantages_agree() {
    let check = Check {
        quorum: Some(2),
        ..replication()
    };
    let mut alice = watched(&check);
    for agent in [AGENT, 20, 21] {
        tell(&mut alice, &check, agent, (1, Severity::Ok));
    }
    tell(&mut alice, &check, 20, (10, Severity::Critical));
    assert_eq!(seen(&alice, &check), (Severity::Ok, 3, None));
    tell(&mut alice, &check, 21, (20, Severity::Critical));
    let (raw, _, alert) = seen(&alice, &check);
    assert_eq!(raw, Severity::Critical);
    assert!(alert.is_some());
    // Further agreement is the same alert.
    tell(&mut alice, &check, AGENT, (30, Severity::Critical));
    assert_eq!(seen(&alice, &check).2, alert);
}
