//! What people say of a System: rules, contacts, notes, and everything it belongs to.

use aramaki_model::notify::OnCall;
use aramaki_model::snapshot::{Access, AgentView};
use aramaki_model::system::Touch;
use aramaki_model::{Snapshot, SystemView};
use egui::{FontId, Label, RichText, Sense, Ui, Vec2, vec2};

use super::super::Window;
use super::super::peers::{heard, life_severity};
use super::super::trust::member_words;
use super::{Page, none_ui, observers};
use crate::theme::{size, space};
use crate::view::{PeerKind, Route};
use crate::widget::{Icon, Look, Row, ago, card_titled, quiet_line, row, severity_glyph, until};

/// How much of a card's width the first of two columns may take.
const FIRST_SHARE: f32 = 0.42;
/// How many of those who may read are named beside the page.
const MEMBERS_SHOWN: usize = 4;

/// What may be touched, and whom to call.
pub(in crate::panel) fn duty_ui(
    ui: &mut Ui,
    look: Look<'_>,
    snapshot: &Snapshot,
    system: &SystemView,
) {
    card_titled(ui, look, &look.texts.get("system-rules"), |ui| {
        none_ui(ui, look, system.rules.is_empty(), "system-none-rules");
        let rules: Vec<_> = system
            .rules
            .iter()
            .map(|(_, rule)| {
                let key = match rule.touch {
                    Touch::Freely => "touch-freely",
                    Touch::AskFirst => "touch-ask",
                    Touch::Escalate => "touch-escalate",
                };
                (look.texts.get(key), rule.text.clone())
            })
            .collect();
        pairs_ui(ui, look, &rules);
    });
    ui.add_space(space::S);
    card_titled(ui, look, &look.texts.get("system-contacts"), |ui| {
        let mut contacts: Vec<_> = snapshot
            .on_call(system.space, look.now)
            .iter()
            .map(|on_call| on_call_words(look, system, on_call))
            .collect();
        let nobody = contacts.is_empty() && system.contacts.is_empty();
        none_ui(ui, look, nobody, "system-none-contacts");
        let said = system.contacts.iter().map(|(_, contact)| {
            let words = [&contact.name, &contact.reach, &contact.hours];
            let words: Vec<&str> = words
                .into_iter()
                .map(String::as_str)
                .filter(|word| !word.is_empty())
                .collect();
            (contact.role.clone(), words.join(" · "))
        });
        contacts.extend(said);
        pairs_ui(ui, look, &contacts);
    });
    ui.add_space(space::S);
}

/// Who is on call by a schedule: whose turn it is, until when, and by which System's policy.
fn on_call_words(look: Look<'_>, system: &SystemView, on_call: &OnCall) -> (String, String) {
    let schedule = [("schedule", on_call.schedule.as_str())];
    let role = look.texts.with("system-on-call", &schedule);
    let mut words = match &on_call.duty {
        Some(duty) => {
            let end = until(look, duty.until);
            let said = [("who", duty.who.as_str()), ("end", &end)];
            let who = look.texts.with("system-on-call-until", &said);
            if on_call.reach.is_empty() {
                vec![who]
            } else {
                vec![who, on_call.reach.clone()]
            }
        }
        None => vec![look.texts.get("system-on-call-nobody")],
    };
    if on_call.policy != system.space {
        words.push(on_call.title.clone());
    }
    (role, words.join(" · "))
}

/// How it works here: notes, and where to look further.
pub(super) fn notes_ui(ui: &mut Ui, look: Look<'_>, shown: Page<'_>, window: &mut Window) {
    let system = shown.system;
    card_titled(ui, look, &look.texts.get("system-notes"), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        none_ui(ui, look, system.notes.is_empty(), "system-none-notes");
        for note in &system.notes {
            let response = row(ui, look, &Row::icon(Icon::Note, &note.title, false));
            window.list_has(&response);
            if response.clicked() {
                window.go(Route::Note(system.space, note.document));
            }
        }
    });
    if !system.dashboards.is_empty() {
        ui.add_space(space::S);
        card_titled(ui, look, &look.texts.get("system-dashboards"), |ui| {
            for (_, dashboard) in &system.dashboards {
                link_ui(ui, &dashboard.title, &dashboard.url);
            }
        });
    }
}

/// Draws who looks, where it belongs, and who may read it.
pub(super) fn around_ui(ui: &mut Ui, look: Look<'_>, shown: Page<'_>, window: &mut Window) {
    let system = shown.system;
    if !system.agents.is_empty() {
        ui.add_space(space::S);
        card_titled(ui, look, &look.texts.get("system-agents"), |ui| {
            for agent in &system.agents {
                ui.horizontal(|ui| {
                    agent_glyph(ui, look, agent);
                    ui.label(&agent.label);
                    match (agent.seen, agent.access) {
                        (Some(seen), _) => {
                            quiet_line(ui, look, &heard(look, agent, &ago(look, seen)));
                        }
                        (None, Access::Readable) => {
                            quiet_line(ui, look, &look.texts.get("agent-never-heard"));
                        }
                        (None, Access::NotShared) => {
                            quiet_line(ui, look, &look.texts.get("agent-not-shared"));
                        }
                    }
                });
            }
        });
    }
    observers::observers_ui(ui, look, shown, window);
    if !system.aggregates.is_empty() {
        ui.add_space(space::S);
        card_titled(ui, look, &look.texts.get("system-part-of"), |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            for (space, title) in &system.aggregates {
                let response = row(ui, look, &Row::icon(Icon::Overview, title, false));
                window.list_has(&response);
                if response.clicked() {
                    window.go(Route::System(*space));
                }
            }
        });
    }
    readers_ui(ui, look, shown, window);
    observers::add_ui(ui, look, shown, window);
}

/// How an agent's life looks.
fn agent_glyph(ui: &mut Ui, look: Look<'_>, agent: &AgentView) {
    if agent.is_offline() {
        let (rect, _) = ui.allocate_exact_size(Vec2::splat(14.0), Sense::hover());
        Icon::Offline.paint(ui, rect, look.tokens.subdued);
    } else {
        severity_glyph(ui, look, life_severity(agent.life), 14.0);
    }
}

/// Who may read this, in short; relays cannot, so they are left to the page.
fn readers_ui(ui: &mut Ui, look: Look<'_>, shown: Page<'_>, window: &mut Window) {
    let Some(trust) = shown.trust else {
        return;
    };
    ui.add_space(space::S);
    card_titled(ui, look, &look.texts.get("trust-title"), |ui| {
        let readers: Vec<_> = trust
            .members
            .iter()
            // A code that lets nobody in any more reads nothing.
            .filter(|member| member.kind != PeerKind::Relay && member.code_end.is_none())
            .collect();
        for member in readers.iter().take(MEMBERS_SHOWN) {
            quiet_line(ui, look, &member_words(look, member));
        }
        let more = readers.len().saturating_sub(MEMBERS_SHOWN);
        if more > 0 {
            let more = u64::try_from(more).unwrap_or(u64::MAX);
            quiet_line(ui, look, &look.texts.count("trust-more", more));
        }
        let show = look.texts.get("trust-show");
        let response = row(ui, look, &Row::icon(Icon::Trust, &show, false));
        window.list_has(&response);
        if response.clicked() {
            window.go(Route::Trust(shown.system.space));
        }
    });
}

/// A link whose address comes from a document: only the web, and its address is visible.
fn link_ui(ui: &mut Ui, title: &str, url: &str) {
    if url.starts_with("https://") || url.starts_with("http://") {
        ui.hyperlink_to(title, url).on_hover_text(url);
    } else {
        ui.label(format!("{title}: {url}"));
    }
}

/// Two columns: the first as wide as its longest word, within reason.
fn pairs_ui(ui: &mut Ui, look: Look<'_>, pairs: &[(String, String)]) {
    let font = FontId::proportional(size::SMALL + 0.5);
    let widest = pairs.iter().map(|(what, _)| {
        let painter = ui.painter();
        painter
            .layout_no_wrap(what.clone(), font.clone(), look.tokens.subdued)
            .size()
            .x
    });
    let first = widest
        .fold(0.0, f32::max)
        .min(ui.available_width() * FIRST_SHARE)
        .ceil();
    for (what, words) in pairs {
        ui.horizontal_top(|ui| {
            let (rect, response) = ui.allocate_exact_size(vec2(first, 18.0), Sense::hover());
            let galley = crate::widget::line(
                ui,
                what,
                size::SMALL + 0.5,
                look.tokens.subdued,
                first + 1.0,
            );
            let at = egui::pos2(rect.left(), rect.center().y - galley.size().y / 2.0);
            ui.painter().galley(at, galley, look.tokens.subdued);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, what));
            ui.add_space(space::S);
            ui.add(Label::new(RichText::new(words)).wrap());
        });
    }
}
