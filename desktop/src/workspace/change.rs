//! Changes to what a System says of itself, as verbs and the window ask for them.

use std::collections::BTreeMap;

use aramaki_model::address::check_web_address;
use aramaki_model::desired::{Desired, DesiredPath};
use aramaki_model::handover::CHECKS_CHANGED;
use aramaki_model::system::{AgentRef, Contact, Dashboard, Part, Rule, Touch};
use aramaki_model::{
    Check, CheckId, EditError, ItemId, Observer, Operator, Override, Presence, Relation, Severity,
    System, SystemEdit,
};
use aramaki_sync_core::SpaceId;

use super::fresh;
use crate::cli::CliError;

/// So much of a change of many checks is told.
const TOLD_LEN_CHARS_MAX: usize = 400;

/// One change to a System.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SystemChange {
    /// What people call it.
    Title(String),
    /// Their word for what it is.
    Category(String),
    /// What it is for.
    Purpose(String),
    /// How parts roll up.
    Aggregation(Operator),
    /// One more rule of touch.
    Rule(Rule),
    /// One more contact.
    Contact { role: String, address: String },
    /// One more dashboard.
    Dashboard { name: String, url: String },
    /// A part, or another edge to one that is there.
    Part {
        space: SpaceId,
        label: String,
        overrides: Vec<(Severity, Severity)>,
        uses: bool,
    },
    /// No part any more.
    RemovePart(SpaceId),
    /// These checks, added to those there; equal ids replace.
    Checks(Vec<Check>),
    /// An agent that observes it.
    Agent { space: SpaceId, label: String },
    /// No agent of it any more.
    RemoveAgent(SpaceId),
    /// Whether an agent, or each of which nothing else is said, is expected to be heard of.
    Presence(Option<SpaceId>, Presence),
    /// What should be so.
    Desire(DesiredPath, Desired),
    /// Nothing is desired there any more.
    Undesire(DesiredPath),
    /// No such checks any more.
    RemoveChecks(Vec<CheckId>),
    /// Proposed checks that nobody wants, by id and name.
    Ignore(Vec<(CheckId, String)>),
    /// They may be proposed again.
    Unignore(Vec<CheckId>),
    /// A System whose agents may say how this one is.
    Observer { space: SpaceId, observer: Observer },
    /// They may no longer.
    RemoveObserver(SpaceId),
}

impl SystemChange {
    /// Reads a rule of touch.
    ///
    /// # Errors
    /// When the kind is none of the three.
    pub(crate) fn rule(kind: &str, text: &str) -> Result<Self, CliError> {
        let touch = match kind.to_lowercase().replace([' ', '_'], "-").as_str() {
            "touch-freely" | "freely" => Touch::Freely,
            "ask-first" => Touch::AskFirst,
            "escalate" => Touch::Escalate,
            _ => {
                return Err(CliError::Setting {
                    what: "rule",
                    value: kind.to_owned(),
                    reason: "touch-freely, ask-first or escalate is expected".to_owned(),
                });
            }
        };
        Ok(Self::Rule(Rule {
            touch,
            text: text.to_owned(),
        }))
    }

    /// Reads how parts roll up.
    ///
    /// # Errors
    /// When it is no operator.
    pub(crate) fn operator(typed: &str) -> Result<Self, CliError> {
        let wrong = || {
            CliError::Setting {
            what: "operator",
            value: typed.to_owned(),
            reason: "worst, best, xor, degraded, `at least N` with N from 1, or `percent N` with N from 1 to 100 is \
                     expected"
                .to_owned(),
        }
        };
        // Not every `-` parts words: `at least -1` is none.
        let text = typed.replace("at-least", "at least");
        let words: Vec<_> = text.split_whitespace().collect();
        Ok(Self::Aggregation(match words.as_slice() {
            ["worst"] => Operator::Worst,
            ["best"] => Operator::Best,
            ["xor"] => Operator::Xor,
            ["degraded"] => Operator::Degraded,
            ["at", "least", n] => match n.parse() {
                Ok(count @ 1..) => Operator::AtLeast(count),
                _ => return Err(wrong()),
            },
            ["percent", n] => match n.trim_end_matches('%').parse() {
                Ok(percent @ 1..=100) => Operator::Percent(percent),
                _ => return Err(wrong()),
            },
            _ => return Err(wrong()),
        }))
    }

    /// Reads a dashboard.
    ///
    /// # Errors
    /// When its address is not one of a web page: others will click on it.
    pub(crate) fn dashboard(name: &str, url: &str) -> Result<Self, CliError> {
        check_web_address(url).map_err(|reason| CliError::Setting {
            what: "dashboard",
            value: url.to_owned(),
            reason,
        })?;
        Ok(Self::Dashboard {
            name: name.to_owned(),
            url: url.to_owned(),
        })
    }

    /// Writes it into a System document.
    pub(super) fn apply(&self, edit: &mut SystemEdit<'_, '_>, id: ItemId) -> Result<(), EditError> {
        match self {
            Self::Title(title) => edit.title(title),
            Self::Category(category) => edit.category(category),
            Self::Purpose(purpose) => edit.purpose(purpose),
            Self::Aggregation(operator) => edit.aggregation(*operator),
            Self::Rule(rule) => edit.put_rule(id, rule),
            Self::Contact { role, address } => edit.put_contact(
                id,
                &Contact {
                    role: role.clone(),
                    reach: address.clone(),
                    ..Contact::default()
                },
            ),
            Self::Dashboard { name, url } => edit.put_dashboard(
                id,
                &Dashboard {
                    title: name.clone(),
                    url: url.clone(),
                },
            ),
            Self::Part {
                space,
                label,
                overrides,
                uses,
            } => edit.put_part(
                *space,
                &Part {
                    label: label.clone(),
                    relation: if *uses {
                        Relation::Uses
                    } else {
                        Relation::Part
                    },
                    overrides: overrides_of(overrides),
                    ..Part::default()
                },
            ),
            Self::RemovePart(space) => edit.remove_part(*space),
            Self::Checks(checks) => checks.iter().try_for_each(|check| edit.put_check(check)),
            Self::Agent { space, label } => edit.put_agent(
                *space,
                &AgentRef {
                    label: label.clone(),
                    author: None,
                },
            ),
            Self::RemoveAgent(agent) => edit.remove_agent(*agent),
            Self::Presence(agent, presence) => edit.put_presence(*agent, *presence),
            Self::Desire(path, desired) => edit.put_desired(path, desired),
            Self::Undesire(path) => edit.remove_desired(path),
            Self::RemoveChecks(checks) => {
                let mut checks = checks.iter();
                checks.try_for_each(|check| edit.remove_check(*check))
            }
            Self::Ignore(checks) => {
                let mut checks = checks.iter();
                checks.try_for_each(|(check, name)| edit.put_ignored(*check, name))
            }
            Self::Observer { space, observer } => edit.put_observer(*space, observer),
            Self::RemoveObserver(space) => edit.remove_observer(*space),
            Self::Unignore(checks) => {
                let mut checks = checks.iter();
                checks.try_for_each(|check| edit.remove_ignored(*check))
            }
        }
    }
}

/// An id for each change, drawn before the document is locked.
pub(super) fn ids(count: usize) -> Result<Vec<ItemId>, CliError> {
    (0..count)
        .map(|_| Ok(ItemId::new(fresh::now(), fresh::random()?)))
        .collect()
}

fn overrides_of(pairs: &[(Severity, Severity)]) -> Override {
    let mut overrides = Override::NONE;
    for (from, to) in pairs {
        let place = match from {
            // What is OK there is OK here: nothing to say.
            Severity::Ok => continue,
            Severity::Missing => &mut overrides.missing,
            Severity::Warning => &mut overrides.warning,
            Severity::Unknown => &mut overrides.unknown,
            Severity::Critical => &mut overrides.critical,
        };
        *place = Some(*to);
    }
    overrides
}

/// What a change of presence is told as on the timeline; nothing if it was so before.
pub(super) fn of_presence(before: Option<&System>, changes: &[SystemChange]) -> Option<String> {
    let changed = changes.iter().filter_map(|change| match change {
        SystemChange::Presence(agent, presence) => Some((*agent, *presence)),
        _ => None,
    });
    let told = changed.filter_map(|(agent, presence)| {
        let was = before.map_or(Presence::Always, |system| match agent {
            Some(agent) => system.presence_of(&agent),
            None => system.presence,
        });
        let label = |agent: SpaceId| {
            let known = before.and_then(|system| system.agents.get(&agent));
            let new = changes.iter().find_map(|change| match change {
                SystemChange::Agent { space, label } if *space == agent => Some(label),
                _ => None,
            });
            let label = new.or(known.map(|known| &known.label));
            label.cloned().unwrap_or_else(|| agent.short())
        };
        let who = agent.map_or_else(|| "its machines".to_owned(), label);
        (was != presence).then(|| match presence {
            Presence::Always => format!("{who}: expected to be heard of at all times"),
            Presence::MayBeOffline => format!("{who}: may be offline"),
        })
    });
    let told: Vec<_> = told.collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// What a change of checks is told as on the timeline; nothing of the first ones of a System.
pub(super) fn of_checks(before: &BTreeMap<CheckId, Check>, after: &[Check]) -> Option<String> {
    if before.is_empty() {
        return None;
    }
    let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in after {
        let word = match before.get(&check.id) {
            None => "added",
            Some(old) if old == check => continue,
            Some(old) if old.enabled && !check.enabled => "turned off",
            Some(old) if !old.enabled && check.enabled => "turned on",
            Some(_) => "changed",
        };
        told.entry(word).or_default().push(&check.name);
    }
    let told = told
        .iter()
        .map(|(word, names)| format!("{word} {}", names.join(", ")));
    let told: Vec<_> = told.collect();
    let told = (!told.is_empty()).then(|| format!("{CHECKS_CHANGED}{}", told.join("; ")))?;
    let short: String = told.chars().take(TOLD_LEN_CHARS_MAX).collect();
    Some(if short == told { told } else { short + "…" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_operators_read_as_people_write_them() {
        let operator = |text: &str| match SystemChange::operator(text) {
            Ok(SystemChange::Aggregation(operator)) => Some(operator),
            _ => None,
        };
        assert_eq!(operator("at least 2"), Some(Operator::AtLeast(2)));
        assert_eq!(operator("at-least 2"), Some(Operator::AtLeast(2)));
        for wrong in [
            "at least 0",
            "at least -1",
            "at-least-1",
            "at least",
            "percent 0",
        ] {
            assert_eq!(operator(wrong), None, "{wrong}");
        }
        for said in [
            Operator::Worst,
            Operator::Best,
            Operator::Xor,
            Operator::Degraded,
            Operator::AtLeast(3),
        ] {
            assert_eq!(operator(&said.to_string()), Some(said));
        }
        assert_eq!(operator("percent 50%"), Some(Operator::Percent(50)));
        assert_eq!(operator("percent 101"), None);
        assert_eq!(operator("mostly"), None);
        for kind in ["touch freely", "touch-freely", "Ask First", "escalate"] {
            assert!(SystemChange::rule(kind, "x").is_ok(), "{kind}");
        }
        assert!(SystemChange::rule("perhaps", "x").is_err());
    }

    #[test]
    fn a_dashboard_is_a_web_page() {
        assert!(SystemChange::dashboard("load", "https://graphs.example.org/d/1").is_ok());
        for wrong in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://",
            "graphs",
        ] {
            assert!(SystemChange::dashboard("load", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn overrides_go_to_their_places() {
        let overrides = overrides_of(&[(Severity::Warning, Severity::Critical)]);
        assert_eq!(overrides.apply(Severity::Warning), Severity::Critical);
        assert_eq!(overrides.apply(Severity::Ok), Severity::Ok);
    }
}
