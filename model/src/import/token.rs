//! Tokens in Sensu's commands, which it fills from the client or entity on which they run.

/// A command whose tokens were filled.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filled {
    /// The command.
    pub(super) text: String,
    /// Tokens without a value and a default.
    pub(super) missing: Vec<String>,
    /// Whether a default stands where nothing is known of the client.
    pub(super) by_default: bool,
}

/// Between two of these stands a token of Sensu Core: `:::disk.warning|80:::`.
const CORE: &str = ":::";

/// Fills `:::path|default:::`.
pub(super) fn fill_core(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Filled {
    fill(text, CORE, CORE, |token| {
        let (path, default) = match token.split_once('|') {
            Some((path, default)) => (path, Some(default.to_owned())),
            None => (token, None),
        };
        (value(path.trim()), default)
    })
}

/// Fills `{{ .labels.region | default "eu" }}` and `{{ index .labels "region" }}`.
pub(super) fn fill_go(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Filled {
    fill(text, "{{", "}}", |token| {
        let (path, rest) = token.split_once('|').unwrap_or((token, ""));
        let words: Vec<&str> = path.split_whitespace().collect();
        let path = match words.as_slice() {
            [path] => path.trim_start_matches('.').to_owned(),
            ["index", map, name] => format!(
                "{}.{}",
                map.trim_start_matches('.'),
                name.trim_matches(['"', '`', '\''])
            ),
            _ => return (None, None),
        };
        let default = rest.trim().strip_prefix("default").map(str::trim);
        let default = default.map(|word| word.trim_matches(['"', '`', '\'']).to_owned());
        (value(&path), default)
    })
}

fn fill(
    text: &str,
    open: &str,
    close: &str,
    read: impl Fn(&str) -> (Option<String>, Option<String>),
) -> Filled {
    let mut filled = Filled {
        text: String::new(),
        missing: Vec::new(),
        by_default: false,
    };
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        let Some((token, behind)) = after.split_once(close) else {
            break;
        };
        filled.text.push_str(before);
        match read(token) {
            (Some(value), _) => filled.text.push_str(&value),
            (None, Some(default)) => {
                filled.by_default = true;
                filled.text.push_str(&default);
            }
            (None, None) => filled.missing.push(token.trim().to_owned()),
        }
        rest = behind;
    }
    filled.text.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_take_the_value_then_the_default() {
        let value = |path: &str| (path == "disk.warning").then(|| "90".to_owned());
        let filled = fill_core(
            "c -w :::disk.warning|80::: -c :::disk.critical|95::: :::x:::",
            &value,
        );
        assert_eq!(filled.text, "c -w 90 -c 95 ");
        assert_eq!(
            (filled.missing, filled.by_default),
            (vec!["x".to_owned()], true)
        );
        assert_eq!(fill_core("a ::: b", &value).text, "a ::: b");
    }

    #[test]
    fn templates_of_sensu_go_are_filled_alike() {
        let value = |path: &str| (path == "labels.region").then(|| "eu".to_owned());
        let fill = |text| fill_go(text, &value);
        assert_eq!(fill("a {{ .labels.region }}").text, "a eu");
        assert_eq!(fill("a {{.labels.x | default \"b c\"}}").text, "a b c");
        assert_eq!(fill("a {{ index .labels \"region\" }}").text, "a eu");
        assert_eq!(fill("a {{ if .x }}").missing, ["if .x"]);
    }
}
