//! What was begun and what came of it, on this disk before anything leaves it.
//!
//! A row says *begun* before a message is handed over and *ended* afterwards. What was begun and has
//! no end after a start may have arrived or not: it is said so, and told once more. So each message
//! goes out at least once, and twice at most. Receipts that are not in a timeline yet are here.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aramaki_model::notify::{NotificationId, Receipt, Stage};
use aramaki_sync_core::{SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cli::CliError;

/// How long the file may become before it is written anew; when it is read it may be twice that.
const FILE_LEN_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Messages that are remembered because no timeline takes their receipts; the oldest go first.
const KEPT_MAX: usize = 10_000;
const NAME: &str = "notify-outbox.jsonl";

/// How far a row has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// It is handed over now.
    Begun,
    /// That has ended; the receipt says how.
    Ended,
    /// The receipt is in the timeline.
    Written,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    number: u64,
    phase: Phase,
    policy: SpaceId,
    receipt: Option<Receipt>,
    /// Since when the alerts were open of which that tells.
    #[serde(default)]
    opened: Vec<Option<Timestamp>>,
}

impl Row {
    fn new(number: u64, phase: Phase, policy: SpaceId, receipt: Option<Receipt>) -> Self {
        let opened = receipt.as_ref().map(Receipt::opened).unwrap_or_default();
        Self {
            number,
            phase,
            policy,
            receipt,
            opened,
        }
    }
}

/// What is on this disk.
#[derive(Debug)]
pub(super) struct Outbox {
    path: PathBuf,
    file: File,
    len_bytes: u64,
    next: u64,
    /// Rows whose receipt is not in a timeline.
    open: BTreeMap<u64, Row>,
}

impl Outbox {
    /// Opens the file of a workspace; what had no end has one now.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(super) fn open(data: &Path, now: Timestamp) -> Result<Self, CliError> {
        let path = data.join(NAME);
        let failed = |action, source| CliError::File {
            action,
            path: path.clone(),
            source,
        };
        let mut open = match File::open(&path) {
            Ok(file) => rows(file).map_err(|source| failed("read", source))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(failed("read", source)),
        };
        for row in open.values_mut().filter(|row| row.phase == Phase::Begun) {
            row.phase = Phase::Ended;
            if let Some(receipt) = &mut row.receipt {
                receipt.stage = Stage::Unsure;
                receipt.at = receipt.at.max(now);
                "the notifier ended while it was sent".clone_into(&mut receipt.detail);
            }
        }
        let next = open.keys().next_back().map_or(0, |last| last + 1);
        let (file, len_bytes) = rewrite(&path, &open).map_err(|source| failed("write", source))?;
        Ok(Self {
            path,
            file,
            len_bytes,
            next,
            open,
        })
    }

    /// Says, durably, that a message is handed over now.
    ///
    /// # Errors
    /// When the disk does not take it: then nothing may be sent.
    pub(super) fn begin(&mut self, policy: SpaceId, receipt: Receipt) -> Result<u64, CliError> {
        let number = self.next;
        self.put(Row::new(number, Phase::Begun, policy, Some(receipt)))?;
        self.next += 1;
        Ok(number)
    }

    /// Says, durably, what came of it.
    ///
    /// # Errors
    /// When the disk does not take it: it counts as unsure after a start.
    pub(super) fn end(&mut self, number: u64, receipt: Receipt) -> Result<(), CliError> {
        let Some(policy) = self.open.get(&number).map(|row| row.policy) else {
            return Ok(());
        };
        let row = Row::new(number, Phase::Ended, policy, Some(receipt));
        // What is known counts for this run even if the disk is full.
        self.open.insert(number, row.clone());
        self.put(row)
    }

    /// Says that a receipt is in its timeline.
    ///
    /// # Errors
    /// When the disk does not take it: the receipt is written once more after a start.
    pub(super) fn written(&mut self, number: u64) -> Result<(), CliError> {
        let Some(policy) = self.open.get(&number).map(|row| row.policy) else {
            return Ok(());
        };
        self.put(Row::new(number, Phase::Written, policy, None))
    }

    /// Receipts that are in no timeline yet, oldest first; those of messages that are under way are not
    /// among them.
    pub(super) fn ended(&self) -> Vec<(u64, SpaceId, Receipt)> {
        let ended = self.open.values().filter(|row| row.phase == Phase::Ended);
        ended
            .filter_map(|row| Some((row.number, row.policy, row.receipt.clone()?)))
            .collect()
    }

    /// Notifications that are under way.
    pub(super) fn busy(&self) -> impl Iterator<Item = NotificationId> + '_ {
        let begun = self.open.values().filter(|row| row.phase == Phase::Begun);
        begun
            .filter_map(|row| row.receipt.as_ref())
            .flat_map(|receipt| receipt.items.iter().map(|item| item.id))
    }

    fn put(&mut self, row: Row) -> Result<(), CliError> {
        let path = self.path.clone();
        let failed = |source| CliError::File {
            action: "write",
            path,
            source,
        };
        let mut line =
            serde_json::to_vec(&row).map_err(|error| CliError::Bug(error.to_string()))?;
        line.push(b'\n');
        let durable = row.phase != Phase::Written;
        let mut written = || {
            self.file.write_all(&line)?;
            if durable {
                self.file.sync_data()
            } else {
                Ok(())
            }
        };
        written().map_err(failed)?;
        self.len_bytes += u64::try_from(line.len()).unwrap_or(0);
        if row.phase == Phase::Written {
            self.open.remove(&row.number);
        } else {
            self.open.insert(row.number, row);
        }
        while self.open.len() > KEPT_MAX {
            let oldest = self.open.values().find(|row| row.phase == Phase::Ended);
            let Some(oldest) = oldest.map(|row| row.number) else {
                break;
            };
            self.open.remove(&oldest);
        }
        if self.len_bytes > FILE_LEN_BYTES_MAX {
            let path = self.path.clone();
            let failed = |source| CliError::File {
                action: "write",
                path,
                source,
            };
            (self.file, self.len_bytes) = rewrite(&self.path, &self.open).map_err(failed)?;
        }
        Ok(())
    }
}

/// The last row of each message. A line that is cut off was never acknowledged.
fn rows(file: File) -> std::io::Result<BTreeMap<u64, Row>> {
    let mut open = BTreeMap::new();
    let mut lines = BufReader::new(file.take(2 * FILE_LEN_BYTES_MAX)).split(b'\n');
    while let Some(line) = lines.next().transpose()? {
        let Ok(mut row) = serde_json::from_slice::<Row>(&line) else {
            continue;
        };
        let opened = std::mem::take(&mut row.opened);
        let receipt = row.receipt.take();
        let receipt = receipt.map(|receipt| receipt.with_opened(opened));
        let row = Row::new(row.number, row.phase, row.policy, receipt);
        if row.phase == Phase::Written {
            open.remove(&row.number);
        } else {
            open.insert(row.number, row);
        }
    }
    Ok(open)
}

/// Writes what still counts into a new file in the old one's place.
fn rewrite(path: &Path, open: &BTreeMap<u64, Row>) -> std::io::Result<(File, u64)> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    for row in open.values() {
        serde_json::to_writer(&mut file, row)?;
        file.write_all(b"\n")?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    let file = OpenOptions::new().append(true).open(path)?;
    let len_bytes = file.metadata()?.len();
    Ok((file, len_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::letter::tests::message;
    use aramaki_model::notify::State;

    fn receipt(stage: Stage) -> Receipt {
        let message = message(&[State::Resolved]);
        Receipt {
            at: Timestamp::from_millis(5),
            stage,
            rank: 0,
            receiver: message.receiver,
            target: message.target,
            group: message.group,
            items: message
                .items
                .iter()
                .map(aramaki_model::notify::Item::receipt)
                .collect(),
            detail: String::new(),
        }
    }

    #[test]
    fn what_had_no_end_is_unsure_after_a_start_and_a_cut_line_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_millis(9);
        let policy = SpaceId::from_bytes([1; 32]);
        let mut outbox = Outbox::open(folder.path(), now).unwrap();
        let begun = outbox.begin(policy, receipt(Stage::Sent)).unwrap();
        let ended = outbox.begin(policy, receipt(Stage::Sent)).unwrap();
        let written = outbox.begin(policy, receipt(Stage::Sent)).unwrap();
        for number in [ended, written] {
            outbox.end(number, receipt(Stage::Sent)).unwrap();
        }
        outbox.written(written).unwrap();
        assert_eq!(outbox.busy().count(), 1);
        assert_eq!(
            outbox.ended().len(),
            1,
            "what is under way has no receipt yet"
        );
        outbox
            .file
            .write_all(b"{\"number\":7,\"phase\":\"beg")
            .unwrap();
        drop(outbox);

        let outbox = Outbox::open(folder.path(), now).unwrap();
        let opened = outbox.ended().into_iter().map(|(_, _, it)| it.opened());
        for opened in opened {
            assert!(opened.iter().all(Option::is_some), "{opened:?}");
        }
        let found: Vec<_> = outbox
            .ended()
            .into_iter()
            .map(|(number, _, receipt)| (number, receipt.stage))
            .collect();
        assert_eq!(found, [(begun, Stage::Unsure), (ended, Stage::Sent)]);
        assert_eq!(outbox.busy().count(), 0);
        assert_eq!(outbox.next, ended + 1);
        let again = Outbox::open(folder.path(), now).unwrap();
        assert_eq!(
            again.ended().len(),
            2,
            "a start changes nothing that is known"
        );
    }
}
