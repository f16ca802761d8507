//! What a note may hold, and that nothing in one does harm.

use aramaki_model::action::{Parameter, ParameterKind};
use aramaki_sync_core::SpaceId;

use super::*;

fn plain(text: &str) -> Span {
    Span::Words(text.to_owned(), Style::Plain)
}

fn kinds(text: &str) -> Vec<(u8, BlockKind)> {
    let runbook = Runbook::parse(text);
    assert!(!runbook.is_cut);
    let blocks = runbook.blocks.iter();
    blocks.map(|it| (it.depth, it.kind.clone())).collect()
}

#[test]
fn what_people_write_is_read_block_by_block() {
    let text = "# Queue grows\n\nFind *the* **sender**,\nuse `mailq`.\n\n1. look\n2. flush\n   - slowly\n\n> wait\n\n    mailq | tail\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n---\n";
    let styled = |text: &str, style| Span::Words(text.to_owned(), style);
    let item = |mark: &str, text| BlockKind::Text(Some(mark.to_owned()), vec![plain(text)]);
    let row = |a: &str, b: &str| BlockKind::Row(vec![a.to_owned(), b.to_owned()]);
    assert_eq!(
        kinds(text),
        [
            (0, BlockKind::Heading(1, vec![plain("Queue grows")])),
            (
                0,
                BlockKind::Text(
                    None,
                    vec![
                        plain("Find "),
                        styled("the", Style::Emphasis),
                        plain(" "),
                        styled("sender", Style::Strong),
                        plain(", use "),
                        styled("mailq", Style::Code),
                        plain("."),
                    ]
                )
            ),
            (1, item("1.", "look")),
            (1, item("2.", "flush")),
            (2, item("•", "slowly")),
            (1, BlockKind::Text(None, vec![plain("wait")])),
            (0, BlockKind::Code("mailq | tail".to_owned())),
            (0, row("a", "b")),
            (0, row("1", "2")),
            (0, BlockKind::Rule),
        ]
    );
}

fn spans(text: &str) -> Vec<Span> {
    match kinds(text).pop() {
        Some((_, BlockKind::Text(_, spans))) => spans,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_link_is_an_action_an_address_of_web_or_mail_or_words() {
    let flush = spans("[Flush the cache](action:web1/varnish-flush?pattern=.*&how=a%20b%2Fc)");
    let link = ActionLink {
        host: "web1".to_owned(),
        action: "varnish-flush".to_owned(),
        values: vec![
            ("pattern".to_owned(), ".*".to_owned()),
            ("how".to_owned(), "a b/c".to_owned()),
        ],
    };
    assert_eq!(
        flush,
        [Span::Action("Flush the cache".to_owned(), Ok(link))]
    );
    for (address, fault) in [
        ("action:", LinkFault::NoAction),
        ("action:web1", LinkFault::NoAction),
        ("action:/x", LinkFault::NoAction),
        ("action:web1/x?a", LinkFault::Value),
        ("action:web1/x?a=1&a=2", LinkFault::Value),
        ("action:web1/x?a=%", LinkFault::Percent),
        ("action:web1/x?a=%f", LinkFault::Percent),
        ("action:web1/x?a=%ff", LinkFault::Percent),
        ("action:web1/x?a=%-1", LinkFault::Percent),
    ] {
        assert_eq!(ActionLink::parse(address), Some(Err(fault)), "{address}");
    }
    let long = format!("action:web1/{}", "x".repeat(ADDRESS_LEN_BYTES_MAX));
    assert_eq!(ActionLink::parse(&long), Some(Err(LinkFault::TooLong)));
    for address in [
        "https://example.org/a",
        "HTTP://example.org",
        "mailto:a@example.org",
    ] {
        let read = spans(&format!("[see]({address})"));
        assert_eq!(read, [Span::Link("see".to_owned(), address.to_owned())]);
    }
    for address in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ssh://host",
        "//example.org",
        "x",
    ] {
        let read = spans(&format!("[see]({address})"));
        assert_eq!(read, [plain(&format!("see ({address})"))]);
    }
    let entry = EntryId::new(aramaki_sync_core::Timestamp::from_millis(5), [7; 10]);
    let alert = AlertId([9; 32]);
    for place in [Place::Entry(entry), Place::Alert(alert)] {
        let read = spans(&format!("[12:00]({place})"));
        assert_eq!(read, [Span::Place("12:00".to_owned(), place)]);
    }
    for address in ["entry:", "entry:01", "alert:x", "alert:0909"] {
        let read = spans(&format!("[see]({address})"));
        assert_eq!(read, [plain(&format!("see ({address})"))]);
    }
    // A picture is never fetched, and HTML is shown as it stands there.
    assert_eq!(spans("![cat](https://example.org/cat.png)"), [plain("cat")]);
    let html = spans("a <b onclick=x>c</b>");
    assert!(
        html.contains(&Span::Words("<b onclick=x>".to_owned(), Style::Code)),
        "{html:?}"
    );
    assert_eq!(spans("a\u{202e}b\u{200b}"), [plain("ab")]);
}

#[test]
fn a_button_works_only_for_what_a_host_here_allows() {
    let flush = HostAction {
        host: "web1".to_owned(),
        name: "flush".to_owned(),
        description: String::new(),
        parameters: vec![Parameter {
            name: "path".to_owned(),
            kind: ParameterKind::Text {
                pattern: "/.*".to_owned(),
                len_bytes_max: 20,
            },
            default: None,
        }],
        approvals: 0,
        is_read_only: false,
        runs: Vec::new(),
        watched: Vec::new(),
    };
    let known = SystemActions {
        actions: vec![flush],
        ..SystemActions::new(SpaceId::ZERO)
    };
    let offered = |address: &str| {
        let link = ActionLink::parse(address).unwrap().unwrap();
        link.offered(&known).map(|it| it.name.clone())
    };
    assert_eq!(offered("action:web1/flush?path=/a"), Ok("flush".to_owned()));
    assert_eq!(
        offered("action:web1/flush"),
        Ok("flush".to_owned()),
        "the rest is asked"
    );
    assert_eq!(
        offered("action:web2/flush"),
        Err(OfferFault::NoHost("web2".to_owned()))
    );
    let fault = offered("action:web1/reboot").unwrap_err();
    assert_eq!(fault.to_string(), "web1 does not allow reboot");
    for address in ["action:web1/flush?path=a", "action:web1/flush?where=/"] {
        assert!(
            matches!(offered(address), Err(OfferFault::Argument(_))),
            "{address}"
        );
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

fn check_bounds(text: &str) {
    let runbook = Runbook::parse(text);
    let spans: usize = runbook
        .blocks
        .iter()
        .map(|block| match &block.kind {
            BlockKind::Heading(_, spans) | BlockKind::Text(_, spans) => spans.len(),
            BlockKind::Row(cells) => cells.len(),
            BlockKind::Code(_) | BlockKind::Rule => 0,
        })
        .sum();
    assert!(
        runbook.blocks.len() <= BLOCKS_MAX + 1,
        "{}",
        runbook.blocks.len()
    );
    assert!(spans <= SPANS_MAX + 1, "{spans}");
    assert!(runbook.blocks.iter().all(|it| it.depth <= DEPTH_MAX));
    assert!(runbook.is_cut || text.len() <= RUNBOOK_LEN_BYTES_MAX);
}

const PIECES: &[&str] = &[
    "> ",
    "- ",
    "1. ",
    "  - a\n",
    "[",
    "![",
    "*",
    "_a_ ",
    "`",
    "``` \n",
    "| a ",
    "|-|-|\n| a | b |\n",
    "<b>",
    "<!-- ",
    "&amp;",
    "\\",
    "[a](action:b/c)\n\n",
    "[a]: b\n",
    "[a][a] ",
    "# \n",
    "a\n\n",
    "---\n\n",
    "\u{202e}",
    "ä",
    "\r",
    "\0",
    "\t",
    "]( ",
    "**a** b ",
    "a",
    " ",
    "\n",
    "    ",
    "```",
    "**",
    "](",
    ")",
    "!",
    "action:",
    "web1/flush?path=",
    "%2",
    "%",
    "https://",
    "|",
    "---|---",
    "<",
    ">",
    "#",
    "\u{1f469}",
];

#[test]
fn whatever_a_peer_writes_is_read_within_bounds() {
    for piece in PIECES {
        check_bounds(&piece.repeat(200_000 / piece.len()));
        let nested: Vec<_> = (0..300)
            .map(|n| format!("{}{piece}\n", " ".repeat(n)))
            .collect();
        check_bounds(&nested.concat());
    }
    let mut dice = Dice(7);
    for _ in 0..3_000 {
        let len = dice.below(120);
        let text: String = (0..len).map(|_| PIECES[dice.below(PIECES.len())]).collect();
        check_bounds(&text);
    }
}
