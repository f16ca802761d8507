//! All redundancy groups that can be read here, and in which of them each System is.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::maintenance::redundancy::Redundancy;
use aramaki_sync_core::SpaceId;

use super::live::Live;

/// A group, as the document of an aggregate keeps it.
#[derive(Clone, Debug)]
pub(super) struct KeptGroup {
    /// The aggregate.
    pub(super) keeper: SpaceId,
    /// Its name there.
    pub(super) name: String,
    /// What it says.
    pub(super) group: Redundancy,
}

/// Found in one pass over all Systems: who asks about each of them does not pass over all again.
#[derive(Debug, Default)]
pub(super) struct Groups {
    kept: Vec<KeptGroup>,
    of: BTreeMap<SpaceId, Vec<usize>>,
}

impl Groups {
    fn new(kept: Vec<KeptGroup>) -> Self {
        let mut of: BTreeMap<SpaceId, Vec<usize>> = BTreeMap::new();
        for (at, kept) in kept.iter().enumerate() {
            for member in &kept.group.members {
                of.entry(*member).or_default().push(at);
            }
        }
        Self { kept, of }
    }

    /// All of them.
    pub(super) fn into_all(self) -> Vec<KeptGroup> {
        self.kept
    }

    /// All Systems that are in any.
    pub(super) fn members(&self) -> BTreeSet<SpaceId> {
        self.of.keys().copied().collect()
    }

    /// Those in which a System is.
    pub(super) fn of(&self, system: SpaceId) -> impl Iterator<Item = &KeptGroup> {
        let at = self.of.get(&system).into_iter().flatten();
        at.filter_map(|at| self.kept.get(*at))
    }

    /// A System and all that are in a group with it.
    pub(super) fn together(&self, system: SpaceId) -> BTreeSet<SpaceId> {
        let members = self.of(system).flat_map(|it| &it.group.members);
        members.copied().chain([system]).collect()
    }

    /// The aggregates that keep a group in which a System is.
    pub(super) fn keepers(&self, system: SpaceId) -> BTreeSet<SpaceId> {
        self.of(system).map(|it| it.keeper).collect()
    }
}

impl Live {
    /// All that can be read here.
    pub(super) fn all_groups(&self) -> Groups {
        let model = self.model();
        let mut kept = Vec::new();
        for keeper in model.spaces() {
            let system = model.system(&keeper);
            let groups = system.into_iter().flat_map(|system| &system.redundancy);
            kept.extend(groups.map(|(name, group)| KeptGroup {
                keeper,
                name: name.clone(),
                group: group.clone(),
            }));
        }
        Groups::new(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_told_of_with_those_of_its_own_groups_alone() {
        let space = |n| SpaceId::from_bytes([n; 32]);
        let kept = |keeper, members: &[u8]| KeptGroup {
            keeper: space(keeper),
            name: "cache".to_owned(),
            group: Redundancy {
                members: members.iter().map(|n| space(*n)).collect(),
                ..Redundancy::default()
            },
        };
        let groups = Groups::new(vec![kept(1, &[3, 4]), kept(2, &[4, 5]), kept(1, &[6])]);
        let spaces = |all: &[u8]| all.iter().map(|n| space(*n)).collect::<BTreeSet<_>>();
        assert_eq!(groups.together(space(3)), spaces(&[3, 4]));
        assert_eq!(groups.together(space(4)), spaces(&[3, 4, 5]));
        assert_eq!(groups.keepers(space(4)), spaces(&[1, 2]));
        assert_eq!(groups.together(space(9)), spaces(&[9]));
        assert!(groups.keepers(space(9)).is_empty());
    }
}
