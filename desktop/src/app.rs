//! The app: draws the newest picture of its backend, and passes on what somebody asked for.

use std::time::Duration;

use crate::panel::{self, Window};
use crate::text::{Language, Texts};
use crate::theme;
use crate::view::{Backend, Route, Stage};

/// Changes in the background closer together than this are drawn together.
const REPAINT_PAUSE: Duration = Duration::from_millis(50);
/// Where the chosen language is kept; egui keeps the theme itself.
const LANGUAGE: &str = "language";

/// The window's contents over any [`Backend`].
#[derive(Debug)]
pub struct AramakiApp<B> {
    backend: B,
    window: Window,
    texts: (Language, Texts),
    /// How far the workspace was when it was drawn last.
    drawn: Option<Stage>,
}

impl<B: Backend> AramakiApp<B> {
    /// Installs the theme and asks to be woken when the backend's picture changes.
    pub fn new(context: &egui::Context, backend: B, language: Language) -> Self {
        theme::install(context);
        let waker = context.clone();
        backend.on_change(Box::new(move || waker.request_repaint_after(REPAINT_PAUSE)));
        Self {
            backend,
            window: Window::at(Route::Overview).speaking(language),
            texts: (language, language.texts()),
            drawn: None,
        }
    }

    /// The language that was chosen in an earlier run.
    pub fn stored_language(storage: Option<&dyn eframe::Storage>) -> Language {
        let tag = storage.and_then(|storage| storage.get_string(LANGUAGE));
        Language::of_tag(&tag.unwrap_or_default())
    }

    /// Where one is.
    pub const fn route(&self) -> &Route {
        &self.window.route
    }

    /// Draws the newest picture once.
    pub fn draw(&mut self, ui: &mut egui::Ui) {
        let frame = self.backend.frame();
        if self.texts.0 != self.window.language {
            self.texts = (self.window.language, self.window.language.texts());
        }
        if self.drawn != Some(frame.stage) {
            self.drawn = Some(frame.stage);
            tracing::info!(stage = ?frame.stage, "first frame");
        }
        for intent in panel::draw(ui, &frame, &mut self.window, &self.texts.1) {
            self.backend.send(intent);
        }
    }
}

impl<B: Backend> eframe::App for AramakiApp<B> {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.draw(ui);
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        storage.set_string(LANGUAGE, self.window.language.tag().to_owned());
    }
}
