//! The engine's rules on a small stage, where the test hands over every frame and every commit.

mod ahead;
mod alone;
mod asks;
mod begin;
mod carry;
mod chains;
mod checks;
mod closes;
mod deliver;
mod ephemerals;
mod heads;
mod hostile;
mod in_step;
mod lazy;
mod quotas;
mod rejoin;
mod rules;
mod snapshots;
mod stage;
mod strangers;
