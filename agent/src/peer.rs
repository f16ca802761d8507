//! Programs of others that tests talk to.
//!
//! Who runs the README's command has none of them; `.ci/run` installs them, and sets `ARAMAKI_PEERS` so that a test
//! whose peer is missing fails there.

use std::path::Path;

/// Whether a program is there. Where it must be and is not, the test fails.
pub(crate) fn is_there(program: &Path) -> bool {
    let is_there = program.exists();
    let is_required = std::env::var_os("ARAMAKI_PEERS").is_some();
    let program = program.display();
    assert!(is_there || !is_required, "{program} is not installed");
    if !is_there {
        eprintln!("{program} is not installed: nothing was tested");
    }
    is_there
}
