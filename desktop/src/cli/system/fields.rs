//! What can be said of a System when it is added or edited.

use std::path::PathBuf;

use aramaki_model::Presence;
use clap::Args;

use crate::cli::CliError;
use crate::cli::parse::{parse_line, parse_pair};
use crate::workspace::{KnownChecks, SystemChange, read_checks};

/// What can be said of a System.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Fields {
    /// Your word for what it is: service, project, infrastructure.
    #[arg(long, value_name = "WORD", value_parser = parse_line)]
    category: Option<String>,
    /// What it is for, in a sentence.
    #[arg(long, value_name = "TEXT", value_parser = parse_line)]
    purpose: Option<String>,
    /// How parts roll up: worst, best, "at least N" (N from 1), "percent N", xor (exactly one is to be
    /// OK), degraded (never worse than a warning).
    #[arg(long, value_name = "RULE", value_parser = parse_line)]
    operator: Option<String>,
    /// A rule of touch: touch-freely, ask-first or escalate, `=`, and what it is about.
    #[arg(long = "rule", value_name = "KIND=TEXT", value_parser = parse_pair)]
    rules: Vec<(String, String)>,
    /// Whom to call: a role, `=`, and how to reach it.
    #[arg(long = "contact", value_name = "ROLE=ADDRESS", value_parser = parse_pair)]
    contacts: Vec<(String, String)>,
    /// A dashboard: its name, `=`, and its address.
    #[arg(long = "dashboard", value_name = "NAME=URL", value_parser = parse_pair)]
    dashboards: Vec<(String, String)>,
    /// Whether its machines are expected to be heard of: always, or may-be-offline for laptops. These are
    /// shown as offline, and nobody is told that they are.
    #[arg(long, value_name = "WORD")]
    pub(super) presence: Option<Presence>,
    /// Take the checks from this TOML file; its agents follow within seconds.
    #[arg(long, value_name = "FILE")]
    checks: Option<PathBuf>,
}

impl Fields {
    /// The path among them.
    pub(super) fn path(&mut self) -> Option<&mut PathBuf> {
        self.checks.as_mut()
    }

    /// As changes to the document of a System that has these checks.
    pub(crate) fn changes(&self, known: &KnownChecks) -> Result<Vec<SystemChange>, CliError> {
        let mut changes = Vec::new();
        if let Some(category) = &self.category {
            changes.push(SystemChange::Category(category.clone()));
        }
        if let Some(purpose) = &self.purpose {
            changes.push(SystemChange::Purpose(purpose.clone()));
        }
        if let Some(operator) = &self.operator {
            changes.push(SystemChange::operator(operator)?);
        }
        if let Some(presence) = self.presence {
            changes.push(SystemChange::Presence(None, presence));
        }
        for (kind, text) in &self.rules {
            changes.push(SystemChange::rule(kind, text)?);
        }
        for (role, address) in &self.contacts {
            changes.push(SystemChange::Contact {
                role: role.clone(),
                address: address.clone(),
            });
        }
        for (name, url) in &self.dashboards {
            changes.push(SystemChange::dashboard(name, url)?);
        }
        if let Some(file) = &self.checks {
            changes.push(SystemChange::Checks(read_checks(file, known)?));
        }
        Ok(changes)
    }
}
