//! `aramaki emergency`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_sync::transport::PeerAddress;
use aramaki_sync_core::Timestamp;
use aramaki_sync_core::key::{DeviceKeys, PublicKeys};
use aramaki_sync_core::statement::Capability;
use clap::Args;
use serde_json::{Value, json};

use super::follow::Follow;
use super::parse::parse_line;
use super::report::Lines;
use super::{
    CliError, Clock, Config, PassphraseSource, Report, Verb, age, block_on, local, parse_span,
};
use crate::workspace::{
    self, EmergencyRow, KitText, Live, Recovering, SealedSystem, capability_word,
};

/// The longest emergency: every replica ends it by itself then.
const SPAN_MAX: Duration = Duration::from_hours(24);

/// Open Systems with the emergency key when nobody who administers them can be reached; say who did.
///
/// Takes the recovery kit or the envelope that `aramaki recovery-kit --emergency-envelope` made of it, on any
/// machine, without any other device: a relay that keeps the Systems is enough. First it says why, which
/// everyone in them sees on a red banner from then on, relays too: name no secret. Then this machine's
/// device may read and write as the key may, until it ends by itself, after a day at most. It lets nobody
/// else in and revokes nobody. Without a file it says who is in by an emergency key now.
#[derive(Debug, Args)]
pub(crate) struct Emergency {
    /// The recovery kit or its emergency envelope; `-` is standard input.
    #[arg(requires = "reason")]
    kit: Option<PathBuf>,
    /// Why: one line that everyone in the Systems sees, and their relays.
    #[arg(long, value_name = "TEXT", value_parser = parse_line, requires = "kit")]
    reason: Option<String>,
    /// Open this System alone; may be given several times. All without it.
    #[arg(long = "system", value_name = "SYSTEM", requires = "kit")]
    systems: Vec<String>,
    /// For how long: 30m, 8h; 24h at most.
    #[arg(long = "for", value_name = "SPAN", default_value = "8h", value_parser = parse_span)]
    span: Duration,
    /// What others see beside what you do, if this machine has no workspace yet.
    #[arg(long, value_name = "NAME", value_parser = parse_line, requires = "kit")]
    name: Option<String>,
    /// A file whose first line is the emergency key's passphrase, which is the kit's if it has none of
    /// its own; `-` is standard input. Without it a terminal is asked.
    #[arg(
        long = "emergency-passphrase-file",
        value_name = "FILE",
        requires = "kit"
    )]
    key_passphrase: Option<PathBuf>,
    /// Ask this relay too, for a kit that does not name it: KEY@IP:PORT or KEY@URL.
    #[arg(long = "relay", value_name = "ADDRESS", requires = "kit")]
    relays: Vec<String>,
    /// How long to wait for relays, each time.
    #[arg(long, value_name = "SPAN", default_value = "20s", value_parser = parse_span)]
    wait: Duration,
    /// Only say what would be opened. Nobody else sees that.
    #[arg(long, requires = "kit")]
    preview: bool,
    /// It is over: give up what this device has by an emergency key.
    #[arg(long, conflicts_with = "kit")]
    end: bool,
}

impl Emergency {
    /// Whether it works outside of any workspace at first.
    pub(crate) const fn opens(&self) -> bool {
        self.kit.is_some()
    }

    /// Says who is in, or gives up what this device has.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        if self.end {
            let ended = live.give_up_emergencies().await?;
            let titles: Vec<String> = ended
                .iter()
                .map(|space| live.title(*space).unwrap_or_else(|| space.short()))
                .collect();
            let text = match titles.as_slice() {
                [] => "This device has nothing by an emergency key.".to_owned(),
                titles => format!("Ended: {}.", titles.join(", ")),
            };
            let ended: Vec<_> = ended.iter().map(ToString::to_string).collect();
            return Ok(Report::new(text, &json!({"ended": ended})));
        }
        let rows = live.emergencies_now().await;
        let mut text = Lines::default();
        emergencies_text(&mut text, &rows);
        if rows.is_empty() {
            text.add("Nobody is in by an emergency key.");
        }
        Ok(Report::new(
            text.into_text(),
            &json!({"emergencies": emergencies_json(&rows)}),
        ))
    }

    /// Opens Systems.
    pub(crate) fn open(&self, config: &Config, as_json: bool) -> Result<Report, CliError> {
        let (Some(file), Some(reason)) = (&self.kit, &self.reason) else {
            return Err(CliError::Usage("a kit and a reason are needed".to_owned()));
        };
        let input = Some(Path::new("-"));
        if Some(file.as_path()) == input && self.key_passphrase.as_deref() == input {
            let usage = "kit and passphrase cannot both be on standard input";
            return Err(CliError::Usage(usage.to_owned()));
        }
        if self.span > SPAN_MAX {
            let usage = "an emergency lasts 24h at most; open it again with another reason then";
            return Err(CliError::Usage(usage.to_owned()));
        }
        let exists = workspace::profile_of(&config.data)?.is_some();
        if !self.preview && !exists && self.name.is_none() {
            let usage = "this machine has no workspace yet: --name NAME is needed to make one";
            return Err(CliError::Usage(usage.to_owned()));
        }
        let mut kit = KitText::read(file)?;
        for relay in &self.relays {
            kit.relays.push(workspace::peer_address(relay)?);
        }
        if kit.relays.is_empty() {
            return Err(CliError::Kit {
                file: file.clone(),
                reason: "it names no relay; name one with --relay ADDRESS".to_owned(),
            });
        }
        let source = PassphraseSource::from(self.key_passphrase.as_ref());
        let keys = kit.open_emergency(file, &source)?;
        let device = if self.preview {
            None
        } else {
            if let (false, Some(name)) = (exists, &self.name) {
                workspace::create(&config.data, name, None, None)?;
            }
            Some(workspace::device_keys(&config.data, &config.passphrase)?.public())
        };
        block_on(self.open_with(config, (&kit, keys), (device, reason), as_json))?
    }

    async fn open_with(
        &self,
        config: &Config,
        (kit, keys): (&KitText, DeviceKeys),
        (device, reason): (Option<PublicKeys>, &str),
        as_json: bool,
    ) -> Result<Report, CliError> {
        let relays = kit.relays.clone();
        let wanted = (Capability::Read, self.wait);
        let begun = Recovering::begin(config, keys, relays, &kit.emergency_spaces, wanted);
        let opening = Box::pin(begun).await?;
        let opened = tokio::select! {
            opened = self.say_why(&opening, device, reason) => opened,
            () = super::interrupted() => Err(CliError::Interrupted {
                hint: "nothing is half done for good: run it again",
            }),
        };
        opening.end().await;
        let (systems, others, until) = opened?;
        let Some(until) = until else {
            return Ok(report(&systems, &others, None));
        };
        let follow = Follow::new(
            systems.iter().map(|it| it.space).collect(),
            kit.relays.iter().map(PeerAddress::to_string).collect(),
            self.wait,
        );
        let arguments = follow.arguments(config);
        let taken = super::run::in_workspace(Verb::Follow(follow), config, arguments, as_json);
        let late = Box::pin(taken).await?.json["late"].clone();
        Ok(report(&systems, &others, Some((until, &late))))
    }

    async fn say_why(
        &self,
        opening: &Recovering,
        device: Option<PublicKeys>,
        reason: &str,
    ) -> Result<(Vec<SealedSystem>, Vec<EmergencyRow>, Option<Timestamp>), CliError> {
        let systems = opening.sealed_systems(&self.systems).await?;
        let others = opening.others().await;
        let Some(device) = device else {
            return Ok((systems, others, None));
        };
        let until = opening.open(&systems, device, (reason, self.span)).await?;
        Ok((systems, others, Some(until)))
    }
}

fn report(
    systems: &[SealedSystem],
    others: &[EmergencyRow],
    opened: Option<(Timestamp, &Value)>,
) -> Report {
    let mut text = Lines::default();
    emergencies_text(&mut text, others);
    for system in systems {
        text.add(format_args!(
            "{}  {}  {}",
            system.title,
            capability_word(system.capability),
            system.space
        ));
    }
    match opened {
        None => text.add("Nothing was opened. Without --preview it is."),
        Some((until, late)) => {
            text.add(format_args!(
                "Opened until {}. Everyone in them sees that and why.",
                local(until)
            ));
            if late.as_array().is_some_and(|late| !late.is_empty()) {
                text.add("Some of them come as soon as a relay can be reached: open the app.");
            }
            text.add(
                "When it is over: `aramaki emergency --end`. Afterwards an administrator makes a new key: \
                 `aramaki recovery-kit KIT --new-emergency-key`.",
            );
        }
    }
    let systems = systems.iter().map(|it| {
        json!({
            "id": it.space.to_string(),
            "title": it.title,
            "capability": capability_word(it.capability),
            "sealed_until": it.end.to_string(),
        })
    });
    Report::new(
        text.into_text(),
        &json!({
            "opened": opened.is_some(),
            "systems": systems.collect::<Vec<_>>(),
            "until": opened.map(|(until, _late)| until.to_string()),
            "late": opened.map(|(_until, late)| late),
            "others": emergencies_json(others),
        }),
    )
}

/// Who is in by an emergency key, for people: above everything else.
pub(crate) fn emergencies_text(text: &mut Lines, rows: &[EmergencyRow]) {
    let now = Clock::now();
    for row in rows {
        let who = match row.who.as_slice() {
            [] => "somebody with the emergency key".to_owned(),
            who => who.join(", "),
        };
        text.add(format_args!(
            "EMERGENCY in {}: opened {} ago by {who}, until {}: {}",
            row.title,
            age(now, row.since),
            local(row.until),
            row.reason
        ));
    }
    if !rows.is_empty() {
        text.add("");
    }
}

/// The same for programs.
pub(crate) fn emergencies_json(rows: &[EmergencyRow]) -> Value {
    let rows = rows.iter().map(|row| {
        json!({
            "system": row.space.to_string(),
            "title": row.title,
            "grant": row.grant.to_string(),
            "reason": row.reason,
            "who": row.who,
            "since": row.since.to_string(),
            "until": row.until.to_string(),
            "this_device": row.here,
        })
    });
    json!(rows.collect::<Vec<_>>())
}
