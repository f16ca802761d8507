//! What can go wrong in a verb: a stable code, one sentence, and what to do about it.

use std::path::PathBuf;

use aramaki_sync::text_file::TextFileError;
use aramaki_sync_core::{EnvelopeId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use super::Sealed;
use crate::view::evidence::EvidenceFault;

/// Done.
pub(crate) const EXIT_OK: u8 = 0;
/// The user's or the environment's error.
pub(crate) const EXIT_ERROR: u8 = 1;
/// Wrong usage.
pub(crate) const EXIT_USAGE: u8 = 2;
/// Our bug.
pub(crate) const EXIT_BUG: u8 = 70;
/// Ended by Ctrl-C or a signal, as shells count it.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;

/// What to do when a redundancy group would break.
const BREAKS_HINT: &str = "`aramaki maintenance groups` says who is in service; choose another window, or put one back first";
/// What to do when nobody answers.
const NOBODY_HINT: &str = "try again when a relay or a member of the Space can be reached";

/// What can go wrong in a verb. Codes never change their meaning; `docs/errors.md` lists them.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum CliError {
    #[error("there is no workspace in {}", .data.display())]
    NoWorkspace { data: PathBuf },
    #[error("there is already a workspace in {}", .data.display())]
    WorkspaceExists { data: PathBuf },
    #[error("no System here is called `{wanted}`{}", like(.similar))]
    NoSuchSystem {
        wanted: String,
        /// Titles that contain it.
        similar: Vec<String>,
    },
    #[error("several Systems match `{wanted}`:\n{}", .candidates.join("\n"))]
    AmbiguousSystem {
        wanted: String,
        candidates: Vec<String>,
    },
    #[error("no note of this System is called `{wanted}`")]
    NoSuchNote { wanted: String },
    #[error("several notes match `{wanted}`:\n{}", .candidates.join("\n"))]
    AmbiguousNote {
        wanted: String,
        candidates: Vec<String>,
    },
    #[error("no alert here has the id `{wanted}`")]
    NoSuchAlert { wanted: String },
    #[error("several alerts match `{wanted}`:\n{}", .candidates.join("\n"))]
    AmbiguousAlert {
        wanted: String,
        candidates: Vec<String>,
    },
    #[error("the evidence {} of {host} is not here whole: {fault}", .hash)]
    Evidence {
        host: String,
        hash: String,
        fault: EvidenceFault,
    },
    #[error("no request of this System has the id `{wanted}`, or several begin so")]
    NoSuchRequest { wanted: String },
    #[error("the host did not run it: {reason}")]
    NotRun { reason: String },
    #[error("its time was over {}, and the agent did not answer", super::local(*.end))]
    NoAnswer { end: Timestamp },
    #[error(
        "it was begun, and it is unknown whether and how it ended: its agent has not been heard since {}",
        super::local(*.since)
    )]
    Unheard { since: Timestamp },
    #[error("it was run and did not succeed: {reason}")]
    RunFailed { reason: String },
    #[error(
        "{who} asked for the same `{action}` {} ({reason}), and it was run in the request {}",
        super::local(*.at),
        .first.short()
    )]
    Duplicate {
        action: String,
        first: EnvelopeId,
        who: String,
        at: Timestamp,
        reason: String,
    },
    #[error("the action `{action}` does not take this: {reason}")]
    Argument { action: String, reason: String },
    #[error("nothing was changed: {reason}")]
    NotConfirmed { reason: String, hint: &'static str },
    #[error("no agent tells of a service `{wanted}`{}", .known.iter().flat_map(|name| ["\n", name.as_str()]).collect::<String>())]
    NoSuchService { wanted: String, known: Vec<String> },
    #[error("no grant of this System is meant by `{wanted}`")]
    NoSuchGrant { wanted: String },
    #[error("{}{}: {message}", .file.display(), .line.map(|line| format!(":{line}")).unwrap_or_default())]
    Config {
        file: PathBuf,
        line: Option<usize>,
        message: String,
    },
    #[error("the {what} `{value}` is not usable: {reason}")]
    Setting {
        what: &'static str,
        value: String,
        reason: String,
    },
    #[error("cannot {action} {}", .path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(transparent)]
    TextFile(#[from] TextFileError),
    #[error("the {what} is longer than {chars_max} characters")]
    TooLong {
        what: &'static str,
        chars_max: usize,
    },
    #[error("the invitation is not usable: {reason}")]
    Invitation { reason: String, hint: &'static str },
    #[error("the passphrase is not usable: {reason}")]
    Passphrase { reason: String },
    #[error("{what}: {reason}")]
    Refused { what: &'static str, reason: String },
    #[error("this device cannot end the access of {who} in {}: only who stands nearer the System's own key can", .places.join(", "))]
    StandsAsNear {
        who: String,
        /// Its key, if it is one alone.
        key: String,
        places: Vec<String>,
    },
    #[error(
        "this device waits for being accepted as one of a person's devices: what it made now nobody else would see"
    )]
    Waits {
        /// This device's key.
        key: String,
    },
    #[error("a redundancy group would break: {reason}")]
    WouldBreak { reason: String },
    #[error("the store in {} does not open: {reason}", .data.display())]
    Store {
        data: PathBuf,
        reason: String,
        hint: &'static str,
    },
    #[error("the workspace in {} is busy: {reason}", .data.display())]
    InUse { data: PathBuf, reason: String },
    #[error("the change was not stored: {reason}")]
    Write { reason: String },
    #[error("nobody answered within {seconds} s")]
    NobodyAnswered { seconds: u64 },
    #[error("{count} faults in the store")]
    Verify { count: usize, faults: Vec<String> },
    #[error("no window can be opened: {reason}")]
    NoWindow { reason: String },
    #[error("no demo is running")]
    NoDemo,
    #[error("the demo failed: {reason}")]
    Demo { reason: String },
    #[error("interrupted")]
    Interrupted { hint: &'static str },
    #[error("the passphrase of {of} is needed, and none was given: {reason}")]
    PassphraseMissing { of: Sealed, reason: String },
    #[error("{of} does not open with this passphrase")]
    PassphraseWrong { of: Sealed },
    #[error("`{channel}` did not take the message: {reason}")]
    NotTold { channel: String, reason: String },
    #[error("cannot listen on {address}")]
    Listen {
        address: std::net::SocketAddr,
        source: std::io::Error,
    },
    #[error("the keyring does not serve: {reason}")]
    Keyring { reason: String },
    #[error("the recovery kit {} cannot be used: {reason}", .file.display())]
    Kit { file: PathBuf, reason: String },
    #[error("the kit has let in several devices, and none is named as lost:\n{}", .candidates.join("\n"))]
    SeveralDevices { candidates: Vec<String> },
    #[error("the backup {} cannot be used: {reason}", .file.display())]
    Backup { file: PathBuf, reason: String },
    #[error("the file {} cannot be used: {reason}", .file.display())]
    Bundle { file: PathBuf, reason: String },
    #[error("the import is not finished, {done} of {all} Systems are written: {reason}")]
    ImportUnfinished {
        done: usize,
        all: usize,
        reason: String,
    },
    #[error("the answer cannot be printed{after}")]
    Unprinted {
        after: &'static str,
        source: std::io::Error,
    },
    #[error("{message}")]
    Remote {
        code: String,
        message: String,
        hint: String,
        exit: u8,
    },
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Bug(String),
}

/// An error as it travels over the local socket and as `--json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorLine {
    code: String,
    message: String,
    hint: String,
    #[serde(default)]
    exit: u8,
}

fn like(similar: &[String]) -> String {
    if similar.is_empty() {
        return String::new();
    }
    format!("; it occurs in {}", similar.join(", "))
}

fn file_hint(kind: std::io::ErrorKind) -> &'static str {
    use std::io::ErrorKind;
    match kind {
        ErrorKind::NotFound => "check that the path is right and its folder exists",
        ErrorKind::AlreadyExists => "name a new file: what is there is never overwritten",
        ErrorKind::PermissionDenied => "check whose it is, and who you are",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room on the disk",
        _ => "check that the path exists and who owns it",
    }
}

fn setting_hint(what: &str) -> &'static str {
    match what {
        "lost device" | "device or grant to cut" | "device" => {
            "`aramaki trust list SYSTEM` and `aramaki peers` show who is here, by name and key; nothing was changed"
        }
        _ => "correct it, or the ARAMAKI_ variable it comes from; nothing was changed",
    }
}

fn refused_hint(what: &str) -> &'static str {
    if what == "the import" {
        "correct what was read; nothing was changed"
    } else {
        "the message says why; `aramaki trust list SYSTEM` says who may do what"
    }
}

fn passphrase_hint(of: Sealed) -> String {
    let option = of.option();
    format!("type it in a terminal, or name a file with {option}")
}

fn recover_hint(key: &str) -> String {
    format!(
        "`aramaki recover KIT --lost {key}` ends it with the recovery kit; else another administrator does"
    )
}

fn accept_hint(key: &str) -> String {
    format!(
        "on the device that made the code: `aramaki device accept {key}`; then here `aramaki peers --wait 10s`, and again. \
         Nothing was made"
    )
}

impl CliError {
    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::NoWorkspace { .. } => "A-101",
            Self::WorkspaceExists { .. } => "A-102",
            Self::NoSuchSystem { .. } => "A-103",
            Self::AmbiguousSystem { .. } => "A-104",
            Self::NoSuchNote { .. } => "A-105",
            Self::AmbiguousNote { .. } => "A-106",
            Self::Config { .. } => "A-107",
            Self::Setting { .. } | Self::TooLong { .. } | Self::Passphrase { .. } => "A-108",
            Self::File { .. } | Self::TextFile(_) => "A-109",
            Self::Invitation { .. } => "A-110",
            Self::Refused { .. } => "A-111",
            Self::WouldBreak { .. } => "A-136",
            Self::StandsAsNear { .. } => "A-137",
            Self::Waits { .. } => "A-138",
            Self::Store { .. } | Self::InUse { .. } => "A-112",
            Self::Write { .. } => "A-113",
            Self::NobodyAnswered { .. } => "A-114",
            Self::Verify { .. } => "A-115",
            Self::NoWindow { .. } => "A-116",
            Self::NoDemo => "A-117",
            Self::Demo { .. } => "A-118",
            Self::Interrupted { .. } => "A-119",
            Self::PassphraseMissing { .. } => "A-120",
            Self::PassphraseWrong { .. } => "A-121",
            Self::NoSuchGrant { .. } => "A-122",
            Self::Kit { .. } => "A-123",
            Self::SeveralDevices { .. } => "A-124",
            Self::Backup { .. } => "A-125",
            Self::Unprinted { .. } => "A-126",
            Self::Keyring { .. } => "A-127",
            Self::Bundle { .. } => "A-128",
            Self::ImportUnfinished { .. } => "A-135",
            Self::NotTold { .. } => "A-160",
            Self::Listen { .. } => "A-170",
            Self::NoSuchAlert { .. } => "A-140",
            Self::AmbiguousAlert { .. } => "A-141",
            Self::NoSuchService { .. } => "A-142",
            Self::Evidence { .. } => "A-143",
            Self::NotRun { .. } => "A-150",
            Self::RunFailed { .. } => "A-151",
            Self::Duplicate { .. } => "A-152",
            Self::Argument { .. } => "A-153",
            Self::NotConfirmed { .. } => "A-154",
            Self::NoSuchRequest { .. } => "A-155",
            Self::NoAnswer { .. } | Self::Unheard { .. } => "A-156",
            Self::Remote { code, .. } => code,
            Self::Usage(_) => "A-190",
            Self::Bug(_) => "A-199",
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::NoWorkspace { .. } => "run `aramaki init`, or name the folder with --data",
            Self::WorkspaceExists { .. } => "choose another --profile or --data",
            Self::NotRun { .. }
            | Self::NoAnswer { .. }
            | Self::Unheard { .. }
            | Self::RunFailed { .. }
            | Self::Duplicate { .. }
            | Self::Argument { .. }
            | Self::NoSuchRequest { .. } => self.action_hint(),
            Self::NoSuchSystem { .. }
            | Self::NoSuchService { .. }
            | Self::NoSuchAlert { .. }
            | Self::NoSuchGrant { .. }
            | Self::NoSuchNote { .. }
            | Self::AmbiguousAlert { .. }
            | Self::AmbiguousSystem { .. }
            | Self::AmbiguousNote { .. } => self.name_hint(),
            Self::Config { .. } => "correct the file; nothing was changed",
            Self::Setting { what, .. } => setting_hint(what),
            Self::Passphrase { .. } => "choose another; nothing was changed",
            Self::TooLong { .. } => "split it; nothing was changed",
            Self::File { source, .. } | Self::TextFile(TextFileError::Io { source, .. }) => {
                file_hint(source.kind())
            }
            Self::TextFile(_) => "name a text file; nothing was changed",
            Self::StandsAsNear { key, .. } => return recover_hint(key),
            Self::Waits { key } => return accept_hint(key),
            Self::WouldBreak { .. } => BREAKS_HINT,
            Self::Evidence { fault, .. } => fault.hint(),
            Self::Refused { what, .. } => refused_hint(what),
            Self::NotConfirmed { hint, .. }
            | Self::Store { hint, .. }
            | Self::Interrupted { hint }
            | Self::Invitation { hint, .. } => hint,
            Self::InUse { .. } => "another program works in it: wait for it, or end that process",
            Self::Write { .. } => {
                "the message says why: if the disk is full make room, else try again; what was stored before is safe"
            }
            Self::NobodyAnswered { .. } => NOBODY_HINT,
            Self::Verify { .. } => "keep the folder as it is and restore a backup beside it",
            Self::NoWindow { .. } => {
                "set DISPLAY or WAYLAND_DISPLAY; verbs and `aramaki demo --headless` need no display"
            }
            Self::NoDemo => "start one with `aramaki demo`",
            Self::Demo { .. } => "run it again with --keep and --log info, and read its folder",
            Self::PassphraseMissing { of, .. } => return passphrase_hint(*of),
            Self::PassphraseWrong { .. } => {
                "try again; if it is lost, restore the Systems from another device"
            }
            Self::Keyring { .. } => {
                "unlock or start the keyring of your desktop session; the key is kept as before"
            }
            Self::Listen { .. } => "choose another address with --listen, or end what has it",
            Self::NotTold { .. } => "correct the channel in the file; the message says what it answered",
            Self::Kit { .. } | Self::Bundle { .. } => "the message says why; nothing was changed",
            Self::Unprinted { .. } => {
                "check where standard output leads; revoke an invitation whose code is lost"
            }
            Self::Backup { .. } => "take another backup; nothing was changed",
            Self::ImportUnfinished { .. } => {
                "make room on the disk: it goes on by itself when the workspace opens next"
            }
            Self::SeveralDevices { .. } => "name each lost one with --lost KEY",
            Self::Remote { hint, .. } => hint,
            Self::Usage(_) => "see --help",
            Self::Bug(_) => "please report it with the command that you typed",
        }
        .to_owned()
    }

    /// What to do about a name that nothing has, or several have.
    const fn name_hint(&self) -> &'static str {
        match self {
            Self::NoSuchSystem { .. } => {
                "`aramaki system list` shows ids and titles; a prefix needs 6 digits"
            }
            Self::NoSuchService { .. } => "`aramaki service list` shows all",
            Self::NoSuchNote { .. } => "`aramaki note list SYSTEM` shows ids and titles",
            Self::AmbiguousAlert { .. }
            | Self::AmbiguousSystem { .. }
            | Self::AmbiguousNote { .. } => "name it by the id in front",
            Self::NoSuchGrant { .. } => {
                "`aramaki trust list SYSTEM` shows grants, keys and names, `aramaki trust held SYSTEM` what waits; a \
                 prefix needs 6 digits"
            }
            Self::NoSuchAlert { .. } => {
                "`aramaki alert list --resolved --wait 30s` shows ids; what was missing or silent and is heard again has \
                 none any more: `aramaki handover` and the timeline say when. A prefix needs 4 digits"
            }
            _ => "",
        }
    }

    /// What to do about an action that was not run, or failed.
    const fn action_hint(&self) -> &'static str {
        match self {
            Self::NotRun { .. } => {
                "`aramaki action list SYSTEM` says what the host allows; nothing was run"
            }
            Self::NoAnswer { .. } | Self::Unheard { .. } => {
                "`aramaki peers` says whether the agent is there; what it says later counts: `aramaki action show SYSTEM \
                 REQUEST`"
            }
            Self::RunFailed { .. } => {
                "read its output: `aramaki action show SYSTEM REQUEST` has it"
            }
            Self::Duplicate { .. } => {
                "with --again it is run once more; `aramaki action show SYSTEM REQUEST` says what came of it"
            }
            Self::Argument { .. } => {
                "`aramaki action list SYSTEM` says what it takes; nothing was asked for"
            }
            Self::NoSuchRequest { .. } => {
                "`aramaki action list SYSTEM` shows them; a prefix needs 6 digits"
            }
            _ => "",
        }
    }

    /// The process's exit code.
    pub(crate) fn exit(&self) -> u8 {
        match self {
            Self::Usage(_) => EXIT_USAGE,
            Self::Bug(_) => EXIT_BUG,
            Self::Interrupted { .. } => EXIT_INTERRUPTED,
            Self::Remote { exit, .. } => *exit,
            _ => EXIT_ERROR,
        }
    }

    /// The sentence with every cause behind it.
    pub(crate) fn message(&self) -> String {
        let mut message = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(source) = cause {
            message.push_str(": ");
            message.push_str(&source.to_string());
            cause = source.source();
        }
        if let Self::Verify { faults, .. } = self {
            for fault in faults {
                message.push('\n');
                message.push_str(fault);
            }
        }
        message
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        format!(
            "error {}: {}\nhint: {}\n",
            self.code(),
            self.message(),
            self.hint()
        )
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({"error": {
            "code": self.code(),
            "message": self.message(),
            "hint": self.hint(),
        }})
    }

    /// For the local socket.
    pub(crate) fn line(&self) -> ErrorLine {
        ErrorLine {
            code: self.code().to_owned(),
            message: self.message(),
            hint: self.hint(),
            exit: self.exit(),
        }
    }
}

impl From<ErrorLine> for CliError {
    fn from(line: ErrorLine) -> Self {
        Self::Remote {
            code: line.code,
            message: line.message,
            hint: line.hint,
            exit: line.exit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_code_hint_and_exit_on_its_way_over_the_socket() {
        let error = CliError::NoSuchSystem {
            wanted: "x".to_owned(),
            similar: Vec::new(),
        };
        let arrived = CliError::from(error.line());
        assert_eq!(arrived.json(), error.json());
        assert_eq!((arrived.text(), arrived.exit()), (error.text(), EXIT_ERROR));
    }

    #[test]
    fn the_message_names_every_cause() {
        let error = CliError::File {
            action: "read",
            path: PathBuf::from("/x"),
            source: std::io::Error::other("disk on fire"),
        };
        assert_eq!(error.message(), "cannot read /x: disk on fire");
    }
}
