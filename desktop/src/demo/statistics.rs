//! Percentiles of measured spans.

/// Measured spans, milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spans(Vec<u64>);

impl Spans {
    /// Adds one.
    pub(crate) fn add(&mut self, millis: u64) {
        let place = self.0.partition_point(|other| *other < millis);
        self.0.insert(place, millis);
    }

    /// The smallest span that at least `percent` of all do not exceed; none without any.
    pub(crate) fn percentile(&self, percent: usize) -> Option<u64> {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_spans_that_were_measured() {
        let mut spans = Spans::default();
        assert_eq!(spans.percentile(50), None);
        for millis in (1..=20).rev() {
            spans.add(millis);
        }
        assert_eq!(
            (spans.percentile(50), spans.percentile(95)),
            (Some(10), Some(19))
        );
        assert_eq!(
            (spans.percentile(0), spans.percentile(100)),
            (Some(1), Some(20))
        );
    }
}
