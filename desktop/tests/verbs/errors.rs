//! What goes wrong: each error has a code, says where, changes nothing, and leaves with the exit code
//! that `--help` names.

use std::io::Read as _;
use std::process::Stdio;

use crate::program::{Aramaki, Process, text, wait_for};

#[test]
fn a_malformed_configuration_is_named_with_its_line_and_nothing_is_made() {
    let aramaki = Aramaki::without_workspace();
    let file = aramaki.path("config.toml");
    std::fs::write(
        &file,
        "log = \"info\"\n\n[network]\nlocal_discovry = true\n",
    )
    .unwrap();
    let init = [
        "init",
        "--name",
        "x",
        "--no-recovery-kit",
        "--config",
        &file,
    ];
    let error = aramaki.refused(&init, 1);
    assert_eq!(error["code"], "A-107");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("config.toml:4") && message.contains("local_discovry"),
        "{message}"
    );
    assert!(!std::path::Path::new(&aramaki.path("data")).exists());
    let missing = ["status", "--config", "/nowhere/config.toml"];
    assert_eq!(aramaki.refused(&missing, 1)["code"], "A-109");
    let filter = ["status", "--log", "aramaki=loud"];
    assert_eq!(aramaki.refused(&filter, 1)["code"], "A-108");
}

#[test]
fn wrong_arguments_exit_2_and_change_nothing() {
    let aramaki = Aramaki::new();
    let before = aramaki.json(&["system", "list"]);
    for wrong in [
        &["system", "add"][..],
        &["system", "add", ""],
        &["share", "Webshop", "--for", "8 hours"],
        &["share", "Webshop", "--can", "administer"],
        &["note", "add", "Webshop", "--title", "x"],
        &["timeline", "--limit", "many"],
        &["demo", "--duration", "0s"],
        &["demo", "--duration", "10y"],
        &["init", "--name", "x"],
        &["system", "edit", "Webshop"],
    ] {
        let expected = if wrong == ["system", "edit", "Webshop"] {
            // The System is looked for first: it does not exist.
            1
        } else {
            2
        };
        let error = aramaki.refused(wrong, expected);
        assert!(
            ["A-190", "A-103"].contains(&error["code"].as_str().unwrap()),
            "{wrong:?}: {error}"
        );
    }
    for (wrong, code) in [
        (&["system", "add", "X", "--rule", "forbid=all"][..], "A-108"),
        (&["system", "add", "X", "--operator", "median"], "A-108"),
        (&["system", "add", "X", "--checks", "/nowhere"], "A-109"),
        (&["relay", "add", "12", "34"], "A-108"),
        (&["join", "hello"], "A-110"),
        (&["restore", "/nowhere"], "A-102"),
    ] {
        assert_eq!(aramaki.refused(wrong, 1)["code"], code, "{wrong:?}");
    }
    // What only the model refuses leaves no empty System either.
    let long = "word ".repeat(20_000);
    let rule = format!("freely={long}");
    let refused = aramaki.refused(&["system", "add", "X", "--rule", &rule], 1);
    assert_eq!(refused["code"], "A-111", "{refused}");
    let spaces = aramaki.json(&["peers"])["spaces"].as_array().unwrap().len();
    assert_eq!(spaces, 0, "no Space was made for it");
    assert_eq!(aramaki.json(&["system", "list"]), before);
    let help = text(&aramaki.run(&["--help"]).stdout);
    for word in [
        "0 done",
        "1 an error",
        "2 wrong usage",
        "70 a bug",
        "130 interrupted",
    ] {
        assert!(help.contains(word), "{word}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_without_an_end_or_a_writer_is_refused_at_once() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let pipe = aramaki.path("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let large = aramaki.path("large");
    let file = std::fs::File::create(&large).unwrap();
    file.set_len(100 << 20).unwrap();
    for (path, words) in [
        (pipe.as_str(), "is not a regular file"),
        ("/dev/zero", "is not a regular file"),
        (large.as_str(), "is larger than"),
    ] {
        for verb in [
            &["status", "--config", path][..],
            &["system", "edit", "Webshop", "--checks", path],
        ] {
            let error = aramaki.refused(verb, 1);
            assert_eq!(error["code"], "A-109", "{verb:?}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(words), "{verb:?}: {message}");
        }
    }
    let note = ["note", "add", "Webshop", "--title", "x", "--file"];
    let long = aramaki.path("long.md");
    std::fs::write(&long, "ä".repeat(200_001)).unwrap();
    for path in ["/dev/zero", &large, &long] {
        let error = aramaki.refused(&[&note[..], &[path]].concat(), 1);
        assert_eq!(error["code"], "A-108", "{path}");
        assert_eq!(
            error["message"], "the note is longer than 200000 characters",
            "{path}"
        );
    }
    std::fs::write(&long, [0xff]).unwrap();
    let error = aramaki.refused(&[&note[..], &[&long]].concat(), 1);
    assert!(error["message"].as_str().unwrap().contains("not UTF-8"));
    assert_eq!(
        aramaki.json(&["note", "list", "Webshop"])["notes"],
        serde_json::json!([])
    );
    // A pipe with a writer, as the shell's `<(…)` makes one, is fine for a note.
    let end = pipe.clone();
    let writer = std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || std::fs::write(end, "from a pipe").unwrap())
        .unwrap();
    aramaki.json(&[&note[..], &[&pipe]].concat());
    writer.join().unwrap();
    let shown = aramaki.json(&["note", "show", "Webshop", "x"]);
    assert_eq!(shown["text"], "from a pipe");
}

#[test]
fn checks_that_no_agent_could_be_told_change_nothing() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let file = aramaki.path("checks.toml");
    let check = |number: usize, argument: &str| {
        format!(
            "[[check]]\nname = \"c{number}\"\nkind.command = {{ program = \"x\", arguments = [\"{argument}\"] }}\n"
        )
    };
    let edit = ["system", "edit", "Webshop", "--checks", &file];
    let many: String = (0..600).map(|number| check(number, "")).collect();
    std::fs::write(&file, &many).unwrap();
    aramaki.json(&edit);
    let before = aramaki.json(&["system", "show", "Webshop"]);
    // The same again are the same ones; as many of other names are too many.
    aramaki.json(&edit);
    let more: String = (600..1_200).map(|number| check(number, "")).collect();
    std::fs::write(&file, more).unwrap();
    let error = aramaki.refused(&edit, 1);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("1200 checks where 1000"), "{message}");
    let long: String = (0..60)
        .map(|number| check(number, &"y".repeat(4_000)))
        .collect();
    std::fs::write(&file, long).unwrap();
    let error = aramaki.refused(&edit, 1);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("where 196608 are allowed"), "{message}");
    assert_eq!(aramaki.json(&["system", "show", "Webshop"]), before);
    let add = ["system", "add", "Other", "--checks", &file];
    aramaki.refused(&add, 1);
    let systems = aramaki.json(&["system", "list"]);
    assert_eq!(systems["systems"].as_array().unwrap().len(), 1);
}

#[test]
fn a_system_is_no_part_of_itself() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let link = ["system", "link", "Webshop", "Webshop"];
    assert_eq!(aramaki.refused(&link, 1)["code"], "A-108");
    let shown = aramaki.json(&["system", "show", "Webshop"]);
    assert_eq!(shown["linked"], serde_json::json!([]));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let aramaki = Aramaki::new();
    for number in 0..30 {
        aramaki.json(&["system", "add", &format!("System {number}")]);
    }
    let mut child = aramaki
        .command("data", &["export"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Closed before anything is written: as `| head -0`.
    drop(child.stdout.take());
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
    assert_eq!(err, "");
}

#[test]
fn a_store_of_a_newer_version_is_refused_unchanged() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let (format, store) = (
        aramaki.path("data/store/format"),
        aramaki.path("data/store/store.redb"),
    );
    let known = std::fs::read_to_string(&format).unwrap();
    std::fs::write(&format, "999\n").unwrap();
    let before = std::fs::read(&store).unwrap();
    for verb in [&["status"][..], &["system", "add", "X"], &["verify"]] {
        let error = aramaki.refused(verb, 1);
        assert_eq!(error["code"], "A-112");
        assert!(
            error["message"].as_str().unwrap().contains("999"),
            "{error}"
        );
        assert!(error["hint"].as_str().unwrap().contains("newer"), "{error}");
    }
    assert_eq!(std::fs::read(&store).unwrap(), before);
    assert_eq!(std::fs::read_to_string(&format).unwrap(), "999\n");
    std::fs::write(&format, known).unwrap();
    aramaki.json(&["status"]);
}

#[test]
fn a_workspace_whose_store_is_gone_is_not_taken_for_an_empty_one() {
    let aramaki = Aramaki::new();
    aramaki.json(&["system", "add", "Webshop"]);
    let store = std::path::PathBuf::from(aramaki.path("data/store"));
    let kept = std::path::PathBuf::from(aramaki.path("kept"));
    std::fs::rename(&store, &kept).unwrap();
    for verb in [
        &["system", "list"][..],
        &["system", "add", "X"],
        &["verify"],
    ] {
        assert_eq!(aramaki.refused(verb, 1)["code"], "A-112");
        assert!(!store.exists(), "nothing is made");
    }
    std::fs::rename(&kept, &store).unwrap();
    let listed = aramaki.json(&["system", "list"]);
    assert_eq!(listed["systems"].as_array().unwrap().len(), 1, "{listed}");
}

#[test]
fn a_workspace_that_another_program_holds_answers_through_it() {
    let aramaki = Aramaki::without_workspace();
    let person = ["demo-person", "--name", "duty operator"];
    let (holder, event) = Process::start(aramaki.command("data", &person), None);
    assert_eq!(event, "ready");
    aramaki.json(&["system", "add", "Webshop"]);
    aramaki.json(&[
        "note",
        "add",
        "Webshop",
        "--title",
        "Restart",
        "--text",
        "Ask first.",
    ]);
    let note = aramaki.json(&["note", "show", "Webshop", "Restart"]);
    assert_eq!(note["text"], "Ask first.");
    // Paths are meant from where the verb was typed, not from where the other program runs.
    let here = aramaki.path("here");
    std::fs::create_dir(&here).unwrap();
    std::fs::write(format!("{here}/note.md"), "From a file.").unwrap();
    let add = [
        "note", "add", "Webshop", "--title", "File", "--file", "note.md", "--json",
    ];
    let mut command = aramaki.command("data", &add);
    assert!(
        command
            .current_dir(&here)
            .output()
            .unwrap()
            .status
            .success()
    );
    let error = aramaki.refused(&["note", "show", "Webshop", "None"], 1);
    assert_eq!(error["code"], "A-105", "errors come back as they are");
    assert_eq!(aramaki.refused(&["system", "show"], 2)["code"], "A-190");

    // Without its socket the holder is named.
    std::fs::remove_file(aramaki.path("data/aramaki.sock")).unwrap();
    let error = aramaki.refused(&["status"], 1);
    assert_eq!(error["code"], "A-112");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("in use by process"),
        "{error}"
    );
    drop(holder);
    assert_eq!(
        aramaki.json(&["note", "list", "Webshop"])["notes"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn verbs_at_the_same_time_wait_for_each_other() {
    let aramaki = Aramaki::new();
    let children: Vec<_> = (0..4)
        .map(|number| {
            let title = format!("System {number}");
            let mut command = aramaki.command("data", &["system", "add", &title]);
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let listed = aramaki.json(&["system", "list"]);
    assert_eq!(listed["systems"].as_array().unwrap().len(), 4);
}

#[test]
fn a_path_too_long_for_a_socket_is_no_hindrance() {
    let aramaki = Aramaki::without_workspace();
    let deep = "d".repeat(150);
    aramaki.json_in(&deep, &["init", "--name", "x", "--no-recovery-kit"]);
    aramaki.json_in(&deep, &["system", "add", "Webshop"]);
    aramaki.json_in(&deep, &["status"]);
}

#[test]
fn a_sealed_key_opens_with_its_passphrase_only_and_stays_sealed_in_a_backup() {
    let aramaki = Aramaki::without_workspace();
    let (right, wrong) = (aramaki.path("right"), aramaki.path("wrong"));
    std::fs::write(&right, "correct horse battery\n").unwrap();
    std::fs::write(&wrong, "something else here\n").unwrap();
    let init = ["init", "--name", "x", "--no-recovery-kit", "--passphrase"];
    assert_eq!(aramaki.refused(&init, 1)["code"], "A-120", "no terminal");
    assert!(!std::path::Path::new(&aramaki.path("data")).exists());
    let (given, other) = (["--passphrase-file", &right], ["--passphrase-file", &wrong]);
    aramaki.json(&[&init[..], &given].concat());
    aramaki.json(&[&["system", "add", "Webshop"][..], &given].concat());
    assert_eq!(aramaki.refused(&["status"], 1)["code"], "A-120");
    let refused = aramaki.refused(&[&["status"][..], &other].concat(), 1);
    assert_eq!(refused["code"], "A-121");
    assert!(!refused.to_string().contains("something else"));

    let backup = aramaki.path("backup");
    aramaki.json(&[&["backup", &backup][..], &given].concat());
    let bytes = std::fs::read(&backup).unwrap();
    let plain = b"aramaki key v1 plain";
    assert!(!bytes.windows(plain.len()).any(|part| part == plain));
    let restore = ["restore", &backup];
    let refused = aramaki.refused_in("other", &[&restore[..], &other].concat(), 1);
    assert_eq!(refused["code"], "A-121");
    aramaki.json_in("other", &[&restore[..], &given].concat());
    let listed = aramaki.json_in("other", &[&["system", "list"][..], &given].concat());
    assert_eq!(listed["systems"][0]["title"], "Webshop");
}

#[test]
fn without_a_display_the_app_says_what_to_do() {
    let aramaki = Aramaki::new();
    let error = aramaki.refused(&[], 1);
    assert_eq!(error["code"], "A-116");
    assert!(
        error["hint"].as_str().unwrap().contains("DISPLAY"),
        "{error}"
    );
    assert!(
        !error["message"].as_str().unwrap().contains(".rs"),
        "no places in sources: {error}"
    );
    let log = aramaki.path("state/aramaki/default.log");
    wait_for("the app's log is where docs say", || {
        std::path::Path::new(&log).exists().then_some(())
    });
}

#[test]
fn an_answer_that_cannot_be_printed_is_said() {
    let aramaki = Aramaki::new();
    for arguments in [&["system", "add", "Webshop"][..], &["--help"]] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = aramaki.command("data", arguments);
        let output = command.stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains("A-126") && said.contains("space"), "{said}");
    }
    let listed = aramaki.json(&["system", "list"]);
    assert_eq!(
        listed["systems"].as_array().unwrap().len(),
        1,
        "it was done"
    );
}
