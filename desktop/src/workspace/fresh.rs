//! The two things that must come from outside: the time and random bytes.

use aramaki_sync_core::Timestamp;

use crate::cli::{CliError, Clock};

/// Now, by this machine.
pub(crate) fn now() -> Timestamp {
    Clock::now()
}

/// Random bytes from the operating system.
///
/// # Errors
/// When it gives none, which a running Linux never does.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], CliError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| CliError::Bug(error.to_string()))?;
    Ok(bytes)
}
