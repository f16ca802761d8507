//! Text from outside, made short and harmless.

/// Whether a character moves the cursor, colours a terminal, or makes text read otherwise than it is
/// written: controls, and what reverses or hides letters (Unicode TR36; a file named
/// `exe.txt` that ends in another suffix). Joiners that scripts and emoji need are harmless.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Removes deceptive characters except line feed and tab, and cuts at a character's edge so that
/// at most `limit_bytes` remain. A cut is marked with an ellipsis.
pub(crate) fn clean(text: &str, limit_bytes: usize) -> String {
    const ELLIPSIS: &str = "…";
    let harmless = |c: &char| !is_deceptive(*c) || *c == '\n' || *c == '\t';
    let mut out = String::with_capacity(text.len().min(limit_bytes));
    // Where the ellipsis would have to begin if the rest does not fit.
    let mut cut = 0;
    for c in text.chars().filter(harmless) {
        if out.len() + c.len_utf8() > limit_bytes {
            out.truncate(cut);
            if cut + ELLIPSIS.len() <= limit_bytes {
                out.push_str(ELLIPSIS);
            }
            return out;
        }
        out.push(c);
        if out.len() + ELLIPSIS.len() <= limit_bytes {
            cut = out.len();
        }
    }
    out
}

/// Like [`clean`], on one line: line feeds and tabs become spaces.
pub(crate) fn clean_line(text: &str, limit_bytes: usize) -> String {
    let line = |c: char| {
        if c == '\n' || c == '\t' || c == '\r' {
            ' '
        } else {
            c
        }
    };
    // Deceptive characters first: a space before one would stand at the end when it is gone.
    let seen = text.chars().map(line).filter(|c| !is_deceptive(*c));
    clean(seen.collect::<String>().trim(), limit_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_go_and_length_holds_at_any_limit() {
        assert_eq!(clean("a\u{1b}[31mb\n\tc\0", 100), "a[31mb\n\tc");
        assert_eq!(clean_line(" a\nb\tc ", 100), "a b c");
        assert_eq!(clean_line("\u{1} a\n\u{1}", 100), "a");
        assert_eq!(clean("a\u{202e}b\u{200b}c\u{feff}", 100), "abc");
        assert_eq!(clean("abcdefgh", 6), "abc…");
        assert_eq!(clean("abcdef", 6), "abcdef");
        for limit in 0..20 {
            assert!(clean("wörld 👩‍🚀 and more", limit).len() <= limit);
        }
    }
}
