//! What the tests of imports share: files as text, and what became of them by its title.

use aramaki_model::import::{ImportPlan, PlannedSystem, SourceFile};

pub(crate) fn system<'a>(plan: &'a ImportPlan, title: &str) -> &'a PlannedSystem {
    let found = plan.systems.iter().find(|it| it.title == title);
    found.unwrap_or_else(|| panic!("no {title} among {:?}", titles(plan)))
}

pub(crate) fn titles(plan: &ImportPlan) -> Vec<&str> {
    plan.systems.iter().map(|it| it.title.as_str()).collect()
}

pub(crate) fn checks(system: &PlannedSystem) -> Vec<&str> {
    system.checks.iter().map(|it| it.name.as_str()).collect()
}

pub(crate) fn sources(files: &[(&str, &str)]) -> Vec<SourceFile> {
    let file = |(name, text): &(&str, &str)| SourceFile {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
    };
    files.iter().map(file).collect()
}
