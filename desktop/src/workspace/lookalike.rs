//! Names that look like each other: who takes another's is not told from them by a letter of another script,
//! a character that cannot be seen, or a capital.

/// What a name looks like. Two that look alike are equal here; some that can be told apart are too, which
/// costs a few digits on a page and nothing else.
pub(super) fn looks(name: &str) -> String {
    let seen = name.chars().map(half_width).filter(|c| c.is_alphanumeric());
    seen.flat_map(char::to_lowercase).map(shape).collect()
}

/// Full-width forms of ASCII.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    }
}

/// The Latin letter whose shape a small letter has, as such or as its capital.
const fn shape(c: char) -> char {
    match c {
        'i' | '1' | 'ı' | 'ι' | 'і' | 'ӏ' => 'l',
        '0' | 'ο' | 'о' | 'օ' => 'o',
        'α' | 'а' => 'a',
        'β' | 'в' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'ε' | 'е' => 'e',
        'η' | 'н' | 'һ' => 'h',
        'ј' | 'ϳ' => 'j',
        'κ' | 'к' => 'k',
        'μ' | 'м' => 'm',
        'ρ' | 'р' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'τ' | 'т' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' => 'w',
        'χ' | 'х' => 'x',
        'γ' | 'у' | 'ү' => 'y',
        'ζ' => 'z',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_looks_like_another_is_taken_for_another() {
        for other in [
            "anna bill",
            "Anna  Bill",
            "Аnna Bill",
            "Anna\u{200d} Bill",
            "Anna\u{a0}Bill",
            "Anna BiII",
            "Anna B1ll",
            "Ａnna Bill",
            "Anna-Bill.",
        ] {
            assert_eq!(looks(other), looks("Anna Bill"), "{other:?}");
        }
        for other in ["Anna", "Hanna Bill", "Anna Ball", "Änna Bill"] {
            assert_ne!(looks(other), looks("Anna Bill"), "{other}");
        }
    }

    #[test]
    fn names_of_other_scripts_stay_themselves() {
        assert_ne!(looks("Ольга"), looks("Игорь"));
        assert_ne!(looks("山田"), looks("田中"));
    }
}
