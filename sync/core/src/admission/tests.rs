//! Attacks and properties of admission.
