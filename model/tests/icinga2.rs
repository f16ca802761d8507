//! The same results as Icinga 2 was given, and what it made of them: `tests/compare/icinga2.py` wrote that down.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::flapping::STATES;
use aramaki_model::{Check, CheckId, CheckState, FlappingLimits, Observation, Severity};
use aramaki_sync_core::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    sequences: Vec<Sequence>,
}

#[derive(Deserialize)]
struct Sequence {
    attempts: u32,
    /// Of each result: its state, then the state, whether it is hard, the attempt, whether it flaps.
    results: Vec<[u32; 5]>,
}

fn severity(code: u32) -> Severity {
    Severity::from_exit_code(i32::try_from(code).unwrap())
}

/// Runs a sequence; says how often what counts, the attempt and the flapping were compared.
fn compare(number: usize, sequence: &Sequence) -> [usize; 3] {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    let check = Check {
        attempts: sequence.attempts,
        ..Check::new(CheckId::from_bytes([1; 16]), "c", kind)
    };
    let mut state = CheckState::new(check.id);
    let limits = FlappingLimits::default();
    let (mut hard, mut is_tied) = (Severity::Missing, false);
    let mut compared = [0; 3];
    for (at, [result, icinga, is_hard, attempt, flaps]) in (0..).zip(&sequence.results) {
        let observation = Observation::of_builtin(
            check.id,
            Timestamp::from_millis(at),
            severity(*result),
            "said",
        );
        state.observe(&check, &observation);
        let place = format!("sequence {number}, result {at}");
        assert_eq!(state.raw, severity(*icinga), "{place}: raw");
        if *is_hard == 1 {
            hard = severity(*icinga);
        }
        assert_eq!(state.hard, hard, "{place}: hard");
        compared[0] += 1;
        assert_eq!(state.is_soft(), *is_hard == 0, "{place}: soft");
        // Icinga begins to count anew once it counts; here the attempt is kept that made it count.
        if *is_hard == 0 {
            assert_eq!(state.attempt, *attempt, "{place}: attempt");
            compared[1] += 1;
        }
        // Icinga takes what it never saw for steady, and flaps after a few results; here, as in Nagios, that is
        // said only once there are as many as are looked at.
        if usize::try_from(at).unwrap() < STATES - 1 {
            continue;
        }
        // At a limit itself Icinga does not begin yet and has ended; Nagios, and we, the other way round.
        let percent = state.flapping.percent();
        let limits = [f64::from(limits.low), f64::from(limits.high)];
        is_tied |= limits.iter().any(|limit| (percent - limit).abs() < 1e-6);
        let is_same = state.flapping.is_active() == (*flaps == 1);
        assert!(is_same || is_tied, "{place}: flapping at {percent}");
        is_tied &= !is_same;
        compared[2] += usize::from(is_same);
    }
    compared
}

#[test]
fn results_count_and_flap_as_in_icinga_2() {
    let recorded: Recorded = serde_json::from_str(include_str!("icinga2.json")).unwrap();
    let mut compared = [0; 3];
    let mut begins_bad = 0;
    for (number, sequence) in recorded.sequences.iter().enumerate() {
        // A first result that is bad counts at once here: nobody knows of a time in which it was OK. Icinga
        // waits for more, and takes it for the second attempt.
        if sequence.results[0][0] != 0 && sequence.attempts > 1 {
            begins_bad += 1;
            continue;
        }
        for (sum, more) in compared.iter_mut().zip(compare(number, sequence)) {
            *sum += more;
        }
    }
    assert_eq!(begins_bad, 1);
    assert!(
        compared[0] > 400 && compared[1] > 40 && compared[2] > 200,
        "{compared:?}"
    );
}
