//! `aramaki incident`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::parse::parse_line;
use super::report::Lines;
use super::share::Allowed;
use super::{CliError, Report, WITHOUT_RELAY, local, parse_span};
use crate::workspace::{Live, ShareRequest, capability_word, incident_reason};

/// Open an incident of a System: a Space of its own, so that who is called in sees it and nothing else.
///
/// It uses the System, whose state counts in it; its timeline begins with it, and the System's says so.
/// Whoever is invited sees what is written there from now on, not the System's notes or history.
#[derive(Debug, Args)]
pub(crate) struct Incident {
    /// Of which System.
    system: String,
    /// What people call it.
    #[arg(value_parser = parse_line)]
    title: String,
    /// Print a code for somebody who is called in.
    #[arg(long)]
    invite: bool,
    /// Whom the code is for, as all who read the incident will call them.
    #[arg(long = "to", value_name = "NAME", value_parser = parse_line, requires = "invite")]
    name: Option<String>,
    /// What the invited may do.
    #[arg(long = "can", value_enum, default_value_t = Allowed::Write, requires = "invite")]
    can: Allowed,
    /// For how long: 30m, 8h, 3d.
    #[arg(long = "for", value_name = "SPAN", default_value = "24h", value_parser = parse_span, requires = "invite")]
    span: Duration,
}

impl Incident {
    /// Makes its Space, links it and tells of it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        let of = live.title(system).unwrap_or_else(|| system.short());
        let incident = live.open_incident(system, &self.title).await?;
        let mut text = Lines::default();
        let mut shared = None;
        if self.invite {
            let request = ShareRequest {
                name: self.name.clone().unwrap_or_default(),
                reason: incident_reason(live, incident),
                capability: self.can.into(),
                span: self.span,
                begin: None,
                redemptions: 1,
                long_grace: false,
            };
            let invited = live.share(incident, &request).await?;
            text.add(&invited.code);
            text.add(format_args!(
                "\nThe code lets one device {} the incident until {}. On the other side: aramaki join CODE",
                capability_word(self.can.into()),
                local(invited.end)
            ));
            if !invited.relayed {
                text.add(WITHOUT_RELAY);
            }
            shared = Some(invited);
        }
        text.add(format_args!(
            "Opened {} as {}, an incident of {of}.",
            self.title,
            incident.short()
        ));
        Ok(Report::new(
            text.into_text(),
            &json!({
                "id": incident.to_string(),
                "title": self.title,
                "system": system.to_string(),
                "invitation": shared.as_ref().map(|it| it.code.clone()),
                "end": shared.as_ref().map(|it| it.end.to_string()),
            }),
        ))
    }
}
