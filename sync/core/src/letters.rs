//! Texts of letters and digits that people send each other: how they are read.

use zeroize::Zeroizing;

/// The text as it was made, in capitals: spaces and line breaks anywhere, as mail programs add them, are no
/// matter. Its room is taken at once, so that no piece of a secret stays behind.
pub(crate) fn as_made(text: &str) -> Zeroizing<String> {
    let mut made = Zeroizing::new(String::with_capacity(text.len()));
    let letters = text.chars().filter(|c| !c.is_whitespace());
    made.extend(letters.map(|c| c.to_ascii_uppercase()));
    made
}

/// Where in an encoded text the first character is that no such text holds, from 0.
pub(crate) fn foreign_at(encoded: &str) -> Option<usize> {
    let is_foreign = |c: char| !matches!(c, 'A'..='Z' | '2'..='7');
    encoded.chars().position(is_foreign)
}
