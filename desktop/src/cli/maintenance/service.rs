//! `aramaki maintenance out|back|group|groups`.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_model::maintenance::redundancy::Redundancy;
use clap::Args;
use serde_json::json;

use super::super::parse::parse_line;
use super::super::report::Lines;
use super::super::{CliError, Clock, Report, local, parse_span};
use crate::workspace::Live;

/// Take a System out of service, for a time or until it is put back.
///
/// It is refused where a redundancy group would have too few in service.
#[derive(Debug, Args)]
pub(crate) struct Out {
    /// Which System.
    system: String,
    /// For how long; until `back` without it.
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span)]
    span: Option<Duration>,
    /// Why.
    #[arg(long, value_name = "TEXT", value_parser = parse_line)]
    reason: String,
}

impl Out {
    /// Takes it out.
    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        let until = self.span.map(|span| Clock::now().plus(span));
        live.take_out(system, until, &self.reason).await?;
        let end = until.map_or_else(
            || format!("until `aramaki maintenance back {system}`"),
            |until| format!("until {}", local(until)),
        );
        Ok(Report::new(
            format!("Out of service {end}."),
            &json!({"system": system.to_string(), "until": until.map(|it| it.to_string())}),
        ))
    }
}

/// Put a System back into service that was taken out by hand.
#[derive(Debug, Args)]
pub(crate) struct Back {
    /// Which System.
    system: String,
}

impl Back {
    /// Puts it back.
    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        let was_out = live.put_back(system).await?;
        let text = if was_out {
            "In service."
        } else {
            "It was not taken out by hand."
        };
        Ok(Report::new(
            text,
            &json!({"system": system.to_string(), "was_out": was_out}),
        ))
    }
}

/// Say of which Systems so many must stay in service: a redundancy group, kept by an aggregate.
#[derive(Debug, Args)]
pub(crate) struct Group {
    /// The System that keeps the group, for example the one of which they are parts.
    system: String,
    /// The group's name. One that is there is replaced.
    #[arg(value_parser = parse_line)]
    name: String,
    /// How many must stay in service.
    #[arg(
        long,
        value_name = "COUNT",
        required_unless_present = "remove",
        requires = "members"
    )]
    at_least: Option<u16>,
    /// A member; several times for several.
    #[arg(
        long = "member",
        id = "members",
        value_name = "SYSTEM",
        required_unless_present = "remove"
    )]
    members: Vec<String>,
    /// Remove it.
    #[arg(long, conflicts_with_all = ["at_least", "members"])]
    remove: bool,
}

impl Group {
    /// Writes or removes it.
    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let aggregate = live.find(&self.system)?;
        let object = |members: &BTreeSet<_>| {
            let members = members.iter().map(ToString::to_string).collect::<Vec<_>>();
            json!({
                "system": aggregate.to_string(),
                "name": self.name,
                "at_least": self.at_least,
                "members": members,
            })
        };
        if self.remove {
            live.remove_group(aggregate, &self.name).await?;
            return Ok(Report::new("Removed.", &object(&BTreeSet::new())));
        }
        let members = self.members.iter().map(|member| live.find(member));
        let members: BTreeSet<_> = members.collect::<Result<_, _>>()?;
        let group = Redundancy {
            at_least: self.at_least.unwrap_or_default(),
            members: members.clone(),
        };
        live.put_group(aggregate, &self.name, group).await?;
        Ok(Report::new(
            format!(
                "At least {} of {} stay in service.",
                self.at_least.unwrap_or_default(),
                members.len()
            ),
            &object(&members),
        ))
    }
}

/// List redundancy groups, and who is in service now.
#[derive(Debug, Args)]
pub(crate) struct Groups {}

impl Groups {
    /// Lists them.
    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let rows = live.groups(None).await?;
        let mut text = Lines::default();
        if rows.is_empty() {
            text.add("There is no redundancy group: `aramaki maintenance group` makes one.");
        }
        let title = |space| live.title(space).unwrap_or_else(|| space.short());
        for row in &rows {
            text.add(format_args!(
                "{} of {}: at least {} of {} stay in service",
                row.name,
                title(row.aggregate),
                row.group.at_least,
                row.group.members.len()
            ));
            for member in &row.group.members {
                let word = if row.out.contains(member) {
                    "out of service"
                } else {
                    "in service"
                };
                text.add(format_args!("  {}  {word}", title(*member)));
                for out in live.out_now(*member) {
                    let until = out
                        .until
                        .map_or_else(String::new, |it| format!(" until {}", local(it)));
                    text.add(format_args!(
                        "    since {}{until}: {}",
                        local(out.since),
                        out.reason
                    ));
                }
            }
        }
        let objects = rows.iter().map(|row| {
            let members = row.group.members.iter().map(|member| {
                json!({
                    "system": member.to_string(),
                    "title": live.title(*member),
                    "in_service": !row.out.contains(member),
                })
            });
            json!({
                "system": row.aggregate.to_string(),
                "title": live.title(row.aggregate),
                "name": row.name,
                "at_least": row.group.at_least,
                "in_service": row.group.members.len() - row.out.len().min(row.group.members.len()),
                "members": members.collect::<Vec<_>>(),
            })
        });
        let objects: Vec<_> = objects.collect();
        Ok(Report::new(text.into_text(), &json!({"groups": objects})))
    }
}
