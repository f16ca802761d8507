//! Work in maintenance windows as the window shows it, and what is wished of it there.

use aramaki_model::action::Outcome;
use aramaki_model::maintenance::request::Window;
use aramaki_sync_core::SpaceId;

use super::actions::Wanted;
use super::fresh;
use super::live::Live;
use super::maintenance::WorkRow;
use crate::cli::CliError;
use crate::view::maintenance::{GroupState, SystemWork, Work, WorkWish};

/// How much work of a System is shown.
const WORK_MAX: usize = 50;

impl Live {
    /// Maintenance of a System.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn system_work(&self, system: SpaceId) -> Result<SystemWork, CliError> {
        let agents = self.actions(system).await?;
        let offers = agents.iter().flat_map(|agent| {
            let names = agent.maintenance.keys();
            names.map(|name| (agent.label.clone(), name.clone()))
        });
        // Gathered before anything is waited for.
        let offers = offers.collect();
        let rows = self.work(Some(&[system])).await?;
        let groups = self.groups(Some(system)).await?;
        Ok(SystemWork {
            system,
            window: self.next_window(system),
            out: self.out_now(system),
            groups: groups
                .into_iter()
                .map(|row| GroupState {
                    at_least: usize::from(row.group.at_least),
                    members: row.group.members.len(),
                    in_service: row.group.members.len().saturating_sub(row.out.len()),
                    name: row.name,
                })
                .collect(),
            offers,
            work: rows.iter().take(WORK_MAX).map(shown).collect(),
        })
    }

    /// The maintenance window of a System that is open, or else the next.
    fn next_window(&self, system: SpaceId) -> Option<Window> {
        let (model, now) = (self.model(), fresh::now());
        let windows = model.system(&system)?.maintenance.values();
        let next = windows.filter_map(|window| window.next_window(now));
        next.map(|(begin, end)| Window { begin, end }).min()
    }

    /// Asks for, confirms or takes back work.
    ///
    /// # Errors
    /// When this device may not, or a redundancy group would break.
    pub(super) async fn work_wish(&self, wish: WorkWish) -> Result<(), CliError> {
        match wish {
            WorkWish::Ask(wish) => {
                let wanted = Wanted {
                    agent: &wish.host,
                    action: &wish.action,
                    arguments: wish.arguments,
                    reason: wish.reason.trim(),
                    again: true,
                    alert: None,
                };
                self.ask_work(wish.system, wanted, None).await.map(drop)
            }
            WorkWish::Confirm(item) => self.confirm_work(item).await.map(drop),
            WorkWish::Withdraw(item) => self.withdraw_work(item, "").await.map(drop),
        }
    }
}

fn shown(row: &WorkRow) -> Work {
    let result = row.runs.first().and_then(|run| run.result.as_ref());
    let came = result.map(|result| match &result.outcome {
        Outcome::Exit(0) | Outcome::Unknown => String::new(),
        Outcome::Exit(code) => format!("exit {code}"),
        Outcome::Signal(signal) => format!("signal {signal}"),
        Outcome::TimedOut => "time limit".to_owned(),
        Outcome::Refused(why) => why.to_string(),
    });
    Work {
        item: row.item,
        host: row.host.clone(),
        action: row.request.action.clone(),
        arguments: row.request.arguments.clone(),
        who: row.who.clone(),
        reason: row.request.reason.clone(),
        state: row.standing.state,
        wants: row.standing.wants,
        window: row.standing.window,
        attempts: row.standing.attempts,
        again_at: row.standing.again_at,
        came: came.unwrap_or_default(),
    }
}
