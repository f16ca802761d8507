//! What `nagios.cfg` says beyond the objects.

use super::objects::Configuration;
use crate::import::plan::{Place, Remarks};
use crate::import::span::millis;

/// Settings that change what definitions mean, or name more of them; the others are Nagios' own.
pub(super) fn tell(whole: &Configuration, remarks: &Remarks) {
    let mut own: Option<(&Place, usize)> = None;
    for (name, (value, place)) in &whole.settings {
        let reason = match name.as_str() {
            "cfg_file" | "cfg_dir" | "include_file" | "include_dir" => {
                format!("more configuration: name {value} too, if it is not")
            }
            "resource_file" => format!("values of macros: name {value} too, if it is not"),
            "use_regexp_matching" | "use_true_regexp_matching" if value == "1" => {
                "names are taken as they stand, not as patterns".to_owned()
            }
            "execute_service_checks" | "execute_host_checks" if value == "0" => {
                "all checks are switched off there: here each runs that is not off itself"
                    .to_owned()
            }
            "enable_notifications" if value == "0" => {
                "nobody is told of anything there: who is told here is set up with routes"
                    .to_owned()
            }
            "interval_length" | "service_check_timeout" | "host_check_timeout" => continue,
            _ => {
                let (_, count) = own.get_or_insert((place, 0));
                *count += 1;
                continue;
            }
        };
        remarks.left(place, name, &reason);
    }
    if let Some((place, count)) = own {
        let place = Place {
            line: None,
            ..place.clone()
        };
        let reason = format!("settings of Nagios itself ({count}) have no meaning here");
        remarks.left(&place, "", &reason);
    }
}

/// Seconds that a setting says.
pub(super) fn seconds(whole: &Configuration, name: &str, usual: f64, remarks: &Remarks) -> f64 {
    let Some((value, place)) = whole.settings.get(name) else {
        return usual;
    };
    let number = value.parse::<f64>().ok();
    let number = number.filter(|it| (0.001..=86_400.0).contains(it));
    number.unwrap_or_else(|| {
        let reason = format!("a number of seconds is expected: {usual} is taken");
        remarks.left(place, name, &reason);
        usual
    })
}

/// How long a check may run, as a setting says.
pub(super) fn timeout_ms(whole: &Configuration, name: &str, usual: f64, remarks: &Remarks) -> u64 {
    let seconds = seconds(whole, name, usual, remarks);
    millis(seconds, 1_000.0).unwrap_or(60_000)
}
