//! Which action of which host, with which values: what several verbs ask for.

use std::collections::BTreeMap;

use clap::Args;

use crate::cli::CliError;

/// As it is typed, in this order.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Operation {
    /// Which System.
    pub(in crate::cli) system: String,
    /// The agent of the host, as the System calls it.
    pub(in crate::cli) agent: String,
    /// The action's exact name.
    pub(in crate::cli) action: String,
    /// Values: NAME=VALUE.
    #[arg(value_parser = parse_value)]
    pub(in crate::cli) values: Vec<(String, String)>,
}

fn parse_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is no value: NAME=VALUE is expected"))?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Operation {
    /// The values by name.
    ///
    /// # Errors
    /// When one is given twice.
    pub(in crate::cli) fn arguments(&self) -> Result<BTreeMap<String, String>, CliError> {
        let mut arguments = BTreeMap::new();
        for (name, value) in &self.values {
            if arguments.insert(name.clone(), value.clone()).is_some() {
                return Err(CliError::Usage(format!("{name} is given twice")));
            }
        }
        Ok(arguments)
    }
}
