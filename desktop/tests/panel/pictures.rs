//! Every page as a picture, in both themes, languages and widths.
//!
//! With `ARAMAKI_PHOTOS=FOLDER` they are kept there to be looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aramaki_desktop::panel::{Dialog, Window};
use aramaki_desktop::screenshot::{Picture, png};
use aramaki_desktop::view::deed::{Deed, DeedKind};
use aramaki_desktop::view::{
    AccessFilter, Backend as _, Emergency, EndWhat, Ending, EndingPlace, Frame, Handed,
    MadeInvitation, Problem, Route, Stage,
};
use aramaki_model::Workspace;
use aramaki_sync_core::EnvelopeId;
use egui::Theme;

use crate::world::{CHECKOUT, Desk, WEBSHOP, at, note, space};

/// A picture's commonest colour fills at most this share.
const PLAIN_SHARE_MAX: f32 = 0.97;

/// A name, what is shown, and where in the window.
type Page = (&'static str, Frame, fn() -> Window);

#[expect(clippy::too_many_lines, reason = "a list")]
fn pages() -> Vec<Page> {
    let frame = Frame::clone(&Desk::new().frame());
    let empty = Frame {
        snapshot: Some(Arc::new(Workspace::new().view(at(0)))),
        stage: Stage::Open,
        ..Frame::default()
    };
    let absent = Frame {
        stage: Stage::Absent,
        problem: Some(Problem {
            code: "A-110".to_owned(),
            message: "the invitation is not usable: it ends too early".to_owned(),
        }),
        ..Frame::default()
    };
    let invited = Frame {
        invitation: Some(MadeInvitation {
            space: space(WEBSHOP),
            text: "aramaki1exampleinvitation".repeat(12),
            begin: None,
            end: at(28_800),
            redeem_until: at(28_800),
            relayed: false,
            for_device: false,
            handed: Handed::Online,
        }),
        ..frame.clone()
    };
    let emergency = Frame {
        emergencies: vec![Emergency {
            space: space(WEBSHOP),
            title: "Webshop".to_owned(),
            who: "on call (0a2b1597)".to_owned(),
            reason: "the database is gone and nobody who administers answers".to_owned(),
            since: at(-600),
            until: at(3_600),
            here: false,
        }],
        ..frame.clone()
    };
    let place = |title: &str| EndingPlace {
        title: title.to_owned(),
        kept: Vec::new(),
        stay: Vec::new(),
        ends: vec![crate::world::ends("0a2b1597")],
        written: (0, 0),
        discarded: 0,
        code: None,
    };
    let ending = Frame {
        ending: Some(Ending {
            what: lost(),
            places: vec![place("Checkout"), place("Webshop")],
            beyond: vec!["Databases".to_owned()],
        }),
        ..frame.clone()
    };
    let night = crate::night::frame();
    let half = crate::observed::half_frame();
    vec![
        ("observers", half.clone(), || {
            Window::at(Route::System(space(crate::observed::OFFICE)))
        }),
        ("observer", half, || {
            let (office, checkout) = (space(crate::observed::OFFICE), space(CHECKOUT));
            Window::at(Route::System(office)).asking(Dialog::observer_of(office, checkout))
        }),
        ("alerts", night.clone(), || Window::at(Route::Alerts)),
        ("alert", night.clone(), || {
            Window::at(Route::Alert(crate::night::replication()))
        }),
        ("silence", night.clone(), || {
            let alerts = vec![crate::night::replication()];
            let deed = Deed::new(DeedKind::Silence, alerts);
            Window::at(Route::Alerts).asking(Dialog::deed(deed))
        }),
        ("run", night.clone(), || {
            let action = crate::night::flush();
            Window::at(Route::System(space(CHECKOUT))).asking(Dialog::run(space(CHECKOUT), &action))
        }),
        ("three-in-the-morning", night, || {
            Window::at(Route::System(space(CHECKOUT)))
        }),
        ("ending", ending, || {
            let dialog = Dialog::end(lost(), "0a2b1597 · Device".to_owned(), true);
            Window::at(Route::Trust(space(CHECKOUT))).asking(dialog)
        }),
        ("overview", frame.clone(), || Window::at(Route::Overview)),
        ("timeline", frame.clone(), || Window::at(Route::Timeline)),
        ("peers", frame.clone(), || Window::at(Route::Peers)),
        ("aggregate", frame.clone(), || {
            Window::at(Route::System(space(WEBSHOP)))
        }),
        ("system", frame.clone(), || {
            Window::at(Route::System(space(CHECKOUT)))
        }),
        ("note", frame.clone(), || {
            Window::at(Route::Note(space(CHECKOUT), note()))
        }),
        ("trust", frame.clone(), || {
            Window::at(Route::Trust(space(CHECKOUT)))
        }),
        ("access", frame.clone(), || {
            Window::at(Route::Access(AccessFilter::All))
        }),
        ("emergency", emergency, || Window::at(Route::Overview)),
        ("share", frame.clone(), || {
            Window::at(Route::System(space(WEBSHOP))).asking(Dialog::share(space(WEBSHOP)))
        }),
        ("incident", frame.clone(), || {
            Window::at(Route::System(space(WEBSHOP))).asking(Dialog::incident(space(WEBSHOP)))
        }),
        ("invitation", invited, || {
            Window::at(Route::System(space(WEBSHOP))).asking(Dialog::share(space(WEBSHOP)))
        }),
        ("palette", frame, || {
            Window::at(Route::Overview).searching("check")
        }),
        ("empty", empty, || Window::at(Route::Overview)),
        ("start", absent, || Window::at(Route::Overview)),
    ]
}

/// A lost device, everywhere.
fn lost() -> EndWhat {
    EndWhat {
        space: space(CHECKOUT),
        grant: EnvelopeId::from_bytes([8; 32]),
        everywhere: true,
        from_the_start: false,
        cut: BTreeSet::new(),
    }
}

#[test]
fn every_page_draws_wide_and_dark_and_narrow_and_light() {
    for (name, frame, window) in pages() {
        for (language, theme, size) in [
            ("en", Theme::Dark, [1_280, 800]),
            ("de", Theme::Light, [700, 800]),
        ] {
            let picture = Picture {
                theme,
                size,
                language: language.to_owned(),
                ..Picture::default()
            };
            let bytes = png(&frame, window(), &picture).unwrap();
            if let Some(folder) = std::env::var_os("ARAMAKI_PHOTOS") {
                let file = format!("{name}-{language}.png");
                std::fs::write(std::path::Path::new(&folder).join(file), &bytes).unwrap();
            }
            let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
            let mut colours: BTreeMap<[u8; 3], u32> = BTreeMap::new();
            for pixel in image.pixels() {
                *colours.entry(pixel.0).or_default() += 1;
            }
            assert!(colours.len() > 64, "{name}: {} colours", colours.len());
            let most = colours.values().max().copied().unwrap_or(0);
            #[expect(clippy::cast_precision_loss, reason = "a share")]
            let share = most as f32 / (image.width() * image.height()) as f32;
            assert!(share < PLAIN_SHARE_MAX, "{name}: one colour fills {share}");
        }
    }
}

#[test]
fn the_answers_to_the_five_questions_are_painted_and_not_only_named() {
    let desk = Desk::of(crate::night::workspace());
    desk.show(crate::night::dress);
    let mut window = crate::app(&desk, crate::WIDE);
    crate::acts::go(&mut window, "Checkout");
    let picture = Picture {
        size: [1_280, 800],
        ..Picture::default()
    };
    let page = Window::at(Route::System(space(CHECKOUT)));
    let bytes = png(&crate::night::frame(), page, &picture).unwrap();
    let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
    for (question, answers) in crate::night::FIVE_ANSWERS {
        for words in answers {
            let places = crate::alerts::on_screen(&window, words);
            // Letters have soft edges: many colours. A place that stays empty has the one behind it.
            let colours = places.iter().map(|place| colours_in(&image, *place));
            let most = colours.max().unwrap_or(0);
            assert!(most > 8, "{question} {words}: {most} colours");
        }
    }
    // The same picture where nothing is drawn, to know that the measure tells the two apart.
    let corner = egui::Rect::from_min_size(egui::pos2(1_240.0, 780.0), egui::vec2(30.0, 15.0));
    assert_eq!(colours_in(&image, corner), 1);
}

/// How many colours a part of a picture has.
fn colours_in(image: &image::RgbImage, place: egui::Rect) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place on the picture"
    )]
    let [left, top, right, bottom] =
        [place.left(), place.top(), place.right(), place.bottom()].map(|it| it as u32);
    let pixels = (top..bottom.min(image.height())).flat_map(|y| {
        let row = left..right.min(image.width());
        row.map(move |x| image.get_pixel(x, y).0)
    });
    pixels.collect::<BTreeSet<_>>().len()
}

#[test]
fn equal_input_gives_equal_bytes() {
    let frame = Desk::new().frame();
    let picture = Picture {
        size: [640, 480],
        ..Picture::default()
    };
    let draw = || png(&frame, Window::at(Route::Overview), &picture).unwrap();
    assert_eq!(draw(), draw());
}
