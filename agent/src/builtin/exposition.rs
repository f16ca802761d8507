//! The Prometheus text format, read leniently: a line that cannot be read is counted, not fatal.

/// Lines read of one page.
const LINES_MAX: usize = 200_000;
/// Labels kept of one sample.
const LABELS_MAX: usize = 64;

/// One sample: a name, labels and a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample<'a> {
    pub(crate) name: &'a str,
    pub(crate) labels: Labels<'a>,
    pub(crate) value: f64,
}

/// All samples of a page, and the number of lines that could not be read.
pub(crate) fn parse(text: &str) -> (Vec<Sample<'_>>, usize) {
    let mut samples = Vec::new();
    let mut unread = 0;
    for line in text.lines().take(LINES_MAX).map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match sample(line) {
            Some(sample) => samples.push(sample),
            None => unread += 1,
        }
    }
    (samples, unread)
}

/// What picks samples: `name` or `name{label="value",…}`, where every named label must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector<'a> {
    name: &'a str,
    labels: Labels<'a>,
}

impl<'a> Selector<'a> {
    /// Reads a selector; nothing if it is not one.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (name, labels, rest) = series(text.trim())?;
        rest.trim().is_empty().then_some(Self { name, labels })
    }

    pub(crate) fn picks(&self, sample: &Sample<'_>) -> bool {
        self.name == sample.name
            && self
                .labels
                .iter()
                .all(|wanted| sample.labels.contains(wanted))
    }
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let (name, labels, rest) = series(line)?;
    // A timestamp may follow the value.
    let word = rest.split_ascii_whitespace().next()?;
    let value = match word {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        _ => word.parse().ok()?,
    };
    Some(Sample {
        name,
        labels,
        value,
    })
}

/// Names and values of labels.
type Labels<'a> = Vec<(&'a str, String)>;

/// Splits `name{labels} rest`.
fn series(text: &str) -> Option<(&str, Labels<'_>, &str)> {
    let end = text
        .find(|character: char| !is_name(character))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    if name.is_empty() || name.starts_with(|character: char| character.is_ascii_digit()) {
        return None;
    }
    match rest.trim_start().strip_prefix('{') {
        Some(inside) => {
            let (labels, rest) = labels(inside)?;
            Some((name, labels, rest))
        }
        None => Some((name, Vec::new(), rest)),
    }
}

fn labels(mut text: &str) -> Option<(Labels<'_>, &str)> {
    let mut labels = Vec::new();
    loop {
        text = text.trim_start_matches([' ', '\t', ',']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, rest) = text.split_once('=')?;
        let (value, rest) = quoted(rest.trim_start().strip_prefix('"')?)?;
        if labels.len() == LABELS_MAX {
            return None;
        }
        labels.push((name.trim(), value));
        text = rest;
    }
}

/// Reads up to the closing quote; `\\`, `\"` and `\n` are escapes.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == ':'
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP node_load1 1m load average.\n# TYPE node_load1 gauge\nnode_load1 0.21\n\
        up{job=\"api\",note=\"a \\\"b\\\", c}\"} 1 1700000000000\n\
        http_seconds_bucket{le=\"+Inf\"} 12\nodd NaN\nbig +Inf\n9bad 1\nno_value\nbroken{a=\"b\n";

    #[test]
    fn a_page_is_read_and_bad_lines_are_counted() {
        let (samples, unread) = parse(PAGE);
        let names: Vec<&str> = samples.iter().map(|sample| sample.name).collect();
        assert_eq!(
            names,
            ["node_load1", "up", "http_seconds_bucket", "odd", "big"]
        );
        assert_eq!(unread, 3);
        assert_eq!(samples[0].value.to_string(), "0.21");
        assert_eq!(samples[1].labels[1], ("note", "a \"b\", c}".to_owned()));
        assert!(samples[3].value.is_nan());
    }

    #[test]
    fn selectors_pick_by_name_and_labels() {
        let (samples, _) = parse("up{job=\"api\",zone=\"a\"} 1\nup{job=\"web\"} 0\nupper 3\n");
        let picked = |selector: &str| {
            let selector = Selector::parse(selector).unwrap();
            samples
                .iter()
                .filter(|sample| selector.picks(sample))
                .count()
        };
        assert_eq!(picked("up"), 2);
        assert_eq!(picked("up{job=\"api\"}"), 1);
        assert_eq!(picked("up{job=\"none\"}"), 0);
        for wrong in ["", "1up", "up{", "up{job=api}", "up > 3"] {
            assert_eq!(Selector::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn no_input_panics() {
        for text in [
            "{",
            "a{",
            "a{=",
            "a{=\"",
            "a{b=\"\\",
            "ä{ö=\"ü\"} 1",
            "a{b=\"c\"}\u{0}1",
            "\u{feff}a 1",
        ] {
            let (samples, unread) = parse(text);
            assert!(samples.len() + unread <= 1);
        }
    }
}
