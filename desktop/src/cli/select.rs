//! How a verb's SYSTEM finds its Space: id, unique prefix, or exact title.

use aramaki_sync_core::SpaceId;

use super::error::CliError;

/// Shorter prefixes are taken for titles only.
pub(crate) const PREFIX_LEN_CHARS_MIN: usize = 6;

/// So many titles are named when none is the one that was typed.
const SIMILAR_MAX: usize = 5;

/// Finds the one Space that `wanted` names among `candidates` (id and title).
///
/// An id or prefix beats a title, because titles are written by people we may not know.
///
/// # Errors
/// When nothing matches, or several: then the candidates are listed.
pub(crate) fn select<'a>(
    wanted: &str,
    candidates: impl Iterator<Item = (SpaceId, &'a str)> + Clone,
) -> Result<SpaceId, CliError> {
    let wanted = wanted.trim();
    let by_id = |id: &SpaceId| {
        wanted.len() >= PREFIX_LEN_CHARS_MIN
            && id.to_string().starts_with(&wanted.to_ascii_lowercase())
    };
    let ids: Vec<_> = candidates.clone().filter(|(id, _)| by_id(id)).collect();
    let found = if ids.is_empty() {
        let same = candidates.clone().filter(|(_, title)| *title == wanted);
        same.collect()
    } else {
        ids
    };
    match found.as_slice() {
        [] => Err(CliError::NoSuchSystem {
            wanted: wanted.to_owned(),
            similar: similar(wanted, candidates),
        }),
        [(id, _)] => Ok(*id),
        several => Err(CliError::AmbiguousSystem {
            wanted: wanted.to_owned(),
            candidates: several
                .iter()
                .map(|(id, title)| format!("{}  {title}", &id.to_string()[..12]))
                .collect(),
        }),
    }
}

/// Titles in which what was typed occurs, whatever the case, quoted as they are typed, with ids.
fn similar<'a>(wanted: &str, candidates: impl Iterator<Item = (SpaceId, &'a str)>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let like = candidates.filter(|(_, title)| title.to_lowercase().contains(&wanted));
    like.take(SIMILAR_MAX)
        .map(|(id, title)| format!("`{title}` ({})", id.short()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn systems() -> Vec<(SpaceId, &'static str)> {
        let id = |first: u8, second: u8| {
            let mut bytes = [0; 32];
            (bytes[0], bytes[5]) = (first, second);
            SpaceId::from_bytes(bytes)
        };
        vec![
            (id(0xaa, 1), "Webshop"),
            (id(0xaa, 2), "Storage"),
            (id(0xbb, 3), "Storage"),
        ]
    }

    fn find(wanted: &str) -> Result<SpaceId, CliError> {
        let systems = systems();
        select(wanted, systems.iter().map(|(id, title)| (*id, *title)))
    }

    #[test]
    fn an_id_a_unique_prefix_and_an_exact_title_find_the_system() {
        let systems = systems();
        assert_eq!(find(&systems[0].0.to_string()).unwrap(), systems[0].0);
        assert_eq!(find("AA0000000001").unwrap(), systems[0].0);
        assert_eq!(find("bb0000").unwrap(), systems[2].0);
        assert_eq!(find("Webshop").unwrap(), systems[0].0);
    }

    #[test]
    fn what_is_ambiguous_lists_its_candidates() {
        for wanted in ["aa0000", "Storage"] {
            let Err(CliError::AmbiguousSystem { candidates, .. }) = find(wanted) else {
                panic!("{wanted} is ambiguous");
            };
            assert_eq!(candidates.len(), 2);
        }
    }

    #[test]
    fn short_prefixes_and_parts_of_titles_find_nothing() {
        for wanted in ["aa000", "webshop", "Web", ""] {
            assert!(
                matches!(find(wanted), Err(CliError::NoSuchSystem { .. })),
                "{wanted}"
            );
        }
        let similar = find("webs").unwrap_err().message();
        assert!(similar.contains("`Webshop`"), "{similar}");
    }
}
