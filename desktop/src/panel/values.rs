//! What a check measured, as its hosts answer who asks.

use aramaki_model::Severity;
use aramaki_model::check::{Check, Thresholds};
use aramaki_model::perfdata::Metric;
use aramaki_model::range::Range;
use aramaki_model::series::{Series, SeriesAnswer, limits_of};
use aramaki_sync_core::{SpaceId, Timestamp};
use egui::{Label, RichText, Ui};

use super::Window;
use crate::theme::{size, space, weighted};
use crate::view::asked::{Answer, Asked, Values, amount, needs_asking};
use crate::view::{Frame, Intent};
use crate::widget::{Look, ago, quiet, sparkline};

/// Metrics of one host that are drawn.
const SERIES_SHOWN_MAX: usize = 12;
/// How far back hosts are asked.
const SHOWN_SPAN_MS: i64 = 24 * 3_600_000;
const WIDTH_MAX: f32 = 420.0;

/// Whose values are shown.
#[derive(Clone, Copy)]
pub(super) struct Measured<'a> {
    /// Of which System.
    pub(super) system: SpaceId,
    /// The check's name.
    pub(super) name: &'a str,
    /// The check, where it is known.
    pub(super) check: Option<&'a Check>,
    /// What was told with its last change: it knows the limits of plugins.
    pub(super) told: &'a [Metric],
}

/// Whether hosts should be asked when somebody opens what was measured.
pub(super) fn is_asked_for(frame: &Frame, measured: Measured<'_>, now: Timestamp) -> bool {
    let known = frame.actions.as_ref();
    let known = known.filter(|known| known.system == measured.system);
    known.is_some_and(|known| {
        known.tells_values() && needs_asking(known.values_of(measured.name), now)
    })
}

/// Draws what hosts answered, and the way to ask them.
pub(super) fn values_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    measured: Measured<'_>,
    window: &mut Window,
) {
    let known = frame.actions.as_ref();
    let Some(known) = known.filter(|known| known.system == measured.system) else {
        quiet(ui, look, &look.texts.get("values-asking"));
        return;
    };
    let asked = known.values_of(measured.name);
    if !known.tells_values() && asked.is_empty() {
        quiet(ui, look, &look.texts.get("values-none-tells"));
        quiet(ui, look, &look.texts.get("values-none-tells-hint"));
        return;
    }
    for host in asked {
        host_ui(ui, look, measured, host);
    }
    if known.tells_values() && !asked.iter().any(|it| it.is_awaited(look.now)) {
        let key = if asked.is_empty() {
            "values-ask"
        } else {
            "values-ask-again"
        };
        if ui.button(look.texts.get(key)).clicked() {
            window.ask(ask(measured));
        }
    }
}

/// The wish to know what was measured.
pub(super) fn ask(measured: Measured<'_>) -> Intent {
    Intent::AskValues {
        system: measured.system,
        check: measured.name.to_owned(),
    }
}

fn host_ui(ui: &mut Ui, look: Look<'_>, measured: Measured<'_>, host: &Values) {
    state_ui(ui, look, host);
    let Some((at, answer)) = &host.last else {
        return;
    };
    if answer.series.is_empty() {
        quiet(ui, look, &look.texts.get("values-nothing"));
    }
    answer_ui(ui, look, measured, (*at, answer));
    if answer.left_out > 0 {
        quiet(
            ui,
            look,
            &look.texts.count("values-left-out", answer.left_out),
        );
    }
    ui.add_space(space::S);
}

/// Who was asked, and what came of it.
pub(super) fn state_ui<T>(ui: &mut Ui, look: Look<'_>, asked: &Asked<T>) {
    ui.horizontal_wrapped(|ui| {
        ui.label(weighted(&asked.host, 550.0).color(look.tokens.strong));
        if let Some((at, _)) = &asked.last {
            let ago = ago(look, *at);
            quiet(ui, look, &look.texts.with("values-as-of", &[("ago", &ago)]));
        }
        if asked.is_awaited(look.now) {
            quiet(ui, look, &look.texts.get("values-asking"));
        }
    });
    let words = match &asked.came {
        Answer::Waits if asked.is_unanswered(look.now) => look.texts.get("values-nobody"),
        Answer::Waits | Answer::Came => return,
        Answer::Refused(why) => look.texts.with("values-refused", &[("why", why)]),
        Answer::Failed(why) => look.texts.with("values-failed", &[("why", why)]),
        Answer::Unreadable => look.texts.get("values-unreadable"),
    };
    let color = look.tokens.severity(Severity::Warning);
    ui.add(Label::new(RichText::new(words).color(color)).wrap());
}

fn answer_ui(
    ui: &mut Ui,
    look: Look<'_>,
    measured: Measured<'_>,
    (at, answer): (Timestamp, &SeriesAnswer),
) {
    let end = at.millis();
    for series in answer.series.iter().take(SERIES_SHOWN_MAX) {
        let limits = limits_of(measured.check, measured.told, &series.label);
        let words = words_of(look, series, &limits);
        let width = ui.available_width().min(WIDTH_MAX);
        let name = format!("{}: {words}", series.label);
        ui.label(
            RichText::new(&series.label)
                .size(size::SMALL)
                .color(look.tokens.text),
        );
        // What came between the question and the answer belongs to it.
        let last = series.points.last().map_or(end, |point| point.at.max(end));
        let drawn = (series.points.as_slice(), &limits);
        sparkline(ui, look, drawn, (end - SHOWN_SPAN_MS, last), (width, &name));
        quiet(ui, look, &words);
    }
}

/// The least, the most, the last, and from when on it alerts.
fn words_of(look: Look<'_>, series: &Series, limits: &Thresholds) -> String {
    let (least, most, last) = series.extremes();
    let say = |value| amount(value, &series.unit);
    let (least, most, last) = (say(least), say(most), say(last));
    let said = [("least", least.as_str()), ("most", &most), ("last", &last)];
    let mut words = vec![look.texts.with("values-extremes", &said)];
    for (key, range) in [
        ("values-warns", limits.warning),
        ("values-critical", limits.critical),
    ] {
        if let Some(limit) = range.and_then(|range| limit_of(look, &range, &series.unit)) {
            words.push(look.texts.with(key, &[("limit", &limit)]));
        }
    }
    words.join(" · ")
}

/// A range in words: `above 5 s`.
fn limit_of(look: Look<'_>, range: &Range, unit: &str) -> Option<String> {
    let (low, high) = (amount(range.start(), unit), amount(range.end(), unit));
    let has_low = range.start().is_finite() && range.start() != 0.0;
    let (key, said) = match (has_low, range.end().is_finite()) {
        (_, true) if range.is_inside() => ("values-between", [("low", &low), ("high", &high)]),
        (true, true) => ("values-outside", [("low", &low), ("high", &high)]),
        (false, true) => ("values-above", [("low", &low), ("high", &high)]),
        (true, false) => ("values-below", [("low", &low), ("high", &high)]),
        (false, false) => return None,
    };
    Some(
        look.texts
            .with(key, &said.map(|(name, value)| (name, value.as_str()))),
    )
}
