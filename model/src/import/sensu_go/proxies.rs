//! Checks of each entity that fits: `proxy_requests`.

use std::collections::BTreeMap;

use crate::import::cell::Cells;

/// Conditions of one check.
const CONDITIONS_MAX: usize = 100;

/// What an entity must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    path: String,
    value: String,
}

/// Reads the conditions of a check; none: it is no check of others.
///
/// # Errors
/// Which expression is more than this compares.
pub(super) fn conditions(spec: &Cells<'_>) -> Option<Result<Vec<Condition>, String>> {
    let requests = spec.inner("proxy_requests")?;
    let said = requests.texts("entity_attributes");
    if said.is_empty() {
        return None;
    }
    requests.pass(&["splay_coverage"]);
    if requests.truth("splay") == Some(true) {
        requests.leave("splay", "agents spread what they run by themselves");
    }
    requests.finish();
    let pieces: Vec<&str> = said.iter().flat_map(|it| it.split("&&")).collect();
    if pieces.len() > CONDITIONS_MAX {
        return Some(Err(format!("more than {CONDITIONS_MAX} conditions")));
    }
    let read = pieces
        .into_iter()
        .map(|piece| condition(piece).ok_or_else(|| piece.trim().to_owned()));
    Some(read.collect())
}

/// `entity.labels.kind == "website"`, `entity.labels['kind'] == 'website'`.
fn condition(text: &str) -> Option<Condition> {
    let (path, value) = text.split_once("==")?;
    let path = path.trim().strip_prefix("entity.")?;
    let path = match path.split_once('[') {
        Some((map, key)) => {
            let key = key.strip_suffix(']')?;
            format!("{map}.{}", quoted(key)?)
        }
        None => path.to_owned(),
    };
    let path = path.strip_prefix("metadata.").unwrap_or(&path).to_owned();
    let is_plain = |c: char| c.is_alphanumeric() || "_-./".contains(c);
    let value = quoted(value.trim())?.to_owned();
    (!path.is_empty() && path.chars().all(is_plain)).then_some(Condition { path, value })
}

fn quoted(text: &str) -> Option<&str> {
    ['\'', '"'].into_iter().find_map(|mark| {
        let inner = text.strip_prefix(mark)?.strip_suffix(mark)?;
        (!inner.contains(['\'', '"', '\\'])).then_some(inner)
    })
}

/// Whether an entity of these values is all of that.
pub(super) fn fits(conditions: &[Condition], values: &BTreeMap<String, String>) -> bool {
    conditions
        .iter()
        .all(|it| values.get(&it.path) == Some(&it.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_read_and_everything_else_is_not_guessed() {
        let read = |text| condition(text).map(|it| (it.path, it.value));
        for (text, path, value) in [
            ("entity.entity_class == 'proxy'", "entity_class", "proxy"),
            (
                " entity.labels.kind==\"web site\" ",
                "labels.kind",
                "web site",
            ),
            ("entity.labels['kind'] == 'web'", "labels.kind", "web"),
            ("entity.metadata.name == 'a'", "name", "a"),
        ] {
            assert_eq!(
                read(text),
                Some((path.to_owned(), value.to_owned())),
                "{text}"
            );
        }
        for text in [
            "",
            "true",
            "entity.labels.kind != 'x'",
            "entity.labels.kind == 'x' || true",
            "entity.labels.kind.indexOf('x') == 0",
            "event.check.name == 'x'",
            "entity.name == other",
            "entity. == 'x'",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
