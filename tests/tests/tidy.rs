//! Rules of the source tree that no compiler checks: who may depend on whom, how files begin.

#![expect(
    clippy::unwrap_used,
    reason = "a tree that cannot be read fails the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The packages that each package builds with, by name, without those for its tests.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1"])
        // Crates for other systems need not be here.
        .args(["--filter-platform", "host-tuple"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: BTreeMap<_, _> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            (
                package["id"].as_str().unwrap(),
                package["name"].as_str().unwrap(),
            )
        })
        .collect();
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let built_with = node["deps"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dependency| {
                let kinds = dependency["dep_kinds"].as_array().unwrap();
                kinds
                    .iter()
                    .any(|kind| kind["kind"].as_str() != Some("dev"))
            });
        let built_with =
            built_with.map(|dependency| names[dependency["pkg"].as_str().unwrap()].to_owned());
        let name = names[node["id"].as_str().unwrap()].to_owned();
        arrows.entry(name).or_default().extend(built_with);
    }
    arrows
}

fn tree(arrows: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(name) = open.pop() {
        for next in arrows.get(&name).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

#[test]
fn a37_crates_depend_only_in_the_drawn_direction() {
    let arrows = arrows();
    let relay = tree(&arrows, "aramaki-relay");
    assert!(relay.contains("aramaki-sync"), "the relay stands on sync");
    assert!(
        !relay.contains("automerge"),
        "a relay never links automerge"
    );
    assert!(!tree(&arrows, "aramaki-model").contains("aramaki-sync"));
    let core = tree(&arrows, "aramaki-sync-core");
    assert!(!core.contains("tokio") && !core.contains("iroh") && !core.contains("automerge"));
    for (name, built_with) in &arrows {
        assert!(
            !built_with.contains("aramaki-tests"),
            "{name} depends on the tests"
        );
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let mut found = Vec::new();
    sources(&root(), &mut found);
    assert!(found.len() > 40, "only {} files", found.len());
    let silent: Vec<_> = found
        .iter()
        .filter(|path| !fs::read_to_string(path).unwrap().starts_with("//! "))
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}
