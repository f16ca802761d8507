//! What files of other programs become, on files as those programs document them.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

use std::collections::BTreeMap;

use aramaki_model::flapping::FlappingLimits;
use aramaki_model::import::{
    ChangeKind, Format, How, ImportOptions, ImportPlan, PlannedSystem, SourceFile, Verdict, plan,
};
use aramaki_model::{Builtin, CheckKind, Relation, Severity, System, Workspace};
use aramaki_sync_core::{AuthorId, Chain, Instance, SpaceId, Timestamp};

const SENSU_CORE: &str = include_str!("../../tests/corpus/import_sensu_core/site.json");
const SENSU_GO: &str = include_str!("../../tests/corpus/import_sensu_go/dump.yaml");
const NAGIOS: &str = include_str!("../../tests/corpus/import_nagios/site.cfg");
const PROMETHEUS: &str = include_str!("../../tests/corpus/import_prometheus_rules/alerts.yaml");
const SERVICES: &str = include_str!("../../tests/corpus/import_consul/services.json");
const HEALTH: &str = include_str!("../../tests/corpus/import_consul/health.json");

#[path = "common/planned.rs"]
mod planned;

use planned::{checks, sources, system, titles};

fn read(format: Format, files: &[(&str, &str)]) -> ImportPlan {
    let files = sources(files);
    plan(format, &files, &ImportOptions::default())
}

fn command(system: &PlannedSystem, check: &str) -> String {
    let check = system.checks.iter().find(|it| it.name == check).unwrap();
    let CheckKind::Command { program, arguments } = &check.kind else {
        panic!("{check:?} is no command");
    };
    let mut words = vec![program.as_str()];
    words.extend(arguments.iter().map(String::as_str));
    words.join(" ")
}

fn edges(plan: &ImportPlan, title: &str) -> Vec<(String, Relation)> {
    let name = |key: &str| {
        let found = plan.systems.iter().find(|it| it.key == key);
        found.unwrap().title.clone()
    };
    let edges = system(plan, title).edges.iter();
    edges.map(|it| (name(&it.key), it.relation)).collect()
}

/// Whether something of this place and field was told.
fn told(plan: &ImportPlan, path: &str, field: &str, verdict: Verdict) -> bool {
    let mut remarks = plan.remarks.iter();
    remarks.any(|it| it.place.path.contains(path) && it.field == field && it.verdict == verdict)
}

fn dump(plan: &ImportPlan) -> String {
    let lines = plan.remarks.iter();
    let lines = lines.map(|it| format!("{} {}: {}", it.place, it.field, it.reason));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn sensu_core_checks_run_on_the_clients_that_subscribe() {
    let plan = read(Format::SensuCore, &[("site.json", SENSU_CORE)]);
    let web1 = system(&plan, "web1.example.org");
    assert_eq!(
        checks(web1),
        ["backup", "disk", "load", "web"],
        "{}",
        dump(&plan)
    );
    assert_eq!(web1.labels["address"], "192.0.2.11");
    assert_eq!(web1.labels["environment"], "production");
    assert_eq!(command(web1, "disk"), "check_disk -w 85% -c 95% -p /");
    assert_eq!(
        command(web1, "web"),
        "/bin/sh -c check_http -H 192.0.2.11 | grep -v nothing"
    );
    let check = |name: &str| web1.checks.iter().find(|it| it.name == name).unwrap();
    let load = check("load");
    assert_eq!(
        (load.interval_ms, load.attempts, load.timeout_ms),
        (60_000, 3, 20_000)
    );
    assert_eq!(check("disk").ttl_ms, Some(900_000));
    let limits = FlappingLimits { low: 20, high: 60 };
    assert_eq!(check("disk").flapping, Some(limits));
    let cron = check("backup").cron.as_ref().unwrap();
    assert_eq!(
        (cron.expression.as_str(), cron.zone.as_str()),
        ("0 6 * * *", "UTC")
    );
    assert!(!check("backup").enabled);
    assert_eq!(check("web").hook.as_ref().unwrap().program, "ps");
    let runbook = check("web").runbook.as_deref();
    assert_eq!(runbook, Some("https://wiki.example.org/web"));
    let duty: Vec<_> = web1.contacts.iter().map(|it| it.reach.as_str()).collect();
    assert_eq!(duty, ["duty@example.org", "#ops"]);
    // The machines of the subscription look at it; it is the database's check.
    let database = system(&plan, "database.example.org");
    let dba = system(&plan, "dba");
    assert_eq!((checks(database).len(), checks(dba)), (0, vec!["mysql"]));
    assert_eq!(dba.abouts["mysql"].0, database.key);
    assert_eq!(database.observers.keys().collect::<Vec<_>>(), [&dba.key]);
    let storage = system(&plan, "storage");
    assert_eq!(storage.edges[0].overrides.warning, Some(Severity::Critical));
    for aggregate in ["storage", "frontend", "shop", "web", "base"] {
        let part = ("web1.example.org".to_owned(), Relation::Part);
        assert_eq!(edges(&plan, aggregate), [part], "{aggregate}");
    }
    let uses = ("database.example.org".to_owned(), Relation::Uses);
    assert_eq!(edges(&plan, "web1.example.org"), [uses]);
}

#[test]
fn every_field_of_sensu_core_is_taken_or_told() {
    let plan = read(Format::SensuCore, &[("site.json", SENSU_CORE)]);
    for (path, field, verdict) in [
        ("checks.load", "handlers", Verdict::Left),
        ("checks.load", "refresh", Verdict::Left),
        ("checks.load", "contacts", Verdict::Left),
        ("checks.disk", "ttl_status", Verdict::Left),
        ("checks.disk", "warnIsCritical", Verdict::Adapted),
        ("checks.disk", "aggregates", Verdict::Adapted),
        ("checks.web", "subdue", Verdict::Left),
        ("checks.web", "notification", Verdict::Left),
        ("checks.web", "auto_resolve", Verdict::Left),
        ("checks.web", "handle", Verdict::Left),
        ("checks.web", "hooks.critical", Verdict::Adapted),
        ("checks.web.hooks.warning", "", Verdict::Left),
        ("checks.web.hooks.ok", "", Verdict::Left),
        ("checks.backup", "publish", Verdict::Adapted),
        ("checks.mysql", "source", Verdict::Adapted),
        ("checks.queue", "command", Verdict::Left),
        ("checks.nowhere", "", Verdict::Left),
        ("checks.metrics", "type", Verdict::Left),
        ("checks.metrics", "extension", Verdict::Left),
        ("checks.metrics", "team", Verdict::Left),
        ("checks.metrics", "subscribers", Verdict::Adapted),
        ("client.web1.example.org", "keepalive", Verdict::Left),
        (
            "client.web1.example.org",
            "database_password",
            Verdict::Left,
        ),
        ("handlers.mail", "", Verdict::Left),
        ("filters.hourly", "", Verdict::Left),
        ("rabbitmq.password", "", Verdict::Left),
    ] {
        assert!(
            told(&plan, path, field, verdict),
            "{path} {field}\n{}",
            dump(&plan)
        );
    }
    let shown = format!("{plan:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("not to be shown"));
}

#[test]
fn a_runbook_of_sensu_is_that_of_its_check_if_it_can_be_one() {
    let check = |runbook: &str| {
        let json = format!(
            r#"{{"type":"CheckConfig","metadata":{{"name":"c","annotations":{{"runbook":{runbook:?}}}}},
            "spec":{{"command":"true","interval":60,"publish":true,"subscriptions":["s"]}}}}"#
        );
        let plan = read(Format::SensuGo, &[("a.json", &json)]);
        let is_left = told(&plan, "CheckConfig c", "metadata.runbook", Verdict::Left)
            || dump(&plan).contains("metadata.runbook");
        (system(&plan, "s").checks[0].runbook.clone(), is_left)
    };
    let address = "https://wiki.example.org/c";
    assert_eq!(check(address), (Some(address.to_owned()), false));
    assert_eq!(check("file:///etc/passwd"), (None, true));
    let core = |runbook: &str| {
        let json = format!(
            r#"{{"checks":{{"c":{{"command":"true","subscribers":["s"],"runbook":{runbook:?}}}}}}}"#
        );
        let plan = read(Format::SensuCore, &[("a.json", &json)]);
        let is_told = dump(&plan).contains("runbook");
        (system(&plan, "s").checks[0].runbook.clone(), is_told)
    };
    assert_eq!(core(address), (Some(address.to_owned()), false));
    assert_eq!(core("Restart it"), (Some("Restart it".to_owned()), true));
    assert_eq!(core("javascript://x"), (None, true));
}

#[test]
fn sensu_core_definitions_merge_over_files() {
    let one =
        r#"{"checks":{"a":{"command":"check_a","interval":60,"subscribers":["x"],"timeout":5}}}"#;
    let two = r#"{"checks":{"a":{"interval":30,"subscribers":["x","y"]}}}"#;
    let plan = read(Format::SensuCore, &[("b.json", two), ("a.json", one)]);
    assert_eq!(titles(&plan), ["x", "y"]);
    let check = &system(&plan, "x").checks[0];
    assert_eq!((check.interval_ms, check.timeout_ms), (30_000, 5_000));
    assert!(
        plan.remarks
            .iter()
            .any(|it| it.place.file == "a.json, b.json")
    );
}

#[test]
fn sensu_go_dumps_become_systems() {
    let plan = read(Format::SensuGo, &[("dump.yaml", SENSU_GO)]);
    let app1 = system(&plan, "app1");
    assert_eq!(checks(app1), ["check-cpu"], "{}", dump(&plan));
    assert_eq!(command(app1, "check-cpu"), "check-cpu.sh -w 80 -c 90");
    assert_eq!(app1.labels["region"], "eu");
    assert_eq!(app1.labels["platform"], "debian");
    let cpu = &app1.checks[0];
    assert_eq!((cpu.interval_ms, cpu.ttl_ms), (60_000, Some(180_000)));
    assert_eq!(cpu.hook.as_ref().unwrap().arguments, ["-eo", "pid,args"]);
    assert_eq!(cpu.flapping, Some(FlappingLimits { low: 20, high: 60 }));
    let www = system(&plan, "www.example.org");
    let prober = system(&plan, "prober");
    assert_eq!(www.observers[&prober.key], "prober");
    let about = ("sensu-go:entity/www.example.org", "www.example.org");
    let (key, title) = &prober.abouts["site"];
    assert_eq!((key.as_str(), title.as_str()), about);
    let cron = prober.checks[0].cron.as_ref().unwrap();
    assert_eq!(
        (cron.expression.as_str(), cron.zone.as_str()),
        ("0 9 * * *", "Europe/Berlin")
    );
    assert_eq!(
        command(prober, "site"),
        "check_http -H www.example.org -u /health"
    );
    let orphan = system(&plan, "other/database");
    assert!(!orphan.checks[0].enabled);
    assert_eq!(
        edges(&plan, "system"),
        [("app1".to_owned(), Relation::Part)]
    );
    for (path, field) in [
        ("CheckConfig.check-cpu", "handlers"),
        ("CheckConfig.check-cpu", "runtime_assets"),
        ("CheckConfig.check-cpu", "metadata.team"),
        ("CheckConfig.check-cpu", "check_hooks.dmesg"),
        ("Handler.slack", ""),
        ("Frobnicator.x", ""),
    ] {
        assert!(
            told(&plan, path, field, Verdict::Left),
            "{path} {field}\n{}",
            dump(&plan)
        );
    }
    let handler = plan
        .remarks
        .iter()
        .find(|it| it.place.path == "Handler.slack");
    assert!(handler.unwrap().place.line.is_some_and(|line| line > 80));
    let json = r#"{"type":"CheckConfig","metadata":{"name":"a"},"spec":{"command":"x","publish":true,"subscriptions":["s"]}}"#;
    assert_eq!(titles(&read(Format::SensuGo, &[("a.json", json)])), ["s"]);
}

#[test]
fn nagios_hosts_services_and_groups_become_systems_checks_and_aggregates() {
    let plan = read(Format::Nagios, &[("site.cfg", NAGIOS)]);
    assert_eq!(
        titles(&plan),
        ["router1", "web1", "web2", "all", "web", "shop"],
        "{}",
        dump(&plan)
    );
    let web1 = system(&plan, "web1");
    assert_eq!(checks(web1), ["HTTP", "host alive"]);
    assert_eq!(
        command(web1, "HTTP"),
        "/usr/lib/nagios/plugins/check_http -I 192.0.2.11 -p 8080 -u /health"
    );
    assert_eq!(
        command(web1, "host alive"),
        "/usr/lib/nagios/plugins/check_ping -H 192.0.2.11 -w 5000,100% -c 5000,100% -p 1"
    );
    let http = &web1.checks[0];
    assert_eq!(
        (http.interval_ms, http.retry_interval_ms, http.attempts),
        (600_000, 120_000, 3)
    );
    assert_eq!(web1.dashboards[0].url, "https://wiki.example.org/web1");
    let runbook = web1.checks[1].runbook.as_deref();
    assert_eq!(runbook, Some("https://wiki.example.org/web1"));
    assert_eq!(web1.contacts.len(), 1);
    assert_eq!(web1.contacts[0].reach, "duty@example.org");
    // `!web2` takes it out of the group.
    assert_eq!(checks(system(&plan, "web2")), ["host alive"]);
    let router = system(&plan, "router1");
    let uplink = router.checks.iter().find(|it| it.name == "Uplink").unwrap();
    assert_eq!((uplink.enabled, uplink.ttl_ms), (true, Some(900_000)));
    assert_eq!(uplink.kind, CheckKind::External {});
    let part = |name: &str| (name.to_owned(), Relation::Part);
    assert_eq!(edges(&plan, "web"), [part("web1"), part("web2")]);
    assert_eq!(
        edges(&plan, "all"),
        [part("router1"), part("web1"), part("web2")]
    );
    assert_eq!(edges(&plan, "shop"), [part("web1")]);
    let uses = ("router1".to_owned(), Relation::Uses);
    for name in ["web1", "web2"] {
        assert_eq!(edges(&plan, name), std::slice::from_ref(&uses), "{name}");
    }
    for (path, field) in [
        ("host web1", "parents"),
        ("host web1", "frobnicate"),
        ("host web1", "notification_period"),
        ("service HTTP", "event_handler"),
        ("service Secret", "check_command"),
        ("service Lost", "host_name"),
        ("timeperiod", ""),
        ("serviceescalation", ""),
        ("", "cfg_dir"),
    ] {
        let is_told = plan.remarks.iter().any(|it| {
            it.place.path.contains(path) && it.field == field
                || path == "host web1" && it.place.path == "host" && it.field == field
        });
        assert!(is_told, "{path} {field}\n{}", dump(&plan));
    }
    let secret = plan
        .remarks
        .iter()
        .find(|it| it.reason.contains("$USER9$"))
        .unwrap();
    assert!(secret.place.line.is_some());
}

#[test]
fn values_of_macros_can_be_given_and_intervals_have_another_length() {
    let text = "interval_length=1\ndefine command {\ncommand_name c\ncommand_line $USER9$/c $ARG1$\n}\n\
        define host {\nhost_name h\ncheck_command c!x\ncheck_interval 30\n}\n";
    let files = [SourceFile {
        name: "a.cfg".to_owned(),
        text: text.to_owned(),
    }];
    let options = ImportOptions {
        macros: BTreeMap::from([("USER9".to_owned(), "/opt".to_owned())]),
    };
    let plan = plan(Format::Nagios, &files, &options);
    let host = system(&plan, "h");
    assert_eq!(command(host, "host alive"), "/opt/c x");
    assert_eq!(host.checks[0].interval_ms, 30_000);
}

#[test]
fn names_of_prometheus_alerts_become_known_families() {
    let plan = read(Format::PrometheusRules, &[("alerts.yaml", PROMETHEUS)]);
    let families = &system(&plan, "Prometheus alerts").families;
    assert_eq!(
        families.keys().collect::<Vec<_>>(),
        ["DiskFull", "HostDown"]
    );
    let down = &families["HostDown"];
    assert_eq!(
        (down.severity.as_str(), down.holds_ms),
        ("critical", 300_000)
    );
    assert_eq!(down.runbook, "https://wiki.example.org/HostDown");
    let full = &families["DiskFull"];
    assert_eq!(full.severity, "warning, critical");
    assert_eq!(full.runbook, "", "others will click on it");
    assert!(
        told(&plan, "DiskFull", "frobnicate", Verdict::Left),
        "{}",
        dump(&plan)
    );
}

#[test]
fn consul_services_and_checks_become_systems() {
    let plan = read(Format::Consul, &[("a.json", SERVICES), ("b.json", HEALTH)]);
    let web = system(&plan, "web");
    assert_eq!(
        checks(web),
        ["deep", "heart", "page", "port"],
        "{}",
        dump(&plan)
    );
    assert_eq!(
        (web.labels["env"].as_str(), web.labels["v2"].as_str()),
        ("prod", "yes")
    );
    assert_eq!(
        (web.labels["owner"].as_str(), web.labels["port"].as_str()),
        ("shop", "8080")
    );
    let page = web.checks.iter().find(|it| it.name == "page").unwrap();
    assert!(
        matches!(&page.kind, CheckKind::Builtin(Builtin::Http { url, .. }) if url.ends_with("/health"))
    );
    assert_eq!(
        (page.interval_ms, page.timeout_ms, page.attempts),
        (10_000, 2_000, 3)
    );
    assert_eq!(edges(&plan, "web"), [("db".to_owned(), Relation::Uses)]);
    assert_eq!(
        edges(&plan, "cache"),
        [("node1".to_owned(), Relation::Uses)]
    );
    assert_eq!(checks(system(&plan, "cache")), ["Service 'cache' check"]);
    assert_eq!(checks(system(&plan, "a")), ["memory"]);
    assert!(
        told(&plan, "checks[", "grpc", Verdict::Left),
        "{}",
        dump(&plan)
    );
    // What others send is taken under the same name, and missing when it does not come.
    let mut passive = plan.systems.iter().flat_map(|system| &system.checks);
    let passive = passive.find(|check| check.kind == CheckKind::External {});
    assert!(
        passive.is_some_and(|check| check.ttl_ms.is_some()),
        "{}",
        dump(&plan)
    );
    // Where it runs its agent has to say, and how is told.
    let mut remarks = plan.remarks.iter().map(|remark| remark.reason.as_str());
    assert!(
        remarks.any(|it| it.contains("[[service]] name = \"web\"") && it.contains(":8080\"]")),
        "{}",
        dump(&plan)
    );
    assert!(
        told(&plan, "memory", "frobnicate", Verdict::Left),
        "{}",
        dump(&plan)
    );
    assert!(!format!("{plan:?}").contains("not to be shown"));
}

#[test]
fn a_plan_does_not_depend_on_the_order_of_files() {
    let there = read(Format::Consul, &[("a.json", SERVICES), ("b.json", HEALTH)]);
    let back = read(Format::Consul, &[("b.json", HEALTH), ("a.json", SERVICES)]);
    assert_eq!(there, back);
}

/// Writes a plan's System as an import does.
fn write(
    workspace: &mut Workspace,
    space: SpaceId,
    planned: &PlannedSystem,
    spaces: &BTreeMap<String, SpaceId>,
) {
    let chain = Chain {
        author: AuthorId::from_bytes([7; 32]),
        instance: Instance(1),
    };
    for piece in planned.pieces() {
        let before: Option<System> = workspace.system(&space).cloned();
        let edit = workspace.edit_system(space, &chain, Timestamp::from_millis(1), |edit| {
            piece.write(before.as_ref(), spaces, &BTreeMap::new(), edit)
        });
        drop(edit.unwrap());
    }
}

#[test]
fn twice_is_once_and_what_changed_is_told() {
    let plan = read(Format::Nagios, &[("site.cfg", NAGIOS)]);
    let mut workspace = Workspace::new();
    let spaces: BTreeMap<String, SpaceId> = (1_u8..)
        .zip(&plan.systems)
        .map(|(number, it)| (it.key.clone(), SpaceId::from_bytes([number; 32])))
        .collect();
    for planned in &plan.systems {
        let space = spaces[&planned.key];
        workspace.open_space(space);
        assert!(
            planned
                .changes(None, &spaces)
                .iter()
                .all(|it| it.how == How::Added)
        );
        write(&mut workspace, space, planned, &spaces);
        let again = planned.changes(workspace.system(&space), &spaces);
        assert_eq!(again, [], "{}", planned.title);
    }
    let web1 = spaces["nagios:host/web1"];
    // People turned one off; the files have another interval, and lost a service.
    let chain = Chain {
        author: AuthorId::from_bytes([7; 32]),
        instance: Instance(1),
    };
    let mut off = workspace
        .system(&web1)
        .unwrap()
        .checks
        .values()
        .find(|it| it.name == "HTTP")
        .unwrap()
        .clone();
    off.enabled = false;
    let edited = workspace.edit_system(web1, &chain, Timestamp::from_millis(2), |edit| {
        edit.put_check(&off)
    });
    drop(edited.unwrap());
    let changed = NAGIOS.replace("check_interval          10", "check_interval          15");
    let changed = read(Format::Nagios, &[("site.cfg", &changed)]);
    let planned = system(&changed, "web1");
    let changes = planned.changes(workspace.system(&web1), &spaces);
    let said: Vec<_> = changes
        .iter()
        .map(|it| (it.kind, it.how, it.name.as_str()))
        .collect();
    assert_eq!(said, [(ChangeKind::Check, How::Changed, "HTTP")]);
    write(&mut workspace, web1, planned, &spaces);
    let there = &workspace.system(&web1).unwrap().checks[&off.id];
    assert_eq!((there.enabled, there.interval_ms), (false, 900_000));
    let changes = planned.changes(workspace.system(&web1), &spaces);
    assert_eq!(changes[0].how, How::StaysOff);
    let fewer = NAGIOS.replace(
        "service_description     HTTP",
        "service_description     Page",
    );
    let fewer = read(Format::Nagios, &[("site.cfg", &fewer)]);
    let changes = system(&fewer, "web1").changes(workspace.system(&web1), &spaces);
    let said: Vec<_> = changes
        .iter()
        .map(|it| (it.how, it.name.as_str()))
        .collect();
    assert_eq!(said, [(How::Added, "Page"), (How::Kept, "HTTP")]);
}

#[test]
fn a_system_with_many_checks_is_written_in_pieces_that_fit() {
    let checks: Vec<String> = (0..900)
        .map(|n| {
            format!(
                r#""check{n}":{{"command":"check_x {}","interval":60,"subscribers":["a"]}}"#,
                "y".repeat(200)
            )
        })
        .collect();
    let text = format!(r#"{{"checks":{{{}}}}}"#, checks.join(","));
    let plan = read(Format::SensuCore, &[("a.json", &text)]);
    let planned = system(&plan, "a");
    assert!(planned.pieces().len() > 2);
    let mut workspace = Workspace::new();
    let space = SpaceId::from_bytes([1; 32]);
    workspace.open_space(space);
    write(&mut workspace, space, planned, &BTreeMap::new());
    assert_eq!(workspace.system(&space).unwrap().checks.len(), 900);
}

#[test]
fn a_check_about_another_machine_counts_there_once_it_is_written() {
    for (format, text, from, to, name) in [
        (
            Format::SensuCore,
            SENSU_CORE,
            "dba",
            "database.example.org",
            "mysql",
        ),
        (
            Format::SensuGo,
            SENSU_GO,
            "prober",
            "www.example.org",
            "site",
        ),
    ] {
        let plan = read(format, &[("file", text)]);
        let mut workspace = Workspace::new();
        let spaces: BTreeMap<String, SpaceId> = (1_u8..)
            .zip(&plan.systems)
            .map(|(number, it)| (it.key.clone(), SpaceId::from_bytes([number; 32])))
            .collect();
        for planned in &plan.systems {
            let space = spaces[&planned.key];
            workspace.open_space(space);
            write(&mut workspace, space, planned, &spaces);
            let again = planned.changes(workspace.system(&space), &spaces);
            assert_eq!(again, [], "{}", planned.title);
        }
        let space_of = |title: &str| spaces[&system(&plan, title).key];
        let view = workspace.view(Timestamp::from_millis(9));
        let there = &view.system(&space_of(to)).unwrap().checks;
        let found: Vec<_> = there
            .iter()
            .filter(|it| it.check.name == name)
            .flat_map(|it| it.seen_from.iter().map(|from| from.system))
            .collect();
        assert_eq!(found, [space_of(from)], "{to}");
    }
}
