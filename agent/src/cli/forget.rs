//! `aramaki-agent forget NAME`.

use std::io::Write;

use serde_json::json;

use super::{Common, Failure};
use crate::forgotten::{self, NAMES_MAX};
use crate::state::Saved;

/// Let out a check for good that came to be because some program sent results: its alert ends, and results
/// under its name are not taken any more.
///
/// The agent may run at the same time: it sees that within seconds. A check of agent.toml or of the System is
/// removed there instead.
#[derive(Debug, clap::Args)]
pub(super) struct Forget {
    /// The check's name; without one it says which there are.
    name: Option<String>,
    /// Take its results again.
    #[arg(long, requires = "name")]
    undo: bool,
}

impl Forget {
    pub(super) fn perform(&self, common: &Common, out: &mut dyn Write) -> Result<(), Failure> {
        let config = common.config()?;
        super::log(common, &config)?;
        let data = common.data();
        let saved = Saved::read(&data)?;
        let read = forgotten::read(&data);
        let mut names =
            read.map_err(|error| Failure::io("read the names that are let out", &error))?;
        let came: Vec<&str> = saved
            .learned
            .iter()
            .map(|learned| learned.check.name.as_str())
            .filter(|name| !names.contains(*name))
            .collect();
        let Some(name) = &self.name else {
            if common.json {
                let said = json!({"schema": 1, "taken": came, "forgotten": names});
                writeln!(out, "{said}")?;
                return Ok(());
            }
            for name in &came {
                writeln!(out, "taken      {name}")?;
            }
            for name in &names {
                writeln!(out, "forgotten  {name}")?;
            }
            if came.is_empty() && names.is_empty() {
                writeln!(out, "No check came to be by results that were sent.")?;
            }
            return Ok(());
        };
        let changed = if self.undo {
            if !names.remove(name) {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                return Err(Failure::not_forgotten(name, &names));
            }
            true
        } else {
            // Told once more it is as it was.
            let is_known = came.contains(&name.as_str());
            if !is_known && !names.contains(name) {
                return Err(Failure::not_learned(name, &came));
            }
            if !names.contains(name) && names.len() >= NAMES_MAX {
                return Err(Failure::too_many_forgotten(NAMES_MAX));
            }
            names.insert(name.clone())
        };
        if changed {
            forgotten::write(&data, &names)
                .map_err(|error| Failure::io("write the names that are let out", &error))?;
        }
        if common.json {
            let said =
                json!({"schema": 1, "name": name, "forgotten": !self.undo, "changed": changed});
            writeln!(out, "{said}")?;
        } else if self.undo {
            writeln!(
                out,
                "Results under the name {name:?} are taken again, if listen.names lets them in."
            )?;
        } else {
            writeln!(
                out,
                "{name:?} is let out: its alert ends within seconds, and results under that name are not taken any \
                 more. `aramaki-agent forget {name:?} --undo` takes them again."
            )?;
        }
        Ok(())
    }
}
