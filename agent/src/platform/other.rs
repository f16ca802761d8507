//! Systems other than Linux: plugins run, built-in readings of the machine say that they cannot yet.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use super::{Load, Memory, Process, ReadError, Space};

/// Makes the command lead a process group of its own, where there are process groups.
pub(crate) fn own_process_group(command: &mut tokio::process::Command) {
    #[cfg(unix)]
    command.process_group(0);
    #[cfg(not(unix))]
    command.kill_on_drop(true);
}

/// Where a command's output comes from when both of its streams are one.
pub(crate) type Pipe = tokio::io::Empty;

/// Not supported here yet.
pub(crate) fn one_pipe(_command: &mut tokio::process::Command) -> std::io::Result<Pipe> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Who owns a file, and its permission bits.
pub(crate) fn owner_and_mode(_metadata: &std::fs::Metadata) -> (u32, u32) {
    // Nobody is known to own it: nothing is allowed here yet.
    (u32::MAX, 0o777)
}

/// Not supported here yet.
pub(crate) fn run_as(_command: &mut tokio::process::Command, _user: &str) -> Result<(), String> {
    Err("running as another user is not supported on this operating system yet".to_owned())
}

/// Kills every process of the group that `leader` leads.
pub(crate) fn kill_process_group(leader: u32) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(leader)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        && let Err(error) =
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL)
    {
        tracing::debug!(%error, leader, "cannot kill the process group of a plugin");
    }
    #[cfg(not(unix))]
    tracing::debug!(leader, "no process groups here: the plugin alone is killed");
}

/// The signal that ended a process.
pub(crate) fn signal_of(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    {
        drop(status);
        None
    }
}

/// The table of mounted file systems.
pub(crate) fn mounts() -> Result<String, ReadError> {
    Err(ReadError::Unsupported {
        what: "the table of file systems",
    })
}

/// The tables of TCP sockets.
pub(crate) fn listening() -> Result<Vec<String>, ReadError> {
    Err(ReadError::Unsupported {
        what: "the table of sockets",
    })
}

/// Load averages of this machine.
pub(crate) fn load() -> Result<Load, ReadError> {
    Err(ReadError::Unsupported { what: "load" })
}

/// Memory and swap of this machine.
pub(crate) fn memory() -> Result<Memory, ReadError> {
    Err(ReadError::Unsupported { what: "memory" })
}

/// Time since boot.
pub(crate) fn uptime() -> Result<Duration, ReadError> {
    Err(ReadError::Unsupported { what: "uptime" })
}

/// How full the file system is that holds `path`.
pub(crate) fn space(_path: &Path) -> Result<Space, ReadError> {
    Err(ReadError::Unsupported { what: "disk space" })
}

/// Processes that can be seen.
pub(crate) fn processes() -> Result<Vec<Process>, ReadError> {
    Err(ReadError::Unsupported {
        what: "the process table",
    })
}

/// Whether systemd runs this machine.
pub(crate) fn has_systemd() -> bool {
    false
}

/// The first bundle of trusted certificates that exists.
pub(crate) fn certificate_bundle() -> Option<PathBuf> {
    std::env::var_os("SSL_CERT_FILE")
        .map(PathBuf::from)
        .filter(|path| path.is_file())
}

/// Files inherit the permissions of their folder.
pub(crate) fn owner_only(_options: &mut std::fs::OpenOptions) {}

/// Makes a folder, if it is not there.
pub(crate) fn private_folder(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(path)
}

/// The name of this machine.
pub(crate) fn host_name() -> String {
    std::env::var("HOSTNAME")
        .or_else(|_unset| std::env::var("COMPUTERNAME"))
        .unwrap_or_else(|_unset| "host".to_owned())
}
