//! What ran last beside an action: not what was asked for and refused, and also what a host did by itself.

use std::collections::BTreeMap;

use aramaki_desktop::text::Language;
use aramaki_desktop::view::actions::{Came, HostAction, Run, SystemActions, Watched, newest};
use aramaki_sync_core::EnvelopeId;
use egui_kittest::kittest::Queryable as _;

use crate::acts::go;
use crate::night;
use crate::world::{CHECKOUT, Desk, at, space};
use crate::{WIDE, app_in};

/// Two requests after the last run were not run; a second action was only run by the host itself.
fn desk() -> Desk {
    let desk = Desk::of(night::workspace());
    desk.show(|frame| {
        night::dress(frame);
        let refused = "not run: the same was just asked for".to_owned();
        let run = |minutes: i64, came| Run {
            id: EnvelopeId::from_bytes([u8::try_from(minutes).unwrap(); 32]),
            at: at(-60 * minutes),
            arguments: BTreeMap::new(),
            came,
            ..night::flush().runs[0].clone()
        };
        let flush = HostAction {
            runs: vec![
                run(12, Came::Refused(refused.clone())),
                run(13, Came::Refused(refused)),
                run(14, Came::Done),
                run(15, Came::Lost),
            ],
            ..night::flush()
        };
        let reload = HostAction {
            name: "reload".to_owned(),
            runs: Vec::new(),
            watched: vec![Watched {
                at: at(-180),
                path: "web/port".to_owned(),
                came: Came::Done,
                tail: String::new(),
            }],
            ..night::flush()
        };
        let lost = HostAction {
            name: "vacuum".to_owned(),
            runs: vec![run(16, Came::Lost)],
            ..night::flush()
        };
        frame.actions = Some(SystemActions {
            actions: vec![flush, reload, lost],
            ..SystemActions::new(space(CHECKOUT))
        });
    });
    desk
}

#[test]
fn refused_requests_hide_no_run_and_what_a_host_did_by_itself_is_a_run() {
    let words = [
        (
            Language::English,
            [
                "14 min ago: done",
                "for the desired web/port, 3 min ago: done",
                "begun, and the agent ended before it knew how",
            ],
            "never run",
        ),
        (
            Language::German,
            [
                "vor 14 min: getan",
                "für den Sollwert web/port, vor 3 min: getan",
                "begonnen, und der Agent endete, ehe er den Ausgang kannte",
            ],
            "nie ausgeführt",
        ),
    ];
    for (language, shown, never) in words {
        let mut window = app_in(&desk(), WIDE, language);
        go(&mut window, "checkout");
        for words in shown {
            let found = window.query_all_by_label_contains(words).count();
            assert!(found > 0, "{language:?}: `{words}`");
        }
        assert_eq!(window.query_all_by_label_contains(never).count(), 0);
        assert_eq!(window.query_all_by_label_contains("(?)").count(), 0);
    }
}

#[test]
fn what_ran_last_is_among_the_newest() {
    let began = |it: &i32| *it < 0;
    let of = |asked: &[i32], most| newest(asked.to_vec(), most, began);
    assert_eq!(of(&[5, 4, 3, -2, -1], 2), [5, -2]);
    assert_eq!(of(&[5, -4, 3, -2], 2), [5, -4]);
    assert_eq!(of(&[5, 4, 3], 2), [5, 4]);
    assert_eq!(of(&[5, 4, -3], 1), [-3]);
    assert_eq!(of(&[-5], 0), [] as [i32; 0]);
}
