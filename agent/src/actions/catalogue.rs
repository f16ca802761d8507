//! What this host allows: the files of one folder that only root can change.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use aramaki_model::action::{ACTIONS_MAX, Catalogue};
use aramaki_sync::text_file::{self, TextFileError};
use aramaki_sync_core::Timestamp;

use super::definition::{Definition, FILE_LEN_BYTES_MAX};
use crate::config::ConfigError;
use crate::platform;

/// Why an action, or the whole folder, is not allowed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogueError {
    /// It cannot be looked at.
    #[error("cannot read {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Somebody other than the host's administrator can change it.
    #[error("{} is refused: {what}", path.display())]
    Unsafe { path: PathBuf, what: String },
    /// It cannot be read as text.
    #[error(transparent)]
    File(#[from] TextFileError),
    /// It says something wrong.
    #[error(transparent)]
    Definition(#[from] ConfigError),
    /// There are more than an agent takes.
    #[error("{} holds more than {ACTIONS_MAX} actions", path.display())]
    TooMany { path: PathBuf },
}

/// The actions of a folder by name, and what is wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct Actions {
    pub(crate) definitions: BTreeMap<String, Definition>,
    pub(crate) refused: Vec<CatalogueError>,
}

impl Actions {
    /// Reads a folder whose files belong to `owner`. One that is not there allows nothing.
    pub(crate) fn read(folder: &Path, owner: u32) -> Self {
        let mut actions = Self::default();
        if let Err(error) = actions.read_all(folder, owner) {
            actions.definitions.clear();
            actions.refused.push(error);
        }
        actions
    }

    fn read_all(&mut self, folder: &Path, owner: u32) -> Result<(), CatalogueError> {
        let failed = |source| CatalogueError::Io {
            path: folder.to_owned(),
            source,
        };
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed)?,
        };
        check_place(folder, &std::fs::metadata(folder).map_err(failed)?, owner)?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                paths.push(path);
            }
            if paths.len() > ACTIONS_MAX {
                let path = folder.to_owned();
                return Err(CatalogueError::TooMany { path });
            }
        }
        paths.sort();
        for path in paths {
            match read_one(&path, owner) {
                Ok(definition) => {
                    self.definitions.insert(definition.name.clone(), definition);
                }
                Err(error) => self.refused.push(error),
            }
        }
        Ok(())
    }

    /// What others may know of them.
    pub(crate) fn described(&self, at: Timestamp) -> Catalogue {
        let definitions = self.definitions.iter();
        Catalogue {
            at,
            actions: definitions
                .map(|(name, definition)| (name.clone(), definition.described()))
                .collect(),
            maintenance: self
                .definitions
                .iter()
                .filter_map(|(name, definition)| Some((name.clone(), definition.maintenance?)))
                .collect(),
        }
    }
}

fn read_one(path: &Path, owner: u32) -> Result<Definition, CatalogueError> {
    let failed = |source| CatalogueError::Io {
        path: path.to_owned(),
        source,
    };
    // Of the link, not of what it leads to: whoever owns the link decides where it leads.
    check_place(
        path,
        &std::fs::symlink_metadata(path).map_err(failed)?,
        owner,
    )?;
    let text = text_file::read(path, FILE_LEN_BYTES_MAX)?;
    Ok(Definition::parse(&text, path)?)
}

/// Refuses what somebody other than its owner can change.
pub(crate) fn check_place(
    path: &Path,
    metadata: &Metadata,
    owner: u32,
) -> Result<(), CatalogueError> {
    let refused = |what: String| {
        Err(CatalogueError::Unsafe {
            path: path.to_owned(),
            what,
        })
    };
    if metadata.is_symlink() {
        return refused("it is a symbolic link".to_owned());
    }
    let (found, mode) = platform::owner_and_mode(metadata);
    if found != owner {
        return refused(format!("it belongs to the user {found}, not to {owner}"));
    }
    if mode & 0o022 != 0 {
        return refused(format!("its mode {mode:04o} lets others write: chmod go-w"));
    }
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::super::definition::tests::FLUSH;
    use super::*;

    fn folder() -> (tempfile::TempDir, u32) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("flush.toml"), FLUSH).unwrap();
        set(folder.path(), 0o755);
        set(&folder.path().join("flush.toml"), 0o644);
        let owner = fs::metadata(folder.path()).unwrap().uid();
        (folder, owner)
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn names(actions: &Actions) -> Vec<&str> {
        actions.definitions.keys().map(String::as_str).collect()
    }

    #[test]
    fn a_folder_of_actions_is_read_and_one_bad_file_hides_no_other() {
        let (folder, owner) = folder();
        fs::write(folder.path().join("bad.toml"), "description = 1").unwrap();
        fs::write(folder.path().join("README"), "no action").unwrap();
        set(&folder.path().join("bad.toml"), 0o644);
        let actions = Actions::read(folder.path(), owner);
        assert_eq!(names(&actions), ["flush"]);
        assert_eq!(actions.refused.len(), 1, "{:?}", actions.refused);
        assert!(
            Actions::read(&folder.path().join("none"), owner)
                .refused
                .is_empty()
        );
    }

    #[test]
    fn a40_a_catalogue_that_others_can_write_allows_nothing() {
        let (folder, owner) = folder();
        let file = folder.path().join("flush.toml");
        for (path, mode) in [
            (file.as_path(), 0o664),
            (&file, 0o646),
            (folder.path(), 0o775),
        ] {
            set(path, mode);
            let actions = Actions::read(folder.path(), owner);
            assert!(names(&actions).is_empty(), "{mode:o}");
            assert!(actions.refused[0].to_string().contains("chmod go-w"));
            set(path, if path == file { 0o644 } else { 0o755 });
        }
        assert_eq!(names(&Actions::read(folder.path(), owner)), ["flush"]);
        let actions = Actions::read(folder.path(), owner + 1);
        assert!(names(&actions).is_empty() && actions.refused.len() == 1);
    }

    #[test]
    fn a40_a_link_to_a_definition_is_none() {
        let (folder, owner) = folder();
        let file = folder.path().join("flush.toml");
        std::os::unix::fs::symlink(&file, folder.path().join("other.toml")).unwrap();
        let actions = Actions::read(folder.path(), owner);
        assert_eq!(names(&actions), ["flush"]);
        assert!(actions.refused[0].to_string().contains("symbolic link"));
    }
}
