//! What one notification is called, on every notifier alike.

use std::fmt;

use aramaki_sync_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::receipt::{State, Target};
use crate::alert::AlertId;

/// One notification: this state of this alert, told to this receiver, at this step, this often.
///
/// **Invariant:** every notifier that looks at the same facts gives it the same name, so that what
/// one of them sent is known to all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NotificationId(pub [u8; 32]);

impl NotificationId {
    /// Derives it.
    pub fn new(alert: &AlertId, state: State, target: &Target, step: u16, repeat: u16) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("aramaki notification id v1");
        hasher.update(&alert.0);
        hasher.update(&[state.code()]);
        // Lengths keep two texts apart that read the same when joined.
        for text in [&target.via, &target.to] {
            let len = u64::try_from(text.len()).unwrap_or(u64::MAX);
            hasher.update(&len.to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(&step.to_le_bytes());
        hasher.update(&repeat.to_le_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// The name under which receivers know it if the same was told before, last at that moment, of a time that
    /// was over: an alert that begins again under its id is news, and who drops repeats must not drop it.
    #[must_use]
    pub fn again(self, told_before: Timestamp) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("aramaki notification told again v1");
        hasher.update(&self.0);
        hasher.update(&told_before.millis().to_le_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// Enough of it to tell it from others.
    pub fn short(&self) -> String {
        let digits = self
            .0
            .iter()
            .take(6)
            .flat_map(|byte| [byte >> 4, byte & 15]);
        digits
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect()
    }
}

impl fmt::Debug for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NotificationId({})", self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::severity::Severity;

    #[test]
    fn the_id_does_not_change_and_each_part_of_it_counts() {
        let target = |via: &str, to: &str| Target {
            via: via.to_owned(),
            to: to.to_owned(),
        };
        let alert = AlertId([1; 32]);
        let state = State::Problem(Severity::Critical);
        let id = NotificationId::new(&alert, state, &target("mail", "ops"), 0, 0);
        assert_eq!(
            id.short(),
            "ac147100093c",
            "released notifiers would tell everything again"
        );
        let others = [
            NotificationId::new(&AlertId([2; 32]), state, &target("mail", "ops"), 0, 0),
            NotificationId::new(&alert, State::Resolved, &target("mail", "ops"), 0, 0),
            NotificationId::new(&alert, state, &target("mailo", "ps"), 0, 0),
            NotificationId::new(&alert, state, &target("mail", "ops"), 1, 0),
            NotificationId::new(&alert, state, &target("mail", "ops"), 0, 1),
        ];
        assert!(others.iter().all(|other| *other != id));
        let again = [1, 2].map(|at| id.again(Timestamp::from_millis(at)));
        assert!(again[0] != again[1] && !again.contains(&id));
    }
}
