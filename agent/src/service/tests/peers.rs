//! The programs whose results we take in, as Debian packages them: a Prometheus that alerts, Alertmanager's own
//! tool, and plugins. See `crate::peer` for where one is not installed.

use super::*;
use crate::peer::is_there;
use aramaki_model::{Transition, Unit};
use std::process::{Child, Command, Stdio};

const PROMETHEUS: &str = "/usr/bin/prometheus";
const AMTOOL: &str = "/usr/bin/amtool";
const PLUGINS: &str = "/usr/lib/nagios/plugins";

/// A Prometheus that is ended with its test.
struct Prometheus(Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Prometheus {
    /// With two rules, of which one fires until `quiet` is written over it and it is told to read anew.
    fn start(folder: &Path, agent: SocketAddr) -> Self {
        let rules = "groups:\n- name: shop\n  interval: 1s\n  rules:\n\
                     \x20 - alert: ShopSlow\n    expr: vector(3) > 2\n    labels: {severity: critical, instance: web1}\n\
                     \x20   annotations: {summary: 'an order takes {{ $value }} s'}\n\
                     \x20 - alert: ShopFine\n    expr: vector(1) > 2\n    labels: {severity: critical}\n";
        std::fs::write(folder.join("rules.yml"), rules).unwrap();
        let config = format!(
            "global: {{evaluation_interval: 1s}}\nrule_files: [rules.yml]\nalerting:\n  alertmanagers:\n  \
             - api_version: v2\n    static_configs: [{{targets: ['{agent}']}}]\n"
        );
        std::fs::write(folder.join("prometheus.yml"), config).unwrap();
        let flag = |name: &str, value: &str| format!("--{name}={value}");
        let data = folder.join("data");
        let child = Command::new(PROMETHEUS)
            .arg(flag(
                "config.file",
                folder.join("prometheus.yml").to_str().unwrap(),
            ))
            .arg(flag("storage.tsdb.path", data.to_str().unwrap()))
            .arg(flag("web.listen-address", "127.0.0.1:0"))
            .arg(flag("rules.alert.resend-delay", "1s"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Reads its rules anew.
    fn reload(&self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    }
}

fn changes(heard: &Heard) -> Vec<Transition> {
    let change = |entry| match entry {
        JournalEntry::Transition(transition) => Some(transition),
        _ => None,
    };
    read(heard).into_iter().filter_map(change).collect()
}

#[tokio::test]
async fn a_real_prometheus_alerts_through_the_agent_and_resolves() {
    if !is_there(Path::new(PROMETHEUS)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("prometheus");
    std::fs::create_dir(&files).unwrap();
    let fake = Fake::default();
    let text = "[listen]\nalertmanager = [\"127.0.0.1:0\"]\nnames = [\"*\"]\n";
    let config = Config::parse(text, Path::new("test")).unwrap();
    while_listening(folder.path(), config, &fake, async |addresses| {
        let prometheus = Prometheus::start(&files, addresses[0]);
        fake.until(|heard| changes(heard).len() == 1).await;
        let rules = std::fs::read_to_string(files.join("rules.yml")).unwrap();
        let over = rules.replace("vector(3) > 2", "vector(3) > 4");
        std::fs::write(files.join("rules.yml"), over).unwrap();
        prometheus.reload();
        fake.until(|heard| changes(heard).len() == 2).await;
    })
    .await;
    let told = changes(&fake.heard.lock().unwrap());
    assert_eq!(told[0].to, Severity::Critical);
    assert!(
        told[0].summary.contains("an order takes 3 s"),
        "{}",
        told[0].summary
    );
    assert_eq!((told[1].to, told[1].check), (Severity::Ok, told[0].check));
    let names = read(&fake.heard.lock().unwrap()).into_iter();
    let names = names.filter_map(|entry| match entry {
        JournalEntry::Declared { checks, .. } => Some(checks),
        _ => None,
    });
    let names: BTreeSet<String> = names.flatten().map(|check| check.name).collect();
    assert!(
        names.iter().all(|name| name.contains("ShopSlow")),
        "{names:?}"
    );
}

/// What Alertmanager's tool says to an Alertmanager.
async fn amtool(to: SocketAddr, end: &str) {
    let mut command = tokio::process::Command::new(AMTOOL);
    command
        .arg(format!("--alertmanager.url=http://{to}"))
        .args([
            "alert",
            "add",
            "ShopSlow",
            "severity=critical",
            "instance=web1",
        ])
        .arg("--annotation=summary=an order takes 3 s")
        .args(["--start=2026-01-01T00:00:00Z", end]);
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}

#[tokio::test]
async fn what_alertmanagers_own_tool_adds_is_taken_and_resolved_as_by_an_alertmanager() {
    if !is_there(Path::new(AMTOOL)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::default();
    let text = "[listen]\nalertmanager = [\"127.0.0.1:0\"]\nnames = [\"*\"]\n";
    let config = Config::parse(text, Path::new("test")).unwrap();
    while_listening(folder.path(), config, &fake, async |addresses| {
        amtool(addresses[0], "--end=2999-01-01T00:00:00Z").await;
        fake.until(|heard| changes(heard).len() == 1).await;
        amtool(addresses[0], "--end=2026-01-02T00:00:00Z").await;
        fake.until(|heard| changes(heard).len() == 2).await;
    })
    .await;
    let told = changes(&fake.heard.lock().unwrap());
    assert_eq!(told[0].to, Severity::Critical);
    assert_eq!(told[0].summary, "an order takes 3 s");
    assert_eq!((told[1].to, told[1].check), (Severity::Ok, told[0].check));
}

/// Every plugin of monitoring-plugins-basic that needs no network, and what it is asked.
const ASKED: [(&str, &[&str]); 14] = [
    ("check_dummy", &["0", "fine"]),
    ("check_dummy", &["1", "so so|a=1;2;3;0;9"]),
    ("check_dummy", &["2"]),
    ("check_dummy", &["3", "what"]),
    ("check_load", &["-w", "9,9,9", "-c", "99,99,99"]),
    ("check_load", &["-r", "-w", "0,0,0", "-c", "99,99,99"]),
    ("check_disk", &["-w", "1%", "-c", "1%", "-p", "/"]),
    ("check_disk", &["-w", "100%", "-c", "100%", "-p", "/"]),
    ("check_procs", &["-w", "1:99999", "-c", "1:99999"]),
    ("check_procs", &["-C", "no such program", "-c", "1:"]),
    ("check_users", &["-w", "900", "-c", "999"]),
    (
        "check_file_age",
        &["-w", "1", "-c", "2", "-f", "/etc/hostname"],
    ),
    ("check_swap", &["-w", "1%", "-c", "1%"]),
    ("check_tcp", &["-H", "127.0.0.1", "-p", "1", "-t", "2"]),
];

#[tokio::test]
async fn what_every_plugin_says_is_taken_as_it_says_it() {
    if !is_there(&Path::new(PLUGINS).join("check_dummy")) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let observer = Observer::new(vec![PLUGINS.into(), "/usr/bin".into(), "/bin".into()]);
    let (mut seen, mut with_metrics) = (BTreeSet::new(), 0);
    for (number, (plugin, arguments)) in ASKED.into_iter().enumerate() {
        let path = Path::new(PLUGINS).join(plugin);
        if !is_there(&path) {
            continue;
        }
        // What it printed is kept, because it measures something else each time.
        let kept = folder.path().join(format!("{number}"));
        let script = "out=$(\"$@\" 2>/dev/null); code=$?; printf '%s\\n' \"$out\" > \"$0\"; \
                      printf '%s\\n' \"$out\"; exit $code";
        let mut line = vec!["-c".to_owned(), script.to_owned()];
        line.push(kept.display().to_string());
        line.push(path.display().to_string());
        line.extend(arguments.iter().map(|it| (*it).to_owned()));
        let kind = CheckKind::Command {
            program: "sh".to_owned(),
            arguments: line,
        };
        let check = Check::new(CheckId::from_bytes([1; 16]), plugin, kind);
        let observed = observer.observe(&check, now()).await;
        let said = std::fs::read_to_string(&kept).unwrap();
        let it = &observed.observation;
        let first = said.lines().next().unwrap_or_default();
        let (summary, data) = first.split_once('|').unwrap_or((first, ""));
        assert_eq!(it.summary, summary.trim(), "{plugin} {arguments:?}: {said}");
        assert_eq!(observed.findings, [] as [String; 0], "{plugin}: {said}");
        let Some(Exit::Code(code)) = it.raw_exit else {
            panic!("{plugin}: {:?}", it.raw_exit);
        };
        assert_eq!(
            it.severity,
            Severity::from_exit_code(code),
            "{plugin}: {said}"
        );
        // No label of these has a space.
        let fields: Vec<_> = data.split_whitespace().collect();
        assert_eq!(it.metrics.len(), fields.len(), "{plugin}: {said}");
        for (field, metric) in fields.iter().zip(&it.metrics) {
            let (label, rest) = field.split_once('=').unwrap();
            assert_eq!(metric.label, label.trim_matches('\''), "{said}");
            let number = rest.split(';').next().unwrap();
            let digits = number.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
            let value: f64 = digits.parse().unwrap();
            // In the base unit it is as much or more.
            assert!(metric.value.unwrap() >= value * 0.99, "{plugin}: {said}");
            if number.ends_with('%') {
                assert_eq!(metric.unit, Unit::Percent, "{said}");
            }
        }
        with_metrics += usize::from(!fields.is_empty());
        seen.insert(plugin);
    }
    assert!(seen.len() >= 6 && with_metrics >= 4, "{seen:?}");
}
