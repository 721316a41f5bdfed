//! The two languages of the product.

/// Language of a text that a person reads. Japanese is the default everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// 日本語
    #[default]
    Japanese,
    /// English
    English,
}

impl Language {
    /// The BCP 47 tag, for `lang` attributes and settings.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Japanese => "ja",
            Self::English => "en",
        }
    }

    /// Reads a tag such as `ja`, `ja-JP`, `en-US`; `None` for any other language.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_', '.']).next() {
            Some("ja") => Some(Self::Japanese),
            Some("en") => Some(Self::English),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_and_encodings_do_not_matter() {
        assert_eq!(Language::from_tag("ja_JP.UTF-8"), Some(Language::Japanese));
        assert_eq!(Language::from_tag("en-US"), Some(Language::English));
        assert_eq!(Language::from_tag("fr"), None);
    }
}
