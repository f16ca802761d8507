//! `aramaki trust lost`.

use clap::Args;
use serde_json::json;

use crate::cli::losses::{Unnamed, space_json, space_text};
use crate::cli::parse::parse_line;
use crate::cli::report::Lines;
use crate::cli::{CliError, Report, local};
use crate::workspace::{Live, LostPlan};

/// End everything that a lost or stolen device may, wherever this device administers.
///
/// Whoever it had let in stays and is let in anew, except invitations that are still open and
/// administrators: a thief may have made more of these. What it wrote until now stays, and what is
/// written from now on is sealed anew. Where it stands as near the System's own key as this device, or nearer,
/// as in what it made itself, the recovery kit (`aramaki recover KIT --lost KEY`) or another administrator ends it.
#[derive(Debug, Args)]
pub(crate) struct Lost {
    /// The lost device's key, or a unique prefix of at least 6 digits, or the name that only it has;
    /// `aramaki trust list` and `aramaki peers` show them.
    device: String,
    /// Of whom nothing stays that the lost device gave them: a key, or a unique prefix of at least 6 digits, or
    /// the name that only it has; or one grant by its digits. What they have without it stays.
    #[arg(long, value_name = "KEY|GRANT")]
    cut: Vec<String>,
    /// Why, in words that all who read the Systems see, and relays do not. Relays learn that it was lost.
    #[arg(long, value_name = "TEXT", value_parser = parse_line)]
    reason: Option<String>,
    /// Only say what would stay and what would end: what is done without --yes.
    #[arg(long, conflicts_with = "yes")]
    preview: bool,
    /// Do it.
    #[arg(long)]
    yes: bool,
}

impl Lost {
    /// Ends it, or says what that would do.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let plan = live.plan_lost(&self.device, &self.cut).await?;
        if plan.spaces.is_empty() && plan.beyond.is_empty() {
            return self.is_over(&plan);
        }
        if self.yes && plan.spaces.is_empty() {
            let places = plan.beyond.iter();
            let places =
                places.map(|(space, title)| title.clone().unwrap_or_else(|| space.short()));
            return Err(CliError::StandsAsNear {
                places: places.collect(),
                key: plan.key.short(),
                who: plan.who,
            });
        }
        if self.yes {
            let reason = self.reason.as_deref().unwrap_or_default();
            live.end_lost(&plan, reason).await?;
        }
        let mut text = Lines::default();
        for space in &plan.spaces {
            space_text(&mut text, space, Unnamed::Cut);
        }
        for (space, title) in &plan.beyond {
            let title = title.as_deref().unwrap_or("a Space without a title");
            text.add(format_args!(
                "{title} ({}): it keeps its access, because this device stands no nearer the System's own key; \
                 the recovery kit ends it, `aramaki recover KIT --lost {}`, or an administrator who stands nearer.",
                space.short(),
                plan.key.short()
            ));
        }
        let (who, spaces) = (&plan.who, plan.spaces.len());
        match (self.yes, spaces) {
            (_, 0) => text.add("This device can end nothing of it."),
            (false, _) => text.add("Nothing was changed. With --yes this is done."),
            (true, 1) => text.add(format_args!("Ended: {who} may do nothing more in 1 Space.")),
            (true, _) => text.add(format_args!(
                "Ended: {who} may do nothing more in {spaces} Spaces."
            )),
        }
        let beyond = plan.beyond.iter().map(|(space, _title)| space.to_string());
        Ok(Report::new(
            text.into_text(),
            &json!({
                "who": who,
                "ended": self.yes,
                "reason": self.reason,
                "spaces": plan.spaces.iter().map(space_json).collect::<Vec<_>>(),
                "beyond": beyond.collect::<Vec<_>>(),
                "over": null,
            }),
        ))
    }

    /// What is said of a device that has no access: to end it again changes nothing.
    fn is_over(&self, plan: &LostPlan) -> Result<Report, CliError> {
        let who = &plan.who;
        let Some(over) = plan.over else {
            return Err(CliError::Refused {
                what: "the revocation",
                reason: format!("{who} never had access that counts here"),
            });
        };
        let since = local(over.since);
        let text = if over.was_lost {
            format!("{who} is lost already, since {since}: it may do nothing in any Space here.")
        } else {
            format!("{who} has no access any more, since {since}: nothing is left to end.")
        };
        let over = json!({"since": over.since.to_string(), "lost": over.was_lost});
        Ok(Report::new(
            text,
            &json!({
                "who": who,
                "ended": self.yes,
                "reason": self.reason,
                "spaces": [],
                "beyond": [],
                "over": over,
            }),
        ))
    }
}
