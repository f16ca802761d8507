//! Linux: `/proc`, `statvfs` and process groups.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::{Load, Memory, Process, ReadError, Space};

/// Bytes read of any file below `/proc`: the largest that matter are mount tables.
const PROC_FILE_LEN_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Processes looked at in one pass.
const PROCESSES_MAX: usize = 200_000;
/// Where distributions keep the bundle of trusted certificates.
const CERTIFICATE_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Makes the command lead a process group of its own.
pub(crate) fn own_process_group(command: &mut tokio::process::Command) {
    command.process_group(0);
}

/// Where a command's output comes from when both of its streams are one.
pub(crate) type Pipe = tokio::net::unix::pipe::Receiver;

/// Gives the command one pipe for both streams: two would lose the order between them. It ends when the
/// command and whatever it started have closed it.
pub(crate) fn one_pipe(command: &mut tokio::process::Command) -> std::io::Result<Pipe> {
    let (reader, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    Pipe::from_owned_fd(reader.into())
}

/// Who owns a file, and its permission bits.
pub(crate) fn owner_and_mode(metadata: &std::fs::Metadata) -> (u32, u32) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.uid(), metadata.mode() & 0o7777)
}

/// Lets a command run as another user of this machine, with that user's group alone. Only root can.
pub(crate) fn run_as(command: &mut tokio::process::Command, user: &str) -> Result<(), String> {
    let accounts = std::fs::read_to_string("/etc/passwd")
        .map_err(|error| format!("cannot read /etc/passwd: {error}"))?;
    let account = accounts
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&user));
    let number = |place: usize| {
        let fields = account.as_ref()?;
        fields.get(place)?.parse::<u32>().ok()
    };
    let (Some(uid), Some(gid)) = (number(2), number(3)) else {
        return Err(format!("there is no user {user:?} on this machine"));
    };
    if rustix::process::geteuid().as_raw() != uid {
        command.uid(uid).gid(gid);
    }
    Ok(())
}

/// Kills every process of the group that `leader` leads.
pub(crate) fn kill_process_group(leader: u32) {
    let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) else {
        return;
    };
    if let Err(error) = rustix::process::kill_process_group(group, Signal::KILL)
        && error != rustix::io::Errno::SRCH
    {
        tracing::warn!(%error, leader, "cannot kill the process group of a plugin");
    }
}

/// The signal that ended a process.
pub(crate) fn signal_of(status: ExitStatus) -> Option<i32> {
    status.signal()
}

/// The table of mounted file systems, as the kernel writes it.
pub(crate) fn mounts() -> Result<String, ReadError> {
    read("/proc/self/mounts")
}

/// The tables of TCP sockets, as the kernel writes them.
pub(crate) fn listening() -> Result<Vec<String>, ReadError> {
    let mut tables = vec![read("/proc/net/tcp")?];
    // A machine may have no IPv6.
    tables.extend(read("/proc/net/tcp6").ok());
    Ok(tables)
}

/// Load averages of this machine.
pub(crate) fn load() -> Result<Load, ReadError> {
    let path = "/proc/loadavg";
    let text = read(path)?;
    let mut words = text.split_ascii_whitespace().map(str::parse::<f64>);
    let mut next = || words.next().and_then(Result::ok).ok_or_else(|| form(path));
    let averages = [next()?, next()?, next()?];
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Load {
        averages,
        processors,
    })
}

/// Memory and swap of this machine.
pub(crate) fn memory() -> Result<Memory, ReadError> {
    let path = "/proc/meminfo";
    let text = read(path)?;
    let bytes = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .and_then(|value| value.trim().strip_suffix(" kB")?.parse::<u64>().ok())
            .map(|kibibytes| kibibytes.saturating_mul(1024))
    };
    let total = bytes("MemTotal").ok_or_else(|| form(path))?;
    Ok(Memory {
        total,
        // Kernels before 3.14 have no MemAvailable.
        available: bytes("MemAvailable")
            .or_else(|| bytes("MemFree"))
            .ok_or_else(|| form(path))?,
        swap_total: bytes("SwapTotal").unwrap_or(0),
        swap_free: bytes("SwapFree").unwrap_or(0),
    })
}

/// Time since boot.
pub(crate) fn uptime() -> Result<Duration, ReadError> {
    let path = "/proc/uptime";
    let seconds: f64 = read(path)?
        .split_ascii_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| form(path))?;
    Duration::try_from_secs_f64(seconds).map_err(|_out_of_range| form(path))
}

/// How full the file system is that holds `path`. Blocks as long as the file system does.
pub(crate) fn space(path: &Path) -> Result<Space, ReadError> {
    let stat = rustix::fs::statvfs(path).map_err(|error| ReadError::File {
        path: path.display().to_string(),
        source: error.into(),
    })?;
    Ok(Space {
        total: stat.f_blocks.saturating_mul(stat.f_frsize),
        free: stat.f_bfree.saturating_mul(stat.f_frsize),
        available: stat.f_bavail.saturating_mul(stat.f_frsize),
        inodes: stat.f_files,
        inodes_free: stat.f_favail,
    })
}

/// Processes that can be seen. One that ends while we look is left out.
pub(crate) fn processes() -> Result<Vec<Process>, ReadError> {
    let folder = std::fs::read_dir("/proc").map_err(|source| ReadError::File {
        path: "/proc".to_owned(),
        source,
    })?;
    Ok(folder
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(process)
        .take(PROCESSES_MAX)
        .collect())
}

fn process(id: u32) -> Option<Process> {
    let stat = read(&format!("/proc/{id}/stat")).ok()?;
    // The name may hold spaces and brackets: it ends at the last closing one.
    let (_, rest) = stat.split_once('(')?;
    let (name, rest) = rest.rsplit_once(')')?;
    let state = rest.trim_start().chars().next()?;
    let command_line = read(&format!("/proc/{id}/cmdline"))
        .ok()?
        .replace('\0', " ")
        .trim_end()
        .to_owned();
    Some(Process {
        name: name.to_owned(),
        command_line,
        state,
    })
}

/// Whether systemd runs this machine, as `sd_booted(3)` decides it.
pub(crate) fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// The first bundle of trusted certificates that exists.
pub(crate) fn certificate_bundle() -> Option<PathBuf> {
    std::env::var_os("SSL_CERT_FILE")
        .map(PathBuf::from)
        .into_iter()
        .chain(CERTIFICATE_BUNDLES.iter().map(PathBuf::from))
        .find(|path| path.is_file())
}

/// Files made with these options are readable by their owner alone.
pub(crate) fn owner_only(options: &mut std::fs::OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600);
}

/// Makes a folder that its owner alone can enter, if it is not there.
pub(crate) fn private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// The name of this machine.
pub(crate) fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

fn read(path: &str) -> Result<String, ReadError> {
    use std::io::Read as _;
    let fail = |source| ReadError::File {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(PROC_FILE_LEN_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(fail)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn form(path: &str) -> ReadError {
    ReadError::Form {
        path: path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_answers() {
        let memory = memory().unwrap();
        assert!(memory.total > 0 && memory.available <= memory.total);
        assert!(load().unwrap().processors > 0);
        assert!(uptime().unwrap() > Duration::ZERO);
        let space = space(Path::new("/")).unwrap();
        assert!(space.total > 0 && space.available <= space.free);
        assert!(!host_name().is_empty());
    }

    #[test]
    fn processes_include_this_one() {
        // As it was called: a folder on the way may be a link.
        let program = std::env::args().next().unwrap();
        assert!(
            processes()
                .unwrap()
                .iter()
                .any(|process| process.command_line.starts_with(&program))
        );
    }
}
