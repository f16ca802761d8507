//! `aramaki recover`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_sync_core::key::{DeviceKeys, PublicKeys};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, SpaceId};
use clap::Args;
use serde_json::json;

use super::losses::{space_json, space_text};
use super::parse::parse_line;
use super::report::Lines;
use super::{CliError, Config, PassphraseSource, Report, block_on, parse_span};
use crate::workspace::{self, KitText, Live, Named, Recovering, RecoveryPlan};

/// Take your Systems back with the recovery kit after a device was lost.
///
/// Fetches the kit's Spaces from its relays and says what would stay and what would end in each. With
/// --yes this machine's device administers them, whoever stays is let in anew, the lost device is
/// revoked, and everything is sealed anew. The kit's key is never written to this disk. Doing it again
/// is safe.
#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// The recovery kit; `-` is standard input.
    #[arg(required_unless_present = "shares", conflicts_with = "shares")]
    kit: Option<PathBuf>,
    /// Instead of the kit, a share of it, as often as shares are needed: see `aramaki recovery-shares`.
    #[arg(long = "share", value_name = "FILE")]
    shares: Vec<PathBuf>,
    /// What others see beside what you do, if this machine has no workspace yet.
    #[arg(long, value_name = "NAME", value_parser = parse_line)]
    name: Option<String>,
    /// A file whose first line is the kit's passphrase; `-` is standard input. Without it a terminal
    /// is asked.
    #[arg(long, value_name = "FILE")]
    kit_passphrase_file: Option<PathBuf>,
    /// Ask this relay too, for a kit that does not name it: KEY@IP:PORT or KEY@URL.
    #[arg(long = "relay", value_name = "ADDRESS")]
    relays: Vec<String>,
    /// The lost device's key, or a unique prefix of at least 6 digits. Without it the only device
    /// that the kit has let in.
    #[arg(long, value_name = "KEY")]
    lost: Vec<String>,
    /// Of whom nothing stays that the lost device gave them: a key, or a unique prefix of at least 6 digits, or
    /// the name that only it has; or one grant by its digits.
    #[arg(long, value_name = "KEY|GRANT")]
    cut: Vec<String>,
    /// How long to wait for relays, each time.
    #[arg(long, value_name = "SPAN", default_value = "20s", value_parser = parse_span)]
    wait: Duration,
    /// Only say what would stay and what would end: what is done without --yes.
    #[arg(long, conflicts_with = "yes")]
    preview: bool,
    /// Do it.
    #[arg(long)]
    yes: bool,
}

impl Recover {
    /// Does it, or says what it would do.
    pub(crate) fn run(&self, config: &Config) -> Result<Report, CliError> {
        let input = Some(Path::new("-"));
        if self.kit.as_deref() == input && self.kit_passphrase_file.as_deref() == input {
            let usage = "kit and passphrase cannot both be on standard input";
            return Err(CliError::Usage(usage.to_owned()));
        }
        let existing = workspace::profile_of(&config.data)?;
        if self.yes && existing.is_none() && self.name.is_none() {
            let usage = "this machine has no workspace yet: --name NAME is needed to make one";
            return Err(CliError::Usage(usage.to_owned()));
        }
        let (mut kit, keys) = self.kit()?;
        for relay in &self.relays {
            kit.relays.push(workspace::peer_address(relay)?);
        }
        if kit.relays.is_empty() {
            return Err(CliError::Kit {
                file: self.file(),
                reason: "it names no relay; name one with --relay ADDRESS".to_owned(),
            });
        }
        let keys = if let Some(keys) = keys {
            keys
        } else {
            let source = PassphraseSource::from(self.kit_passphrase_file.as_ref());
            kit.open(&self.file(), &source)?
        };
        block_on(self.recover(config, &kit, keys, existing.map(|profile| profile.device)))?
    }

    /// The file that errors are about.
    fn file(&self) -> PathBuf {
        let share = || self.shares.first().cloned().unwrap_or_default();
        self.kit.clone().unwrap_or_else(share)
    }

    /// The kit, with its key if that comes from shares.
    fn kit(&self) -> Result<(KitText, Option<DeviceKeys>), CliError> {
        if let Some(kit) = &self.kit {
            return Ok((KitText::read(kit)?, None));
        }
        let (kit, keys) = workspace::join_shares(&self.shares)?;
        Ok((kit, Some(keys)))
    }

    async fn recover(
        &self,
        config: &Config,
        kit: &KitText,
        keys: DeviceKeys,
        device: Option<AuthorId>,
    ) -> Result<Report, CliError> {
        let public = keys.public();
        let relays = kit.relays.clone();
        let wanted = (Capability::Administer, self.wait);
        let begun = Recovering::begin(config, keys, relays, &kit.spaces, wanted);
        let recovering = Box::pin(begun).await?;
        let report = tokio::select! {
            report = self.go_on(config, kit, device, public, &recovering) => report,
            () = super::interrupted() => Err(CliError::Interrupted {
                hint: "nothing is half done for good: run it again",
            }),
        };
        recovering.end().await;
        report
    }

    async fn go_on(
        &self,
        config: &Config,
        kit: &KitText,
        device: Option<AuthorId>,
        public: PublicKeys,
        recovering: &Recovering,
    ) -> Result<Report, CliError> {
        let named = Named {
            lost: &self.lost,
            cut: &self.cut,
            device,
        };
        let plan = recovering.plan(named, &kit.spaces).await?;
        if !self.yes {
            return Ok(Self::report(&plan, None));
        }
        if let (None, Some(name)) = (device, &self.name) {
            workspace::create(&config.data, name, None, None)?;
        }
        let emergency = kit.emergency.as_ref().map(|it| it.public);
        workspace::adopt(&config.data, (public.into(), emergency), plan.principal)?;
        let live = Live::open_soon(config).await?;
        let late = self.take_over(kit, recovering, &plan, &live).await;
        live.close().await;
        Ok(Self::report(&plan, Some(&late?)))
    }

    async fn take_over(
        &self,
        kit: &KitText,
        recovering: &Recovering,
        plan: &RecoveryPlan,
        live: &Live,
    ) -> Result<Vec<SpaceId>, CliError> {
        let device = PublicKeys {
            author: live.replica().author(),
            box_key: live.replica().box_public(),
        };
        recovering.carry_out(plan, device).await?;
        let mut reached = recovering.reached().await;
        reached.retain(|space, _chains| plan.spaces.iter().any(|it| it.space == *space));
        live.take_over(kit.relays.clone(), reached, self.wait).await
    }

    fn report(plan: &RecoveryPlan, late: Option<&[SpaceId]>) -> Report {
        let mut text = Lines::default();
        for space in &plan.spaces {
            space_text(&mut text, space);
        }
        for space in &plan.missing {
            text.add(format_args!(
                "{}: nobody who answered has it; run this again when its relay can be reached.",
                space.short()
            ));
        }
        match late {
            None => text.add("Nothing was changed. With --yes this is done."),
            Some([]) => text.add("Done. This device administers all of them."),
            Some(late) => text.add(format_args!(
                "Done. {} of them come as soon as a relay can be reached: open the app.",
                late.len()
            )),
        }
        let ids = |spaces: &[SpaceId]| -> Vec<String> {
            spaces.iter().map(ToString::to_string).collect()
        };
        Report::new(
            text.into_text(),
            &json!({
                "recovered": late.is_some(),
                "spaces": plan.spaces.iter().map(space_json).collect::<Vec<_>>(),
                "missing": ids(&plan.missing),
                "late": ids(late.unwrap_or_default()),
            }),
        )
    }
}
