//! No text makes the filter panic, and what it prints is read back as the same.

use aramaki_model::query::{KnownValues, Query, TextField};
use proptest::prelude::*;

/// Texts that are nearly queries.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just(" ".to_owned()),
        Just(" AND ".to_owned()),
        Just(" OR ".to_owned()),
        Just("NOT ".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("~".to_owned()),
        "(severity|state|system|owner|age|opened|since|flaps|has|silenced|label\\.site|label\\.|wrong)",
        "(:|=|!=|<|<=|>|>=)",
        "(critical|w|yes|no|open|2h|1d12h|99999999999999999999w|0s|7|2026-11-28|2026-11-28T10:00:00Z)",
        "[a-zäß\\[\\]{}*+?|.^$0-9]{0,6}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Texts that are queries, of every field.
fn query() -> impl Strategy<Value = String> {
    let word = || "(x|\"a b\"|\"\\\\\\\\\"|\"or\"|\"~\"|\"\\\\\"\"|\"\"|ö|~a+|~\"(a|b) c\")";
    let comparison = || "(<|<=|>|>=)";
    let term = prop_oneof![
        word().prop_map(String::from),
        ("(system|category|check|family|owner|summary|label\\.a|label\\.\"b c\"|label\\.\"not\")", "(:|=|!=)", word())
            .prop_map(|(field, sign, value)| format!("{field}{sign}{value}")),
        ("(severity|worst)", "(:|=|!=|<|<=|>|>=)", "(ok|warn|unknown|critical|m)")
            .prop_map(|(field, sign, value)| format!("{field}{sign}{value}")),
        ("(age|opened|changed|last-ok|first-seen)", comparison(), "(0s|1s|90m|36h|1d12h|2w)")
            .prop_map(|(field, sign, value)| format!("{field}{sign}{value}")),
        "(state:open|state!=resolved|silenced:yes|claimed:n|has:owner|since:2h|since:2026-11-28|flaps>3|occurrences:1)",
    ];
    let level = term.prop_map(|term| term).boxed();
    level.prop_recursive(4, 32, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b} AND {a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} OR {b}")),
            inner.prop_map(|a| format!("NOT {a}")),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_panics_and_every_place_of_it_can_be_completed(text in nearly(), cursor in 0_usize..200) {
        let mut known = KnownValues::default();
        known.add(TextField::System, &text);
        known.add_label(&text, &text);
        let completion = Query::complete(&text, cursor, &known);
        prop_assert!(text.get(completion.replaces.clone()).is_some());
        for candidate in completion.candidates {
            let mut taken = text.clone();
            taken.replace_range(completion.replaces.clone(), &candidate.text);
        }
        match text.parse::<Query>() {
            Ok(query) => prop_assert_eq!(query.to_string().parse::<Query>(), Ok(query)),
            Err(error) => prop_assert!(error.at <= text.chars().count() + 1, "{}", error),
        }
    }

    #[test]
    fn what_is_printed_is_read_back_as_the_same(text in query()) {
        if let Ok(query) = text.parse::<Query>() {
            prop_assert_eq!(query.to_string().parse::<Query>(), Ok(query));
        } else {
            prop_assert!(text.len() > 200 || text.matches('~').count() > 8, "{}", text);
        }
    }

    #[test]
    fn a_value_that_is_offered_is_read_as_that_value(value in "\\PC{1,20}") {
        let mut known = KnownValues::default();
        known.add(TextField::Owner, &value);
        let completion = Query::complete("owner=", 6, &known);
        let offered = completion.candidates.first().map(|it| it.text.clone());
        let offered = offered.unwrap_or_default();
        let read = format!("owner={offered}").parse::<Query>();
        let meant = format!("owner=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
        prop_assert_eq!(read, meant.parse::<Query>());
    }
}
