//! The attacks that must fail (TRUST §11), from engine to engine: each test says what honest peers
//! hold. What a person is told of what counts for nothing is looked at where an attack ends in that
//! (`World::told_of`, `told.rs`, `cut_off`, `waiting`); of what is refused for its form only the peer's answer is.
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
mod told;
mod world;
