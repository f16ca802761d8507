//! The engine in a seeded world of bad networks, bad disks and a bad peer (DESIGN §8).
//!
//! `ARAMAKI_SEEDS` says how many seeds to run (50). A seed replays exactly.

mod byzantine;
mod disk;
mod invariants;
mod network;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use aramaki_sync_core::engine::Mutant;
use world::run;

/// Seeds that once failed: they run first.
const CORPUS: [u64; 18] = [
    3, 7, 9, 14, 25, 98, 138, 184, 245, 301, 479, 634, 701, 711, 786, 953, 957, 1219,
];
/// Within how many seeds a mutant must be noticed.
const SEEDS_PER_MUTANT: u64 = 1_000;

fn seeds() -> u64 {
    std::env::var("ARAMAKI_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(50)
}

#[test]
fn every_seed_converges_and_loses_nothing() {
    if let Ok(one) = std::env::var("SEED") {
        eprintln!("{:?}", run(one.parse().unwrap(), None).err());
        return;
    }
    for seed in CORPUS {
        assert_eq!(run(seed, None).err(), None, "seed {seed}");
    }
    let (next, last) = (AtomicU64::new(0), seeds());
    let failed: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_worker| {
                scope.spawn(|| {
                    let mut failed = Vec::new();
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= last {
                            return failed;
                        }
                        if let Err(violation) = run(seed, None) {
                            failed.push((seed, violation));
                        }
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(failed.is_empty(), "{} of {last}: {failed:#?}", failed.len());
}

#[test]
fn a_seed_replays_exactly() {
    let mut covered = 0;
    for seed in 0..3 {
        let report = run(seed, None);
        assert_eq!(report, run(seed, None), "seed {seed}");
        let report = report.unwrap();
        assert!(
            report.acknowledged > 0 && report.envelopes > 8,
            "{report:?}"
        );
        covered += report.covered;
    }
    assert!(covered > 0, "no snapshot was ever needed");
}

fn killed(mutant: Mutant) {
    let seed = (0..SEEDS_PER_MUTANT).find(|seed| run(*seed, Some(mutant)).is_err());
    assert!(
        seed.is_some(),
        "{mutant:?} survived {SEEDS_PER_MUTANT} seeds"
    );
}

#[test]
fn an_acknowledgement_before_the_disk_is_noticed() {
    killed(Mutant::AcknowledgeBeforeDurable);
}

#[test]
fn an_author_without_the_right_is_noticed() {
    killed(Mutant::SkipAuthorCheck);
}

#[test]
fn a_lost_announcement_that_is_never_repeated_is_noticed() {
    killed(Mutant::ForgetReannouncement);
}

#[test]
fn a_connection_keyed_by_its_peer_is_noticed() {
    killed(Mutant::ConnectionKeyedByPeer);
}

#[test]
fn a_cursor_that_outlives_its_store_is_noticed() {
    killed(Mutant::CursorWithoutStoreEpoch);
}

#[test]
fn an_accepted_gap_is_noticed() {
    killed(Mutant::AcceptGap);
}

#[test]
fn a_queue_without_bound_is_noticed() {
    killed(Mutant::UnboundedQueue);
}

#[test]
fn a_snapshot_that_is_believed_is_noticed() {
    killed(Mutant::BelieveSnapshots);
}

#[test]
fn bodies_that_are_missing_in_silence_are_noticed() {
    killed(Mutant::LackInSilence);
}

#[test]
fn an_instance_that_goes_on_after_a_rollback_is_noticed() {
    killed(Mutant::ReuseInstanceAfterRestore);
}
