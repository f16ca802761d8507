//! `aramaki alert acknowledge` and `unacknowledge`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::cli::listen::{find_alert, find_alerts};
use crate::cli::report::{Lines, count};
use crate::cli::{CliError, Clock, Report, parse_span};
use crate::workspace::Live;

/// Say that somebody knows: others see who, and nobody is called again for it.
#[derive(Debug, Args)]
pub(crate) struct Acknowledge {
    /// Which alerts: ids, or unique prefixes of at least 4 digits. With 8 or more nobody is listened to first where
    /// something is missing.
    #[arg(required = true, value_name = "ALERT")]
    alerts: Vec<String>,
    /// Why it may stay so: what is being done, a ticket.
    #[arg(long, short, default_value = "")]
    text: String,
    /// Only for so long; without it until it recovers.
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span)]
    span: Option<Duration>,
}

impl Acknowledge {
    /// Writes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let alerts = find_alerts(live, &self.alerts).await?;
        let until = self.span.map(|span| Clock::now().plus(span));
        let mut text = Lines::default();
        for alert in &alerts {
            let mut others = alert.acknowledgements.iter().filter(|known| known.holds);
            if let Some(other) = others.next() {
                text.add(format_args!(
                    "{} knew of it already: {}",
                    other.name, other.text
                ));
            }
            live.acknowledge(alert, self.text.trim(), until).await?;
            text.add(format_args!(
                "Acknowledged {}: {}.",
                alert.title,
                alert.called()
            ));
        }
        let ids: Vec<_> = alerts.iter().map(|alert| alert.id.to_string()).collect();
        Ok(Report::new(
            text.into_text(),
            &json!({"acknowledged": ids, "until": until.map(|until| until.to_string())}),
        ))
    }
}

/// Take acknowledgements back, one's own and others': it asks for somebody again.
#[derive(Debug, Args)]
pub(crate) struct Unacknowledge {
    /// Which alert.
    alert: String,
    /// Why.
    #[arg(long, short, default_value = "")]
    text: String,
}

impl Unacknowledge {
    /// Writes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let alert = find_alert(live, &self.alert).await?;
        let known = alert.acknowledgements.iter().filter(|known| known.holds);
        let entries: Vec<_> = known.map(|known| known.entry).collect();
        let back = live
            .withdraw(alert.system, &entries, self.text.trim())
            .await?;
        Ok(Report::new(
            format!("Took back {}.", count(back, "acknowledgement")),
            &json!({"id": alert.id.to_string(), "withdrawn": back}),
        ))
    }
}
