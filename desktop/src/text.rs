//! Every word that the window shows, in English and German, through fluent.

use std::fmt;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

const EN: &str = include_str!("../locales/en/aramaki.ftl");
const DE: &str = include_str!("../locales/de/aramaki.ftl");

/// Which language the window speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// The operating system's.
    #[default]
    System,
    /// English.
    English,
    /// German.
    German,
}

impl Language {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::System, Self::English, Self::German];

    /// A word for it that [`Language::of_tag`] reads back; the system's language has none.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::System => "",
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language of a tag; any other is the system's.
    pub fn of_tag(tag: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|language| language.tag() == tag)
            .unwrap_or_default()
    }

    /// Its words.
    pub fn texts(self) -> Texts {
        match self {
            Self::System => Texts::of(&sys_locale::get_locale().unwrap_or_default()),
            Self::English | Self::German => Texts::of(self.tag()),
        }
    }
}

/// The words of one language; English stands in for a missing one.
pub struct Texts {
    bundle: FluentBundle<FluentResource>,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts")
            .field("locales", &self.bundle.locales)
            .finish()
    }
}

impl Texts {
    /// The words of a language tag such as `de-CH`.
    pub fn of(tag: &str) -> Self {
        let german = tag.to_ascii_lowercase().starts_with("de");
        let (locale, sources): (_, &[&str]) = if german {
            ("de", &[EN, DE])
        } else {
            ("en", &[EN])
        };
        Self::build(locale.parse().unwrap_or_default(), sources)
    }

    fn build(locale: LanguageIdentifier, sources: &[&str]) -> Self {
        let mut bundle = FluentBundle::new(vec![locale]);
        bundle.set_use_isolating(false);
        for source in sources {
            // A broken line costs its own word only; a test finds it.
            let resource = FluentResource::try_new((*source).to_owned())
                .unwrap_or_else(|(partial, _errors)| partial);
            bundle.add_resource_overriding(resource);
        }
        Self { bundle }
    }

    /// A word; the key itself if there is none.
    pub fn get(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// A word with a number in it.
    pub fn count(&self, key: &str, n: u64) -> String {
        let n = u32::try_from(n).unwrap_or(u32::MAX);
        self.format(key, [("n", FluentValue::from(n))])
    }

    /// A word with words in it.
    pub fn with(&self, key: &str, arguments: &[(&'static str, &str)]) -> String {
        self.format(
            key,
            arguments
                .iter()
                .map(|(name, value)| (*name, FluentValue::from((*value).to_owned()))),
        )
    }

    fn format(
        &self,
        key: &str,
        arguments: impl IntoIterator<Item = (&'static str, FluentValue<'static>)>,
    ) -> String {
        let arguments: FluentArgs<'static> = arguments.into_iter().collect();
        let Some(pattern) = self
            .bundle
            .get_message(key)
            .and_then(|message| message.value())
        else {
            return key.to_owned();
        };
        let mut errors = Vec::new();
        self.bundle
            .format_pattern(pattern, Some(&arguments), &mut errors)
            .into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn keys(source: &str) -> BTreeSet<&str> {
        source
            .lines()
            .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
            .filter_map(|line| line.split_once(" =").map(|(key, _)| key))
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_no_broken_line() {
        assert_eq!(keys(EN), keys(DE));
        for source in [EN, DE] {
            assert!(FluentResource::try_new(source.to_owned()).is_ok());
        }
    }

    /// Everything in the sources of pages and widgets that looks like a key: quoted lower-case
    /// words with a hyphen.
    fn named() -> BTreeSet<String> {
        let mut named = BTreeSet::new();
        let mut waiting = vec![std::path::PathBuf::from("src/panel"), "src/widget".into()];
        while let Some(path) = waiting.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(path).unwrap();
                waiting.extend(entries.map(|entry| entry.unwrap().path()));
                continue;
            }
            let code = std::fs::read_to_string(&path).unwrap();
            named.extend(
                code.split('"')
                    .filter(|word| is_key(word))
                    .map(str::to_owned),
            );
        }
        for file in ["src/panel.rs", "src/widget.rs", "src/app.rs"] {
            let code = std::fs::read_to_string(file).unwrap();
            named.extend(
                code.split('"')
                    .filter(|word| is_key(word))
                    .map(str::to_owned),
            );
        }
        named
    }

    fn is_key(word: &str) -> bool {
        let of_key = |c: char| c.is_ascii_lowercase() || c == '-';
        let starts = word.starts_with(|c: char| c.is_ascii_lowercase());
        word == "opening" || (starts && word.contains('-') && word.chars().all(of_key))
    }

    #[test]
    fn every_key_is_used_and_every_used_key_exists() {
        let (known, named) = (keys(EN), named());
        let unused: Vec<_> = known.iter().filter(|key| !named.contains(**key)).collect();
        assert!(
            unused.is_empty(),
            "in the locales and nowhere else: {unused:?}"
        );
        let unknown: Vec<_> = named
            .iter()
            .filter(|key| !known.contains(key.as_str()))
            .collect();
        assert!(unknown.is_empty(), "named and in no locale: {unknown:?}");
    }

    #[test]
    fn a_language_is_read_back_from_its_tag() {
        for language in Language::ALL {
            assert_eq!(Language::of_tag(language.tag()), language);
        }
        assert_eq!(Language::of_tag("tlh"), Language::System);
    }

    #[test]
    fn plurals_follow_the_language() {
        assert_eq!(Texts::of("en").count("overview-parts", 1), "1 part");
        assert_eq!(Texts::of("de-CH").count("overview-parts", 3), "3 Teile");
    }
}
