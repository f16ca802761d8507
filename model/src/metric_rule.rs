//! Limits that a check sets on what it measured, besides those that its plugin knows.

use serde::{Deserialize, Serialize};

use crate::check::Thresholds;
use crate::observation::Observation;
use crate::pattern::Pattern;
use crate::plugin_output::SUMMARY_LEN_BYTES_MAX;
use crate::range::Range;
use crate::severity::Severity;
use crate::text::clean_line;

/// How many rules one check may have.
pub const METRIC_RULES_MAX: usize = 64;
/// How many metrics that alert the summary names.
const NAMED_MAX: usize = 3;

/// When a measured value alerts, whatever the plugin said of it. Numbers are in the base unit:
/// seconds, bytes, percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricRule {
    /// The metric's label; `*` stands for anything.
    pub metric: Pattern,
    /// Warning.
    #[serde(default)]
    pub warning: Option<Range>,
    /// Critical; looked at first.
    #[serde(default)]
    pub critical: Option<Range>,
    /// What it means when there is no such metric, or its value could not be determined.
    #[serde(default = "unknown")]
    pub missing: Severity,
}

const fn unknown() -> Severity {
    Severity::Unknown
}

impl MetricRule {
    /// What the rule says of an observation, and why if that is not OK.
    fn judge(&self, observation: &Observation) -> Vec<(Severity, String)> {
        let thresholds = Thresholds {
            warning: self.warning,
            critical: self.critical,
        };
        let mut judged = Vec::new();
        let mut is_there = false;
        let like = observation.metrics.iter();
        for metric in like.filter(|metric| self.metric.matches(&metric.label)) {
            let Some(value) = metric.value else {
                let words = format!("{} could not be determined", metric.label);
                judged.push((self.missing, words));
                is_there = true;
                continue;
            };
            is_there = true;
            let severity = thresholds.severity(value);
            let limit = match severity {
                Severity::Critical => self.critical,
                _ => self.warning,
            };
            let limit = limit.map_or_else(String::new, |limit| limit.to_string());
            let words = format!("{} = {value}{} ({limit})", metric.label, metric.unit);
            judged.push((severity, words));
        }
        if !is_there {
            let words = format!("there is no metric {}", self.metric.0);
            judged.push((self.missing, words));
        }
        judged
    }
}

/// Holds an observation against rules: it becomes as bad as the worst of them says, and its summary
/// begins with why. What the plugin found worse stays.
#[must_use]
pub fn judged(rules: &[MetricRule], mut observation: Observation) -> Observation {
    let mut worse: Vec<_> = rules
        .iter()
        .flat_map(|rule| rule.judge(&observation))
        .filter(|(severity, _)| *severity > observation.severity)
        .collect();
    worse.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    let Some((worst, _)) = worse.first() else {
        return observation;
    };
    let worst = *worst;
    let named: Vec<&str> = worse
        .iter()
        .take(NAMED_MAX)
        .map(|(_, words)| words.as_str())
        .collect();
    let more = match worse.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let summary = format!("{}{more}: {}", named.join(", "), observation.summary);
    observation.summary = clean_line(&summary, SUMMARY_LEN_BYTES_MAX);
    observation.severity = worst;
    observation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CheckId;
    use crate::plugin_output::{Exit, PluginOutput};
    use aramaki_sync_core::Timestamp;

    fn rule(metric: &str, warning: &str, critical: &str) -> MetricRule {
        MetricRule {
            metric: Pattern(metric.to_owned()),
            warning: warning.parse().ok(),
            critical: critical.parse().ok(),
            missing: Severity::Unknown,
        }
    }

    fn observed(code: i32, rules: &[MetricRule]) -> (Severity, String) {
        let output = b"LOAD - total load average: 16.34|load1=16.340;5.000;10.000;0; load5=1.030;4.000;8.000;0; swap=U time=250ms\n";
        let output = PluginOutput::parse(Exit::Code(code), output, b"");
        let id = CheckId::from_bytes([1; 16]);
        let observation = judged(rules, Observation::of_plugin(id, Timestamp::ZERO, output));
        (observation.severity, observation.summary)
    }

    #[test]
    fn the_worst_of_plugin_and_rules_counts_and_says_why() {
        use Severity::{Critical, Ok, Unknown, Warning};
        let said = "LOAD - total load average: 16.34";
        assert_eq!(observed(0, &[]), (Ok, said.to_owned()));
        assert_eq!(
            observed(0, &[rule("load1", "20", "30")]),
            (Ok, said.to_owned())
        );
        assert_eq!(
            observed(0, &[rule("load1", "10", "30"), rule("load5", "1", "x")]),
            (
                Warning,
                format!("load1 = 16.34 (10), load5 = 1.03 (1): {said}")
            )
        );
        assert_eq!(
            observed(0, &[rule("load5", "1", "x"), rule("load*", "x", "16")]),
            (
                Critical,
                format!("load1 = 16.34 (16), load5 = 1.03 (1): {said}")
            )
        );
        // What the plugin found worse stays, without a word more.
        assert_eq!(
            observed(2, &[rule("load1", "10", "x")]),
            (Critical, said.to_owned())
        );
        // In the base unit, whatever the plugin wrote.
        assert_eq!(observed(0, &[rule("time", "0.3", "x")]).0, Ok);
        assert_eq!(observed(0, &[rule("time", "0.2", "x")]).0, Warning);
        assert_eq!(observed(1, &[rule("gone", "1", "2")]).0, Unknown);
    }

    #[test]
    fn a_missing_metric_means_what_the_rule_says() {
        use Severity::{Critical, Ok, Unknown};
        for missing in [Ok, Unknown, Critical] {
            for metric in ["gone", "swap"] {
                let rule = MetricRule {
                    missing,
                    ..rule(metric, "1", "2")
                };
                let (severity, summary) = observed(0, &[rule]);
                assert_eq!(severity, missing);
                assert_eq!(summary.contains(metric), missing != Ok, "{summary}");
            }
        }
    }

    #[test]
    fn what_the_summary_names_is_bounded() {
        let rules = vec![rule("load1", "1", "2"); METRIC_RULES_MAX];
        let (_, summary) = observed(0, &rules);
        assert!(summary.contains("and 61 more: LOAD"), "{summary}");
    }
}
