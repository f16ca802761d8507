//! A message in words: what all channels say of it.

use std::collections::BTreeSet;

use aramaki_model::Severity;
use aramaki_model::alert::AlertId;
use aramaki_model::notify::{Item, Message, State};
use aramaki_sync_core::{SpaceId, Timestamp};

use super::v4;

/// Notifications that a text lists; of the rest it says how many they are.
const LISTED_MAX: usize = 30;
/// The name of each message that only tells that messages arrive.
const TEST_ID: &str = "test";
/// Characters of a subject.
const SUBJECT_LEN_CHARS_MAX: usize = 160;

/// A message, ready for any channel.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// Its name: the same for the same notifications, on every notifier.
    pub(crate) id: String,
    /// One line.
    pub(crate) subject: String,
    /// Some lines.
    pub(crate) text: String,
    /// As Alertmanager says it.
    pub(crate) json: serde_json::Value,
    /// What the messages of one alert have in common: digits of its id.
    pub(super) thread: String,
    /// All alerts that it tells of.
    pub(super) alerts: BTreeSet<AlertId>,
    pub(super) worst: State,
    pub(super) receiver: String,
    pub(super) system: String,
    pub(super) check: String,
    pub(super) summary: String,
}

impl Letter {
    /// Puts a message into words; `name` says what a System is called.
    pub(crate) fn new(
        message: &Message,
        external_url: &str,
        name: impl Fn(&SpaceId) -> String,
    ) -> Self {
        let open = message
            .items
            .iter()
            .filter(|item| item.state != State::Resolved);
        let worst = open
            .clone()
            .map(|item| (item.state, item))
            .max_by_key(|(state, _)| weight(*state));
        let first = worst.map(|(_, item)| item).or(message.items.first());
        let worst = first.map_or(State::Resolved, |item| item.state);
        let system = first.map(|item| name(&item.system)).unwrap_or_default();
        let mut text: String = message
            .items
            .iter()
            .take(LISTED_MAX)
            .map(|item| said(item, &name))
            .collect::<Vec<_>>()
            .join("\n");
        if message.items.len() > LISTED_MAX {
            let more = message.items.len() - LISTED_MAX;
            text = format!("{text}\nand {more} more\n");
        }
        let mut ids: Vec<_> = message.items.iter().map(|item| item.sent_as.0).collect();
        ids.sort_unstable();
        Self {
            id: blake3::hash(ids.as_flattened())
                .to_hex()
                .chars()
                .take(32)
                .collect(),
            subject: subject(message, first, worst, &name),
            text,
            json: v4::json(message, external_url, &name),
            thread: first.map(|item| hex(&item.alert.0, 16)).unwrap_or_default(),
            alerts: message.items.iter().map(|item| item.alert).collect(),
            worst,
            receiver: message.receiver.clone(),
            system,
            check: first
                .map(|item| item.called().into_owned())
                .unwrap_or_default(),
            summary: first.map(|item| item.summary.clone()).unwrap_or_default(),
        }
    }

    /// A message that tells only that messages arrive.
    pub(crate) fn test(channel: &str) -> Self {
        let message = Message {
            target: aramaki_model::notify::Target::default(),
            receiver: channel.to_owned(),
            policy: SpaceId::ZERO,
            group: SpaceId::ZERO,
            items: Vec::new(),
        };
        Self {
            id: TEST_ID.to_owned(),
            subject: format!("[TEST] Aramaki reaches you through {channel}"),
            text:
                "This is a test: nothing is wrong. Somebody asked `aramaki notify test` for it.\n"
                    .to_owned(),
            json: v4::json(&message, "", |_| String::new()),
            thread: String::new(),
            alerts: BTreeSet::new(),
            worst: State::Resolved,
            receiver: channel.to_owned(),
            system: String::new(),
            check: "test".to_owned(),
            summary: "a test".to_owned(),
        }
    }

    /// Whether it only tells that messages arrive.
    pub(super) fn is_test(&self) -> bool {
        self.id == TEST_ID
    }

    /// How loud a desktop is: 0 to 2.
    pub(super) const fn urgency(&self) -> u8 {
        match self.worst {
            State::Problem(Severity::Critical) => 2,
            State::Problem(_) => 1,
            State::Acknowledged | State::Resolved => 0,
        }
    }

    /// What a program is told in its environment.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("ARAMAKI_ID", self.id.clone()),
            ("ARAMAKI_ALERT", self.thread.clone()),
            ("ARAMAKI_STATUS", self.worst.word().to_owned()),
            ("ARAMAKI_RECEIVER", self.receiver.clone()),
            ("ARAMAKI_SYSTEM", self.system.clone()),
            ("ARAMAKI_CHECK", self.check.clone()),
            ("ARAMAKI_SUMMARY", self.summary.clone()),
            ("ARAMAKI_SUBJECT", self.subject.clone()),
        ]
    }
}

/// What stands in a subject: problems before what is taken, that before what is over.
fn weight(state: State) -> (u8, u8) {
    match state {
        State::Problem(severity) => (2, severity.concern()),
        State::Acknowledged => (1, 0),
        State::Resolved => (0, 0),
    }
}

fn subject(
    message: &Message,
    first: Option<&Item>,
    worst: State,
    name: impl Fn(&SpaceId) -> String,
) -> String {
    let word = worst.word().to_uppercase();
    let line = match (first, message.items.len()) {
        // What it said last is no news any more, and reads as if it were still so.
        (Some(item), 1) if item.state == State::Resolved => {
            format!("[{word}] {}: {}", name(&item.system), item.called())
        }
        (Some(item), 1) => format!(
            "[{word}] {}: {}: {}",
            name(&item.system),
            item.called(),
            item.summary
        ),
        (_, count) => format!("[{word}] {}: {count} notifications", name(&message.group)),
    };
    line.chars()
        .map(|c| {
            if aramaki_model::is_deceptive(c) {
                ' '
            } else {
                c
            }
        })
        .take(SUBJECT_LEN_CHARS_MAX)
        .collect()
}

fn said(item: &Item, name: impl Fn(&SpaceId) -> String) -> String {
    let way: Vec<_> = item.path.iter().map(name).collect();
    let state = item.state.word().to_uppercase();
    let mut lines = vec![
        format!("{state}  {}", way.join(" → ")),
        format!("  {}: {}", item.called(), item.summary),
    ];
    match (&item.acknowledged, item.state) {
        (Some((by, words)), State::Acknowledged) if words.is_empty() => {
            lines.push(format!("  {by} took it"));
        }
        (Some((by, words)), State::Acknowledged) => {
            lines.push(format!("  {by} took it: {words}"));
        }
        _ => {}
    }
    lines.push(match item.resolved {
        Some(at) => format!("  over since {}", clock(at)),
        None => format!("  since {}", clock(item.opened)),
    });
    if item.repeat > 0 {
        lines.push(format!("  told before, {} times", item.repeat));
    }
    if item.step > 0 {
        let step = item.step + 1;
        lines.push(format!(
            "  nobody took it so far: step {step} of the escalation"
        ));
    }
    lines.push(format!("  alert {}", hex(&item.alert.0, 6)));
    lines.push(String::new());
    lines.join("\n")
}

/// UTC to the second: a receiver may be anywhere.
fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{} UTC", seconds.replace('T', " ").trim_end_matches('Z'))
}

/// The first bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8], len: usize) -> String {
    data_encoding::HEXLOWER.encode(bytes.get(..len).unwrap_or(bytes))
}

#[cfg(test)]
pub(super) mod tests {
    use aramaki_model::CheckId;
    use aramaki_model::notify::{NotificationId, Target};

    use super::*;

    /// A message of these states.
    pub(in crate::notify) fn message(states: &[State]) -> Message {
        let item = |(n, state): (u8, &State)| {
            let alert = AlertId([n; 32]);
            let target = Target {
                via: "mail".to_owned(),
                to: "ops@example.org".to_owned(),
            };
            let id = NotificationId::new(&alert, *state, &target, 0, 0);
            Item {
                id,
                sent_as: id,
                alert,
                system: SpaceId::from_bytes([n; 32]),
                check: CheckId::from_bytes([n; 16]),
                name: "disk".to_owned(),
                summary: "96 % full".to_owned(),
                severity: Severity::Critical,
                told_first: None,
                machine: None,
                opened: Timestamp::from_millis(1_795_370_000_123),
                resolved: (*state == State::Resolved)
                    .then(|| Timestamp::from_millis(1_795_370_060_000)),
                state: *state,
                acknowledged: (*state == State::Acknowledged)
                    .then(|| ("alice".to_owned(), "on it".to_owned())),
                step: 0,
                repeat: 0,
                path: vec![SpaceId::from_bytes([9; 32]), SpaceId::from_bytes([n; 32])],
            }
        };
        Message {
            target: Target {
                via: "mail".to_owned(),
                to: "ops@example.org".to_owned(),
            },
            receiver: "ops".to_owned(),
            policy: SpaceId::from_bytes([9; 32]),
            group: SpaceId::from_bytes([9; 32]),
            items: (1..).zip(states).map(item).collect(),
        }
    }

    /// What Systems are called here.
    pub(in crate::notify) fn name(space: &SpaceId) -> String {
        match space.as_bytes()[0] {
            9 => "Webshop".to_owned(),
            n => format!("osd.{n}"),
        }
    }

    #[test]
    fn a_letter_says_what_is_wrong_where_since_when_and_who_took_it() {
        let critical = State::Problem(Severity::Critical);
        let letter = Letter::new(&message(&[critical]), "", name);
        assert_eq!(letter.subject, "[CRITICAL] osd.1: disk: 96 % full");
        assert_eq!(
            letter.text,
            "CRITICAL  Webshop → osd.1\n  disk: 96 % full\n  since 2026-11-22 17:53:20 UTC\n  alert 010101010101\n"
        );
        let letter = Letter::new(
            &message(&[State::Resolved, critical, State::Acknowledged]),
            "",
            name,
        );
        assert_eq!(letter.subject, "[CRITICAL] Webshop: 3 notifications");
        assert!(
            letter.text.contains("over since 2026-11-22 17:54:20 UTC"),
            "{}",
            letter.text
        );
        assert!(
            letter.text.contains("alice took it: on it"),
            "{}",
            letter.text
        );
        let many = Letter::new(&message(&[critical; 100]), "", name);
        assert!(many.text.ends_with("\nand 70 more\n"));
    }

    #[test]
    fn the_same_notifications_have_the_same_name_in_any_order() {
        let states = [State::Problem(Severity::Critical), State::Resolved];
        let mut turned = message(&states);
        turned.items.reverse();
        let letter = Letter::new(&message(&states), "", name);
        assert_eq!(letter.id, Letter::new(&turned, "", name).id);
        assert_ne!(letter.id, Letter::new(&message(&states[..1]), "", name).id);
        let mut again = message(&states);
        let first = &mut again.items[0];
        first.sent_as = first.id.again(first.opened);
        let again = Letter::new(&again, "", name);
        assert_ne!(
            letter.id, again.id,
            "who drops repeats drops no second outage"
        );
        assert_eq!(letter.thread, again.thread);
    }
}
