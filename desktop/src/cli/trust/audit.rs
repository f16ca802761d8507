//! `aramaki trust audit`.

use aramaki_sync_core::AuthorId;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::parse::parse_line;
use crate::cli::report::table;
use crate::cli::{CliError, Report, local};
use crate::workspace::{AccessRow, AuditRow, Code, Live, capability_word};

/// Shorter prefixes of a key are taken for names.
const PREFIX_LEN_CHARS_MIN: usize = 6;

/// Say who could read what and when, who let them in, what ended it, and to whom keys were sealed.
///
/// In order of time, by the clocks of those who signed: grants and their ends, closes, keys, emergencies, and
/// keys that signed two histories. With --readers it adds up to who could read what, from when until when,
/// agents' Spaces among it. Says what this device has: what has not arrived yet is missing.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Of which System; of all Spaces without it.
    system: Option<String>,
    /// Say who could read what, from when until when, and who let them.
    #[arg(long)]
    readers: bool,
    /// Only about this person or device: a name, a key, or a prefix of it of at least 6 digits.
    #[arg(long, value_name = "NAME", value_parser = parse_line)]
    who: Option<String>,
}

impl Audit {
    /// Reads the control statements.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let wanted = self.system.as_deref();
        let system = wanted.map(|system| live.find(system)).transpose()?;
        let mut rows = live.audit(system).await?;
        let mut access = live.access(system).await?;
        if let Some(who) = &self.who {
            access.retain(|row| is_of(who, &row.who, row.device));
            rows.retain(|row| {
                let by = row.by.as_ref();
                by.is_some_and(|(key, name)| is_of(who, name, *key)) || is_about(who, row)
            });
        }
        let lines: Vec<_> = if self.readers {
            access.iter().map(access_text).collect()
        } else {
            rows.iter().map(row_text).collect()
        };
        let entries: Vec<_> = rows.iter().map(row_json).collect();
        let access: Vec<_> = access.iter().map(access_json).collect();
        let system = system.map(|system| system.to_string());
        Ok(Report::new(
            table(&lines),
            &json!({"system": system, "entries": entries, "access": access}),
        ))
    }
}

/// Whether a key is the one that is meant.
fn is_of(wanted: &str, name: &str, key: AuthorId) -> bool {
    let wanted = wanted.to_lowercase();
    let by_key = wanted.len() >= PREFIX_LEN_CHARS_MIN && key.to_string().starts_with(&wanted);
    by_key || name.to_lowercase().contains(&wanted)
}

/// Whether a line says something about who is meant.
fn is_about(wanted: &str, row: &AuditRow) -> bool {
    let wanted = wanted.to_lowercase();
    let said = row.text.to_lowercase();
    let details = row.details.to_string();
    said.contains(&wanted) || (wanted.len() >= PREFIX_LEN_CHARS_MIN && details.contains(&wanted))
}

fn access_text(row: &AccessRow) -> Vec<String> {
    let end = match row.ended {
        how if dead_code(row).is_some() => {
            let code = dead_code(row).unwrap_or_default();
            let (end, how) = (local(row.end), how.unwrap_or("time"));
            format!("a code, no reader: {code}; over since {end} ({how})")
        }
        how if !row.counted() => {
            let how = how.unwrap_or("time");
            format!("never counted: over since {} ({how})", local(row.end))
        }
        Some(how) => match &row.end_reason {
            Some(why) => format!("until {} ({how}: {why})", local(row.end)),
            None => format!("until {} ({how})", local(row.end)),
        },
        None => format!("until {}", local(row.end)),
    };
    let by = row.by.as_deref().unwrap_or("the System's own key");
    let by = match &row.as_reader_of {
        Some(other) => format!("as a reader of {other}, let in by {by}"),
        None => format!("let in by {by}"),
    };
    vec![
        row.who.clone(),
        row.title.clone(),
        capability_word(row.capability).to_owned(),
        format!("from {}", local(row.begin)),
        end,
        by,
        row.reason
            .as_ref()
            .map(|reason| format!("for: {reason}"))
            .unwrap_or_default(),
    ]
}

/// What is said of an invitation's key that lets nobody in any more.
const fn dead_code(row: &AccessRow) -> Option<&'static str> {
    match row.code {
        Some(Code::Unused) => Some("nobody came by it"),
        Some(Code::Used) => Some("who came by it has a line of their own"),
        Some(Code::Open) | None => None,
    }
}

fn access_json(row: &AccessRow) -> Value {
    json!({
        "who": row.who,
        "device": row.device.to_string(),
        "space": row.space.to_string(),
        "title": row.title,
        "capability": capability_word(row.capability),
        "begin": row.begin.to_string(),
        "end": row.end.to_string(),
        "ended": row.ended,
        "counted": row.counted(),
        "code": row.code.map(|code| match code {
            Code::Open => "open",
            Code::Unused => "unused",
            Code::Used => "used",
        }),
        "by": row.by,
        "as_reader_of": row.as_reader_of,
        "grant": row.grant.to_string(),
        "reason": row.reason,
        "end_reason": row.end_reason,
    })
}

fn row_text(row: &AuditRow) -> Vec<String> {
    let id: String = row.id.to_string().chars().take(12).collect();
    let mut text = row.text.clone();
    if let Some(doubt) = &row.doubt {
        text = format!("{text} (does not count: {doubt})");
    }
    vec![
        local(row.at),
        row.title.clone(),
        row.kind.to_owned(),
        id,
        text,
    ]
}

fn row_json(row: &AuditRow) -> Value {
    json!({
        "at": row.at.to_string(),
        "received": row.received.to_string(),
        "space": row.space.to_string(),
        "title": row.title,
        "kind": row.kind,
        "id": row.id.to_string(),
        "by": row.by.as_ref().map(|(key, who)| json!({"device": key.to_string(), "who": who})),
        "text": row.text,
        "counts": row.doubt.is_none(),
        "why_not": row.doubt,
        "details": row.details,
    })
}

#[cfg(test)]
mod tests;
