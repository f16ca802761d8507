//! What was done because of an alert, and what its check names as its runbook.

use aramaki_model::Alert;
use aramaki_sync_core::SpaceId;
use serde_json::{Value, json};

use crate::cli::CliError;
use crate::cli::action::words::{request_head, request_json};
use crate::cli::report::Lines;
use crate::view::check_runbook::CheckRunbook;
use crate::workspace::{Live, RequestRow};

/// An action that was asked for because of it.
#[derive(Debug)]
pub(super) struct Taken {
    system: SpaceId,
    host: String,
    row: RequestRow,
}

/// All that was asked for because of an alert, newest first, wherever that was.
pub(super) async fn taken(live: &Live, alert: &Alert) -> Result<Vec<Taken>, CliError> {
    let mut taken: Vec<Taken> = Vec::new();
    for system in live.systems() {
        for agent in live.actions(system).await? {
            let rows = agent.requests.into_iter();
            for row in rows.filter(|row| row.request.alert == Some(alert.id)) {
                // One agent may look at several Systems.
                if taken.iter().all(|it| it.row.id != row.id) {
                    taken.push(Taken {
                        system,
                        host: agent.label.clone(),
                        row,
                    });
                }
            }
        }
    }
    taken.sort_by_key(|it| std::cmp::Reverse((it.row.at, it.row.id)));
    Ok(taken)
}

/// For people.
pub(super) fn taken_lines(out: &mut Lines, taken: &[Taken]) {
    if taken.is_empty() {
        return;
    }
    out.add("\nActions taken for it:");
    for it in taken {
        request_head(out, &it.row, &format!("{}  ", it.host));
    }
}

/// For programs.
pub(super) fn taken_json(taken: &[Taken]) -> Value {
    let all = taken.iter().map(|it| {
        let mut object = request_json(&it.row);
        if let Value::Object(fields) = &mut object {
            fields.insert("host".to_owned(), json!(it.host));
            fields.insert("system".to_owned(), json!(it.system.to_string()));
        }
        object
    });
    all.collect()
}

/// What the check of an alert names as its runbook, for people.
pub(super) fn runbook_line(out: &mut Lines, live: &Live, alert: &Alert) {
    let snapshot = live.snapshot();
    let Some(system) = snapshot.system(&alert.system) else {
        return;
    };
    let mut checks = system.checks.iter();
    let check = checks.find(|it| it.check.id == alert.check);
    match check.and_then(|it| CheckRunbook::of(system, &it.check)) {
        Some(CheckRunbook::Note(note)) => out.add(format_args!(
            "runbook: {} (`aramaki note show {} {:?}`)",
            note.title,
            alert.system.short(),
            note.title
        )),
        Some(CheckRunbook::Page(address)) => out.add(format_args!("runbook: {address}")),
        Some(CheckRunbook::Missing(title)) => out.add(format_args!(
            "runbook: {title} (no note of the System is called so)"
        )),
        None => {}
    }
}

/// The same for programs; null when it names none.
pub(super) fn runbook_json(live: &Live, alert: &Alert) -> Value {
    let snapshot = live.snapshot();
    let system = snapshot.system(&alert.system);
    let check = system.and_then(|system| {
        let mut checks = system.checks.iter();
        Some((system, checks.find(|it| it.check.id == alert.check)?))
    });
    match check.and_then(|(system, it)| CheckRunbook::of(system, &it.check)) {
        Some(CheckRunbook::Note(note)) => json!({
            "title": note.title,
            "note": note.note.map(|id| id.to_string()),
        }),
        Some(CheckRunbook::Page(address)) => json!({"address": address}),
        Some(CheckRunbook::Missing(title)) => json!({"title": title, "note": null}),
        None => Value::Null,
    }
}
