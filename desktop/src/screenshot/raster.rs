//! Fills egui's triangles: top-left rule, premultiplied blending, bilinear textures.

use std::collections::BTreeMap;

use egui::epaint::{ClippedPrimitive, Primitive, Vertex};
use egui::{Color32, ColorImage, ImageData, Pos2, Rect, TextureId, TexturesDelta, Vec2};

/// The textures that egui told of so far.
#[derive(Default)]
pub(super) struct Textures {
    images: BTreeMap<TextureId, ColorImage>,
}

impl Textures {
    /// Takes in what changed.
    #[expect(clippy::iter_over_hash_type, reason = "each texture is changed alone")]
    pub(super) fn update(&mut self, delta: &mut TexturesDelta) {
        for (id, images) in delta.set.drain() {
            for change in images {
                let ImageData::Color(image) = &change.image;
                match (change.pos, self.images.get_mut(&id)) {
                    (Some(at), Some(whole)) => patch(whole, image, at),
                    _ => drop(self.images.insert(id, (**image).clone())),
                }
            }
        }
        for id in delta.free.drain() {
            self.images.remove(&id);
        }
    }
}

fn patch(whole: &mut ColorImage, part: &ColorImage, [left, top]: [usize; 2]) {
    let (width, part_width) = (whole.width(), part.width().max(1));
    for (row, pixels) in part.pixels.chunks(part_width).enumerate() {
        let begin = (top + row) * width + left;
        if let Some(target) = whole.pixels.get_mut(begin..begin + pixels.len()) {
            target.copy_from_slice(pixels);
        }
    }
}

type Pixel = [f32; 4];

struct Target {
    width: usize,
    pixels: Vec<Pixel>,
}

/// Pixels that may be drawn: left, top, right, bottom.
#[derive(Clone, Copy)]
struct Clip {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

/// Draws everything onto black.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range"
)]
pub(super) fn draw(
    primitives: &[ClippedPrimitive],
    textures: &Textures,
    size: Vec2,
    scale: f32,
) -> image::RgbaImage {
    let (width, height) = (
        size.x.round().max(1.0) as usize,
        size.y.round().max(1.0) as usize,
    );
    let mut target = Target {
        width,
        pixels: vec![[0.0; 4]; width * height],
    };
    for primitive in primitives {
        let Primitive::Mesh(mesh) = &primitive.primitive else {
            continue;
        };
        let Some(texture) = textures.images.get(&mesh.texture_id) else {
            continue;
        };
        let clip = clip_of(primitive.clip_rect, scale, (width, height));
        for corners in mesh.indices.chunks_exact(3) {
            let corner = |at: usize| {
                corners
                    .get(at)
                    .and_then(|index| mesh.vertices.get(usize::try_from(*index).ok()?))
            };
            if let (Some(a), Some(b), Some(c)) = (corner(0), corner(1), corner(2)) {
                triangle(&mut target, clip, scale, texture, [a, b, c]);
            }
        }
    }
    let bytes = target
        .pixels
        .iter()
        .flat_map(|[r, g, b, _]| [*r, *g, *b, 1.0])
        .map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8)
        .collect();
    let side = |length: usize| u32::try_from(length).unwrap_or(0);
    image::RgbaImage::from_raw(side(width), side(height), bytes).unwrap_or_default()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "clamped to the range"
)]
fn clip_of(rect: Rect, scale: f32, (width, height): (usize, usize)) -> Clip {
    let pixel = |value: f32, most: usize| (value * scale).round().clamp(0.0, most as f32) as usize;
    Clip {
        left: pixel(rect.min.x, width),
        top: pixel(rect.min.y, height),
        right: pixel(rect.max.x, width),
        bottom: pixel(rect.max.y, height),
    }
}

fn edge(a: Pos2, b: Pos2, x: f64, y: f64) -> f64 {
    let (ax, ay, bx, by) = (
        f64::from(a.x),
        f64::from(a.y),
        f64::from(b.x),
        f64::from(b.y),
    );
    (bx - ax) * (y - ay) - (by - ay) * (x - ax)
}

fn unpack(color: Color32) -> Pixel {
    color.to_array().map(|value| f32::from(value) / 255.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::many_single_char_names,
    reason = "clamped to the texture, named as in every text on it"
)]
fn sample(texture: &ColorImage, u: f32, v: f32) -> Pixel {
    let (width, height) = (texture.width(), texture.height());
    let (x, y) = (u * width as f32 - 0.5, v * height as f32 - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let (along, down) = (x - left, y - top);
    let at = |x: f32, y: f32| {
        let x = x.clamp(0.0, width.saturating_sub(1) as f32) as usize;
        let y = y.clamp(0.0, height.saturating_sub(1) as f32) as usize;
        texture
            .pixels
            .get(y * width + x)
            .copied()
            .map_or([0.0; 4], unpack)
    };
    let (a, b) = (at(left, top), at(left + 1.0, top));
    let (c, d) = (at(left, top + 1.0), at(left + 1.0, top + 1.0));
    let mix = |a: Pixel, b: Pixel, share: f32| -> Pixel {
        let mut mixed = a;
        for (value, other) in mixed.iter_mut().zip(b) {
            *value += (other - *value) * share;
        }
        mixed
    };
    mix(mix(a, b, along), mix(c, d, along), down)
}

/// One triangle. Corners snap to 1/256 pixel, as graphics cards do.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "clipped to the picture first; snapped corners are equal or not"
)]
fn triangle(
    target: &mut Target,
    clip: Clip,
    scale: f32,
    texture: &ColorImage,
    corners: [&Vertex; 3],
) {
    let snap = |value: f32| (value * scale * 256.0).round() / 256.0;
    let mut corners = corners;
    let place = |vertex: &Vertex| Pos2::new(snap(vertex.pos.x), snap(vertex.pos.y));
    let [a, b, c] = corners.map(place);
    let area = edge(a, b, f64::from(c.x), f64::from(c.y));
    if area == 0.0 || !area.is_finite() {
        return;
    }
    if area < 0.0 {
        corners.swap(1, 2);
    }
    let area = area.abs();
    let [a, b, c] = corners.map(place);
    let bound = |low: f32, high: f32, from: usize, to: usize| {
        (low.floor().max(0.0) as usize).max(from)..(high.ceil().max(0.0) as usize).min(to)
    };
    let columns = bound(
        a.x.min(b.x).min(c.x),
        a.x.max(b.x).max(c.x),
        clip.left,
        clip.right,
    );
    let rows = bound(
        a.y.min(b.y).min(c.y),
        a.y.max(b.y).max(c.y),
        clip.top,
        clip.bottom,
    );
    let colors = corners.map(|corner| unpack(corner.color));
    let [first, second, third] = corners;
    let flat = first.uv == second.uv && second.uv == third.uv;
    let one = flat.then(|| sample(texture, first.uv.x, first.uv.y));
    let edges = [(b, c), (c, a), (a, b)];
    let owned = edges.map(|(from, to)| to.y < from.y || (from.y == to.y && to.x > from.x));
    for y in rows {
        for x in columns.clone() {
            let (center_x, center_y) = (x as f64 + 0.5, y as f64 + 0.5);
            let distances = edges.map(|(from, to)| edge(from, to, center_x, center_y));
            if distances
                .iter()
                .zip(owned)
                .any(|(distance, owned)| *distance < 0.0 || (*distance == 0.0 && !owned))
            {
                continue;
            }
            let share = distances.map(|distance| (distance / area) as f32);
            let blend = |values: [f32; 3]| -> f32 {
                values
                    .iter()
                    .zip(share)
                    .map(|(value, share)| value * share)
                    .sum()
            };
            let texel = one.unwrap_or_else(|| {
                sample(
                    texture,
                    blend(corners.map(|corner| corner.uv.x)),
                    blend(corners.map(|corner| corner.uv.y)),
                )
            });
            let Some(pixel) = target.pixels.get_mut(y * target.width + x) else {
                continue;
            };
            over(pixel, colors, texel, share);
        }
    }
}

/// Blends premultiplied colour over a pixel and rounds as a target of eight bits does.
fn over(pixel: &mut Pixel, colors: [Pixel; 3], texel: Pixel, share: [f32; 3]) {
    let [a, b, c] = colors;
    let mut source = texel;
    for (channel, value) in source.iter_mut().enumerate() {
        let at = |color: &Pixel| color.get(channel).copied().unwrap_or(0.0);
        let [first, second, third] = share;
        *value *= at(&a) * first + at(&b) * second + at(&c) * third;
    }
    let [.., alpha] = source;
    for (value, source) in pixel.iter_mut().zip(source) {
        *value = ((source + *value * (1.0 - alpha)) * 255.0).round() / 255.0;
    }
}
