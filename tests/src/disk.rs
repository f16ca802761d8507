//! A small disk that can be full. Needs root.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const BALLAST_CHUNK: [u8; 4096] = [0; 4096];

/// A file system in memory, mounted for one test.
#[derive(Debug)]
pub struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// Mounts one of this size.
    ///
    /// # Panics
    /// Without root.
    pub fn new(mebibytes: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"])
            .arg(folder.path())
            .output()
            .unwrap();
        assert!(
            mounted.status.success(),
            "root is needed to mount a disk: {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Self { folder }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Fills it to the last block.
    ///
    /// # Panics
    /// When it fails for another reason than being full.
    pub fn fill(&self) {
        let mut ballast = fs::File::create(self.ballast()).unwrap();
        loop {
            match ballast.write_all(&BALLAST_CHUNK) {
                Ok(()) => {}
                Err(cause) if cause.kind() == std::io::ErrorKind::StorageFull => break,
                Err(cause) => panic!("{cause}"),
            }
        }
    }

    /// Makes room again.
    ///
    /// # Panics
    /// When it was not filled.
    pub fn empty(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that is being killed may still hold a file.
        drop(Command::new("umount").arg("-l").arg(self.path()).output());
    }
}
