//! A query at a moment, held against rows.

use aramaki_sync_core::Timestamp;

use super::field::{Comparison, Flag, Moment, Number, Phase, SeverityField, TextField};
use super::term::{Answer, Back, Expression, Span, Term};
use super::text_match::TextMatch;
use crate::severity::Severity;

/// How much of each text is searched.
pub const SEARCHED_LEN_BYTES_MAX: usize = 1_024;

/// What is filtered.
pub trait Row {
    /// Calls `holds` with each text of a field, until one holds; whether one did.
    fn any_text(&self, field: TextField, holds: &mut impl FnMut(&str) -> bool) -> bool;
    /// Calls `holds` with name and value of each label, until one holds; whether one did.
    fn any_label(&self, holds: &mut impl FnMut(&str, &str) -> bool) -> bool;
    /// How bad it is.
    fn severity(&self, field: SeverityField) -> Severity;
    /// Where it is in its life.
    fn phase(&self) -> Phase;
    /// Whether something is so.
    fn is(&self, flag: Flag) -> bool;
    /// When something was; none when that is not known.
    fn moment(&self, moment: Moment) -> Option<Timestamp>;
    /// When it was over; none while it is not.
    fn resolved(&self) -> Option<Timestamp>;
    /// A count.
    fn number(&self, number: Number) -> u64;
}

/// Texts that a bare word is searched in.
const EVERYWHERE: [TextField; 6] = [
    TextField::System,
    TextField::Check,
    TextField::Summary,
    TextField::Owner,
    TextField::Family,
    TextField::Category,
];

/// A query at a moment. Made by [`super::Query::plan`].
#[derive(Clone, Debug)]
pub struct Plan {
    now: Timestamp,
    step: Step,
}

#[derive(Clone, Debug)]
enum Step {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Term(Term),
}

impl Plan {
    pub(super) fn of(expression: &Expression, now: Timestamp) -> Self {
        Self {
            now,
            step: Step::of(expression),
        }
    }

    /// Whether a row is let through.
    pub fn lets(&self, row: &impl Row) -> bool {
        self.step.holds(row, self.now)
    }
}

impl Step {
    // As deep as the parser allows; so below.
    fn of(expression: &Expression) -> Self {
        let steps = |parts: &[Expression]| {
            let mut steps: Vec<_> = parts.iter().map(Self::of).collect();
            steps.sort_by_key(Self::cost);
            steps
        };
        match expression {
            Expression::All(parts) => Self::All(steps(parts)),
            Expression::Any(parts) => Self::Any(steps(parts)),
            Expression::Not(inner) => Self::Not(Box::new(Self::of(inner))),
            Expression::Term(term) => Self::Term(term.clone()),
        }
    }

    fn cost(&self) -> u8 {
        match self {
            Self::All(steps) | Self::Any(steps) => {
                steps.iter().map(Self::cost).fold(0, u8::saturating_add)
            }
            Self::Not(step) => step.cost(),
            Self::Term(Term::Anywhere(text)) => text.cost().saturating_mul(6),
            Self::Term(Term::Text(_, text) | Term::Label(_, text)) => text.cost(),
            Self::Term(_) => 1,
        }
    }

    fn holds(&self, row: &impl Row, now: Timestamp) -> bool {
        match self {
            Self::All(steps) => steps.iter().all(|step| step.holds(row, now)),
            Self::Any(steps) => steps.iter().any(|step| step.holds(row, now)),
            Self::Not(step) => !step.holds(row, now),
            Self::Term(term) => term_holds(term, row, now),
        }
    }
}

fn term_holds(term: &Term, row: &impl Row, now: Timestamp) -> bool {
    match term {
        Term::Anywhere(text) => anywhere(text, row),
        Term::Text(field, text) => row.any_text(*field, &mut |found| text.holds(searched(found))),
        Term::Label(name, text) => row.any_label(&mut |key, value| {
            key.eq_ignore_ascii_case(name) && text.holds(searched(value))
        }),
        Term::Severity(field, comparison, severity) => {
            comparison.holds(row.severity(*field), *severity)
        }
        Term::State(comparison, phase) => comparison.holds(row.phase(), *phase),
        Term::Flag(flag, answer) => row.is(*flag) == (*answer == Answer::Yes),
        Term::Ago(moment, comparison, span) => row
            .moment(*moment)
            .is_some_and(|then| lasts(*comparison, (then, now), *span)),
        Term::Age(comparison, span) => row.moment(Moment::Opened).is_some_and(|then| {
            let end = row.resolved().unwrap_or(now);
            lasts(*comparison, (then, end), *span)
        }),
        Term::Since(back) => {
            let since = match back {
                Back::By(span) => Timestamp::from_millis(now.millis().saturating_sub(span.0)),
                Back::To(time) => *time,
            };
            [Moment::Opened, Moment::Changed]
                .into_iter()
                .any(|moment| row.moment(moment).is_some_and(|then| then >= since))
        }
        Term::Number(number, comparison, count) => comparison.holds(row.number(*number), *count),
        Term::Has(field) => row.any_text(*field, &mut |found| !found.is_empty()),
    }
}

fn anywhere(text: &TextMatch, row: &impl Row) -> bool {
    let mut holds = |found: &str| text.holds(searched(found));
    EVERYWHERE
        .into_iter()
        .any(|field| row.any_text(field, &mut holds))
        || row.any_label(&mut |_, value| text.holds(searched(value)))
}

fn lasts(comparison: Comparison, (begin, end): (Timestamp, Timestamp), span: Span) -> bool {
    comparison.holds(end.millis().saturating_sub(begin.millis()), span.0)
}

/// The beginning of a text, cut at a character's edge.
fn searched(text: &str) -> &str {
    if text.len() <= SEARCHED_LEN_BYTES_MAX {
        return text;
    }
    let end = text.floor_char_boundary(SEARCHED_LEN_BYTES_MAX);
    text.get(..end).unwrap_or_default()
}
