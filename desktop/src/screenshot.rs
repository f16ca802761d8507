//! A picture of the window without a display: egui's shapes, filled by the processor.

mod raster;

use egui::{Pos2, RawInput, Rect, Theme, Vec2, ViewportId, ViewportInfo, vec2};
use thiserror::Error;

use crate::panel::{self, Window};
use crate::text::Texts;
use crate::theme;
use crate::view::Frame;

/// How often the frame is laid out: sizes settle in the second pass, scroll areas in the third.
const PASSES: u32 = 4;

/// A picture could not be made.
#[derive(Debug, Error)]
#[error("the picture could not be encoded")]
pub struct PictureError {
    #[source]
    source: image::ImageError,
}

/// What to draw.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Light or dark.
    pub theme: Theme,
    /// Width and height in points.
    pub size: [u16; 2],
    /// Pixels a point.
    pub scale: f32,
    /// Language tag.
    pub language: String,
}

impl Default for Picture {
    fn default() -> Self {
        Self {
            theme: Theme::Dark,
            size: [1440, 900],
            scale: 1.0,
            language: "en".to_owned(),
        }
    }
}

/// Draws a window and encodes it as PNG; equal input gives equal bytes on every machine.
///
/// # Errors
/// When the encoder fails, which it does only without memory.
pub fn png(frame: &Frame, mut window: Window, picture: &Picture) -> Result<Vec<u8>, PictureError> {
    let context = egui::Context::default();
    theme::install(&context);
    context.set_theme(picture.theme);
    let texts = Texts::of(&picture.language);
    let mut textures = raster::Textures::default();
    let mut image = image::RgbaImage::default();
    for pass in 0..PASSES {
        let output = context.run_ui(input(picture, pass), |ui| {
            // A picture asks for nothing.
            drop(panel::draw(ui, frame, &mut window, &texts));
        });
        let mut delta = output.textures_delta;
        textures.update(&mut delta);
        if pass + 1 == PASSES {
            let primitives = context.tessellate(output.shapes, output.pixels_per_point);
            let size = vec2(f32::from(picture.size[0]), f32::from(picture.size[1]));
            image = raster::draw(&primitives, &textures, size * picture.scale, picture.scale);
        }
    }
    let mut png = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut png, image::ImageFormat::Png)
        .map_err(|source| PictureError { source })?;
    Ok(png.into_inner())
}

fn input(picture: &Picture, pass: u32) -> RawInput {
    let size = Vec2::new(f32::from(picture.size[0]), f32::from(picture.size[1]));
    let mut input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size)),
        time: Some(f64::from(pass)),
        system_theme: Some(picture.theme),
        ..RawInput::default()
    };
    let viewport = ViewportInfo {
        native_pixels_per_point: Some(picture.scale),
        ..ViewportInfo::default()
    };
    input.viewports.insert(ViewportId::ROOT, viewport);
    input
}
