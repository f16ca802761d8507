//! Telling whoever sits at this computer, by the desktop's own notifications.

#[cfg(target_os = "linux")]
use std::sync::{Arc, Mutex, PoisonError};
#[cfg(target_os = "linux")]
use std::time::Duration;

#[cfg(target_os = "linux")]
use super::bubbles::Bubbles;
use super::channel::SendError;
use super::letter::Letter;

/// The desktop session that this program runs in.
#[derive(Debug, Default)]
pub(super) struct Surface {
    /// What it shows of what was told.
    #[cfg(target_os = "linux")]
    bubbles: Arc<Mutex<Bubbles>>,
}

/// How long the desktop may take for one answer.
#[cfg(target_os = "linux")]
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// What shows notifications, and what that speaks.
#[cfg(target_os = "linux")]
const NAME: &str = "org.freedesktop.Notifications";
/// Where it stands on the bus.
#[cfg(target_os = "linux")]
const PATH: &str = "/org/freedesktop/Notifications";

#[cfg(target_os = "linux")]
impl Surface {
    /// Shows it, in the place of what it says anew.
    pub(super) async fn send(&self, letter: &Letter) -> Result<(), SendError> {
        const PAUSE: Duration = Duration::from_secs(5);
        let (bubbles, letter) = (Arc::clone(&self.bubbles), letter.clone());
        let shown = tokio::task::spawn_blocking(move || {
            // What is there is still true when somebody panicked meanwhile.
            let mut bubbles = bubbles.lock().unwrap_or_else(PoisonError::into_inner);
            show(&letter, &mut bubbles)
        });
        match shown.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(zbus::Error::InputOutput(error)))
                if error.kind() == std::io::ErrorKind::TimedOut =>
            {
                Err(SendError::unsure("the desktop did not answer in time"))
            }
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
fn show(letter: &Letter, bubbles: &mut Bubbles) -> zbus::Result<()> {
    /// Characters of the text that are shown: a bubble is small, and a message may be long.
    const SHOWN_LEN_CHARS_MAX: usize = 400;
    let shown: String = letter.text.chars().take(SHOWN_LEN_CHARS_MAX).collect();
    // Desktops read the body as markup.
    let shown = shown
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let session = zbus::blocking::connection::Builder::session()?
        .method_timeout(ANSWER_TIME)
        .build()?;
    bubbles.drawn_by(owner(&session)?);
    let mut outdated = bubbles.outdated(&letter.alerts).into_iter();
    let urgency = zbus::zvariant::Value::U8(letter.urgency());
    let body = (
        "Aramaki",
        outdated.next().unwrap_or_default(),
        "",
        letter.subject.as_str(),
        shown.as_str(),
        Vec::<&str>::new(),
        std::collections::BTreeMap::from([("urgency", urgency)]),
        -1_i32,
    );
    let answer = session.call_method(Some(NAME), PATH, Some(NAME), "Notify", &body)?;
    // Who was started for this call has its name only now.
    bubbles.drawn_by(owner(&session)?);
    bubbles.shown(answer.body().deserialize()?, &letter.alerts);
    for id in outdated {
        let closed = session.call_method(Some(NAME), PATH, Some(NAME), "CloseNotification", &id);
        if let Err(error) = closed {
            // Somebody closed it, and some desktops call that an error.
            tracing::debug!(id, %error, "an outdated bubble was not closed");
            if matches!(error, zbus::Error::InputOutput(_)) {
                break;
            }
        }
    }
    Ok(())
}

/// Who shows notifications now; none while nobody does, who may be started by a call.
#[cfg(target_os = "linux")]
fn owner(session: &zbus::blocking::Connection) -> zbus::Result<Option<String>> {
    let bus = zbus::blocking::fdo::DBusProxy::new(session)?;
    match bus.get_name_owner(zbus::names::BusName::try_from(NAME)?) {
        Ok(owner) => Ok(Some(owner.to_string())),
        Err(zbus::fdo::Error::NameHasNoOwner(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
impl Surface {
    /// There is nothing to show it on that this program knows.
    pub(super) async fn send(&self, _letter: &Letter) -> Result<(), SendError> {
        Err(SendError::refused("only Linux desktops are known"))
    }
}
