//! One way to tell somebody, and what can go wrong with it.

use std::time::Duration;

use aramaki_model::notify::Target;

use super::command::Command;
use super::letter::Letter;
use super::smtp::Smtp;
use super::surface::Surface;
use super::webhook::Webhook;

/// What the limit of all kinds grants beyond their own limits.
const GRACE: Duration = Duration::from_secs(5);

/// A channel of this host.
#[derive(Debug)]
pub(crate) struct Channel {
    /// Ends of addresses that it may be used for; none: all.
    pub(super) only_to: Vec<String>,
    /// How long one attempt may take.
    pub(super) timeout: Duration,
    pub(super) kind: Kind,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Kind {
    Smtp(Box<Smtp>),
    Webhook(Box<Webhook>),
    Command(Command),
    Surface(Surface),
}

/// Whether somebody may have got it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nobody got it.
    Failed,
    /// It may have arrived.
    Unsure,
}

/// Whether it is worth another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// After a pause, at least so long.
    After(Duration),
    /// It will be refused again.
    Never,
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(crate) struct SendError {
    /// In words, without secrets.
    pub(crate) why: String,
    pub(crate) fate: Fate,
    pub(crate) again: Again,
}

impl SendError {
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            fate: Fate::Failed,
            again: Again::Never,
        }
    }

    pub(super) fn failed(why: impl Into<String>, pause: Duration) -> Self {
        Self {
            why: why.into(),
            fate: Fate::Failed,
            again: Again::After(pause),
        }
    }

    pub(super) fn unsure(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            fate: Fate::Unsure,
            again: Again::Never,
        }
    }
}

impl Channel {
    /// Makes one attempt.
    ///
    /// # Errors
    /// When it was not taken, or that is not known.
    pub(crate) async fn send(&self, target: &Target, letter: &Letter) -> Result<(), SendError> {
        if let Some(stranger) = self.stranger(&target.to)? {
            return Err(SendError::refused(format!(
                "this host's file does not let `{}` tell `{stranger}`",
                target.via
            )));
        }
        let attempt = async {
            match &self.kind {
                Kind::Smtp(smtp) => smtp.send(&target.to, letter).await,
                Kind::Webhook(webhook) => webhook.send(letter).await,
                Kind::Command(command) => command.send(&target.to, letter).await,
                Kind::Surface(surface) => surface.send(letter).await,
            }
        };
        // Each kind has its own limit; this one holds should one of them not.
        let limit = self.timeout.saturating_mul(2).saturating_add(GRACE);
        tokio::time::timeout(limit, attempt)
            .await
            .unwrap_or_else(|_elapsed| Err(SendError::unsure("nothing was heard in time")))
    }

    /// An address that this host's file does not allow. Of mail it is each of several that counts, without
    /// the name before it; whom the file itself names is allowed.
    fn stranger(&self, to: &str) -> Result<Option<String>, SendError> {
        if self.only_to.is_empty() {
            return Ok(None);
        }
        let addresses = match self.kind {
            Kind::Smtp(_) => Smtp::addresses(to).map_err(SendError::refused)?,
            Kind::Webhook(_) | Kind::Command(_) | Kind::Surface(_) => vec![to.to_owned()],
        };
        let is_allowed = |address: &String| self.only_to.iter().any(|end| address.ends_with(end));
        Ok(addresses.into_iter().find(|it| !is_allowed(it)))
    }
}
