//! Space and inodes of a file system, in percent in use.

use std::path::Path;

use aramaki_model::Thresholds;

use super::reading::{Reading, bytes, percent, share, size};
use crate::platform::{self, ReadError, Space};

/// Reads the file system that holds `path`. Blocks as long as the file system does.
pub(crate) fn check(
    path: &Path,
    space: &Thresholds,
    inodes: &Thresholds,
) -> Result<Reading, ReadError> {
    Ok(judge(path, &platform::space(path)?, space, inodes))
}

fn judge(path: &Path, space: &Space, limits: &Thresholds, inode_limits: &Thresholds) -> Reading {
    let name = path.display();
    // As df does: what only root may use is neither used nor free.
    let used = space.total.saturating_sub(space.free);
    let part = percent(used, used.saturating_add(space.available));
    let mut reading = Reading::ok(format!(
        "{name} {part:.0} % in use, {} free",
        bytes(space.available)
    ));
    reading.judge(share("space", part), limits);
    // Some file systems (btrfs, vfat) do not count inodes.
    if space.inodes > 0 {
        let part = percent(space.inodes.saturating_sub(space.inodes_free), space.inodes);
        reading.say(format_args!(", inodes {part:.0} % in use"));
        reading.judge(share("inodes", part), inode_limits);
    }
    reading.measure(size("used", used, space.total));
    reading
}

#[cfg(test)]
mod tests {
    use super::super::reading::thresholds;
    use super::*;
    use aramaki_model::Severity;

    #[test]
    fn a_full_disk_and_exhausted_inodes_are_both_seen() {
        let limits = thresholds("80", "90");
        let severity = |available, inodes_free| {
            let space = Space {
                total: 100,
                free: available,
                available,
                inodes: 100,
                inodes_free,
            };
            judge(Path::new("/"), &space, &limits, &limits).severity
        };
        assert_eq!(severity(50, 50), Severity::Ok);
        assert_eq!(severity(15, 50), Severity::Warning);
        assert_eq!(severity(50, 5), Severity::Critical);
    }

    #[test]
    fn this_machine_has_a_root_and_a_missing_path_is_an_error() {
        let none = Thresholds::default();
        let reading = check(Path::new("/"), &none, &none).unwrap();
        assert_eq!(reading.severity, Severity::Ok);
        assert!(reading.summary.starts_with("/ "), "{}", reading.summary);
        assert!(check(Path::new("/nonexistent"), &none, &none).is_err());
    }
}
