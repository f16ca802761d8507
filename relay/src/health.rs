//! Whether the data folder takes writes: doubted from a failed commit until a write goes through.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aramaki_sync_core::engine::StoreFailure;

/// Written and removed again to see whether there is room.
const PROBE_NAME: &str = "health.probe";
/// More than what most commits need; a larger one that fails raises the doubt again.
const PROBE_LEN_BYTES: usize = 1 << 20;

/// What is known of the disk. Nothing is written while nothing failed.
#[derive(Clone, Debug)]
pub(crate) struct StoreHealth {
    probe: Arc<tokio::sync::Mutex<PathBuf>>,
    doubt: Arc<Mutex<Doubt>>,
}

#[derive(Debug, Default)]
struct Doubt {
    failure: Option<StoreFailure>,
    /// How often something failed: a probe that began earlier proves nothing about a later failure.
    failures: u64,
}

impl StoreHealth {
    /// Nothing failed yet.
    pub(crate) fn new(data: &Path) -> Self {
        Self {
            probe: Arc::new(tokio::sync::Mutex::new(data.join(PROBE_NAME))),
            doubt: Arc::default(),
        }
    }

    /// A commit failed, or may have.
    pub(crate) fn doubt(&self, failure: StoreFailure) {
        let mut doubt = self.lock();
        doubt.failure = Some(failure);
        doubt.failures += 1;
    }

    /// `Ok`, or what failed and why it still does. Probes only in doubt, one probe at a time.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let (failure, failures) = {
            let doubt = self.lock();
            let Some(failure) = doubt.failure else {
                return Ok(());
            };
            (failure, doubt.failures)
        };
        // The lock moves into the thread: a disk that hangs holds up one thread, not one a request.
        let path = Arc::clone(&self.probe).lock_owned().await;
        let probed = tokio::task::spawn_blocking(move || probe(&path)).await;
        match probed.unwrap_or_else(|cause| Err(io::Error::other(cause))) {
            Ok(()) => {
                let mut doubt = self.lock();
                if doubt.failures != failures {
                    return Err(failure.to_string());
                }
                doubt.failure = None;
                Ok(())
            }
            Err(cause) => Err(format!("{failure}: {cause}")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Doubt> {
        self.doubt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn probe(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    let written = file
        .write_all(&vec![0xA5; PROBE_LEN_BYTES])
        .and_then(|()| file.sync_all());
    drop(file);
    let removed = std::fs::remove_file(path);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_counts_until_a_write_goes_through() {
        let folder = tempfile::tempdir().unwrap();
        let health = StoreHealth::new(folder.path());
        // A folder in the probe's place: no user can write a file there.
        let place = folder.path().join(PROBE_NAME);
        std::fs::create_dir(&place).unwrap();
        assert_eq!(health.check().await, Ok(()), "nothing is written unasked");

        health.doubt(StoreFailure::Full);
        for _request in 0..2 {
            let refused = health.check().await.unwrap_err();
            let reason = StoreFailure::Full.to_string();
            assert!(refused.starts_with(&reason), "{refused}");
        }
        std::fs::remove_dir(&place).unwrap();
        assert_eq!(health.check().await, Ok(()));
        assert!(!place.exists(), "the probe leaves nothing");

        health.doubt(StoreFailure::Failed);
        std::fs::create_dir(&place).unwrap();
        health.check().await.unwrap_err();
    }
}
