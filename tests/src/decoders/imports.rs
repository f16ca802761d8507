//! Files of other programs, which people hand over as they found them.

use std::collections::BTreeSet;

use aramaki_model::import::{Format, ImportOptions, SourceFile, plan};

use super::Decoder;

/// Whatever the text: every check is one that an agent would run, every name leads somewhere, and the
/// same text gives the same plan.
fn read(format: Format, bytes: &[u8]) {
    let files = [SourceFile {
        name: "file".to_owned(),
        text: String::from_utf8_lossy(bytes).into_owned(),
    }];
    let options = ImportOptions::default();
    let read = plan(format, &files, &options);
    let keys: BTreeSet<_> = read.systems.iter().map(|it| &it.key).collect();
    assert_eq!(keys.len(), read.systems.len());
    for system in &read.systems {
        assert!(!system.title.is_empty());
        for check in &system.checks {
            assert_eq!(check.examine(), Ok(()));
        }
        assert!(system.edges.iter().all(|edge| keys.contains(&edge.key)));
        let pieces = system.pieces();
        let checks: usize = pieces.iter().map(|it| it.checks.len()).sum();
        assert_eq!(checks, system.checks.len());
    }
    assert_eq!(read, plan(format, &files, &options));
}

macro_rules! decoders {
    ($($constant:ident, $name:literal, $format:ident, $seed:literal;)*) => {
        $(pub(super) const $constant: Decoder = Decoder {
            name: $name,
            run: |bytes| read(Format::$format, bytes),
            seeds: || vec![$seed.to_vec()],
        };)*
    };
}

decoders! {
    SENSU_CORE, "import_sensu_core", SensuCore,
        b"{\"checks\":{\"a\":{\"command\":\"check_a :::x|y:::\",\"interval\":60,\"subscribers\":[\"web\"]}}}";
    SENSU_GO, "import_sensu_go", SensuGo,
        b"type: CheckConfig\nmetadata: &m {name: a}\nspec: {command: 'a {{ .x | default \"y\" }}', subscriptions: [w]}\n---\n*m\n";
    NAGIOS, "import_nagios", Nagios,
        b"define host {\n use a,b\n name a\n host_name x,y\n check_command c!1\n}\ndefine command{\ncommand_name c\ncommand_line $ARG1$ $$\n}\n";
    PROMETHEUS_RULES, "import_prometheus_rules", PrometheusRules,
        b"groups:\n- name: a\n  rules:\n  - {alert: A, expr: up, for: 5m}\n";
    CONSUL, "import_consul", Consul,
        b"{\"service\":{\"name\":\"a\",\"port\":1,\"check\":{\"tcp\":\"a:1\",\"interval\":\"10s\"}}}";
}
