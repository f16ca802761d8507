//! `aramaki import`.

mod files;
mod show;

use std::path::PathBuf;

use aramaki_model::import::{self, Format, ImportOptions, ImportPlan, Place, Remark, Verdict};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::parse::parse_pair;
use super::{CliError, Report};
use crate::workspace::Live;

/// What is said of a file in Consul's own language.
const HCL_HINT: &str = "HCL is not read: hand over what the agent answers under /v1/agent/services and \
                        /v1/agent/checks, or the definitions as JSON";

/// Make Systems of what Sensu, Nagios, Prometheus or Consul is told.
///
/// Shows what would become what, and what is not understood; with --yes it is written, all of it or
/// nothing. Doing it again with the same files changes nothing; with changed files, what changed.
/// Nothing is ever removed.
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches of a command line are independent of each other"
)]
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Which program the files are for.
    #[arg(value_name = "FORMAT", value_parser = formats())]
    format: Format,
    /// Files, and folders whose files are taken.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Make the Systems at the top of what is imported parts of this one.
    #[arg(long, value_name = "SYSTEM")]
    into: Option<String>,
    /// The value of one of Nagios' macros: `USER1=/usr/lib/nagios/plugins`.
    #[arg(long = "macro", value_name = "NAME=VALUE", value_parser = parse_pair)]
    macros: Vec<(String, String)>,
    /// Show every check and every remark, not only how many.
    #[arg(long)]
    all: bool,
    /// Write it.
    #[arg(long, short)]
    yes: bool,
    /// Take what stands before a place from which a file cannot be read on, and the other files. Without it
    /// nothing is written then.
    #[arg(long)]
    skip_broken: bool,
}

fn formats() -> impl clap::builder::TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::word)).try_map(|word| word.parse::<Format>())
}

impl Import {
    /// The paths among its arguments.
    pub(crate) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.paths.iter_mut()
    }

    /// For what it may take long.
    pub(crate) const fn waits_for(&self) -> Option<&'static str> {
        if self.yes {
            Some("Systems are being written (Ctrl-C is safe)")
        } else {
            None
        }
    }

    /// What could not be imported as it stands there.
    fn refuse(&self, plan: &ImportPlan) -> Result<(), CliError> {
        let broken: Vec<_> = plan
            .remarks
            .iter()
            .filter(|it| it.verdict == Verdict::Broken)
            .collect();
        let told = |remark: &Remark| format!("{}: {}", remark.place, remark.reason);
        let reason = if let (true, false, [first, more @ ..]) =
            (self.yes, self.skip_broken, broken.as_slice())
        {
            let more = match more.len() {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            format!(
                "{}{more}; nothing was written. Mend it, or take the rest with --skip-broken",
                told(first)
            )
        } else if plan.systems.is_empty() {
            let first = plan.remarks.first().map(told);
            let first = first.map_or_else(String::new, |first| format!("; {first}"));
            format!("nothing in it can be imported as {}{first}", self.format)
        } else {
            return Ok(());
        };
        Err(CliError::Refused {
            what: "the import",
            reason,
        })
    }

    /// Shows or writes it.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let into = self.into.as_deref().map(|it| live.find(it)).transpose()?;
        let files::Found { files, unread } = files::read(self.format, &self.paths)?;
        if files.is_empty() {
            let first = unread.first();
            let unread = first.map_or_else(String::new, |it| format!("; {it}: {HCL_HINT}"));
            return Err(CliError::Setting {
                what: "path",
                value: self
                    .paths
                    .iter()
                    .map(|it| it.display().to_string())
                    .collect::<Vec<_>>()
                    .join(", "),
                reason: format!(
                    "there is no file in it that ends in .{}{unread}",
                    self.format.endings().join(" or .")
                ),
            });
        }
        let options = ImportOptions {
            macros: self.macros.iter().cloned().collect(),
        };
        let mut plan = import::plan(self.format, &files, &options);
        plan.remarks.extend(unread.into_iter().map(|file| Remark {
            place: Place {
                file,
                ..Place::default()
            },
            field: String::new(),
            verdict: Verdict::Left,
            reason: HCL_HINT.to_owned(),
        }));
        let preview = live.preview_import(&plan, into);
        self.refuse(&plan)?;
        let written = if self.yes {
            Some(live.import(&plan, &preview, into).await?)
        } else {
            None
        };
        let shown = show::Shown {
            format: self.format,
            files: files.len(),
            plan: &plan,
            preview: &preview,
            written: written.as_ref(),
            all: self.all,
        };
        Ok(shown.report())
    }
}
