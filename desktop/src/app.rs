//! The app: draws the newest picture of its backend, and passes on what somebody asked for.

use crate::panel::{self, Window};
use crate::text::Texts;
use crate::theme;
use crate::view::{Backend, Route};

/// The window's contents over any [`Backend`].
#[derive(Debug)]
pub struct AramakiApp<B> {
    backend: B,
    window: Window,
    texts: Texts,
}

impl<B: Backend> AramakiApp<B> {
    /// Installs the theme and asks to be woken when the backend's picture changes.
    pub fn new(context: &egui::Context, backend: B, texts: Texts) -> Self {
        theme::install(context);
        let waker = context.clone();
        backend.on_change(Box::new(move || waker.request_repaint()));
        Self {
            backend,
            window: Window::at(Route::Overview),
            texts,
        }
    }

    /// Where one is.
    pub const fn route(&self) -> &Route {
        &self.window.route
    }

    /// Draws the newest picture once.
    pub fn draw(&mut self, ui: &mut egui::Ui) {
        let frame = self.backend.frame();
        for intent in panel::draw(ui, &frame, &mut self.window, &self.texts) {
            self.backend.send(intent);
        }
    }
}

impl<B: Backend> eframe::App for AramakiApp<B> {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.draw(ui);
    }
}
