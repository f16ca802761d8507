//! JSON that is also asked for from afar: it fits into what an action's result carries.

use std::io::Write;

use aramaki_model::action::TAIL_LEN_BYTES_MAX;
use serde::Serialize;
use serde_json::Value;

use super::Failure;

/// Room for all that stands around the list.
const AROUND_LEN_BYTES_MAX: usize = 4 * 1_024;

/// Prints `said` with a list in it. Whoever asked from afar gets the end of a long output, which is no JSON: what
/// has no room is left out of the list's end and counted.
pub(super) fn answer<T: Serialize>(
    list: Vec<T>,
    key: &str,
    mut said: Value,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let around = said.to_string().len();
    let room = TAIL_LEN_BYTES_MAX.saturating_sub(around.max(AROUND_LEN_BYTES_MAX));
    let (all, mut used) = (list.len(), 0);
    let mut kept = Vec::new();
    for item in list {
        let item = serde_json::to_value(&item).map_err(std::io::Error::other)?;
        used += item.to_string().len() + 1;
        if used > room {
            break;
        }
        kept.push(item);
    }
    if let Value::Object(said) = &mut said {
        said.insert("left_out".to_owned(), Value::from(all - kept.len()));
        said.insert(key.to_owned(), Value::from(kept));
    }
    writeln!(out, "{said}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_never_longer_than_a_result_carries() {
        for (items, is_all) in [(3, true), (5_000, false)] {
            let mut out = Vec::new();
            let list = vec!["twenty characters...".to_owned(); items];
            answer(list, "list", serde_json::json!({"schema": 1}), &mut out).unwrap();
            assert!(out.len() <= TAIL_LEN_BYTES_MAX, "{}", out.len());
            let said: Value = serde_json::from_slice(&out).unwrap();
            let kept = said["list"].as_array().unwrap().len();
            assert_eq!(said["left_out"], items - kept);
            assert_eq!(kept == items, is_all);
            assert!(
                is_all || out.len() > TAIL_LEN_BYTES_MAX * 9 / 10,
                "{}",
                out.len()
            );
        }
    }
}
