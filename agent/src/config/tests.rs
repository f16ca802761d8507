//! Configuration files, right and wrong.

use super::*;
use aramaki_model::{Builtin, CheckKind, Thresholds};

const EXAMPLE: &str = include_str!("../../agent.toml.example");
const AGENT: AuthorId = AuthorId::ZERO;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("agent.toml")).map_err(|error| error.to_string())
}

#[test]
fn the_example_shows_every_default() {
    let without_checks: String = EXAMPLE
        .lines()
        .take_while(|line| !line.contains("[[check]]"))
        .map(|line| line.strip_prefix("#= ").unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    assert!(
        without_checks.contains("\nlog = "),
        "defaults are marked with #="
    );
    assert_eq!(parse(&without_checks).unwrap(), Config::default());
}

#[test]
fn every_check_of_the_example_is_right_and_every_kind_is_shown() {
    let all: String = EXAMPLE
        .lines()
        .map(|line| {
            line.strip_prefix("#= ")
                .or_else(|| line.strip_prefix("#- "))
                .unwrap_or(line)
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let checks = parse(&all).unwrap().checks(AGENT);
    let words: std::collections::BTreeSet<&str> = checks
        .iter()
        .map(|check| match &check.kind {
            CheckKind::Command { .. } => "command",
            CheckKind::Builtin(builtin) => crate::builtin::word(builtin),
            CheckKind::External {} => "external",
        })
        .collect();
    assert_eq!(words.len(), 17, "{words:?}");
    // The file as shipped runs a few checks that any machine can answer.
    let shipped = parse(EXAMPLE).unwrap().checks(AGENT);
    assert!(!shipped.is_empty() && shipped.len() < checks.len());
}

#[test]
fn an_empty_file_is_the_defaults_and_a_check_gets_the_models() {
    assert_eq!(parse("").unwrap(), Config::default());
    let text = "[[check]]\nname = \"l\"\nload = { warning = 2, critical = \"4\" }\n";
    let checks = parse(text).unwrap().checks(AGENT);
    let kind = CheckKind::Builtin(Builtin::Load(Thresholds::above(2.0, 4.0)));
    assert_eq!(checks, [Check::new(checks[0].id, "l", kind)]);
    let other = parse(text).unwrap().checks(AuthorId::from_bytes([1; 32]));
    assert_ne!(
        checks[0].id, other[0].id,
        "another agent's check is another check"
    );
}

#[test]
fn errors_name_file_line_and_field() {
    let table = [
        (
            "lag = \"info\"\n",
            "agent.toml:1:1: field `lag`: unknown field `lag`, expected one of",
        ),
        (
            "log = 3\n",
            "agent.toml:1:7: field `log`: invalid type: integer `3`, expected a string",
        ),
        (
            "\n[[check]]\nname = \"a\"\nload = { warnig = 1 }\n",
            "agent.toml:4:10: field `warnig`: unknown field",
        ),
        (
            "[[check]]\nname = \"a\"\nload = {}\ninterval = \"5 weeks\"\n",
            "agent.toml:4:12: field `interval`: \"5 weeks\" is not a span of time",
        ),
        (
            "[[check]]\nname = \"a\"\nload = { warning = \"9:3\" }\n",
            "agent.toml:3:20: field `warning`: a range that starts above its end",
        ),
        (
            "[[check]]\nload = {}\n",
            "agent.toml:1:1: field `name`: missing field `name`",
        ),
        (
            "[[check]]\nname = \"a\"\n",
            "agent.toml:2:8: field `name`: the check \"a\" says nothing to look at",
        ),
        (
            "[[check]]\nname = \"a\"\nload = {}\nswap = {}\n",
            "agent.toml:2:8: field `name`: the check \"a\" looks at 2 things",
        ),
        (
            "[[check]]\nname = \"a\"\nload = {}\n[[check]]\nname = \"a\"\nswap = {}\n",
            "agent.toml:5:8: field `name`: another check is called \"a\" too",
        ),
        (
            "[[check]]\nname = \" \"\nload = {}\n",
            "agent.toml:2:8: field `name`: a name of 1 to 128 characters",
        ),
        (
            "[[check]]\nname = \"a\"\nload = {}\nattempts = 0\n",
            "agent.toml:4:12: field `attempts`: 1 to 1000",
        ),
        (
            "[[check]]\nname = \"a\"\nload = {}\ninterval = \"10ms\"\n",
            "agent.toml:4:12: field `interval`: 1 s to 366 days",
        ),
        (
            "[network]\nlisten = \"here\"\n",
            "agent.toml:2:10: field `listen`:",
        ),
        ("log = \"info\"\nname", "agent.toml:2:5: key with no value"),
    ];
    assert_refused(&table);
}

#[test]
fn what_cannot_be_run_or_reached_is_refused_with_its_place() {
    assert_refused(&[
        (
            "[[check]]\nname = \"a\"\nload = {}\nretry_interval = \"0s\"\n",
            "agent.toml:4:18: field `retry_interval`: 1 s to 366 days",
        ),
        (
            "[[check]]\nname = \"a\"\n[check.command]\nprogram = \"\"\n",
            "agent.toml:4:11: field `command.program`: 1 to 4096 bytes",
        ),
        (
            "[[check]]\nname = \"a\"\ncommand = { program = \"x\", arguments = [\"\", \"\\u0000\"] }\n",
            "agent.toml:3:45: field `command.arguments[2]`: a text without a zero byte",
        ),
        (
            "[[check]]\nname = \"a\"\nload = {}\nhook = { program = \"b/c\" }\n",
            "agent.toml:4:20: field `hook.program`: an absolute path",
        ),
        (
            "[[check]]\nname = \"a\"\nload = {}\n[[check]]\nname = \"b\"\nhttp = { url = \"nourl\" }\n",
            "agent.toml:6:16: field `http.url`: http:// or https://",
        ),
        (
            "[[check]]\nname = \"a\"\nhttp = { url = \"http://a\", status = 999 }\n",
            "agent.toml:3:37: field `http.status`: 100 to 599",
        ),
        (
            "[[check]]\nname = \"a\"\ntcp = { address = \"a:99999\" }\n",
            "agent.toml:3:19: field `tcp.address`: a host and a port",
        ),
        (
            "[network]\nbootstrap = [\"x@y\"]\n",
            "agent.toml:2:14: field `network.bootstrap[1]`: `x` is not an endpoint key",
        ),
        (
            "[network]\ntransport_relays = [\"https://a\", \"ftp://a\"]\n",
            "agent.toml:2:34: field `network.transport_relays[2]`: `ftp://a` is not the URL",
        ),
        (
            "[listen]\nstatsd = [\"127.0.0.1:1\", \"0.0.0.0:8125\"]\n",
            "agent.toml:2:26: field `listen.statsd[2]`: 0.0.0.0 is not of this machine alone",
        ),
        (
            "[listen]\nnames = [\"a\", \"!\"]\n",
            "agent.toml:2:15: field `listen.names[2]`: a name of 1 to 256 bytes",
        ),
        (
            "[listen]\nlimit = 1001\n",
            "agent.toml:2:9: field `listen.limit`: 1 to 1000",
        ),
        (
            "[listen]\nstatsd_flush = \"2m\"\n",
            "agent.toml:2:16: field `listen.statsd_flush`: 1s to 60s",
        ),
        (
            "[listen]\nttl = \"1s\"\n",
            "agent.toml:2:7: field `listen.ttl`: 1m or more",
        ),
        (
            "[[check]]\nname = \"a\"\nload = {}\ncron = { expression = \"0 3 * *\" }\n",
            "agent.toml:4:23: field `cron.expression`: five fields are expected",
        ),
        (
            "[[check]]\nname = \"a\"\nload = {}\nmetrics = [{ metric = \"load\", missing = \"missing\" }]\n",
            "agent.toml:4:41: field `metrics[1].missing`: ok, warning, unknown or critical",
        ),
        (
            "[[check]]\nname = \"a\"\nload = {}\nflapping = { low = 30, high = 20 }\n",
            "agent.toml:4:12: field `flapping`: low up to high",
        ),
    ]);
}

#[test]
fn beyond_loopback_is_listened_on_when_it_is_said() {
    let text =
        "[listen]\nbeyond_loopback = true\nsensu_events = [\"192.0.2.1:3031\", \"[::1]:3031\"]\n";
    assert_eq!(parse(text).unwrap().listen.sensu_events.len(), 2);
    let local = "[listen]\nsensu_events = [\"127.0.0.2:3031\", \"[::1]:3031\"]\n";
    assert_eq!(parse(local).unwrap().listen.sensu_events.len(), 2);
}

fn assert_refused(table: &[(&str, &str)]) {
    for (text, expected) in table {
        let error = parse(text).unwrap_err();
        assert!(
            error.starts_with(expected),
            "{text:?}\n  says     {error}\n  expected {expected}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let path = Path::new("/nonexistent/agent.toml");
    assert!(
        Config::read(path)
            .unwrap_err()
            .to_string()
            .contains("/nonexistent/agent.toml")
    );
    assert_eq!(Config::read_or_default(path).unwrap(), Config::default());
}

#[cfg(unix)]
#[test]
fn a_file_without_an_end_or_a_writer_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for path in [&pipe, Path::new("/dev/zero")] {
        let error = Config::read(path).unwrap_err().to_string();
        assert!(error.ends_with("is not a regular file"), "{error}");
    }
    let large = folder.path().join("agent.toml");
    let file = std::fs::File::create(&large).unwrap();
    file.set_len(FILE_LEN_BYTES_MAX + 1).unwrap();
    let error = Config::read(&large).unwrap_err().to_string();
    assert!(
        error.ends_with("agent.toml is larger than 1048576 bytes"),
        "{error}"
    );
}

#[test]
fn the_spread_of_runs_by_the_clock_is_at_most_a_minute() {
    let spread = |text: &str| parse(text).map(|config| config.cron_splay.as_secs());
    assert_eq!(spread(""), Ok(60));
    assert_eq!(spread("cron_splay = \"0s\"\n"), Ok(0));
    let error = spread("log = \"info\"\ncron_splay = \"61s\"\n").unwrap_err();
    assert!(
        error.contains("agent.toml:2") && error.contains("`cron_splay`: at most 60s"),
        "{error}"
    );
}
