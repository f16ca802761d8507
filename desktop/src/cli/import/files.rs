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
/// How Consul's own language ends; nothing here reads it.
const HCL: &str = "hcl";

/// What is there.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Sorted by path, each once.
    pub(super) files: Vec<SourceFile>,
    /// Files that the other program reads, and nothing here does.
    pub(super) unread: Vec<String>,
}

/// Reads them.
///
/// # Errors
/// When one cannot be read, or they are too many or too long; the error names the path.
pub(super) fn read(format: Format, paths: &[PathBuf]) -> Result<Found, CliError> {
    let mut found = BTreeSet::new();
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|source| unreadable(path, source))?;
        if metadata.is_dir() {
            gather(format, path, 0, &mut found)?;
        } else {
            found.insert(path.clone());
        }
        if found.len() > FILES_MAX {
            return Err(too_much(path, &format!("more than {FILES_MAX} files")));
        }
    }
    let (mut files, mut bytes) = (Vec::new(), 0_u64);
    let mut unread = Vec::new();
    for path in found {
        if is_hcl(format, &path) {
            unread.push(path.display().to_string());
            continue;
        }
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
    Ok(Found { files, unread })
}

fn is_hcl(format: Format, path: &Path) -> bool {
    format == Format::Consul && path.extension().is_some_and(|it| it == HCL)
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
    found: &mut BTreeSet<PathBuf>,
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
            gather(format, &path, depth + 1, found)?;
        } else if metadata.is_file()
            && (format.endings().contains(&ending.as_ref()) || is_hcl(format, &path))
        {
            found.insert(path);
        }
        if found.len() > FILES_MAX {
            return Err(too_much(folder, &format!("more than {FILES_MAX} files")));
        }
    }
    Ok(())
}
