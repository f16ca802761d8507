//! What a check says beyond command and interval.

use super::plan::{Place, Remarks};
use crate::check::Check;
use crate::cron::Cron;
use crate::flapping::FlappingLimits;

/// Times and limits as other programs write them.
#[derive(Clone, Debug, Default)]
pub(super) struct Extra {
    /// A cron expression.
    pub(super) cron: Option<String>,
    /// Its time zone.
    pub(super) zone: Option<String>,
    /// Percent below which flapping ends.
    pub(super) low_flap: Option<f64>,
    /// Percent at which flapping begins.
    pub(super) high_flap: Option<f64>,
    /// It never counts as flapping.
    pub(super) never_flaps: bool,
}

/// Adds them to a check; what an agent could not follow is left out and told.
pub(super) fn add(check: Check, extra: &Extra, place: &Place, remarks: &Remarks) -> Check {
    let mut check = check;
    if let Some(expression) = &extra.cron {
        let cron = Cron {
            expression: expression.clone(),
            zone: extra.zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        };
        let timed = Check {
            cron: Some(cron),
            ..check.clone()
        };
        match timed.examine() {
            Err(fault) if fault.field.starts_with("cron") => {
                let reason = format!("it runs at an interval: {}", fault.message);
                remarks.left(place, "cron", &reason);
            }
            _ => check = timed,
        }
    }
    let usual = FlappingLimits::default();
    let limits = FlappingLimits {
        low: extra.low_flap.map_or(usual.low, percent),
        high: if extra.never_flaps {
            100
        } else {
            extra.high_flap.map_or(usual.high, percent)
        },
    };
    // A low limit above the high one means nothing: both are the high one.
    let limits = FlappingLimits {
        low: limits.low.min(limits.high),
        ..limits
    };
    if limits != usual {
        check.flapping = Some(limits);
    }
    check
}

/// Whole percent.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0 to 100"
)]
fn percent(number: f64) -> u8 {
    number.round().clamp(0.0, 100.0) as u8
}
