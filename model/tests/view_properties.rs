//! A view that follows a Workspace shows the same as one that is derived anew.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

mod common;
#[path = "common/dice.rs"]
mod dice;

use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::day::{Day, day_of};
use aramaki_model::entry::{Acknowledgement, Claim, Message, Withdrawal};
use aramaki_model::system::{AgentRef, Part, Reach, Silence};
use aramaki_model::{
    Check, CheckBeat, CheckId, CheckState, Edit, EditError, EntryId, Heartbeat, ItemId,
    JournalEntry, Maintenance, NoteId, Observation, Observer, Operator, Override, Relation,
    Severity, SystemEdit, TimelineEntry, View, Workspace,
};
use aramaki_sync_core::{SpaceId, Timestamp};
use common::{at, chain, send, space};
use dice::Dice;
use proptest::prelude::*;

/// Spaces of Systems; those of agents follow.
const SYSTEMS: u8 = 6;
const WRITER: u8 = 11;

fn check(n: u8) -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    let mut check = Check::new(CheckId::from_bytes([n; 16]), format!("c{n}"), kind);
    check.enabled = n > 0;
    check.quorum = (n > 1).then(|| u32::from(n - 1));
    check
}

fn severity(dice: &mut Dice) -> Severity {
    Severity::ALL[dice.below(5)]
}

/// Somebody describes a System.
fn describe(workspace: &mut Workspace, dice: &mut Dice, now: Timestamp) -> Edit {
    let system = space(dice.byte() % SYSTEMS);
    let agent = space(SYSTEMS + dice.byte() % SYSTEMS);
    let other = space(dice.byte() % (SYSTEMS + 1));
    let (n, label) = (dice.byte() % 4, format!("w{}", dice.below(9)));
    let kind = dice.below(14);
    workspace.open_space(system);
    let edit = workspace.edit_system(system, &chain(WRITER), now, |e| match kind {
        0 => e.title(&label),
        1 | 2 => e.put_check(&check(n)),
        3 | 4 => {
            e.category(&label)?;
            let relation = if n == 0 {
                Relation::Uses
            } else {
                Relation::Part
            };
            let overrides = Override {
                warning: Some(Severity::Critical),
                ..Override::NONE
            };
            let part = Part {
                label,
                relation,
                overrides,
                weight: (n > 1).then_some(u32::from(n)),
            };
            e.put_part(other, &part)
        }
        5 => e.remove_part(other),
        6 if n == 0 => e.aggregation(Operator::Xor),
        6 => e.aggregation(Operator::AtLeast(u32::from(n))),
        7 => {
            let author = (n > 0).then(|| chain(WRITER + n % 2).author);
            e.put_agent(agent, &AgentRef { label, author })
        }
        8 => {
            let selector = format!("site={label} OR category={label}").parse().unwrap();
            e.selector((n > 0).then_some(&selector))
        }
        9 => e.put_label("site", &label),
        12 | 13 => look(e, kind, other, (n, label)),
        10 => {
            let window = Maintenance {
                from: Timestamp::from_millis(now.millis() + 20_000),
                until: Timestamp::from_millis(now.millis() + 90_000),
                every_days: (n > 1).then_some(u16::from(n)),
                ..Maintenance::default()
            };
            e.put_maintenance(ItemId::from_bytes([n; 16]), &window)
        }
        _ => {
            let silence = Silence {
                check: (n > 2).then(|| check(n).id),
                reach: if n > 0 { Reach::Subtree } else { Reach::System },
                until_resolved: now.millis() % 2 == 0,
                from: Timestamp::from_millis(now.millis() + 20_000),
                until: Timestamp::from_millis(now.millis() + 90_000),
                ..Silence::default()
            };
            let silence = if n == 1 {
                silence.of_family(&format!("c{}: said", now.millis() % 4))
            } else {
                silence
            };
            e.put_silence(ItemId::from_bytes([n; 16]), &silence)
        }
    });
    edit.unwrap()
}

/// Somebody lets another System look, or a check is about another one.
fn look(
    edit: &mut SystemEdit<'_, '_>,
    kind: usize,
    other: SpaceId,
    (n, label): (u8, String),
) -> Result<(), EditError> {
    match (kind, n) {
        (12, 0) => edit.remove_observer(other),
        (12, _) => edit.put_observer(other, &Observer { label }),
        _ => edit.put_check(&Check {
            about_system: Some(other),
            ..check(n)
        }),
    }
}

/// Somebody says something about problems, or anything else.
fn somebody_says(dice: &mut Dice, now: Timestamp, n: u8, text: String) -> TimelineEntry {
    let later = |seconds: i64| Timestamp::from_millis(now.millis() + seconds * 1_000);
    match dice.below(5) {
        0 => TimelineEntry::Message(Message { at: now, text }),
        1 => TimelineEntry::Claim(Claim {
            at: now,
            text,
            until: later(i64::from(n) * 20),
            check: (n > 0).then(|| check(n).id),
            alert: None,
        }),
        2 => TimelineEntry::Withdrawal(Withdrawal {
            at: now,
            entry: EntryId::new(later(-i64::from(n)), [dice.byte(); 10]),
            text,
        }),
        _ => TimelineEntry::Acknowledgement(Acknowledgement {
            at: now,
            check: (n > 0).then(|| check(n).id),
            text,
            until: (n > 1).then(|| later(30)),
            alert: None,
        }),
    }
}

/// Something is written into a log or a note, or an agent says that it lives.
fn tell(workspace: &mut Workspace, dice: &mut Dice, now: Timestamp) {
    let system = space(dice.byte() % SYSTEMS);
    let agent = space(SYSTEMS + dice.byte() % SYSTEMS);
    let (n, text) = (dice.byte() % 4, format!("w{}", dice.below(9)));
    let (is, id) = (chain(WRITER), EntryId::new(now, [dice.byte(); 10]));
    let later = |seconds: i64| Timestamp::from_millis(now.millis() + seconds * 1_000);
    workspace.open_space(system);
    workspace.open_space(agent);
    let edit = match dice.below(8) {
        5 => {
            let day = day_of(now).saturating_sub(i32::from(n));
            let mut sum = Day::new(day, severity(dice));
            sum.lasted(severity(dice), 3_600);
            let sums = JournalEntry::sum_up(now, &[(check(n).id, sum)]);
            let sums: Vec<_> = sums.into_iter().map(|sum| (id, sum)).collect();
            workspace.append_days(agent, &is, now, &sums)
        }
        7 => {
            let about_system = Some(space(dice.byte() % SYSTEMS));
            let checks = vec![Check {
                about_system,
                ..check(n)
            }];
            let entries = [(id, JournalEntry::Declared { at: now, checks })];
            workspace.append_journal(agent, &is, now, &entries)
        }
        0 | 1 => {
            let mut state = CheckState::new(check(n).id);
            let said = Observation::of_builtin(check(n).id, now, severity(dice), "said");
            let transition = state.observe(&check(n), &said).unwrap();
            let entries = [(id, JournalEntry::Transition(transition))];
            workspace.append_journal(agent, &is, now, &entries)
        }
        2 => {
            let entry = somebody_says(dice, now, n, text);
            workspace.append_timeline(system, &is, now, &[(id, entry)])
        }
        3 => {
            workspace.hears(agent, dice.below(2) == 0, now);
            return;
        }
        4 => workspace.set_note(system, NoteId::from_bytes([n; 16]), &is, now, &text),
        _ => {
            let beat = Heartbeat {
                at: later(i64::from(n)),
                generation: 1,
                checks: vec![CheckBeat {
                    check: check(n).id,
                    at: now,
                    raw: severity(dice),
                    attempt: 0,
                }],
            };
            return workspace.heartbeat(agent, &beat, now);
        }
    };
    drop(edit.unwrap());
}

/// Something happens.
fn step(workspace: &mut Workspace, dice: &mut Dice, now: Timestamp) {
    if dice.below(3) == 0 {
        return tell(workspace, dice, now);
    }
    let edit = describe(workspace, dice, now);
    if dice.below(8) == 0 {
        workspace.close_space(&space(dice.byte() % (2 * SYSTEMS)));
    }
    // Sometimes something is left out, and shown as a finding.
    if dice.below(6) == 0 {
        let system = space(dice.byte() % SYSTEMS);
        let mut sent = send(system, &chain(WRITER), edit);
        sent.admitted.changes = vec![vec![dice.byte(); 20]];
        common::receive(workspace, &sent);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn what_is_remembered_changes_nothing(seed: u64) {
        let mut dice = Dice(seed);
        let mut workspace = Workspace::new();
        let mut view = View::default();
        let mut now = 0_i64;
        for _ in 0..60 {
            for _ in 0..dice.below(3) {
                step(&mut workspace, &mut dice, at(now));
            }
            // Seconds, minutes, sometimes a day; rarely the clock goes back.
            now += match dice.below(24) {
                0 | 1 => 86_400,
                3 => 10 * 86_400,
                4 => 121,
                5 => -50,
                6 | 7 => i64::from(dice.byte()),
                _ => i64::from(dice.byte() % 8),
            };
            let followed = view.update(&workspace, at(now));
            let anew = workspace.view(at(now));
            for (followed, anew) in followed.systems.iter().zip(&anew.systems) {
                prop_assert_eq!(followed, anew);
            }
            prop_assert_eq!(&followed.alerts, &anew.alerts);
            prop_assert!(followed.alerts.iter().is_sorted_by_key(|alert| alert.order()));
            prop_assert!(*followed == anew);
        }
    }
}
