//! Where services run: on the System's page and in the search, fresh and not heard of any more.

use aramaki_model::action::Outcome;
use aramaki_model::desired::{Desired, DesiredRun, Schema};
use aramaki_model::service::{Places, ServiceClaim};
use aramaki_model::system::AgentRef;
use aramaki_model::{EntryId, JournalEntry, Workspace};
use egui_kittest::kittest::Queryable as _;

use crate::acts::{Window, go};
use crate::world::{AGENT, CHECKOUT, Desk, ME, at, chain, organisation, space};
use crate::{WIDE, app};

/// A machine that was heard of ten minutes ago.
const SILENT: u8 = AGENT + 1;

fn claim(name: &str) -> ServiceClaim {
    ServiceClaim {
        name: name.to_owned(),
        endpoints: vec!["https://192.0.2.7:8443".parse().unwrap()],
        places: Places::One,
        since: at(-600),
        ..ServiceClaim::default()
    }
}

fn tell(workspace: &mut Workspace, agent: u8, entries: Vec<JournalEntry>) {
    workspace.open_space(space(agent));
    let entries: Vec<_> = (200..)
        .zip(entries)
        .map(|(n, entry)| (EntryId::new(at(-600), [n; 10]), entry))
        .collect();
    let written = workspace.append_journal(space(agent), &chain(agent), at(-600), &entries);
    drop(written.unwrap());
}

fn workspace() -> Workspace {
    let mut workspace = organisation();
    let mut entries = JournalEntry::register(at(-600), &[claim("payment-api")]);
    entries.push(JournalEntry::DesiredRun(DesiredRun {
        at: at(-600),
        path: "web".to_owned(),
        action: "apply".to_owned(),
        generation: "ab".repeat(32),
        attempt: 8,
        again: false,
        outcome: Outcome::Exit(3),
        detail: "no such pool".to_owned(),
    }));
    tell(&mut workspace, AGENT, entries);
    let entries = JournalEntry::register(at(-600), &[claim("cron-runner")]);
    tell(&mut workspace, SILENT, entries);
    workspace.hears(space(SILENT), true, at(-60));
    let edit = workspace.edit_system(space(CHECKOUT), &chain(ME), at(-500), |edit| {
        let agent = AgentRef {
            label: "old1".to_owned(),
            author: None,
        };
        edit.put_agent(space(SILENT), &agent)?;
        let desired = Desired {
            value: "4".parse().unwrap(),
            schema: Schema::Any,
        };
        edit.put_desired(&"web/workers".parse().unwrap(), &desired)
    });
    drop(edit.unwrap());
    workspace
}

fn page() -> Window {
    let desk = Desk::of(workspace());
    let mut window = app(&desk, WIDE);
    go(&mut window, "payment-api");
    window
}

#[test]
fn a_service_is_found_by_its_name_and_its_page_says_where_it_runs_and_what_is_old() {
    let window = page();
    for words in ["Services", "payment-api", "cron-runner"] {
        assert!(window.query_all_by_label(words).count() > 0, "{words}");
    }
    let endpoints = window.query_all_by_label("https://192.0.2.7:8443");
    assert_eq!(endpoints.count(), 2);
    let stale = window.query_all_by_label_contains("it ran here last");
    assert_eq!(stale.count(), 1, "one machine is silent");
    let conflict = window.query_all_by_label_contains("claims the same address");
    assert_eq!(conflict.count(), 0, "who is silent claims nothing");
}

#[test]
fn what_is_desired_and_what_became_of_it_is_on_the_page() {
    let window = page();
    window.get_by_label("Desired");
    window.get_by_label("web/workers");
    let told = window.query_all_by_label_contains("apply failed and was given up: no such pool");
    assert!(told.count() > 0);
}
