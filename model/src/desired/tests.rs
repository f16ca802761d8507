//! Paths, schemas and what agents are told.

use super::*;

fn path(text: &str) -> DesiredPath {
    text.parse().unwrap()
}

#[test]
fn paths_are_names_with_strokes_between() {
    for text in [
        "a",
        "varnish/backends",
        "a/b/c/d/e/f/g/h",
        "php-8.2/pool_max",
    ] {
        assert_eq!(path(text).to_string(), text);
    }
    for text in [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "A",
        "a b",
        "..",
        "a/../b",
        "a/.b",
        "ä",
        "a\n",
        "a/b/c/d/e/f/g/h/i",
    ] {
        assert_eq!(text.parse::<DesiredPath>(), Err(PathError), "{text:?}");
    }
    assert!("x".repeat(129).parse::<DesiredPath>().is_err());
    assert!(path("a/b").is_within(&path("a")) && path("a").is_within(&path("a")));
    assert!(!path("ab").is_within(&path("a")));
}

#[test]
fn a_value_is_held_to_its_schema() {
    let integer = Schema::Integer {
        min: Some(1),
        max: Some(9),
    };
    assert_eq!(integer.read("4"), Ok(Value::from(4)));
    for typed in ["0", "10", "4.5", "four", "true", ""] {
        let fault = integer.read(typed).unwrap_err();
        assert_eq!(fault.0, "a whole number from 1 to 9 is expected", "{typed}");
    }
    let choice = Schema::Choice {
        of: vec!["on".to_owned(), "off".to_owned()],
    };
    assert_eq!(choice.read("on"), Ok(Value::from("on")));
    assert!(choice.read("maybe").unwrap_err().0.contains("on, off"));
    assert_eq!(Schema::Boolean.read("true"), Ok(Value::from(true)));
    assert!(Schema::Boolean.read("yes").is_err());
    let list = Value::from_iter(["a", "b"]);
    assert_eq!(Schema::List.read("a, b"), Ok(list.clone()));
    assert_eq!(Schema::List.read("[\"a\",\"b\"]"), Ok(list));
    assert!(Schema::List.read("[1]").is_err());
    assert_eq!(Schema::Text.read("4"), Ok(Value::from("4")));
    assert!(Schema::Text.read("a\u{1b}[2J").is_err());
    assert_eq!(Schema::Any.read("{\"a\":1}").unwrap()["a"], 1);
    assert_eq!(Schema::Any.read("plain"), Ok(Value::from("plain")));
    assert!(Schema::Any.read(&"x".repeat(VALUE_LEN_BYTES_MAX)).is_err());
    let upside_down = Schema::Integer {
        min: Some(2),
        max: Some(1),
    };
    assert!(upside_down.examine().is_err());
    assert!(Schema::Choice { of: Vec::new() }.examine().is_err());
}

#[test]
fn a_watched_path_is_a_value_or_all_below_it() {
    let desired = |value: Value| Desired {
        value,
        schema: Schema::Any,
    };
    let values = [
        (path("web/ports"), desired(Value::from(80))),
        (path("web/tls/on"), desired(Value::from(true))),
        (path("webs"), desired(Value::from("x"))),
    ];
    let state = DesiredState::new("aa".to_owned(), &values.into()).unwrap();
    assert_eq!(state.at(&path("web/ports")).unwrap(), "80");
    assert_eq!(
        state.at(&path("web")).unwrap(),
        r#"{"ports":80,"tls/on":true}"#
    );
    assert_eq!(state.at(&path("we")), None);
}

#[test]
fn what_a_hostile_administrator_sends_is_bounded() {
    let values = vec![
        ("ok".to_owned(), "1".to_owned()),
        ("../etc".to_owned(), "1".to_owned()),
        ("broken".to_owned(), "{".to_owned()),
        (
            "long".to_owned(),
            format!("\"{}\"", "x".repeat(VALUE_LEN_BYTES_MAX)),
        ),
    ];
    let state = DesiredState::lenient(&"h\u{1b}".repeat(2_000), values);
    assert_eq!(state.values.len(), 1);
    assert!(state.heads.len() <= HEADS_LEN_BYTES_MAX && !state.heads.contains('\u{1b}'));
}

#[test]
fn heads_of_many_concurrent_changes_stay_short() {
    assert_eq!(heads_text(&[[0xab; 32]]), "ab".repeat(32));
    let many = heads_text(&[[1; 32]; 40]);
    assert!(
        many.len() < HEADS_LEN_BYTES_MAX && many.ends_with("+39"),
        "{many}"
    );
}
