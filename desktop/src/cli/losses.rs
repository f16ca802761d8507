//! What would stay and end in a Space when a device is lost, in words.

use serde_json::{Value, json};

use super::local;
use super::report::Lines;
use crate::view::WhyCut;
use crate::workspace::{Holder, SpacePlan, capability_word};

/// So much of a grant's id tells it from others.
const GRANT_SHOWN_CHARS: usize = 12;

/// What is known of administrators whom a lost device let in, and of whom nobody said anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// They end.
    Cut,
    /// Nothing is done before somebody says of each.
    Undecided,
}

/// A plan for people.
pub(super) fn space_text(text: &mut Lines, plan: &SpacePlan, unnamed: Unnamed) {
    let title = plan.title.as_deref().unwrap_or("a Space without a title");
    text.add(format_args!("{title} ({}):", plan.space.short()));
    if plan.done {
        text.add("  nothing is left to do here");
        return;
    }
    let holder = |it: &Holder| format!("{}, {}", it.who, capability_word(it.capability));
    for lost in &plan.lost {
        let end = local(lost.end);
        text.add(format_args!("  lost  {} until {end}", holder(lost)));
    }
    for (cut, why) in &plan.cut {
        let (line, end) = (holder(cut), local(cut.end));
        let is_open = *why == WhyCut::Administrator && unnamed == Unnamed::Undecided;
        let word = if is_open { "open" } else { "cut " };
        text.add(format_args!(
            "  {word}  {line} until {end}: {}",
            why_words(*why)
        ));
    }
    for kept in &plan.kept {
        let (line, end, by) = (holder(kept), local(kept.end), by_lost(plan, kept));
        text.add(format_args!("  keep  {line} until {end}{by}"));
    }
    for system in &plan.readers_of {
        text.add(format_args!("  keep  readers of {}", system.short()));
    }
    for (who, last) in &plan.accepted {
        let (seq, time) = (last.cut.seq, local(last.time));
        text.add(format_args!(
            "  accepted of {who}: up to its envelope {seq}, {}, written {time} by its own clock",
            last.cut.id.short()
        ));
    }
}

/// Why somebody does not stay.
const fn why_words(why: WhyCut) -> &'static str {
    match why {
        WhyCut::Invitation => "an invitation of a lost device",
        WhyCut::More => "more than they have without the lost device",
        WhyCut::Administrator => "an administrator whom a lost device let in",
        WhyCut::Named => "named with --cut",
        WhyCut::Below => "let in by what somebody does not keep",
    }
}

/// That only a lost device let somebody in: its owner knows whether that was them. Where it gave them several,
/// which grant is meant: each can be cut.
fn by_lost(plan: &SpacePlan, holder: &Holder) -> String {
    if !holder.by_lost {
        return String::new();
    }
    let own = plan.kept.iter().filter(|it| it.author == holder.author);
    if own.count() == 1 {
        return ": let in by it alone".to_owned();
    }
    let grants = holder.grants.iter().map(ToString::to_string);
    let grants = grants.map(|it| it.chars().take(GRANT_SHOWN_CHARS).collect());
    let grants: Vec<String> = grants.collect();
    format!(": let in by it alone, grant {}", grants.join(", "))
}

/// A plan for programs.
pub(super) fn space_json(plan: &SpacePlan) -> Value {
    let holder = |it: &Holder| {
        json!({
            "device": it.author.to_string(),
            "who": it.who,
            "capability": capability_word(it.capability),
            "end": it.end.to_string(),
            "grants": it.grants.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    };
    let kept = plan.kept.iter().map(|it| {
        let mut kept = holder(it);
        kept["let_in_by_lost"] = json!(it.by_lost);
        kept
    });
    let cut = plan.cut.iter().map(|(it, why)| {
        let mut cut = holder(it);
        cut["why"] = json!(why_words(*why));
        cut
    });
    let accepted = plan.accepted.iter().map(|(who, last)| {
        json!({
            "device": last.cut.chain.author.to_string(),
            "who": who,
            "seq": last.cut.seq,
            "envelope": last.cut.id.to_string(),
            "time": last.time.to_string(),
        })
    });
    json!({
        "id": plan.space.to_string(),
        "title": plan.title,
        "done": plan.done,
        "lost": plan.lost.iter().map(holder).collect::<Vec<_>>(),
        "cut": cut.collect::<Vec<_>>(),
        "kept": kept.collect::<Vec<_>>(),
        "readers_of": plan.readers_of.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "accepted": accepted.collect::<Vec<_>>(),
    })
}
