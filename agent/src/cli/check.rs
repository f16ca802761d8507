//! `aramaki-agent check NAME` and `check --list`.

use std::io::Write;

use aramaki_model as model;
use aramaki_sync_core::AuthorId;
use serde_json::json;

use super::{Common, Failure, block_on};
use crate::explain::{Explanation, Origin, what};
use crate::observe::Observer;
use crate::run::author;
use crate::service::{merged, now};
use crate::state::Saved;

/// Run one check now and explain its result; nothing enters the journal.
///
/// Checks of this machine's file and those that administrators set on the System are known. The
/// agent may run at the same time.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The check's name.
    #[arg(required_unless_present = "list", conflicts_with = "list")]
    name: Option<String>,
    /// List all checks with their states.
    #[arg(long)]
    list: bool,
}

impl Check {
    pub(super) fn perform(&self, common: &Common, out: &mut dyn Write) -> Result<(), Failure> {
        let config = common.config()?;
        super::log(common, &config)?;
        let saved = Saved::read(&common.data())?;
        // A machine that never joined has no key yet; its checks can be tried all the same.
        let agent = author(&common.data(), common.key.as_deref())?.unwrap_or(AuthorId::ZERO);
        let checks = merged(&config, saved.config.as_ref(), agent);
        let Some(name) = &self.name else {
            return list(&checks, &saved, common.json, out);
        };
        let Some((check, origin)) = checks.iter().find(|(check, _)| check.name == *name) else {
            let names: Vec<&str> = checks
                .iter()
                .map(|(check, _)| check.name.as_str())
                .collect();
            return Err(Failure::no_check(name, &names));
        };
        let observer = Observer::new(config.plugin_folders);
        let observed = block_on(observer.observe(check, now()))?;
        let before = saved.states.iter().find(|state| state.check == check.id);
        let explanation = Explanation::new(check, *origin, &observed, before);
        if common.json {
            let text = serde_json::to_string(&explanation).map_err(std::io::Error::other)?;
            writeln!(out, "{text}")?;
        } else {
            write!(out, "{}", explanation.to_text())?;
        }
        Ok(())
    }
}

fn list(
    checks: &[(model::Check, Origin)],
    saved: &Saved,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let state = |check: &model::Check| saved.states.iter().find(|state| state.check == check.id);
    if json {
        let checks: Vec<_> = checks
            .iter()
            .map(|(check, origin)| json!({ "check": check, "origin": origin, "state": state(check) }))
            .collect();
        writeln!(out, "{}", json!({ "schema": 1, "checks": checks }))?;
        return Ok(());
    }
    if checks.is_empty() {
        writeln!(out, "no checks are configured")?;
    }
    let kinds: Vec<String> = checks.iter().map(|(check, _)| what(&check.kind)).collect();
    let widest = |lens: &mut dyn Iterator<Item = usize>| lens.max().unwrap_or(0);
    let width = widest(&mut checks.iter().map(|(check, _)| check.name.chars().count()));
    let kind_width = widest(&mut kinds.iter().map(|kind| kind.chars().count()));
    for ((check, origin), kind) in checks.iter().zip(&kinds) {
        let state = match state(check) {
            _ if !check.enabled => "off".to_owned(),
            None => "not run yet".to_owned(),
            Some(state) if state.is_soft() => {
                format!("{} (soft, {} counts)", state.raw, state.hard)
            }
            Some(state) => state.raw.to_string(),
        };
        let origin = match origin {
            Origin::File => "file",
            Origin::System => "System",
        };
        let every = format!("every {} s", check.interval_ms / 1000);
        writeln!(
            out,
            "{:<width$}  {kind:<kind_width$}  {every:<11}  {origin:<6}  {state}",
            check.name
        )?;
    }
    Ok(())
}
