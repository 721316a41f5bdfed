//! Where a value comes from, and what is wrong with it.

use std::fmt;
use std::path::PathBuf;

use mngntime_model::Language;

/// Where the value of a key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// A key of the registry, as `HKLM\…`.
    Registry(String),
    /// A key of the registry that may hold it, but that this account may not read.
    Denied(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Registry(key) => f.write_str(key),
            Self::Denied(key) => write!(f, "{key}, which this account may not read"),
        }
    }
}

impl Origin {
    fn named(&self, language: Language) -> String {
        match (language, self) {
            (Language::Japanese, Self::Registry(_) | Self::Denied(_)) => format!("レジストリ {self}"),
            (Language::Japanese, Self::File(_) | Self::Default) => format!("設定ファイル {self}"),
            (Language::English, Self::Registry(_) | Self::Denied(_)) => format!("The registry key {self}"),
            (Language::English, Self::File(_) | Self::Default) => format!("The configuration file {self}"),
        }
    }
}

/// What is wrong and what would be right, in both languages: it is read in the event log by the people of the
/// office and by whoever supports them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// 日本語
    pub japanese: String,
    /// English
    pub english: String,
}

impl Reason {
    /// The reason in both languages.
    pub(super) fn new(japanese: impl Into<String>, english: impl Into<String>) -> Self {
        Self { japanese: japanese.into(), english: english.into() }
    }

    /// Something that does not have its form, which `error` says in English.
    pub(super) fn malformed(what: &str, error: impl fmt::Display) -> Self {
        Self::new(format!("{what}の形式ではありません。({error})"), error.to_string())
    }

    /// The words of the OS or of a library, which has one language.
    pub(super) fn as_told(words: impl fmt::Display) -> Self {
        Self::new(words.to_string(), words.to_string())
    }

    /// In `language`.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::Japanese => &self.japanese,
            Language::English => &self.english,
        }
    }
}

/// One thing wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The source.
    pub origin: Origin,
    /// The key, or `None` when the source as a whole cannot be used.
    pub key: Option<String>,
    /// The value as written, unless it is a secret.
    pub value: Option<String>,
    /// What is wrong and what would be right.
    pub reason: Reason,
}

impl ConfigProblem {
    /// The line for the event log.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let source = self.origin.named(language);
        let value = self.value.as_deref().map(|value| format!(" = {value}")).unwrap_or_default();
        let reason = self.reason.text(language);
        match (language, &self.key) {
            (Language::Japanese, Some(key)) => {
                format!("{source} の {key}{value} が正しくありません。{reason}")
            }
            (Language::Japanese, None) => format!("{source} を使用できません。{reason}"),
            (Language::English, Some(key)) => format!("{source} is wrong at {key}{value}: {reason}"),
            (Language::English, None) => format!("{source} cannot be used: {reason}"),
        }
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}
