//! `aramaki alert silence`, `unsilence` and `silences`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_model::preview::{About, Ends, Preview, Scope, SilenceWish};
use aramaki_model::{AlertId, ItemId, Reach, Selector};
use aramaki_sync_core::SpaceId;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::listen::hear_alert;
use crate::cli::parse::parse_line;
use crate::cli::report::{Lines, count, table};
use crate::cli::{CliError, Clock, Report, local, parse_span};
use crate::workspace::{EndedItems, Live};

/// So many alerts are muted without asking.
const MUTES_WITHOUT_YES_MAX: usize = 1;
/// How many of the muted alerts are named.
const MUTED_SHOWN: usize = 10;

/// Which Systems something is for.
#[derive(Clone, Debug, Args)]
pub(crate) struct Where {
    /// Which Systems; with --labels none is needed.
    systems: Vec<String>,
    /// Also all of which they consist, each by itself; not what they merely use.
    #[arg(long)]
    subtree: bool,
    /// Of those only these, as they are labelled now: `category=storage AND site=rzob`. A System that is labelled
    /// so later is not among them.
    #[arg(long, value_name = "SELECTOR")]
    labels: Option<Selector>,
}

impl Where {
    /// The Systems that are meant.
    pub(crate) fn scope(&self, live: &Live) -> Result<Scope, CliError> {
        let systems = self.systems.iter().map(|system| live.find(system));
        Ok(Scope {
            systems: systems.collect::<Result<_, CliError>>()?,
            reach: if self.subtree {
                Reach::Subtree
            } else {
                Reach::System
            },
            selector: self.labels.clone(),
        })
    }
}

/// Whether it is done, or only said.
#[derive(Clone, Debug, Args)]
pub(crate) struct Consent {
    /// Only say where it would be written and what it would mute now.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Also when it mutes more than one alert now.
    #[arg(long)]
    yes: bool,
}

impl Consent {
    /// Whether it is to be written.
    pub(crate) fn is_given<T>(&self, preview: &Preview<T>) -> bool {
        let needs_yes = preview.mutes.len() > MUTES_WITHOUT_YES_MAX && !self.yes;
        !self.dry_run && !needs_yes && !preview.writes.is_empty()
    }

    /// What is said of it: as which item it was written, with a word of that, or why not.
    pub(crate) fn report<T>(
        &self,
        live: &Live,
        preview: &Preview<T>,
        done: Option<(ItemId, String)>,
    ) -> Report {
        let mut text = Lines::default();
        preview_text(live, &mut text, preview);
        match &done {
            Some((_, word)) => text.add(word),
            None => text.add(self.words(preview)),
        }
        let item = done.map(|(item, _)| item);
        let report = Report::new(text.into_text(), &preview_json(preview, item));
        if item.is_some() || self.dry_run {
            return report;
        }
        if preview.writes.is_empty() {
            return report.but(&CliError::Refused {
                what: "nothing was changed",
                reason: "there is no System here where it could be written".to_owned(),
            });
        }
        report.but(&CliError::NotConfirmed {
            reason: format!("it would mute {} now", count(preview.mutes.len(), "alert")),
            hint: "with --yes it is done; with --dry-run it is only looked at",
        })
    }

    /// What is said when it was not written.
    fn words<T>(&self, preview: &Preview<T>) -> &'static str {
        if preview.writes.is_empty() {
            "Nothing was changed."
        } else if self.dry_run {
            "Nothing was changed. Without --dry-run it is done."
        } else {
            "Nothing was changed. With --yes it is done."
        }
    }
}

/// Silences that one call ends.
const ENDED_MAX: usize = 100;

/// Keep problems quiet: of Systems, a check, or a family of problems; always with an end.
///
/// It is written in every System that it mutes, which needs the right to write there. What would be
/// mute is said first: nothing is written that mutes more than one alert without --yes.
#[derive(Debug, Args)]
pub(crate) struct Silence {
    #[command(flatten)]
    place: Where,
    /// The check and System of this alert: an id, or a unique prefix.
    #[arg(long, value_name = "ALERT", conflicts_with_all = ["check", "family"])]
    alert: Option<String>,
    /// Only checks with this name.
    #[arg(long, value_name = "NAME", value_parser = parse_line, conflicts_with = "family")]
    check: Option<String>,
    /// Only problems of this family; `alert show --json` names it.
    #[arg(long, value_name = "FAMILY", value_parser = parse_line)]
    family: Option<String>,
    /// For so long.
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span, required_unless_present = "until_resolved")]
    span: Option<Duration>,
    /// Until the problems that are there now are resolved, 90 days at most.
    #[arg(long, conflicts_with = "span")]
    until_resolved: bool,
    /// Why: whoever wonders why it is quiet reads this.
    #[arg(long, value_name = "TEXT", value_parser = parse_line)]
    reason: String,
    #[command(flatten)]
    consent: Consent,
}

impl Silence {
    async fn wish(&self, live: &Live) -> Result<SilenceWish, CliError> {
        let mut scope = self.place.scope(live)?;
        let about = match (&self.alert, &self.check, &self.family) {
            (Some(alert), _, _) => {
                let alert = hear_alert(live, alert).await?;
                if scope.systems.is_empty() {
                    scope.systems.push(alert.system);
                }
                About::Check(alert.check)
            }
            (None, Some(check), _) => About::Named(check.clone()),
            (None, None, Some(family)) => About::Family(family.clone()),
            (None, None, None) => About::All,
        };
        Ok(SilenceWish {
            scope,
            about,
            ends: match self.span {
                Some(span) => Ends::At(Clock::now().plus(span)),
                None => Ends::WhenResolved,
            },
            reason: self.reason.clone(),
        })
    }

    /// Writes it, or says what it would mute.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let wish = self.wish(live).await?;
        let preview = live.preview_silence(&wish).await?;
        let item = if self.consent.is_given(&preview) {
            Some(live.silence(&preview).await?)
        } else {
            None
        };
        let done = |item| format!("Silenced; `aramaki alert unsilence {item}` ends it.");
        Ok(self
            .consent
            .report(live, &preview, item.map(|it| (it, done(it)))))
    }
}

/// What a preview says to people.
fn preview_text<T>(live: &Live, text: &mut Lines, preview: &Preview<T>) {
    let titles = |spaces: &[SpaceId]| {
        let titles = spaces
            .iter()
            .map(|space| live.title(*space).unwrap_or_else(|| space.short()));
        titles.collect::<Vec<_>>().join(", ")
    };
    let places = count(preview.writes.len(), "System");
    let mutes = count(preview.mutes.len(), "alert");
    text.add(format_args!("Mutes {mutes} now, in {places}."));
    alerts_text(live, text, &preview.mutes);
    if !preview.known.is_empty() {
        let known = count(preview.known.len(), "alert");
        text.add(format_args!(
            "It is for {known} too that {} quiet already:",
            if preview.known.len() == 1 {
                "is"
            } else {
                "are"
            }
        ));
        alerts_text(live, text, &preview.known);
    }
    if !preview.denied.is_empty() {
        text.add(format_args!(
            "Not in {}: this device may not write there.",
            titles(&preview.denied)
        ));
    }
    if !preview.unreadable.is_empty() {
        let parts = count(preview.unreadable.len(), "part");
        text.add(format_args!("Not in {parts} that cannot be read here."));
    }
}

/// Alerts by their names, so many that they are read.
fn alerts_text(live: &Live, text: &mut Lines, alerts: &[AlertId]) {
    let snapshot = live.snapshot();
    for id in alerts.iter().take(MUTED_SHOWN) {
        if let Some(alert) = snapshot.alert(id) {
            let (id, state) = (alert.id.short(), alert.severity);
            let name = alert.called();
            text.add(format_args!("  {id}  {state}  {}: {name}", alert.title));
        }
    }
    if let more @ 1.. = alerts.len().saturating_sub(MUTED_SHOWN) {
        text.add(format_args!("  and {more} more"));
    }
}

/// A preview for programs.
fn preview_json<T>(preview: &Preview<T>, item: Option<ItemId>) -> Value {
    let ids = |spaces: &[SpaceId]| spaces.iter().map(ToString::to_string).collect::<Vec<_>>();
    json!({
        "done": item.is_some(),
        "item": item.map(|item| item.to_string()),
        "mutes": preview.mutes.iter().map(AlertId::to_string).collect::<Vec<_>>(),
        "known": preview.known.iter().map(AlertId::to_string).collect::<Vec<_>>(),
        "systems": preview.writes.iter().map(|(space, _)| space.to_string()).collect::<Vec<_>>(),
        "denied": ids(&preview.denied),
        "unreadable": ids(&preview.unreadable),
    })
}

/// End silences, in every System that has them, each with all that were made together with it.
#[derive(Debug, Args)]
pub(crate) struct Unsilence {
    /// Their ids, as `silence` and `silences` say them.
    #[arg(required = true, num_args = 1..=ENDED_MAX, value_name = "ITEM")]
    items: Vec<ItemId>,
}

impl Unsilence {
    /// Ends it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        if let [item] = self.items.as_slice() {
            let ended = live.unsilence(*item).await?;
            return Ok(ended_report(*item, "silence", &ended));
        }
        let (mut all, mut systems) = (0, BTreeSet::new());
        let mut objects = Vec::new();
        for item in &self.items {
            let ended = match live.unsilence(*item).await {
                Ok(ended) => ended,
                // What was made together with one of those before has ended with it.
                Err(_gone) if all > 0 && !is_silence(live, *item) => continue,
                Err(error) => return Err(error),
            };
            all += ended.count;
            systems.extend(ended.systems.iter().copied());
            objects.push(ended_json(*item, &ended));
        }
        let places = count(systems.len(), "System");
        Ok(Report::new(
            format!("Ended {} in {places}.", count(all, "silence")),
            &json!({"ended": all, "items": objects}),
        ))
    }
}

/// Whether a System here has a silence of this id.
fn is_silence(live: &Live, item: ItemId) -> bool {
    let snapshot = live.snapshot();
    let mut silences = snapshot.systems.iter().flat_map(|system| &system.silences);
    silences.any(|(known, _)| *known == item)
}

/// What is said when silences or windows were ended in some Systems.
pub(crate) fn ended_report(item: ItemId, what: &str, ended: &EndedItems) -> Report {
    let (all, places) = (
        count(ended.count, what),
        count(ended.systems.len(), "System"),
    );
    Report::new(
        format!("Ended {all} in {places}."),
        &ended_json(item, ended),
    )
}

fn ended_json(item: ItemId, ended: &EndedItems) -> Value {
    json!({
        "item": item.to_string(),
        "ended": ended.count,
        "systems": ended.systems.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// List silences: what is quiet, why and until when.
#[derive(Debug, Args)]
pub(crate) struct Silences {}

impl Silences {
    /// Lists them, the one that ends last first: long ones belong into every review.
    pub(crate) fn run(&self, live: &Live) -> Report {
        let Self {} = self;
        let (snapshot, now) = (live.snapshot(), Clock::now());
        let mut lines = BTreeMap::new();
        let mut objects = Vec::new();
        for system in &snapshot.systems {
            for (item, silence) in system.silences.iter().filter(|(_, it)| now < it.until) {
                let name = silence.check.and_then(|id| system.called(&id));
                let what = match (&silence.family, name) {
                    (Some(family), _) => family.clone(),
                    (None, Some(name)) => name.into_owned(),
                    (None, None) if silence.check.is_some() => {
                        "a check or agent that was removed".to_owned()
                    }
                    (None, None) => "everything".to_owned(),
                };
                let end = if silence.until_resolved {
                    "until resolved".to_owned()
                } else {
                    local(silence.until)
                };
                let order = (std::cmp::Reverse(silence.until), *item, system.space);
                let reason = silence.reason.clone();
                let line = [
                    item.to_string(),
                    end,
                    system.title.clone(),
                    what.clone(),
                    reason,
                ];
                lines.insert(order, line.to_vec());
                objects.push(json!({
                    "item": item.to_string(),
                    "system": system.space.to_string(),
                    "title": system.title,
                    "check": silence.check.map(|check| check.to_string()),
                    "family": silence.family,
                    "what": what,
                    "from": silence.from.to_string(),
                    "until": silence.until.to_string(),
                    "until_resolved": silence.until_resolved,
                    "subtree": silence.reach == Reach::Subtree,
                    "reason": silence.reason,
                }));
            }
        }
        let lines: Vec<_> = lines.into_values().collect();
        let text = if lines.is_empty() {
            "Nothing is silenced.".to_owned()
        } else {
            table(&lines)
        };
        Report::new(text, &json!({"silences": objects}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn several_alerts_without_yes_are_an_error_after_the_preview() {
        let folder = tempfile::tempdir().unwrap();
        let live = crate::workspace::opened(&folder).await;
        let preview = Preview {
            writes: vec![(SpaceId::ZERO, vec![()])],
            mutes: vec![AlertId([1; 32]), AlertId([2; 32])],
            ..Preview::default()
        };
        let consent = |dry_run, yes| Consent { dry_run, yes };
        let silent = consent(false, false);
        assert!(!silent.is_given(&preview));
        let report = silent.report(&live, &preview, None);
        assert!(report.text.contains("Mutes 2 alerts now"), "{report:?}");
        assert_eq!(report.json["error"]["code"], "A-154");
        let failed = CliError::from(report.failed.unwrap());
        assert_eq!((failed.code(), failed.exit()), ("A-154", 1));
        let looked = consent(true, false).report(&live, &preview, None);
        assert!(looked.failed.is_none(), "who only looks did not fail");
        assert!(consent(false, true).is_given(&preview));
        let nowhere = Preview::<()>::default();
        let report = silent.report(&live, &nowhere, None);
        assert_eq!(report.json["error"]["code"], "A-111");
        live.close().await;
    }
}
