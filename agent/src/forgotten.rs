//! Names that the host let out for good: their results are not taken any more.
//!
//! A file of its own in the agent's folder, a name a line: `aramaki-agent forget` writes it while the agent runs,
//! and the agent only reads it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Beside the agent's state.
const FILE_NAME: &str = "forgotten";
const NEW_FILE_NAME: &str = "forgotten.new";
/// Names that can be let out.
pub(crate) const NAMES_MAX: usize = 1_000;
/// Names are short, and there are not many.
const FILE_LEN_BYTES_MAX: u64 = 512 * 1024;

/// Reads them; without a file there are none.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn read(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut text = String::new();
    match File::open(folder.join(FILE_NAME)) {
        Ok(file) => file.take(FILE_LEN_BYTES_MAX).read_to_string(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let names = text.lines().filter(|name| !name.is_empty());
    Ok(names.take(NAMES_MAX).map(str::to_owned).collect())
}

/// Replaces them as a whole.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write(folder: &Path, names: &BTreeSet<String>) -> io::Result<()> {
    let new = folder.join(NEW_FILE_NAME);
    let mut file = File::create(&new)?;
    // The agent's user reads it, whoever wrote it: the folder keeps others out.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    for name in names {
        writeln!(file, "{name}")?;
    }
    file.sync_all()?;
    fs::rename(&new, folder.join(FILE_NAME))
}

/// Looks whether the file changed.
#[derive(Debug)]
pub(crate) struct Forgotten {
    folder: PathBuf,
    seen: Option<(SystemTime, u64)>,
}

impl Forgotten {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            seen: None,
        }
    }

    /// The names, if they are others since the last look.
    pub(crate) fn look(&mut self) -> Option<BTreeSet<String>> {
        let metadata = fs::metadata(self.folder.join(FILE_NAME)).ok();
        let stamp = metadata.and_then(|it| Some((it.modified().ok()?, it.len())));
        if stamp == self.seen {
            return None;
        }
        self.seen = stamp;
        match read(&self.folder) {
            Ok(names) => Some(names),
            Err(error) => {
                tracing::warn!(%error, "the names that are let out cannot be read");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_and_a_change_is_seen_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut forgotten = Forgotten::new(folder.path());
        assert_eq!(forgotten.look(), None);
        let names: BTreeSet<String> = ["mysql", "a b"].map(str::to_owned).into();
        write(folder.path(), &names).unwrap();
        assert_eq!(forgotten.look(), Some(names.clone()));
        assert_eq!(forgotten.look(), None);
        assert_eq!(read(folder.path()).unwrap(), names);
        write(folder.path(), &BTreeSet::new()).unwrap();
        assert_eq!(forgotten.look(), Some(BTreeSet::new()));
    }
}
