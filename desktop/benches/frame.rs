//! What a frame costs: layout and tessellation of pages over 1,000 Systems.

use std::sync::Arc;

use aramaki_desktop::panel::{self, Window};
use aramaki_desktop::text::Texts;
use aramaki_desktop::theme;
use aramaki_desktop::view::alerts::{Grouping, Tab, Worklist};
use aramaki_desktop::view::{Frame, Route, Stage};
use aramaki_model::day::Present;
use aramaki_model::system::Part;
use aramaki_model::{
    Alert, AlertId, AlertKind, AlertState, CheckId, EditError, Query, Severity, Snapshot,
    SystemEdit, Workspace,
};
use aramaki_sync_core::{AuthorId, Chain, Instance, SpaceId, Timestamp};
use divan::Bencher;
use egui::{Pos2, RawInput, Rect, vec2};

const SYSTEMS: u16 = 1_000;
/// Every tenth System lists the nine after it.
const FAMILY: u16 = 10;
/// Alerts of all Systems together.
const ALERTS: u16 = 10_000;
const NOW: Timestamp = Timestamp::from_millis(1_795_316_460_000);

fn main() {
    divan::main();
}

fn space(n: u16) -> SpaceId {
    let [high, low] = n.to_be_bytes();
    let mut bytes = [7; 32];
    bytes[..2].copy_from_slice(&[high, low]);
    SpaceId::from_bytes(bytes)
}

/// A workspace of [`SYSTEMS`] in a hundred aggregates of three categories.
fn frame() -> Frame {
    let mut workspace = Workspace::new();
    let chain = Chain {
        author: AuthorId::from_bytes([1; 32]),
        instance: Instance(1),
    };
    for n in 0..SYSTEMS {
        let describe = |edit: &mut SystemEdit<'_, '_>| -> Result<(), EditError> {
            edit.title(&format!("System {n:04}"))?;
            edit.category(["Services", "Projects", "Infrastructure"][usize::from(n % 3)])?;
            edit.purpose("Does what its name says, every night.")?;
            if n % FAMILY == 0 {
                for part in n + 1..n + FAMILY {
                    let label = format!("System {part:04}");
                    let part_of = Part {
                        label,
                        ..Part::default()
                    };
                    edit.put_part(space(part), &part_of)?;
                }
            }
            Ok(())
        };
        workspace.open_space(space(n));
        if let Err(error) = workspace.edit_system(space(n), &chain, NOW, describe) {
            panic!("System {n} cannot be described: {error}");
        }
    }
    Frame {
        stage: Stage::Open,
        person: "Duty operator".to_owned(),
        snapshot: Some(Arc::new(workspace.view(NOW))),
        ..Frame::default()
    }
}

/// The same with alerts, every one open.
fn with_alerts(mut frame: Frame) -> Frame {
    let Some(snapshot) = &frame.snapshot else {
        return frame;
    };
    let mut snapshot = Snapshot::clone(snapshot);
    let alerts = (0..ALERTS).map(|n| {
        let [high, low] = n.to_be_bytes();
        let mut id = [0; 32];
        id[..2].copy_from_slice(&[high, low]);
        let severities = [Severity::Critical, Severity::Unknown, Severity::Warning];
        let severity = severities[usize::from(n / (ALERTS / 3 + 1))];
        Arc::new(Alert {
            id: AlertId(id),
            system: space(n % SYSTEMS),
            title: format!("System {:04}", n % SYSTEMS),
            kind: AlertKind::Problem,
            check: CheckId::from_bytes([1; 16]),
            name: format!("replication_{}", n % 13),
            family: format!("replication_{}: lag # s", n % 13),
            state: AlertState::Open,
            severity,
            worst: severity,
            effective: severity,
            opened: Timestamp::from_millis(NOW.millis() - i64::from(ALERTS - n) * 60_000),
            since: NOW,
            sure_from: None,
            resolved: None,
            seen: Some(NOW),
            is_stale: false,
            acknowledgements: Vec::new(),
            claims: Vec::new(),
            holds: Vec::new(),
            is_flapping: false,
            summary: format!(
                "lag of {n} s is more than 10 s: last replayed at {}",
                n % 777
            ),
            detail: String::new(),
            evidence: Vec::new(),
            metrics: Vec::new(),
            occurrences: 3,
            watermark: 3,
            first_seen: None,
            last_ok: None,
            flaps: 1,
            transitions: Vec::new(),
            tries: Vec::new(),
            days: Arc::default(),
            present: Present::default(),
            was_observed: None,
            machine: None,
            vantages: Vec::new(),
            seen_from: Vec::new(),
            blind: std::collections::BTreeSet::new(),
            concerns: Arc::new([]),
        })
    });
    snapshot.alerts = alerts.collect();
    frame.snapshot = Some(Arc::new(snapshot));
    frame
}

fn bench(bencher: Bencher<'_, '_>, route: Route) {
    bench_of(bencher, &frame(), route);
}

fn bench_of(bencher: Bencher<'_, '_>, frame: &Frame, route: Route) {
    let mut screen = Screen::new(frame);
    let mut window = Window::at(route);
    // Fonts and sizes settle first.
    for _ in 0..5 {
        screen.draw(&mut window);
    }
    bencher.bench_local(|| screen.draw(&mut window));
}

/// A window's surface without a window.
struct Screen<'a> {
    frame: &'a Frame,
    texts: Texts,
    context: egui::Context,
    time: f64,
}

impl<'a> Screen<'a> {
    fn new(frame: &'a Frame) -> Self {
        let context = egui::Context::default();
        theme::install(&context);
        Self {
            frame,
            texts: Texts::of("en"),
            context,
            time: 0.0,
        }
    }

    fn draw(&mut self, window: &mut Window) -> Vec<egui::ClippedPrimitive> {
        self.time += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1_440.0, 900.0))),
            time: Some(self.time),
            ..RawInput::default()
        };
        let mut output = self.context.run_ui(input, |ui| {
            drop(panel::draw(ui, self.frame, window, &self.texts));
        });
        // Nobody uploads textures here.
        output.textures_delta.clear();
        self.context
            .tessellate(output.shapes, output.pixels_per_point)
    }
}

#[divan::bench]
fn overview_of_1000_systems(bencher: Bencher<'_, '_>) {
    bench(bencher, Route::Overview);
}

#[divan::bench]
fn a_system_among_1000(bencher: Bencher<'_, '_>) {
    bench(bencher, Route::System(space(0)));
}

#[divan::bench]
fn worklist_of_10000_alerts(bencher: Bencher<'_, '_>) {
    bench_of(bencher, &with_alerts(frame()), Route::Alerts);
}

/// The first frame of the page: nothing of it was derived before.
#[divan::bench]
fn opening_10000_alerts(bencher: Bencher<'_, '_>) {
    let frame = with_alerts(frame());
    let mut screen = Screen::new(&frame);
    let mut elsewhere = Window::at(Route::Overview);
    for _ in 0..5 {
        screen.draw(&mut elsewhere);
    }
    bencher
        .with_inputs(|| Window::at(Route::Alerts))
        .bench_local_values(|mut window| screen.draw(&mut window));
}

/// What a keystroke in the filter costs: parse, filter, group.
#[divan::bench(args = ["", "check:replication_7", "replayed at 42", "severity>=warning opened<7d", "~\"lag of [0-9]*7 s\""])]
fn filter_10000_alerts(bencher: Bencher<'_, '_>, text: &str) {
    let frame = with_alerts(frame());
    let Some(snapshot) = frame.snapshot else {
        return;
    };
    bencher.bench_local(|| {
        let query: Query = text.parse().unwrap_or_default();
        Worklist::of(&snapshot, Tab::Attention, &query, Grouping::System)
    });
}
