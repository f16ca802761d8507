//! Load averages, divided by the number of processors.

use aramaki_model::{Thresholds, Unit};

use super::reading::{Reading, metric, number};
use crate::platform::{self, Load, ReadError};

/// Reads the load of this machine and holds the average of five minutes against `thresholds`.
pub(crate) fn check(thresholds: &Thresholds) -> Result<Reading, ReadError> {
    Ok(judge(&platform::load()?, thresholds))
}

fn judge(load: &Load, thresholds: &Thresholds) -> Reading {
    let processors = load.processors.max(1);
    let divisor = number(u64::try_from(processors).unwrap_or(u64::MAX));
    let [one, five, fifteen] = load.averages.map(|average| average / divisor);
    let words = if processors == 1 {
        "1 processor".to_owned()
    } else {
        format!("each of {processors} processors")
    };
    let mut reading = Reading::ok(format!(
        "load average of {words}: {one:.2}, {five:.2}, {fifteen:.2}"
    ));
    reading.measure(metric("load1", one, Unit::None));
    reading.judge(metric("load5", five, Unit::None), thresholds);
    reading.measure(metric("load15", fifteen, Unit::None));
    reading
}

#[cfg(test)]
mod tests {
    use super::super::reading::thresholds;
    use super::*;
    use aramaki_model::Severity;

    #[test]
    fn a_busy_machine_is_critical_and_the_same_load_on_many_processors_is_not() {
        let load = |processors| Load {
            averages: [16.34, 16.03, 12.55],
            processors,
        };
        let limits = thresholds("4", "8");
        let busy = judge(&load(1), &limits);
        assert_eq!(busy.severity, Severity::Critical);
        assert_eq!(
            busy.summary,
            "load average of 1 processor: 16.34, 16.03, 12.55"
        );
        assert_eq!(judge(&load(32), &limits).severity, Severity::Ok);
    }

    #[test]
    fn this_machine_has_a_load() {
        let reading = check(&Thresholds::default()).unwrap();
        assert_eq!(reading.severity, Severity::Ok);
        assert_eq!(reading.metrics.len(), 3);
        assert_eq!(
            check(&thresholds("", "@0:")).unwrap().severity,
            Severity::Critical
        );
    }
}
