//! `aramaki peers`.

use std::time::Duration;

use aramaki_sync::replica::{PeerStatus, SpaceSummary, Spent};
use aramaki_sync_core::AuthorId;
use clap::Args;
use serde_json::{Value, json};

use super::report::{Lines, count, table};
use super::when::span;
use super::{CliError, Report, local, parse_span};
use crate::workspace::{
    AccessOver, Awaiting, KeptBack, Live, Names, OverAt, capability_word, path_word,
};

/// Say whom this device reaches, over which path, and where what it wrote is stored.
#[derive(Debug, Args)]
pub(crate) struct Peers {
    /// Wait this long for connections before answering.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    wait: Option<Duration>,
}

impl Peers {
    /// Asks the replica.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        if let Some(wait) = self.wait {
            tokio::time::sleep(wait).await;
        }
        let peers = live.replica().peers();
        let spaces = live.spaces().await;
        let names = live.names(&spaces);
        let rows: Vec<_> = peers
            .iter()
            .map(|peer| {
                vec![
                    peer.device
                        .or_else(|| relay_at(&spaces, peer))
                        .map_or_else(|| peer.address.to_string(), |device| names.of(device)),
                    peer.path
                        .as_ref()
                        .map_or("not connected", path_word)
                        .to_owned(),
                    peer.rtt
                        .map(|rtt| format!("{} ms", rtt.as_millis()))
                        .unwrap_or_default(),
                    peer.last_seen
                        .map(|seen| format!("heard {} ago", span(seen)))
                        .unwrap_or_default(),
                ]
            })
            .collect();
        let only_here: u64 = spaces.iter().map(|space| space.receipts.only_here).sum();
        let connected = peers.iter().filter(|peer| peer.is_connected()).count();
        let mut text = table(&rows);
        let known = peers.len();
        let own = live.profile().device;
        let mut last = Lines::default();
        last.add(format_args!("This device's key: {own}"));
        last.add(format_args!(
            "{connected} of {} connected; {only_here} of our envelopes are on this disk only.",
            count(known, "peer")
        ));
        say_of_spaces(&mut last, live, &spaces).await;
        let awaiting = live.awaiting().await;
        for it in &awaiting {
            last.add(say_awaiting(it));
        }
        text.push_str(&last.into_text());
        let peers: Vec<_> = peers.iter().map(|peer| peer_json(peer, &names)).collect();
        let spaces: Vec<_> = spaces.iter().map(space_json).collect();
        Ok(Report::new(
            text,
            &json!({
                "this_device": own.to_string(),
                "peers": peers,
                "spaces": spaces,
                "only_here": only_here,
                "awaiting": awaiting.iter().map(awaiting_json).collect::<Vec<_>>(),
            }),
        ))
    }
}

/// What keeps Spaces from being the same here and elsewhere.
async fn say_of_spaces(last: &mut Lines, live: &Live, spaces: &[SpaceSummary]) {
    for space in spaces.iter().filter(|it| it.ended_elsewhere.is_some()) {
        let title = live.title(space.id).unwrap_or_else(|| space.id.short());
        if let Some(how) = live.over_in(space).await {
            last.add(say_ended(&title, how));
        }
    }
    for kept in live.kept_back(spaces, None) {
        last.add(say_over_quota(&kept));
    }
    for space in spaces.iter().filter(|it| it.newer_elsewhere) {
        let title = live.title(space.id).unwrap_or_else(|| space.id.short());
        last.add(format_args!(
            "Something in {title} was written by a newer version of Aramaki and is not here yet: \
             update this program to read it."
        ));
    }
}

fn peer_json(peer: &PeerStatus, names: &Names) -> Value {
    json!({
        "device": peer.device.map(|device| device.to_string()),
        "name": peer.device.and_then(|device| names.known(device)),
        "address": peer.address.to_string(),
        "connected": peer.is_connected(),
        "path": peer.path.as_ref().map(path_word),
        "rtt_ms": peer.rtt.map(|rtt| rtt.as_secs_f64() * 1_000.0),
        "last_seen_ms": peer.last_seen.map(|seen| seen.as_millis()),
    })
}

/// What is so where a device came by a code that had let in as many as it may.
pub(super) fn say_used_up(title: &str) -> String {
    format!(
        "{title}: the code by which you came had let in as many devices as it may, so what you write there counts for \
         nobody: ask for a code of your own, and write it again."
    )
}

/// What a peer says of this device's access.
pub(super) fn say_ended(title: &str, how: AccessOver) -> String {
    let (said, then) = match how {
        AccessOver::ByTime => (
            "A peer says that your access to",
            "What you wrote in time is handed in when somebody answers, or in a file: `aramaki carry`.",
        ),
        AccessOver::Earlier => (
            "A peer says that your access to",
            "By what is known here it was ended before its time: then nothing more that you hand in counts; who \
             administers it lets you in anew.",
        ),
        AccessOver::Here => (
            "Your access to",
            "A statement that is here ended it: who administers it lets you in anew.",
        ),
    };
    format!(
        "{said} {title} has ended: what is here may be old, and what you write reaches nobody. {then}"
    )
}

/// The Systems to which access is over, those that are meant.
pub(super) fn over_json(over: &[OverAt], is_meant: impl Fn(&OverAt) -> bool) -> Vec<String> {
    let over = over.iter().filter(|it| is_meant(it));
    over.map(|it| it.space.to_string()).collect()
}

/// What a peer takes no more of, and where that is meanwhile.
pub(super) fn say_over_quota(kept: &KeptBack) -> String {
    format!(
        "{} has taken no more of {} since {}: a quota of it is reached. What you write there is kept here and goes there \
         by itself once it is taken; ask whoever runs it.",
        kept.name,
        kept.title,
        local(kept.since)
    )
}

/// What is waited for, and how to wait no more.
pub(super) fn say_awaiting(it: &Awaiting) -> String {
    let short = it.space.short();
    if let Some(spent) = it.spent {
        let why = match spent {
            Spent::Used => "was used by as many devices as it lets in",
            Spent::Revoked => "was revoked, or its time has come",
        };
        format!(
            "The invitation to {short} {why}: ask for a new one, and give this one up with `aramaki join --cancel \
             {short}`."
        )
    } else if let Some(begin) = it.begins() {
        format!(
            "The invitation to {short}, to {} it, begins {}: it comes by itself then, as soon as somebody who has \
             it can be reached, until {}. `aramaki join --cancel {short}` gives it up.",
            capability_word(it.capability),
            local(begin),
            local(it.redeem_until)
        )
    } else if it.is_live() {
        format!(
            "Waiting for {short}, to {} it, since {}: it comes as soon as somebody who has it can be reached, \
             until {}. `aramaki join --cancel {short}` gives it up.",
            capability_word(it.capability),
            local(it.since),
            local(it.redeem_until)
        )
    } else {
        format!(
            "The invitation to {short} ended {} unused: ask for a new one, and give this one up with `aramaki \
             join --cancel {short}`.",
            local(it.redeem_until)
        )
    }
}

fn awaiting_json(it: &Awaiting) -> Value {
    json!({
        "id": it.space.to_string(),
        "since": it.since.to_string(),
        "capability": capability_word(it.capability),
        "begin": it.begin.map(|begin| begin.to_string()),
        "redeem_until": it.redeem_until.to_string(),
        "ended": !it.is_live() || it.spent.is_some(),
        "spent": it.spent.map(|spent| match spent {
            Spent::Used => "used",
            Spent::Revoked => "revoked",
        }),
    })
}

/// Where what is here of a Space is stored besides.
fn space_json(space: &SpaceSummary) -> Value {
    json!({
        "id": space.id.to_string(),
        "envelopes": space.envelopes,
        "digest": data_encoding::HEXLOWER.encode(&space.digest),
        "on_relays": space.receipts.on_relays().len(),
        "on_devices": space.receipts.on_devices(),
        "only_here": space.receipts.only_here,
        "ended_elsewhere": space.ended_elsewhere.is_some(),
        "over_quota_at": space.over_quota_at.iter().map(|(peer, _since)| peer.to_string()).collect::<Vec<_>>(),
        "newer_elsewhere": space.newer_elsewhere,
    })
}

/// The relay that is looked for at a place, before it has proved who it is.
fn relay_at(spaces: &[SpaceSummary], peer: &PeerStatus) -> Option<AuthorId> {
    let mut relays = spaces.iter().flat_map(|space| &space.relays);
    let relay = relays.find(|relay| relay.endpoint == peer.address.endpoint)?;
    Some(relay.author)
}
