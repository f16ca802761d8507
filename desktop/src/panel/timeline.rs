//! What went on, newest first: transitions, messages, deployments, joins.

mod lines;

use std::collections::{BTreeMap, BTreeSet};

use aramaki_model::notify::{Receipt, Stage};
use aramaki_model::snapshot::{TimelineEvent, TimelineItem};
use aramaki_model::{
    EntryId, Membership, Quiet, QuietAbout, QuietStep, Severity, Snapshot, TimelineKind,
    TimelineReach,
};
use aramaki_sync_core::{SpaceId, Timestamp};
use egui::{
    Button, Color32, FontId, Id, Rect, Response, RichText, Role, ScrollArea, Sense, TextEdit, Ui,
    Vec2, WidgetInfo, pos2, vec2,
};

use self::lines::{Line, Lines, Place, title_of};
use super::Window;
use super::actions::came_words;
use super::peers::may_words;
use crate::theme::{size, space, weighted};
use crate::view::actions::{Came, Ran};
use crate::view::{Frame, Intent, Route};
use crate::widget::{Icon, Look, clock, line, paint_severity, quiet_line, severity_word, until};

const FIELD_WIDTH_MAX: f32 = 420.0;
const GLYPH: f32 = 14.0;
/// How wide the mark is of an entry that was sought, and how many rows are in sight before it.
const MARK_WIDTH: f32 = 3.0;
const ROWS_BEFORE: usize = 5;
/// So many entries more are read when somebody looks further back, and so many at most: all are filtered at each key.
const EARLIER_ITEMS: usize = 2_000;
const EARLIER_ITEMS_MAX: usize = 20_000;
/// Lines on a System's own page.
const OF_SYSTEM_MAX: usize = 40;
/// How much of a row a System's name may take.
const NAME_SHARE: f32 = 0.34;

/// What of the timeline is shown.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// None: all.
    kinds: BTreeSet<TimelineKind>,
    /// What the System's title or the words have in them.
    words: String,
    /// Of this System and its parts alone.
    system: Option<SpaceId>,
    /// The entry to which somebody wants to come.
    sought: Option<Sought>,
}

/// An entry that somebody came for.
#[derive(Clone, Copy, Debug)]
struct Sought {
    entry: EntryId,
    /// Whether it was brought into sight.
    is_shown: bool,
}

impl Filter {
    /// Shows an entry among all others.
    pub(super) fn seek(&mut self, entry: EntryId) {
        *self = Self {
            sought: Some(Sought {
                entry,
                is_shown: false,
            }),
            ..Self::default()
        };
    }

    /// Shows all of a System and its parts.
    pub(super) fn of(&mut self, system: SpaceId) {
        *self = Self {
            system: Some(system),
            ..Self::default()
        };
    }

    /// Places of the lines that are shown. Without a filter nothing is looked at.
    fn shown(&self, look: Look<'_>, lines: &Lines<'_>) -> Vec<Place> {
        let wanted = self.words.trim().to_lowercase();
        let shown = lines.places().filter(|place| {
            let Some(line) = lines.at(*place) else {
                return false;
            };
            let is_kind = self.kinds.is_empty() || self.kinds.contains(&line.kind());
            is_kind && (wanted.is_empty() || line.has_words(look, lines.snapshot, &wanted))
        });
        shown.collect()
    }
}

/// The kinds that there are, each with how many, and a field for words.
fn filter_ui(ui: &mut Ui, look: Look<'_>, lines: &Lines<'_>, filter: &mut Filter) {
    let mut counts: BTreeMap<TimelineKind, u64> = BTreeMap::new();
    for line in lines.places().filter_map(|place| lines.at(place)) {
        *counts.entry(line.kind()).or_default() += 1;
    }
    ui.horizontal_wrapped(|ui| {
        let all = Button::selectable(filter.kinds.is_empty(), look.texts.get("timeline-all"));
        if ui.add(all).clicked() {
            filter.kinds.clear();
        }
        if let Some(system) = filter.system {
            let title = [("title", title_of(lines.snapshot, &system))];
            let name = look.texts.with("timeline-system", &title);
            if ui.add(Button::selectable(true, name)).clicked() {
                filter.system = None;
            }
        }
        for (kind, count) in counts {
            let is_chosen = filter.kinds.contains(&kind);
            let name = look.texts.count(kind_key(kind), count);
            if ui.add(Button::selectable(is_chosen, name)).clicked() {
                if is_chosen {
                    filter.kinds.remove(&kind);
                } else {
                    filter.kinds.insert(kind);
                }
            }
        }
    });
    let hint = look.texts.get("timeline-words");
    let field = TextEdit::singleline(&mut filter.words)
        .id(Id::unique("timeline filter"))
        .hint_text(&hint)
        .desired_width(ui.available_width().min(FIELD_WIDTH_MAX));
    let field = ui.add(field);
    ui.ctx()
        .accesskit_node_builder(field.id, |node| node.set_label(hint.as_str()));
}

const fn kind_key(kind: TimelineKind) -> &'static str {
    match kind {
        TimelineKind::State => "timeline-state",
        TimelineKind::Deployment => "timeline-deployment",
        TimelineKind::Action => "timeline-action",
        TimelineKind::Words => "timeline-said",
        TimelineKind::Care => "timeline-care",
        TimelineKind::Quiet => "timeline-quiet",
        TimelineKind::Told => "timeline-told",
        TimelineKind::Access => "timeline-access",
        TimelineKind::Agent => "timeline-agent",
        TimelineKind::Newer => "timeline-newer",
    }
}

/// What the page is, how many lines it has, and a way further back where there may be more.
fn title_ui(ui: &mut Ui, look: Look<'_>, lines: &Lines<'_>, window: &mut Window) {
    ui.horizontal(|ui| {
        ui.label(
            weighted(look.texts.get("timeline-title"), 650.0)
                .size(size::PAGE)
                .color(look.tokens.strong),
        );
        let count = u64::try_from(window.timeline.shown(look, lines).len()).unwrap_or(0);
        ui.label(
            RichText::new(look.texts.count("timeline-count", count)).color(look.tokens.subdued),
        );
        if !lines.has_more {
            return;
        }
        let more = lines.len().saturating_add(EARLIER_ITEMS);
        if more > EARLIER_ITEMS_MAX {
            ui.label(RichText::new(look.texts.get("timeline-verb")).color(look.tokens.subdued));
        } else if ui.button(look.texts.get("timeline-earlier")).clicked() {
            let reach = TimelineReach::newest(more);
            window.ask(Intent::ReadBack(window.timeline.system, reach));
        }
    });
}

/// Draws the page over all Systems, or over one and its parts.
pub(super) fn timeline_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot): (&Frame, &Snapshot),
    window: &mut Window,
) {
    let lines = Lines::of((frame, snapshot), window.timeline.system);
    title_ui(ui, look, &lines, window);
    ui.add_space(space::M);
    if lines.len() == 0 && window.timeline.system.is_none() {
        super::empty_ui(ui, look, ("system-none-timeline", ""), |_ui| {});
        return;
    }
    filter_ui(ui, look, &lines, &mut window.timeline);
    ui.add_space(space::M);
    let shown = window.timeline.shown(look, &lines);
    if shown.is_empty() {
        ui.label(RichText::new(look.texts.get("timeline-none")).color(look.tokens.subdued));
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut area = ScrollArea::vertical().auto_shrink(false);
    let sought = window.timeline.sought;
    if let Some(sought) = sought {
        let of = |place: &Place| lines.entry(*place) == Some(sought.entry);
        match shown.iter().position(of) {
            None => {
                let gone = RichText::new(look.texts.get("timeline-entry-gone"));
                ui.label(gone.color(look.tokens.subdued));
            }
            Some(row) if !sought.is_shown => area = area.vertical_scroll_offset(offset_of(row)),
            Some(_) => {}
        }
        window.timeline.sought = Some(Sought {
            is_shown: true,
            ..sought
        });
    }
    area.show_rows(ui, space::ROW, shown.len(), |ui, visible| {
        let visible = shown.get(visible).unwrap_or_default().iter();
        for (place, line) in visible.filter_map(|it| Some((*it, lines.at(*it)?))) {
            let title = title_of(snapshot, &line.system());
            if sought.is_some_and(|sought| lines.entry(place) == Some(sought.entry)) {
                mark_ui(ui, look);
            }
            let (response, route) = one_ui(ui, look, (snapshot, line), title);
            leads_to(window, &response, route);
        }
    });
}

/// One line, and where it leads.
fn one_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, line): (&Snapshot, Line<'_>),
    title: &str,
) -> (Response, Route) {
    match line {
        Line::Item(item) => {
            let response = item_ui(ui, look, (snapshot, item), title);
            (response, Route::System(item.system))
        }
        Line::Ran(ran) => {
            let response = ran_ui(ui, look, ran, title);
            (response, Route::Run(ran.system, ran.id))
        }
    }
}

fn leads_to(window: &mut Window, response: &Response, route: Route) {
    window.list_has(response);
    if response.clicked() {
        window.go(route);
    }
}

/// What happened to a System and to everything below it, and what was run there, on the System's own page.
pub(super) fn of_system_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (frame, snapshot, system): (&Frame, &Snapshot, SpaceId),
    window: &mut Window,
) {
    let lines = Lines::of((frame, snapshot), Some(system));
    if lines.len() == 0 {
        quiet_line(ui, look, &look.texts.get("system-none-timeline"));
    }
    for line in lines.places().take(OF_SYSTEM_MAX) {
        let Some(line) = lines.at(line) else { continue };
        let own = line.system() == system;
        let title = if own {
            ""
        } else {
            title_of(snapshot, &line.system())
        };
        let (response, route) = one_ui(ui, look, (snapshot, line), title);
        if route != Route::System(system) {
            leads_to(window, &response, route);
        }
    }
    if lines.len() > OF_SYSTEM_MAX && ui.button(look.texts.get("system-timeline-all")).clicked() {
        window.timeline.of(system);
        window.go(Route::Timeline);
    }
}

/// So far down a row begins, with some rows above it still in sight.
fn offset_of(row: usize) -> f32 {
    let row = u16::try_from(row.saturating_sub(ROWS_BEFORE)).unwrap_or(u16::MAX);
    f32::from(row) * space::ROW
}

/// Marks the row that comes next as the one that was sought.
fn mark_ui(ui: &Ui, look: Look<'_>) {
    let row = Rect::from_min_size(ui.cursor().min, vec2(ui.available_width(), space::ROW));
    ui.painter().rect_filled(row, 6.0, look.tokens.hover);
    let bar = Rect::from_min_size(row.min, vec2(MARK_WIDTH, row.height()));
    ui.painter().rect_filled(bar, 0.0, look.tokens.accent);
}

/// One entry in one line: when, what, whose, and the words. Without a System it leads nowhere.
pub(super) fn item_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (snapshot, item): (&Snapshot, &TimelineItem),
    system: &str,
) -> Response {
    let state = match &item.event {
        TimelineEvent::Transition { to, .. } => Some(*to),
        _ => None,
    };
    let mark = match (state, &item.event) {
        (Some(state), _) => Mark::State(state),
        (None, TimelineEvent::Message(_) | TimelineEvent::NoteEdited { .. }) => {
            Mark::Icon(Icon::Note, look.tokens.subdued)
        }
        (None, TimelineEvent::Membership { what, .. }) => {
            let color = match what {
                Membership::Opened { .. } => look.tokens.severity(Severity::Critical),
                _ => look.tokens.subdued,
            };
            Mark::Icon(Icon::Trust, color)
        }
        (None, _) => Mark::Icon(Icon::Timeline, look.tokens.subdued),
    };
    let words = words(look, snapshot, item);
    let who = match &item.event {
        // It says so itself.
        TimelineEvent::AgentStarted { host, .. } if *host == item.who => "",
        _ => &item.who,
    };
    let leads = !system.is_empty();
    line_ui(ui, look, (item.at, system, who), (&mark, &words), leads)
}

/// One run in one line; it leads to its page.
fn ran_ui(ui: &mut Ui, look: Look<'_>, ran: &Ran, system: &str) -> Response {
    let color = match ran.came {
        Came::Failed(_) | Came::Left | Came::Lost | Came::Expired => {
            look.tokens.severity(Severity::Warning)
        }
        _ => look.tokens.subdued,
    };
    let mark = Mark::Icon(Icon::Timeline, color);
    line_ui(
        ui,
        look,
        (ran.at, system, ""),
        (&mark, &ran_words(look, ran)),
        true,
    )
}

fn ran_words(look: Look<'_>, ran: &Ran) -> String {
    let came = came_words(look, &ran.came);
    let said = [
        ("who", ran.who.as_str()),
        ("action", &ran.action),
        ("host", &ran.host),
        ("came", &came),
        ("reason", &ran.reason),
    ];
    let words = look.texts.with("timeline-ran", &said);
    let Some(alert) = &ran.alert else {
        return words;
    };
    let about = [("words", words.as_str()), ("name", &alert.name)];
    look.texts.with("timeline-ran-alert", &about)
}

/// What stands before the words.
enum Mark {
    State(Severity),
    Icon(Icon, Color32),
}

fn line_ui(
    ui: &mut Ui,
    look: Look<'_>,
    (at, system, who): (Timestamp, &str, &str),
    (mark, words): (&Mark, &str),
    leads: bool,
) -> Response {
    let (sense, role) = if leads {
        (Sense::click(), Role::Button)
    } else {
        (Sense::hover(), Role::Label)
    };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), space::ROW), sense);
    let time = clock(look, at);
    let state = match mark {
        Mark::State(state) => severity_word(look, *state),
        Mark::Icon(..) => String::new(),
    };
    let name = [time.as_str(), system, who, &state, words]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ");
    response.widget_info(|| WidgetInfo::labeled(role, true, &name));
    if sense.senses_click() && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect, 6.0, look.tokens.hover);
    }
    let middle = rect.center().y;
    let font = FontId::monospace(size::SMALL);
    let time = ui.painter().layout_no_wrap(time, font, look.tokens.subdued);
    // Times of today are as wide as each other; a date makes a row begin later.
    let mut left = rect.left() + space::M;
    let width = time.size().x;
    ui.painter().galley(
        pos2(left, middle - time.size().y / 2.0),
        time,
        look.tokens.subdued,
    );
    left += width + space::L;
    let glyph = Rect::from_center_size(pos2(left + GLYPH / 2.0, middle), Vec2::splat(GLYPH));
    match mark {
        Mark::State(state) => paint_severity(ui, look, *state, glyph),
        Mark::Icon(icon, color) => icon.paint(ui, glyph, *color),
    }
    left += GLYPH + space::M;
    for (text, color, share) in [
        (system, look.tokens.strong, NAME_SHARE),
        (who, look.tokens.subdued, NAME_SHARE),
        (words, look.tokens.text, 1.0),
    ] {
        let room = (rect.right() - space::M - left) * share;
        if text.is_empty() || room < GLYPH {
            continue;
        }
        let galley = line(ui, text, size::BODY, color, room);
        let width = galley.size().x;
        ui.painter()
            .galley(pos2(left, middle - galley.size().y / 2.0), galley, color);
        left += width + space::M;
    }
    response.on_hover_text(words)
}

/// Who was told, or was not.
fn told(look: Look<'_>, receipt: &Receipt) -> String {
    let key = match receipt.stage {
        Stage::Sent => "event-told",
        Stage::Failed => "event-not-told",
        Stage::Unsure => "event-told-perhaps",
        Stage::Trying { .. } => "event-telling",
    };
    let target = receipt.target.to_string();
    let words = [
        ("who", receipt.receiver.as_str()),
        ("target", target.as_str()),
        ("text", receipt.detail.as_str()),
    ];
    look.texts.with(key, &words)
}

fn words(look: Look<'_>, snapshot: &Snapshot, item: &TimelineItem) -> String {
    let said = event_words(look, &item.event);
    match snapshot.about(item) {
        Some(name) => format!("{name}: {said}"),
        None => said,
    }
}

fn event_words(look: Look<'_>, event: &TimelineEvent) -> String {
    match event {
        TimelineEvent::Transition {
            name,
            summary,
            to,
            attempt: (attempt, attempts),
            ..
        } if *attempts > 1 && !to.is_ok() => {
            let (attempt, attempts) = (attempt.to_string(), attempts.to_string());
            let of = [("attempt", attempt.as_str()), ("attempts", &attempts)];
            let of = look.texts.with("event-attempt", &of);
            format!("{name}: {summary} ({of})")
        }
        TimelineEvent::Transition { name, summary, .. } => format!("{name}: {summary}"),
        TimelineEvent::AgentStarted { host, version } => look.texts.with(
            "event-agent-started",
            &[("host", host), ("version", version)],
        ),
        TimelineEvent::AgentStopped => look.texts.get("event-agent-stopped"),
        TimelineEvent::AgentRemoved { name } => {
            look.texts.with("event-agent-removed", &[("name", name)])
        }
        TimelineEvent::Quiet(quiet) => quiet_words(look, quiet),
        TimelineEvent::NoteEdited { title } => look.texts.with("event-note", &[("title", title)]),
        TimelineEvent::Message(message) => first_line(&message.text),
        TimelineEvent::Deployment(deployment) => {
            let what = format!("{} {}", deployment.title, deployment.reference);
            look.texts
                .with("event-deployed", &[("what", what.trim_end())])
        }
        TimelineEvent::Acknowledgement(acknowledgement) => look
            .texts
            .with("event-acknowledged", &[("text", &acknowledgement.text)]),
        TimelineEvent::Notification(receipt) => told(look, receipt),
        TimelineEvent::DesiredRun(run) => super::system::run_words(look, run),
        TimelineEvent::Claim(claim) => look.texts.with("event-claim", &[("text", &claim.text)]),
        TimelineEvent::Withdrawal(back) if back.text.is_empty() => {
            look.texts.get("event-withdrawal")
        }
        TimelineEvent::Withdrawal(back) => look
            .texts
            .with("event-withdrawal-because", &[("text", &back.text)]),
        TimelineEvent::Membership { name, what } => match what {
            Membership::Given { may, end, .. } => {
                let (may, end) = (may_words(look, *may), until(look, *end));
                let said = [("name", name.as_str()), ("may", &may), ("end", &end)];
                look.texts.with("event-access-given", &said)
            }
            Membership::Opened { reason } => {
                look.texts.with("event-emergency", &[("reason", reason)])
            }
            Membership::Ended { reason, lost, .. } => {
                let lost = lost.then(|| look.texts.get("trust-ended-lost"));
                let why = lost.iter().chain(Some(reason).filter(|it| !it.is_empty()));
                let why = why.map(String::as_str).collect::<Vec<_>>().join(": ");
                if why.is_empty() {
                    return look.texts.with("event-access-ended", &[("name", name)]);
                }
                let said = [("name", name.as_str()), ("reason", &why)];
                look.texts.with("event-access-ended-why", &said)
            }
            Membership::Expired => look.texts.with("event-access-expired", &[("name", name)]),
            Membership::TwoHistories => look.texts.with("event-two-histories", &[("name", name)]),
        },
        TimelineEvent::Unknown(unknown) => look.texts.count(
            "event-newer",
            u64::try_from(unknown.len_bytes).unwrap_or(u64::MAX),
        ),
        _ => look.texts.count("event-newer", 0),
    }
}

/// That a silence or a maintenance window began or ended.
fn quiet_words(look: Look<'_>, quiet: &Quiet) -> String {
    let key = match (quiet.is_maintenance(), quiet.step) {
        (false, QuietStep::Made) if quiet.until_resolved => "event-silenced-until-resolved",
        (false, QuietStep::Made) => "event-silenced",
        (false, QuietStep::Ended) => "event-silence-ended",
        (false, QuietStep::Resolved) => "event-silence-resolved",
        (false, QuietStep::Opened | QuietStep::RanOut) => "event-silence-ran-out",
        (true, QuietStep::Made) if quiet.again => "event-maintenance-again",
        (true, QuietStep::Made) => "event-maintenance",
        (true, QuietStep::Opened) => "event-maintenance-opened",
        (true, QuietStep::Ended) => "event-maintenance-ended",
        (true, QuietStep::Resolved | QuietStep::RanOut) => "event-maintenance-over",
    };
    let what = match &quiet.about {
        QuietAbout::System | QuietAbout::Maintenance => look.texts.get("event-quiet-all"),
        QuietAbout::Subtree => look.texts.get("event-quiet-subtree"),
        QuietAbout::Check { name, .. } if name.is_empty() => look.texts.get("event-quiet-gone"),
        QuietAbout::Check { name, .. } => name.clone(),
        QuietAbout::Family(family) => {
            let said = [("family", family.as_str())];
            look.texts.with("event-quiet-family", &said)
        }
        QuietAbout::Agent(name) => look.texts.with("event-quiet-agent", &[("name", name)]),
    };
    let (begin, end) = (until(look, quiet.from), until(look, quiet.until));
    let said = [
        ("what", what.as_str()),
        ("reason", &quiet.reason),
        ("begin", &begin),
        ("end", &end),
    ];
    let said = look.texts.with(key, &said);
    match quiet.muted {
        // That something was not heard is not counted, so none is not nothing.
        None | Some(0) => said,
        Some(muted) => {
            let muted = look.texts.count("event-quiet-muted", u64::from(muted));
            format!("{said} ({muted})")
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
