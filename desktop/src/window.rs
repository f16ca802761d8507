//! The real window.

use std::path::PathBuf;

use crate::app::AramakiApp;
use crate::view::Backend;

/// Opens the window and returns when it is closed. `memory` is the file in which it keeps its
/// place, theme and language.
///
/// # Errors
/// When there is no display, or no OpenGL on it.
pub fn run<B: Backend>(backend: B, memory: PathBuf) -> Result<(), eframe::Error> {
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Aramaki")
            .with_app_id("aramaki")
            .with_inner_size([1_440.0, 900.0])
            .with_min_inner_size([640.0, 480.0]),
        persistence_path: Some(memory),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "Aramaki",
        options,
        Box::new(|creation| {
            let language = AramakiApp::<B>::stored_language(creation.storage);
            Ok(Box::new(AramakiApp::new(
                &creation.egui_ctx,
                backend,
                language,
            )))
        }),
    )
}
