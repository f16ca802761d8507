//! `aramaki recover`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_sync_core::SpaceId;
use aramaki_sync_core::key::{DeviceKeys, PublicKeys};
use aramaki_sync_core::statement::Capability;
use clap::Args;
use serde_json::json;

use super::losses::{Unnamed, space_json, space_text};
use super::parse::parse_line;
use super::report::Lines;
use super::{CliError, Config, PassphraseSource, Report, block_on, parse_span};
use crate::workspace::{
    self, Holder, HomeFound, KitText, Live, Named, Profile, Recovering, RecoveryPlan,
};

/// With `--cut`: all administrators whom the lost device let in.
const ADMINISTRATORS: &str = "administrators";

/// Take your Systems back with the recovery kit after a device was lost.
///
/// Fetches the kit's Spaces from its relays and says what would stay and what would end in each. With
/// --yes this machine's device administers them, whoever stays is let in anew, the lost device is
/// revoked, and everything is sealed anew. Other devices of yours stay, and this one joins the Home that you have
/// with them, if the kit names it: `aramaki recovery-kit KIT` writes that. Of other administrators whom the lost
/// device let in you say who stays (--keep) and who ends (--cut). The kit's key is never written to this disk.
/// Doing it again is safe.
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
    /// the name that only it has; or one grant by its digits. `administrators` means all administrators whom it
    /// let in and who are not named with --keep.
    #[arg(long, value_name = "KEY|GRANT")]
    cut: Vec<String>,
    /// An administrator who stays though only the lost device let them in: a key, or a unique prefix of at least
    /// 6 digits, or the name that only it has; or one grant by its digits.
    #[arg(long, value_name = "KEY|GRANT")]
    keep: Vec<String>,
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
        block_on(self.recover(config, &kit, keys, existing.as_ref()))?
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
        existing: Option<&Profile>,
    ) -> Result<Report, CliError> {
        let public = keys.public();
        let relays = kit.relays.clone();
        let wanted = (Capability::Administer, self.wait);
        let begun = Recovering::begin(config, keys, relays, &kit.spaces, wanted);
        let recovering = Box::pin(begun).await?;
        let report = tokio::select! {
            report = self.go_on(config, kit, existing, public, &recovering) => report,
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
        existing: Option<&Profile>,
        public: PublicKeys,
        recovering: &Recovering,
    ) -> Result<Report, CliError> {
        let mut cut = self.cut.clone();
        cut.retain(|word| word != ADMINISTRATORS);
        let named = Named {
            lost: &self.lost,
            cut: &cut,
            keep: &self.keep,
            device: existing.map(|it| it.device),
            home: existing.and_then(|it| it.home),
        };
        let plan = recovering.plan(named, kit).await?;
        let undecided = self.undecided(&plan);
        if !self.yes {
            return Ok(report(&plan, &undecided, None));
        }
        if !undecided.is_empty() {
            return Err(CliError::Refused {
                what: "the recovery",
                reason: say_undecided(&undecided),
            });
        }
        if let (None, Some(name)) = (existing, &self.name) {
            workspace::create(&config.data, name, None, None)?;
        }
        let emergency = kit.emergency.as_ref().map(|it| it.public);
        workspace::adopt(&config.data, (public.into(), emergency), plan.principal)?;
        let live = Live::open_soon(config).await?;
        let late = self.take_over(kit, recovering, &plan, &live).await;
        live.close().await;
        Ok(report(&plan, &undecided, Some(&late?)))
    }

    /// Of which administrators nobody said whether they stay.
    fn undecided<'a>(&self, plan: &'a RecoveryPlan) -> Vec<&'a Holder> {
        if self.cut.iter().any(|word| word == ADMINISTRATORS) {
            return Vec::new();
        }
        plan.undecided().into_values().collect()
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
        let late = live.take_over(kit.relays.clone(), reached, self.wait);
        let late = late.await?;
        if let HomeFound::Known(home) = plan.home {
            live.move_in(home).await?;
        }
        Ok(late)
    }
}

fn report(plan: &RecoveryPlan, undecided: &[&Holder], late: Option<&[SpaceId]>) -> Report {
    let mut text = Lines::default();
    let unnamed = if undecided.is_empty() {
        Unnamed::Cut
    } else {
        Unnamed::Undecided
    };
    for space in &plan.spaces {
        space_text(&mut text, space, unnamed);
    }
    for space in &plan.missing {
        text.add(format_args!(
            "{}: nobody who answered has it; run this again when its relay can be reached.",
            space.short()
        ));
    }
    if let Some(home) = home_words(plan) {
        text.add(home);
    }
    match late {
        None if !undecided.is_empty() => text.add(format_args!(
            "Nothing was changed, and --yes alone is refused: {}.",
            say_undecided(undecided)
        )),
        None => text.add("Nothing was changed. With --yes this is done."),
        Some([]) => text.add("Done. This device administers all of them."),
        Some(late) => text.add(format_args!(
            "Done. {} of them come as soon as a relay can be reached: open the app.",
            late.len()
        )),
    }
    let ids =
        |spaces: &[SpaceId]| -> Vec<String> { spaces.iter().map(ToString::to_string).collect() };
    let unsure = match &plan.home {
        HomeFound::Unsure(homes) => homes.as_slice(),
        _ => &[],
    };
    let home = match &plan.home {
        HomeFound::Known(home) | HomeFound::Here(home) => Some(home.to_string()),
        _ => None,
    };
    let undecided = undecided.iter().map(|it| it.author.to_string());
    Report::new(
        text.into_text(),
        &json!({
            "recovered": late.is_some(),
            "spaces": plan.spaces.iter().map(space_json).collect::<Vec<_>>(),
            "missing": ids(&plan.missing),
            "late": ids(late.unwrap_or_default()),
            "home": home,
            "home_unsure": ids(unsure),
            "undecided": undecided.collect::<Vec<_>>(),
        }),
    )
}

/// What becomes of the Home of this person's devices, where that is not what anybody expects.
fn home_words(plan: &RecoveryPlan) -> Option<String> {
    let words = match &plan.home {
        HomeFound::Known(home) => format!(
            "This device becomes one of yours in the Home of your devices, {}.",
            home.short()
        ),
        HomeFound::Here(_) => return None,
        HomeFound::Missing(home) => format!(
            "The Home of your devices, {}, is at nobody who answered: run this again when its relay can be reached, \
             before `aramaki device add` makes a second one.",
            home.short()
        ),
        HomeFound::Unsure(homes) => {
            let homes: Vec<_> = homes.iter().map(SpaceId::short).collect();
            format!(
                "{} may be the Home of your devices, but this kit does not name it, and others are in it: if they are \
                 yours, run `aramaki recovery-kit KIT` on one of them before this; or afterwards `aramaki device add` \
                 on it, and `aramaki device join CODE` here.",
                homes.join(", ")
            )
        }
        HomeFound::Unknown if plan.spaces.iter().all(|it| it.done) => return None,
        HomeFound::Unknown => {
            "No Home of your devices is known here. If another device of yours lives, join it: `aramaki device add` on \
             it, `aramaki device join CODE` here."
                .to_owned()
        }
    };
    Some(words)
}

/// Whether administrators stay whom a lost device let in only people know.
fn say_undecided(undecided: &[&Holder]) -> String {
    let who: Vec<_> = undecided.iter().map(|it| it.who.as_str()).collect();
    format!(
        "the lost device alone made these administrators, and only you know whether that was you or a thief: {}. Name \
         each with --keep KEY or --cut KEY, or end all of them with --cut {ADMINISTRATORS}",
        who.join(", ")
    )
}
