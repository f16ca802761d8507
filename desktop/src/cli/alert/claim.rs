//! `aramaki alert claim` and `release`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::cli::listen::{find_alert, find_alerts};
use crate::cli::report::{Lines, count};
use crate::cli::{CliError, Clock, Report, local, parse_span};
use crate::workspace::Live;

/// Say that you work on it, for a time: others see it, nothing is locked.
#[derive(Debug, Args)]
pub(crate) struct Claim {
    /// Which alerts: ids, or unique prefixes of at least 4 digits. With 8 or more nobody is listened to first where
    /// something is missing.
    #[arg(required = true, value_name = "ALERT")]
    alerts: Vec<String>,
    /// What you do.
    #[arg(long, short, default_value = "")]
    text: String,
    /// For so long.
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span, default_value = "1h")]
    span: Duration,
}

impl Claim {
    /// Writes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let alerts = find_alerts(live, &self.alerts).await?;
        let until = Clock::now().plus(self.span);
        let mut text = Lines::default();
        for alert in &alerts {
            if let Some(other) = alert.claimed_by().next() {
                text.add(format_args!(
                    "{} works on it until {}: {}",
                    other.name,
                    local(other.until),
                    other.text
                ));
            }
            live.claim(alert, self.text.trim(), until).await?;
            text.add(format_args!(
                "You work on {}: {}.",
                alert.title,
                alert.called()
            ));
        }
        let ids: Vec<_> = alerts.iter().map(|alert| alert.id.to_string()).collect();
        Ok(Report::new(
            text.into_text(),
            &json!({"claimed": ids, "until": until.to_string()}),
        ))
    }
}

/// Say that you do not work on it any more.
#[derive(Debug, Args)]
pub(crate) struct Release {
    /// Which alert.
    alert: String,
    /// Also what others claimed.
    #[arg(long)]
    all: bool,
}

impl Release {
    /// Writes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let alert = find_alert(live, &self.alert).await?;
        let me = live.replica().author();
        let claims = alert.claimed_by();
        let mine = claims.filter(|claim| self.all || claim.who == Some(me));
        let entries: Vec<_> = mine.map(|claim| claim.entry).collect();
        let back = live.withdraw(alert.system, &entries, "").await?;
        Ok(Report::new(
            format!("Released {}.", count(back, "claim")),
            &json!({"id": alert.id.to_string(), "released": back}),
        ))
    }
}
