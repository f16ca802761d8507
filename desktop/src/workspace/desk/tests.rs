//! What the window asks for, on a real store.

use std::collections::BTreeSet;
use std::path::PathBuf;

use aramaki_model::TimelineReach;
use aramaki_model::snapshot::TimelineEvent;
use aramaki_sync::replica::GrantRequest;
use aramaki_sync_core::key::DeviceKeys;

use super::*;
use crate::cli::{Network, PassphraseSource};
use crate::view::{EndWhat, Member};

mod deeds;

fn config(folder: &tempfile::TempDir) -> Config {
    Config {
        profile: "default".to_owned(),
        data: folder.path().join("data"),
        socket: PathBuf::new(),
        demo_socket: PathBuf::new(),
        logs: PathBuf::new(),
        log: String::new(),
        passphrase: PassphraseSource::Terminal,
        network: Network {
            bind: Some(([127, 0, 0, 1], 0).into()),
            ..Network::default()
        },
    }
}

/// A new workspace.
pub(crate) async fn opened(folder: &tempfile::TempDir) -> Live {
    let config = config(folder);
    begin(&config, "duty operator", None).unwrap();
    Live::open(&config).await.unwrap()
}

/// Somebody with write in a System, as the trust page shows them.
async fn member(live: &Live, space: SpaceId) -> Option<Member> {
    let frame = frame::of(live, &Extras::default()).await;
    let members = frame.trust.get(&space)?.members.clone();
    members.into_iter().find(|it| it.may == Capability::Write)
}

/// Whose access the trust page says was ended in a System, whether the device was lost, and why.
async fn ended(live: &Live, space: SpaceId, extras: &mut Extras) -> Vec<(String, bool, String)> {
    let page = Intent::LookBack(crate::view::LookedBack::In(space));
    carry_out(live, page, extras).await.unwrap();
    let frame = frame::of(live, extras).await;
    let mut others = frame.trust.iter().filter(|(of, _trust)| **of != space);
    assert!(others.all(|(_of, trust)| trust.ended.is_empty()));
    let ended = frame.trust[&space].ended.iter();
    ended
        .map(|it| (it.name.clone(), it.was_lost, it.reason.clone()))
        .collect()
}

/// Systems in which a guest may write.
async fn shared_with(live: &Live, keys: &DeviceKeys, titles: [&str; 2]) -> [SpaceId; 2] {
    let mut spaces = Vec::new();
    for title in titles {
        let changes = vec![SystemChange::Title(title.to_owned())];
        let space = live.create_system(changes).await.unwrap();
        let end = fresh::now().plus(Duration::from_hours(8));
        let grant =
            GrantRequest::to_device(keys.author(), keys.box_public(), Capability::Write, end);
        live.replica().grant(space, grant).await.unwrap();
        spaces.push(space);
    }
    spaces.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn access_ends_where_the_preview_said() {
    let folder = tempfile::tempdir().unwrap();
    let live = opened(&folder).await;
    let keys = DeviceKeys::from_seed([9; 32]);
    let [webshop, mail] = shared_with(&live, &keys, ["Webshop", "Mail"]).await;
    let guest = member(&live, webshop).await.unwrap();
    assert!(guest.can_end);
    let mut what = EndWhat {
        space: webshop,
        grant: guest.grant,
        everywhere: true,
        from_the_start: false,
        cut: BTreeSet::new(),
    };
    let mut extras = Extras::default();
    let ask = |what: &EndWhat| Intent::AskEnd(what.clone());
    carry_out(&live, ask(&what), &mut extras).await.unwrap();
    let everywhere = extras.ending.clone().unwrap();
    let titles: Vec<_> = everywhere
        .places
        .iter()
        .map(|it| it.title.as_str())
        .collect();
    assert_eq!(titles, ["Mail", "Webshop"]);
    what.everywhere = false;
    carry_out(&live, ask(&what), &mut extras).await.unwrap();
    let here = extras.ending.clone().unwrap();
    assert_eq!((here.places.len(), here.places[0].ends.len()), (1, 1));
    assert_eq!(here.places[0].written, (0, 0), "the guest wrote nothing");

    let end = |what: &EndWhat, reason: &str| Intent::End {
        what: what.clone(),
        reason: reason.to_owned(),
    };
    carry_out(&live, end(&what, "the audit is over"), &mut extras)
        .await
        .unwrap();
    assert_eq!(extras.ending, None);
    assert!(member(&live, webshop).await.is_none());
    // Afterwards the page says who, by whom and why, and the audit does.
    assert_eq!(
        ended(&live, webshop, &mut extras).await,
        [(keys.author().short(), false, "the audit is over".to_owned())]
    );
    let rows = live.access(Some(webshop)).await.unwrap();
    let row = rows.iter().find(|it| it.grant == what.grant).unwrap();
    assert_eq!(row.end_reason.as_deref(), Some("the audit is over"));
    let guest = member(&live, mail).await.unwrap();
    let what = EndWhat {
        space: mail,
        grant: guest.grant,
        everywhere: true,
        from_the_start: false,
        cut: BTreeSet::new(),
    };
    carry_out(&live, end(&what, "left in a train"), &mut extras)
        .await
        .unwrap();
    assert!(member(&live, mail).await.is_none());
    assert_eq!(
        ended(&live, mail, &mut extras).await,
        [(keys.author().short(), true, "left in a train".to_owned())]
    );
    let again = carry_out(&live, end(&what, ""), &mut extras).await;
    assert!(again.is_err(), "it has ended already");
    live.close().await;
}

/// Somebody who was given something twice in one System is in one System.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_grant_in_one_space_is_no_second_space() {
    let folder = tempfile::tempdir().unwrap();
    let live = opened(&folder).await;
    let keys = DeviceKeys::from_seed([9; 32]);
    let [webshop, _mail] = shared_with(&live, &keys, ["Webshop", "Mail"]).await;
    let end = fresh::now().plus(Duration::from_hours(1));
    let again = GrantRequest::to_device(keys.author(), keys.box_public(), Capability::Read, end);
    live.replica().grant(webshop, again).await.unwrap();
    let frame = frame::of(&live, &Extras::default()).await;
    let spaces: Vec<_> = frame.sync.peers.iter().map(|it| it.spaces).collect();
    assert_eq!(spaces, [2]);
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_opened_with_who_is_called_in_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let live = opened(&folder).await;
    let changes = vec![SystemChange::Title("Webshop".to_owned())];
    let system = live.create_system(changes).await.unwrap();
    let mut extras = Extras::default();
    let asked = Intent::OpenIncident {
        system,
        title: "Checkout is slow".to_owned(),
        called: Some(CalledIn {
            name: "vendor".to_owned(),
            what: ShareFor::Writing,
            hours: 8,
        }),
    };
    carry_out(&live, asked, &mut extras).await.unwrap();
    let Some(IncidentAnswer::Opened(incident)) = extras.incident else {
        panic!("{:?}", extras.incident);
    };
    assert_eq!(extras.invitation.as_ref().unwrap().space, incident);
    let frame = frame::of(&live, &extras).await;
    assert_eq!(frame.incident, extras.incident);
    let members = frame.trust[&incident].members.iter();
    let mut invitations = members.filter(|it| it.name == "vendor");
    let invitation = invitations.next().unwrap();
    assert_eq!(invitation.reason, "called in: Checkout is slow");

    // The code is nobody, also once it is over.
    let what = EndWhat {
        space: incident,
        grant: invitation.grant,
        everywhere: false,
        from_the_start: false,
        cut: BTreeSet::new(),
    };
    let reason = String::new();
    carry_out(&live, Intent::End { what, reason }, &mut extras)
        .await
        .unwrap();
    let rows = live.audit(Some(incident)).await.unwrap();
    let told = rows.iter().map(|it| it.text.as_str());
    let told: Vec<_> = told.filter(|it| it.contains("vendor")).collect();
    assert!(told.len() >= 2, "{told:?}");
    let of_code =
        |it: &&str| it.matches("vendor").count() == it.matches("invitation for vendor").count();
    assert!(told.iter().all(of_code), "{told:?}");
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_for_a_device_makes_a_home_and_no_system() {
    let folder = tempfile::tempdir().unwrap();
    let live = opened(&folder).await;
    let mut extras = Extras::default();
    carry_out(&live, Intent::AddDevice, &mut extras)
        .await
        .unwrap();
    let made = extras.invitation.clone().unwrap();
    assert!(made.for_device && made.text.starts_with("aramakidevice1"));
    assert_eq!(live.home(), Some(made.space));
    let frame = frame::of(&live, &extras).await;
    assert_eq!(frame.devices.len(), 1, "{:?}", frame.devices);
    assert!(frame.devices[0].here && frame.trust.is_empty());
    let nobody = Intent::AcceptDevice {
        key: live.profile().device,
    };
    assert!(carry_out(&live, nobody, &mut extras).await.is_err());
    // It is the same Home after the workspace was closed.
    let profile = live.profile_now();
    live.close().await;
    assert_eq!(Profile::load(&folder.path().join("data")).unwrap(), profile);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_further_back_is_shown_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let live = opened(&folder).await;
    let mut extras = Extras::default();
    let mut systems = Vec::new();
    for title in ["Webshop", "Mail"] {
        let title = SystemChange::Title(title.to_owned());
        systems.push(live.create_system(vec![title]).await.unwrap());
    }
    for (n, space) in [0, 1, 0, 0].into_iter().enumerate() {
        live.say(systems[space], &n.to_string()).await.unwrap();
    }
    let mut read = async |system, most| {
        let back = Intent::ReadBack(system, TimelineReach::newest(most));
        carry_out(&live, back, &mut extras).await.unwrap();
        let frame = frame::of(&live, &extras).await;
        let earlier = frame.earlier.unwrap();
        assert_eq!(earlier.system, system);
        let timeline = earlier.snapshot.timeline.iter();
        let said = timeline.filter_map(|item| match &item.event {
            TimelineEvent::Message(message) => Some(message.text.clone()),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    assert_eq!(read(Some(systems[0]), 2).await, ["3", "2"]);
    assert_eq!(read(None, 100).await, ["3", "2", "1", "0"]);
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_of_the_window_has_the_kit_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let file = folder.path().join("kit");
    let kit = |passphrase: &str| NewKit {
        file: file.display().to_string(),
        passphrase: passphrase.to_owned().into(),
    };
    assert!(begin(&config, "duty operator", Some(&kit("too short"))).is_err());
    assert!(!file.exists() && !config.data.exists());
    begin(&config, "duty operator", Some(&kit("a long winter"))).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("a long winter"));
    let live = Live::open(&config).await.unwrap();
    assert!(!frame::of(&live, &Extras::default()).await.without_kit);
    live.close().await;
    // Nothing is made beside what is there.
    std::fs::remove_file(&file).unwrap();
    assert!(begin(&config, "somebody", Some(&kit("a long winter"))).is_err());
    assert!(!file.exists());

    let folder = tempfile::tempdir().unwrap();
    let live = opened(&folder).await;
    assert!(frame::of(&live, &Extras::default()).await.without_kit);
    live.close().await;
}
