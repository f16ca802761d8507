//! Who is in which group: hosts, services and contacts name groups, and groups name them.

use std::collections::{BTreeMap, BTreeSet};

use super::objects::Resolved;
use crate::import::plan::Remarks;

/// Groups in groups.
const ROUNDS_MAX: usize = 64;

/// Members of groups by the group's name.
pub(super) type Groups = BTreeMap<String, BTreeSet<String>>;

/// The fields by which one kind of thing and its groups name each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Naming {
    /// The group's name.
    pub(super) group: &'static str,
    /// In a group: groups whose members are members too.
    pub(super) inner: &'static str,
    /// The member's name.
    pub(super) member: &'static str,
    /// In a member: its groups.
    pub(super) of: &'static str,
}

/// Works out who is where.
pub(super) fn groups(
    named: &[Resolved],
    members: &[Resolved],
    naming: Naming,
    remarks: &Remarks,
) -> Groups {
    let everyone: BTreeSet<String> = members
        .iter()
        .flat_map(|it| it.list(naming.member))
        .map(str::to_owned)
        .collect();
    let mut groups = Groups::new();
    let mut inner: Vec<(String, Vec<String>)> = Vec::new();
    for group in named {
        let Some(name) = group.text(naming.group) else {
            remarks.left(&group.place, naming.group, "a group without a name");
            continue;
        };
        let there = groups.entry(name.to_owned()).or_default();
        for member in group.list("members") {
            match member {
                "*" => there.extend(everyone.iter().cloned()),
                member => drop(there.insert(member.to_owned())),
            }
        }
        let out = group.list("members");
        let out = out.iter().filter_map(|it| it.strip_prefix('!'));
        for member in out {
            there.remove(member);
            there.remove(&format!("!{member}"));
        }
        let of = group.list(naming.inner).into_iter().map(str::to_owned);
        inner.push((name.to_owned(), of.collect()));
    }
    for member in members {
        for name in member.list(naming.of) {
            if !groups.contains_key(name) {
                let reason =
                    format!("no group {name} is in these files: it is made of its members");
                remarks.adapted(&member.place, naming.of, &reason);
            }
            let there = groups.entry(name.to_owned()).or_default();
            there.extend(member.list(naming.member).into_iter().map(str::to_owned));
        }
    }
    for (group, (name, of)) in named_groups(named, naming).zip(&inner) {
        for inner in of.iter().filter(|it| !groups.contains_key(*it)) {
            let reason = format!("no group {inner} is in these files");
            remarks.left(&group.place.inner(name), naming.inner, &reason);
        }
    }
    // Groups in groups, until nothing changes.
    for _round in 0..ROUNDS_MAX {
        let count = |groups: &Groups| -> usize { groups.values().map(BTreeSet::len).sum() };
        let before = count(&groups);
        for (name, of) in &inner {
            let more: Vec<String> = of
                .iter()
                .filter_map(|inner| groups.get(inner))
                .flatten()
                .cloned()
                .collect();
            if let Some(there) = groups.get_mut(name) {
                there.extend(more);
            }
        }
        if before == count(&groups) {
            break;
        }
    }
    groups
}

fn named_groups(named: &[Resolved], naming: Naming) -> impl Iterator<Item = &Resolved> {
    named
        .iter()
        .filter(move |group| group.text(naming.group).is_some())
}

/// Groups of a list that are not there.
pub(super) fn unknown<'a>(
    of_groups: &'a [&'a str],
    groups: &'a Groups,
) -> impl Iterator<Item = &'a str> {
    let names = of_groups.iter().map(|it| it.trim_start_matches('!'));
    names.filter(|name| *name != "*" && !groups.contains_key(*name))
}

/// The names that a list of names and a list of groups mean; `!` takes one out, `*` means all.
pub(super) fn chosen(
    names: &[&str],
    of_groups: &[&str],
    groups: &Groups,
    all: &BTreeSet<String>,
) -> BTreeSet<String> {
    let mut chosen = BTreeSet::new();
    for name in names {
        match *name {
            "*" => chosen.extend(all.iter().cloned()),
            name if !name.starts_with('!') => drop(chosen.insert(name.to_owned())),
            _ => {}
        }
    }
    for group in of_groups {
        match *group {
            "*" => chosen.extend(groups.values().flatten().cloned()),
            group => chosen.extend(groups.get(group).into_iter().flatten().cloned()),
        }
    }
    for out in names.iter().filter_map(|name| name.strip_prefix('!')) {
        chosen.remove(out);
    }
    for out in of_groups.iter().filter_map(|name| name.strip_prefix('!')) {
        for member in groups.get(out).into_iter().flatten() {
            chosen.remove(member);
        }
    }
    chosen
}
