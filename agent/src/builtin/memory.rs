//! Memory in use, in percent of what there is.

use aramaki_model::Thresholds;

use super::reading::{Reading, bytes, percent, share, size};
use crate::platform::{self, Memory, ReadError};

/// Reads the memory of this machine. What the kernel can free at once counts as available.
pub(crate) fn check(thresholds: &Thresholds) -> Result<Reading, ReadError> {
    Ok(judge(&platform::memory()?, thresholds))
}

fn judge(memory: &Memory, thresholds: &Thresholds) -> Reading {
    let used = percent(memory.total.saturating_sub(memory.available), memory.total);
    let (available, total) = (bytes(memory.available), bytes(memory.total));
    let mut reading = Reading::ok(format!(
        "memory {used:.0} % in use, {available} of {total} available"
    ));
    reading.judge(share("used", used), thresholds);
    reading.measure(size("available", memory.available, memory.total));
    reading
}

#[cfg(test)]
mod tests {
    use super::super::reading::thresholds;
    use super::*;
    use aramaki_model::Severity;

    #[test]
    fn little_available_memory_is_a_warning() {
        let memory = Memory {
            total: 16 << 30,
            available: 1 << 30,
            swap_total: 0,
            swap_free: 0,
        };
        let reading = judge(&memory, &thresholds("90", "97"));
        assert_eq!(reading.severity, Severity::Warning);
        assert_eq!(
            reading.summary,
            "memory 94 % in use, 1.0 GiB of 16.0 GiB available"
        );
    }

    #[test]
    fn this_machine_has_memory() {
        assert_eq!(
            check(&Thresholds::default()).unwrap().severity,
            Severity::Ok
        );
        assert_eq!(
            check(&thresholds("", "@0:")).unwrap().severity,
            Severity::Critical
        );
    }
}
