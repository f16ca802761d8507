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
        let text = object.text(name).unwrap_or_default();
        // What a definition says only because the one that it was copied from does.
        let says_nothing = match name.as_str() {
            "is_volatile" | "first_notification_delay" => text == "0",
            "notifications_enabled" => text == "1",
            name => name.ends_with("_period") && text.eq_ignore_ascii_case("24x7"),
        };
        if !says_nothing {
            remarks.left(place, name, reason);
        }
    }
}

/// Fields of groups, contacts and commands that have no counterpart.
pub(super) fn left_of(kind: &str, place: &Place, object: &Resolved, remarks: &Remarks) {
    let known: &[&str] = match kind {
        "hostgroup" => &[
            "hostgroup_name",
            "hostgroup_members",
            "members",
            "alias",
            "notes",
            "notes_url",
            "action_url",
        ],
        "servicegroup" => &[
            "servicegroup_name",
            // Told where groups are read.
            "servicegroup_members",
            "members",
            "alias",
            "notes",
            "notes_url",
            "action_url",
        ],
        "contactgroup" => &[
            "contactgroup_name",
            "contactgroup_members",
            "members",
            "alias",
        ],
        "contact" => &["contact_name", "contactgroups", "alias", "email", "pager"],
        _ => &["command_name", "command_line"],
    };
    for name in object.fields.keys() {
        let is_known = known.contains(&name.as_str()) || name.starts_with('_');
        if is_known || object.text(name).is_none() {
            continue;
        }
        let is_routing = kind == "contact" && name.contains("notification");
        let is_always = object
            .text(name)
            .is_some_and(|it| it.eq_ignore_ascii_case("24x7") || it == "1");
        let is_own = [
            "can_submit_commands",
            "retain_status_information",
            "retain_nonstatus_information",
        ]
        .contains(&name.as_str());
        let reason = if is_routing {
            ROUTES
        } else if kind == "contact" && name.starts_with("address") {
            "how somebody is reached is set with receivers"
        } else {
            "this field is not understood"
        };
        if !(is_own || is_routing && is_always) {
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
    ("parent", "this field is not understood"),
    ("hostgroups_exclude", "this field is not understood"),
    ("escalation_options", ROUTES),
    ("exclude", "this field is not understood"),
];
