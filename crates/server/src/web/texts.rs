//! The words of the pages, in both languages.
//!
//! Every text lives in `locales/{ja,en}/web.ftl`; a test keeps keys and variables of the two the same and
//! looks up every key that templates and code name. The files are part of the program.

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader as _, langid};
use mngntime_model::Language;

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "ja",
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

static JAPANESE: LanguageIdentifier = langid!("ja");
static ENGLISH: LanguageIdentifier = langid!("en");

/// A placeholder that stands in no text, to cut a text around a value with markup.
const CUT: &str = "\u{1}";

/// Looks up texts in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words(pub Language);

/// Something that can be counted in a text.
pub trait Count {
    /// The number; beyond `i64` it is cut off.
    fn count(&self) -> i64;
}

impl Count for u64 {
    fn count(&self) -> i64 {
        i64::try_from(*self).unwrap_or(i64::MAX)
    }
}

impl Count for usize {
    fn count(&self) -> i64 {
        i64::try_from(*self).unwrap_or(i64::MAX)
    }
}

impl<T: Count> Count for &T {
    fn count(&self) -> i64 {
        (*self).count()
    }
}

impl Words {
    /// The text of `key`.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        LOCALES.try_lookup(self.id(), key).unwrap_or_else(|| missing(key))
    }

    /// The text of `key` with the number `$n`.
    #[must_use]
    pub fn n(&self, key: &str, n: impl Count) -> String {
        self.look_up(key, vec![("n", FluentValue::from(n.count()))])
    }

    /// The text of `key` with one text variable.
    #[must_use]
    pub fn v(&self, key: &str, name: &'static str, value: impl AsRef<str>) -> String {
        self.with(key, &[(name, value.as_ref())])
    }

    /// The text of `key` with text variables.
    #[must_use]
    pub fn with(&self, key: &str, values: &[(&'static str, &str)]) -> String {
        let values = values.iter().map(|(name, value)| (*name, FluentValue::from((*value).to_owned())));
        self.look_up(key, values.collect())
    }

    /// The text of `key` with numbers.
    #[must_use]
    pub fn numbers(&self, key: &str, values: &[(&'static str, u64)]) -> String {
        let values = values.iter().map(|(name, value)| (*name, FluentValue::from(value.count())));
        self.look_up(key, values.collect())
    }

    /// The text of `key`, cut in two around `$value`; `$n` chooses its plural form.
    #[must_use]
    pub fn around(&self, key: &str, n: impl Count) -> (String, String) {
        let values = vec![("n", FluentValue::from(n.count())), ("value", FluentValue::from(CUT))];
        let text = self.look_up(key, values);
        match text.split_once(CUT) {
            Some((before, after)) => (before.to_owned(), after.to_owned()),
            None => (text, String::new()),
        }
    }

    fn look_up(&self, key: &str, values: Vec<(&'static str, FluentValue<'static>)>) -> String {
        let values: HashMap<Cow<'static, str>, FluentValue<'static>> =
            values.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect();
        LOCALES.try_lookup_with_args(self.id(), key, &values).unwrap_or_else(|| missing(key))
    }

    fn id(&self) -> &'static LanguageIdentifier {
        match self.0 {
            Language::Japanese => &JAPANESE,
            Language::English => &ENGLISH,
        }
    }
}

/// A key without a text is a mistake of ours; the page still has to appear.
fn missing(key: &str) -> String {
    tracing::error!(key, "a text is missing");
    key.to_owned()
}
