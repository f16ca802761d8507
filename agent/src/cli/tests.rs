//! The command line from the outside: what is printed, and with which exit code.

use super::*;

struct Ran {
    code: ExitCode,
    out: String,
    errors: String,
}

fn run(arguments: &[&str]) -> Ran {
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let arguments = std::iter::once("aramaki-agent")
        .chain(arguments.iter().copied())
        .map(OsString::from);
    let code = run_with(arguments, &mut out, &mut errors);
    Ran {
        code,
        out: String::from_utf8(out).unwrap(),
        errors: String::from_utf8(errors).unwrap(),
    }
}

fn is(code: ExitCode, number: u8) -> bool {
    format!("{code:?}") == format!("{:?}", ExitCode::from(number))
}

const FILE: &str = "[[check]]\nname = \"up\"\nuptime = { warning = \"31536000000:\" }\n";

/// Runs with a configuration of its own and an empty data folder.
fn with_file(text: &str, arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.toml");
    std::fs::write(&file, text).unwrap();
    let (file, data) = (
        file.display().to_string(),
        folder.path().display().to_string(),
    );
    run(&[&["--config", &file, "--data", &data], arguments].concat())
}

#[test]
fn one_check_runs_and_is_explained() {
    let ran = with_file(FILE, &["check", "up"]);
    assert!(is(ran.code, 0), "{}", ran.errors);
    assert!(ran.out.contains("result    WARNING"), "{}", ran.out);
    assert!(ran.out.contains("warning below 31536000000"), "{}", ran.out);
    let ran = with_file(FILE, &["--json", "check", "up"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["result"]["severity"], "warning");
    assert_eq!(json["origin"], "file");
}

#[test]
fn checks_are_listed_and_an_unknown_name_names_them() {
    let ran = with_file(FILE, &["check", "--list"]);
    assert!(
        ran.out.contains("up")
            && ran.out.contains("built-in uptime")
            && ran.out.contains("not run yet"),
        "{}",
        ran.out
    );
    let ran = with_file(FILE, &["check", "down"]);
    assert!(is(ran.code, 1));
    assert_eq!(
        ran.errors,
        "error A-402: no check is called \"down\"\nhint: checks here: up\n"
    );
}

#[test]
fn a_wrong_file_is_refused_with_its_place() {
    let ran = with_file("lag = 1\n", &["check", "--list", "--json"]);
    assert!(is(ran.code, 1));
    let json: serde_json::Value = serde_json::from_str(&ran.errors).unwrap();
    assert_eq!(json["error"]["code"], "A-401");
    assert!(
        json["error"]["message"]
            .as_str()
            .unwrap()
            .contains("agent.toml:1:1: field `lag`"),
        "{json}"
    );
    assert!(is(
        run(&["--config", "/nonexistent/agent.toml", "check", "--list"]).code,
        1
    ));
    assert!(is(
        with_file("", &["--log", "a=b=c", "check", "--list"]).code,
        1
    ));
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    assert!(is(run(&[]).code, 2));
    assert!(is(run(&["check"]).code, 2));
    assert!(is(run(&["check", "--list", "up"]).code, 2));
    let help = run(&["--help"]);
    assert!(is(help.code, 0) && help.errors.is_empty());
    for word in ["run", "check", "join", "completions", "ARAMAKI_DATA"] {
        assert!(help.out.contains(word), "{}", help.out);
    }
}

#[test]
fn an_invitation_that_is_none_and_an_agent_without_a_space_say_what_to_do() {
    let ran = with_file("", &["join", "hello"]);
    assert!(is(ran.code, 1));
    assert!(
        ran.errors.contains("A-404") && !ran.errors.contains("hello"),
        "{}",
        ran.errors
    );
    let ran = with_file("", &["run"]);
    assert!(is(ran.code, 1));
    assert!(
        ran.errors.contains("aramaki-agent join INVITATION"),
        "{}",
        ran.errors
    );
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&["completions", shell]);
        assert!(
            is(ran.code, 0) && ran.out.contains("aramaki-agent"),
            "{shell}"
        );
    }
}

#[test]
fn a_profile_has_files_of_its_own() {
    let parse = |arguments: &[&str]| Cli::try_parse_from(arguments).map(|cli| cli.common);
    let common = parse(&["aramaki-agent", "run", "--profile", "web-2"]).unwrap();
    assert_eq!(common.data(), PathBuf::from("/var/lib/aramaki-agent-web-2"));
    assert_eq!(
        common.of_profile(CONFIG_PATH),
        PathBuf::from("/etc/aramaki/agent-web-2.toml")
    );
    let common = parse(&["aramaki-agent", "run", "--profile", "x", "--data", "/d"]).unwrap();
    assert_eq!(common.data(), PathBuf::from("/d"));
    for wrong in ["", "../x", "a b", "ü"] {
        assert!(
            parse(&["aramaki-agent", "run", "--profile", wrong]).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn a_persons_invitation_is_refused_and_binds_nothing() {
    use aramaki_sync_core::invitation::{Invitation, Invitee};
    use aramaki_sync_core::statement::Capability;
    use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};

    let end = Timestamp::MAX;
    let invitation = Invitation {
        invitee: Invitee::Person,
        space: SpaceId::from_bytes([1; 32]),
        grant: EnvelopeId::from_bytes([2; 32]),
        seed: [3; 32].into(),
        capability: Capability::Write,
        begin: None,
        end,
        redeem_until: end,
        addresses: Vec::new(),
    };
    let text = invitation.to_text().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("agent");
    let ran = run(&["--data", &data.display().to_string(), "join", &text]);
    assert!(is(ran.code, 1), "{}", ran.errors);
    assert!(ran.errors.contains("A-404") && ran.errors.contains("for a person"));
    assert!(
        ran.errors.contains("aramaki agent invite"),
        "{}",
        ran.errors
    );
    assert!(!data.exists(), "nothing was made");
}

#[test]
fn what_a_check_measured_is_shown_and_nothing_is_said_to_be_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.toml");
    std::fs::write(&file, FILE).unwrap();
    let (file, data) = (
        file.display().to_string(),
        folder.path().display().to_string(),
    );
    let run =
        |arguments: &[&str]| run(&[&["--config", &file, "--data", &data], arguments].concat());
    let ran = run(&["series", "up"]);
    assert!(is(ran.code, 0), "{}", ran.errors);
    assert_eq!(ran.out, "nothing was measured in that time\n");
    let check = crate::config::local_check_id(aramaki_sync_core::AuthorId::ZERO, "up");
    let mut recorder = crate::series::Recorder::new(folder.path());
    let metric = |value| aramaki_model::Metric::new("uptime", value, aramaki_model::Unit::Seconds);
    for value in [3.0, 5.0] {
        recorder.take(check, crate::service::now(), &[metric(value)]);
    }
    recorder.end(crate::service::now()).unwrap();
    let ran = run(&["series", "up"]);
    assert!(
        ran.out.starts_with("uptime\n") && ran.out.contains("least 3s, most 5s"),
        "{}",
        ran.out
    );
    let ran = run(&["--json", "series", "up", "--metric", "up*", "--since", "1h"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let points = json["series"][0]["points"].as_array().unwrap();
    let count = |point: &serde_json::Value| point["count"].as_u64().unwrap();
    assert_eq!(points.iter().map(count).sum::<u64>(), 2);
    // As who asks from afar reads it.
    let read = aramaki_model::series::SeriesAnswer::parse(ran.out.as_bytes()).unwrap();
    assert_eq!((read.name.as_str(), read.left_out), ("up", 0));
    assert_eq!(read.series[0].unit, "s");
    let (least, most, _last) = read.series[0].extremes();
    assert_eq!((least, most), (3.0, 5.0));
    let ran = run(&["--json", "series", "up", "--metric", "other"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["series"], serde_json::json!([]));
    assert!(is(run(&["series", "down"]).code, 1));
    assert!(is(run(&["series", "up", "--since", "soon"]).code, 2));
}

#[test]
fn what_is_proposed_is_a_file_of_checks() {
    let ran = with_file(FILE, &["discover"]);
    assert!(is(ran.code, 0), "{}", ran.errors);
    let file: toml::Table = ran.out.parse().unwrap();
    assert!(ran.out.starts_with("# "), "{}", ran.out);
    let proposed = file.get("check").and_then(toml::Value::as_array);
    let proposed = proposed.map_or(0, Vec::len);
    let ran = with_file(FILE, &["--json", "discover"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["schema"], 1);
    let read = aramaki_model::proposal::Proposals::parse(ran.out.as_bytes()).unwrap();
    assert_eq!(read.checks.len(), json["checks"].as_array().unwrap().len());
    assert_eq!(json["left_out"], 0);
    // Ports come and go while other tests run.
    assert!(proposed == 0 || !json["checks"].as_array().unwrap().is_empty());
}

#[test]
fn a_check_that_came_by_results_is_let_out_and_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let config = folder.path().join("agent.toml");
    std::fs::write(&config, "").unwrap();
    let config = config.display().to_string();
    let agent = |arguments: &[&str]| {
        let around = ["--config", &config, "--data", &data];
        run(&[&around, arguments].concat())
    };
    let ran = agent(&["forget", "mysql"]);
    assert!(is(ran.code, 1));
    assert!(
        ran.errors.contains("A-402") && ran.errors.contains("came to be by results"),
        "{}",
        ran.errors
    );
    assert!(agent(&["forget"]).out.contains("No check"));
    let learned = r#"{"key":"mysql","check":{"id":"01JD0000000000000000000001","name":"mysql","kind":{"external":{}}},
        "changed":1,"ends":null,"ended":null}"#;
    let state = format!(
        r#"{{"version":1,"space":null,"config":null,"states":[],"pending":[],"learned":[{learned}]}}"#
    );
    std::fs::write(folder.path().join("agent-state.json"), state).unwrap();
    let ran = agent(&["forget"]);
    assert_eq!(ran.out, "taken      mysql\n", "{}", ran.errors);
    let ran = agent(&["forget", "mysql"]);
    assert!(is(ran.code, 0) && ran.out.contains("--undo"), "{}", ran.out);
    assert_eq!(agent(&["forget"]).out, "forgotten  mysql\n");
    let json: serde_json::Value = serde_json::from_str(&agent(&["--json", "forget"]).out).unwrap();
    assert_eq!(json["forgotten"][0], "mysql");
    // Once more changes nothing.
    let json = agent(&["--json", "forget", "mysql"]).out;
    assert!(json.contains("\"changed\":false"), "{json}");
    assert!(is(agent(&["forget", "mysql", "--undo"]).code, 0));
    assert_eq!(agent(&["forget"]).out, "taken      mysql\n");
    assert!(is(agent(&["forget", "mysql", "--undo"]).code, 1));
}
