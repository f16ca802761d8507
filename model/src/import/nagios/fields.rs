//! Fields of hosts and services that have no counterpart.

use super::objects::Resolved;
use crate::import::plan::{Place, Remarks};

/// Fields that have no counterpart.
pub(super) fn left(place: &Place, object: &Resolved, remarks: &Remarks) {
    for name in object.fields.keys() {
        if KNOWN.contains(&name.as_str()) || name.starts_with('_') || object.text(name).is_none() {
            continue;
        }
        let found = LEFT.iter().find(|(field, _)| field == name);
        let reason = match found {
            Some((_, "")) => continue,
            Some((_, reason)) => reason,
            None => "this field is not understood",
        };
        let is_always = name.ends_with("_period")
            && object
                .text(name)
                .is_some_and(|it| it.eq_ignore_ascii_case("24x7"));
        if !is_always {
            remarks.left(place, name, reason);
        }
    }
}

/// Fields that are taken.
const KNOWN: [&str; 29] = [
    "host_name",
    "alias",
    "display_name",
    "address",
    "parents",
    "hostgroups",
    "check_command",
    "max_check_attempts",
    "check_interval",
    "retry_interval",
    "active_checks_enabled",
    "check_freshness",
    "freshness_threshold",
    "low_flap_threshold",
    "high_flap_threshold",
    "flap_detection_enabled",
    "contacts",
    "contact_groups",
    "notes",
    "notes_url",
    "action_url",
    "hostgroup_name",
    "service_description",
    "servicegroups",
    "use",
    "name",
    "register",
    "service_groups",
    "address6",
];

const ROUTES: &str = "who is told of what, and when, is set up with routes";

/// Fields that have no counterpart, and why; without a reason they say nothing that could be lost.
const LEFT: [(&str, &str); 36] = [
    (
        "check_period",
        "times of rest are maintenance windows: set them up again",
    ),
    ("notification_period", ROUTES),
    ("notification_interval", ROUTES),
    ("notification_options", ROUTES),
    ("first_notification_delay", ROUTES),
    ("notifications_enabled", ROUTES),
    (
        "event_handler",
        "programs that repair are actions: see `aramaki action`",
    ),
    ("event_handler_enabled", ""),
    ("passive_checks_enabled", ""),
    ("obsess_over_host", ""),
    ("obsess_over_service", ""),
    ("obsess", ""),
    ("process_perf_data", ""),
    ("retain_status_information", ""),
    ("retain_nonstatus_information", ""),
    ("failure_prediction_enabled", ""),
    ("parallelize_check", ""),
    ("is_volatile", "each result counts as any other"),
    ("stalking_options", ""),
    ("flap_detection_options", ""),
    ("initial_state", ""),
    ("importance", ""),
    ("hourly_value", ""),
    ("icon_image", ""),
    ("icon_image_alt", ""),
    ("vrml_image", ""),
    ("statusmap_image", ""),
    ("2d_coords", ""),
    ("3d_coords", ""),
    ("gd2_image", ""),
    ("vhost", ""),
    ("notes_url_target", ""),
    ("parent", ""),
    ("hostgroups_exclude", ""),
    ("escalation_options", ROUTES),
    ("exclude", ""),
];
