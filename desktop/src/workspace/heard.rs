//! When agents were heard last, over a restart: heartbeats are not stored, and an agent that dies meanwhile would
//! seem silent since its journal's last entry.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use aramaki_sync::text_file;
use aramaki_sync_core::{SpaceId, Timestamp};

use super::fresh;
use super::live::Live;
use super::profile::with_causes;
use super::whole::write_whole;
use crate::cli::CliError;

/// By Space, in milliseconds since 1970.
const FILE: &str = "heard.json";
const FILE_LEN_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// A device that dies knows no more than so long ago.
const KEPT_EVERY: Duration = Duration::from_mins(10);

impl Live {
    fn heard_file(&self) -> PathBuf {
        self.shared.data.join(FILE)
    }

    /// Remembers when agents were heard before. What cannot be read is not known.
    pub(super) fn recall_heard(&self) {
        let path = self.heard_file();
        if !path.exists() {
            return;
        }
        let heard = match text_file::read(&path, FILE_LEN_BYTES_MAX) {
            Ok(text) => serde_json::from_str::<BTreeMap<String, i64>>(&text)
                .map_err(|error| with_causes(&error)),
            Err(error) => Err(with_causes(&error)),
        };
        let heard = match heard {
            Ok(heard) => heard,
            Err(error) => {
                let path = path.display();
                tracing::warn!(error, %path, "when agents were heard last is not known");
                return;
            }
        };
        let now = fresh::now();
        let agents = self.agents();
        let mut model = self.model();
        for (space, millis) in heard {
            // Of a Space that went nobody asks; a time to come is of a clock that was wrong.
            let space = space.parse::<SpaceId>().ok();
            let at = Timestamp::from_millis(millis);
            if let Some(space) = space.filter(|it| agents.contains(it))
                && at <= now
            {
                model.heard_before(space, at);
            }
        }
    }

    /// Writes down when agents were heard, if the last time is a while ago.
    pub(super) fn keep_heard_soon(&self) {
        let mut kept = self.heard_kept();
        if kept.elapsed() < KEPT_EVERY {
            return;
        }
        *kept = std::time::Instant::now();
        drop(kept);
        self.keep_heard();
    }

    /// Writes down when agents were heard. It is not worth an error.
    pub(super) fn keep_heard(&self) {
        if let Err(error) = self.write_heard() {
            tracing::warn!(
                error = error.message(),
                "when agents were heard last is not kept"
            );
        }
    }

    fn write_heard(&self) -> Result<(), CliError> {
        let heard: BTreeMap<String, i64> = self
            .model()
            .last_heard()
            .map(|(space, at)| (space.to_string(), at.millis()))
            .collect();
        if heard.is_empty() {
            return Ok(());
        }
        let text = serde_json::to_string(&heard);
        let text = text.map_err(|error| CliError::Bug(error.to_string()))?;
        let path = self.heard_file();
        // Most verbs hear nobody.
        if text_file::read(&path, FILE_LEN_BYTES_MAX).is_ok_and(|before| before == text) {
            return Ok(());
        }
        write_whole(&path, text.as_bytes())
    }
}
