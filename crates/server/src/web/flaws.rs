//! What is wrong with a code, a name or another text: one answer for forms and files.
//!
//! Whoever came by a file has to be somebody whom a form can save again, so both ask here. A code is what tells people
//! apart; signs that nobody sees would make two of one that look alike, so a code has none. A name may hold some (joiners
//! of emoji, selectors of a kanji's shape), if there is anything to be seen of it at all.

use mngntime_store::{Sid, Upn};

use super::chrome::Chrome;
use super::visible::{is_shapeless, number_of};

/// Longest code, name and so on, in characters.
pub const TEXT_MAX: usize = 100;

/// Signs that are named in a message.
const SIGNS_NAMED_MAX: usize = 5;

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing can be seen of it.
    Missing,
    /// It has more characters than this.
    TooLong(usize),
    /// It has these signs, by their numbers, that nobody sees or that steer something.
    Unseen(String),
    /// It is this, which is a way up in an address.
    WayUp(String),
    /// It is no name in a domain.
    NoUpn,
    /// It is no SID.
    NoSid,
}

impl Flaw {
    /// In words for a field; `missing` is the key of those for one that is empty.
    #[must_use]
    pub fn in_words(&self, missing: &str, c: &Chrome) -> String {
        match self {
            Self::Missing => c.t(missing),
            Self::TooLong(most) => c.n("text-too-long", *most),
            Self::Unseen(signs) => c.v("text-unseen", "signs", signs),
            Self::WayUp(text) => c.v("employee-code-wrong", "text", text),
            Self::NoUpn => c.t("upn-wrong"),
            Self::NoSid => c.t("sid-wrong"),
        }
    }
}

/// Of a code, in words for its field; empty when nothing is. `missing` is the key of those for one that is empty.
#[must_use]
pub fn code_error(code: &str, missing: &str, c: &Chrome) -> String {
    of_code(code).map(|flaw| flaw.in_words(missing, c)).unwrap_or_default()
}

/// The same of a name.
#[must_use]
pub fn name_error(name: &str, missing: &str, c: &Chrome) -> String {
    of_name(name).map(|flaw| flaw.in_words(missing, c)).unwrap_or_default()
}

/// The same of a text of at most `most` characters that may be empty.
#[must_use]
pub fn text_error(text: &str, most: usize, c: &Chrome) -> String {
    of_text(text, most).map(|flaw| flaw.in_words("", c)).unwrap_or_default()
}

/// Of a code. It is a part of addresses, in which `.` and `..` are ways up.
#[must_use]
pub fn of_code(code: &str) -> Option<Flaw> {
    let unseen = |c: char| is_shapeless(c) || c.is_control() || (c.is_whitespace() && c != ' ');
    match code {
        "." | ".." => Some(Flaw::WayUp(code.to_owned())),
        _ if code.trim().is_empty() => Some(Flaw::Missing),
        _ => signs(code, unseen).or_else(|| of_text(code, TEXT_MAX)),
    }
}

/// Of a name.
#[must_use]
pub fn of_name(name: &str) -> Option<Flaw> {
    if is_invisible(name) { Some(Flaw::Missing) } else { of_text(name, TEXT_MAX) }
}

/// Of a text of at most `most` characters that may be empty.
#[must_use]
pub fn of_text(text: &str, most: usize) -> Option<Flaw> {
    let long = text.chars().count() > most;
    signs(text, char::is_control).or_else(|| long.then_some(Flaw::TooLong(most)))
}

/// The UPN that a text says; none when it is empty.
///
/// # Errors
/// [`Flaw::NoUpn`] when it is something else.
pub fn upn(text: &str) -> Result<Option<Upn>, Flaw> {
    let empty = text.trim().is_empty();
    if empty { Ok(None) } else { Upn::parse(text).map(Some).ok_or(Flaw::NoUpn) }
}

/// The SID that a text says; none when it is empty.
///
/// # Errors
/// [`Flaw::NoSid`] when it is something else.
pub fn sid(text: &str) -> Result<Option<Sid>, Flaw> {
    let empty = text.trim().is_empty();
    if empty { Ok(None) } else { Sid::parse(text).map(Some).ok_or(Flaw::NoSid) }
}

fn signs(text: &str, unseen: impl Fn(char) -> bool) -> Option<Flaw> {
    let mut all: Vec<char> = text.chars().filter(|c| unseen(*c)).collect();
    all.sort_unstable();
    all.dedup();
    let all: Vec<_> = all.into_iter().take(SIGNS_NAMED_MAX).map(number_of).collect();
    (!all.is_empty()).then(|| Flaw::Unseen(all.join(", ")))
}

/// Whether nobody sees anything of `text`.
fn is_invisible(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_shapeless(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_nothing_that_nobody_sees_and_a_name_is_seen() {
        let unseen = |signs: &str| Some(Flaw::Unseen(signs.to_owned()));
        for (code, name, text) in [
            (None, None, "E 01"),
            (unseen("U+200B"), None, "E01\u{200b}"),
            (unseen("U+00A0, U+200D"), None, "E\u{a0}01\u{200d}\u{200d}"),
            (unseen("U+200B, U+3164"), Some(Flaw::Missing), "\u{3164}\u{200b}"),
            (unseen("U+000A"), unseen("U+000A"), "a\nb"),
            (Some(Flaw::Missing), Some(Flaw::Missing), "  "),
            (Some(Flaw::WayUp("..".into())), None, ".."),
            (unseen("U+200D"), None, "👩\u{200d}💻"),
            (unseen("U+E0100"), None, "葛\u{e0100}城"),
        ] {
            assert_eq!((of_code(text), of_name(text)), (code, name), "{text:?}");
        }
        let long = "あ".repeat(TEXT_MAX + 1);
        let too_long = Some(Flaw::TooLong(TEXT_MAX));
        assert_eq!((of_code(&long), of_name(&long), of_text(&long, 200)), (too_long.clone(), too_long, None));
    }
}
