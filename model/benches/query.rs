//! What it costs to filter and sort 10,000 rows.
//!
//! `cargo bench -p aramaki-model --bench query`

use aramaki_model::Severity;
use aramaki_model::query::{Flag, Moment, Number, Phase, Query, Row, SeverityField, TextField};
use aramaki_sync_core::Timestamp;
use divan::Bencher;

const ROWS: u32 = 10_000;
const NOW: Timestamp = Timestamp::from_millis(1_795_370_000_000);

fn main() {
    divan::main();
}

struct Problem {
    system: String,
    check: String,
    family: String,
    summary: String,
    severity: Severity,
    opened: Timestamp,
    site: &'static str,
}

impl Row for Problem {
    fn any_text(&self, field: TextField, holds: &mut impl FnMut(&str) -> bool) -> bool {
        match field {
            TextField::System => holds(&self.system),
            TextField::Check => holds(&self.check),
            TextField::Family => holds(&self.family),
            TextField::Summary => holds(&self.summary),
            TextField::Category => holds("database"),
            TextField::Owner => false,
        }
    }

    fn any_label(&self, holds: &mut impl FnMut(&str, &str) -> bool) -> bool {
        holds("site", self.site)
    }

    fn severity(&self, _field: SeverityField) -> Severity {
        self.severity
    }

    fn phase(&self) -> Phase {
        Phase::Open
    }

    fn is(&self, _flag: Flag) -> bool {
        false
    }

    fn moment(&self, _moment: Moment) -> Option<Timestamp> {
        Some(self.opened)
    }

    fn resolved(&self) -> Option<Timestamp> {
        None
    }

    fn number(&self, _number: Number) -> u64 {
        1
    }
}

fn rows() -> Vec<Problem> {
    let row = |n: u32| Problem {
        system: format!("db{:04}.rz.example.org", n % 997),
        check: format!("postgres_replication_{}", n % 13),
        family: "postgres_replication_#: lag of # s on #".to_owned(),
        summary: format!(
            "lag of {n} s on the standby is more than 10 s: last replayed at {}",
            n * 7
        ),
        severity: Severity::from_concern(u8::try_from(n % 5).unwrap_or(0)),
        opened: Timestamp::from_millis(
            NOW.millis() - i64::from(n.wrapping_mul(2_654_435_761) >> 12) * 1_000,
        ),
        site: ["rzob", "rzfb", "office"][(n % 3) as usize],
    };
    (0..ROWS).map(row).collect()
}

/// Parse, plan, filter, and sort: worst first, then oldest.
#[divan::bench(args = [
    "",
    "severity>=warning label.site:rzob opened<7d",
    "replayed at 42",
    "nowhere to be found",
    "système",
    "summary:~\"lag of [0-9]*7 s\"",
    "~\"replayed at .*99$\"",
    "NOT (system:db00 OR check:replication_7) AND (severity:critical OR age>1d)",
])]
fn filter_and_sort_10000(bencher: Bencher<'_, '_>, text: &str) {
    let rows = rows();
    bencher.bench_local(|| {
        let query: Query = text.parse().unwrap_or_default();
        let plan = query.plan(NOW);
        let mut chosen: Vec<u32> = (0..)
            .zip(&rows)
            .filter(|(_, row)| plan.lets(*row))
            .map(|(n, _)| n)
            .collect();
        chosen.sort_by_key(|n| {
            rows.get(*n as usize)
                .map(|row| (std::cmp::Reverse(row.severity), row.opened, *n))
        });
        chosen
    });
}
