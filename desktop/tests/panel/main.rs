//! The window without a display: what people see, press and type, by the names that screen
//! readers say.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

mod acts;
mod alerts;
mod connection;
mod earlier;
mod evidence;
mod for_alert;
mod in_hand;
mod incident;
mod keyboard;
mod last_runs;
mod maintenance;
mod night;
mod notes;
mod observed;
mod pages;
mod past;
mod perspectives;
mod pictures;
mod proposals;
mod requests;
mod run_page;
mod runbooks;
mod services;
mod values;
mod world;

use aramaki_desktop::app::AramakiApp;
use aramaki_desktop::text::Language;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT as _;
use world::Desk;

/// The app over a desk, in English, in a window of this size.
pub(crate) fn app(desk: &Desk, size: [f32; 2]) -> Harness<'static, AramakiApp<Desk>> {
    app_in(desk, size, Language::English)
}

/// The same in a language.
pub(crate) fn app_in(
    desk: &Desk,
    size: [f32; 2],
    language: Language,
) -> Harness<'static, AramakiApp<Desk>> {
    let desk = desk.clone();
    let mut harness = Harness::builder()
        .with_size(size)
        .with_theme(egui::Theme::Dark)
        .allow_missing_glyphs()
        .build_eframe(|creation| AramakiApp::new(&creation.egui_ctx, desk, language));
    harness.run();
    harness
}

/// What accessibility tools say of what has the focus.
pub(crate) fn focused(window: &Harness<'static, AramakiApp<Desk>>) -> String {
    let mut nodes = window.root().children_recursive();
    let focused = nodes.find(egui_kittest::Node::is_focused);
    let name = focused.and_then(|node| node.accesskit_node().label());
    name.unwrap_or_default()
}

/// The usual size.
pub(crate) const WIDE: [f32; 2] = [1_280.0, 800.0];
/// Half of a small screen.
pub(crate) const NARROW: [f32; 2] = [700.0, 800.0];
