//! What a filter can ask for, and how each is compared.

use std::fmt;

use super::scan::quoted_if_needed;

/// What a filter can ask for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// A text that is searched.
    Text(TextField),
    /// A label of the System, by its name.
    Label(String),
    /// A severity.
    Severity(SeverityField),
    /// Open, acknowledged or resolved.
    State,
    /// Yes or no.
    Flag(Flag),
    /// How long ago.
    Moment(Moment),
    /// For how long: until it was resolved, else until now.
    Age,
    /// Opened or changed since.
    Since,
    /// A count.
    Number(Number),
    /// Whether a text is there at all.
    Has,
}

/// A text that is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextField {
    /// The System's title.
    System,
    /// The System's category.
    Category,
    /// The check's name.
    Check,
    /// The check family.
    Family,
    /// Who acknowledged or claimed it.
    Owner,
    /// What the check said.
    Summary,
}

/// Which severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SeverityField {
    /// Now.
    Now,
    /// The worst since it opened.
    Worst,
}

/// Something that is so or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// Somebody works on it.
    Claimed,
    /// A silence covers it.
    Silenced,
    /// A maintenance window is open.
    Maintenance,
    /// It follows from something else that is broken.
    Inhibited,
    /// It changes too often.
    Flapping,
    /// It asks for attention: nothing of the above and nobody took it.
    Attention,
}

/// A moment, asked for as how long ago it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// When it opened.
    Opened,
    /// When its state changed last.
    Changed,
    /// When the check was last OK.
    LastOk,
    /// When the check failed for the first time that is known.
    FirstSeen,
}

/// A count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Number {
    /// How often it failed in the time that is kept.
    Flaps,
    /// How often the present state was observed in a row.
    Occurrences,
}

/// Where an alert is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nobody took it.
    Open,
    /// Somebody knows.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Resolved];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same.
    Equal,
    /// Another.
    Unequal,
    /// Less.
    Less,
    /// At most.
    AtMost,
    /// More.
    More,
    /// At least.
    AtLeast,
}

impl Comparison {
    /// Whether two values compare so.
    pub fn holds<T: Ord + Copy>(self, left: T, right: T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }

    /// How it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equal => ":",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// How a label's field begins.
pub(super) const LABEL: &str = "label.";
const YES_NO: &[&str] = &["yes", "no"];
/// Severities, worst first.
const SEVERITIES: &[&str] = &["critical", "unknown", "warning", "missing", "ok"];
const PHASES: &[&str] = &["open", "acknowledged", "resolved"];
const TEXTS: &[&str] = &["owner", "summary", "category"];

impl Field {
    /// Every field with a name of its own, in the order in which they are offered.
    pub const NAMED: [Self; 22] = [
        Self::Severity(SeverityField::Now),
        Self::State,
        Self::Text(TextField::System),
        Self::Text(TextField::Check),
        Self::Text(TextField::Owner),
        Self::Age,
        Self::Since,
        Self::Moment(Moment::Opened),
        Self::Flag(Flag::Attention),
        Self::Flag(Flag::Silenced),
        Self::Flag(Flag::Claimed),
        Self::Flag(Flag::Flapping),
        Self::Flag(Flag::Maintenance),
        Self::Flag(Flag::Inhibited),
        Self::Text(TextField::Category),
        Self::Text(TextField::Family),
        Self::Text(TextField::Summary),
        Self::Severity(SeverityField::Worst),
        Self::Moment(Moment::Changed),
        Self::Moment(Moment::LastOk),
        Self::Number(Number::Flaps),
        Self::Has,
    ];
    /// Fields that are known and not offered.
    const RARE: [Self; 2] = [
        Self::Moment(Moment::FirstSeen),
        Self::Number(Number::Occurrences),
    ];

    /// What it is called; a label's without the label's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Text(TextField::System) => "system",
            Self::Text(TextField::Category) => "category",
            Self::Text(TextField::Check) => "check",
            Self::Text(TextField::Family) => "family",
            Self::Text(TextField::Owner) => "owner",
            Self::Text(TextField::Summary) => "summary",
            Self::Label(_) => "label",
            Self::Severity(SeverityField::Now) => "severity",
            Self::Severity(SeverityField::Worst) => "worst",
            Self::State => "state",
            Self::Flag(Flag::Claimed) => "claimed",
            Self::Flag(Flag::Silenced) => "silenced",
            Self::Flag(Flag::Maintenance) => "maintenance",
            Self::Flag(Flag::Inhibited) => "inhibited",
            Self::Flag(Flag::Flapping) => "flapping",
            Self::Flag(Flag::Attention) => "attention",
            Self::Moment(Moment::Opened) => "opened",
            Self::Moment(Moment::Changed) => "changed",
            Self::Moment(Moment::LastOk) => "last-ok",
            Self::Moment(Moment::FirstSeen) => "first-seen",
            Self::Age => "age",
            Self::Since => "since",
            Self::Number(Number::Flaps) => "flaps",
            Self::Number(Number::Occurrences) => "occurrences",
            Self::Has => "has",
        }
    }

    /// The field of a name, whatever its case; `label.NAME` is that label.
    pub fn of_name(name: &str) -> Option<Self> {
        let is_label = name
            .get(..LABEL.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(LABEL));
        if let (true, Some(label)) = (is_label, name.get(LABEL.len()..)) {
            return (!label.is_empty()).then(|| Self::Label(label.to_owned()));
        }
        let known = Self::NAMED.into_iter().chain(Self::RARE);
        known
            .into_iter()
            .find(|field| field.name().eq_ignore_ascii_case(name))
    }

    /// A field whose name begins like this one, or is one letter away from it.
    pub(super) fn similar_to(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let known = || Self::NAMED.into_iter().chain(Self::RARE);
        let begins = |field: &Self| name.len() >= 2 && field.name().starts_with(&name);
        known()
            .find(begins)
            .or_else(|| known().find(|field| is_one_off(field.name(), &name)))
    }

    /// The words that it knows; none for those that take anything.
    pub const fn words(&self) -> &'static [&'static str] {
        match self {
            Self::Severity(_) => SEVERITIES,
            Self::State => PHASES,
            Self::Flag(_) => YES_NO,
            Self::Has => TEXTS,
            Self::Text(_)
            | Self::Label(_)
            | Self::Moment(_)
            | Self::Age
            | Self::Since
            | Self::Number(_) => &[],
        }
    }

    /// The signs by which it is compared, as people read them.
    pub const fn comparisons(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Label(_) => ": = or !=",
            Self::Severity(_) | Self::Number(_) => ": != < <= > or >=",
            Self::State => ": or !=",
            Self::Flag(_) | Self::Since | Self::Has => ":",
            Self::Moment(_) | Self::Age => "< <= > or >=",
        }
    }

    /// The sign that is offered first.
    pub(super) const fn first_sign(&self) -> &'static str {
        match self {
            Self::Moment(_) | Self::Age | Self::Number(_) => ">",
            _ => ":",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(name) => write!(f, "{LABEL}{}", quoted_if_needed(name)),
            _ => f.write_str(self.name()),
        }
    }
}

/// Whether two short words differ by one letter that was added, left out, changed or swapped.
fn is_one_off(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    if long.len() > short.len() + 1 || short.len() < 3 {
        return false;
    }
    let same = long.iter().zip(&short).take_while(|(a, b)| a == b).count();
    let rest = |word: &[char], skipped: usize| word.iter().skip(same + skipped).copied().collect();
    let (long_rest, short_rest): (Vec<char>, Vec<char>) = (rest(&long, 1), rest(&short, 0));
    if long.len() > short.len() {
        return long_rest == short_rest;
    }
    let swapped = long.get(same) == short.get(same + 1) && long.get(same + 1) == short.get(same);
    let beyond = |word: &[char]| word.iter().skip(same + 2).copied().collect::<Vec<char>>();
    long_rest.iter().eq(short.iter().skip(same + 1)) || (swapped && beyond(&long) == beyond(&short))
}
