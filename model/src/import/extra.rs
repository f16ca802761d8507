//! What a check says beyond command and interval.

use super::plan::{Place, Remarks};
use crate::check::Check;

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

/// Adds them to a check.
pub(super) fn add(check: Check, extra: &Extra, place: &Place, remarks: &Remarks) -> Check {
    const FLAPPING: &str = "the usual limits hold: flapping from 30 % on, no more below 25 %";
    if extra.cron.is_some() {
        let zone = extra.zone.as_deref().unwrap_or("UTC");
        let reason = format!("times of the clock ({zone}) are not taken: it runs at an interval");
        remarks.left(place, "cron", &reason);
    }
    let limits = [
        ("low_flap_threshold", extra.low_flap.is_some()),
        ("high_flap_threshold", extra.high_flap.is_some()),
        ("flap_detection_enabled", extra.never_flaps),
    ];
    for (field, _) in limits.into_iter().filter(|(_, is_there)| *is_there) {
        remarks.left(place, field, FLAPPING);
    }
    check
}
