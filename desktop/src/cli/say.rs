//! `aramaki say`.

use clap::Args;
use serde_json::json;

use super::{CliError, Report};
use crate::workspace::Live;

/// Put a few words on a System's timeline: what you saw, what you did.
#[derive(Debug, Args)]
pub(crate) struct Say {
    /// Which System.
    system: String,
    /// The words.
    #[arg(required = true)]
    words: Vec<String>,
}

impl Say {
    /// Writes them.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let text = self.words.join(" ");
        if text.trim().is_empty() {
            return Err(CliError::Usage("there are no words to say".to_owned()));
        }
        live.say(space, text.trim()).await?;
        let title = live.title(space).unwrap_or_else(|| space.short());
        Ok(Report::new(
            format!("It stands on the timeline of {title}."),
            &json!({"system": space.to_string(), "text": text.trim()}),
        ))
    }
}
