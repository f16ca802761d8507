//! One run of an action: who asked and agreed, how it went, what it said, and once more.

use aramaki_model::{Severity, Snapshot};
use aramaki_sync_core::{EnvelopeId, SpaceId};
use egui::{Align, FontId, Label, Layout, RichText, Ui};

use super::actions::{came_words, run_link_ui};
use super::system::back_ui;
use super::{Dialog, Window, dialog, page, requests};
use crate::theme::{size, space, weighted};
use crate::view::actions::{Came, HostAction, RunPage};
use crate::view::{Frame, Route};
use crate::widget::{Look, ago, card_titled, clock, minute, quiet};

const WIDTH_MAX: f32 = 980.0;

/// Draws the page.
pub(super) fn run_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    (system, request): (SpaceId, EnvelopeId),
    window: &mut Window,
) {
    window.look_at_run((system, request));
    let title = snapshot.system(&system);
    let title = title.map_or_else(|| system.short(), |system| system.title.clone());
    if back_ui(ui, look, &title) {
        window.go(Route::System(system));
    }
    let looked = frame.run.as_ref().filter(|run| run.request == request);
    let Some(looked) = looked else {
        // Asked for, and not there yet.
        quiet(ui, look, &look.texts.get("opening"));
        return;
    };
    let Some(run) = looked.page.as_deref() else {
        super::empty_ui(ui, look, ("run-gone", "run-gone-hint"), |_ui| {});
        return;
    };
    ui.set_max_width(ui.available_width().min(WIDTH_MAX));
    head_ui(ui, look, (frame, run), window);
    page(ui, WIDTH_MAX, |ui| {
        if let Some(waiting) = frame.waiting.iter().find(|it| it.id == request) {
            let title = requests::title(look, std::iter::once(waiting));
            card_titled(ui, look, &title, |ui| {
                requests::request_ui(ui, look, waiting, window);
            });
            ui.add_space(space::S);
        }
        card_titled(ui, look, &look.texts.get("run-what"), |ui| {
            what_ui(ui, look, run, window);
        });
        ui.add_space(space::S);
        output_ui(ui, look, run);
    });
}

/// The action of a run, if its host allows it still.
fn offered<'a>(frame: &'a Frame, run: &RunPage) -> Option<&'a HostAction> {
    let known = frame
        .actions
        .as_ref()
        .filter(|it| it.system == run.system)?;
    let mut actions = known.actions.iter();
    actions.find(|it| it.host == run.host && it.name == run.action)
}

fn head_ui(ui: &mut Ui, look: Look<'_>, (frame, run): (&Frame, &RunPage), window: &mut Window) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(action) = offered(frame, run) {
                let again = ui.add(dialog::primary(look, "run-again"));
                window.list_has(&again);
                if again.clicked() {
                    window.dialog = Some(Dialog::run_with(run.system, action, &run.run.arguments));
                }
            } else {
                quiet(ui, look, &look.texts.get("actions-gone"));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let title = weighted(&run.action, 650.0).size(size::PAGE);
                ui.add(Label::new(title.color(look.tokens.strong)).truncate());
                quiet(ui, look, &run.host);
            });
        });
    });
    let color = match run.run.came {
        Came::Failed(_) | Came::Lost => look.tokens.severity(Severity::Critical),
        Came::Refused(_) | Came::Postponed | Came::Left | Came::Unheard(_) | Came::Expired => {
            look.tokens.severity(Severity::Warning)
        }
        Came::Waits | Came::Runs => look.tokens.accent,
        Came::Done => look.tokens.severity(Severity::Ok),
    };
    let came = weighted(came_words(look, &run.run.came), 650.0).size(size::HEAD);
    ui.add(Label::new(came.color(color)).wrap());
    ui.add_space(space::S);
}

/// From the request to its end, line by line.
fn what_ui(ui: &mut Ui, look: Look<'_>, run: &RunPage, window: &mut Window) {
    for (name, value) in &run.run.arguments {
        let line = RichText::new(format!("{name} = {value:?}"));
        let line = line.font(FontId::monospace(size::BODY));
        ui.add(Label::new(line.color(look.tokens.strong)).wrap());
    }
    let reason = [("reason", run.run.reason.as_str())];
    line_ui(ui, look, &look.texts.with("requests-why", &reason));
    let (time, old) = (clock(look, run.run.at), ago(look, run.run.at));
    let end = minute(look, run.end);
    let asked = [
        ("who", run.run.who.as_str()),
        ("time", &time),
        ("ago", &old),
        ("end", &end),
    ];
    line_ui(ui, look, &look.texts.with("run-asked", &asked));
    if let Some(again) = run.again {
        let words = look.texts.with("run-after", &[("run", &again.short())]);
        if run_link_ui(ui, look, &words).clicked() {
            window.go(Route::Run(run.system, again));
        }
    }
    for (who, agrees) in &run.said {
        let key = if *agrees {
            "requests-agrees"
        } else {
            "requests-objects"
        };
        line_ui(ui, look, &look.texts.with(key, &[("who", who)]));
    }
    if let Some(began) = run.began {
        let time = clock(look, began);
        line_ui(ui, look, &look.texts.with("run-began", &[("time", &time)]));
        if let Some(ended) = run.ended {
            let time = clock(look, ended);
            let took = format!("{:.1} s", ended.since(began).as_secs_f64());
            let said = [("time", time.as_str()), ("took", &took)];
            line_ui(ui, look, &look.texts.with("run-ended", &said));
        }
    }
}

/// What it said, to be read, chosen and copied.
fn output_ui(ui: &mut Ui, look: Look<'_>, run: &RunPage) {
    card_titled(ui, look, &look.texts.get("run-output"), |ui| {
        let output = &run.run.tail;
        if output.is_empty() {
            let key = match run.run.came {
                Came::Waits | Came::Refused(_) => "run-output-not-begun",
                Came::Runs => "run-output-none-yet",
                // Whether it ran, or what it said, nobody knows here.
                Came::Expired | Came::Unheard(_) => "run-output-unheard",
                Came::Done | Came::Failed(_) | Came::Postponed | Came::Left | Came::Lost => {
                    "run-output-none"
                }
            };
            quiet(ui, look, &look.texts.get(key));
            return;
        }
        ui.horizontal(|ui| {
            let len = run.len_bytes.to_string();
            quiet(
                ui,
                look,
                &look.texts.with("run-output-length", &[("n", &len)]),
            );
            if ui.button(look.texts.get("run-copy")).clicked() {
                ui.ctx().copy_text(output.clone());
            }
        });
        if run.left_out_bytes > 0 {
            let n = run.left_out_bytes.to_string();
            quiet(
                ui,
                look,
                &look.texts.with("run-output-left-out", &[("n", &n)]),
            );
        }
        let text = RichText::new(output).font(FontId::monospace(size::SMALL));
        ui.add(
            Label::new(text.color(look.tokens.text))
                .selectable(true)
                .wrap(),
        );
    });
}

fn line_ui(ui: &mut Ui, look: Look<'_>, text: &str) {
    ui.add(Label::new(RichText::new(text).color(look.tokens.text)).wrap());
}
