//! What verbs say of silences and maintenance windows that begin and end.

use aramaki_model::{Quiet, QuietAbout, QuietStep};

use crate::cli::local;
use crate::cli::report::count;

/// One line: what happened, to what, why, and how many alerts were quiet by it.
pub(super) fn words(quiet: &Quiet) -> String {
    let what = about(&quiet.about);
    let (begin, until) = (local(quiet.from), local(quiet.until));
    let said = match (quiet.is_maintenance(), quiet.step) {
        (false, QuietStep::Made) if quiet.until_resolved => {
            format!("silenced {what} until it is resolved, at the latest {until}")
        }
        (false, QuietStep::Made) => format!("silenced {what} until {until}"),
        (false, QuietStep::Ended) => format!("ended the silence of {what} before its time"),
        (false, QuietStep::Resolved) => {
            format!("the silence of {what} ended with its problems")
        }
        (false, QuietStep::Opened | QuietStep::RanOut) => {
            format!("the silence of {what} ran out")
        }
        (true, QuietStep::Made) => {
            let again = if quiet.again { ", again and again" } else { "" };
            format!("planned maintenance from {begin} to {until}{again}")
        }
        (true, QuietStep::Opened) => format!("maintenance began, until {until}"),
        (true, QuietStep::Ended) => {
            format!("took back the maintenance from {begin} to {until}")
        }
        (true, QuietStep::Resolved | QuietStep::RanOut) => {
            format!("the maintenance since {begin} is over")
        }
    };
    let muted = match (quiet.muted, quiet.step) {
        // That something was not heard is not counted, so none is not nothing.
        (None | Some(0), _) => String::new(),
        (Some(muted), QuietStep::Made) => {
            format!(" (muted {} at that moment)", problems(muted))
        }
        (Some(muted), _) => format!(" (muted {})", problems(muted)),
    };
    let colon = if quiet.reason.is_empty() { "" } else { ": " };
    format!("{said}{muted}{colon}{}", quiet.reason)
}

fn problems(muted: u32) -> String {
    count(usize::try_from(muted).unwrap_or(usize::MAX), "problem")
}

fn about(about: &QuietAbout) -> String {
    match about {
        QuietAbout::System | QuietAbout::Maintenance => "everything".to_owned(),
        QuietAbout::Subtree => "everything, and what parts bring".to_owned(),
        QuietAbout::Check { name, .. } if name.is_empty() => "a check that was removed".to_owned(),
        QuietAbout::Check { name, .. } => name.clone(),
        QuietAbout::Family(family) => format!("problems like “{family}”"),
        QuietAbout::Agent(name) => format!("that {name} is not heard"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aramaki_sync_core::Timestamp;

    #[test]
    fn a_line_says_what_happened_why_and_how_many_were_quiet() {
        let made = Quiet {
            about: QuietAbout::Family("disk full".to_owned()),
            step: QuietStep::Made,
            reason: "being replaced".to_owned(),
            from: Timestamp::ZERO,
            until: Timestamp::from_millis(60_000),
            until_resolved: true,
            again: false,
            muted: Some(2),
        };
        let said = words(&made);
        assert!(
            said.starts_with("silenced problems like “disk full” until it is resolved"),
            "{said}"
        );
        assert!(
            said.ends_with(" (muted 2 problems at that moment): being replaced"),
            "{said}"
        );
        // What was only not heard is in no count.
        let missing = Quiet {
            muted: Some(0),
            ..made.clone()
        };
        assert!(!words(&missing).contains("muted"), "{}", words(&missing));
        let over = Quiet {
            about: QuietAbout::Maintenance,
            step: QuietStep::RanOut,
            muted: None,
            ..made
        };
        let said = words(&over);
        assert!(said.starts_with("the maintenance since "), "{said}");
        assert!(said.ends_with(" is over: being replaced"), "{said}");
    }
}
