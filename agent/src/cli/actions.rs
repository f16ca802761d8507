//! `aramaki-agent actions`.

use std::io::Write;

use serde_json::json;

use super::{Common, Failure};
use crate::actions::catalogue;
use crate::net::chain;
use crate::run::ROOT;
use crate::service::now;

/// Say which actions this host allows people to ask for, and what is wrong with the others.
///
/// An action is a file NAME.toml in /etc/aramaki/actions.d (`actions_folder` in the configuration) that
/// belongs to root and that nobody else can write.
#[derive(Debug, clap::Args)]
pub(super) struct Actions {}

impl Actions {
    pub(super) fn perform(common: &Common, out: &mut dyn Write) -> Result<(), Failure> {
        let config = common.config()?;
        super::log(common, &config)?;
        let folder = &config.actions_folder;
        let actions = catalogue::Actions::read(folder, ROOT);
        let refused: Vec<String> = actions.refused.iter().map(|it| chain(it)).collect();
        if common.json {
            let catalogue = actions.described(now());
            let actions: Vec<_> = catalogue
                .actions
                .iter()
                .map(|(name, action)| {
                    json!({
                        "name": name,
                        "description": action.description,
                        "definition": data_encoding::HEXLOWER.encode(&action.definition),
                        "parameters": action.parameters,
                        "approvals": action.approvals,
                        "read_only": action.is_read_only,
                    })
                })
                .collect();
            let said = json!({
                "schema": 1,
                "folder": folder.display().to_string(),
                "actions": actions,
                "refused": refused,
            });
            writeln!(out, "{said}")?;
        } else {
            if actions.definitions.is_empty() && refused.is_empty() {
                writeln!(
                    out,
                    "no actions are allowed: there are none in {}",
                    folder.display()
                )?;
            }
            for (name, action) in &actions.definitions {
                let approvals = match action.approvals {
                    0 => "needs nobody else".to_owned(),
                    1 => "needs 1 approval".to_owned(),
                    more => format!("needs {more} approvals"),
                };
                writeln!(out, "{name}  {}  {approvals}", action.description)?;
            }
            for refused in &refused {
                writeln!(out, "not allowed: {refused}")?;
            }
        }
        if refused.is_empty() {
            Ok(())
        } else {
            Err(Failure::actions(refused.len()))
        }
    }
}
