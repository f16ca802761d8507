//! Four words for a key, to compare by voice: from the English list of BIP-39, whose words differ in their
//! first four letters.
//!
//! 44 bits keep apart what is mixed up by mistake. Whoever means harm and has machines can make a key with
//! the same words: where much depends on it people compare the digits.

use std::sync::LazyLock;

use aramaki_sync_core::AuthorId;

const CONTEXT: &str = "aramaki fingerprint v1";
const WORDS: usize = 4;
/// 2,048 words.
const WORD_LEN_BITS: u32 = 11;

static LIST: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../assets/words.txt").lines().collect());

/// The words of a key, the same on every device.
pub(crate) fn words(key: &AuthorId) -> String {
    let hash = blake3::derive_key(CONTEXT, key.as_bytes());
    let mut bits = hash
        .first_chunk::<8>()
        .map_or(0, |first| u64::from_be_bytes(*first));
    let mut words = Vec::with_capacity(WORDS);
    for _word in 0..WORDS {
        bits = bits.rotate_left(WORD_LEN_BITS);
        let number = usize::try_from(bits & ((1 << WORD_LEN_BITS) - 1)).unwrap_or(0);
        words.push(LIST.get(number).copied().unwrap_or("?"));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_four_words_and_another_key_others() {
        assert_eq!(LIST.len(), 1 << WORD_LEN_BITS);
        let starts: std::collections::BTreeSet<&str> =
            LIST.iter().map(|word| &word[..word.len().min(4)]).collect();
        assert_eq!(starts.len(), LIST.len());
        let seen: std::collections::BTreeSet<String> = (0..=255)
            .map(|n| words(&AuthorId::from_bytes([n; 32])))
            .collect();
        assert_eq!(seen.len(), 256);
        for words in seen {
            assert_eq!(words.split(' ').filter(|it| LIST.contains(it)).count(), 4);
        }
    }

    #[test]
    fn words_never_change() {
        let key = AuthorId::from_bytes([7; 32]);
        insta::assert_snapshot!(words(&key), @"ceiling gossip decrease ribbon");
    }
}
