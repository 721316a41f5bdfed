//! What can be a login: one rule for forms, files, links for many and the command line.
//!
//! A login tells people apart in lists, in files and for ever in the audit log, so two of them must not look alike and
//! none may look like something else. It has no sign that nobody sees (as a code has none), something to read, no first
//! sign that makes a formula of it in a spreadsheet, and no Cyrillic or Greek letters among Latin ones, which look the
//! same. The words with which the audit log calls the server itself, in any language, are nobody's. That no other login
//! reads alike (`betaadmin`, `BetaAdmin`, `ｂｅｔａadmin`) is the store's business.
//!
//! It counts for new logins. Those that are there go on as they are.

use std::sync::LazyLock;

use mngntime_model::Language;
use mngntime_store::typed::{folded, narrow};

use crate::web::audit::words::OURS;
use crate::web::flaws;
use crate::web::sheet::looks_like_a_formula;
use crate::web::texts::Words;

/// Longest login, in characters.
pub const CHARS_MAX: usize = 64;

/// Why a text can be no login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It is empty or too long, or has a space or a ':', which ends it in HTTP Basic.
    Shape,
    /// It has these signs, by their numbers, that nobody sees.
    Unseen(String),
    /// It has no letter and no digit, or begins as a formula does.
    Sign,
    /// It mixes Latin letters with others that look the same.
    Mixed,
    /// It is a word for the server itself.
    Reserved,
}

impl Flaw {
    /// In words; `login` is what was typed.
    #[must_use]
    pub fn in_words(&self, login: &str, words: Words) -> String {
        match self {
            Self::Shape => words.n("person-login-wrong", CHARS_MAX),
            Self::Unseen(signs) => words.v("text-unseen", "signs", signs),
            Self::Sign => words.t("person-login-sign"),
            Self::Mixed => words.t("person-login-mixed"),
            Self::Reserved => words.v("person-login-reserved", "text", login),
        }
    }
}

/// A login as somebody means it who types it: what an input method left full-width is narrow.
#[must_use]
pub fn meant(text: &str) -> String {
    narrow(text).trim().to_owned()
}

/// Why `login` can be none.
#[must_use]
pub fn flaw(login: &str) -> Option<Flaw> {
    if let Some(flaws::Flaw::Unseen(signs)) = flaws::of_code(login) {
        return Some(Flaw::Unseen(signs));
    }
    let bad = |c: char| c.is_control() || c.is_whitespace() || c == ':';
    if !(1..=CHARS_MAX).contains(&login.chars().count()) || login.chars().any(bad) {
        return Some(Flaw::Shape);
    }
    if !login.chars().any(char::is_alphanumeric) || looks_like_a_formula(login) {
        return Some(Flaw::Sign);
    }
    if is_mixed(login) {
        return Some(Flaw::Mixed);
    }
    is_reserved(login).then_some(Flaw::Reserved)
}

/// The same in words; empty when it can be one.
#[must_use]
pub fn error(login: &str, words: Words) -> String {
    flaw(login).map(|flaw| flaw.in_words(login, words)).unwrap_or_default()
}

/// Whether `login` reads as a word for the server itself, in any language.
#[must_use]
pub fn is_reserved(login: &str) -> bool {
    RESERVED.contains(&bare(login))
}

/// What nobody can be called.
static RESERVED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let shown = |key| [Language::Japanese, Language::English].map(|language| bare(&Words(language).t(key)));
    OURS.iter().flat_map(|(kept, key, _)| shown(key).into_iter().chain([bare(kept)])).collect()
});

fn bare(text: &str) -> String {
    folded(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Letters of two alphabets of which some have the same shapes.
fn is_mixed(login: &str) -> bool {
    let plain = folded(login);
    let latin = plain.chars().any(|c| c.is_ascii_alphabetic());
    latin && plain.chars().any(|c| matches!(c, '\u{370}'..='\u{52f}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_seen_and_is_nobody_elses_look_alike() {
        for fine in ["hanako", "E-012", "k.sato@example.jp", "花子", "山田ー1", "server-01", "иван", "A_1"]
        {
            assert_eq!(flaw(fine), None, "{fine}");
        }
        let unseen = |signs: &str| Some(Flaw::Unseen(signs.to_owned()));
        for (text, expected) in [
            ("betaadmin\u{200b}", unseen("U+200B")),
            ("\u{202e}admin", unseen("U+202E")),
            ("\u{3164}", unseen("U+3164")),
            ("a\u{a0}b", unseen("U+00A0")),
            ("", Some(Flaw::Shape)),
            ("a b", Some(Flaw::Shape)),
            ("a:b", Some(Flaw::Shape)),
            (".", Some(Flaw::Sign)),
            ("/", Some(Flaw::Sign)),
            ("..", Some(Flaw::Sign)),
            ("=cmd|x", Some(Flaw::Sign)),
            ("＝cmd", Some(Flaw::Sign)),
            ("\u{430}dmin", Some(Flaw::Mixed)),
            ("adm\u{3b9}n", Some(Flaw::Mixed)),
            ("サーバー", Some(Flaw::Reserved)),
            ("ｻｰﾊﾞｰ", Some(Flaw::Reserved)),
            ("Server", Some(Flaw::Reserved)),
            ("ＳＥＲＶＥＲ", Some(Flaw::Reserved)),
            ("command-line", Some(Flaw::Reserved)),
            ("サーバーのコマンド", Some(Flaw::Reserved)),
            ("Command_on_the_server", Some(Flaw::Reserved)),
        ] {
            assert_eq!(flaw(text), expected, "{text:?}");
        }
        assert_eq!((flaw(&"x".repeat(64)), flaw(&"x".repeat(65))), (None, Some(Flaw::Shape)));
    }

    #[test]
    fn a_login_is_meant_narrow() {
        assert_eq!(meant(" ｂｅｔａ‐０１ "), "beta-01");
    }
}
