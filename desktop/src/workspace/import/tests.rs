//! Imports on a real store, with interruptions at their worst moments.

use aramaki_model::import::{Format, ImportOptions, SourceFile, plan};

use super::*;
use crate::cli::{Config, Network, PassphraseSource};

fn config(folder: &tempfile::TempDir) -> Config {
    Config {
        profile: "default".to_owned(),
        data: folder.path().join("data"),
        socket: PathBuf::new(),
        demo_socket: PathBuf::new(),
        logs: PathBuf::new(),
        log: String::new(),
        passphrase: PassphraseSource::Terminal,
        network: Network {
            bind: Some(([127, 0, 0, 1], 0).into()),
            ..Network::default()
        },
    }
}

fn files() -> ImportPlan {
    let text = r#"{"client":{"name":"web1","subscriptions":["web"]},
        "checks":{"a":{"command":"check_a","interval":60,"subscribers":["web","db"]}}}"#;
    let files = [SourceFile {
        name: "a.json".to_owned(),
        text: text.to_owned(),
    }];
    plan(Format::SensuCore, &files, &ImportOptions::default())
}

fn titles(live: &Live) -> Vec<String> {
    let mut titles: Vec<_> = live.rows().into_iter().map(|row| row.title).collect();
    titles.sort();
    titles
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_ends_before_it_is_decided_leaves_nothing_to_see() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    super::super::create(&config.data, "duty operator", None, None).unwrap();
    let live = Live::open(&config).await.unwrap();
    // As if the process had ended after the first Space.
    let space = live.create_space().await.unwrap();
    live.keep_spare(space).unwrap();
    live.close().await;
    let live = Live::open(&config).await.unwrap();
    assert!(titles(&live).is_empty());
    let plan = files();
    let steps = live.preview_import(&plan, None);
    let imported = live.import(&plan, &steps, None).await.unwrap();
    assert_eq!(imported.systems, 3);
    assert!(
        imported.spaces.values().any(|used| *used == space),
        "what was made is used"
    );
    assert_eq!(titles(&live), ["db", "web", "web1"]);
    assert!(!config.data.join(SPACES_FILE).exists());
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_ends_after_it_is_decided_goes_on_when_the_workspace_opens() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    super::super::create(&config.data, "duty operator", None, None).unwrap();
    let live = Live::open(&config).await.unwrap();
    let plan = files();
    let steps = live.preview_import(&plan, None);
    let mut spaces = BTreeMap::new();
    for step in &steps {
        let space = live.create_space().await.unwrap();
        spaces.insert(step.planned.key.clone(), space);
    }
    let pending = Pending {
        steps: parts_first(&steps.iter().collect::<Vec<_>>()),
        titles: BTreeMap::new(),
        into: None,
        spaces,
    };
    live.commit(&pending).unwrap();
    // The first of three Systems, then the process ends.
    let first = &pending.steps[0];
    live.write_planned(pending.spaces[&first.key], first, &pending)
        .await
        .unwrap();
    assert_eq!(titles(&live).len(), 1);
    live.close().await;
    let live = Live::open(&config).await.unwrap();
    assert_eq!(titles(&live), ["db", "web", "web1"]);
    assert!(!config.data.join(PENDING_FILE).exists());
    let steps = live.preview_import(&plan, None);
    let again = live.import(&plan, &steps, None).await.unwrap();
    assert_eq!(again.systems, 0, "twice is once");
    live.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_as_a_whole_is_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    super::super::create(&config.data, "duty operator", None, None).unwrap();
    let live = Live::open(&config).await.unwrap();
    let mut plan = files();
    // More than agents can be told, in the last System.
    let mut with_checks = plan.systems.iter_mut().rev();
    let last = with_checks.find(|it| !it.checks.is_empty()).unwrap();
    let one = last.checks[0].clone();
    last.checks = (0..900_u16)
        .map(|n| {
            let arguments = vec!["x".repeat(400)];
            let kind = aramaki_model::CheckKind::Command {
                program: "check_a".to_owned(),
                arguments,
            };
            let id = aramaki_model::CheckId::new(
                fresh::now(),
                [
                    n.to_be_bytes()[0],
                    n.to_be_bytes()[1],
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                ],
            );
            aramaki_model::Check {
                id,
                kind,
                name: format!("a{n}"),
                ..one.clone()
            }
        })
        .collect();
    let steps = live.preview_import(&plan, None);
    let refused = live.import(&plan, &steps, None).await.unwrap_err();
    assert!(
        refused.message().contains("nothing was changed"),
        "{}",
        refused.message()
    );
    assert!(titles(&live).is_empty());
    assert!(!config.data.join(PENDING_FILE).exists() && !config.data.join(SPACES_FILE).exists());
    live.close().await;
}
