//! What programs on an agent's machine send to its listeners.

use std::time::{Duration, Instant};

use aramaki_agent::listen::alertmanager::read_alerts;
use aramaki_agent::listen::result::RESULTS_MAX;
use aramaki_agent::listen::sensu::{read_event, read_results};
use aramaki_agent::listen::statsd::{NAMES_MAX, Table, read_line};
use aramaki_agent::listen::{ExternalResult, ResultError};
use aramaki_model::CheckId;
use aramaki_model::check_fault::CHECK_NAME_LEN_CHARS_MAX;

use super::Decoder;
use super::wire::NOW;

/// Whatever is taken as a result has a name that a check can have, and is an observation.
fn hold(read: Result<Vec<ExternalResult>, ResultError>) {
    let Ok(results) = read else {
        return;
    };
    assert!(results.len() <= RESULTS_MAX);
    for result in results {
        assert!(!result.name.trim().is_empty());
        assert!(result.name.chars().count() <= CHECK_NAME_LEN_CHARS_MAX);
        assert!(!result.name.chars().any(aramaki_model::is_deceptive));
        let observation = result.observation(CheckId::from_bytes([1; 16]), NOW);
        assert!(observation.at <= NOW);
    }
}

pub(super) const SENSU: Decoder = Decoder {
    name: "sensu",
    run: |bytes| {
        hold(read_event(bytes, "web1").map(|result| vec![result]));
        if let Ok(value) = serde_json::from_slice(bytes) {
            hold(read_results(value, "web1"));
        }
    },
    seeds: || {
        let seeds = [
            r#"{"check":{"metadata":{"name":"check-mysql-status"},"status":1,"output":"could not connect to mysql"}}"#,
            r#"{"entity":{"entity_class":"proxy","metadata":{"name":"switch-1","namespace":"default"}},"check":{"metadata":{"name":"ping"},"output":"PING OK | rta=0.5ms;100;500;0","status":0,"ttl":120,"interval":30,"executed":1700000000,"proxy_entity_name":"switch-1"},"metrics":{"handlers":[],"points":[{"name":"a.b","value":4,"timestamp":1,"tags":[]}]}}"#,
            r#"{"name":"app_01","output":"could not connect to mysql","status":1,"source":"db-7","executed":1700000000,"duration":0.3,"handlers":["default"],"ttl":90}"#,
            r#"[{"name":"a","output":"x","status":9},{"name":"b","status":1,"warnIsCritical":true}]"#,
        ];
        seeds.iter().map(|it| it.as_bytes().to_vec()).collect()
    },
};

pub(super) const ALERTS: Decoder = Decoder {
    name: "alerts",
    run: |bytes| hold(read_alerts(bytes, NOW)),
    seeds: || {
        let seeds = [
            r#"[{"annotations":{"description":"web1 has been down for more than 5 minutes.","summary":"Instance web1 down"},"endsAt":"2023-11-14T22:17:20.000Z","startsAt":"2023-11-14T22:13:05.000Z","generatorURL":"http://prom:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1","labels":{"alertname":"InstanceDown","instance":"web1:9100","job":"node","severity":"page"}}]"#,
            r#"[{"endsAt":"0001-01-01T00:00:00.000Z","startsAt":"0001-01-01T00:00:00.000Z","annotations":{},"labels":{"alertname":"Watchdog","severity":"none"}},{"labels":{"a":"b"}}]"#,
        ];
        seeds.iter().map(|it| it.as_bytes().to_vec()).collect()
    },
};

pub(super) const STATSD: Decoder = Decoder {
    name: "statsd",
    run: |bytes| {
        let mut table = Table::default();
        let now = Instant::now();
        table.take(bytes, now);
        table.take(bytes, now);
        let values = table.flush(Duration::from_secs(10), now);
        assert!(values.len() <= NAMES_MAX * 8);
        assert!(values.values().all(|value| value.is_finite()), "{values:?}");
        if let Ok(text) = std::str::from_utf8(bytes) {
            drop(read_line(text));
        }
    },
    seeds: || {
        let seeds = [
            "hits:3|c\nhits:1|c|@0.1\n",
            "queue:7|g\nqueue:+3|g\nqueue:-2|g",
            "users:alice|s\nusers:bob|s",
            "took:100|ms\ntook:300.5|ms|@0.5\nsize:3|h|#env:prod,dc:x",
        ];
        seeds.iter().map(|it| it.as_bytes().to_vec()).collect()
    },
};
