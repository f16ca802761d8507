//! What was: silences and removed agents on the timeline, and what a post-mortem refers to.

use aramaki_desktop::text::Language;
use aramaki_desktop::view::{EqualRank, Route};
use aramaki_model::system::{NoteKind, NoteRef};
use aramaki_model::{ItemId, NoteId, Silence, Workspace};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;

use crate::acts::{Window, click, go, press};
use crate::night;
use crate::world::{AGENT, DATABASES, Desk, ME, WEBSHOP, at, chain, space};
use crate::{WIDE, app, app_in};

/// Databases was silenced for an hour, which somebody ended; another silence ran out; its agent was removed.
fn desk() -> Desk {
    let mut workspace = night::workspace();
    let silence = |from: i64, until: i64| Silence {
        reason: "disk is being replaced".to_owned(),
        from: at(from),
        until: at(until),
        ..Silence::default()
    };
    let (first, second) = (
        ItemId::new(at(-900), [1; 10]),
        ItemId::new(at(-600), [2; 10]),
    );
    for (seconds, item, put) in [
        (-900, first, Some(silence(-900, 2_700))),
        (-700, first, None),
        (-600, second, Some(silence(-600, -300))),
    ] {
        let edit =
            workspace.edit_system(
                space(DATABASES),
                &chain(ME),
                at(seconds),
                |edit| match &put {
                    Some(silence) => edit.put_silence(item, silence),
                    None => edit.remove_silence(item),
                },
            );
        drop(edit.unwrap());
    }
    let removed = workspace.edit_system(space(DATABASES), &chain(ME), at(-60), |edit| {
        edit.remove_agent(space(AGENT))
    });
    drop(removed.unwrap());
    let view = workspace.view(at(0));
    let past = view.alerts.iter().find(|it| it.was_observed.is_some());
    let text = format!("See [what it was](alert:{}).", past.unwrap().id);
    write(
        &mut workspace,
        DATABASES,
        ("Old disks", NoteKind::Runbook),
        &text,
    );
    let desk = Desk::of(workspace);
    desk.show(night::dress);
    desk
}

fn write(workspace: &mut Workspace, system: u8, (title, kind): (&str, NoteKind), text: &str) {
    let note = NoteId::new(at(-100), [9; 10]);
    drop(
        workspace
            .set_note(space(system), note, &chain(ME), at(-90), text)
            .unwrap(),
    );
    let place = NoteRef {
        title: title.to_owned(),
        kind,
    };
    let edit = workspace.edit_system(space(system), &chain(ME), at(-90), |edit| {
        edit.put_note(note, &place)
    });
    drop(edit.unwrap());
}

fn says(window: &Window, words: &str) {
    assert!(
        window.query_all_by_label_contains(words).next().is_some(),
        "{words}"
    );
}

#[test]
fn silences_are_a_kind_of_the_timeline_in_both_languages() {
    let desk = desk();
    let mut window = app(&desk, WIDE);
    click(&mut window, "Timeline");
    window
        .get_by_label_contains("Silences and maintenance (4")
        .click();
    window.run();
    says(&window, "silenced everything until ");
    says(
        &window,
        "ended the silence of everything before its time: disk is being replaced",
    );
    says(
        &window,
        "the silence of everything ran out: disk is being replaced",
    );
    assert!(window.query_by_label_contains("was removed").is_none());
    let mut window = app_in(&desk, WIDE, Language::German);
    click(&mut window, "Zeitleiste");
    window.get_by_label_contains("Stumm und Wartung (4").click();
    window.run();
    says(&window, "hob die Stille für alles vorzeitig auf");
    says(&window, "die Stille für alles lief ab");
}

#[test]
fn of_what_is_over_something_can_be_said_and_nothing_else() {
    let desk = desk();
    let mut window = app(&desk, WIDE);
    window.get_by_label_contains("Alerts, ").click();
    window.run();
    window.get_by_label_contains("Resolved (").click();
    window.run();
    press(&mut window, Key::J);
    window.get_by_label("Note…");
    for key in ["Acknowledge…", "I am on it…", "Silence…"] {
        assert!(window.query_by_label(key).is_none(), "{key}");
    }
}

#[test]
fn who_looked_at_a_check_before_stands_beside_it_and_on_the_page_of_its_alert() {
    let desk = desk();
    let mut window = app(&desk, WIDE);
    go(&mut window, "Databases");
    assert_eq!(*window.state().route(), Route::System(space(DATABASES)));
    says(&window, "was observed by db2.example.org until ");
    says(&window, "agent db2.example.org was removed");
    window
        .get_by_role_and_label(Role::Link, "what it was")
        .click();
    window.run();
    assert!(matches!(window.state().route(), Route::Alert(_)));
    says(&window, "was observed by db2.example.org until ");
}

#[test]
fn a_post_mortem_leads_to_its_entries_and_alerts() {
    let mut workspace = night::workspace();
    let view = workspace.view(at(0));
    let began = view.timeline.iter().find_map(|item| {
        let alert = view.opened_by(item)?;
        Some((item.id, alert.id, alert.summary.clone()))
    });
    let (entry, alert, summary) = began.unwrap();
    let text = format!(
        "## Timeline\n\n- [the beginning](entry:{entry}) it broke · [its page](alert:{alert})\n\
         - [gone](entry:01ARZ3NDEKTSV4RRFFQ69G5FAV)\n"
    );
    let post_mortem = ("Night of the disk", NoteKind::PostMortem);
    write(&mut workspace, WEBSHOP, post_mortem, &text);
    let desk = Desk::of(workspace);
    desk.show(night::dress);
    let mut window = app(&desk, WIDE);
    let follow = |window: &mut Window, words: &str| {
        go(window, "Night of the disk");
        assert!(matches!(window.state().route(), Route::Note(..)));
        window.get_by_role_and_label(Role::Link, words).click();
        window.run();
    };
    follow(&mut window, "the beginning");
    assert_eq!(*window.state().route(), Route::Timeline);
    says(&window, &summary);
    follow(&mut window, "its page");
    assert_eq!(*window.state().route(), Route::Alert(alert));
    follow(&mut window, "gone");
    assert_eq!(*window.state().route(), Route::Timeline);
    says(&window, "That entry is not among those that are shown here");
}

#[test]
fn notifiers_of_one_rank_are_said_where_devices_are() {
    let desk = Desk::new();
    desk.show(|frame| {
        frame.equal_ranks.push(EqualRank {
            system: space(WEBSHOP),
            title: "Webshop".to_owned(),
            rank: 0,
            notifiers: vec!["pager-a".to_owned(), "pager-b".to_owned()],
        });
    });
    let mut window = app(&desk, WIDE);
    click(&mut window, "Devices and agents");
    says(
        &window,
        "pager-a, pager-b are notifiers of rank 0 for Webshop",
    );
    click(&mut window, "Open Webshop");
    assert_eq!(*window.state().route(), Route::System(space(WEBSHOP)));
    let mut window = app_in(&desk, WIDE, Language::German);
    click(&mut window, "Geräte und Agenten");
    says(&window, "pager-a, pager-b melden mit Rang 0 für Webshop");
}
