//! `aramaki system link`.

use aramaki_model::Severity;
use clap::Args;
use serde_json::json;

use crate::cli::parse::{parse_line, parse_pair};
use crate::cli::{CliError, Report};
use crate::workspace::{Live, SystemChange};

/// Make a System a part of another, or end that.
#[derive(Debug, Args)]
pub(crate) struct Link {
    /// The System that depends on the part.
    aggregate: String,
    /// The part; a full Space id may be one that cannot be read here.
    part: String,
    /// What the part is called where it cannot be read; its title otherwise.
    #[arg(long, value_parser = parse_line)]
    label: Option<String>,
    /// Another state counts here: `warning=critical`.
    #[arg(long = "override", value_name = "FROM=TO", value_parser = parse_override)]
    overrides: Vec<(Severity, Severity)>,
    /// It uses the part without consisting of it: it is told of its problems, and its own state stays apart.
    #[arg(long)]
    uses: bool,
    /// End it.
    #[arg(long, conflicts_with_all = ["label", "overrides", "uses"])]
    remove: bool,
}

fn parse_override(text: &str) -> Result<(Severity, Severity), String> {
    let (from, to) = parse_pair(text)?;
    let read = |word: &str| word.parse::<Severity>().map_err(|error| error.to_string());
    Ok((read(&from)?, read(&to)?))
}

impl Link {
    /// Writes the edge.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let aggregate = live.find(&self.aggregate)?;
        let part = match self.part.parse() {
            Ok(id) => id,
            Err(_not_an_id) => live.find(&self.part)?,
        };
        if part == aggregate && !self.remove {
            return Err(CliError::Setting {
                what: "part",
                value: self.part.clone(),
                reason: "a System is no part of itself".to_owned(),
            });
        }
        let name = |space| live.title(space).unwrap_or_else(|| space.short());
        let (change, word) = if self.remove {
            (SystemChange::RemovePart(part), "is linked no more with")
        } else {
            let label = self
                .label
                .clone()
                .or_else(|| live.title(part))
                .unwrap_or_else(|| part.short());
            let change = SystemChange::Part {
                space: part,
                label,
                overrides: self.overrides.clone(),
                uses: self.uses,
            };
            let word = if self.uses {
                "is used by"
            } else {
                "is a part of"
            };
            (change, word)
        };
        live.edit_system(aggregate, vec![change]).await?;
        Ok(Report::new(
            format!("{} {word} {}.", name(part), name(aggregate)),
            &json!({
                "aggregate": aggregate.to_string(),
                "part": part.to_string(),
                "linked": !self.remove,
                "uses": self.uses,
            }),
        ))
    }
}
