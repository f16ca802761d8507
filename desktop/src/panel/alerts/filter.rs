//! The filter's field: what is typed, what is wrong with it, and what may come next.

use aramaki_model::Query;
use aramaki_model::query::{
    Candidate, Field, Flag, KnownValues, Moment, QueryError, QueryFault, SeverityField, TextField,
};
use egui::text::{CCursor, CCursorRange};
use egui::{Id, Key, Modifiers, Popup, PopupCloseBehavior, RichText, TextEdit, Ui, vec2};

use crate::theme::size;
use crate::widget::{Icon, Look, Row, row};

const WIDTH_MAX: f32 = 640.0;
const FIELD: &str = "alert filter";

/// What is typed, and the last query that it was.
#[derive(Debug, Default)]
pub(super) struct Filter {
    text: String,
    query: Query,
    error: Option<QueryError>,
    /// Which candidate is chosen with the arrows.
    chosen: Option<usize>,
}

impl Filter {
    /// The last text that was a query.
    pub(super) const fn query(&self) -> &Query {
        &self.query
    }

    /// What is typed.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Writes what was kept; what is no query any more stands there with its error.
    pub(super) fn write(&mut self, text: &str) {
        self.clear();
        text.clone_into(&mut self.text);
        self.read();
    }

    /// Lets everything through again.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The id of the field, for the key that goes there.
    pub(super) fn field() -> Id {
        Id::unique(FIELD)
    }

    fn read(&mut self) {
        match self.text.parse() {
            Ok(query) => {
                self.query = query;
                self.error = None;
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Draws the field, and below it what may come or what is wrong.
    pub(super) fn filter_ui(&mut self, ui: &mut Ui, look: Look<'_>, known: Option<&KnownValues>) {
        let id = Self::field();
        // Nothing is offered while nobody types here.
        let completion = known.map(|known| {
            let cursor = cursor_of(ui, id, &self.text);
            Query::complete(&self.text, cursor, known)
        });
        let (candidates, replaces) = completion.map_or((Vec::new(), 0..0), |completion| {
            (completion.candidates, completion.replaces)
        });
        let taken = self.keys(ui, &candidates);
        let is_typing = !self.text.is_empty();
        let hint = look.texts.get("alerts-filter-hint");
        let field = TextEdit::singleline(&mut self.text)
            .id(id)
            .hint_text(&hint)
            // Tab takes a candidate; without one it leaves the field.
            .lock_focus(!candidates.is_empty() && is_typing)
            .desired_width(ui.available_width().min(WIDTH_MAX))
            .margin(vec2(10.0, 6.0));
        let response = ui.add(field);
        ui.ctx()
            .accesskit_node_builder(response.id, |node| node.set_label(hint.as_str()));
        if response.changed() {
            self.chosen = None;
            self.read();
        }
        let mut picked = taken.and_then(|place| candidates.get(place).cloned());
        if !candidates.is_empty() {
            let chosen = self.chosen;
            Popup::from_response(&response)
                .id(id.with("completion"))
                .open(true)
                .close_behavior(PopupCloseBehavior::IgnoreClicks)
                .width(300.0)
                .show(|ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    for (place, candidate) in candidates.iter().enumerate() {
                        if candidate_ui(ui, look, candidate, chosen == Some(place)) {
                            picked = Some(candidate.clone());
                        }
                    }
                });
        }
        if let Some(candidate) = picked {
            self.take(ui, &candidate, replaces);
        }
        if let Some(error) = &self.error {
            let words = fault_words(look, error);
            ui.label(
                RichText::new(words)
                    .size(size::SMALL)
                    .color(look.tokens.accent),
            );
        }
    }

    /// Arrows choose, Tab and Enter take; which was taken.
    fn keys(&mut self, ui: &Ui, candidates: &[Candidate]) -> Option<usize> {
        let last = candidates.len().checked_sub(1)?;
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        if pressed(Key::ArrowDown) {
            self.chosen = Some(self.chosen.map_or(0, |place| (place + 1).min(last)));
        }
        if pressed(Key::ArrowUp) {
            self.chosen = self.chosen.and_then(|place| place.checked_sub(1));
        }
        let is_typing = !self.text.is_empty();
        if is_typing && pressed(Key::Tab) {
            return Some(self.chosen.unwrap_or(0));
        }
        if self.chosen.is_some() && pressed(Key::Enter) {
            return self.chosen;
        }
        None
    }

    fn take(&mut self, ui: &Ui, candidate: &Candidate, replaces: std::ops::Range<usize>) {
        if self.text.get(replaces.clone()).is_none() {
            return;
        }
        let begin = replaces.start;
        let mut words = candidate.text.clone();
        if candidate.ends_term {
            words.push(' ');
        }
        self.text.replace_range(replaces, &words);
        self.chosen = None;
        self.read();
        let end = self.text.get(..begin + words.len()).unwrap_or_default();
        let end = CCursor::new(end.chars().count());
        let id = Self::field();
        let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
        state.cursor.set_char_range(Some(CCursorRange::one(end)));
        state.store(ui.ctx(), id);
        ui.memory_mut(|memory| memory.request_focus(id));
    }
}

/// Where the cursor stands, in bytes; the end if nobody knows.
fn cursor_of(ui: &Ui, id: Id, text: &str) -> usize {
    let state = TextEdit::load_state(ui.ctx(), id);
    let range = state.and_then(|state| state.cursor.char_range());
    let Some(range) = range else {
        return text.len();
    };
    let place: usize = range.primary.index.into();
    let found = text.char_indices().nth(place);
    found.map_or(text.len(), |(at, _)| at)
}

fn candidate_ui(ui: &mut Ui, look: Look<'_>, candidate: &Candidate, is_chosen: bool) -> bool {
    let explained = match (&candidate.field, candidate.ends_term) {
        (Some(field), false) => field_words(look, field),
        _ => String::new(),
    };
    let mut line = Row::icon(Icon::Search, &candidate.text, is_chosen);
    line.trailing = &explained;
    row(ui, look, &line).clicked()
}

/// What a field is, in words.
fn field_words(look: Look<'_>, field: &Field) -> String {
    let key = match field {
        Field::Severity(SeverityField::Now) => "field-severity",
        Field::Severity(SeverityField::Worst) => "field-worst",
        Field::State => "field-state",
        Field::Text(TextField::System) => "field-system",
        Field::Text(TextField::Category) => "field-category",
        Field::Text(TextField::Check) => "field-check",
        Field::Text(TextField::Family) => "field-family",
        Field::Text(TextField::Owner) => "field-owner",
        Field::Text(TextField::Summary) => "field-summary",
        Field::Label(_) => "field-label",
        Field::Flag(Flag::Claimed) => "field-claimed",
        Field::Flag(Flag::Silenced) => "field-silenced",
        Field::Flag(Flag::Maintenance) => "field-maintenance",
        Field::Flag(Flag::Inhibited) => "field-inhibited",
        Field::Flag(Flag::Flapping) => "field-flapping",
        Field::Flag(Flag::Attention) => "field-attention",
        Field::Moment(Moment::Opened | Moment::FirstSeen) => "field-opened",
        Field::Moment(Moment::Changed) => "field-changed",
        Field::Moment(Moment::LastOk) => "field-last-ok",
        Field::Age => "field-age",
        Field::Since => "field-since",
        Field::Number(_) => "field-flaps",
        Field::Has => "field-has",
    };
    look.texts.get(key)
}

/// What is wrong, and where.
fn fault_words(look: Look<'_>, error: &QueryError) -> String {
    let texts = look.texts;
    let words = match &error.fault {
        QueryFault::TooLong | QueryFault::TooMany | QueryFault::TooDeep => {
            texts.get("fault-too-much")
        }
        QueryFault::TermExpected => texts.get("fault-term"),
        QueryFault::CloseExpected => texts.get("fault-close"),
        QueryFault::NotOpened => texts.get("fault-not-opened"),
        QueryFault::QuotationOpen => texts.get("fault-quotation"),
        QueryFault::NoSuchField { name, similar } => match similar {
            Some(field) => {
                let field = field.to_string();
                texts.with("fault-field-similar", &[("name", name), ("field", &field)])
            }
            None => texts.with("fault-field", &[("name", name)]),
        },
        QueryFault::ValueExpected(field) => {
            texts.with("fault-value", &[("field", &field.to_string())])
        }
        QueryFault::Comparison(field) => {
            let (name, signs) = (field.to_string(), field.comparisons());
            texts.with("fault-comparison", &[("field", &name), ("signs", signs)])
        }
        QueryFault::WordExpected { field } => {
            let (name, words) = (field.to_string(), field.words().join(", "));
            texts.with("fault-word", &[("field", &name), ("words", &words)])
        }
        QueryFault::SpanExpected => texts.get("fault-span"),
        QueryFault::TimeExpected => texts.get("fault-time"),
        QueryFault::NumberExpected => texts.get("fault-number"),
        QueryFault::PatternEmpty => texts.get("fault-pattern-empty"),
        QueryFault::Pattern(_) | QueryFault::PatternTooLong | QueryFault::PatternsTooMany => {
            texts.get("fault-pattern")
        }
        QueryFault::PatternOfNoText(field) => {
            texts.with("fault-no-text", &[("field", &field.to_string())])
        }
        _ => error.fault.to_string(),
    };
    let at = error.at.to_string();
    texts.with("fault-at", &[("at", &at), ("fault", &words)])
}
