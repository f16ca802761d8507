//! `aramaki device`.

use std::time::Duration;

use aramaki_sync_core::Timestamp;
use clap::{Args, Subcommand};
use serde_json::json;

use super::report::{Lines, count, table};
use super::{CliError, Report, WITHOUT_RELAY, local, parse_span};
use crate::workspace::{HomeBeside, Live, OwnDevice, StillThere};

/// Said once, below the devices.
const NO_KIT: &str = "There is no recovery kit: whoever steals a device can end what was made on it, and nothing can undo \
                      that. A kit is made with a workspace: aramaki init.\n";

/// Use several devices as one person: a laptop and a desktop that may do the same.
///
/// First `aramaki device add` here prints a code; then on the other machine `aramaki init` and
/// `aramaki device join CODE`; last here `aramaki device accept KEY`. The code alone gives nothing:
/// compare the key with what the other machine shows before you accept it.
#[derive(Debug, Subcommand)]
pub(crate) enum Device {
    List(List),
    Add(Add),
    Join(Join),
    Accept(Accept),
}

/// Say which devices are yours, which wait for being accepted, and what lost ones may still.
#[derive(Debug, Args)]
pub(crate) struct List {}

/// Make a code with which another device of yours asks to be one of them.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Make a Home for your devices though there seems to be one already that this device is not in.
    #[arg(long)]
    new_home: bool,
}

/// Make this device one of yours: take a code that another device of yours made.
///
/// Only take a code that you made yourself: whoever accepts this device may do what it may from then
/// on, also in Systems that it makes later.
#[derive(Debug, Args)]
pub(crate) struct Join {
    /// The code.
    code: String,
    /// How long to wait for somebody who has your Home; it arrives later anyway.
    #[arg(long, value_name = "SPAN", default_value = "20s", value_parser = parse_span)]
    wait: Duration,
}

/// Let a device that waits do what this one may, everywhere, as the same person.
///
/// It may administer what this device administers, and what any of them makes later. If it is lost,
/// `aramaki trust lost` here ends it, but for what it made itself and what it administered before: there, and if
/// this one is lost, the recovery kit ends it, with `aramaki recover KIT --lost KEY`. `aramaki device list`
/// says where that is.
#[derive(Debug, Args)]
pub(crate) struct Accept {
    /// The key of the device that waits, or a unique prefix of at least 6 digits.
    device: String,
}

impl Device {
    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::List(List {}) => list(live).await,
            Self::Add(it) => add(live, it).await,
            Self::Join(join) => join.run(live).await,
            Self::Accept(accept) => accept.run(live).await,
        }
    }
}

async fn list(live: &Live) -> Result<Report, CliError> {
    let devices = live.own_devices().await?;
    let lost = live.lost_still_there().await?;
    let has_kit = live.has_kit().await;
    let rows = devices.iter().map(|it| row(it, has_kit));
    let rows: Vec<_> = rows
        .chain(lost.iter().map(|it| lost_row(live, it)))
        .collect();
    let devices: Vec<_> = devices
        .iter()
        .map(|device| {
            json!({
                "device": device.author.to_string(),
                "this_device": device.here,
                "accepted": device.accepted,
                "beyond": device.beyond.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "begin": device.begin.to_string(),
                "end": device.end.to_string(),
            })
        })
        .collect();
    let lost: Vec<_> = lost
        .iter()
        .map(|it| {
            json!({
                "device": it.author.to_string(),
                "spaces": it.spaces.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    let mut text = table(&rows);
    if !has_kit {
        text.push_str(NO_KIT);
    }
    Ok(Report::new(
        text,
        &json!({"devices": devices, "lost": lost, "recovery_kit": has_kit}),
    ))
}

/// What a lost device may still, and what ends that.
fn lost_row(live: &Live, lost: &StillThere) -> Vec<String> {
    let places = lost.spaces.iter().map(|space| live.space_name(*space));
    let places: Vec<_> = places.collect();
    let key = lost.author.short();
    vec![
        lost.author.to_string(),
        "lost".to_owned(),
        String::new(),
        format!(
            "still has access in {}: `aramaki trust lost {key}` says who ends it there, `aramaki recover KIT --lost \
             {key}` ends it with the recovery kit",
            places.join(", ")
        ),
    ]
}

fn row(device: &OwnDevice, has_kit: bool) -> Vec<String> {
    let state = match (device.here, device.accepted) {
        (true, true) => "this device",
        (true, false) => "this device, waits for being accepted",
        (false, true) => "yours",
        (false, false) => "waits: `aramaki device accept KEY`",
    };
    let since = if device.begin == Timestamp::ZERO {
        String::new()
    } else {
        format!("since {}", local(device.begin))
    };
    let beyond = match device.beyond.len() {
        0 => String::new(),
        n if has_kit => format!(
            "were it lost, in {} the recovery kit alone ends it",
            count(n, "Space")
        ),
        n => format!(
            "were it lost, in {} nothing ends it: there is no recovery kit",
            count(n, "Space")
        ),
    };
    vec![device.author.to_string(), state.to_owned(), since, beyond]
}

async fn add(live: &Live, add: &Add) -> Result<Report, CliError> {
    let beside = if add.new_home {
        HomeBeside::Made
    } else {
        HomeBeside::Refused
    };
    let invited = live.invite_device(beside).await?;
    let mut text = Lines::default();
    text.add(&invited.code);
    text.add(format_args!(
        "\nThe code can be used until {}. On the other machine: aramaki init --name NAME, then\n\
         aramaki device join CODE. Then here: aramaki device list, aramaki device accept KEY",
        local(invited.redeem_until)
    ));
    if !invited.relayed {
        text.add(WITHOUT_RELAY);
    }
    Ok(Report::new(
        text.into_text(),
        &json!({
            "code": invited.code,
            "redeem_until": invited.redeem_until.to_string(),
            "relayed": invited.relayed,
        }),
    ))
}

impl Join {
    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let joining = live.join_home(&self.code).await?;
        let asked = live.wait_for_home(joining, self.wait).await?;
        let key = live.profile().device;
        let text = if asked {
            format!(
                "This device has asked to be one of yours. On the other one: aramaki device accept {key}"
            )
        } else {
            format!(
                "Nobody answered yet; this device asks as soon as somebody does: open the app, or run \
                 `aramaki peers --wait 1m`. Its key: {key}"
            )
        };
        Ok(Report::new(
            text,
            &json!({"this_device": key.to_string(), "asked": asked}),
        ))
    }
}

impl Accept {
    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let accepted = live.accept_device(&self.device).await?;
        let mut text = Lines::default();
        text.add(format_args!(
            "{} is yours: it may do what this device may.",
            accepted.author
        ));
        for system in &accepted.alone {
            let title = live.title(*system).unwrap_or_else(|| system.short());
            text.add(format_args!(
                "{title} was shared with this device alone: ask whoever shared it for another invitation."
            ));
        }
        if !accepted.beyond.is_empty() {
            let places = accepted.beyond.iter().map(|space| live.space_name(*space));
            let places: Vec<_> = places.collect();
            text.add(format_args!(
                "It administered before, no lower than this device, in {}: were it lost, only the recovery kit ends \
                 it there: `aramaki recover KIT --lost {}`.",
                places.join(", "),
                accepted.author.short()
            ));
        }
        let alone = accepted.alone.iter().map(ToString::to_string);
        let beyond = accepted.beyond.iter().map(ToString::to_string);
        Ok(Report::new(
            text.into_text(),
            &json!({
                "device": accepted.author.to_string(),
                "spaces": accepted.spaces,
                "alone": alone.collect::<Vec<_>>(),
                "beyond": beyond.collect::<Vec<_>>(),
            }),
        ))
    }
}
