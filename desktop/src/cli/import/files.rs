//! The files of an import: those that are named, and those in folders that are named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aramaki_model::import::{
    FILE_LEN_BYTES_MAX, FILES_LEN_BYTES_MAX, FILES_MAX, Format, SourceFile,
};
use aramaki_sync::text_file;

use crate::cli::CliError;

/// Folders in folders.
const DEPTH_MAX: usize = 16;
/// Files that are passed over and told.
const PASSED_MAX: usize = 1_000;

/// Reads them, sorted by path, each once.
///
/// # Errors
/// When one cannot be read, or they are too many or too long; the error names the path.
pub(super) fn read(format: Format, paths: &[PathBuf]) -> Result<Files, CliError> {
    let mut found = BTreeSet::new();
    let mut passed = BTreeSet::new();
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|source| unreadable(path, source))?;
        if metadata.is_dir() {
            gather(format, path, 0, (&mut found, &mut passed))?;
        } else if is_hcl(format, path) {
            passed.insert(path.clone());
        } else {
            found.insert(path.clone());
        }
        if found.len() > FILES_MAX {
            return Err(too_much(path, &format!("more than {FILES_MAX} files")));
        }
    }
    let (mut files, mut bytes) = (Vec::new(), 0_u64);
    for path in found {
        let text = text_file::read(&path, FILE_LEN_BYTES_MAX)?;
        bytes = bytes.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX));
        if bytes > FILES_LEN_BYTES_MAX {
            let reason = format!("more than {FILES_LEN_BYTES_MAX} bytes in all files together");
            return Err(too_much(&path, &reason));
        }
        files.push(SourceFile {
            name: path.display().to_string(),
            text,
        });
    }
    Ok(Files {
        files,
        passed: passed.into_iter().collect(),
    })
}

/// What files are read, and which were not.
pub(super) struct Files {
    pub(super) files: Vec<SourceFile>,
    /// Those in folders that end otherwise than the format's do.
    pub(super) passed: Vec<PathBuf>,
}

/// Whether a file is in Consul's own language, which nothing here reads.
pub(super) fn is_hcl(format: Format, path: &Path) -> bool {
    format == Format::Consul && path.extension().is_some_and(|it| it == "hcl")
}

/// Why a file was passed over.
pub(super) fn why_passed(format: Format, path: &Path) -> &'static str {
    if is_hcl(format, path) {
        "HCL is not read: hand over what the agent answers under /v1/agent/services and \
         /v1/agent/checks, or the definitions as JSON"
    } else {
        "not read: its name ends otherwise"
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> CliError {
    CliError::File {
        action: "read",
        path: path.to_owned(),
        source,
    }
}

fn too_much(path: &Path, reason: &str) -> CliError {
    CliError::Setting {
        what: "path",
        value: path.display().to_string(),
        reason: format!("{reason}: import fewer at a time"),
    }
}

/// Files in a folder whose names end as the format's do. Hidden ones and copies of editors are left
/// out, as the programs do themselves.
fn gather(
    format: Format,
    folder: &Path,
    depth: usize,
    (found, passed): (&mut BTreeSet<PathBuf>, &mut BTreeSet<PathBuf>),
) -> Result<(), CliError> {
    if depth > DEPTH_MAX {
        return Err(too_much(
            folder,
            &format!("folders more than {DEPTH_MAX} deep"),
        ));
    }
    let entries = std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
    for entry in entries {
        let path = entry.map_err(|source| unreadable(folder, source))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        // A link that leads nowhere is no definition.
        let Ok(metadata) = std::fs::metadata(&path) else {
            continue;
        };
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        if metadata.is_dir() {
            gather(format, &path, depth + 1, (found, passed))?;
        } else if metadata.is_file() && format.endings().contains(&ending.as_ref()) {
            found.insert(path);
        } else if metadata.is_file() && !name.ends_with('~') && passed.len() < PASSED_MAX {
            passed.insert(path);
        }
        if found.len() > FILES_MAX {
            return Err(too_much(folder, &format!("more than {FILES_MAX} files")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_end_otherwise_are_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["web.json", "db.hcl", "README", ".hidden", "web.json~"] {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        let read = read(Format::Consul, &[folder.path().to_owned()]).unwrap();
        assert_eq!(read.files.len(), 1);
        let passed: Vec<_> = read
            .passed
            .iter()
            .map(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                (name.into_owned(), why_passed(Format::Consul, path))
            })
            .collect();
        let other = "not read: its name ends otherwise";
        let hcl = why_passed(Format::Consul, Path::new("db.hcl"));
        let expected = [("README", other), ("db.hcl", hcl)];
        assert!(hcl.starts_with("HCL is not read"), "{hcl}");
        assert_eq!(passed, expected.map(|(name, why)| (name.to_owned(), why)));
    }
}
