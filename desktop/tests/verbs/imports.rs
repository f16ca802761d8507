//! Coming from another program: `aramaki import`.

use std::path::Path;

use serde_json::Value;

use crate::program::{Aramaki, text};

fn corpus(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/corpus")
        .join(name);
    path.display().to_string()
}

fn changes<'a>(report: &'a Value, title: &str) -> &'a Vec<Value> {
    let systems = report["systems"].as_array().unwrap().iter();
    let found = systems.into_iter().find(|it| it["title"] == title);
    found.unwrap()["changes"].as_array().unwrap()
}

#[test]
fn a_dry_run_shows_what_becomes_what_and_writes_nothing() {
    let aramaki = Aramaki::new();
    let folder = corpus("import_nagios");
    let shown = aramaki.json(&["import", "nagios", &folder]);
    assert_eq!(
        (&shown["dry_run"], &shown["new"]),
        (&true.into(), &6.into())
    );
    let remarks = shown["remarks"].as_array().unwrap();
    let secret = remarks
        .iter()
        .find(|it| it["reason"].as_str().unwrap().contains("USER9"));
    let secret = secret.unwrap();
    assert!(secret["file"].as_str().unwrap().ends_with("site.cfg"));
    assert!(secret["line"].is_u64());
    assert_eq!(
        aramaki.json(&["system", "list"])["systems"],
        Value::Array(Vec::new())
    );
    let people = text(&aramaki.run(&["import", "nagios", &folder]).stdout);
    for said in [
        "host/web1",
        "new: 2 checks",
        "Not taken",
        "--yes does it",
        "site.cfg:",
    ] {
        assert!(people.contains(said), "{said} is not in\n{people}");
    }
}

#[test]
fn an_import_happens_once_and_tells_what_changed_later() {
    let aramaki = Aramaki::new();
    let shop = aramaki.json(&["system", "add", "Shop"]);
    let file = aramaki.path("site.cfg");
    let nagios =
        std::fs::read_to_string(Path::new(&corpus("import_nagios")).join("site.cfg")).unwrap();
    std::fs::write(&file, &nagios).unwrap();
    let import = ["import", "nagios", &file, "--into", "Shop", "--yes"];
    let done = aramaki.json(&import);
    assert_eq!(
        (&done["dry_run"], &done["new"], &done["same"]),
        (&false.into(), &6.into(), &0.into())
    );
    let web1 = aramaki.json(&["system", "show", "web1"]);
    let names: Vec<_> = web1["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(web1["contacts"][0]["role"], "technical");
    let linked = aramaki.json(&["system", "show", shop["id"].as_str().unwrap()]);
    let mut parts: Vec<_> = linked["linked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["label"].as_str().unwrap())
        .collect();
    parts.sort_unstable();
    assert_eq!(parts, ["all", "shop", "web"], "only what is at the top");
    let again = aramaki.json(&import);
    assert_eq!(
        (&again["new"], &again["changed"], &again["same"]),
        (&0.into(), &0.into(), &6.into())
    );
    std::fs::write(
        &file,
        nagios.replace("check_interval          10", "check_interval          15"),
    )
    .unwrap();
    let changed = aramaki.json(&import);
    assert_eq!(
        (&changed["new"], &changed["changed"], &changed["same"]),
        (&0.into(), &2.into(), &4.into())
    );
    assert_eq!(changes(&changed, "web1")[0]["how"], "changed");
    let timeline = text(&aramaki.run(&["timeline", "web1"]).stdout);
    assert!(timeline.contains("changed HTTP"), "{timeline}");
    aramaki.json(&["verify"]);
}

#[test]
fn every_format_is_imported_from_the_files_of_its_program() {
    let aramaki = Aramaki::new();
    for (format, folder, title) in [
        ("sensu-core", "import_sensu_core", "web1.example.org"),
        ("sensu-go", "import_sensu_go", "app1"),
        (
            "prometheus-rules",
            "import_prometheus_rules",
            "Prometheus alerts",
        ),
        ("consul", "import_consul", "cache"),
    ] {
        aramaki.json(&["import", format, &corpus(folder), "--yes"]);
        assert_eq!(aramaki.json(&["system", "show", title])["title"], title);
    }
    let alerts = aramaki.json(&["system", "show", "Prometheus alerts"]);
    assert_eq!(alerts["families"][1]["name"], "HostDown");
    assert_eq!(
        alerts["labels"]["imported-from"],
        "prometheus-rules:alerts/Prometheus alerts"
    );
}

#[test]
fn definitions_of_consul_keep_every_check_and_say_what_is_not_read() {
    let aramaki = Aramaki::new();
    let folder = aramaki.path("consul.d");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(format!("{folder}/other.hcl"), "service { name = \"db\" }").unwrap();
    let error = aramaki.refused(&["import", "consul", &folder], 1);
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("other.hcl") && message.contains("HCL"),
        "{message}"
    );
    let service = r#"{"node_name": "n1", "service": {"name": "web", "port": 80, "checks": [
        {"http": "http://127.0.0.1/a", "interval": "10s"}, {"http": "http://127.0.0.1/b", "interval": "10s"}]}}"#;
    std::fs::write(format!("{folder}/web.json"), service).unwrap();
    let done = aramaki.json(&["import", "consul", &folder, "--yes"]);
    let remarks = done["remarks"].as_array().unwrap();
    assert!(
        remarks
            .iter()
            .any(|it| it["file"].as_str().unwrap().ends_with("other.hcl"))
    );
    assert!(remarks.iter().all(|it| it["file"] != ""), "{remarks:?}");
    let web = aramaki.json(&["system", "show", "web"]);
    let names: Vec<_> = web["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].clone())
        .collect();
    assert_eq!(names, ["service:web:1", "service:web:2"]);
    let again = aramaki.json(&["import", "consul", &folder]);
    assert_eq!(again["same"], 2, "twice is once: {again}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let aramaki = Aramaki::new();
    let nothing = aramaki.path("nothing");
    let error = aramaki.refused(&["import", "nagios", &nothing], 1);
    assert_eq!(error["code"], "A-109");
    std::fs::create_dir(&nothing).unwrap();
    let error = aramaki.refused(&["import", "consul", &nothing], 1);
    assert_eq!(error["code"], "A-108");
    assert!(error["message"].as_str().unwrap().contains(".json"));
    aramaki.refused(&["import", "consul", &nothing, "--into", "Nobody"], 1);
    let broken = aramaki.path("broken.json");
    std::fs::write(&broken, "{\"checks\": {\"a\": {\"command\": \"x\",}}}").unwrap();
    let message = |error: &Value| error["message"].as_str().unwrap().to_owned();
    let error = aramaki.refused(&["import", "sensu-core", &broken], 1);
    let said = message(&error);
    assert!(said.contains("broken.json:1"), "{said}");
    assert!(said.contains("no JSON"), "{said}");
    // Beside one that can be read: shown, and written only if somebody wants the rest alone.
    let folder = aramaki.path("both");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(&broken, format!("{folder}/broken.json")).unwrap();
    let good = "{\"checks\": {\"a\": {\"command\": \"x\", \"interval\": 60, \"interval\": 30, \"subscribers\": [\"db\"]}}}";
    std::fs::write(format!("{folder}/good.json"), good).unwrap();
    let shown = aramaki.json(&["import", "sensu-core", &folder]);
    let remarks = shown["remarks"].as_array().unwrap();
    let cut = remarks.iter().find(|it| it["broken"] == true).unwrap();
    assert_eq!(cut["line"], 1);
    assert!(
        remarks
            .iter()
            .any(|it| it["field"] == "interval" && it["broken"] == false),
        "it stands there twice: {remarks:?}"
    );
    let error = aramaki.refused(&["import", "sensu-core", &folder, "--yes"], 1);
    assert!(message(&error).contains("nothing was written"), "{error}");
    assert_eq!(
        aramaki.json(&["system", "list"])["systems"],
        Value::Array(Vec::new())
    );
    aramaki.json(&["import", "sensu-core", &folder, "--yes", "--skip-broken"]);
    assert_ne!(
        aramaki.json(&["system", "list"])["systems"],
        Value::Array(Vec::new())
    );
}
