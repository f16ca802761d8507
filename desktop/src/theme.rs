//! Colours, fonts and spacing: view code names tokens, never a colour or a number of its own.

use std::sync::Arc;

use aramaki_model::Severity;
use egui::epaint::Shadow;
use egui::{
    Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, RichText, Stroke,
    TextStyle, Theme, Vec2,
};

/// Distances in points.
pub mod space {
    /// Between things that belong together.
    pub const S: f32 = 4.0;
    /// Between neighbours.
    pub const M: f32 = 8.0;
    /// Inside cards.
    pub const L: f32 = 12.0;
    /// Around a page.
    pub const XL: f32 = 20.0;
    /// Between groups.
    pub const XXL: f32 = 28.0;
    /// A row of a list.
    pub const ROW: f32 = 26.0;
}

/// Sizes of text in points.
pub mod size {
    /// Labels above groups.
    pub const TINY: f32 = 10.5;
    /// Second lines.
    pub const SMALL: f32 = 11.5;
    /// Everything else.
    pub const BODY: f32 = 13.0;
    /// Heads of cards.
    pub const HEAD: f32 = 14.0;
    /// Head of a page.
    pub const PAGE: f32 = 22.0;
    /// A number to see from afar.
    pub const NUMBER: f32 = 26.0;
}

/// The names of all colours; both themes have the same.
#[derive(Clone, Copy, Debug)]
pub struct Tokens {
    /// Behind everything.
    pub ground: Color32,
    /// Bars and rails.
    pub panel: Color32,
    /// Cards.
    pub raised: Color32,
    /// Fields and buttons.
    pub field: Color32,
    /// Under the pointer.
    pub hover: Color32,
    /// Hair lines.
    pub line: Color32,
    /// Titles.
    pub strong: Color32,
    /// Text.
    pub text: Color32,
    /// Second lines.
    pub subdued: Color32,
    /// What can be done here.
    pub accent: Color32,
    /// Behind what is chosen.
    pub accent_ground: Color32,
    /// Text on a filled button.
    pub on_accent: Color32,
    /// Filled button.
    pub primary: Color32,
    ok: Color32,
    warning: Color32,
    critical: Color32,
    unknown: Color32,
    missing: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    let [_, r, g, b] = hex.to_be_bytes();
    Color32::from_rgb(r, g, b)
}

const DARK: Tokens = Tokens {
    ground: rgb(0x0b_0d_10),
    panel: rgb(0x10_13_17),
    raised: rgb(0x16_1a_1f),
    field: rgb(0x1d_22_29),
    hover: rgb(0x22_28_31),
    line: rgb(0x24_2a_32),
    strong: rgb(0xf2_f5_f8),
    text: rgb(0xc8_cf_d7),
    subdued: rgb(0x8d_96_a0),
    accent: rgb(0x6e_a8_fe),
    accent_ground: rgb(0x1a_2f_4f),
    on_accent: rgb(0xff_ff_ff),
    primary: rgb(0x2f_6f_d6),
    ok: rgb(0x3f_b9_50),
    warning: rgb(0xe3_a0_2c),
    critical: rgb(0xf2_55_5a),
    unknown: rgb(0xa3_8a_e6),
    missing: rgb(0x6b_75_80),
};

const LIGHT: Tokens = Tokens {
    ground: rgb(0xf3_f4_f6),
    panel: rgb(0xfa_fb_fc),
    raised: rgb(0xff_ff_ff),
    field: rgb(0xed_ef_f2),
    hover: rgb(0xe5_e8_ed),
    line: rgb(0xdd_e1_e6),
    strong: rgb(0x0f_17_20),
    text: rgb(0x2f_39_43),
    subdued: rgb(0x5b_66_72),
    accent: rgb(0x1f_5f_d0),
    accent_ground: rgb(0xd8_e6_ff),
    on_accent: rgb(0xff_ff_ff),
    primary: rgb(0x1f_5f_d0),
    ok: rgb(0x1a_7f_37),
    warning: rgb(0x9a_67_00),
    critical: rgb(0xcf_22_2e),
    unknown: rgb(0x6f_42_c1),
    missing: rgb(0x75_7e_88),
};

impl Tokens {
    /// Those of the theme in use.
    pub fn of(context: &egui::Context) -> Self {
        Self::of_theme(context.theme())
    }

    const fn of_theme(theme: Theme) -> Self {
        match theme {
            Theme::Dark => DARK,
            Theme::Light => LIGHT,
        }
    }

    /// A state's colour; never without its shape and word.
    pub const fn severity(&self, severity: Severity) -> Color32 {
        match severity {
            Severity::Ok => self.ok,
            Severity::Warning => self.warning,
            Severity::Unknown => self.unknown,
            Severity::Critical => self.critical,
            Severity::Missing => self.missing,
        }
    }
}

/// Text of a weight from 100 to 900; the font is variable.
pub fn weighted(text: impl Into<String>, weight: f32) -> RichText {
    RichText::new(text).variation("wght", weight)
}

/// Installs fonts and both styles.
pub fn install(context: &egui::Context) {
    context.set_fonts(fonts());
    for theme in [Theme::Dark, Theme::Light] {
        context.style_mut_of(theme, |style| style_of(style, theme));
    }
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let bundled: [(&str, &'static [u8], FontFamily); 2] = [
        (
            "Inter",
            include_bytes!("../assets/Inter.ttf"),
            FontFamily::Proportional,
        ),
        (
            "JetBrains Mono",
            include_bytes!("../assets/JetBrainsMono.ttf"),
            FontFamily::Monospace,
        ),
    ];
    for (name, bytes, family) in bundled {
        fonts
            .font_data
            .insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
        fonts
            .families
            .entry(family)
            .or_default()
            .insert(0, name.to_owned());
    }
    fonts
}

fn style_of(style: &mut egui::Style, theme: Theme) {
    let tokens = Tokens::of_theme(theme);
    style.text_styles = [
        (TextStyle::Small, FontId::proportional(size::SMALL)),
        (TextStyle::Body, FontId::proportional(size::BODY)),
        (TextStyle::Button, FontId::proportional(size::BODY)),
        (TextStyle::Heading, FontId::proportional(size::PAGE)),
        (TextStyle::Monospace, FontId::monospace(size::BODY - 0.5)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(space::M, space::S + 2.0);
    spacing.button_padding = Vec2::new(10.0, 4.0);
    spacing.interact_size.y = 24.0;
    spacing.menu_margin = Margin::same(6);
    spacing.window_margin = Margin::same(16);
    spacing.scroll.bar_width = 6.0;
    let visuals = &mut style.visuals;
    let widgets = &mut visuals.widgets;
    for widget in [
        &mut widgets.noninteractive,
        &mut widgets.inactive,
        &mut widgets.hovered,
        &mut widgets.active,
        &mut widgets.open,
    ] {
        widget.corner_radius = CornerRadius::same(6);
        widget.expansion = 0.0;
        widget.bg_stroke = Stroke::NONE;
    }
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, tokens.line);
    for (widget, fill, text) in [
        (&mut widgets.noninteractive, tokens.panel, tokens.text),
        (&mut widgets.inactive, tokens.field, tokens.text),
        (&mut widgets.hovered, tokens.hover, tokens.strong),
        (&mut widgets.active, tokens.line, tokens.strong),
        (&mut widgets.open, tokens.hover, tokens.strong),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.fg_stroke = Stroke::new(1.0, text);
    }
    visuals.selection.bg_fill = tokens.accent_ground;
    visuals.selection.stroke = Stroke::new(1.0, tokens.accent);
    visuals.panel_fill = tokens.panel;
    visuals.window_fill = tokens.raised;
    visuals.window_stroke = Stroke::new(1.0, tokens.line);
    visuals.extreme_bg_color = tokens.ground;
    visuals.faint_bg_color = tokens.raised;
    visuals.text_edit_bg_color = Some(tokens.field);
    visuals.code_bg_color = tokens.field;
    visuals.window_corner_radius = CornerRadius::same(10);
    visuals.menu_corner_radius = CornerRadius::same(8);
    let shadow = Shadow {
        offset: [0, 12],
        blur: 40,
        spread: 0,
        color: Color32::from_black_alpha(if theme == Theme::Dark { 140 } else { 40 }),
    };
    visuals.popup_shadow = shadow;
    visuals.window_shadow = shadow;
    visuals.hyperlink_color = tokens.accent;
    visuals.warn_fg_color = tokens.warning;
    visuals.error_fg_color = tokens.critical;
    visuals.weak_text_color = Some(tokens.subdued);
    visuals.indent_has_left_vline = false;
    visuals.image_loading_spinners = false;
}
