//! What the demo's second person does: deploys something, and acknowledges what is broken after it.

use std::time::Duration;

use aramaki_model::entry::Deployment;
use aramaki_model::{EntryId, TimelineEntry};
use tokio::time::Instant;

use super::observed::RESTORE;
use crate::cli::{CliError, Clock};
use crate::view::deed::{Deed, DeedKind};
use crate::workspace::{Live, random};

/// How long the alert may take to open.
const ALERT_TIME: Duration = Duration::from_mins(2);
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// Does both; the demo goes on without it.
pub(super) async fn attend(live: Live) {
    if let Err(error) = deploy_and_acknowledge(&live).await {
        tracing::warn!(error = error.message(), "the second person did nothing");
    }
}

async fn deploy_and_acknowledge(live: &Live) -> Result<(), CliError> {
    let snapshot = live.snapshot();
    let observed = snapshot.systems.iter().find(|system| {
        let mut checks = system.checks.iter();
        checks.any(|view| view.check.name == RESTORE)
    });
    if let Some(system) = observed {
        let at = Clock::now();
        let deployment = Deployment {
            at,
            title: "backup client 4.2".to_owned(),
            reference: "9f31c2e".to_owned(),
            link: String::new(),
        };
        let entry = (
            EntryId::new(at, random()?),
            TimelineEntry::Deployment(deployment),
        );
        live.append(system.space, entry).await?;
    }
    let end = Instant::now() + ALERT_TIME;
    while Instant::now() < end {
        let snapshot = live.snapshot();
        let mut alerts = snapshot.alerts.iter();
        if let Some(alert) = alerts.find(|it| it.is_open() && it.name == RESTORE) {
            let deed = Deed {
                text: "A restore is planned for Tuesday.".to_owned(),
                ..Deed::new(DeedKind::Acknowledge, vec![alert.id])
            };
            return live.deed(&deed).await.map(drop);
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
    Ok(())
}
