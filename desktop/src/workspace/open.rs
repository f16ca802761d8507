//! The window and the thread behind it.

use std::thread;

use tokio_util::sync::CancellationToken;

use super::desk::{self, Desk};
use super::frame::{self, Extras};
use super::live::Live;
use super::profile::with_causes;
use crate::cli::{CliError, Config, Report, block_on, interrupted, log_to_file};
use crate::panel::Window;
use crate::screenshot::{self, Picture};
use crate::view::Route;
use crate::window;

/// Opens the app and returns when its window is closed; a signal ends it in good order.
///
/// # Errors
/// When there is no display.
pub(crate) fn open_window(config: &Config) -> Result<Report, CliError> {
    log_to_file(config)?;
    show(config, |_desk, live| {
        tokio::spawn(async move {
            interrupted().await;
            live.close().await;
            end_process();
        });
    })?;
    Ok(Report::default())
}

/// Opens the app for one person of the demo; `serve` runs beside it. When `serve` ends, because
/// the demo is gone, the process ends with it.
///
/// # Errors
/// When there is no display.
pub(crate) fn open_demo_window<F, S>(config: &Config, serve: S) -> Result<Report, CliError>
where
    S: FnOnce(Live) -> F + Send + 'static,
    F: Future<Output = Result<(), CliError>> + Send + 'static,
{
    show(config, move |desk, live| {
        tokio::spawn(async move {
            desk.shown().await;
            if let Err(error) = serve(live.clone()).await {
                tracing::error!(error = error.message(), "the demo cannot be served");
            }
            live.close().await;
            end_process();
        });
    })?;
    Ok(Report::default())
}

#[expect(
    clippy::exit,
    reason = "the window's loop cannot be left from another thread"
)]
fn end_process() -> ! {
    std::process::exit(0)
}

fn show(config: &Config, opened: impl FnOnce(Desk, Live) + Send + 'static) -> Result<(), CliError> {
    let (desk, asked) = Desk::new();
    let stop = CancellationToken::new();
    let worker = {
        let (desk, config, stop) = (desk.clone(), config.clone(), stop.clone());
        let shown = desk.clone();
        let opened = move |live| opened(shown, live);
        thread::Builder::new()
            .name("workspace".to_owned())
            .spawn(move || block_on(desk::work(desk, asked, config, stop, opened)))
            .map_err(|error| CliError::Bug(error.to_string()))?
    };
    let shown = window::run(desk, config.data.join("window.ron"));
    stop.cancel();
    let worked = worker.join();
    shown.map_err(|error| CliError::NoWindow {
        reason: why_no_window(&error),
    })?;
    worked.unwrap_or_else(|_panic| Err(CliError::Bug("the workspace's thread panicked".to_owned())))
}

/// What people can do something about; the window system's own words name places in its sources.
fn why_no_window(error: &eframe::Error) -> String {
    match error {
        eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => {
            "no display can be reached".to_owned()
        }
        other => with_causes(other),
    }
}

/// Draws the overview as it is now, without a display.
///
/// # Errors
/// When it cannot be encoded.
pub(crate) async fn overview_png(live: &Live) -> Result<Vec<u8>, CliError> {
    let frame = frame::of(live, &Extras::default()).await;
    let window = Window::at(Route::Overview);
    screenshot::png(&frame, window, &Picture::default())
        .map_err(|error| CliError::Bug(with_causes(&error)))
}
