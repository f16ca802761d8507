//! The engine's rules on a small stage, where the test hands over every frame and every commit.

mod alone;
mod ephemerals;
mod rules;
mod stage;
