//! Policies, who is on call, and what was told, as verbs and the notifier ask for them.

use std::collections::BTreeSet;
use std::path::Path;

use aramaki_model::notify::{EqualRank, OnCallOverride, RECEIPT_ITEMS_MAX, Receipt, Record};
use aramaki_model::{EntryId, ItemId, Policy, TimelineEntry};
use aramaki_sync::text_file;
use aramaki_sync_core::SpaceId;
use serde::Deserialize as _;
use toml::de::DeTable;

use super::checks::{Wrong, first_unknown, malformed, wrong};
use super::fresh;
use super::live::Live;
use crate::cli::CliError;

/// More than what a document takes, however it is laid out.
const FILE_LEN_BYTES_MAX: u64 = 256 * 1024;

/// Reads a policy as people write it.
///
/// # Errors
/// When the file cannot be read, or says what cannot be meant; the error names line and field.
pub(crate) fn read_policy(path: &Path) -> Result<Policy, CliError> {
    let text = text_file::read(path, FILE_LEN_BYTES_MAX)?;
    parse(&text).map_err(|wrong| match wrong {
        Wrong::Here { line, message } => CliError::Config {
            file: path.to_owned(),
            line,
            message,
        },
        Wrong::Id(error) => error,
    })
}

fn parse(text: &str) -> Result<Policy, Wrong> {
    let written = DeTable::parse(text).map_err(|error| malformed(text, "", error))?;
    let document = toml::Deserializer::parse(text).map_err(|error| malformed(text, "", error))?;
    let policy = Policy::deserialize(document).map_err(|error| malformed(text, "", error))?;
    // What is replicated may have fields of newer programs; what is typed has none but typing errors.
    let known = toml::Table::try_from(&policy)
        .map_err(|error| Wrong::Id(CliError::Bug(error.to_string())))?;
    if let Some(field) = first_unknown(written.get_ref(), &known) {
        return Err(wrong(text, &field, "unknown field"));
    }
    policy
        .examine()
        .map_err(|fault| wrong(text, &fault.field, &fault.message))?;
    Ok(policy)
}

impl Live {
    /// Says whom to tell of a System's problems; none: nobody any more.
    ///
    /// # Errors
    /// When the model or the store refuses.
    pub(crate) async fn put_policy(
        &self,
        space: SpaceId,
        policy: Option<Policy>,
    ) -> Result<(), CliError> {
        self.edit(space, |model, chain, now| {
            model.edit_system(space, chain, now, |edit| match &policy {
                Some(policy) => edit.put_policy(policy),
                None => edit.remove_policy(),
            })
        })
        .await
    }

    /// Changes who is on call for some times; none takes a change back. All or nothing.
    ///
    /// # Errors
    /// When the model or the store refuses.
    pub(crate) async fn put_on_call(
        &self,
        space: SpaceId,
        changes: Vec<(ItemId, Option<OnCallOverride>)>,
    ) -> Result<(), CliError> {
        self.edit(space, |model, chain, now| {
            model.edit_system(space, chain, now, |edit| {
                changes.iter().try_for_each(|(id, change)| match change {
                    Some(change) => edit.put_on_call(*id, change),
                    None => edit.remove_on_call(*id),
                })
            })
        })
        .await
    }

    /// Writes into a System's timeline who was told.
    ///
    /// # Errors
    /// When this device may not write there, or the store refuses.
    pub(crate) async fn write_receipts(
        &self,
        space: SpaceId,
        receipt: &Receipt,
    ) -> Result<(), CliError> {
        let mut entries = Vec::new();
        for items in receipt.items.chunks(RECEIPT_ITEMS_MAX) {
            let part = Receipt {
                items: items.to_vec(),
                ..receipt.clone()
            };
            let id = EntryId::new(fresh::now(), fresh::random()?);
            entries.push((id, TimelineEntry::Notification(part)));
        }
        self.edit(space, |model, chain, now| {
            model.append_timeline(space, chain, now, &entries)
        })
        .await
    }

    /// What was told of which alert.
    pub(crate) fn told(&self) -> Record {
        self.model().told(self.profile().device)
    }

    /// Channels that took a message of some notifier.
    pub(crate) fn channels_used(&self) -> BTreeSet<String> {
        self.model().channels_used()
    }

    /// Notifiers of one rank, which tell the same; `rank` is this device's own if it is a notifier.
    pub(crate) fn equal_ranks(&self, rank: Option<u8>) -> Vec<EqualRank> {
        let own = rank.map(|rank| (self.profile().device, rank));
        self.model().equal_ranks(fresh::now(), own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(text: &str) -> (Option<usize>, String) {
        match parse(text) {
            Err(Wrong::Here { line, message }) => (line, message),
            Err(Wrong::Id(error)) => panic!("{error}"),
            Ok(_) => panic!("{text} is malformed"),
        }
    }

    #[test]
    fn the_example_is_a_policy_and_shows_every_field() {
        let example = include_str!("../../../docs/policy.toml.example");
        let policy = parse(example).unwrap_or_else(|_| panic!("the example is malformed"));
        assert!(policy.route.len() >= 2 && policy.schedule.len() == 1);
        for field in [
            "via",
            "to",
            "on_call",
            "begin",
            "handoff",
            "every_days",
            "zone",
            "people",
            "wait",
            "interval",
            "repeat",
            "by",
            "at_least",
            "from",
            "checks",
            "continue",
            "notify",
            "hours",
            "days",
            "until",
            "every",
            "although_acknowledged",
        ] {
            assert!(example.contains(&format!("{field} = ")), "{field}");
        }
    }

    #[test]
    fn a_slip_is_named_with_its_line_and_field() {
        let (line, message) = line_of("[receiver.ops]\nvia = \"mail\"\nadress = \"x\"\n");
        assert_eq!(
            (line, message.as_str()),
            (Some(3), "receiver.ops.adress: unknown field")
        );
        let (line, message) = line_of(
            "[receiver.ops]\nvia = \"mail\"\n[[route]]\n[[route.then]]\nnotify = [\"opz\"]\n",
        );
        assert_eq!(
            (line, message.as_str()),
            (
                Some(5),
                "route[1].then[1].notify[1]: there is no receiver `opz`"
            )
        );
        let (line, message) = line_of("[group]\nwait = \"soon\"\n");
        assert!(line == Some(2) && message.contains("30s"), "{message}");
    }
}
