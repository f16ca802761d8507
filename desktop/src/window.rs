//! The real window.

use crate::app::AramakiApp;
use crate::text::Texts;
use crate::view::Backend;

/// Opens the window and returns when it is closed.
///
/// # Errors
/// When there is no display, or no OpenGL on it.
pub fn run<B: Backend>(backend: B) -> Result<(), eframe::Error> {
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Aramaki")
            .with_app_id("aramaki")
            .with_inner_size([1_440.0, 900.0])
            .with_min_inner_size([900.0, 560.0]),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "Aramaki",
        options,
        Box::new(|creation| {
            Ok(Box::new(AramakiApp::new(
                &creation.egui_ctx,
                backend,
                Texts::of_system(),
            )))
        }),
    )
}
