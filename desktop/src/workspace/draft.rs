//! Drafts of notes, as Markdown: what the next shift has to know, and what an incident was.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use aramaki_model::alert::{Alert, AlertKind};
use aramaki_model::handover::{HANDOVER_ENTRIES_MAX, Handover, Outage, OutageEnd, Period, entries};
use aramaki_model::snapshot::TimelineItem;
use aramaki_model::system::NoteKind;
use aramaki_model::{Severity, Snapshot, TimelineKind, TimelineReach};
use aramaki_sync_core::{SpaceId, Timestamp};

use super::live::Live;
use super::read::timeline_row;
use super::rows::TimelineRow;
use crate::cli::{CliError, action_row, local};
use crate::view::draft::{Draft, DraftKind, DraftWords};
use crate::view::earlier::Earlier;
use crate::view::runbook::Place;

/// So long before a shift an outage may have begun that ended in it.
const TOLD_BEFORE: Duration = Duration::from_hours(31 * 24);
/// How many entries a post-mortem refers to.
const ENTRIES_MAX: usize = 1_000;

impl Live {
    /// A draft for the next shift: of a System and its parts, or of all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn draft_handover(
        &self,
        system: Option<SpaceId>,
        period: Period,
        words: &DraftWords,
    ) -> Result<String, CliError> {
        let systems = self.with_parts(system);
        let runs = self.runs_in(&systems, period).await?;
        // Who was told of an outage that ended in the shift was told before it.
        let reach = TimelineReach::since(period.from.minus(TOLD_BEFORE));
        let snapshot = self.looking_back(None, reach);
        Ok(handover(&snapshot, &systems, period, &runs, words))
    }

    /// A draft of what an incident was, in a System and its parts.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn draft_post_mortem(
        &self,
        system: SpaceId,
        period: Period,
        words: &DraftWords,
    ) -> Result<String, CliError> {
        let systems = self.with_parts(Some(system));
        let runs = self.runs_in(&systems, period).await?;
        let snapshot = self.looking_back(Some(&systems), TimelineReach::since(period.from));
        Ok(post_mortem(&snapshot, &systems, period, &runs, words))
    }

    /// Drafts a note and keeps it in its System, to be finished there.
    ///
    /// # Errors
    /// When the store cannot be read, or refuses.
    pub(super) async fn keep_draft(&self, draft: &Draft) -> Result<(), CliError> {
        let (system, period) = (draft.system, draft.period);
        let (kind, text) = match draft.kind {
            DraftKind::Handover => (
                NoteKind::Handover,
                self.draft_handover(Some(system), period, &draft.words)
                    .await?,
            ),
            DraftKind::PostMortem => (
                NoteKind::PostMortem,
                self.draft_post_mortem(system, period, &draft.words).await?,
            ),
        };
        self.add_note_of(system, kind, &draft.title, &text).await?;
        Ok(())
    }

    /// The timelines of a System and its parts, or of all, further back than a snapshot has them.
    pub(super) fn read_back(&self, system: Option<SpaceId>, reach: TimelineReach) -> Earlier {
        let systems = system.map(|system| self.with_parts(Some(system)));
        let snapshot = self.looking_back(systems.as_deref(), reach);
        Earlier {
            system,
            reach,
            snapshot: Arc::new(snapshot),
        }
    }

    fn with_parts(&self, system: Option<SpaceId>) -> Vec<SpaceId> {
        let snapshot = self.snapshot();
        let Some(system) = system else {
            return snapshot.systems.iter().map(|it| it.space).collect();
        };
        let mut systems = vec![system];
        systems.extend(snapshot.graph.parts_below(system));
        systems
    }

    async fn runs_in(
        &self,
        systems: &[SpaceId],
        period: Period,
    ) -> Result<Vec<TimelineRow>, CliError> {
        let requests = self.action_requests(Some(systems)).await?;
        let rows = requests.iter();
        let rows = rows.map(|(system, row)| action_row(self, *system, row));
        let ran = rows.filter(|row| (period.from..=period.until).contains(&row.at));
        Ok(ran.collect())
    }
}

/// What a shift leaves behind, with what ran meanwhile.
fn handover(
    snapshot: &Snapshot,
    systems: &[SpaceId],
    period: Period,
    runs: &[TimelineRow],
    words: &DraftWords,
) -> String {
    let shift = Handover::of(snapshot, Some(systems), period);
    let most = (HANDOVER_ENTRIES_MAX, words);
    let mut text = String::new();
    let outages = |is_over: bool| {
        let outages = shift.outages.iter();
        let outages = outages.filter(move |it| it.is_over() == is_over);
        outages.map(|it| outage_line(it, words))
    };
    let open = shift.open.iter().map(|alert| open_line(alert, words));
    section(&mut text, &words.open, open.chain(outages(false)), most);
    let over = shift.over.iter().map(|alert| over_line(alert, words));
    section(&mut text, &words.over, over.chain(outages(true)), most);
    let items = shift.changed.iter();
    let mut changed: Vec<_> = items.map(|item| timeline_row(snapshot, item)).collect();
    changed.extend(runs.iter().cloned());
    changed.sort_by_key(|row| std::cmp::Reverse(row.at));
    section(
        &mut text,
        &words.changed,
        changed.iter().map(row_line),
        most,
    );
    let said = shift.said.iter();
    let said = said.map(|item| row_line(&timeline_row(snapshot, item)));
    section(&mut text, &words.said, said, most);
    let silenced = shift.silenced.iter().map(|(view, (_item, silence))| {
        let what = silence.family.as_deref().unwrap_or_default();
        held_line((&view.title, what), &silence.reason, silence.until, words)
    });
    let maintenance = shift.maintenance.iter().map(|(view, (_item, window))| {
        let until = window.open_until(period.until).unwrap_or(window.until);
        held_line((&view.title, ""), &window.reason, until, words)
    });
    section(&mut text, &words.quiet, silenced.chain(maintenance), most);
    heading(&mut text, &words.next);
    text
}

/// What an incident was, with references to what stands on the timelines; people write the rest.
fn post_mortem(
    snapshot: &Snapshot,
    systems: &[SpaceId],
    period: Period,
    runs: &[TimelineRow],
    words: &DraftWords,
) -> String {
    let mut text = String::new();
    let [happened, hit, why, follows] = &words.sections;
    for heading_of in [happened, hit] {
        heading(&mut text, heading_of);
    }
    let items = entries(snapshot, Some(systems), period, &[]);
    let mut rows: Vec<_> = items
        .take(ENTRIES_MAX)
        .map(|item| (item.at, referred_line(snapshot, item, words)))
        .collect();
    rows.extend(runs.iter().map(|row| (row.at, row_line(row))));
    rows.sort_by_key(|(at, _line)| *at);
    let lines = rows.into_iter().map(|(_at, line)| line);
    section(&mut text, &words.timeline, lines, (ENTRIES_MAX, words));
    for heading_of in [why, follows] {
        heading(&mut text, heading_of);
    }
    text
}

/// Of which kind a row is, whatever it tells.
pub(crate) fn kind_of(row: &TimelineRow) -> TimelineKind {
    match row.kind {
        "transition" => TimelineKind::State,
        "agent" => TimelineKind::Agent,
        "message" | "note" => TimelineKind::Words,
        "deployment" => TimelineKind::Deployment,
        "acknowledgement" | "claim" | "withdrawal" => TimelineKind::Care,
        "notification" => TimelineKind::Told,
        "quiet" => TimelineKind::Quiet,
        "desired" | "action" => TimelineKind::Action,
        "access" | "emergency" => TimelineKind::Access,
        _ => TimelineKind::Newer,
    }
}

fn heading(text: &mut String, words: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    // Writing into a String cannot fail.
    let _infallible = writeln!(text, "## {words}\n");
}

fn section(
    text: &mut String,
    title: &str,
    lines: impl Iterator<Item = String>,
    (most, words): (usize, &DraftWords),
) {
    heading(text, title);
    let before = text.len();
    let mut count = 0;
    for line in lines {
        count += 1;
        let _infallible = writeln!(text, "- {line}");
    }
    if text.len() == before {
        let _infallible = writeln!(text, "{}", words.nothing);
    }
    // As many as a draft takes: there may be older ones.
    if count >= most {
        let _infallible = writeln!(text, "- {}", words.more);
    }
}

fn open_line(alert: &Alert, words: &DraftWords) -> String {
    let who = alert.claimed_by().map(|claim| claim.name.clone());
    let known = alert.acknowledgements.iter().filter(|known| known.holds);
    let known = known.map(|known| format!("{}: {}", known.name, plain(&known.text)));
    let care: Vec<_> = who.into_iter().chain(known).collect();
    let care = if care.is_empty() {
        String::new()
    } else {
        format!(" — {}", care.join("; "))
    };
    format!(
        "**{}** {} · {}: {} ({} {}){care}",
        alert.severity.word(),
        plain(&alert.title),
        plain(&alert.called()),
        what_of(alert, words),
        words.since,
        local(alert.opened),
    )
}

/// What is wrong. What a missing check said last is not how it is: that was OK, mostly.
fn what_of(alert: &Alert, words: &DraftWords) -> String {
    match alert.kind {
        AlertKind::Problem => plain(&alert.summary),
        AlertKind::Missing if alert.summary.is_empty() => words.no_result.clone(),
        AlertKind::Missing => {
            let (no_result, last) = (&words.no_result, &words.last_result);
            format!("{no_result}; {last}: {}", plain(&alert.summary))
        }
        AlertKind::Silent { .. } => words.silent.clone(),
    }
}

fn over_line(alert: &Alert, words: &DraftWords) -> String {
    let end = alert.resolved.map(local).unwrap_or_default();
    // Of what nobody looks at any more it is not known that it is over.
    let end = if alert.was_left() {
        format!(", {} {end}", words.gone)
    } else {
        format!(" {} {end}", words.until)
    };
    format!(
        "{} · {}: {} ({} {}{end})",
        plain(&alert.title),
        plain(&alert.called()),
        alert.worst.word(),
        words.since,
        local(alert.opened),
    )
}

/// What people were told of, or knew, and no alert shows.
fn outage_line(outage: &Outage<'_>, words: &DraftWords) -> String {
    let end = match outage.end {
        OutageEnd::Told(at) => format!("{} {}", words.until, local(at)),
        OutageEnd::Heard(at) => format!("{} {}", words.heard, local(at)),
        OutageEnd::Gone(at) => format!("{} {}", words.gone, local(at)),
        OutageEnd::Unknown => words.unheard.clone(),
    };
    let names = |word: &str, names: &[String]| {
        let names: Vec<_> = names.iter().map(|name| plain(name)).collect();
        (!names.is_empty()).then(|| format!("; {word} {}", names.join(", ")))
    };
    let told = names(&words.told, &outage.told).unwrap_or_default();
    let known = names(&words.known, &outage.known).unwrap_or_default();
    let what = match (outage.severity, outage.is_agent) {
        (_, true) => words.silent.as_str(),
        (Severity::Missing, false) => words.no_result.as_str(),
        (severity, false) => severity.word(),
    };
    let name = outage.name.as_deref().unwrap_or(&words.nameless);
    format!(
        "{} · {}: {what} ({} {}, {end}{told}{known})",
        plain(&outage.system.title),
        plain(name),
        words.since,
        local(outage.from),
    )
}

fn held_line(
    (title, what): (&str, &str),
    reason: &str,
    until: Timestamp,
    words: &DraftWords,
) -> String {
    let what = if what.is_empty() {
        String::new()
    } else {
        format!(" · {}", plain(what))
    };
    format!(
        "{}{what}: {} ({} {})",
        plain(title),
        plain(reason),
        words.until,
        local(until)
    )
}

fn row_line(row: &TimelineRow) -> String {
    format!("{} {}", local(row.at), said_of(row))
}

fn said_of(row: &TimelineRow) -> String {
    let who = if row.who.is_empty() {
        String::new()
    } else {
        format!(" — {}", plain(&row.who))
    };
    let (title, text) = (plain(&row.title), plain(&row.text));
    format!("{title}: {text}{who}")
}

/// A line whose time leads to its entry, and that names the alert that began with it.
fn referred_line(snapshot: &Snapshot, item: &TimelineItem, words: &DraftWords) -> String {
    let row = timeline_row(snapshot, item);
    let (at, said) = (local(row.at), said_of(&row));
    let entry = Place::Entry(item.id);
    match snapshot.opened_by(item) {
        Some(alert) => {
            let alert = Place::Alert(alert.id);
            format!("[{at}]({entry}) {said} · [{}]({alert})", words.alert)
        }
        None => format!("[{at}]({entry}) {said}"),
    }
}

/// One line that is no Markdown: what others wrote makes no headings, links or code in a draft.
fn plain(text: &str) -> String {
    let line = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let mut plain = String::with_capacity(line.len());
    for char in line.chars() {
        if "\\`*_[]<>#|".contains(char) {
            plain.push('\\');
        }
        plain.push(char);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_makes_no_markdown() {
        let hostile = "# all is well\n[here](https://evil.example) `rm`";
        let line = plain(hostile);
        assert_eq!(
            line,
            "\\# all is well \\[here\\](https://evil.example) \\`rm\\`"
        );
    }

    #[test]
    fn an_empty_shift_has_every_heading_and_says_that_there_is_nothing() {
        let period = Period {
            from: Timestamp::ZERO,
            until: Timestamp::from_millis(1_000),
        };
        let words = DraftWords::english();
        let text = handover(&Snapshot::default(), &[], period, &[], &words);
        assert_eq!(text.matches("## ").count(), 6, "{text}");
        assert_eq!(text.matches("Nothing.").count(), 5, "{text}");
        let text = post_mortem(&Snapshot::default(), &[], period, &[], &words);
        assert_eq!(text.matches("## ").count(), 5, "{text}");
    }
}
