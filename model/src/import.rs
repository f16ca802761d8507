//! Import: what other monitoring programs are told, read into Systems that could be made of it.
//!
//! [`plan`] reads texts and writes nothing. What it does not understand, or takes otherwise than the
//! other program did, is a [`Remark`] that names file, line or path, and field: nothing is dropped
//! in silence. Texts are input: they are read leniently, never panic, and every list has a limit.

mod cell;
mod command;
mod consul;
mod extra;
mod nagios;
mod plan;
mod prometheus_rules;
mod sensu_core;
mod sensu_go;
mod span;
mod token;
mod tree;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

pub use plan::{
    IMPORT_LABEL, ImportPlan, Place, PlannedEdge, PlannedSystem, REMARKS_MAX, Remark, SYSTEMS_MAX,
    Verdict,
};
pub use write::{ChangeKind, How, PlannedChange};

use plan::{Drafts, Remarks};

/// Bytes of one file.
pub const FILE_LEN_BYTES_MAX: u64 = 4 << 20;
/// Bytes of all files together.
pub const FILES_LEN_BYTES_MAX: u64 = 64 << 20;
/// Files of one import.
pub const FILES_MAX: usize = 4_096;

/// Which program the texts are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The JSON files of a folder such as `/etc/sensu/conf.d`.
    SensuCore,
    /// What `sensuctl dump` prints, YAML or JSON.
    SensuGo,
    /// Object configuration, with `nagios.cfg` and `resource.cfg` if they are there.
    Nagios,
    /// Alerting rules: their names become known families.
    PrometheusRules,
    /// Service and check definitions, or what the agent, catalog and health interfaces answer.
    Consul,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::SensuCore,
        Self::SensuGo,
        Self::Nagios,
        Self::PrometheusRules,
        Self::Consul,
    ];

    /// How it is written on a command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SensuCore => "sensu-core",
            Self::SensuGo => "sensu-go",
            Self::Nagios => "nagios",
            Self::PrometheusRules => "prometheus-rules",
            Self::Consul => "consul",
        }
    }

    /// The endings of the files that are read in a folder.
    pub const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::SensuCore | Self::Consul => &["json"],
            Self::SensuGo => &["yaml", "yml", "json"],
            Self::Nagios => &["cfg"],
            Self::PrometheusRules => &["yaml", "yml", "rules"],
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|format| format.word() == text);
        found.ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            format!("`{text}` is no format: {words} are known")
        })
    }
}

/// A text and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path as people know it.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// What the texts do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Values of Nagios' own macros, such as `USER1` for the plugins' folder; they win over the
    /// texts'.
    pub macros: BTreeMap<String, String>,
}

/// Reads texts of one program into a plan. The same texts give the same plan, in any order in which
/// the files are named.
#[must_use]
pub fn plan(format: Format, files: &[SourceFile], options: &ImportOptions) -> ImportPlan {
    let mut files: Vec<&SourceFile> = files.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let remarks = Remarks::default();
    let mut drafts = Drafts::new(format, &remarks);
    match format {
        Format::SensuCore => sensu_core::read(&files, &mut drafts),
        Format::SensuGo => sensu_go::read(&files, &mut drafts),
        Format::Nagios => nagios::read(&files, options, &mut drafts),
        Format::PrometheusRules => prometheus_rules::read(&files, &mut drafts),
        Format::Consul => consul::read(&files, &mut drafts),
    }
    let systems = drafts.finish();
    let (remarks, remarks_left_out) = remarks.finish();
    ImportPlan {
        systems,
        remarks,
        remarks_left_out,
    }
}
