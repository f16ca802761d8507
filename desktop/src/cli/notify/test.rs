//! `aramaki notify test`.

use std::path::PathBuf;

use aramaki_model::notify::Target;
use clap::Args;
use serde_json::json;

use crate::cli::{CliError, Report};
use crate::notify::{Letter, NotifyConfig};

/// Send one test message through a channel of this host.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The channel, as the file calls it.
    channel: String,
    /// Where to, as that channel understands it: a mail address, a number.
    #[arg(long, default_value = "")]
    to: String,
    /// The channels of this host.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

impl Test {
    /// Sends it once.
    pub(crate) async fn run(&self) -> Result<Report, CliError> {
        let config = NotifyConfig::read(&self.file)?;
        let Some(channel) = config.channels.get(&self.channel) else {
            let known: Vec<_> = config.channels.keys().map(String::as_str).collect();
            return Err(CliError::Setting {
                what: "channel",
                value: self.channel.clone(),
                reason: format!("the file has: {}", known.join(", ")),
            });
        };
        let target = Target {
            via: self.channel.clone(),
            to: self.to.clone(),
        };
        let sent = channel.send(&target, &Letter::test(&self.channel)).await;
        sent.map_err(|error| CliError::NotTold {
            channel: self.channel.clone(),
            reason: error.to_string(),
        })?;
        Ok(Report::new(
            format!("{} took the test message.", self.channel),
            &json!({"channel": self.channel, "to": self.to}),
        ))
    }
}
