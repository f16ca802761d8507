//! One picture of everything, for the window.

use aramaki_sync::replica::PeerStatus;
use aramaki_sync::transport::Path;
use aramaki_sync_core::AuthorId;
use aramaki_sync_core::statement::Capability;

use super::fresh;
use super::live::Live;
use crate::view::{
    Demo, Frame, MadeInvitation, Peer, PeerKind, Problem, RelayState, Stage, SyncState,
};

/// What only the window asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Extras {
    /// An invitation to show.
    pub(super) invitation: Option<MadeInvitation>,
    /// What went wrong last.
    pub(super) problem: Option<Problem>,
}

/// Everything as it is now.
pub(super) async fn of(live: &Live, extras: &Extras) -> Frame {
    Frame {
        stage: Stage::Open,
        person: live.profile().name.clone(),
        snapshot: Some(live.snapshot()),
        sync: sync(live).await,
        demo: live.demo_running().map(|running| Demo {
            relay: if running {
                RelayState::Running
            } else {
                RelayState::Stopped
            },
        }),
        invitation: extras.invitation.clone(),
        problem: extras.problem.clone(),
    }
}

async fn sync(live: &Live) -> SyncState {
    let spaces = live.spaces().await;
    let now = fresh::now();
    let is_relay = |author: &AuthorId| {
        let mut grants = spaces
            .iter()
            .flat_map(|space| &space.members)
            .filter(|member| member.author == *author)
            .peekable();
        grants.peek().is_some() && grants.all(|member| member.capability == Capability::Relay)
    };
    let agents = live.agent_spaces();
    let writes_as_agent = |author: &AuthorId| {
        spaces.iter().any(|space| {
            agents.contains(&space.id)
                && space.members.iter().any(|member| {
                    member.author == *author && member.capability == Capability::Write
                })
        })
    };
    let peer = |peer: &PeerStatus| {
        let kind = match peer.device {
            Some(device) if is_relay(&device) => PeerKind::Relay,
            Some(device) if writes_as_agent(&device) => PeerKind::Agent,
            None if relay_endpoint(&spaces, peer) => PeerKind::Relay,
            _ => PeerKind::Device,
        };
        Peer {
            name: name(peer),
            kind,
            path: peer.path.as_ref().map(|path| path_words(path, peer)),
            seen: peer.last_seen.map(|ago| now.minus(ago)),
        }
    };
    SyncState {
        pending: spaces.iter().map(|space| space.receipts.only_here()).sum(),
        newest: live.newest(),
        peers: live.replica().peers().iter().map(peer).collect(),
    }
}

fn relay_endpoint(spaces: &[aramaki_sync::replica::SpaceSummary], peer: &PeerStatus) -> bool {
    let mut relays = spaces.iter().flat_map(|space| &space.relays);
    relays.any(|relay| relay.endpoint == peer.address.endpoint)
}

/// A key's first digits: names of devices are not known yet.
fn name(peer: &PeerStatus) -> String {
    peer.device.map_or_else(
        || data_encoding::HEXLOWER.encode(&peer.address.endpoint[..4]),
        |device| device.short(),
    )
}

/// The path in words: `direct, 0.4 ms`.
fn path_words(path: &Path, peer: &PeerStatus) -> String {
    match peer.rtt {
        Some(rtt) => format!("{}, {:.1} ms", path_word(path), rtt.as_secs_f64() * 1_000.0),
        None => path_word(path).to_owned(),
    }
}

/// The path in one word.
pub(crate) fn path_word(path: &Path) -> &'static str {
    match path {
        Path::Direct(_) => "direct",
        Path::Relayed(_) => "relayed",
        Path::Unknown => "unknown",
    }
}
