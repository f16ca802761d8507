//! What people do about alerts in the window, on a real store: done, seen, taken back.

use aramaki_model::alert::{AlertState, Hold};
use aramaki_model::check::CheckKind;
use aramaki_model::{
    Alert, AlertId, Builtin, Check, CheckId, CheckState, EntryId, JournalEntry, Observation,
    Presence, Severity, Snapshot, Thresholds,
};

use super::*;
use crate::view::deed::{Deed, DeedKind};

/// A System that is broken, as its agent would tell.
async fn broken(live: &Live, title: &str) -> SpaceId {
    let changes = vec![SystemChange::Title(title.to_owned())];
    let system = live.create_system(changes).await.unwrap();
    let id = CheckId::new(fresh::now(), fresh::random().unwrap());
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    let check = Check::new(id, "replication", kind);
    let changes = vec![SystemChange::Checks(vec![check.clone()])];
    live.edit_system(system, changes).await.unwrap();
    let agent = (title, Presence::default());
    let agent = live.invite_agent(system, agent, span_of(1));
    let agent = agent.await.unwrap().space;
    let now = fresh::now();
    let said = Observation::of_builtin(id, now, Severity::Critical, "lag 41 s");
    let told = CheckState::new(id).observe(&check, &said).unwrap();
    let entry = EntryId::new(now, fresh::random().unwrap());
    let entries = [(entry, JournalEntry::Transition(told))];
    live.edit(agent, |model, chain, now| {
        model.append_journal(agent, chain, now, &entries)
    })
    .await
    .unwrap();
    system
}

/// What the window shows now.
async fn shown(live: &Live, extras: &Extras) -> Arc<Snapshot> {
    frame::of(live, extras).await.snapshot.unwrap()
}

/// Two broken Systems, and somebody at a window.
struct Night {
    _folder: tempfile::TempDir,
    live: Live,
    extras: Extras,
    systems: [SpaceId; 2],
}

impl Night {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let live = opened(&folder).await;
        let systems = [broken(&live, "Webshop").await, broken(&live, "Mail").await];
        Self {
            _folder: folder,
            live,
            extras: Extras::default(),
            systems,
        }
    }

    /// The alert of each System.
    async fn alerts(&self) -> [Arc<Alert>; 2] {
        let snapshot = shown(&self.live, &self.extras).await;
        self.systems.map(|system| {
            let mut of_it = snapshot.alerts.iter().filter(|it| it.system == system);
            let alert = of_it.next().unwrap();
            assert!(of_it.next().is_none(), "one each");
            Arc::clone(alert)
        })
    }

    /// Does something about both at once.
    async fn does(&mut self, kind: DeedKind) {
        let ids: Vec<AlertId> = self.alerts().await.iter().map(|it| it.id).collect();
        let deed = Deed {
            text: " moving the rack ".to_owned(),
            ..Deed::new(kind, ids)
        };
        self.asks(Intent::Deed(deed)).await;
    }

    async fn asks(&mut self, intent: Intent) {
        let done = carry_out(&self.live, intent, &mut self.extras).await;
        assert!(done.is_ok(), "{}", done.unwrap_err().message());
    }

    /// Takes it back; nobody has anything in hand then, and both are open as before.
    async fn takes_back(&mut self, before: &[Arc<Alert>; 2]) {
        self.asks(Intent::UndoDeed).await;
        assert!(self.extras.undo.is_empty(), "once");
        for (alert, before) in self.alerts().await.iter().zip(before) {
            assert_eq!(alert.id, before.id);
            assert_eq!(
                (alert.state, alert.effective),
                (AlertState::Open, Severity::Critical)
            );
            assert_eq!((&alert.acknowledgements, &alert.claims), (&vec![], &vec![]));
            assert_eq!(alert.holds, []);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_about_alerts_is_seen_and_taken_back() {
    let mut night = Night::new().await;
    let before = night.alerts().await;

    night.does(DeedKind::Acknowledge).await;
    for alert in night.alerts().await {
        assert_eq!(
            (alert.state, alert.effective),
            (AlertState::Acknowledged, Severity::Ok)
        );
        let [known] = alert.acknowledgements.as_slice() else {
            panic!("{:?}", alert.acknowledgements);
        };
        let said = (known.name.as_str(), known.text.as_str(), known.until);
        assert_eq!(said, ("duty operator", "moving the rack", None));
        assert!(alert.claims.is_empty() && alert.holds.is_empty());
    }
    night.takes_back(&before).await;

    // A claim is no acknowledgement: it is broken still, and somebody is on it for an hour. Taken back it is
    // released.
    let now = fresh::now();
    night.does(DeedKind::Claim).await;
    for alert in night.alerts().await {
        assert_eq!(alert.state, AlertState::Open);
        let [claim] = alert.claims.as_slice() else {
            panic!("{:?}", alert.claims);
        };
        let said = (claim.name.as_str(), claim.text.as_str(), claim.holds);
        assert_eq!(said, ("duty operator", "moving the rack", true));
        let lasts = claim.until.since(now);
        assert!(lasts >= span_of(1) && lasts < span_of(1) + Duration::from_mins(1));
        assert!(alert.acknowledgements.is_empty() && alert.holds.is_empty());
    }
    night.takes_back(&before).await;

    night.does(DeedKind::Silence).await;
    for alert in night.alerts().await {
        let [Hold::Silence { reason, name, .. }] = alert.holds.as_slice() else {
            panic!("{:?}", alert.holds);
        };
        assert_eq!(reason.trim(), "moving the rack");
        assert_eq!(name, "duty operator");
        assert_eq!(alert.effective, Severity::Ok);
    }
    night.takes_back(&before).await;
    night.live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_words_stand_on_every_timeline_and_a_deed_about_nothing_is_refused() {
    let mut night = Night::new().await;
    night.does(DeedKind::Say).await;
    assert!(night.extras.undo.is_empty(), "what was said was said");
    let snapshot = shown(&night.live, &night.extras).await;
    for system in night.systems {
        let timeline = &snapshot.system(&system).unwrap().timeline;
        let mut said = timeline.iter().filter_map(|item| match &item.event {
            TimelineEvent::Message(message) => Some(message.text.as_str()),
            _ => None,
        });
        assert_eq!(said.next(), Some("moving the rack"));
    }
    let nothing = Deed::new(DeedKind::Acknowledge, vec![AlertId([7; 32])]);
    let asked = carry_out(&night.live, Intent::Deed(nothing), &mut night.extras).await;
    let said = asked.unwrap_err().message();
    assert!(said.contains("none of these Systems"), "{said}");
    night.live.close().await;
}
