//! The checks behind the demo's Systems: real ones, of this machine.

use std::path::{Path, PathBuf};

use aramaki_model::{Builtin, Check, CheckId, CheckKind, Range, Thresholds};

use super::organisation::Observed;

const PLUGINS: &str = "/usr/lib/nagios/plugins";
const INTERVAL_MS: u64 = 10_000;
const QUICK_INTERVAL_MS: u64 = 1_000;
const EXPORT_LATE_SECONDS: f64 = 4.0;
const RESTORE_LATE_SECONDS: f64 = 1.0;
/// The check that stays broken in the demo, so that somebody can know of it.
pub(super) const RESTORE: &str = "age of the restore test";

/// What a check needs to know of the demo.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    /// The file that the nightly export writes.
    pub(super) export: &'a Path,
    /// Where the relay answers, `ip:port`.
    pub(super) relay: &'a str,
}

impl Observed {
    /// The check: a Nagios plugin where one is installed, else one that the agent brings along.
    pub(super) fn check(self, id: CheckId, surroundings: Surroundings<'_>) -> Check {
        let (name, kind, interval_ms) = self.kind(surroundings);
        Check {
            interval_ms,
            timeout_ms: 10_000,
            ..Check::new(id, name, kind)
        }
    }

    fn kind(self, surroundings: Surroundings<'_>) -> (&'static str, CheckKind, u64) {
        let above = Thresholds::above;
        let builtin = |name, builtin| (name, CheckKind::Builtin(builtin), INTERVAL_MS);
        let quick = |name, builtin| (name, CheckKind::Builtin(builtin), QUICK_INTERVAL_MS);
        let plugin = |name, program, line: &str, instead| {
            let kind = command(program, line).unwrap_or(CheckKind::Builtin(instead));
            (name, kind, INTERVAL_MS)
        };
        match self {
            Self::Load => plugin(
                "load",
                "check_load",
                "-r -w 4,3,2 -c 8,6,4",
                Builtin::Load(above(2.0, 4.0)),
            ),
            Self::Memory => builtin("memory", Builtin::Memory(above(85.0, 95.0))),
            Self::Swap => builtin("swap", Builtin::Swap(above(60.0, 90.0))),
            Self::Disk => {
                let disk = Builtin::Disk {
                    path: "/".to_owned(),
                    space: above(85.0, 95.0),
                    inodes: above(85.0, 95.0),
                };
                plugin("disk /", "check_disk", "-w 15% -c 5% -p /", disk)
            }
            Self::Uptime => builtin("uptime", Builtin::Uptime(Thresholds::below(600.0, 60.0))),
            Self::Processes => {
                let count = Builtin::Process {
                    name: "aramaki".to_owned(),
                    count: Thresholds {
                        warning: None,
                        critical: Some(Range::at_least(1.0)),
                    },
                };
                plugin("processes", "check_procs", "-w 1500 -c 3000", count)
            }
            Self::Relay => {
                let address = surroundings.relay.to_owned();
                quick(
                    "port answers",
                    Builtin::Tcp {
                        address,
                        time: above(0.5, 2.0),
                    },
                )
            }
            Self::Export => {
                let path = surroundings.export.display().to_string();
                let age = above(EXPORT_LATE_SECONDS, 3_600.0);
                quick("age of the export", Builtin::FileAge { path, age })
            }
            Self::Restore => {
                let path = restore_test(surroundings.export).display().to_string();
                let age = above(RESTORE_LATE_SECONDS, 86_400.0);
                quick(RESTORE, Builtin::FileAge { path, age })
            }
        }
    }
}

/// The file that a restore test would write, beside the export.
pub(super) fn restore_test(export: &Path) -> PathBuf {
    export.with_file_name("restore-test")
}

/// A plugin with its arguments, if it is installed.
fn command(program: &str, line: &str) -> Option<CheckKind> {
    let program = Path::new(PLUGINS).join(program);
    program.is_file().then(|| CheckKind::Command {
        program: program.display().to_string(),
        arguments: line.split_whitespace().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_observation_becomes_a_check_that_an_agent_can_run() {
        let here = Surroundings {
            export: Path::new("/x"),
            relay: "127.0.0.1:1",
        };
        let id = CheckId::from_bytes([1; 16]);
        for observed in [
            Observed::Load,
            Observed::Memory,
            Observed::Swap,
            Observed::Disk,
            Observed::Uptime,
            Observed::Processes,
            Observed::Export,
            Observed::Restore,
            Observed::Relay,
        ] {
            let check = observed.check(id, here);
            assert!(check.enabled && !check.name.is_empty());
            if let CheckKind::Command { program, .. } = check.kind {
                assert!(Path::new(&program).is_absolute());
            }
        }
    }
}
