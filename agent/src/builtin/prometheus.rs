//! Thresholds on what a Prometheus text endpoint exports.

use aramaki_model::{Metric, Severity, Thresholds, Unit};

use super::exposition::{self, Selector};
use super::reading::Reading;
use crate::net;
use crate::net::fetch::{self, Fetched};
use crate::net::tls::Trust;

/// Samples reported of one selector.
const SAMPLES_MAX: usize = 32;

/// Asks `url` and holds every sample that `selector` picks against `thresholds`.
///
/// A metric that is not there is [`Severity::Unknown`]: nothing is known about it.
pub(crate) async fn check(
    url: &str,
    selector: &str,
    thresholds: &Thresholds,
    trust: &Trust,
) -> Reading {
    let fetched = fetch::fetch(url, trust).await;
    judge(url, fetched, selector, thresholds)
}

fn judge(url: &str, fetched: Fetched, selector: &str, thresholds: &Thresholds) -> Reading {
    let answer = match fetched.answer {
        Ok(answer) => answer,
        Err(error) => {
            return Reading::new(
                fetch::blame(&error),
                format!("{url}: {}", net::chain(&error)),
            );
        }
    };
    if !answer.status.is_success() {
        return Reading::new(
            Severity::Critical,
            format!("{url} answers {}", answer.status),
        );
    }
    let Some(wanted) = Selector::parse(selector) else {
        return Reading::unknown(format!("not a selector of metrics: {selector}"));
    };
    let text = String::from_utf8_lossy(&answer.body);
    let (samples, unread) = exposition::parse(&text);
    let picked: Vec<_> = samples
        .iter()
        .filter(|sample| wanted.picks(sample))
        .collect();
    let mut reading = match picked.as_slice() {
        [] => Reading::unknown(format!(
            "{url} has no metric {selector}, {} others",
            samples.len()
        )),
        [one] => Reading::ok(format!("{selector} is {}", one.value)),
        many => Reading::ok(format!("{} values of {selector}", many.len())),
    };
    for sample in picked.iter().take(SAMPLES_MAX) {
        let labels: Vec<String> = sample
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let label = if labels.is_empty() {
            sample.name.to_owned()
        } else {
            format!("{} {}", sample.name, labels.join(" "))
        };
        reading.judge(Metric::new(label, sample.value, Unit::None), thresholds);
    }
    if unread > 0 {
        reading
            .detail
            .push(format!("{unread} lines could not be read"));
    }
    if answer.truncated {
        reading
            .detail
            .push("the page is too long: its end was not read".to_owned());
    }
    reading
}

#[cfg(test)]
mod tests {
    use super::super::reading::thresholds;
    use super::*;
    use crate::net::fetch::Answer;
    use std::time::Duration;

    fn page(body: &str) -> Fetched {
        let answer = Answer {
            status: hyper::StatusCode::OK,
            location: None,
            body: body.as_bytes().to_vec(),
            truncated: false,
        };
        Fetched {
            answer: Ok(answer),
            shown: None,
            took: Duration::ZERO,
        }
    }

    #[test]
    fn the_worst_series_decides_and_a_missing_metric_is_unknown() {
        let limits = thresholds("10", "20");
        let severity =
            |body: &str, selector: &str| judge("u", page(body), selector, &limits).severity;
        let queues = "queue{name=\"a\"} 3\nqueue{name=\"b\"} 15\n";
        assert_eq!(severity(queues, "queue{name=\"a\"}"), Severity::Ok);
        assert_eq!(severity(queues, "queue"), Severity::Warning);
        assert_eq!(severity(queues, "queues"), Severity::Unknown);
        assert_eq!(severity("queue NaN\n", "queue"), Severity::Unknown);
        assert_eq!(severity(queues, "queue >"), Severity::Unknown);
    }
}
