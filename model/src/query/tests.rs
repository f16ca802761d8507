//! What queries let through, how they are printed, and what is said of those that are none.

use super::*;
use crate::severity::Severity;

const NOW: Timestamp = Timestamp::from_millis(1_795_370_000_000);

/// A row with everything in plain sight.
struct Problem {
    texts: [(TextField, &'static str); 6],
    labels: [(&'static str, &'static str); 2],
    severity: Severity,
    worst: Severity,
    phase: Phase,
    flags: Vec<Flag>,
    opened_s: i64,
    changed_s: i64,
    resolved_s: Option<i64>,
    flaps: u64,
}

fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW.millis() - seconds * 1_000)
}

impl Row for Problem {
    fn any_text(&self, field: TextField, holds: &mut impl FnMut(&str) -> bool) -> bool {
        self.texts
            .iter()
            .any(|(known, text)| *known == field && !text.is_empty() && holds(text))
    }

    fn any_label(&self, holds: &mut impl FnMut(&str, &str) -> bool) -> bool {
        self.labels.iter().any(|(name, value)| holds(name, value))
    }

    fn severity(&self, field: SeverityField) -> Severity {
        match field {
            SeverityField::Now => self.severity,
            SeverityField::Worst => self.worst,
        }
    }

    fn phase(&self) -> Phase {
        self.phase
    }

    fn is(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    fn moment(&self, moment: Moment) -> Option<Timestamp> {
        match moment {
            Moment::Opened => Some(ago(self.opened_s)),
            Moment::Changed => Some(ago(self.changed_s)),
            Moment::LastOk | Moment::FirstSeen => None,
        }
    }

    fn resolved(&self) -> Option<Timestamp> {
        self.resolved_s.map(ago)
    }

    fn number(&self, number: Number) -> u64 {
        match number {
            Number::Flaps => self.flaps,
            Number::Occurrences => 1,
        }
    }
}

/// Replication on db02 is critical since two hours; the operator has it.
fn lag() -> Problem {
    Problem {
        texts: [
            (TextField::System, "db02 Zürich"),
            (TextField::Category, "database"),
            (TextField::Check, "postgres_replication"),
            (TextField::Family, "postgres_replication: lag # s"),
            (TextField::Owner, "Duty operator"),
            (TextField::Summary, "lag 41 s > 10 s"),
        ],
        labels: [("site", "rzob"), ("stage", "live")],
        severity: Severity::Critical,
        worst: Severity::Critical,
        phase: Phase::Acknowledged,
        flags: vec![Flag::Flapping],
        opened_s: 7_200,
        changed_s: 600,
        resolved_s: None,
        flaps: 6,
    }
}

fn lets(text: &str, row: &Problem) -> bool {
    let query: Query = text
        .parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let printed = query.to_string();
    assert_eq!(
        printed.parse::<Query>(),
        Ok(query.clone()),
        "{text}: {printed}"
    );
    query.plan(NOW).lets(row)
}

#[test]
fn every_field_lets_through_what_it_should() {
    let yes = [
        "",
        "severity:critical",
        "severity>=warning",
        "SEVERITY:crit",
        "severity!=ok",
        "worst:c",
        "state:acknowledged",
        "state!=open",
        "system:DB02",
        "system:zürich",
        "system:ZÜRICH",
        "system=\"db02 zürich\"",
        "category=database",
        "check:replication",
        "check!=replication",
        "family:\"lag # s\"",
        "owner:duty",
        "has:owner",
        "summary:~\"lag [0-9]+ s\"",
        "~^LAG",
        "label.site:rz",
        "label.SITE=RZOB",
        "label.stage!=test",
        "flapping:yes",
        "silenced:no",
        "age>1h",
        "age<1d",
        "opened<=2h",
        "changed<15m",
        "since:3h",
        "since:15m",
        "since:2020-01-01",
        "since:2026-11-22T00:00:00Z",
        "flaps>5",
        "flaps:6",
        "lag",
        "live",
        "replication db02",
        "replication AND db02",
        "nothing OR replication",
        "NOT nothing",
        "NOT (nothing OR never)",
        "(severity:ok OR severity:critical) duty",
        "a OR b OR lag AND 41",
    ];
    for text in yes {
        assert!(lets(text, &lag()), "{text}");
    }
}

#[test]
fn no_field_lets_through_what_it_should_not() {
    let no = [
        "severity:warning",
        "severity<critical",
        "worst:unknown",
        "state:open",
        "system=db02",
        "system!=\"DB02 ZÜRICH\"",
        "check=replication",
        "owner:alice",
        "label.site=rz",
        "label.nowhere:rz",
        "summary:~^[0-9]",
        "flapping:no",
        "silenced:yes",
        "age>2h",
        "opened>2h",
        "last-ok>1s",
        "NOT last-ok<1000d lag has:nothing OR never",
        "since:5m",
        "since:2099-01-01",
        "flaps<6",
        "nothing",
        "lag nothing",
        "NOT lag",
        "lag AND (nothing OR never)",
    ];
    for text in no {
        let Ok(query) = text.parse::<Query>() else {
            assert!(text.contains("has:nothing"), "{text} is no query");
            continue;
        };
        assert!(!query.plan(NOW).lets(&lag()), "{text}");
    }
}

#[test]
fn the_age_of_what_is_over_is_how_long_it_lasted() {
    let over = Problem {
        resolved_s: Some(7_000),
        ..lag()
    };
    assert!(lets("age<5m", &over) && lets("opened>1h", &over));
    assert!(!lets("age<5m", &lag()));
}

#[test]
fn what_is_printed_is_short_and_plain() {
    for (text, printed) in [
        ("a  AND b", "a b"),
        ("a and not b", "a NOT b"),
        ("((a OR b))", "a OR b"),
        ("(a b) OR c", "a b OR c"),
        ("(a OR b) c", "(a OR b) c"),
        ("sys\"tem\"", "sys tem"),
        ("owner=\"Ann \\\"A\\\" B\"", "owner=\"Ann \\\"A\\\" B\""),
        ("\"or\"", "\"or\""),
        ("system!=x", "NOT system=x"),
        ("age>90m", "age>90m"),
        ("age>1h30m", "age>90m"),
        ("age>60m", "age>1h"),
        ("label.\"my site\":x", "label.\"my site\":x"),
        ("summary:a:b", "summary:\"a:b\""),
        ("~\"\\d+ (a|b)\"", "~\"\\\\d+ (a|b)\""),
    ] {
        let query: Query = text.parse().unwrap();
        assert_eq!(query.to_string(), printed, "{text}");
    }
}

#[test]
fn an_error_says_where_and_what_was_expected() {
    for (text, said) in [
        (
            "severity:red",
            "at character 10: severity is one of critical, unknown, warning, missing, ok",
        ),
        (
            "größe:1",
            "at character 1: there is no field größe; in quotation marks the word itself is searched",
        ),
        (
            "ok sevrity:ok",
            "at character 4: there is no field sevrity; is severity meant? In quotation marks the word itself is searched",
        ),
        ("owner:", "at character 7: a value is expected after owner"),
        ("age:2h", "at character 1: age is compared by < <= > or >="),
        (
            "system>3",
            "at character 8: system is compared by : = or !=",
        ),
        (
            "age>2",
            "at character 5: a time such as 30s, 5m, 2h, 7d or 1w is expected",
        ),
        (
            "age>99999999999999999999d",
            "at character 5: a time such as 30s, 5m, 2h, 7d or 1w is expected",
        ),
        (
            "since:soon",
            "at character 7: a time such as 2h, or a date such as 2026-11-28, is expected",
        ),
        ("flaps>many", "at character 7: a whole number is expected"),
        ("a AND", "at character 6: a word, a field or ( is expected"),
        ("OR a", "at character 1: a word, a field or ( is expected"),
        ("(a OR b", "at character 8: ) is expected"),
        ("a)", "at character 2: no ( was opened before this )"),
        (
            "a \"b",
            "at character 3: the quotation that begins here has no end",
        ),
        (":a", "at character 1: a word, a field or ( is expected"),
        (
            "age>~2h",
            "at character 5: age is no text, so no regular expression can be held against it",
        ),
    ] {
        let error = text.parse::<Query>().unwrap_err();
        assert_eq!(error.to_string(), said, "{text}");
    }
    let error = "summary:~[".parse::<Query>().unwrap_err();
    assert!(matches!(error.fault, QueryFault::Pattern(_)), "{error}");
}

#[test]
fn everything_has_a_limit() {
    let fault = |text: &str| text.parse::<Query>().unwrap_err().fault;
    assert_eq!(
        fault(&"a".repeat(QUERY_LEN_BYTES_MAX + 1)),
        QueryFault::TooLong
    );
    assert_eq!(
        fault(&format!("system:{}:", "\\".repeat(900))),
        QueryFault::TooLong
    );
    assert_eq!(
        fault(&"a ".repeat(QUERY_TERMS_MAX + 1)),
        QueryFault::TooMany
    );
    assert_eq!(fault(&"(".repeat(QUERY_DEPTH_MAX + 1)), QueryFault::TooDeep);
    assert_eq!(
        fault(&"NOT ".repeat(QUERY_DEPTH_MAX + 1)),
        QueryFault::TooDeep
    );
    assert_eq!(
        fault(&"~a ".repeat(PATTERNS_MAX + 1)),
        QueryFault::PatternsTooMany
    );
    let long = format!("~{}", "a".repeat(PATTERN_LEN_BYTES_MAX + 1));
    assert_eq!(fault(&long), QueryFault::PatternTooLong);
    assert_eq!(fault("~(a|b)"), QueryFault::PatternEmpty);
    assert!(matches!(
        fault("~\"(a{999}){999}\""),
        QueryFault::Pattern(_)
    ));
}

fn known() -> KnownValues {
    let mut known = KnownValues::default();
    for title in ["db02", "Webshop production", "Web cache"] {
        known.add(TextField::System, title);
    }
    known.add(TextField::Owner, "");
    known.add_label("site", "rzob");
    known.add_label("site", "Falkenberg 2");
    known
}

/// What is offered at the end of a text, and the text with the first of it taken.
fn offered(text: &str) -> (Vec<String>, String) {
    let completion = Query::complete(text, text.len(), &known());
    let offered: Vec<_> = completion
        .candidates
        .iter()
        .map(|it| it.text.clone())
        .collect();
    let mut taken = text.to_owned();
    if let Some(first) = offered.first() {
        taken.replace_range(completion.replaces, first);
    }
    (offered, taken)
}

#[test]
fn fields_values_and_keywords_are_offered_where_they_fit() {
    assert_eq!(offered("sev").1, "severity:");
    assert_eq!(offered("lag se").1, "lag severity:");
    assert_eq!(offered("(ag").1, "(age>");
    assert_eq!(offered("severity:w").1, "severity:warning");
    assert_eq!(offered("severity>=").0.len(), 5);
    assert_eq!(offered("silenced:").0, ["yes", "no"]);
    assert_eq!(
        offered("system:").0,
        ["\"Web cache\"", "\"Webshop production\"", "db02"]
    );
    assert_eq!(offered("system:web").1, "system:\"Web cache\"");
    assert_eq!(
        offered("system:\"webshop p").1,
        "system:\"Webshop production\""
    );
    assert_eq!(offered("system:prod").1, "system:\"Webshop production\"");
    assert_eq!(offered("site").1, "label.site:");
    assert_eq!(offered("label.site=f").1, "label.site=\"Falkenberg 2\"");
    assert_eq!(offered("age>").0[0], "15m");
    assert_eq!(offered("owner:").0, Vec::<String>::new());
    assert_eq!(offered("nosuch:").0, Vec::<String>::new());
    assert_eq!(offered("lag an").1, "lag AND");
    assert_eq!(offered("summary:~").0, Vec::<String>::new());
    let all = offered("");
    assert_eq!((all.0.len(), all.1.as_str()), (CANDIDATES_MAX, "severity:"));
}

#[test]
fn every_field_is_found_by_its_name_whatever_its_case() {
    for field in Field::NAMED {
        let name = field.to_string();
        assert_eq!(Field::of_name(&name.to_uppercase()), Some(field.clone()));
        assert!(!field.comparisons().is_empty() && !field.first_sign().is_empty());
    }
    assert_eq!(Field::of_name("label."), None);
}
