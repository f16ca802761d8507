//! `aramaki notify`.

mod calendar;
mod on_call;
mod policy;
mod preview;
mod run;
mod show;
mod test;

use std::path::PathBuf;

use aramaki_model::Policy as PolicyValue;
use aramaki_model::notify::Schedule;
use aramaki_sync_core::SpaceId;
use clap::Subcommand;

use super::{CliError, Report};
use crate::workspace::Live;

/// Tell people of problems: whom, when, over what; and run a notifier.
#[derive(Debug, Subcommand)]
pub(crate) enum Notify {
    Policy(policy::Policy),
    Show(show::Show),
    Preview(preview::Preview),
    OnCall(on_call::OnCall),
    Calendar(calendar::Calendar),
    Test(test::Test),
    Run(run::Run),
}

impl Notify {
    /// Does what was asked in an open workspace.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::Policy(verb) => verb.run(live).await,
            Self::Show(verb) => verb.run(live).await,
            Self::Preview(verb) => verb.run(live),
            Self::OnCall(verb) => verb.run(live).await,
            Self::Calendar(verb) => verb.run(live).await,
            Self::Test(_) | Self::Run(_) => Err(CliError::Usage(
                "this verb runs in a process of its own".to_owned(),
            )),
        }
    }

    /// A file that it reads or writes.
    pub(crate) fn path(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::Policy(verb) => verb.path(),
            Self::Calendar(verb) => verb.path(),
            _ => None,
        }
    }
}

/// A System's policy.
fn policy_of(live: &Live, space: SpaceId) -> Result<std::sync::Arc<PolicyValue>, CliError> {
    let snapshot = live.snapshot();
    let policy = snapshot
        .system(&space)
        .and_then(|system| system.policy.clone());
    policy.ok_or_else(|| CliError::Setting {
        what: "System",
        value: live.title(space).unwrap_or_else(|| space.short()),
        reason: "it has no policy: `aramaki notify policy SYSTEM --file FILE` gives it one"
            .to_owned(),
    })
}

/// One schedule of a policy.
fn schedule_of<'a>(policy: &'a PolicyValue, name: &str) -> Result<&'a Schedule, CliError> {
    policy.schedule.get(name).ok_or_else(|| {
        let known: Vec<_> = policy.schedule.keys().map(String::as_str).collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        CliError::Setting {
            what: "schedule",
            value: name.to_owned(),
            reason: format!("the policy has: {known}"),
        }
    })
}
