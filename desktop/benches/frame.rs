//! What a frame costs: layout and tessellation of pages over 1,000 Systems.

use std::sync::Arc;

use aramaki_desktop::panel::{self, Window};
use aramaki_desktop::text::Texts;
use aramaki_desktop::theme;
use aramaki_desktop::view::{Frame, Route, Stage};
use aramaki_model::system::Part;
use aramaki_model::{EditError, SystemEdit, Workspace};
use aramaki_sync_core::{AuthorId, Chain, Instance, SpaceId, Timestamp};
use divan::Bencher;
use egui::{Pos2, RawInput, Rect, vec2};

const SYSTEMS: u16 = 1_000;
/// Every tenth System lists the nine after it.
const FAMILY: u16 = 10;
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

fn bench(bencher: Bencher<'_, '_>, route: Route) {
    let (frame, texts, context) = (frame(), Texts::of("en"), egui::Context::default());
    theme::install(&context);
    let mut window = Window::at(route);
    let mut time = 0.0;
    let mut draw = || {
        time += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1_440.0, 900.0))),
            time: Some(time),
            ..RawInput::default()
        };
        let mut output = context.run_ui(input, |ui| {
            drop(panel::draw(ui, &frame, &mut window, &texts));
        });
        // Nobody uploads textures here.
        output.textures_delta.clear();
        context.tessellate(output.shapes, output.pixels_per_point)
    };
    // Fonts and sizes settle first.
    for _ in 0..5 {
        draw();
    }
    bencher.bench_local(draw);
}

#[divan::bench]
fn overview_of_1000_systems(bencher: Bencher<'_, '_>) {
    bench(bencher, Route::Overview);
}

#[divan::bench]
fn a_system_among_1000(bencher: Bencher<'_, '_>) {
    bench(bencher, Route::System(space(0)));
}
