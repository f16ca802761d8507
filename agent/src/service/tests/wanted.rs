//! Services are told once, and what is desired is done.

use std::os::unix::fs::PermissionsExt as _;

use aramaki_model::action::Outcome;
use aramaki_model::desired::DesiredRun;
use aramaki_model::service::ServiceClaim;

use super::*;

fn registered(entries: &[JournalEntry]) -> Vec<Vec<ServiceClaim>> {
    let services = entries.iter().filter_map(|entry| match entry {
        JournalEntry::Services { services, .. } => Some(services.clone()),
        _ => None,
    });
    services.collect()
}

fn runs(entries: &[JournalEntry]) -> Vec<DesiredRun> {
    let runs = entries.iter().filter_map(|entry| match entry {
        JournalEntry::DesiredRun(run) => Some(run.clone()),
        _ => None,
    });
    runs.collect()
}

#[tokio::test]
async fn services_are_told_once_and_again_only_when_something_changed() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let service = |name: &str| {
        format!(
            "[[service]]\nname = \"{name}\"\nendpoints = [\"192.0.2.7:80\"]\nchecks = [\"up\"]\n"
        )
    };
    let local = |services: &[&str]| {
        let services = services.iter().map(|name| service(name));
        LOCAL.to_owned() + &services.collect::<String>()
    };
    let serve = async |text: &str, starts: usize| {
        while_serving(folder.path(), text, &fake, async || {
            fake.until(|heard| {
                let started = read(heard);
                let started = started.iter();
                started
                    .filter(|it| matches!(it, JournalEntry::Started(_)))
                    .count()
                    == starts
            })
            .await;
        })
        .await;
    };
    serve(&local(&["web", "db"]), 1).await;
    let first = registered(&fake.entries());
    assert_eq!(first.len(), 2, "one write, an entry each");
    let up = crate::config::local_check_id(AuthorId::ZERO, "up");
    assert_eq!(first[0][0].checks[0].id, Some(up));
    serve(&local(&["web", "db"]), 2).await;
    assert_eq!(
        registered(&fake.entries()).len(),
        2,
        "a restart changes nothing"
    );
    serve(&local(&["web", "mail"]), 3).await;
    let all = registered(&fake.entries());
    assert_eq!(all.len(), 4);
    let name = |claims: &[ServiceClaim]| claims[0].name.clone();
    let web: Vec<_> = all.iter().filter(|it| name(it) == "web").collect();
    assert_eq!(
        web[0][0].since, web[1][0].since,
        "it runs there since it was told first"
    );
    serve(LOCAL, 4).await;
    let all = registered(&fake.entries());
    assert_eq!(
        all.last().map(Vec::len),
        Some(0),
        "nothing runs here any more"
    );
    serve(LOCAL, 5).await;
    assert_eq!(registered(&fake.entries()).len(), 5);
}

fn allow(folder: &Path, name: &str, script: &str) {
    let actions = folder.join("actions.d");
    std::fs::create_dir_all(&actions).unwrap();
    let program = folder.join(format!("{name}.sh"));
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    let file = actions.join(format!("{name}.toml"));
    let text = format!("description = \"x\"\nprogram = \"{}\"\n", program.display());
    std::fs::write(&file, text).unwrap();
    for (path, mode) in [(&program, 0o755), (&file, 0o644), (&actions, 0o755)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn desires(generation: u64, value: &str) -> AgentConfig {
    AgentConfig {
        generation,
        system: SpaceId::ZERO,
        checks: Vec::new(),
        desired: DesiredState {
            heads: format!("{generation:064x}"),
            values: [("web/ports".parse().unwrap(), value.to_owned())].into(),
        },
    }
}

/// Only root's files are a catalogue: elsewhere this cannot be shown.
fn is_root(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(folder).unwrap().uid() == 0
}

#[tokio::test]
async fn what_is_desired_is_done_with_its_generation_and_told_and_not_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    if !is_root(folder.path()) {
        return;
    }
    let seen = folder.path().join("seen");
    let script = format!(
        "echo \"$ARAMAKI_PATH $ARAMAKI_VALUE $ARAMAKI_GENERATION\" >> {}; echo reloaded",
        seen.display()
    );
    allow(folder.path(), "reload", &script);
    let local = format!(
        "actions_folder = \"{}\"\n[[watch]]\npath = \"web/ports\"\naction = \"reload\"\n",
        folder.path().join("actions.d").display()
    );
    let fake = Fake::default();
    fake.heard.lock().unwrap().config = Some(desires(1, "[80]"));
    while_serving(folder.path(), &local, &fake, async || {
        fake.until(|heard| runs(&read(heard)).len() == 1).await;
        // Another generation that wants the same is nothing to do.
        fake.heard.lock().unwrap().config = Some(desires(2, "[80]"));
        fake.changed.notify_one();
        fake.until(|heard| {
            let entries = read(heard);
            let mut entries = entries.iter();
            entries.any(|it| matches!(it, JournalEntry::ConfigApplied { generation: 2, .. }))
        })
        .await;
        // An administrator of an older version, who knows nothing of values, takes none back.
        fake.heard.lock().unwrap().config = Some(AgentConfig {
            desired: DesiredState::default(),
            ..desires(3, "")
        });
        fake.changed.notify_one();
        fake.until(|heard| {
            let entries = read(heard);
            let mut entries = entries.iter();
            entries.any(|it| matches!(it, JournalEntry::ConfigApplied { generation: 3, .. }))
        })
        .await;
        fake.heard.lock().unwrap().config = Some(desires(4, "[80,443]"));
        fake.changed.notify_one();
        fake.until(|heard| runs(&read(heard)).len() == 2).await;
    })
    .await;
    while_serving(folder.path(), &local, &fake, async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
    })
    .await;
    let runs = runs(&fake.entries());
    assert_eq!(runs.len(), 2);
    let last = &runs[1];
    assert!(last.is_done() && !last.again);
    assert_eq!(last.detail, "reloaded");
    assert_eq!(last.generation, format!("{:064x}", 4));
    let seen = std::fs::read_to_string(&seen).unwrap();
    let expected = format!("web/ports [80] {:064x}\nweb/ports [80,443] {:064x}\n", 1, 4);
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_document_runs_nothing_that_the_host_does_not_name() {
    let folder = tempfile::tempdir().unwrap();
    let local = format!(
        "actions_folder = \"{}\"\n[[watch]]\npath = \"web\"\naction = \"gone\"\n",
        folder.path().join("actions.d").display()
    );
    let fake = Fake::default();
    fake.heard.lock().unwrap().config = Some(desires(1, "\"; rm -rf /\""));
    while_serving(folder.path(), &local, &fake, async || {
        fake.until(|heard| !runs(&read(heard)).is_empty()).await;
    })
    .await;
    let run = runs(&fake.entries()).remove(0);
    assert!(matches!(run.outcome, Outcome::Refused(_)), "{run:?}");
    assert!(run.again, "the host may be given the action later");
}
