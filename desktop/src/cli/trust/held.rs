//! `aramaki trust held` and `aramaki trust accept`.

use aramaki_sync_core::Timestamp;
use aramaki_sync_core::admission::{Held as HeldFor, Verdict};
use aramaki_sync_core::engine::Reach;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::report::{Lines, table};
use crate::cli::{CliError, Report, local};
use crate::workspace::{Ignored, LateWork, Live, Questioned, Waits};

/// Say what waits: work that came after its grant had ended, by a code that was used up, or that a relay or
/// administrator left out when they closed an ended grant.
///
/// After it what counts for nothing: what its author was not allowed to write, what builds on that, what a
/// revocation or two histories of one author cut; and what of that counts all the same, because work of somebody
/// else that counts stands on it. Then what was ignored because it cannot be used, and why: changes that are
/// refused, documents that cannot be read.
///
/// What waits is kept and shown nowhere else until somebody decides. Where a close left out what came here before the
/// access had ended, whoever closed knew less than this device, or says what is not so.
#[derive(Debug, Args)]
pub(crate) struct Held {
    /// In which System; in all without it.
    system: Option<String>,
}

/// Let work count that came after its grant had ended, as much of it as is here, or that a close left out.
///
/// For somebody who worked offline for longer than their access lasted. What they send after that is
/// over. Only an administrator can; ask the author first whether it is theirs. Of what a close left out
/// only what came here before the access had ended is taken, or all of it if asked for. The close that
/// takes it in is larger than the one that left it out, and counts everywhere.
#[derive(Debug, Args)]
pub(crate) struct Accept {
    /// In which System.
    system: String,
    /// The grant, as `aramaki trust held` shows it.
    grant: String,
    /// Of what a close left out, also what came here after the access had ended.
    #[arg(long)]
    all: bool,
}

impl Held {
    /// Asks the replica.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let wanted = self.system.as_deref();
        let system = wanted.map(|system| live.find(system)).transpose()?;
        let late = live.late_work(system).await?;
        let rows: Vec<_> = late.iter().map(row).collect();
        let mut text = if rows.is_empty() {
            "Nothing waits.\n".to_owned()
        } else {
            format!("{}{}", table(&rows), say_next(&late))
        };
        let questioned = live.questioned(system).await?;
        let (vouched, refused): (Vec<_>, Vec<_>) = questioned
            .into_iter()
            .partition(|it| it.work.verdict == Verdict::Vouched);
        for (heading, rows) in [
            ("Counts for nothing:\n", &refused),
            ("Counts because work that counts stands on it:\n", &vouched),
        ] {
            if !rows.is_empty() {
                text.push_str(heading);
                text.push_str(&table(&rows.iter().map(questioned_row).collect::<Vec<_>>()));
            }
        }
        let ignored = live.ignored(system);
        if !ignored.is_empty() {
            text.push_str("Left out because it cannot be used:\n");
            text.push_str(&table(&ignored.iter().map(ignored_row).collect::<Vec<_>>()));
        }
        Ok(Report::new(
            text,
            &json!({
                "held": late.iter().map(value).collect::<Vec<_>>(),
                "refused": refused.iter().map(questioned_value).collect::<Vec<_>>(),
                "vouched": vouched.iter().map(questioned_value).collect::<Vec<_>>(),
                "left_out": ignored.iter().map(ignored_value).collect::<Vec<_>>(),
            }),
        ))
    }
}

fn ignored_row(it: &Ignored) -> Vec<String> {
    let envelope = it.envelope.as_ref().map(ToString::to_string);
    let envelope = envelope.map(|id| id.chars().take(12).collect());
    vec![
        it.title.clone(),
        envelope.unwrap_or_default(),
        it.why.clone(),
    ]
}

fn ignored_value(it: &Ignored) -> Value {
    json!({
        "space": it.space.to_string(),
        "title": it.title,
        "envelope": it.envelope.map(|id| id.to_string()),
        "why": it.why,
    })
}

fn questioned_row(it: &Questioned) -> Vec<String> {
    let (first, last) = it.work.span;
    vec![
        it.work.grant.to_string().chars().take(12).collect(),
        it.title.clone().unwrap_or_else(|| it.space.short()),
        it.who.clone(),
        counted(it.work.envelopes),
        format!("written {} to {}", local(first), local(last)),
        it.why.clone(),
    ]
}

fn questioned_value(it: &Questioned) -> Value {
    let newest = it.work.newest.iter().map(ToString::to_string);
    json!({
        "system": it.space.to_string(),
        "title": it.title,
        "grant": it.work.grant.to_string(),
        "who": it.who,
        "envelopes": it.work.envelopes,
        "newest": newest.collect::<Vec<_>>(),
        "first": it.work.span.0.to_string(),
        "last": it.work.span.1.to_string(),
        "why": it.why,
    })
}

fn counted(envelopes: u64) -> String {
    if envelopes == 1 {
        "1 envelope".to_owned()
    } else {
        format!("{envelopes} envelopes")
    }
}

/// What can be done, once for each reason.
fn say_next(late: &[LateWork]) -> String {
    let mut text = Lines::default();
    let mut said = Vec::new();
    for work in late {
        let line = (why_alone(work), work.next());
        if !said.contains(&line) {
            text.add(format_args!("{}: {}.", line.0, line.1));
            said.push(line);
        }
    }
    text.into_text()
}

/// Why work does not count, without whose it is.
fn why_alone(work: &LateWork) -> String {
    match &work.waits {
        Waits::Held(held) => held.to_string(),
        Waits::LeftOut { .. } => "a close left it out".to_owned(),
    }
}

/// What a person should know of what waits, for those who ask how things are: that this device's clock is
/// behind hides everything that is newer.
pub(crate) fn say_waiting(late: &[LateWork], now: Timestamp) -> String {
    let mut text = Lines::default();
    let of = |wanted: fn(&LateWork) -> bool| -> u64 {
        let work = late.iter().filter(|it| wanted(it));
        work.map(|it| it.envelopes).sum()
    };
    let ahead = of(|it| it.waits == Waits::Held(HeldFor::Future));
    if ahead > 0 {
        let now = local(now);
        text.add(format_args!(
            "{ahead} of what came here are dated later than this device's clock, which says {now}, and are not \
             shown: is it right?"
        ));
    }
    let decide = of(LateWork::can_be_accepted);
    if decide > 0 {
        text.add(format_args!(
            "{decide} of what came here late wait for a decision: `aramaki trust held` shows them"
        ));
    }
    text.into_text()
}

impl Accept {
    /// Accepts it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let work = live.accept_late(space, &self.grant, self.reach()).await?;
        Ok(Report::new(
            self.said(&work),
            &json!({"accepted": value(&work)}),
        ))
    }
}

impl Accept {
    const fn reach(&self) -> Reach {
        if self.all { Reach::All } else { Reach::InTime }
    }

    fn said(&self, work: &LateWork) -> String {
        match &work.waits {
            Waits::LeftOut { in_time, .. } if !self.all && *in_time < work.envelopes => format!(
                "What {} wrote and came here in time counts now: {in_time} of {}.",
                work.who, work.envelopes
            ),
            _ => format!(
                "What {} wrote until {} counts now.",
                work.who,
                local(work.span.1)
            ),
        }
    }
}

fn row(work: &LateWork) -> Vec<String> {
    vec![
        work.grant.to_string().chars().take(12).collect(),
        work.title.clone().unwrap_or_else(|| work.space.short()),
        work.who.clone(),
        counted(work.envelopes),
        format!("written {} to {}", local(work.span.0), local(work.span.1)),
        work.why(),
    ]
}

fn value(work: &LateWork) -> Value {
    let (in_time, closed_by) = match &work.waits {
        Waits::Held(_) => (None, Vec::new()),
        Waits::LeftOut { in_time, closers } => (Some(*in_time), closers.clone()),
    };
    json!({
        "system": work.space.to_string(),
        "title": work.title,
        "grant": work.grant.to_string(),
        "who": work.who,
        "envelopes": work.envelopes,
        "first": work.span.0.to_string(),
        "last": work.span.1.to_string(),
        "why": work.why(),
        "came_in_time": in_time,
        "closed_by": closed_by,
        "can_be_accepted": work.can_be_accepted(),
        "next": work.next(),
    })
}
