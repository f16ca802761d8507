//! The command line: what was typed, what is possible, and one file for each verb.

mod action;
mod agent;
mod alert;
mod backup;
mod carry;
mod compact;
mod completions;
mod config;
mod definition;
mod deployed;
mod desired;
mod device;
mod emergency;
mod error;
mod export;
mod follow;
mod handover;
mod import;
mod incident;
mod init;
mod join;
mod key;
mod listen;
mod log;
mod losses;
mod maintenance;
mod note;
mod notify;
#[cfg(test)]
mod papers;
mod parse;
pub(crate) mod parts;
mod passphrase;
mod paths;
mod peers;
mod recover;
mod recovery_kit;
mod recovery_shares;
mod relay;
pub(crate) mod report;
mod restore;
mod run;
mod say;
mod select;
mod service;
mod share;
mod signal;
mod status;
mod system;
mod take;
mod timeline;
mod trust;
mod verify;
mod when;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::demo;

pub(crate) use action::timeline_row as action_row;
pub(crate) use config::{Config, Network};
pub(crate) use error::{CliError, ErrorLine};
pub(crate) use log::start_file as log_to_file;
pub(crate) use parse::{parse_moment, parse_span};
pub(crate) use passphrase::{PassphraseSource, Sealed};
pub(crate) use report::Report;
pub use run::main;
pub(crate) use run::{Answering, block_on};
pub(crate) use select::select;
pub(crate) use signal::interrupted;
pub(crate) use when::{Clock, age, local};

/// What is said of an invitation that only this device can answer.
const WITHOUT_RELAY: &str = "No relay keeps this System: joining works only while this device is online \
    (`aramaki peers --wait 10m`, or the app).";

/// See and run your Systems together: works offline, shares by invitation, trusts for a time.
///
/// Without a verb the app opens.
#[derive(Debug, Parser)]
#[command(
    name = "aramaki",
    bin_name = "aramaki",
    version,
    max_term_width = 100,
    subcommand_value_name = "VERB",
    subcommand_help_heading = "Verbs",
    disable_help_subcommand = true,
    after_help = "SYSTEM is a Space id, a unique prefix of at least 6 digits, or an exact title.\n\
                  Exit codes: 0 done, 1 an error with a hint, 2 wrong usage, 70 a bug of ours,\n\
                  130 interrupted. docs/errors.md lists the codes of all errors."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// Options of every verb; a flag beats its variable, a variable beats the file.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Read this configuration instead of the usual file.
    #[arg(long, global = true, value_name = "FILE", env = "ARAMAKI_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Keep the workspace in this folder.
    #[arg(long, global = true, value_name = "DIR", env = "ARAMAKI_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Use another workspace of this user: letters, digits, `-` and `_`.
    #[arg(long, global = true, value_name = "NAME", env = "ARAMAKI_PROFILE")]
    pub(crate) profile: Option<String>,
    /// A file whose first line is the passphrase of this device's key, if it has one; `-` is
    /// standard input. Without it a terminal is asked.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "ARAMAKI_PASSPHRASE_FILE"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// What to log: `warn`, `info`, `aramaki_sync=debug,warn`.
    #[arg(long, global = true, value_name = "FILTER", env = "ARAMAKI_LOG")]
    pub(crate) log: Option<String>,
    /// Print one JSON object; errors too, on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Init(init::Init),
    #[command(subcommand)]
    System(system::System),
    Status(status::Status),
    Timeline(timeline::Timeline),
    Handover(handover::Handover),
    PostMortem(handover::PostMortem),
    #[command(subcommand)]
    Note(note::Note),
    #[command(subcommand)]
    Notify(notify::Notify),
    Say(say::Say),
    Deployed(deployed::Deployed),
    Import(import::Import),
    #[command(subcommand)]
    Alert(alert::Alert),
    #[command(subcommand)]
    Maintenance(maintenance::Maintenance),
    Incident(incident::Incident),
    Share(share::Share),
    Join(join::Join),
    Carry(carry::Carry),
    Take(take::Take),
    #[command(subcommand)]
    Trust(trust::Trust),
    #[command(subcommand)]
    Device(device::Device),
    #[command(subcommand)]
    Key(key::Key),
    #[command(subcommand)]
    Agent(agent::Agent),
    #[command(subcommand)]
    Action(action::Action),
    #[command(subcommand)]
    Service(service::Service),
    #[command(subcommand)]
    Desired(desired::Desired),
    #[command(subcommand)]
    Relay(relay::Relay),
    Peers(peers::Peers),
    Export(export::Export),
    Verify(verify::Verify),
    Compact(compact::Compact),
    Backup(backup::Backup),
    Restore(restore::Restore),
    RecoveryKit(recovery_kit::RecoveryKit),
    RecoveryShares(recovery_shares::RecoveryShares),
    Recover(recover::Recover),
    Emergency(emergency::Emergency),
    Completions(completions::Completions),
    Demo(demo::Demo),
    #[command(hide = true)]
    Follow(follow::Follow),
    #[command(name = "demo-relay", hide = true)]
    DemoRelay(demo::DemoRelay),
    #[command(name = "demo-agent", hide = true)]
    DemoAgent(demo::DemoAgent),
    #[command(name = "demo-person", hide = true)]
    DemoPerson(demo::DemoPerson),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_grammar_holds_together_and_every_verb_has_help() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            assert!(
                verb.get_about().is_some(),
                "{} has no help",
                verb.get_name()
            );
            for inner in verb.get_subcommands() {
                assert!(
                    inner.get_about().is_some(),
                    "{} has no help",
                    inner.get_name()
                );
            }
        }
    }

    #[test]
    fn options_of_every_verb_are_taken_before_and_after_it() {
        for line in [
            "aramaki --json --data /x status",
            "aramaki status --json --data /x",
        ] {
            let cli = parse(line).unwrap();
            assert!(cli.global.json, "{line}");
            assert_eq!(cli.global.data, Some(PathBuf::from("/x")), "{line}");
        }
    }

    #[test]
    fn every_documented_verb_parses() {
        for line in [
            "aramaki",
            "aramaki init --name operator --no-recovery-kit",
            "aramaki system add Webshop --category service --rule ask-first=db*",
            "aramaki system list",
            "aramaki system show abcdef",
            "aramaki system link Webshop Storage --label Disks --override warning=critical",
            "aramaki system edit Webshop --title Shop --contact technical=+49",
            "aramaki status Webshop",
            "aramaki timeline Webshop --limit 5",
            "aramaki timeline Webshop Mail --kind deployment,action --since 1h",
            "aramaki handover --since 12h",
            "aramaki handover Webshop --save",
            "aramaki post-mortem Webshop --from 2026-12-24T18:00Z --until 2026-12-24T19:00Z --save",
            "aramaki deployed Webshop varnish --version 7.1 --link https://ci.example/7 --ago 5m",
            "aramaki alert list --system Webshop --attention --where severity>=warning",
            "aramaki alert acknowledge 3fa9 77ab -t known --for 2h",
            "aramaki alert silence Webshop --subtree --until-resolved --reason moving",
            "aramaki alert silence --labels site=rzob --check disk --for 2h --reason moving --yes",
            "aramaki maintenance add Webshop --for 2h --every-days 7 --reason kernel",
            "aramaki maintenance add Webshop --for 2h --cron @daily --zone Europe/Vienna --reason x",
            "aramaki note add Webshop --title Restart --text hello",
            "aramaki note edit Webshop Restart --text other",
            "aramaki note show Webshop Restart",
            "aramaki note list Webshop",
            "aramaki notify policy Webshop --file policy.toml",
            "aramaki notify on-call Webshop first --who bob --until 2026-07-04T09:00:00Z",
            "aramaki notify run --file notify.toml --once",
            "aramaki share Webshop --capability read --for 8h",
            "aramaki share Webshop --file invite.aramaki",
            "aramaki join aramaki1abc",
            "aramaki join invite.aramaki",
            "aramaki join --cancel abcdef",
            "aramaki carry Webshop news.aramaki",
            "aramaki take news.aramaki",
            "aramaki agent invite Webshop --name web1",
            "aramaki relay add aa bb@127.0.0.1:1 --system Webshop",
            "aramaki peers",
            "aramaki export Webshop",
            "aramaki import nagios /etc/nagios4 --macro USER1=/usr/lib/nagios/plugins --into Webshop",
            "aramaki import sensu-core /etc/sensu/conf.d --yes",
            "aramaki service list Webshop --archived --wait 30s",
            "aramaki service where db --system Webshop",
            "aramaki service export Webshop --file-sd targets.json --watch",
            "aramaki service serve --listen 127.0.0.1:0",
            "aramaki desired set Webshop web/ports 80 --as integer --min -1 --max 9",
            "aramaki desired set Webshop web/mode on --choice on --choice off",
            "aramaki desired get Webshop web/ports",
            "aramaki desired list Webshop",
            "aramaki desired unset Webshop web/ports",
            "aramaki verify",
            "aramaki compact Webshop",
            "aramaki key seal --keyring",
            "aramaki backup file.aramaki",
            "aramaki restore file.aramaki",
            "aramaki recovery-kit kit.aramaki",
            "aramaki recovery-kit kit.aramaki --new-emergency-key --emergency-envelope envelope",
            "aramaki emergency",
            "aramaki emergency --end",
            "aramaki emergency kit.aramaki --reason burning --system Webshop --for 2h",
            "aramaki trust audit Webshop",
            "aramaki recover kit.aramaki --name operator --yes",
            "aramaki completions bash",
            "aramaki demo --headless --duration 30s --json --marker text",
            "aramaki demo relay stop",
        ] {
            if let Err(error) = parse(line) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn wrong_usage_is_refused() {
        for line in [
            "aramaki frobnicate",
            "aramaki share Webshop --for yesterday",
            "aramaki share Webshop --capability administer",
            "aramaki init --no-recovery-kit --recovery-kit file",
            "aramaki emergency kit.aramaki",
            "aramaki emergency --reason burning",
            "aramaki emergency kit.aramaki --reason burning --end",
            "aramaki note add",
            "aramaki join",
            "aramaki join code --cancel abcdef",
            "aramaki share Webshop --file f --inline",
            "aramaki import zabbix /etc",
            "aramaki import nagios",
            "aramaki alert list --where (",
            "aramaki service serve --listen 0.0.0.0:80",
            "aramaki service export --watch",
            "aramaki desired set Webshop ../etc x",
            "aramaki alert silence Webshop --reason x",
            "aramaki alert silence Webshop --for 1h",
            "aramaki maintenance add Webshop --for 1h --reason x --every-days 0",
            "aramaki maintenance add Webshop --for 1h --reason x --cron @daily",
            "aramaki maintenance add Webshop --for 1h --reason x --every-days 1 --cron @daily --zone UTC",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
