//! "Always broken, or did it just happen?": one bar a day.

use aramaki_model::Severity;
use aramaki_model::day::{DAY_SECONDS, StripDay, begin_of, day_of};
use chrono::DateTime;
use egui::epaint::Mesh;
use egui::{Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Look, quad, severity_word};

const HEIGHT: f32 = 24.0;
/// A day of which more than this is known is known.
const KNOWN_SECONDS: u32 = DAY_SECONDS - 1_200;

/// Draws the worst state of each day that a System has, oldest first and today last.
pub fn history_strip(ui: &mut Ui, look: Look<'_>, days: &[Severity], width: f32) {
    let today = day_of(look.now);
    let ages = (0..i32::try_from(days.len()).unwrap_or(0)).rev();
    let days: Vec<_> = days
        .iter()
        .zip(ages)
        .map(|(severity, age)| StripDay {
            day: today.saturating_sub(age),
            worst: Some(*severity).filter(|it| *it != Severity::Missing),
            is_begun: true,
            changes: 0,
            seconds: [0; 4],
            is_counted: false,
        })
        .collect();
    day_strip(ui, look, &days, width);
}

/// Draws what is known of each day of a check, oldest first, as one mesh: a pale column where nothing is known,
/// empty room before anything was. Says of the day under the pointer what it was like.
pub fn day_strip(ui: &mut Ui, look: Look<'_>, days: &[StripDay], width: f32) {
    if days.iter().all(|day| day.worst.is_none()) {
        ui.allocate_exact_size(vec2(width, HEIGHT), Sense::hover());
        return;
    }
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::hover());
    let label = words(look, days);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &label));
    let mut mesh = Mesh::default();
    #[expect(clippy::cast_precision_loss, reason = "days are few")]
    let step = width / days.len().max(1) as f32;
    for (place, day) in days.iter().enumerate().filter(|(_, day)| day.is_begun) {
        #[expect(clippy::cast_precision_loss, reason = "days are few")]
        let left = rect.left() + step * place as f32;
        let (height, strength) = match day.worst {
            Some(Severity::Ok) => (9.0, 0.6),
            None | Some(Severity::Missing) => (22.0, 0.18),
            Some(Severity::Unknown | Severity::Warning) => (16.0, 0.95),
            Some(Severity::Critical) => (22.0, 1.0),
        };
        let bar = Rect::from_min_max(
            pos2(left, rect.bottom() - height),
            pos2(left + (step - 1.5).max(1.0), rect.bottom()),
        );
        let color = look.tokens.severity(day.drawn()).gamma_multiply(strength);
        quad(&mut mesh, bar, color);
    }
    ui.painter().add(mesh);
    let hovered = response.hover_pos().and_then(|at| {
        let place = ((at.x - rect.left()) / step).floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is cut to the days"
        )]
        days.get(place.max(0.0) as usize)
    });
    let said = hovered.map_or(label, |day| day_words(look, day));
    response.on_hover_text(said);
}

/// How many days, and of how many of them nothing is known.
fn words(look: Look<'_>, days: &[StripDay]) -> String {
    let count = |n: usize| u64::try_from(n).unwrap_or(0);
    let unknown = days
        .iter()
        .filter(|day| day.is_begun && day.worst.is_none());
    let unknown = count(unknown.count());
    let all = look.texts.count("system-history", count(days.len()));
    if unknown == 0 {
        return all;
    }
    format!(
        "{all}, {}",
        look.texts.count("history-unknown-days", unknown)
    )
}

/// What a day was like.
fn day_words(look: Look<'_>, day: &StripDay) -> String {
    let date = DateTime::from_timestamp_millis(begin_of(day.day).millis());
    let date = date.map_or_else(String::new, |date| date.format("%Y-%m-%d").to_string());
    let Some(worst) = day.worst else {
        return format!("{date}: {}", look.texts.get("history-unknown"));
    };
    let mut said = vec![severity_word(look, worst)];
    let lasted = day.lasting(worst);
    if lasted > 0 && !worst.is_ok() {
        said.push(span_words(look, lasted));
    }
    if day.changes > 0 {
        said.push(look.texts.count("history-changes", u64::from(day.changes)));
    }
    let known = day.known();
    if day.is_counted && known < KNOWN_SECONDS {
        let span = span_words(look, DAY_SECONDS - known);
        said.push(look.texts.with("history-unknown-of", &[("span", &span)]));
    }
    format!("{date}: {}", said.join(", "))
}

fn span_words(look: Look<'_>, seconds: u32) -> String {
    let seconds = u64::from(seconds);
    match seconds {
        0..120 => look.texts.count("age-seconds", seconds),
        120..7_200 => look.texts.count("age-minutes", seconds / 60),
        _ => look.texts.count("age-hours", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Texts;
    use crate::theme::Tokens;

    #[test]
    fn a_day_says_how_bad_and_how_long_and_what_is_not_known() {
        let texts = Texts::of("en");
        let look = Look {
            tokens: Tokens::of(&egui::Context::default()),
            texts: &texts,
            now: begin_of(20_000),
        };
        let day = StripDay {
            day: 19_000,
            worst: Some(Severity::Critical),
            is_begun: true,
            changes: 4,
            seconds: [60_000, 0, 0, 10_800],
            is_counted: true,
        };
        assert_eq!(
            day_words(look, &day),
            "2022-01-08: Critical, 3 h, 4 changes, nothing known of 4 h"
        );
        let none = StripDay { worst: None, ..day };
        assert_eq!(day_words(look, &none), "2022-01-08: nothing is known");
        assert_eq!(words(look, &[day, none]), "2 days, nothing known of 1 day");
    }
}
