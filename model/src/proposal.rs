//! Checks that a host proposes, as it answers who asks it what could be looked at.
//!
//! An answer comes from a program on a machine, and a check that is accepted runs on every machine of its System:
//! only checks that agents bring along can be proposed this way, never a program, and none that an agent would not
//! run.

use serde::Deserialize;
use thiserror::Error;

use crate::check::{Check, CheckKind};
use crate::snapshot::SystemView;

/// Proposals of one answer that are kept.
pub const PROPOSALS_MAX: usize = 512;

/// Why an answer is none.
#[derive(Debug, Error)]
#[error("what the host answered are no proposals")]
pub struct ProposalsError(#[from] serde_json::Error);

/// What a host proposes to look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposals {
    /// In its order.
    pub checks: Vec<Check>,
    /// Proposals that had no room, or are not to be proposed.
    pub left_out: u64,
}

impl Proposals {
    /// Reads the JSON of `aramaki-agent --json discover`.
    ///
    /// # Errors
    /// When it is none. What cannot be read of a check, or is not to be proposed, is left out and counted.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProposalsError> {
        #[derive(Deserialize)]
        struct Said {
            checks: Vec<serde_json::Value>,
            #[serde(default)]
            left_out: u64,
        }
        let said: Said = serde_json::from_slice(bytes)?;
        let all = said.checks.len();
        let mut checks: Vec<Check> = Vec::new();
        for value in said.checks.into_iter().take(PROPOSALS_MAX) {
            let Ok(check) = serde_json::from_value::<Check>(value) else {
                continue;
            };
            if is_proposable(&check) && checks.iter().all(|known| known.id != check.id) {
                checks.push(check);
            }
        }
        let over = u64::try_from(all.saturating_sub(checks.len())).unwrap_or(u64::MAX);
        Ok(Self {
            checks,
            left_out: said.left_out.saturating_add(over),
        })
    }
}

impl Proposals {
    /// What a System neither looks at nor ignores.
    pub fn open<'a>(&'a self, system: &'a SystemView) -> impl Iterator<Item = &'a Check> {
        self.checks.iter().filter(move |proposed| {
            let known = system.checks.iter().map(|view| &view.check);
            let mut known =
                known.filter(|known| known.id == proposed.id || known.kind == proposed.kind);
            known.next().is_none() && !system.ignored.contains_key(&proposed.id)
        })
    }
}

fn is_proposable(check: &Check) -> bool {
    let is_builtin = matches!(check.kind, CheckKind::Builtin(_));
    is_builtin && check.hook.is_none() && check.examine().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Builtin, Hook, Thresholds};
    use crate::id::CheckId;
    use crate::workspace::Workspace;
    use aramaki_sync_core::{AuthorId, Chain, Instance, SpaceId, Timestamp};

    fn check(n: u8) -> Check {
        let disk = Builtin::Disk {
            path: "/srv".to_owned(),
            space: Thresholds::above(85.0, 95.0),
            inodes: Thresholds::default(),
        };
        let id = CheckId::from_bytes([n; 16]);
        Check::new(id, format!("disk {n}"), CheckKind::Builtin(disk))
    }

    #[test]
    fn a_host_can_propose_nothing_that_runs_a_program_elsewhere() {
        let command = CheckKind::Command {
            program: "/bin/sh".to_owned(),
            arguments: vec!["-c".to_owned(), "id".to_owned()],
        };
        let hook = Hook {
            program: "/bin/sh".to_owned(),
            arguments: Vec::new(),
        };
        let with_hook = Check {
            hook: Some(hook),
            ..check(3)
        };
        let command = Check {
            kind: command,
            ..check(2)
        };
        let said = serde_json::json!({
            "checks": [check(1), command, with_hook, check(1), {"id": "x"}, 7, check(4)],
            "left_out": 2,
        });
        let read = Proposals::parse(said.to_string().as_bytes()).unwrap();
        assert_eq!(read.checks, [check(1), check(4)]);
        assert_eq!(read.left_out, 7);
    }

    #[test]
    fn what_is_looked_at_or_ignored_is_not_proposed_again_until_that_is_taken_back() {
        let (space, now) = (SpaceId::from_bytes([1; 32]), Timestamp::from_millis(1));
        let chain = Chain {
            author: AuthorId::from_bytes([2; 32]),
            instance: Instance(1),
        };
        let mut workspace = Workspace::new();
        workspace.open_space(space);
        let uptime = |n: u8| Check {
            kind: CheckKind::Builtin(Builtin::Uptime(Thresholds::below(f64::from(n), 1.0))),
            ..check(n)
        };
        let proposals = Proposals {
            checks: vec![uptime(1), uptime(2), uptime(3)],
            left_out: 0,
        };
        let mut open =
            |change: &dyn Fn(&mut crate::SystemEdit<'_, '_>) -> Result<(), crate::EditError>| {
                workspace
                    .edit_system(space, &chain, now, |edit| change(edit))
                    .map(drop)
                    .unwrap();
                let snapshot = workspace.view(now);
                let system = snapshot.system(&space).unwrap();
                let open: Vec<_> = proposals
                    .open(system)
                    .map(|it| it.id.as_bytes()[0])
                    .collect();
                open
            };
        assert_eq!(open(&|edit| edit.title("Shop")), [1, 2, 3]);
        assert_eq!(open(&|edit| edit.put_check(&uptime(1))), [2, 3]);
        let same = Check {
            id: CheckId::from_bytes([9; 16]),
            ..uptime(3)
        };
        assert_eq!(open(&|edit| edit.put_check(&same)), [2]);
        let two = CheckId::from_bytes([2; 16]);
        assert!(open(&|edit| edit.put_ignored(two, "uptime")).is_empty());
        assert_eq!(open(&|edit| edit.remove_ignored(two)), [2]);
    }

    #[test]
    fn too_many_are_cut_and_what_is_no_answer_is_refused() {
        let mut checks = Vec::new();
        for n in 0..PROPOSALS_MAX + 9 {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            checks.push(Check {
                id: CheckId::from_bytes(bytes),
                ..check(1)
            });
        }
        let said = serde_json::json!({"checks": checks});
        let read = Proposals::parse(said.to_string().as_bytes()).unwrap();
        assert_eq!((read.checks.len(), read.left_out), (PROPOSALS_MAX, 9));
        for text in ["", "{}", "[]", "{\"checks\":{}}"] {
            assert!(Proposals::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
