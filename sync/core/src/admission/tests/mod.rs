//! Attacks of TRUST §11 and properties of admission. Each story is judged in several orders of
//! arrival, which must agree.

mod attacks;
mod cuts;
mod founding;
mod incremental;
mod invitations;
mod keyring;
mod log;
mod mutants;
mod properties;
mod snapshots;
mod stage;
mod time;
