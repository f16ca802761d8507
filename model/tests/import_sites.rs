//! What whole sites of other programs become: answers of real interfaces and trees of several files.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

use aramaki_model::import::{Format, ImportOptions, ImportPlan, PlannedSystem, Verdict, plan};
use aramaki_model::{Builtin, CheckKind};

#[path = "common/planned.rs"]
mod planned;

use planned::{checks, sources, system, titles};

fn read(format: Format, files: &[(&str, &str)]) -> ImportPlan {
    let files = sources(files);
    let plan = plan(format, &files, &ImportOptions::default());
    // Whatever is said, people find the file.
    for remark in &plan.remarks {
        assert!(!remark.place.file.is_empty(), "{remark:?}");
    }
    plan
}

fn uses(plan: &ImportPlan, title: &str) -> Vec<String> {
    let name = |key: &str| {
        let found = plan.systems.iter().find(|it| it.key == key);
        found.unwrap().title.clone()
    };
    let edges = system(plan, title).edges.iter();
    edges.map(|it| name(&it.key)).collect()
}

fn words(system: &PlannedSystem, check: &str) -> Vec<String> {
    let check = system.checks.iter().find(|it| it.name == check).unwrap();
    let CheckKind::Command { program, arguments } = &check.kind else {
        panic!("{check:?} is no command");
    };
    let mut words = vec![program.clone()];
    words.extend(arguments.iter().cloned());
    words
}

/// What is said of a field, with its verdict.
fn said(plan: &ImportPlan, field: &str) -> Vec<(Verdict, String)> {
    let remarks = plan.remarks.iter().filter(|it| it.field == field);
    remarks
        .map(|it| (it.verdict, format!("{}: {}", it.place, it.reason)))
        .collect()
}

fn dump(plan: &ImportPlan) -> String {
    let lines = plan.remarks.iter();
    let lines = lines.map(|it| format!("{} {}: {}", it.place, it.field, it.reason));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn checks_of_consul_without_a_name_are_called_as_consul_calls_them() {
    let web = r#"{"service": {"id": "web-1", "name": "web", "port": 80, "checks": [
        {"http": "http://192.0.2.1/a", "interval": "10s"},
        {"http": "http://192.0.2.1/b", "interval": "10s"},
        {"name": "port", "tcp": "192.0.2.1:80", "interval": "10s"}]}}"#;
    let one =
        r#"{"service": {"name": "db", "check": {"tcp": "192.0.2.1:3306", "interval": "10s"}}}"#;
    let plan = read(Format::Consul, &[("web.json", web), ("db.json", one)]);
    let names = ["port", "service:web-1:1", "service:web-1:2"];
    assert_eq!(checks(system(&plan, "web")), names, "{}", dump(&plan));
    assert_eq!(checks(system(&plan, "db")), ["service:db"]);
}

#[test]
fn checks_of_consul_that_share_a_name_do_not_hide_each_other() {
    // As `/v1/health/checks/redis` answers: one name for all, ids by which they differ.
    let check = |node: &str, id: &str, tcp: &str| {
        format!(
            r#"{{"Node": "{node}", "CheckID": "{id}", "Name": "Service 'redis' check", "Status": "passing",
            "Notes": "", "Output": "", "ServiceID": "redis", "ServiceName": "redis", "ServiceTags": ["primary"],
            "Type": "tcp", "Interval": "10s", "Timeout": "2s",
            "Definition": {{"TCP": "{tcp}", "Interval": "0s", "Timeout": "0s"}}}}"#
        )
    };
    let (first, second) = (
        check("a", "service:redis:1", "192.0.2.1:6379"),
        check("a", "service:redis:2", "192.0.2.1:6380"),
    );
    let third = check("b", "service:redis:1", "192.0.2.2:6379");
    let text = format!("[{first},{second},{third},{first}]");
    let plan = read(Format::Consul, &[("redis.json", &text)]);
    let redis = system(&plan, "redis");
    let names = [
        "Service 'redis' check",
        "service:redis:1",
        "service:redis:2",
    ];
    assert_eq!(checks(redis), names, "{}", dump(&plan));
    let address = |name: &str| {
        let check = redis.checks.iter().find(|it| it.name == name).unwrap();
        match &check.kind {
            CheckKind::Builtin(Builtin::Tcp { address, .. }) => address.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(address(names[0]), "192.0.2.1:6379");
    assert_eq!(address(names[1]), "192.0.2.2:6379");
    assert_eq!(address(names[2]), "192.0.2.1:6380");
    // Those beside a definition that leaves them out.
    assert_eq!(
        (redis.checks[0].interval_ms, redis.checks[0].timeout_ms),
        (10_000, 2_000)
    );
    assert_eq!(uses(&plan, "redis"), ["a", "b"]);
    assert!(dump(&plan).contains("stands there already, and is the same"));
    assert_eq!(said(&plan, "name").len(), 2, "{}", dump(&plan));
}

#[test]
fn checks_of_consul_go_to_the_machine_and_the_service_that_they_name() {
    let agent = r#"{"node_name": "db1", "datacenter": "dc1"}"#;
    let check = r#"{"checks": [
        {"id": "disk", "args": ["check_disk"], "interval": "1m", "notes": "the root disk"},
        {"name": "lag", "service_id": "pg-1", "args": ["check_lag"], "interval": "1m"}]}"#;
    let service = r#"{"service": {"id": "pg-1", "name": "postgres", "port": 5432}}"#;
    let other = r#"{"service": {"id": "pg-1", "name": "pgbouncer", "port": 6432},
        "check": {"name": "pool", "service_id": "pg-1", "args": ["check_pool"], "interval": "1m"}}"#;
    let plan = read(
        Format::Consul,
        &[
            ("db1/agent.json", agent),
            ("db1/checks.json", check),
            ("db1/service.json", service),
            ("db2/service.json", other),
        ],
    );
    assert_eq!(checks(system(&plan, "db1")), ["disk"], "{}", dump(&plan));
    // The same id on another machine is another service.
    assert_eq!(checks(system(&plan, "postgres")), ["lag"]);
    assert_eq!(checks(system(&plan, "pgbouncer")), ["pool"]);
    assert_eq!(uses(&plan, "postgres"), ["db1"]);
    assert_eq!(said(&plan, "notes")[0].0, Verdict::Left);
    assert!(titles(&plan).len() == 3, "{:?}", titles(&plan));
}

#[test]
fn what_the_agent_of_consul_answers_is_read_and_its_own_checks_are_explained() {
    let agent_checks = r#"{
        "mem": {"Node": "n1", "CheckID": "mem", "Name": "Memory", "Status": "passing", "Notes": "", "Output": "ok",
            "ServiceID": "", "ServiceName": "", "ServiceTags": [], "Type": "script", "Interval": "30s", "Timeout": "",
            "ExposedPort": 0, "Definition": {}, "CreateIndex": 0, "ModifyIndex": 0},
        "serfHealth": {"Node": "n1", "CheckID": "serfHealth", "Name": "Serf Health Status", "Status": "passing"}}"#;
    let agent_services = r#"{"redis": {"ID": "redis", "Service": "redis", "Tags": ["a"], "Meta": {"v": "7"}, "Port": 6379,
        "Address": "", "TaggedAddresses": {}, "Weights": {"Passing": 1, "Warning": 1}, "EnableTagOverride": false,
        "Datacenter": "dc1"}}"#;
    let catalog_services = r#"{"consul": [], "mail": ["smtp", "env=prod"], "checks": []}"#;
    let nodes = r#"[{"ID": "40e4a748-2192-161a-0510-9bf59fe950b5", "Node": "n2", "Address": "192.0.2.2", "Datacenter": "dc1",
        "TaggedAddresses": {"lan": "192.0.2.2"}, "Meta": {"rack": "r1"}, "CreateIndex": 1, "ModifyIndex": 2}]"#;
    let node = r#"{"Node": {"ID": "x", "Node": "n3", "Address": "192.0.2.3", "Datacenter": "dc1"},
        "Services": {"cache": {"ID": "cache", "Service": "cache", "Tags": [], "Port": 11211}}}"#;
    let health = r#"[{"ID": "40e4a748-2192-161a-0510-9bf59fe950b5", "Node": "n2", "CheckID": "serfHealth",
        "Name": "Serf Health Status", "Status": "passing", "Notes": "", "Output": "", "ServiceID": "", "ServiceName": "",
        "ServiceTags": [], "Namespace": "default"},
        {"Node": "n2", "CheckID": "_node_maintenance", "Name": "Node Maintenance Mode", "Status": "critical", "ServiceID": ""}]"#;
    let registered = r#"{"Node": "web.example.org", "Address": "192.0.2.9", "NodeMeta": {"external-node": "true"},
        "SkipNodeUpdate": true,
        "Service": {"ID": "site", "Service": "site", "Port": 443},
        "Check": {"Node": "web.example.org", "CheckID": "service:site", "Name": "front page", "Status": "passing",
            "ServiceID": "site", "Definition": {"HTTP": "https://web.example.org/", "Interval": "30s"}}}"#;
    let plan = read(
        Format::Consul,
        &[
            ("agent-checks.json", agent_checks),
            ("agent-services.json", agent_services),
            ("catalog-services.json", catalog_services),
            ("nodes.json", nodes),
            ("node.json", node),
            ("health.json", health),
            ("registered.json", registered),
        ],
    );
    let told = dump(&plan);
    for title in [
        "n1",
        "n2",
        "n3",
        "web.example.org",
        "redis",
        "consul",
        "mail",
        "checks",
        "cache",
        "site",
    ] {
        assert!(titles(&plan).contains(&title), "{title}\n{told}");
    }
    assert_eq!(titles(&plan).len(), 10, "{:?}", titles(&plan));
    assert_eq!(system(&plan, "mail").labels["env"], "prod");
    assert_eq!(system(&plan, "n2").labels["address"], "192.0.2.2");
    assert_eq!(system(&plan, "n2").labels["rack"], "r1");
    assert_eq!(uses(&plan, "cache"), ["n3"]);
    assert_eq!(checks(system(&plan, "site")), ["front page"], "{told}");
    assert_eq!(uses(&plan, "site"), ["web.example.org"]);
    let own = said(&plan, "checkid");
    assert_eq!(own.len(), 3, "{told}");
    for (verdict, reason) in &own {
        let is_serf = reason.contains("the agent's heartbeat replaces it");
        let is_rest = reason.contains("aramaki maintenance");
        assert!(is_serf && *verdict == Verdict::Adapted || is_rest && *verdict == Verdict::Left);
    }
    assert!(told.contains("of type script"), "{told}");
    assert!(!told.contains("not understood"), "{told}");
}

#[test]
fn a_check_of_consul_in_a_container_is_not_run_on_the_machine() {
    let text = r#"{"service": {"name": "app", "checks": [
        {"name": "inside", "docker_container_id": "f972", "shell": "/bin/sh", "args": ["/health.sh"], "interval": "10s"},
        {"name": "node", "alias_node": "n9"}]}, "node_name": "n1"}"#;
    let plan = read(Format::Consul, &[("a.json", text)]);
    assert!(checks(system(&plan, "app")).is_empty());
    assert!(dump(&plan).contains("there are no containers here"));
    assert_eq!(said(&plan, "alias_node")[0].0, Verdict::Left);
    assert_eq!(uses(&plan, "app"), ["n1"]);
}

const NAGIOS_CFG: &str = "\
log_file=/var/log/nagios.log
cfg_dir=/etc/nagios/objects
resource_file=/etc/nagios/resource.cfg
interval_length=60
service_check_timeout=20
host_check_timeout=7
execute_service_checks=1
";
const RESOURCE_CFG: &str = "$USER1$=/usr/lib/nagios/plugins\n$USER5$=pass;word\n";
const TEMPLATES_CFG: &str = "\
define host {
    name                 linux
    use                  base
    hostgroups           +servers
    check_command        alive
    register             0
}
define service {
    name                 often
    check_interval       0.5
    retry_interval       0
    max_check_attempts   4
    is_volatile          0
    check_period         24x7
    contact_groups       admins
    register             0
}
";
const BASE_CFG: &str = "\
define host {
    name                 base
    hostgroups           everything
    max_check_attempts   2
    register             0
}
define command {
    command_name         alive
    command_line         $USER1$/check_ping -H $HOSTADDRESS$
}
define command {
    command_name         check_login
    command_line         $USER1$/check_login -p '$USER5$' -q \"$ARG1$\" ; logs in
}
define contactgroup {
    contactgroup_name    admins
    members              alice
}
define contact {
    contact_name         alice
    email                alice@example.org
    pager                +49 170 1
    service_notification_options w,c
    service_notification_period  24x7
    host_notification_commands   notify-by-mail
}
";
const SITE_CFG: &str = "\
define hostgroup {
    hostgroup_name       servers
    notes_url            https://wiki.example.org/servers
    hostgroup_members    nobody
}
define host {
    use                  linux
    host_name            web1
    address              192.0.2.1
    check_interval       0
}
define host {
    use                  linux
    host_name            web2
    address              192.0.2.2
}
define service {
    use                  often
    hostgroup_name       servers,missing
    service_description  Login
    check_command        check_login!select 1\\; commit!x\\!y
    contact_groups       +night
    parents              web1,Disk
}
define service {
    use                  often
    host_name            web1
    service_description  Late
    check_command        alive
    check_freshness      1
}
";

#[test]
fn a_tree_of_nagios_is_read_over_its_files() {
    let files = [
        ("etc/nagios.cfg", NAGIOS_CFG),
        ("etc/resource.cfg", RESOURCE_CFG),
        ("etc/objects/templates.cfg", TEMPLATES_CFG),
        ("etc/objects/base.cfg", BASE_CFG),
        ("etc/objects/site.cfg", SITE_CFG),
    ];
    let plan = read(Format::Nagios, &files);
    let told = dump(&plan);
    let web1 = system(&plan, "web1");
    assert_eq!(checks(web1), ["Late", "Login", "host alive"], "{told}");
    let check = |system: &PlannedSystem, name: &str| {
        let found = system.checks.iter().find(|it| it.name == name);
        found.unwrap().clone()
    };
    let login = check(web1, "Login");
    assert_eq!(
        (
            login.interval_ms,
            login.retry_interval_ms,
            login.attempts,
            login.timeout_ms
        ),
        (30_000, 60_000, 4, 20_000),
        "half a unit, and one where none is meant"
    );
    assert_eq!(
        words(web1, "Login"),
        [
            "/usr/lib/nagios/plugins/check_login",
            "-p",
            "pass;word",
            "-q",
            "select 1; commit"
        ]
    );
    let alive = check(web1, "host alive");
    assert_eq!(
        (alive.interval_ms, alive.timeout_ms, alive.attempts),
        (300_000, 7_000, 2)
    );
    what_has_no_counterpart_is_told(&plan);
}

/// The rest of that tree.
fn what_has_no_counterpart_is_told(plan: &ImportPlan) {
    let (told, web1) = (dump(plan), system(plan, "web1"));
    let mut ways: Vec<_> = web1.contacts.iter().map(|it| it.reach.as_str()).collect();
    ways.sort_unstable();
    assert_eq!(ways, ["+49 170 1", "alice@example.org"]);
    assert_eq!(
        system(plan, "servers").dashboards[0].url,
        "https://wiki.example.org/servers"
    );
    assert_eq!(uses(plan, "everything"), ["web1", "web2"]);
    for (field, part) in [
        ("check_interval", "0 means only when asked there"),
        ("retry_interval", "0 means only when asked there"),
        ("hostgroup_name", "no host group missing"),
        ("hostgroup_members", "no group nobody"),
        ("hostgroups", "no group everything"),
        ("contact_groups", "no contact group night"),
        ("parents", "services have no parents"),
        ("check_freshness", "derived from the interval"),
        ("service_notification_options", "routes"),
        ("host_notification_commands", "routes"),
        ("cfg_dir", "more configuration"),
    ] {
        let said = said(plan, field);
        assert!(
            said.iter().any(|(_, it)| it.contains(part)),
            "{field} {part}\n{told}"
        );
    }
    assert!(told.contains("settings of Nagios itself (2)"), "{told}");
    for quiet in ["is_volatile", "service_notification_period", "check_period"] {
        assert!(said(plan, quiet).is_empty(), "{quiet}\n{told}");
    }
    assert!(told.contains("etc/objects/site.cfg:17"), "{told}");
}

#[test]
fn what_stands_twice_in_nagios_is_told() {
    let host = "define host {\n host_name a\n address 192.0.2.1\n}\n";
    let command = "define command {\n command_name c\n command_line /bin/true\n}\n";
    let text = format!("{host}{command}");
    let plan = read(Format::Nagios, &[("a.cfg", &text), ("b.cfg", &text)]);
    let told = dump(&plan);
    assert!(told.contains("a stands in a.cfg:1: host too"), "{told}");
    assert!(told.contains("c stands in a.cfg:5: command too"), "{told}");
}

const SENSU_GO: &str = "\
type: CheckConfig
api_version: core/v2
metadata: {name: site, namespace: default}
spec:
  command: check_http -H {{ .name }} -u {{ .labels.url }}
  interval: 60
  publish: true
  round_robin: true
  handlers: [slack]
  subscriptions: [prober]
  proxy_requests:
    entity_attributes:
    - entity.entity_class == 'proxy'
    - entity.labels.kind == 'website'
    splay: true
    splay_coverage: 90
  output_metric_format: influxdb_line
  output_metric_handlers: [influx]
  silenced: [linux]
  max_output_size: 2048
---
type: CheckConfig
api_version: core/v2
metadata: {name: odd, namespace: default}
spec:
  command: check_ping -H {{ .name }}
  interval: 60
  publish: true
  subscriptions: [prober]
  proxy_requests:
    entity_attributes: [\"entity.labels.kind.indexOf('web') == 0\"]
---
type: Entity
api_version: core/v2
metadata: {name: prober1, namespace: default}
spec: {entity_class: agent, subscriptions: [prober], keepalive_handlers: [mail]}
---
type: Entity
api_version: core/v2
metadata: {name: www, namespace: default, labels: {kind: website, url: /a}}
spec: {entity_class: proxy}
---
type: Entity
api_version: core/v2
metadata: {name: shop, namespace: default, labels: {kind: website, url: /b}}
spec: {entity_class: proxy}
---
type: Entity
api_version: core/v2
metadata: {name: shop, namespace: other, labels: {kind: website, url: /c}}
spec: {entity_class: proxy}
---
type: Entity
api_version: core/v2
metadata: {name: switch, namespace: default, labels: {kind: switch}}
spec: {entity_class: proxy}
---
type: Silenced
api_version: core/v2
metadata: {name: linux:site, namespace: default}
spec: {check: site, subscription: linux, expire: -1}
---
type: Namespace
api_version: core/v2
metadata: {name: other}
spec: {name: other}
";

#[test]
fn checks_of_sensu_for_each_entity_become_one_of_each() {
    let plan = read(Format::SensuGo, &[("dump.yaml", SENSU_GO)]);
    let told = dump(&plan);
    let prober = system(&plan, "prober1");
    assert_eq!(checks(prober), ["site: shop", "site: www"], "{told}");
    assert_eq!(
        words(prober, "site: www"),
        ["check_http", "-H", "www", "-u", "/a"]
    );
    assert_eq!(prober.abouts["site: shop"].1, "shop");
    assert_eq!(system(&plan, "www").observers[&prober.key], "prober1");
    assert!(checks(system(&plan, "switch")).is_empty());
    for (field, verdict, part) in [
        ("proxy_requests", Verdict::Adapted, "(2)"),
        ("proxy_requests", Verdict::Left, "indexOf"),
        ("splay", Verdict::Left, "spread"),
        ("round_robin", Verdict::Left, "every agent"),
        ("handlers", Verdict::Left, "routes"),
        ("output_metric_format", Verdict::Left, "perfdata alone"),
        ("output_metric_handlers", Verdict::Left, "not sent"),
        ("silenced", Verdict::Left, "silence"),
        ("max_output_size", Verdict::Left, "cut"),
        ("keepalive_handlers", Verdict::Left, "routes"),
    ] {
        let said = said(&plan, field);
        let is_told = said
            .iter()
            .any(|(it, text)| *it == verdict && text.contains(part));
        assert!(is_told, "{field}\n{told}");
    }
    for kind in ["Silenced", "Namespace"] {
        let mut of_kind = plan
            .remarks
            .iter()
            .filter(|it| it.place.path.starts_with(kind));
        assert!(of_kind.all(|it| it.place.line.is_some()), "{told}");
    }
    let twice = SENSU_GO.replace(
        "  publish: true\n  round_robin",
        "  interval: 30\n  round_robin",
    );
    let plan = read(Format::SensuGo, &[("dump.yaml", &twice)]);
    let said: Vec<_> = plan
        .remarks
        .iter()
        .filter(|it| it.field == "interval")
        .collect();
    assert_eq!(said[0].place.line, Some(7), "{}", dump(&plan));
}

const RULES: &str = "\
groups:
- name: hosts
  labels: {severity: page, team: ops}
  rules:
  - alert: HostDown
    expr: up == 0
    for: 5m
    keep_firing_for: 10m
    labels: {tier: web}
    annotations:
      summary: '{{ $labels.instance }} is down for {{ $value }}s'
      description: more
      runbook_url: https://wiki.example.org/{{ $labels.alertname }}
  - alert: HostDown
    expr: up == 0
    for: 1m
    labels: {severity: warning}
    annotations: {summary: another}
  - alert: HostDown
    expr: up == 0
    labels: {severity: warning}
  - alert: Slow
    expr: x
    annotations: {runbook_url: 'https://wiki.example.org/{{ $labels.job }}'}
";

#[test]
fn rules_of_prometheus_are_read_with_what_their_group_says_and_templates_as_words() {
    let plan = read(Format::PrometheusRules, &[("rules.yaml", RULES)]);
    let told = dump(&plan);
    let families = &system(&plan, "Prometheus alerts").families;
    let down = &families["HostDown"];
    assert_eq!(down.severity, "page, warning", "{told}");
    assert_eq!(down.summary, "⟨instance⟩ is down for ⟨value⟩s");
    assert_eq!(down.runbook, "https://wiki.example.org/HostDown");
    assert_eq!(down.holds_ms, 300_000);
    assert_eq!(families["Slow"].runbook, "");
    for (field, verdict) in [
        ("labels.team", Verdict::Left),
        ("labels.tier", Verdict::Left),
        ("annotations.description", Verdict::Left),
        ("annotations.summary", Verdict::Adapted),
        ("annotations.runbook_url", Verdict::Left),
        ("alert", Verdict::Adapted),
    ] {
        let said = said(&plan, field);
        assert!(said.iter().any(|(it, _)| *it == verdict), "{field}\n{told}");
    }
}
