//! The worklist of alerts: which are shown, in which order, in which groups.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aramaki_model::alert::{Alert, AlertId};
use aramaki_model::query::{AlertRow, KnownValues, Plan, TextField};
use aramaki_model::{Query, Severity, Snapshot, SystemView};
use aramaki_sync_core::{SpaceId, Timestamp};

/// Which alerts are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// Those that ask for somebody.
    #[default]
    Attention,
    /// Everything that is not over.
    Open,
    /// What is over.
    Resolved,
}

impl Tab {
    /// Every tab, in the order in which they stand.
    pub const ALL: [Self; 3] = [Self::Attention, Self::Open, Self::Resolved];

    /// Its word where it is kept.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Open => "open",
            Self::Resolved => "resolved",
        }
    }

    /// The one with a word; the first for a word that is not known.
    pub fn of_word(word: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|it| it.word() == word).unwrap_or_default()
    }

    /// Whether an alert is looked at.
    pub const fn shows(self, alert: &Alert) -> bool {
        match self {
            Self::Attention => alert.needs_attention(),
            Self::Open => alert.is_open(),
            Self::Resolved => !alert.is_open(),
        }
    }
}

/// Under which heads alerts stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// Under none: the worst first, then the oldest.
    #[default]
    None,
    /// Under their Systems.
    System,
    /// Under what fails in the same way.
    Family,
    /// Under how long they are open.
    Age,
    /// Under who has them.
    Owner,
}

impl Grouping {
    /// Every grouping, in the order in which they are offered.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::System,
        Self::Family,
        Self::Age,
        Self::Owner,
    ];

    /// Its word where it is kept.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::System => "system",
            Self::Family => "family",
            Self::Age => "age",
            Self::Owner => "owner",
        }
    }

    /// The one with a word; none for a word that is not known.
    pub fn of_word(word: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|it| it.word() == word).unwrap_or_default()
    }
}

/// What a group has in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupName {
    /// A System's title, or a family.
    Text(String),
    /// How long its alerts are open.
    Age(AgeBand),
    /// Who has its alerts.
    Owner(String),
    /// Nobody has its alerts.
    Nobody,
}

/// How long an alert is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgeBand {
    /// Less than an hour.
    Hour,
    /// Less than a day.
    Day,
    /// Less than a week.
    Week,
    /// Longer.
    Longer,
}

impl AgeBand {
    fn of(span: Duration) -> Self {
        const HOUR: Duration = Duration::from_hours(1);
        match span {
            span if span < HOUR => Self::Hour,
            span if span < HOUR * 24 => Self::Day,
            span if span < HOUR * 24 * 7 => Self::Week,
            _ => Self::Longer,
        }
    }
}

/// Alerts under one head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub name: GroupName,
    /// How many.
    pub count: u32,
    /// The worst of them.
    pub worst: Severity,
}

/// One line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The head of a group, by its place in [`Worklist::groups`].
    Head(u32),
    /// An alert, by its place in [`Snapshot::alerts`].
    Alert(u32),
}

/// What the list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worklist {
    /// Line by line.
    pub lines: Vec<Line>,
    /// The heads.
    pub groups: Vec<Group>,
    /// How many alerts are shown.
    pub alerts: usize,
}

impl Worklist {
    /// The alerts that a tab and a query let through.
    pub fn of(snapshot: &Snapshot, tab: Tab, query: &Query, grouping: Grouping) -> Self {
        Self::below(snapshot, &BTreeSet::new(), (tab, query), grouping)
    }

    /// The same of some Systems and all below them alone; of all when there is none.
    pub fn below(
        snapshot: &Snapshot,
        roots: &BTreeSet<SpaceId>,
        (tab, query): (Tab, &Query),
        grouping: Grouping,
    ) -> Self {
        let plan = query.plan(snapshot.now);
        let systems = systems_of(snapshot);
        let mut meant = roots.clone();
        for root in roots {
            meant.extend(snapshot.graph.below(*root));
        }
        let is_meant = |system: &SpaceId| meant.is_empty() || meant.contains(system);
        let chosen = (0..).zip(snapshot.alerts.iter()).filter(|(_place, alert)| {
            tab.shows(alert)
                && is_meant(&alert.system)
                && lets(&plan, alert, systems.get(&alert.system).copied())
        });
        if grouping == Grouping::None {
            let lines: Vec<_> = chosen.map(|(place, _alert)| Line::Alert(place)).collect();
            let alerts = lines.len();
            return Self {
                lines,
                groups: Vec::new(),
                alerts,
            };
        }
        let mut groups: BTreeMap<GroupName, (Severity, Vec<u32>)> = BTreeMap::new();
        for (place, alert) in chosen {
            let name = name_of(alert, grouping, snapshot.now);
            let (worst, places) = groups.entry(name).or_insert((Severity::Ok, Vec::new()));
            *worst = (*worst).max(alert.severity);
            places.push(place);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        // Bands of age stand in their own order; other groups by their worst, then their size.
        if grouping != Grouping::Age {
            groups.sort_by_key(|(_name, (worst, places))| (Reverse(*worst), Reverse(places.len())));
        }
        let mut list = Self::default();
        for (name, (worst, places)) in groups {
            let head = u32::try_from(list.groups.len()).unwrap_or(u32::MAX);
            list.lines.push(Line::Head(head));
            list.alerts += places.len();
            list.groups.push(Group {
                name,
                count: u32::try_from(places.len()).unwrap_or(u32::MAX),
                worst,
            });
            list.lines.extend(places.into_iter().map(Line::Alert));
        }
        list
    }

    /// The place of an alert in the list.
    pub fn line_of(&self, snapshot: &Snapshot, id: AlertId) -> Option<usize> {
        self.lines
            .iter()
            .position(|line| line.alert(snapshot).is_some_and(|it| it.id == id))
    }
}

impl Line {
    /// The alert that it is.
    pub fn alert(self, snapshot: &Snapshot) -> Option<&Alert> {
        match self {
            Self::Alert(place) => {
                let place = usize::try_from(place).ok()?;
                snapshot.alerts.get(place).map(AsRef::as_ref)
            }
            Self::Head(_) => None,
        }
    }
}

fn lets(plan: &Plan, alert: &Alert, system: Option<&SystemView>) -> bool {
    plan.lets(&AlertRow { alert, system })
}

fn systems_of(snapshot: &Snapshot) -> BTreeMap<SpaceId, &SystemView> {
    let systems = snapshot.systems.iter();
    systems.map(|system| (system.space, &**system)).collect()
}

fn name_of(alert: &Alert, grouping: Grouping, now: Timestamp) -> GroupName {
    match grouping {
        Grouping::None => GroupName::Text(String::new()),
        Grouping::System => GroupName::Text(alert.title.clone()),
        Grouping::Family => GroupName::Text(alert.family.clone()),
        Grouping::Age => {
            let end = alert.resolved.unwrap_or(now);
            GroupName::Age(AgeBand::of(end.since(alert.opened)))
        }
        Grouping::Owner => match owner(alert) {
            Some(name) => GroupName::Owner(name.to_owned()),
            None => GroupName::Nobody,
        },
    }
}

/// Who has it: who works on it, else who knows of it.
pub fn owner(alert: &Alert) -> Option<&str> {
    let claim = alert.claimed_by().next().map(|claim| claim.name.as_str());
    claim.or_else(|| {
        let mut acknowledged = alert.acknowledgements.iter().filter(|it| it.holds);
        acknowledged.next_back().map(|it| it.name.as_str())
    })
}

/// How many alerts each tab holds.
pub fn counts(snapshot: &Snapshot) -> [usize; 3] {
    Tab::ALL.map(|tab| snapshot.alerts.iter().filter(|it| tab.shows(it)).count())
}

/// What can be completed in the filter.
pub fn known_values(snapshot: &Snapshot) -> KnownValues {
    let mut known = KnownValues::default();
    for alert in &snapshot.alerts {
        known.add(TextField::System, &alert.title);
        known.add(TextField::Check, &alert.name);
        known.add(TextField::Family, &alert.family);
        for claim in &alert.claims {
            known.add(TextField::Owner, &claim.name);
        }
        for acknowledgement in &alert.acknowledgements {
            known.add(TextField::Owner, &acknowledgement.name);
        }
    }
    for system in &snapshot.systems {
        known.add(TextField::Category, &system.category);
        for (name, value) in &system.labels {
            known.add_label(name, value);
        }
    }
    known
}
