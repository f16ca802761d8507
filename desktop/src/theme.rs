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
    ground: rgb(0x000b_0d10),
    panel: rgb(0x0010_1317),
    raised: rgb(0x0016_1a1f),
    field: rgb(0x001d_2229),
    hover: rgb(0x0022_2831),
    line: rgb(0x0024_2a32),
    strong: rgb(0x00f2_f5f8),
    text: rgb(0x00c8_cfd7),
    subdued: rgb(0x008d_96a0),
    accent: rgb(0x006e_a8fe),
    accent_ground: rgb(0x001a_2f4f),
    on_accent: rgb(0x00ff_ffff),
    primary: rgb(0x002f_6fd6),
    ok: rgb(0x003f_b950),
    warning: rgb(0x00e3_a02c),
    critical: rgb(0x00f2_555a),
    unknown: rgb(0x00a3_8ae6),
    missing: rgb(0x006b_7580),
};

const LIGHT: Tokens = Tokens {
    ground: rgb(0x00f3_f4f6),
    panel: rgb(0x00fa_fbfc),
    raised: rgb(0x00ff_ffff),
    field: rgb(0x00ed_eff2),
    hover: rgb(0x00e5_e8ed),
    line: rgb(0x00dd_e1e6),
    strong: rgb(0x000f_1720),
    text: rgb(0x002f_3943),
    subdued: rgb(0x005b_6672),
    accent: rgb(0x001f_5fd0),
    accent_ground: rgb(0x00d8_e6ff),
    on_accent: rgb(0x00ff_ffff),
    primary: rgb(0x001f_5fd0),
    ok: rgb(0x001a_7f37),
    warning: rgb(0x009a_6700),
    critical: rgb(0x00cf_222e),
    unknown: rgb(0x006f_42c1),
    missing: rgb(0x0075_7e88),
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
