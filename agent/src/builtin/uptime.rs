//! Time since boot: a machine that has just restarted, or was not restarted for too long.

use aramaki_model::{Thresholds, Unit};

use super::reading::{Reading, metric, span};
use crate::platform::{self, ReadError};

/// Reads the time since boot in seconds: `600:` warns for ten minutes after a restart.
pub(crate) fn check(thresholds: &Thresholds) -> Result<Reading, ReadError> {
    let uptime = platform::uptime()?;
    let mut reading = Reading::ok(format!("up for {}", span(uptime)));
    reading.judge(
        metric("uptime", uptime.as_secs_f64().floor(), Unit::Seconds),
        thresholds,
    );
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use super::super::reading::thresholds;
    use super::*;
    use aramaki_model::Severity;

    #[test]
    fn this_machine_is_up_and_not_for_a_thousand_years() {
        assert_eq!(
            check(&Thresholds::default()).unwrap().severity,
            Severity::Ok
        );
        let reading = check(&thresholds("", "31536000000:")).unwrap();
        assert_eq!(reading.severity, Severity::Critical);
    }
}
