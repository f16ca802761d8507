//! Bubbles on a desktop that newer messages take the place of.

use std::collections::BTreeSet;

use aramaki_model::alert::AlertId;

/// Bubbles that are remembered. One that is forgotten stays until somebody closes it.
const BUBBLES_MAX: usize = 64;

/// What is shown, as far as this program showed it since it began.
#[derive(Debug, Default)]
pub(super) struct Bubbles {
    /// Whoever draws them, by the unique name on the bus: another one counts anew.
    owner: Option<String>,
    /// Oldest first.
    shown: Vec<Bubble>,
}

#[derive(Debug)]
struct Bubble {
    /// As the desktop numbers it.
    id: u32,
    /// Alerts of which nothing newer was told. Never empty.
    alerts: BTreeSet<AlertId>,
}

impl Bubbles {
    /// Forgets what somebody else drew: its numbers may be those of strangers now.
    pub(super) fn drawn_by(&mut self, owner: Option<String>) {
        if self.owner != owner {
            self.shown.clear();
            self.owner = owner;
        }
    }

    /// The bubbles, oldest first, that say nothing but what a message about these alerts says anew.
    pub(super) fn outdated(&self, alerts: &BTreeSet<AlertId>) -> Vec<u32> {
        let outdated = self.shown.iter();
        let outdated = outdated.filter(|bubble| bubble.alerts.is_subset(alerts));
        outdated.map(|bubble| bubble.id).collect()
    }

    /// Takes in that a message about these alerts is shown.
    pub(super) fn shown(&mut self, id: u32, alerts: &BTreeSet<AlertId>) {
        for bubble in &mut self.shown {
            bubble.alerts.retain(|alert| !alerts.contains(alert));
        }
        self.shown
            .retain(|bubble| !bubble.alerts.is_empty() && bubble.id != id);
        if alerts.is_empty() {
            return;
        }
        if self.shown.len() >= BUBBLES_MAX {
            self.shown.remove(0);
        }
        self.shown.push(Bubble {
            id,
            alerts: alerts.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alerts(numbers: &[u8]) -> BTreeSet<AlertId> {
        numbers.iter().map(|n| AlertId([*n; 32])).collect()
    }

    #[test]
    fn a_newer_message_takes_the_place_of_what_it_says_anew_and_of_nothing_else() {
        let mut bubbles = Bubbles::default();
        assert_eq!(bubbles.outdated(&alerts(&[1])), [0_u32; 0]);
        bubbles.shown(7, &alerts(&[1]));
        assert_eq!(bubbles.outdated(&alerts(&[2])), [0_u32; 0]);
        assert_eq!(bubbles.outdated(&alerts(&[1, 2])), [7]);
        bubbles.shown(7, &alerts(&[1, 2]));
        // That one of the two is over says nothing of the other, which is still there to be seen.
        assert_eq!(bubbles.outdated(&alerts(&[1])), [0_u32; 0]);
        bubbles.shown(8, &alerts(&[1]));
        assert_eq!(bubbles.outdated(&alerts(&[2])), [7]);
        assert_eq!(bubbles.outdated(&alerts(&[1, 2])), [7, 8]);
        bubbles.shown(7, &alerts(&[1, 2]));
        assert_eq!(bubbles.outdated(&alerts(&[1, 2])), [7], "8 was closed");
    }

    #[test]
    fn a_test_and_what_another_desktop_drew_take_no_place() {
        let mut bubbles = Bubbles::default();
        bubbles.drawn_by(Some(":1.4".to_owned()));
        bubbles.shown(3, &alerts(&[]));
        assert_eq!(bubbles.outdated(&alerts(&[1])), [0_u32; 0]);
        bubbles.shown(4, &alerts(&[1]));
        assert_eq!(bubbles.outdated(&alerts(&[])), [0_u32; 0]);
        bubbles.drawn_by(Some(":1.4".to_owned()));
        assert_eq!(bubbles.outdated(&alerts(&[1])), [4]);
        bubbles.drawn_by(Some(":1.9".to_owned()));
        assert_eq!(bubbles.outdated(&alerts(&[1])), [0_u32; 0]);
    }

    #[test]
    fn only_so_many_are_remembered_and_the_oldest_is_forgotten() {
        let mut bubbles = Bubbles::default();
        let many = u8::try_from(BUBBLES_MAX).unwrap();
        for n in 0..=many {
            bubbles.shown(u32::from(n) + 1, &alerts(&[n]));
        }
        assert_eq!(bubbles.outdated(&alerts(&[0])), [0_u32; 0]);
        assert_eq!(bubbles.outdated(&alerts(&[1])), [2]);
        assert_eq!(bubbles.outdated(&alerts(&[many])), [u32::from(many) + 1]);
    }
}
