//! Lets the agents of one System say how another is: one half, in the document of the one that is looked at.

use aramaki_model::Observer;
use aramaki_model::observer::OBSERVERS_MAX;

use super::change::SystemChange;
use super::live::Live;
use crate::cli::CliError;
use crate::view::observe::{Let, ObserveWish};

/// What was done, in the words of both.
#[derive(Debug)]
pub(crate) struct Observing {
    /// The System that is looked at.
    pub(crate) title: String,
    /// Whose agents look.
    pub(crate) from: String,
    /// How many checks of it are about the other; none when it cannot be read here.
    pub(crate) checks: Option<usize>,
}

impl Live {
    /// Writes it, with a line on the timeline where it is new.
    ///
    /// # Errors
    /// When it makes no sense, too many look already, or this device may not write there.
    pub(crate) async fn observe(&self, wish: ObserveWish) -> Result<Observing, CliError> {
        let (system, observer) = (wish.system, wish.observer);
        let title = self.title(system).unwrap_or_else(|| system.short());
        let snapshot = self.snapshot();
        let before = snapshot.system(&system);
        let before = before.map_or(&[][..], |view| &view.observers);
        let known = before.iter().find(|it| it.space == observer);
        let label = || known.map_or_else(|| observer.short(), |it| it.label.clone());
        let from = self.title(observer).unwrap_or_else(label);
        let refused = |reason: String| CliError::Setting {
            what: "observer",
            value: from.clone(),
            reason,
        };
        if observer == system {
            return Err(refused(
                "the agents of a System look at it anyway".to_owned(),
            ));
        }
        match (known, wish.what) {
            (None, Let::End) => return Err(refused(format!("it does not look at {title}"))),
            (None, Let::Look) if before.len() >= OBSERVERS_MAX => {
                return Err(refused(format!(
                    "{title} is looked at from {OBSERVERS_MAX} Systems already: end one of those first"
                )));
            }
            _ => {}
        }
        let change = match wish.what {
            Let::End => SystemChange::RemoveObserver(observer),
            Let::Look => SystemChange::Observer {
                space: observer,
                observer: Observer {
                    label: wish.label.unwrap_or_else(|| from.clone()),
                },
            },
        };
        self.edit_system(system, vec![change]).await?;
        let told = match (known, wish.what) {
            (_, Let::End) => Some(format!("observers: {from} looks no longer")),
            (None, Let::Look) => Some(format!("observers: {from} looks at it")),
            (Some(_), Let::Look) => None,
        };
        if let Some(told) = told {
            self.say(system, &told).await?;
        }
        let checks = self.snapshot().system(&observer).map(|view| {
            let all = view.for_others.iter();
            all.filter(|it| it.system == system).count()
        });
        Ok(Observing {
            title,
            from,
            checks,
        })
    }
}
