//! A shop whose part is a database that an agent looks at, as stories and rules of alerts tell of it.

use std::sync::Arc;

use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::entry::AgentStarted;
use aramaki_model::notify::{self, AlertFact};
use aramaki_model::system::{AgentRef, Part};
use aramaki_model::{
    Alert, Check, CheckId, CheckState, EntryId, ItemId, JournalEntry, Observation, Severity,
    Silence, Workspace,
};

use crate::common::{at, chain, space};

pub(crate) const SHOP: u8 = 1;
pub(crate) const DATABASE: u8 = 2;
pub(crate) const AGENT: u8 = 9;
pub(crate) const ALICE: u8 = 11;
pub(crate) const BOB: u8 = 12;
pub(crate) const ROBOT: u8 = 13;
/// Seconds of a day.
pub(crate) const DAY: i64 = 86_400;

/// A check of the database.
pub(crate) fn check(n: u8) -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    Check {
        ttl_ms: Some(10 * 60_000),
        ..Check::new(CheckId::from_bytes([n; 16]), format!("check{n}"), kind)
    }
}

/// The shop and the database, with two checks.
pub(crate) fn workspace() -> Workspace {
    let mut workspace = Workspace::new();
    for n in [SHOP, DATABASE, AGENT] {
        workspace.open_space(space(n));
    }
    let write = |workspace: &mut Workspace, n: u8, title: &str| {
        let edit = workspace.edit_system(space(n), &chain(ALICE), at(0), |edit| {
            edit.title(title)?;
            edit.put_person(chain(ALICE).author, "alice")?;
            edit.put_person(chain(BOB).author, "bob")?;
            if n == SHOP {
                return edit.put_part(space(DATABASE), &Part::default());
            }
            edit.put_check(&check(1))?;
            edit.put_check(&check(2))?;
            let agent = AgentRef {
                label: "db02.example.org".to_owned(),
                author: Some(chain(ROBOT).author),
            };
            edit.put_agent(space(AGENT), &agent)
        });
        drop(edit.unwrap());
    };
    write(&mut workspace, SHOP, "Webshop");
    write(&mut workspace, DATABASE, "db02");
    let started = AgentStarted {
        at: at(1),
        host: "db02".to_owned(),
        version: "0.1.0".to_owned(),
    };
    journal(&mut workspace, 1, JournalEntry::Started(started));
    workspace
}

/// The agent writes something down.
pub(crate) fn journal(workspace: &mut Workspace, seconds: i64, said: JournalEntry) {
    let entries = [(EntryId::new(at(seconds), [1; 10]), said)];
    let edit = workspace.append_journal(space(AGENT), &chain(ROBOT), at(seconds), &entries);
    drop(edit.unwrap());
}

/// The agent tells what a check said at these seconds.
pub(crate) fn told(workspace: &mut Workspace, n: u8, results: &[(i64, Severity)]) {
    told_by(workspace, &check(n), results);
}

/// The same of a check that is not as usual.
pub(crate) fn told_by(workspace: &mut Workspace, check: &Check, results: &[(i64, Severity)]) {
    let mut state = CheckState::new(check.id);
    for (seconds, severity) in results {
        let said = format!("lag {seconds} s");
        let said = Observation::of_builtin(check.id, at(*seconds), *severity, &said);
        if let Some(transition) = state.observe(check, &said) {
            journal(workspace, *seconds, JournalEntry::Transition(transition));
        }
    }
}

/// Bob silences something of a System.
pub(crate) fn silence(workspace: &mut Workspace, n: u8, system: u8, silence: &Silence) {
    let edit = workspace.edit_system(space(system), &chain(BOB), silence.from, |edit| {
        edit.put_silence(ItemId::from_bytes([n; 16]), silence)
    });
    drop(edit.unwrap());
}

/// What anybody sees.
pub(crate) fn alerts(workspace: &Workspace, seconds: i64) -> Vec<Arc<Alert>> {
    let view = workspace.view(at(seconds));
    view.alerts.iter().cloned().collect()
}

/// What a notifier has to do with.
pub(crate) fn facts(workspace: &Workspace, seconds: i64) -> Vec<AlertFact> {
    let record = workspace.told(chain(BOB).author);
    notify::alerts(&workspace.view(at(seconds)), &record)
}
