//! The engine rules, one by one.
