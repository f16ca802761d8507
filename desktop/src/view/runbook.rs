//! A runbook: Markdown as plain blocks, with the actions that it offers.
//!
//! A note is a peer's word: it is read up to a limit, cannot nest without end, brings no HTML and no pictures, and
//! what deceives the eye is left out. A link `action:HOST/ACTION?NAME=VALUE` becomes a button that asks; nothing is
//! run by it. `entry:ID` and `alert:ID` lead to what a post-mortem refers to.

use std::fmt;
use std::sync::Arc;

use aramaki_model::action::ArgumentFault;
use aramaki_model::{AlertId, EntryId, is_deceptive};
use aramaki_sync_core::contain;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use thiserror::Error;

use super::actions::{HostAction, SystemActions};

/// How much of a note is drawn.
pub const RUNBOOK_LEN_BYTES_MAX: usize = 64 * 1_024;
/// How many blocks, and pieces of text in all of them.
pub const BLOCKS_MAX: usize = 2_000;
/// How many pieces of text.
pub const SPANS_MAX: usize = 10_000;
/// How deep lists and quotes are drawn; what is deeper stands there too.
pub const DEPTH_MAX: u8 = 8;
/// How long an address may be.
const ADDRESS_LEN_BYTES_MAX: usize = 2_048;
/// How many values an action's link may give.
const VALUES_MAX: usize = 32;
const ACTION_SCHEME: &str = "action:";
const ENTRY_SCHEME: &str = "entry:";
const ALERT_SCHEME: &str = "alert:";

/// A note as blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runbook {
    /// From its beginning to its end.
    pub blocks: Vec<Block>,
    /// Whether it is longer than what is drawn.
    pub is_cut: bool,
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// How deep it stands in lists and quotes, at most [`DEPTH_MAX`].
    pub depth: u8,
    /// What it is.
    pub kind: BlockKind,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// A heading, from 1 to 6.
    Heading(u8, Vec<Span>),
    /// Text; with a mark before it, if it begins an item of a list.
    Text(Option<String>, Vec<Span>),
    /// Lines as they are.
    Code(String),
    /// A row of a table.
    Row(Vec<String>),
    /// A line between what was and what comes.
    Rule,
}

/// A piece of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// Words.
    Words(String, Style),
    /// A new line.
    Break,
    /// Words that lead to an address of the web or of mail, which is shown whole before it is opened.
    Link(String, String),
    /// Words that lead to a place of this window.
    Place(String, Place),
    /// A button that asks for an action.
    Action(String, Result<ActionLink, LinkFault>),
}

/// A place of the window to which a note refers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An entry on the timeline.
    Entry(EntryId),
    /// An alert's page.
    Alert(AlertId),
}

impl Place {
    /// Reads an address; none when it is of another kind, or names nothing that there can be.
    pub fn parse(address: &str) -> Option<Self> {
        if let Some(id) = address.strip_prefix(ENTRY_SCHEME) {
            return id.parse().ok().map(Self::Entry);
        }
        let id = address.strip_prefix(ALERT_SCHEME)?;
        id.parse().ok().map(Self::Alert)
    }
}

impl fmt::Display for Place {
    /// The address of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(id) => write!(f, "{ENTRY_SCHEME}{id}"),
            Self::Alert(id) => write!(f, "{ALERT_SCHEME}{id}"),
        }
    }
}

/// How words look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// As usual.
    #[default]
    Plain,
    /// In italics.
    Emphasis,
    /// Bold.
    Strong,
    /// As code.
    Code,
}

/// An action that a runbook names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionLink {
    /// What the System calls the agent.
    pub host: String,
    /// The action's name.
    pub action: String,
    /// Values by parameter, in the order in which they were written.
    pub values: Vec<(String, String)>,
}

/// Why a link to an action cannot be read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkFault {
    /// It does not name a host and an action.
    #[error("it names no host and action: action:HOST/ACTION is expected")]
    NoAction,
    /// A value without a name, or twice the same.
    #[error("a value has no name, or the name stands there twice")]
    Value,
    /// A percent sign without two digits behind it, or what they stand for is no text.
    #[error("a percent sign is not followed by two digits of a text")]
    Percent,
    /// Longer than an address may be, or too many values.
    #[error("it is too long")]
    TooLong,
}

/// Why the action that a link names cannot be asked for here.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfferFault {
    /// The System has no such agent, or it tells of no actions.
    #[error("no host here is called {0}")]
    NoHost(String),
    /// The host does not allow it.
    #[error("{host} does not allow {action}")]
    NoAction {
        /// Which host.
        host: String,
        /// Which action.
        action: String,
    },
    /// The action does not take the values.
    #[error("the action does not take this")]
    Argument(#[from] ArgumentFault),
}

impl ActionLink {
    /// Reads an address; none when it is of another kind.
    pub fn parse(address: &str) -> Option<Result<Self, LinkFault>> {
        let rest = address.strip_prefix(ACTION_SCHEME)?;
        Some(Self::parse_rest(rest))
    }

    fn parse_rest(rest: &str) -> Result<Self, LinkFault> {
        if rest.len() > ADDRESS_LEN_BYTES_MAX {
            return Err(LinkFault::TooLong);
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, action) = place.split_once('/').ok_or(LinkFault::NoAction)?;
        let (host, action) = (decoded(host)?, decoded(action)?);
        if host.is_empty() || action.is_empty() {
            return Err(LinkFault::NoAction);
        }
        let mut values: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(LinkFault::Value)?;
            let (name, value) = (decoded(name)?, decoded(value)?);
            if name.is_empty() || values.iter().any(|(known, _)| *known == name) {
                return Err(LinkFault::Value);
            }
            if values.len() >= VALUES_MAX {
                return Err(LinkFault::TooLong);
            }
            values.push((name, value));
        }
        Ok(Self {
            host,
            action,
            values,
        })
    }

    /// The action that is meant, if it can be asked for with these values. What is not said yet is asked.
    ///
    /// # Errors
    /// What is not there, or not taken.
    pub fn offered<'a>(&self, known: &'a SystemActions) -> Result<&'a HostAction, OfferFault> {
        let mut of_host = known.actions.iter().filter(|it| it.host == self.host);
        let mut of_host_too = of_host.clone();
        if of_host.next().is_none() {
            return Err(OfferFault::NoHost(self.host.clone()));
        }
        let action = of_host_too.find(|it| it.name == self.action);
        let action = action.ok_or_else(|| OfferFault::NoAction {
            host: self.host.clone(),
            action: self.action.clone(),
        })?;
        for (name, value) in &self.values {
            let parameter = action.parameters.iter().find(|it| it.name == *name);
            let parameter = parameter.ok_or_else(|| ArgumentFault::Unknown(name.clone()))?;
            parameter.check(value)?;
        }
        Ok(action)
    }
}

/// What percent signs stand for.
fn decoded(text: &str) -> Result<String, LinkFault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| {
            let digit = char::from(byte.unwrap_or(b'-')).to_digit(16);
            digit.and_then(|digit| u8::try_from(digit).ok())
        };
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => bytes.push(high << 4 | low),
            _ => return Err(LinkFault::Percent),
        }
    }
    String::from_utf8(bytes).map_err(|_no_text| LinkFault::Percent)
}

impl Runbook {
    /// Reads a note. Whatever stands there, something is drawn: at worst the text as it is.
    pub fn parse(text: &str) -> Arc<Self> {
        let mut end = text.len().min(RUNBOOK_LEN_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let shown = text.get(..end).unwrap_or_default();
        // Whatever a library does with what a peer wrote, the window stays.
        let read = contain::run(|| Reader::default().read(shown));
        let mut runbook = read.unwrap_or_else(|_panic| Self {
            blocks: vec![Block {
                depth: 0,
                kind: BlockKind::Code(harmless(shown)),
            }],
            is_cut: false,
        });
        runbook.is_cut |= end < text.len();
        Arc::new(runbook)
    }
}

/// Text without what would deceive the eye.
fn harmless(text: &str) -> String {
    let kept = |c: &char| !is_deceptive(*c) || matches!(c, '\n' | '\t');
    text.chars().filter(kept).collect()
}

/// A link that is being read.
#[derive(Debug)]
struct OpenLink {
    address: String,
    words: String,
}

/// Puts blocks together.
#[derive(Debug, Default)]
struct Reader {
    blocks: Vec<Block>,
    spans: Vec<Span>,
    spans_all: usize,
    /// The lists around, each with its next number, if it has numbers.
    lists: Vec<Option<u64>>,
    quotes: usize,
    /// The mark of an item whose text has not begun.
    mark: Option<String>,
    emphasis: usize,
    strong: usize,
    link: Option<OpenLink>,
    code: Option<String>,
    cells: Option<Vec<String>>,
    is_full: bool,
}

impl Reader {
    fn read(mut self, text: &str) -> Runbook {
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            if self.blocks.len() >= BLOCKS_MAX || self.spans_all >= SPANS_MAX {
                self.is_full = true;
                break;
            }
            self.take(event);
        }
        self.flush();
        Runbook {
            blocks: self.blocks,
            is_cut: self.is_full,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.begin(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.words(&text, None),
            // HTML is shown as it stands there: nothing interprets it.
            Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.words(&text, Some(Style::Code));
            }
            Event::SoftBreak => self.words(" ", None),
            Event::HardBreak => self.span(Span::Break),
            Event::Rule => {
                self.flush();
                self.block(BlockKind::Rule);
            }
            _ => {}
        }
    }

    fn begin(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock | Tag::Heading { .. } | Tag::Table(_) => self.flush(),
            Tag::BlockQuote(_) => {
                self.flush();
                self.quotes += 1;
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush();
                self.mark = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let mark = format!("{number}.");
                        *number = number.saturating_add(1);
                        mark
                    }
                    _ => "•".to_owned(),
                });
            }
            Tag::TableHead | Tag::TableRow => self.cells = Some(Vec::new()),
            Tag::TableCell => {
                if let Some(cells) = &mut self.cells {
                    cells.push(String::new());
                    self.spans_all += 1;
                }
            }
            Tag::Emphasis => self.emphasis += 1,
            Tag::Strong => self.strong += 1,
            Tag::Link { dest_url, .. } => {
                self.link = Some(OpenLink {
                    address: dest_url.into_string(),
                    words: String::new(),
                });
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                let spans = std::mem::take(&mut self.spans);
                let level = u8::try_from(level as usize).unwrap_or(6);
                self.block(BlockKind::Heading(level, spans));
            }
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::Item => self.flush(),
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                self.block(BlockKind::Code(code.trim_end().to_owned()));
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                if let Some(cells) = self.cells.take() {
                    self.block(BlockKind::Row(cells));
                }
            }
            TagEnd::Emphasis => self.emphasis = self.emphasis.saturating_sub(1),
            TagEnd::Strong => self.strong = self.strong.saturating_sub(1),
            TagEnd::Link => {
                if let Some(link) = self.link.take() {
                    self.put_link(link);
                }
            }
            _ => {}
        }
    }

    fn put_link(&mut self, link: OpenLink) {
        let OpenLink { address, words } = link;
        let words = if words.trim().is_empty() {
            harmless(&address)
        } else {
            words
        };
        if let Some(action) = ActionLink::parse(&address) {
            self.span(Span::Action(words, action));
            return;
        }
        if let Some(place) = Place::parse(&address) {
            self.span(Span::Place(words, place));
            return;
        }
        let is_fit = address.len() <= ADDRESS_LEN_BYTES_MAX && !address.chars().any(is_deceptive);
        let lower = address.to_ascii_lowercase();
        let mut schemes = ["https://", "http://", "mailto:"].iter();
        if is_fit && schemes.any(|scheme| lower.starts_with(scheme)) {
            self.span(Span::Link(words, address));
        } else {
            // It leads nowhere; where it would have led is said.
            let mut shown = harmless(&address);
            if shown.len() > ADDRESS_LEN_BYTES_MAX {
                "…".clone_into(&mut shown);
            }
            self.span(Span::Words(format!("{words} ({shown})"), Style::Plain));
        }
    }

    fn words(&mut self, text: &str, style: Option<Style>) {
        let text = harmless(text);
        if let Some(code) = &mut self.code {
            code.push_str(&text);
        } else if let Some(cell) = self.cells.as_mut().and_then(|cells| cells.last_mut()) {
            cell.push_str(&text);
        } else if let Some(link) = &mut self.link {
            link.words.push_str(&text);
        } else if !text.is_empty() {
            let style = style.unwrap_or(match (self.strong, self.emphasis) {
                (0, 0) => Style::Plain,
                (0, _) => Style::Emphasis,
                _ => Style::Strong,
            });
            match self.spans.last_mut() {
                Some(Span::Words(before, known)) if *known == style => before.push_str(&text),
                _ => self.span(Span::Words(text, style)),
            }
        }
    }

    fn span(&mut self, span: Span) {
        self.spans_all += 1;
        self.spans.push(span);
    }

    /// Ends the text that is being read.
    fn flush(&mut self) {
        if self.spans.is_empty() {
            return;
        }
        let spans = std::mem::take(&mut self.spans);
        let mark = self.mark.take();
        self.block(BlockKind::Text(mark, spans));
    }

    fn block(&mut self, kind: BlockKind) {
        let depth = self.lists.len().saturating_add(self.quotes);
        let depth = u8::try_from(depth).unwrap_or(DEPTH_MAX).min(DEPTH_MAX);
        self.blocks.push(Block { depth, kind });
    }
}

#[cfg(test)]
mod tests;
