//! Opening an incident: a Space of its own that uses its System, so that who is called in sees it and
//! nothing else.

use aramaki_sync_core::SpaceId;

use super::change::SystemChange;
use super::desk::{capability_of, span_of};
use super::live::Live;
use super::trust::ShareRequest;
use crate::cli::CliError;
use crate::view::{CalledIn, Handed, MadeInvitation};

/// What incidents are, in the words of Systems.
const CATEGORY: &str = "incident";

impl Live {
    /// Makes an incident's Space, links it and tells of it on both timelines.
    ///
    /// # Errors
    /// When this device may not write in the System, or the store refuses.
    pub(crate) async fn open_incident(
        &self,
        system: SpaceId,
        title: &str,
    ) -> Result<SpaceId, CliError> {
        let of = self.title(system).unwrap_or_else(|| system.short());
        let changes = vec![
            SystemChange::Title(title.to_owned()),
            SystemChange::Category(CATEGORY.to_owned()),
            SystemChange::Part {
                space: system,
                label: of.clone(),
                overrides: Vec::new(),
                uses: true,
            },
        ];
        let incident = self.create_system(changes).await?;
        self.say(incident, &format!("Opened an incident of {of}."))
            .await?;
        self.say(system, &format!("Opened the incident “{title}”."))
            .await?;
        Ok(incident)
    }

    /// Invites somebody who is called in.
    ///
    /// # Errors
    /// As [`Live::share`].
    pub(super) async fn call_in(
        &self,
        incident: SpaceId,
        called: CalledIn,
    ) -> Result<MadeInvitation, CliError> {
        let request = ShareRequest {
            begin: None,
            redemptions: 1,
            long_grace: false,
            reason: incident_reason(self, incident),
            name: called.name,
            capability: capability_of(called.what),
            span: span_of(called.hours),
        };
        let invited = self.share(incident, &request).await?;
        Ok(MadeInvitation {
            space: incident,
            text: invited.code,
            begin: None,
            end: invited.end,
            redeem_until: invited.redeem_until,
            relayed: invited.relayed,
            for_device: false,
            handed: Handed::Online,
        })
    }
}

/// Why somebody has access to an incident, where nobody says otherwise.
pub(crate) fn incident_reason(live: &Live, incident: SpaceId) -> String {
    let title = live.title(incident).unwrap_or_else(|| incident.short());
    format!("called in: {title}")
}
