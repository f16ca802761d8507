//! From what was typed to what is possible: flag over variable over file over default.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use aramaki_sync::text_file;
use aramaki_sync::toml_place::{Place, bytes_of_field};
use aramaki_sync::transport::check_relay_url;
use serde::Deserialize;

use super::Global;
use super::error::CliError;
use super::passphrase::PassphraseSource;
use super::paths::Paths;

/// A larger file is not a configuration.
const FILE_LEN_BYTES_MAX: u64 = 256 * 1024;
const PROFILE_LEN_CHARS_MAX: usize = 40;
const DEFAULT_PROFILE: &str = "default";
/// iroh reports its own orderly end as an error.
const DEFAULT_LOG: &str = "warn,iroh=off,iroh_relay=off";

/// Settings that every verb can rely on.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Which workspace of this user.
    pub(crate) profile: String,
    /// Its folder.
    pub(crate) data: PathBuf,
    /// Where the running app listens.
    pub(crate) socket: PathBuf,
    /// Where a running demo listens.
    pub(crate) demo_socket: PathBuf,
    /// Where log files go.
    pub(crate) logs: PathBuf,
    /// A filter for `tracing`.
    pub(crate) log: String,
    /// Where the passphrase of this device's key comes from.
    pub(crate) passphrase: PassphraseSource,
    /// How to reach others.
    pub(crate) network: Network,
}

/// How to reach others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Network {
    /// Whether peers on the local network are looked for; it tells the network our addresses.
    pub(crate) local_discovery: bool,
    /// The UDP address to bind; none: any port.
    pub(crate) bind: Option<SocketAddr>,
    /// URLs of our own transport relays.
    pub(crate) transport_relays: Vec<String>,
}

/// `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    profile: Option<String>,
    data: Option<PathBuf>,
    log: Option<String>,
    network: Network,
}

impl TryFrom<&Global> for Config {
    type Error = CliError;

    fn try_from(global: &Global) -> Result<Self, CliError> {
        let paths = Paths::of_user();
        let file = match &global.config {
            Some(path) => File::read(path)?,
            None => match File::read(&paths.config()) {
                Err(CliError::TextFile(error)) if error.is_not_found() => File::default(),
                other => other?,
            },
        };
        let profile = global
            .profile
            .clone()
            .or(file.profile)
            .unwrap_or_else(|| DEFAULT_PROFILE.to_owned());
        check_profile(&profile)?;
        let data = global
            .data
            .clone()
            .or(file.data)
            .unwrap_or_else(|| paths.data(&profile));
        let data = std::path::absolute(&data).map_err(|source| CliError::File {
            action: "find",
            path: data.clone(),
            source,
        })?;
        Ok(Self {
            socket: paths.socket(&profile, &data),
            demo_socket: paths.demo_socket(),
            logs: paths.logs(),
            log: global
                .log
                .clone()
                .or(file.log)
                .unwrap_or_else(|| DEFAULT_LOG.to_owned()),
            passphrase: PassphraseSource::from(global.passphrase_file.as_ref()),
            network: file.network,
            profile,
            data,
        })
    }
}

impl File {
    fn read(path: &Path) -> Result<Self, CliError> {
        let text = text_file::read(path, FILE_LEN_BYTES_MAX)?;
        let wrong = |at: Option<Range<usize>>, message: String| CliError::Config {
            file: path.to_owned(),
            line: at.map(|bytes| Place::of_byte(&text, bytes.start).line),
            message,
        };
        let file: Self = toml::from_str(&text)
            .map_err(|error| wrong(error.span(), error.message().to_owned()))?;
        for (index, url) in file.network.transport_relays.iter().enumerate() {
            check_relay_url(url).map_err(|error| {
                let field = format!("network.transport_relays[{}]", index + 1);
                wrong(bytes_of_field(&text, &field), format!("{field}: {error}"))
            })?;
        }
        Ok(file)
    }
}

/// A profile's name becomes a folder's: it must not lead elsewhere.
fn check_profile(profile: &str) -> Result<(), CliError> {
    let letters = profile
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if letters && !profile.is_empty() && profile.len() <= PROFILE_LEN_CHARS_MAX {
        return Ok(());
    }
    Err(CliError::Setting {
        what: "profile",
        value: profile.to_owned(),
        reason: format!("1 to {PROFILE_LEN_CHARS_MAX} letters, digits, `-` and `_` are expected"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::unwrap_in_result,
        reason = "only the answer of the code under test counts"
    )]
    fn config(text: &str, global: &Global) -> Result<Config, CliError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        Config::try_from(&Global {
            config: Some(file),
            ..global.clone()
        })
    }

    #[test]
    fn the_example_shows_every_field_and_its_defaults_are_those() {
        let example = include_str!("../../../docs/config.toml.example");
        let lines = |mark: &str| -> String {
            let lines = example.lines().filter_map(|line| line.strip_prefix(mark));
            lines.fold(String::new(), |text, line| text + line + "\n")
        };
        let global = Global::default();
        let (shown, default) = (config(&lines("#= "), &global), config("", &global));
        let (shown, default) = (shown.unwrap(), default.unwrap());
        assert_eq!(
            (&shown.profile, &shown.log, &shown.network),
            (&default.profile, &default.log, &default.network)
        );
        let (top, network) = (
            ["profile", "data", "log"],
            ["local_discovery", "bind", "transport_relays"],
        );
        for field in top.iter().chain(&network) {
            assert!(example.contains(&format!(" {field} = ")), "{field}");
        }
        for line in example.lines().filter_map(|line| line.strip_prefix("#- ")) {
            let name = line.split(' ').next().unwrap_or_default();
            let section = if network.contains(&name) {
                "[network]\n"
            } else {
                ""
            };
            assert!(
                config(&format!("{section}{line}\n"), &global).is_ok(),
                "{line}"
            );
        }
    }

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let text = "profile = \"work\"\nlog = \"info\"\n";
        let from_file = config(text, &Global::default()).unwrap();
        assert_eq!(
            (from_file.profile.as_str(), from_file.log.as_str()),
            ("work", "info")
        );
        let flags = Global {
            log: Some("debug".to_owned()),
            ..Global::default()
        };
        assert_eq!(config(text, &flags).unwrap().log, "debug");
        assert_eq!(config("", &Global::default()).unwrap().log, DEFAULT_LOG);
    }

    #[test]
    fn a_malformed_file_is_named_with_its_line() {
        for text in [
            "log = \"info\"\nprofil = \"x\"\n",
            "log = \"info\"\nnetwork = 5\n",
            "[network]\ntransport_relays = [\"https://a\", \"ftp://a\"]\n",
        ] {
            let Err(CliError::Config { line, .. }) = config(text, &Global::default()) else {
                panic!("{text} is malformed");
            };
            assert_eq!(line, Some(2), "{text}");
        }
    }

    #[test]
    fn a_profile_cannot_lead_out_of_its_folder() {
        for name in ["..", "a/b", "", "ä"] {
            let global = Global {
                profile: Some(name.to_owned()),
                ..Global::default()
            };
            assert!(
                matches!(config("", &global), Err(CliError::Setting { .. })),
                "{name}"
            );
        }
    }
}
