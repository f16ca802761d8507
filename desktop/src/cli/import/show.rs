//! What an import does, as a table and as an object.

use std::collections::BTreeMap;
use std::path::PathBuf;

use aramaki_model::Check;
use aramaki_model::import::{ChangeKind, Format, How, ImportPlan, PlannedChange, Remark, Verdict};
use serde_json::{Value, json};

use super::files;
use crate::cli::Report;
use crate::cli::definition::{definition_json, definition_words};
use crate::cli::report::{Lines, count, table};
use crate::workspace::{ImportStep, Imported};

/// So many Systems and kinds of remarks are listed unless all are asked for.
const LISTED_MAX: usize = 40;

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) format: Format,
    pub(super) files: usize,
    /// Files in folders that were not read.
    pub(super) passed: &'a [PathBuf],
    pub(super) plan: &'a ImportPlan,
    pub(super) preview: &'a [ImportStep],
    /// None: a dry run.
    pub(super) written: Option<&'a Imported>,
    pub(super) all: bool,
}

impl Shown<'_> {
    pub(super) fn report(&self) -> Report {
        Report::new(self.text(), &self.json())
    }

    fn limit(&self) -> usize {
        if self.all { usize::MAX } else { LISTED_MAX }
    }

    fn text(&self) -> String {
        let mut out = Lines::default();
        self.systems(&mut out);
        self.remarks(&mut out);
        self.passed(&mut out);
        out.add("");
        let counts = self.counts();
        out.add(format_args!(
            "{} in {}: {} new, {} changed, {} as they are; {}.",
            count(self.preview.len(), "System"),
            count(self.files, "file"),
            counts.new,
            counts.changed,
            counts.same,
            count(counts.checks, "check"),
        ));
        let is_same = counts.new + counts.changed == 0;
        match self.written {
            Some(_) if is_same => out.add("Nothing was written: all of it is here already."),
            Some(written) => {
                out.add(format_args!(
                    "{} written.",
                    count(written.systems, "System")
                ));
                out.add(
                    "Checks run once an agent joined: `aramaki agent invite SYSTEM --name MACHINE`.",
                );
            }
            None if is_same => out.add("All of it is here already: --yes would change nothing."),
            None => out.add("Nothing was written: --yes does it."),
        }
        out.into_text()
    }

    fn systems(&self, out: &mut Lines) {
        if self.preview.is_empty() {
            return;
        }
        let mut rows = vec![
            ["SYSTEM", "CATEGORY", "FROM", "WHAT"]
                .map(str::to_owned)
                .to_vec(),
        ];
        for step in self.preview.iter().take(self.limit()) {
            let from = step.planned.key.split_once(':');
            let from = from.map_or(step.planned.key.as_str(), |(_, from)| from);
            rows.push(vec![
                step.planned.title.clone(),
                step.planned.category.clone(),
                from.to_owned(),
                Self::what(step),
            ]);
            if self.all {
                let mut changes: Vec<&PlannedChange> = step.changes.iter().collect();
                changes.sort();
                let inner = changes.iter().filter(|it| it.kind != ChangeKind::System);
                rows.extend(inner.map(|change| {
                    let mut what = format!(
                        "{} {}: {}",
                        kind_word(change.kind),
                        change.name,
                        how_word(change.how)
                    );
                    if let Some(check) = check_of(step, change) {
                        what = format!("{what}: {}", definition_words(check));
                    }
                    vec![String::new(), String::new(), String::new(), what]
                }));
            }
        }
        out.add(table(&rows).trim_end());
        let more = self.preview.len().saturating_sub(self.limit());
        if more > 0 {
            out.add(format_args!(
                "… and {}: --all shows them",
                count(more, "more System")
            ));
        }
    }

    /// `new: 5 checks, 2 contacts`.
    fn what(step: &ImportStep) -> String {
        let mut numbers: BTreeMap<(How, ChangeKind), usize> = BTreeMap::new();
        for change in &step.changes {
            if change.kind != ChangeKind::System {
                *numbers.entry((change.how, change.kind)).or_default() += 1;
            }
        }
        let is_new = step.space.is_none();
        let words = numbers.into_iter().map(|((how, kind), number)| {
            let what = count(number, kind_word(kind)).replace("familys", "families");
            if is_new {
                what
            } else {
                format!("{what} {}", how_word(how))
            }
        });
        let words: Vec<_> = words.collect();
        match (is_new, words.is_empty()) {
            (true, true) => "new".to_owned(),
            (true, false) => format!("new: {}", words.join(", ")),
            (false, true) => "as it is".to_owned(),
            (false, false) => words.join(", "),
        }
    }

    fn remarks(&self, out: &mut Lines) {
        for (verdict, title) in [
            (Verdict::Broken, "Cannot be read from there on"),
            (Verdict::Adapted, "Taken, but it means something else here"),
            (Verdict::Left, "Not taken"),
        ] {
            let remarks = self.plan.remarks.iter().filter(|it| it.verdict == verdict);
            let remarks: Vec<&Remark> = remarks.collect();
            if remarks.is_empty() {
                continue;
            }
            out.add(format_args!("\n{title} ({})", remarks.len()));
            if self.all {
                for remark in remarks {
                    out.add(format_args!("  {}", line(remark)));
                }
                continue;
            }
            let mut alike: BTreeMap<(&str, &str), Vec<&Remark>> = BTreeMap::new();
            for remark in remarks {
                let same = alike.entry((&remark.field, &remark.reason)).or_default();
                same.push(remark);
            }
            let kinds = alike.len();
            for same in alike.into_values().take(LISTED_MAX) {
                let more = same.len() - 1;
                let more = if more > 0 {
                    format!("  (and {more} more like it)")
                } else {
                    String::new()
                };
                if let Some(first) = same.first() {
                    out.add(format_args!("  {}{more}", line(first)));
                }
            }
            if kinds > LISTED_MAX {
                let more = kinds - LISTED_MAX;
                out.add(format_args!("  … and {more} kinds more: --all shows them"));
            }
        }
        if self.plan.remarks_left_out > 0 {
            let more = self.plan.remarks_left_out;
            out.add(format_args!("… and {}", count(more, "remark")));
        }
    }

    /// Files that are not of this format.
    fn passed(&self, out: &mut Lines) {
        if self.passed.is_empty() {
            return;
        }
        out.add(format_args!("\nFiles not read ({})", self.passed.len()));
        for path in self.passed.iter().take(self.limit()) {
            let why = files::why_passed(self.format, path);
            out.add(format_args!("  {}: {why}", path.display()));
        }
        let more = self.passed.len().saturating_sub(self.limit());
        if more > 0 {
            out.add(format_args!("  … and {more} more: --all shows them"));
        }
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for step in self.preview {
            counts.checks += step.planned.checks.len();
            if step.space.is_none() {
                counts.new += 1;
            } else if step.changes.iter().any(PlannedChange::is_written) {
                counts.changed += 1;
            } else {
                counts.same += 1;
            }
        }
        counts
    }

    fn json(&self) -> Value {
        let counts = self.counts();
        let systems = self.preview.iter().map(|step| {
            let written = self.written.and_then(|it| it.spaces.get(&step.planned.key));
            let changes = step.changes.iter().map(|it| {
                json!({
                    "kind": kind_word(it.kind),
                    "how": how_word(it.how),
                    "name": it.name,
                    "definition": check_of(step, it).map(definition_json),
                })
            });
            json!({
                "key": step.planned.key,
                "id": step.space.or(written.copied()).map(|it| it.to_string()),
                "title": step.planned.title,
                "category": step.planned.category,
                "new": step.space.is_none(),
                "changes": changes.collect::<Vec<_>>(),
            })
        });
        let remarks = self.plan.remarks.iter().map(|it| {
            json!({
                "file": it.place.file,
                "line": it.place.line,
                "path": it.place.path,
                "field": it.field,
                "taken": it.verdict == Verdict::Adapted,
                "broken": it.verdict == Verdict::Broken,
                "reason": it.reason,
            })
        });
        json!({
            "format": self.format.word(),
            "dry_run": self.written.is_none(),
            "files": self.files,
            "files_not_read": self.passed.iter().map(|path| json!({
                "file": path.display().to_string(),
                "reason": files::why_passed(self.format, path),
            })).collect::<Vec<_>>(),
            "systems": systems.collect::<Vec<_>>(),
            "new": counts.new,
            "changed": counts.changed,
            "same": counts.same,
            "checks": counts.checks,
            "remarks": remarks.collect::<Vec<_>>(),
            "remarks_left_out": self.plan.remarks_left_out,
        })
    }
}

/// The check that a change is about, as it is taken.
fn check_of<'a>(step: &'a ImportStep, change: &PlannedChange) -> Option<&'a Check> {
    let is_taken = change.kind == ChangeKind::Check && change.how != How::Kept;
    let mut checks = step.planned.checks.iter();
    checks.find(|it| is_taken && it.name == change.name)
}

#[derive(Default)]
struct Counts {
    new: usize,
    changed: usize,
    same: usize,
    checks: usize,
}

fn line(remark: &Remark) -> String {
    let field = if remark.field.is_empty() {
        String::new()
    } else {
        format!(" {}", remark.field)
    };
    format!("{}{field}: {}", remark.place, remark.reason)
}

const fn kind_word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::System => "system",
        ChangeKind::Check => "check",
        ChangeKind::Part => "part",
        ChangeKind::Label => "label",
        ChangeKind::Contact => "contact",
        ChangeKind::Dashboard => "dashboard",
        ChangeKind::Family => "family",
        ChangeKind::Observer => "observer",
    }
}

const fn how_word(how: How) -> &'static str {
    match how {
        How::Added => "added",
        How::Changed => "changed",
        How::Kept => "not in these files, kept",
        How::StaysOff => "off here, stays off",
    }
}
