//! The attacks that must fail (TRUST §11), from engine to engine: each test says what honest peers
//! hold and what a person sees.
//!
//! A11 is here over engine and model together; A11 and A27 to A34 are attacks on documents and stand with the model, A37 in `tidy.rs`, A38 and A39 with
//! the rules of admission in `sync/core`.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod actor;
mod bytes;
mod documents;
mod envelopes;
mod epochs;
mod expiry;
mod forks;
mod grants;
mod invitations;
mod lies;
mod limits;
mod relay;
mod revocation;
mod snapshots;
mod world;
mod told;
