//! Telling whoever sits at this computer, by the desktop's own notifications.

use super::channel::SendError;
use super::letter::Letter;

/// The desktop session that this program runs in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surface;

#[cfg(target_os = "linux")]
impl Surface {
    /// Shows it once.
    pub(super) async fn send(self, letter: &Letter) -> Result<(), SendError> {
        use std::time::Duration;

        const PAUSE: Duration = Duration::from_secs(5);
        let (subject, text, urgency) = (
            letter.subject.clone(),
            letter.text.clone(),
            letter.urgency(),
        );
        let shown = tokio::task::spawn_blocking(move || show(&subject, &text, urgency));
        match shown.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(SendError::failed(
                format!("no desktop took it: {error}"),
                PAUSE,
            )),
            Err(error) => Err(SendError::unsure(error.to_string())),
        }
    }
}

/// Asks the session's notification service.
#[cfg(target_os = "linux")]
fn show(subject: &str, text: &str, urgency: u8) -> zbus::Result<()> {
    const NAME: &str = "org.freedesktop.Notifications";
    /// Characters of the text that are shown: a bubble is small, and a message may be long.
    const SHOWN_LEN_CHARS_MAX: usize = 400;
    let shown: String = text.chars().take(SHOWN_LEN_CHARS_MAX).collect();
    // Desktops read the body as markup.
    let shown = shown
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let hints = std::collections::BTreeMap::from([("urgency", zbus::zvariant::Value::U8(urgency))]);
    let body = (
        "Aramaki",
        0_u32,
        "",
        subject,
        shown.as_str(),
        Vec::<&str>::new(),
        hints,
        -1_i32,
    );
    let session = zbus::blocking::Connection::session()?;
    session.call_method(
        Some(NAME),
        "/org/freedesktop/Notifications",
        Some(NAME),
        "Notify",
        &body,
    )?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
impl Surface {
    /// There is nothing to show it on that this program knows.
    pub(super) async fn send(self, _letter: &Letter) -> Result<(), SendError> {
        Err(SendError::refused("only Linux desktops are known"))
    }
}
