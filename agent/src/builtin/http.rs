//! Whether a web address answers as it should, how fast, and how long its certificate lasts.

use aramaki_model::{Metric, Severity, Thresholds, Unit};
use aramaki_sync_core::Timestamp;

use super::reading::{Reading, metric, number};
use crate::net;
use crate::net::fetch::{self, Answer, Fetched};
use crate::net::tls::{Shown, Trust};

const DAY_S: i64 = 86_400;

/// What is expected of the answer.
#[derive(Debug, Clone)]
pub(crate) struct Expected<'a> {
    pub(crate) url: &'a str,
    /// The one status that is right; without it 2xx and 3xx are.
    pub(crate) status: Option<u16>,
    /// Seconds until the whole answer was there.
    pub(crate) time: Thresholds,
    /// Days until the certificate ends.
    pub(crate) certificate_days: Thresholds,
}

/// Asks once and judges what comes back.
pub(crate) async fn check(expected: &Expected<'_>, trust: &Trust, now: Timestamp) -> Reading {
    judge(expected, &fetch::fetch(expected.url, trust).await, now)
}

fn judge(expected: &Expected<'_>, fetched: &Fetched, now: Timestamp) -> Reading {
    let mut reading = match &fetched.answer {
        Ok(answer) => judge_answer(expected, answer, fetched),
        Err(error) => Reading::new(
            fetch::blame(error),
            format!("{}: {}", expected.url, net::chain(error)),
        ),
    };
    if let Some(shown) = &fetched.shown {
        judge_certificate(&mut reading, expected, shown, now);
    }
    reading
}

fn judge_answer(expected: &Expected<'_>, answer: &Answer, fetched: &Fetched) -> Reading {
    let seconds = fetched.took.as_secs_f64();
    let words = format!(
        "{} answers {} in {:.0} ms",
        expected.url,
        answer.status,
        seconds * 1000.0
    );
    let mut reading = Reading::ok(words);
    if let Some(location) = &answer.location {
        reading.say(format_args!(", redirects to {location}"));
    }
    let status = answer.status;
    match expected.status {
        Some(code) if status.as_u16() == code => {}
        Some(code) => {
            reading.raise(Severity::Critical);
            reading.say(format_args!(", expected {code}"));
        }
        None if status.is_success() || status.is_redirection() => {}
        None if status.is_client_error() => reading.raise(Severity::Warning),
        None => reading.raise(Severity::Critical),
    }
    reading.judge(metric("time", seconds, Unit::Seconds), &expected.time);
    let size = number(u64::try_from(answer.body.len()).unwrap_or(u64::MAX));
    reading.measure(metric("size", size, Unit::Bytes));
    reading
}

fn judge_certificate(
    reading: &mut Reading,
    expected: &Expected<'_>,
    shown: &Shown,
    now: Timestamp,
) {
    let left_s = shown
        .not_after
        .saturating_sub(now.millis().div_euclid(1000));
    let days = left_s.div_euclid(DAY_S);
    let end = Timestamp::from_millis(shown.not_after.saturating_mul(1000));
    if left_s < 0 {
        reading.raise(Severity::Critical);
        reading.say(format_args!(
            ", certificate ended {} days ago",
            days.unsigned_abs()
        ));
    } else {
        reading.say(format_args!(", certificate ends in {days} days"));
    }
    #[expect(clippy::cast_precision_loss, reason = "days fit easily")]
    let days = Metric::new("certificate", days as f64, Unit::Other("days".to_owned()));
    reading.judge(days, &expected.certificate_days);
    reading
        .detail
        .push(format!("certificate of {} ends {end}", shown.subject));
}

#[cfg(test)]
mod tests;
