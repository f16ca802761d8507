//! What hosts answered who asked: what a check measured, and what could be looked at.

use std::sync::Arc;
use std::time::Duration;

use aramaki_model::proposal::Proposals;
use aramaki_model::series::SeriesAnswer;
use aramaki_sync_core::{SpaceId, Timestamp};

/// The action by which a host tells what a check measured (`docs/series.toml.example`).
pub const SERIES_ACTION: &str = "series";
/// The action by which a host tells what could be looked at (`docs/discover.toml.example`).
pub const DISCOVER_ACTION: &str = "discover";
/// The parameter that names a check.
pub const CHECK_PARAMETER: &str = "check";
/// Who has not answered for so long is not there; the answer is shown all the same when it comes.
pub const ANSWER_SPAN: Duration = Duration::from_secs(20);
/// An answer that is younger is not asked for again by opening it.
pub const FRESH_SPAN: Duration = Duration::from_mins(2);

/// What one host was asked last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<T> {
    /// Its agent's Space.
    pub agent: SpaceId,
    /// What the System calls it.
    pub host: String,
    /// When it was asked.
    pub at: Timestamp,
    /// What came of it.
    pub came: Answer,
    /// The newest answer, which may be older than the question, and when it was asked for.
    pub last: Option<(Timestamp, Arc<T>)>,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet.
    Waits,
    /// An answer.
    Came,
    /// The host does not let this be asked, in the words of the agent.
    Refused(String),
    /// The host could not tell, in its words.
    Failed(String),
    /// What came is no answer.
    Unreadable,
}

/// What a check measured, as one host answered.
pub type Values = Asked<SeriesAnswer>;
/// What could be looked at, as one host answered.
pub type Proposed = Asked<Proposals>;

impl<T> Asked<T> {
    /// Whether an answer is waited for.
    pub fn is_awaited(&self, now: Timestamp) -> bool {
        self.came == Answer::Waits && now.since(self.at) < ANSWER_SPAN
    }

    /// Whether nobody answered.
    pub fn is_unanswered(&self, now: Timestamp) -> bool {
        self.came == Answer::Waits && now.since(self.at) >= ANSWER_SPAN
    }

    /// Whether asking again would tell nothing new.
    fn is_fresh(&self, now: Timestamp) -> bool {
        let is_young = self
            .last
            .as_ref()
            .is_some_and(|(at, _)| now.since(*at) < FRESH_SPAN);
        self.is_awaited(now) || (self.came == Answer::Came && is_young)
    }
}

/// Whether opening something asks for it anew.
pub fn needs_asking<T>(asked: &[Asked<T>], now: Timestamp) -> bool {
    asked.is_empty() || asked.iter().any(|it| !it.is_fresh(now))
}

/// A measured number for people: three digits that count, and a unit of a fitting size.
pub fn amount(value: f64, unit: &str) -> String {
    let steps: &[(f64, &str)] = match unit {
        "B" => &[
            (1_099_511_627_776.0, "TiB"),
            (1_073_741_824.0, "GiB"),
            (1_048_576.0, "MiB"),
            (1_024.0, "KiB"),
            (0.0, "B"),
        ],
        "s" => &[
            (172_800.0, "d"),
            (7_200.0, "h"),
            (120.0, "min"),
            (1.0, "s"),
            (0.001, "ms"),
            (0.0, "µs"),
        ],
        _ => &[],
    };
    let size = |name: &str| match name {
        "d" => 86_400.0,
        "h" => 3_600.0,
        "min" => 60.0,
        "ms" => 0.001,
        "µs" => 0.000_001,
        _ => 1.0,
    };
    let found = steps.iter().find(|(from, _)| value.abs() >= *from);
    let (value, unit) = match found {
        // Nothing has no size.
        _ if value == 0.0 => (value, unit),
        Some((from, name)) if unit == "B" => (value / from.max(1.0), *name),
        Some((_, name)) => (value / size(name), *name),
        None => (value, unit),
    };
    let digits = match value.abs() {
        whole if whole >= 100.0 || whole == 0.0 => 0,
        tens if tens >= 10.0 => 1,
        ones if ones >= 1.0 => 2,
        _ => 3,
    };
    let number = format!("{value:.digits$}");
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        &number
    };
    match unit {
        "" => number.to_owned(),
        "%" => format!("{number} %"),
        unit => format!("{number} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_in_units_that_people_say() {
        for (value, unit, words) in [
            (0.0, "B", "0 B"),
            (512.0, "B", "512 B"),
            (3_221_225_472.0, "B", "3 GiB"),
            (1_610_612_736.0, "B", "1.5 GiB"),
            (0.0421, "s", "42.1 ms"),
            (90.0, "s", "90 s"),
            (5_400.0, "s", "90 min"),
            (2_678_400.0, "s", "31 d"),
            (0.000_25, "s", "250 µs"),
            (86.25, "%", "86.2 %"),
            (1_234.567, "", "1235"),
            (0.5, "", "0.5"),
            (-2.5, "°C", "-2.5 °C"),
            (1e300, "x", &format!("{:.0} x", 1e300)),
        ] {
            assert_eq!(amount(value, unit), words);
        }
    }

    #[test]
    fn opening_asks_only_where_something_new_could_come() {
        let at = |seconds: i64| Timestamp::from_millis(1_000_000 + seconds * 1_000);
        let mut asked: Asked<()> = Asked {
            agent: SpaceId::ZERO,
            host: String::new(),
            at: at(0),
            came: Answer::Waits,
            last: None,
        };
        let needs =
            |asked: &Asked<()>, seconds| needs_asking(std::slice::from_ref(asked), at(seconds));
        assert!(needs_asking::<()>(&[], at(0)));
        assert!(!needs(&asked, 19), "it is waited for");
        assert!(needs(&asked, 20) && asked.is_unanswered(at(20)));
        asked.came = Answer::Came;
        asked.last = Some((at(0), Arc::new(())));
        assert!(!needs(&asked, 119));
        assert!(needs(&asked, 120));
        asked.came = Answer::Refused("no".to_owned());
        assert!(needs(&asked, 1));
    }
}
