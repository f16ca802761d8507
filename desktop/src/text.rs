//! Every word that the window shows, in English and German, through fluent.

use std::fmt;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

const EN: &str = include_str!("../locales/en/aramaki.ftl");
const DE: &str = include_str!("../locales/de/aramaki.ftl");

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
    /// The words of the operating system's language.
    pub fn of_system() -> Self {
        Self::of(&sys_locale::get_locale().unwrap_or_default())
    }

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

    #[test]
    fn every_key_that_the_code_names_exists() {
        let known = keys(EN);
        let mut folders = vec![std::path::PathBuf::from("src/panel"), "src/widget".into()];
        let mut named = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let code = std::fs::read_to_string(&path).unwrap();
                for call in [".get(\"", ".count(\"", ".with(\""] {
                    for rest in code.split(call).skip(1) {
                        let key = rest.split('"').next().unwrap();
                        assert!(known.contains(key), "{key} in {}", path.display());
                        named += 1;
                    }
                }
            }
        }
        assert!(named > 40, "the scan finds the calls: {named}");
    }

    #[test]
    fn plurals_follow_the_language() {
        assert_eq!(Texts::of("en").count("overview-parts", 1), "1 part");
        assert_eq!(Texts::of("de-CH").count("overview-parts", 3), "3 Teile");
    }
}
