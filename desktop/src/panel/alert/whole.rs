//! Evidence that is too long for an alert: a button that fetches it from its agent, how far that is, and all of it.

use aramaki_model::alert::Alert;
use aramaki_model::evidence::{AgentEvidence, GatherError};
use aramaki_model::{Severity, Snapshot};
use egui::{FontId, Label, ProgressBar, RichText, ScrollArea, Ui};

use super::super::Window;
use crate::theme::{size, space};
use crate::view::evidence::{EvidenceFault, FetchedState, size_words};
use crate::view::{Frame, Intent};
use crate::widget::{Look, quiet_line};

/// How much room the whole text takes; it is scrolled in.
const TEXT_HEIGHT_MAX: f32 = 420.0;
/// A longer line is drawn as several; it is copied as it is.
const LINE_LEN_BYTES_MAX: usize = 1_000;
const PROGRESS_WIDTH: f32 = 220.0;

/// Draws what agents keep of an alert; whether all of it is on the screen, so that its beginning need not be.
pub(super) fn whole_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot, alert): (&Frame, &Snapshot, &Alert),
    window: &mut Window,
) -> bool {
    let mut is_whole = !alert.evidence.is_empty();
    for of in &alert.evidence {
        ui.push_id(of.kept.id, |ui| {
            let fetched = frame.evidence.iter().find(|it| it.of == *of);
            let host = host(snapshot, alert, of);
            match fetched.map(|it| &it.came) {
                Some(FetchedState::Whole(text)) => {
                    text_ui(ui, look, (text, &host, of), window);
                    return;
                }
                Some(FetchedState::Comes(len)) => comes_ui(ui, look, (*len, &host, of), window),
                Some(FetchedState::Failed(fault)) => {
                    let color = look.tokens.severity(Severity::Warning);
                    let words = look.texts.with(fault_key(*fault), &[("host", &host)]);
                    ui.add(Label::new(RichText::new(words).color(color)).wrap());
                    ask_ui(ui, look, ("evidence-again", &host, of), window);
                }
                None => ask_ui(ui, look, ("evidence-all", &host, of), window),
            }
            is_whole = false;
        });
    }
    is_whole
}

/// What the System calls the agent.
fn host(snapshot: &Snapshot, alert: &Alert, of: &AgentEvidence) -> String {
    let system = snapshot.system(&alert.system);
    let mut agents = system.into_iter().flat_map(|system| &system.agents);
    let agent = agents.find(|it| it.space == of.agent);
    agent.map_or_else(|| of.agent.short(), |it| it.label.clone())
}

fn ask_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (key, host, of): (&str, &str, &AgentEvidence),
    window: &mut Window,
) {
    ui.horizontal_wrapped(|ui| {
        let size = size_words(of.kept.len_bytes);
        let words = look.texts.with(key, &[("size", &size)]);
        if ui.button(words).clicked() {
            window.ask(Intent::ShowEvidence(*of));
        }
        let kept = look.texts.with("evidence-kept-by", &[("host", host)]);
        quiet_line(ui, look, &kept);
    });
}

fn comes_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (len_bytes, host, of): (u64, &str, &AgentEvidence),
    window: &mut Window,
) {
    let (len, all) = (size_words(len_bytes), size_words(of.kept.len_bytes));
    let said = [("host", host), ("len", &len), ("all", &all)];
    quiet_line(ui, look, &look.texts.with("evidence-comes", &said));
    ui.horizontal(|ui| {
        ui.add(ProgressBar::new(share(len_bytes, of.kept.len_bytes)).desired_width(PROGRESS_WIDTH));
        if ui.button(look.texts.get("evidence-stop")).clicked() {
            window.ask(Intent::HideEvidence(*of));
        }
    });
}

/// How much of it is here, from 0 to 1, in hundredths.
fn share(len_bytes: u64, all_bytes: u64) -> f32 {
    let percent = len_bytes.saturating_mul(100) / all_bytes.max(1);
    f32::from(u8::try_from(percent.min(100)).unwrap_or(100)) / 100.0
}

/// A line, or what of it fits on one each.
fn pieces(mut line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    while line.len() > LINE_LEN_BYTES_MAX {
        let (piece, rest) = line.split_at(line.floor_char_boundary(LINE_LEN_BYTES_MAX));
        pieces.push(piece);
        line = rest;
    }
    pieces.push(line);
    pieces
}

fn text_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (text, host, of): (&str, &str, &AgentEvidence),
    window: &mut Window,
) {
    ui.horizontal_wrapped(|ui| {
        let size = size_words(of.kept.len_bytes);
        let said = [("host", host), ("size", size.as_str())];
        quiet_line(ui, look, &look.texts.with("evidence-whole", &said));
        if ui.button(look.texts.get("run-copy")).clicked() {
            ui.ctx().copy_text(text.to_owned());
        }
        if ui.button(look.texts.get("evidence-hide")).clicked() {
            window.ask(Intent::HideEvidence(*of));
        }
    });
    ui.add_space(space::S);
    let lines: Vec<&str> = text.lines().flat_map(pieces).collect();
    let font = FontId::monospace(size::SMALL);
    let height = ui.ctx().fonts_mut(|fonts| fonts.row_height(&font));
    ScrollArea::both()
        .max_height(TEXT_HEIGHT_MAX)
        .auto_shrink([false, true])
        .show_rows(ui, height, lines.len(), |ui, shown| {
            for line in lines.get(shown).unwrap_or_default() {
                let line = RichText::new(*line).font(font.clone());
                ui.add(Label::new(line.color(look.tokens.text)).extend());
            }
        });
}

/// What became of it, in words.
const fn fault_key(fault: EvidenceFault) -> &'static str {
    match fault {
        EvidenceFault::NotAllowed => "evidence-not-allowed",
        EvidenceFault::MayNotAsk => "evidence-may-not-ask",
        EvidenceFault::NobodyAnswers => "evidence-nobody",
        EvidenceFault::NobodyAnswersReaders => "evidence-nobody-readers",
        EvidenceFault::Gone => "evidence-gone",
        EvidenceFault::Busy => "evidence-busy",
        EvidenceFault::TooMany => "evidence-too-many",
        EvidenceFault::Untrue(GatherError::TooLong { .. }) => "evidence-too-long",
        EvidenceFault::Untrue(_) => "evidence-untrue",
        EvidenceFault::Closed => "evidence-closed",
    }
}
