//! Small pieces that pages are made of; each names itself to accessibility tools.

mod age;
mod card;
mod glyph;
mod icon;
mod mesh;
mod quiet;
mod row;
mod sparkline;
mod strip;

pub use age::{age, ago, clock, minute, until};
pub use card::{card, card_titled};
pub use glyph::{in_hand_glyph, paint_severity, pill, severity_glyph, severity_word};
pub use icon::{Icon, icon, icon_button};
pub use mesh::quad;
pub use quiet::{quiet, quiet_line};
pub use row::{Lead, Row, line, row};
pub use sparkline::sparkline;
pub use strip::{day_strip, history_strip};

use crate::text::Texts;
use crate::theme::Tokens;
use aramaki_sync_core::Timestamp;

/// What every drawing function needs.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Colours.
    pub tokens: Tokens,
    /// Words.
    pub texts: &'a Texts,
    /// The clock of the picture.
    pub now: Timestamp,
}
