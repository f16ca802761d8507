//! Tests that need several crates at once: the simulation in `tests/simulation`, the rules of the
//! source tree in `tests/tidy.rs`, and processes.
