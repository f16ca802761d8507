//! What `aramaki demo --headless` prints.

use serde_json::json;

use super::message::Figures;
use super::statistics::Spans;
use crate::cli::Report;

/// What happened, from the replicas' own figures.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// Stores that took part: people, agents, relay.
    pub(super) replicas: usize,
    /// The first person's.
    pub(super) first: Figures,
    /// The second person's.
    pub(super) second: Figures,
    /// The folder, if it is kept.
    pub(super) kept: Option<String>,
}

impl Outcome {
    /// Whether both replicas hold the same.
    pub(super) fn converged(&self) -> bool {
        same(&self.first, &self.second)
    }

    /// For people and programs.
    pub(super) fn report(&self) -> Report {
        let spans = spans(&self.second.arrivals);
        let sealed = spans_of_envelopes(&self.second);
        let (p50, p95) = (spans.percentile(50), spans.percentile(95));
        let converged = self.converged();
        // What was sent and arrived: counted where it arrived.
        let envelopes_sent = self.first.envelopes_received + self.second.envelopes_received;
        let bytes_sent = self.first.bytes_received + self.second.bytes_received;
        let milliseconds = |span: Option<u64>| span.map_or("-".to_owned(), |ms| format!("{ms} ms"));
        let mut text = format!(
            "{} replicas hold {} Spaces with {} envelopes.\n\
             {} transitions reached the second replica, half of them within {}, 95 % within {}.\n\
             The two people's replicas {}: {} and {}.\n",
            self.replicas,
            self.second.spaces,
            self.second.envelopes,
            self.second.arrivals.len(),
            milliseconds(p50),
            milliseconds(p95),
            if converged {
                "agree"
            } else {
                "do not agree yet"
            },
            &self.first.digest.get(..12).unwrap_or_default(),
            &self.second.digest.get(..12).unwrap_or_default(),
        );
        if let Some(folder) = &self.kept {
            text.push_str("Kept in ");
            text.push_str(folder);
            text.push_str(".\n");
        }
        Report::new(
            text,
            &json!({
                "replicas": self.replicas,
                "spaces": self.second.spaces,
                "envelopes_sent": envelopes_sent,
                "bytes_sent": bytes_sent,
                "transitions": self.second.arrivals.len(),
                "converged": converged,
                "digests": [self.first.digest, self.second.digest],
                "propagation_p50_ms": p50,
                "propagation_p95_ms": p95,
                "envelope_p50_ms": sealed.percentile(50),
                "envelope_p95_ms": sealed.percentile(95),
                "folder": self.kept,
            }),
        )
    }
}

/// Whether two replicas hold the same Spaces with the same envelopes.
pub(super) fn same(first: &Figures, second: &Figures) -> bool {
    !first.digest.is_empty() && first.digest == second.digest && first.spaces == second.spaces
}

fn spans(pairs: &[(i64, i64)]) -> Spans {
    let mut spans = Spans::default();
    for (made, arrived) in pairs {
        spans.add(u64::try_from(arrived - made).unwrap_or(0));
    }
    spans
}

fn spans_of_envelopes(figures: &Figures) -> Spans {
    spans(&figures.envelope_arrivals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(digest: &str) -> Figures {
        Figures {
            digest: digest.to_owned(),
            spaces: 3,
            arrivals: vec![(100, 105), (100, 120)],
            ..Figures::default()
        }
    }

    #[test]
    fn replicas_agree_only_when_their_digests_do() {
        let outcome = |digest| Outcome {
            replicas: 3,
            first: figures("a"),
            second: figures(digest),
            kept: None,
        };
        assert_eq!(outcome("a").report().json["converged"], true);
        assert_eq!(outcome("b").report().json["converged"], false);
        assert_eq!(outcome("a").report().json["propagation_p50_ms"], 5);
        assert_eq!(outcome("a").report().json["propagation_p95_ms"], 20);
    }

    #[test]
    fn two_empty_replicas_are_no_agreement() {
        assert!(!same(&Figures::default(), &Figures::default()));
    }
}
