//! Swap in use, in percent. A machine without swap is OK: it was set up so.

use aramaki_model::Thresholds;

use super::reading::{Reading, bytes, percent, share, size};
use crate::platform::{self, Memory, ReadError};

/// Reads the swap of this machine.
pub(crate) fn check(thresholds: &Thresholds) -> Result<Reading, ReadError> {
    Ok(judge(&platform::memory()?, thresholds))
}

fn judge(memory: &Memory, thresholds: &Thresholds) -> Reading {
    if memory.swap_total == 0 {
        return Reading::ok("no swap on this machine".to_owned());
    }
    let used = memory.swap_total.saturating_sub(memory.swap_free);
    let part = percent(used, memory.swap_total);
    let mut reading = Reading::ok(format!(
        "swap {part:.0} % in use of {}",
        bytes(memory.swap_total)
    ));
    reading.judge(share("used", part), thresholds);
    reading.measure(size("swap", used, memory.swap_total));
    reading
}

#[cfg(test)]
mod tests {
    use super::super::reading::thresholds;
    use super::*;
    use aramaki_model::Severity;

    #[test]
    fn a_machine_without_swap_is_ok_and_one_that_swaps_is_not() {
        let limits = thresholds("20", "60");
        let none = Memory {
            total: 1,
            available: 1,
            swap_total: 0,
            swap_free: 0,
        };
        assert_eq!(judge(&none, &limits).severity, Severity::Ok);
        let full = Memory {
            swap_total: 1 << 30,
            swap_free: 0,
            ..none
        };
        assert_eq!(judge(&full, &limits).severity, Severity::Critical);
    }

    #[test]
    fn this_machine_answers() {
        assert!(
            check(&Thresholds::default())
                .unwrap()
                .summary
                .contains("swap")
        );
    }
}
