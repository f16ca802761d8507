//! Everything the operating system is asked for: one module a system behind the same functions.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::*;

/// Why the operating system gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ReadError {
    /// A file could not be read.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A file does not look as the system's documentation says.
    #[error("{path} has an unexpected form")]
    Form {
        /// Which.
        path: String,
    },
    /// This system is not supported yet.
    #[error("{what} cannot be read on this operating system yet")]
    #[cfg_attr(
        target_os = "linux",
        expect(dead_code, reason = "only other systems lack a reading")
    )]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
}

/// Load averages over 1, 5 and 15 minutes, and the number of processors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Load {
    pub(crate) averages: [f64; 3],
    pub(crate) processors: usize,
}

/// Memory and swap in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) total: u64,
    pub(crate) available: u64,
    pub(crate) swap_total: u64,
    pub(crate) swap_free: u64,
}

/// How full a file system is, for an unprivileged user. Bytes and inodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) total: u64,
    pub(crate) free: u64,
    pub(crate) available: u64,
    pub(crate) inodes: u64,
    pub(crate) inodes_free: u64,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) command_line: String,
    pub(crate) state: char,
}
