//! `aramaki trust`.

mod audit;
mod grant;
pub(super) mod held;
mod list;
mod lost;
mod renew;
mod revoke;
mod rotate;

use aramaki_sync_core::statement::Capability;
use clap::Subcommand;
pub(crate) use list::fork_json;
use serde_json::{Value, json};

use super::report::table;
use super::{CliError, Clock, Report, age, local};
use crate::fingerprint;
use crate::view::CodeEnd;
use crate::workspace::{AtAgent, GrantRow, Live, capability_word};

/// What stands below a grant is broken into lines of about this length.
const LINE_CHARS_MAX: usize = 110;

/// Say who may do what in a System and until when; give, end, and seal anew.
#[derive(Debug, Subcommand)]
pub(crate) enum Trust {
    List(list::List),
    Grant(grant::Grant),
    Renew(renew::Renew),
    Revoke(revoke::Revoke),
    Lost(lost::Lost),
    Rotate(rotate::Rotate),
    Held(held::Held),
    Accept(held::Accept),
    Audit(audit::Audit),
}

impl Trust {
    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::List(verb) => verb.run(live).await,
            Self::Grant(verb) => verb.run(live).await,
            Self::Renew(verb) => verb.run(live).await,
            Self::Revoke(verb) => verb.run(live).await,
            Self::Lost(verb) => verb.run(live).await,
            Self::Rotate(verb) => verb.run(live).await,
            Self::Held(verb) => verb.run(live).await,
            Self::Accept(verb) => verb.run(live).await,
            Self::Audit(verb) => verb.run(live).await,
        }
    }
}

/// Grants for people: who, what and until when in columns, and below each where it comes from.
fn rows_text(rows: &[(Option<&str>, &GrantRow)]) -> String {
    let columns: Vec<Vec<String>> = rows
        .iter()
        .map(|(title, row)| {
            let own = [
                row.id.to_string().chars().take(12).collect(),
                row.who.clone(),
                capability_word(row.capability).to_owned(),
                when_words(row),
            ];
            let title = title.map(str::to_owned);
            title.into_iter().chain(own).collect()
        })
        .collect();
    let mut text = String::new();
    for (line, (_title, row)) in table(&columns).lines().zip(rows) {
        text.extend([line, "\n"]);
        for more in more_words(row) {
            text.extend(["    ", &more, "\n"]);
        }
    }
    text
}

/// What people hold at agents, below the name of each.
fn at_agents_text(held: &[AtAgent]) -> String {
    let rows: Vec<_> = held
        .iter()
        .map(|it| (Some(it.label.as_str()), &it.grant))
        .collect();
    rows_text(&rows)
}

fn at_agent_json(held: &AtAgent) -> Value {
    let mut object = row_json(&held.grant);
    object["agent"] = json!(held.label);
    object["agent_space"] = json!(held.agent.to_string());
    object
}

/// Since when and through whom, why, which key, and when it was seen.
fn more_words(row: &GrantRow) -> Vec<String> {
    let through = row.through.as_deref().unwrap_or("the System's own key");
    let mut words = vec![format!("since {} through {through}", local(row.begin))];
    // Who administers may let others in anyway, and an invitation's own depth is its guests'.
    let gives_on = row.capability < Capability::Administer && row.left.is_none() && !row.sealed;
    if gives_on && row.depth_left > 0 {
        words.push(format!("may give it on, {} deep", row.depth_left));
    }
    words.extend(row.reason.as_ref().map(|reason| format!("for: {reason}")));
    words.push(fingerprint::words(&row.author));
    let seen = row.seen.map(|seen| age(Clock::now(), seen));
    words.extend(seen.map(|seen| format!("seen {seen} ago")));
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < LINE_CHARS_MAX => {
                line.push_str(", ");
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// From when and until when it can be used.
fn when_words(row: &GrantRow) -> String {
    let mut words = match row.left {
        _ if row.code_end == Some(CodeEnd::GuestSentAway) => {
            "over: somebody who came by it was sent away".to_owned()
        }
        _ if row.code_end.is_some() => "used".to_owned(),
        Some((left, redeem_until)) => format!(
            "lets in {left} more until {}, they stay until {}",
            local(redeem_until),
            local(row.end)
        ),
        None => format!("until {}", local(row.end)),
    };
    if row.begin > Clock::now() {
        words = format!("from {} {words}", local(row.begin));
    }
    if row.sealed {
        let used = row.opened.map_or_else(
            || "never used".to_owned(),
            |at| format!("last used {}", local(at)),
        );
        words = format!("sealed for an emergency, reads without a word, {used}, {words}");
    } else if row.is_soon(Clock::now()) {
        words.push_str(" (ends soon)");
    }
    words
}

/// A grant for programs.
fn row_json(row: &GrantRow) -> Value {
    json!({
        "grant": row.id.to_string(),
        "device": row.author.to_string(),
        "who": row.who,
        "capability": capability_word(row.capability),
        "begin": row.begin.to_string(),
        "end": row.end.to_string(),
        "used_up": row.code_end.is_some(),
        "guest_sent_away": row.code_end == Some(CodeEnd::GuestSentAway),
        "redemptions_left": row.left.map(|(left, _until)| left),
        "redeem_until": row.left.map(|(_left, until)| until.to_string()),
        "emergency": row.sealed,
        "emergency_last_used": row.opened.map(|at| at.to_string()),
        "ends_soon": row.is_soon(Clock::now()),
        "fingerprint": fingerprint::words(&row.author),
        "last_seen": row.seen.map(|seen| seen.to_string()),
        "through": row.through,
        "depth_left": row.depth_left,
        "reason": row.reason,
    })
}
