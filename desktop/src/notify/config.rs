//! `notify.toml`: the channels of this host. A policy names them; it can add none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_model::notify::{RANK_MAX, SETTLE_DEFAULT_MS, SETTLE_MAX_MS, Span};
use aramaki_sync::text_file;
use aramaki_sync::toml_place::{Place, bytes_of_field};
use serde::Deserialize;

use super::channel::{Channel, Kind};
use super::command::Command;
use super::smtp::{Security, Smtp};
use super::surface::Surface;
use super::webhook::Webhook;
use crate::cli::CliError;

/// How long the file may be.
const FILE_LEN_BYTES_MAX: u64 = 256 * 1024;
/// How many channels it may have.
const CHANNELS_MAX: usize = 64;
/// How long a secret may be.
const SECRET_LEN_BYTES_MAX: u64 = 8 * 1024;
/// How long one attempt may take, and how long it takes at most if nothing is said.
const TIMEOUT_MAX: Duration = Duration::from_mins(2);
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(20);
/// Where systemd puts credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// What a notifier is told by its host.
#[derive(Debug)]
pub(crate) struct NotifyConfig {
    /// Its place among notifiers: 0 sends first.
    pub(crate) rank: u8,
    /// How long it waits for others' silences before it speaks alone.
    pub(crate) settle: Duration,
    /// The address of the workspace in messages; may be empty.
    pub(crate) external_url: String,
    /// How it can tell people.
    pub(crate) channels: BTreeMap<String, Channel>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rank: u8,
    settle: Option<Span>,
    #[serde(default)]
    external_url: String,
    #[serde(default)]
    channel: BTreeMap<String, ChannelFile>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum KindFile {
    Smtp,
    Webhook,
    Command,
    Desktop,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelFile {
    kind: KindFile,
    timeout: Option<Span>,
    #[serde(default)]
    only_to: Vec<String>,
    server: Option<String>,
    port: Option<u16>,
    tls: Option<Security>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    from: Option<String>,
    to: Option<String>,
    url: Option<String>,
    url_file: Option<PathBuf>,
    token_file: Option<PathBuf>,
    command: Option<Vec<String>>,
}

/// A field and what is wrong with it.
struct Fault(String, String);

impl NotifyConfig {
    /// Reads the file and the secrets that it names.
    ///
    /// # Errors
    /// When one cannot be read, or a field cannot be meant; file, line and field are named.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let text = text_file::read(path, FILE_LEN_BYTES_MAX)?;
        let line_at = |byte: usize| Place::of_byte(&text, byte).line;
        let file: File = toml::from_str(&text).map_err(|error| CliError::Config {
            file: path.to_owned(),
            line: error.span().map(|span| line_at(span.start)),
            message: error.message().to_owned(),
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::examine(file, folder).map_err(|Fault(field, message)| CliError::Config {
            file: path.to_owned(),
            line: bytes_of_field(&text, &field).map(|bytes| line_at(bytes.start)),
            message: format!("{field}: {message}"),
        })
    }

    fn examine(file: File, folder: &Path) -> Result<Self, Fault> {
        let fault = |field: &str, message: String| Err(Fault(field.to_owned(), message));
        if file.rank > RANK_MAX {
            return fault("rank", format!("0 to {RANK_MAX} is expected"));
        }
        let settle = file.settle.map_or(SETTLE_DEFAULT_MS, Span::millis);
        if settle > SETTLE_MAX_MS {
            let most = Span::from_millis(SETTLE_MAX_MS);
            return fault(
                "settle",
                format!("at most {most} is expected: a notifier that waits longer is silent"),
            );
        }
        if file.channel.is_empty() || file.channel.len() > CHANNELS_MAX {
            return fault(
                "channel",
                format!("1 to {CHANNELS_MAX} tables `[channel.NAME]` are expected"),
            );
        }
        let mut channels = BTreeMap::new();
        for (name, channel) in file.channel {
            let read = Reader {
                name: &name,
                folder,
                file: &channel,
            }
            .channel()?;
            channels.insert(name, read);
        }
        Ok(Self {
            rank: file.rank,
            settle: Duration::from_millis(settle),
            external_url: file.external_url,
            channels,
        })
    }
}

/// Reads one channel.
struct Reader<'a> {
    name: &'a str,
    folder: &'a Path,
    file: &'a ChannelFile,
}

impl Reader<'_> {
    fn fault<T>(&self, field: &str, message: impl Into<String>) -> Result<T, Fault> {
        Err(Fault(
            format!("channel.{}.{field}", self.name),
            message.into(),
        ))
    }

    fn channel(&self) -> Result<Channel, Fault> {
        let file = self.file;
        let timeout = file.timeout.map_or(TIMEOUT_DEFAULT, Span::duration);
        if timeout.is_zero() || timeout > TIMEOUT_MAX {
            return self.fault("timeout", "1s to 120s is expected");
        }
        self.belongs()?;
        let kind = match file.kind {
            KindFile::Smtp => Kind::Smtp(Box::new(self.smtp(timeout)?)),
            KindFile::Webhook => Kind::Webhook(Box::new(self.webhook(timeout)?)),
            KindFile::Command => Kind::Command(self.command(timeout)?),
            KindFile::Desktop => Kind::Surface(Surface::default()),
        };
        Ok(Channel {
            only_to: file.only_to.clone(),
            timeout,
            kind,
        })
    }

    /// Refuses fields of other kinds: whoever wrote them expects something of them.
    fn belongs(&self) -> Result<(), Fault> {
        let (file, kind) = (self.file, self.file.kind);
        let fields = [
            ("server", file.server.is_some(), KindFile::Smtp),
            ("port", file.port.is_some(), KindFile::Smtp),
            ("tls", file.tls.is_some(), KindFile::Smtp),
            ("user", file.user.is_some(), KindFile::Smtp),
            (
                "password_file",
                file.password_file.is_some(),
                KindFile::Smtp,
            ),
            ("from", file.from.is_some(), KindFile::Smtp),
            ("to", file.to.is_some(), KindFile::Smtp),
            ("url", file.url.is_some(), KindFile::Webhook),
            ("url_file", file.url_file.is_some(), KindFile::Webhook),
            ("token_file", file.token_file.is_some(), KindFile::Webhook),
            ("command", file.command.is_some(), KindFile::Command),
        ];
        for (field, is_there, of) in fields {
            if is_there && of != kind {
                return self.fault(
                    field,
                    format!("belongs to another kind of channel than `{kind:?}`").to_lowercase(),
                );
            }
        }
        if file.ca_file.is_some() && !matches!(kind, KindFile::Smtp | KindFile::Webhook) {
            return self.fault("ca_file", "belongs to another kind of channel");
        }
        Ok(())
    }

    fn smtp(&self, timeout: Duration) -> Result<Smtp, Fault> {
        let file = self.file;
        let Some(server) = file.server.clone().filter(|server| !server.is_empty()) else {
            return self.fault("server", "a mail server is expected");
        };
        let Some(from) = &file.from else {
            return self.fault(
                "from",
                "an address is expected, such as \"Aramaki <aramaki@example.org>\"",
            );
        };
        let password = match &file.password_file {
            Some(path) => Some(self.secret("password_file", path)?),
            None => None,
        };
        let tls = file.tls.unwrap_or(Security::Starttls);
        let login = match (file.user.clone(), password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            (Some(_), None) => return self.fault("password_file", "a user has a password"),
            (None, Some(_)) => return self.fault("user", "a password has a user"),
        };
        if login.is_some() && tls == Security::None {
            return self.fault(
                "tls",
                "a password is sent through `starttls` or `implicit` only",
            );
        }
        let default_to = file.to.clone().unwrap_or_default();
        Smtp::new(super::smtp::Settings {
            server,
            port: file.port,
            tls,
            login,
            ca: self.certificates()?,
            from: from.clone(),
            to: default_to,
            timeout,
        })
        .or_else(|(field, message)| self.fault(field, message))
    }

    fn webhook(&self, timeout: Duration) -> Result<Webhook, Fault> {
        let file = self.file;
        let (field, url) = match (&file.url, &file.url_file) {
            (Some(url), None) => ("url", url.clone()),
            (None, Some(path)) => ("url_file", self.secret("url_file", path)?),
            _ => return self.fault("url", "`url` or `url_file` is expected"),
        };
        let token = match &file.token_file {
            Some(path) => Some(self.secret("token_file", path)?),
            None => None,
        };
        Webhook::new(
            &url,
            token.as_deref(),
            self.certificates()?.as_deref(),
            timeout,
        )
        .or_else(|message| self.fault(field, message))
    }

    fn command(&self, timeout: Duration) -> Result<Command, Fault> {
        let argv = self.file.command.clone().unwrap_or_default();
        match argv.first() {
            Some(program) if Path::new(program).is_absolute() => Ok(Command::new(argv, timeout)),
            _ => self.fault(
                "command",
                "a list is expected that begins with a program's absolute path; no shell reads it",
            ),
        }
    }

    fn certificates(&self) -> Result<Option<Vec<u8>>, Fault> {
        let Some(path) = &self.file.ca_file else {
            return Ok(None);
        };
        match text_file::read_bytes(&self.folder.join(path), FILE_LEN_BYTES_MAX) {
            Ok(pem) => Ok(Some(pem)),
            Err(error) => self.fault("ca_file", crate::workspace::with_causes(&error)),
        }
    }

    /// A secret from a file; a name without a folder is a credential of systemd's, if there are any.
    fn secret(&self, field: &str, path: &Path) -> Result<String, Fault> {
        let credentials = std::env::var_os(CREDENTIALS).map(PathBuf::from);
        let folder = credentials.as_deref().unwrap_or(self.folder);
        let path = if path.components().count() > 1 {
            self.folder.join(path)
        } else {
            folder.join(path)
        };
        if let Err(message) = refuse_shared(&path) {
            return self.fault(field, message);
        }
        let text = match text_file::read(&path, SECRET_LEN_BYTES_MAX) {
            Ok(text) => text,
            Err(error) => return self.fault(field, crate::workspace::with_causes(&error)),
        };
        match text.lines().next().map(str::trim) {
            Some(secret) if !secret.is_empty() => Ok(secret.to_owned()),
            _ => self.fault(
                field,
                format!("{} has nothing on its first line", path.display()),
            ),
        }
    }
}

/// A secret that others can read is none.
#[cfg(unix)]
fn refuse_shared(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    match std::fs::metadata(path) {
        Ok(about) if about.permissions().mode() & 0o077 != 0 => Err(format!(
            "others can read {}: chmod 600 it, and change the secret",
            path.display()
        )),
        // That it is not there is said when it is read.
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn refuse_shared(_path: &Path) -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::unwrap_in_result,
        reason = "only the answer of the code under test counts"
    )]
    fn read(text: &str) -> Result<NotifyConfig, CliError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify.toml");
        std::fs::write(&path, text).unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "https://chat.example.org/hook/s3cret\n").unwrap();
        let shared = folder.path().join("shared");
        std::fs::write(&shared, "x\n").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            for (path, mode) in [(&secret, 0o600), (&shared, 0o644)] {
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        NotifyConfig::read(&path)
    }

    #[test]
    fn the_example_shows_every_field_and_is_taken() {
        let example = include_str!("../../../docs/notify.toml.example");
        // Secrets are on the reader's machine, not here.
        let text = example
            .replace("\"smtp-password\"", "\"secret\"")
            .replace("\"chat-url\"", "\"secret\"");
        let config = read(&text).unwrap();
        assert_eq!(config.channels.len(), 4);
        for field in [
            "rank",
            "settle",
            "external_url",
            "kind",
            "timeout",
            "only_to",
            "ca_file",
            "server",
            "port",
            "tls",
            "user",
            "password_file",
            "from",
            "to",
            "url",
            "url_file",
            "token_file",
            "command",
        ] {
            let shown = example.lines().any(|line| {
                line.trim_start_matches(['#', '-', '=', ' '])
                    .starts_with(&format!("{field} = "))
            });
            assert!(shown, "{field}");
        }
    }

    #[test]
    fn a_wrong_field_is_named_with_its_line_and_a_secret_is_in_no_error() {
        for (text, line, part) in [
            ("rank = 99\n[channel.a]\nkind = \"desktop\"\n", 1, "rank"),
            (
                "settle = \"1h\"\n[channel.a]\nkind = \"desktop\"\n",
                1,
                "settle",
            ),
            (
                "[channel.a]\nkind = \"desktop\"\nurl = \"https://x\"\n",
                3,
                "channel.a.url",
            ),
            (
                "[channel.a]\nkind = \"command\"\ncommand = [\"page\"]\n",
                3,
                "absolute path",
            ),
            ("[channel.a]\nkind = \"pigeon\"\n", 2, "pigeon"),
            (
                "[channel.a]\nkind = \"webhook\"\nurl = \"ftp://x\"\n",
                3,
                "http",
            ),
            (
                "[channel.a]\nkind = \"webhook\"\nurl_file = \"shared\"\n",
                3,
                "chmod 600",
            ),
            (
                "[channel.a]\nkind = \"smtp\"\nserver = \"m\"\nfrom = \"nobody\"\n",
                4,
                "address",
            ),
            (
                "[channel.a]\nkind = \"smtp\"\nserver = \"m\"\nfrom = \"a@b.org\"\nuser = \"u\"\n\
                 password_file = \"secret\"\ntls = \"none\"\n",
                7,
                "password",
            ),
        ] {
            let Err(CliError::Config {
                line: found,
                message,
                ..
            }) = read(text)
            else {
                panic!("{text} is malformed");
            };
            assert_eq!(found, Some(line), "{text}: {message}");
            assert!(
                message.contains(part) && !message.contains("s3cret"),
                "{message}"
            );
        }
        let config = read("[channel.a]\nkind = \"webhook\"\nurl_file = \"secret\"\n").unwrap();
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
