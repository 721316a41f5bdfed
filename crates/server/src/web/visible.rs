//! How text from outside gets into a page: as text, all of it visible.
//!
//! Names come from PCs, directories and people. Escaping makes them inert as markup; there remain characters
//! that nobody sees but that change how a line reads: U+202E turns `txt.exe` round, and a name that ends with
//! it turns round what we write behind it; U+200B makes another code of `E01` that looks like it. On a page that is used as
//! evidence these would be lies, so each such character is shown by its number. What stays as it is: everything that has a
//! shape, and what a script needs (joiners of emoji, selectors of a kanji's shape, marks of direction that affect only
//! themselves) where it stands behind a sign of such a script, not behind a plain letter or digit.
//!
//! `askama.toml` names [`Visible`] as the escaper of every `.html` template, so no template can forget it.

use std::fmt;

use askama::filters::{Escaper, Html};

/// Joiners that stand in a row in anything that has a shape: a flag of a region has seven.
const JOINED_MAX: usize = 8;

/// Escapes HTML and shows invisible characters by their numbers: `⟨U+202E⟩`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, mut to: W, text: &str) -> fmt::Result {
        let mut begin = 0;
        for (at, found) in text.char_indices().filter(|(at, c)| is_hidden(text, *at, *c)) {
            Html.write_escaped_str(&mut to, &text[begin..at])?;
            write!(to, "⟨{}⟩", number_of(found))?;
            begin = at + found.len_utf8();
        }
        Html.write_escaped_str(&mut to, &text[begin..])
    }
}

/// A text from outside as one line of a terminal: line ends and tabs are shown by their numbers, too, so that no name
/// can write a line of its own.
#[must_use]
pub fn in_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let ends_a_line = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        if ends_a_line || is_hidden(text, at, c) {
            line.push_str(&format!("⟨{}⟩", number_of(c)));
        } else {
            line.push(c);
        }
    }
    line
}

/// A text of at most so many characters, with a sign of what was left off.
#[must_use]
pub fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A character by its number: `U+202E`.
#[must_use]
pub fn number_of(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// Whether a character has no shape of its own: joiners, marks of direction, fillers, selectors.
#[must_use]
pub fn is_shapeless(c: char) -> bool {
    turns_round(c) || fills(c) || joins(c)
}

/// Whether the character `c` at `at` in `text` changes the text around it without being seen.
fn is_hidden(text: &str, at: usize, c: char) -> bool {
    if c.is_ascii() {
        return c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    }
    turns_round(c) || fills(c) || c.is_control() || (joins(c) && is_out_of_place(text, at, c))
}

/// Unicode's embeddings, overrides and isolates (UAX #9).
fn turns_round(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that are nothing but room or no room: no script needs one to be written.
fn fills(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
}

/// Characters that belong to those before them: joiners, selectors, tags, marks of direction.
fn joins(c: char) -> bool {
    matches!(c, '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180d}' | '\u{180f}'
        | '\u{200c}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether there is nothing before it that it could belong to. A digit on a key (`1️⃣`) is the one plain sign that has one.
fn is_out_of_place(text: &str, at: usize, c: char) -> bool {
    let on_a_key = c == '\u{fe0f}' && text[at + c.len_utf8()..].starts_with('\u{20e3}');
    let before = text[..at].chars().rev().take(JOINED_MAX).find(|before| !joins(*before));
    !on_a_key && before.is_none_or(|before| before.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut to = String::new();
        Visible.write_escaped_str(&mut to, text).unwrap();
        to
    }

    #[test]
    fn markup_is_inert() {
        assert_eq!(shown("<b a=\"1\" c='2'>&"), "&#60;b a=&#34;1&#34; c=&#39;2&#39;&#62;&#38;");
    }

    #[test]
    fn what_turns_a_line_round_is_shown_by_its_number() {
        assert_eq!(shown("a\u{202e}<\u{2066}"), "a⟨U+202E⟩&#60;⟨U+2066⟩");
        assert_eq!(shown("\0\u{1b}[31m\u{85}"), "⟨U+0000⟩⟨U+001B⟩[31m⟨U+0085⟩");
    }

    #[test]
    fn what_makes_two_of_one_code_is_shown_by_its_number() {
        assert_eq!(shown("E01\u{200b}"), "E01⟨U+200B⟩");
        assert_eq!(shown("E\u{200d}01\u{200f}\u{200f}"), "E⟨U+200D⟩01⟨U+200F⟩⟨U+200F⟩");
        assert_eq!(shown("\u{feff}E01\u{fe0f}\u{3164}"), "⟨U+FEFF⟩E01⟨U+FE0F⟩⟨U+3164⟩");
        assert_eq!(shown("\u{200d}山\u{ad}田"), "⟨U+200D⟩山⟨U+00AD⟩田");
    }

    #[test]
    fn a_name_writes_no_line_of_its_own_and_gives_no_command_to_a_terminal() {
        assert_eq!(in_one_line("真\n\u{1b}[2J\u{9b}m\u{202e}"), "真⟨U+000A⟩⟨U+001B⟩[2J⟨U+009B⟩m⟨U+202E⟩");
        assert_eq!(in_one_line("a\u{2028}b\u{200f}c"), "a⟨U+2028⟩b⟨U+200F⟩c");
        assert_eq!(in_one_line("株式会社 Ａ・👩‍👩‍👧"), "株式会社 Ａ・👩‍👩‍👧");
    }

    #[test]
    fn everything_with_a_shape_stays() {
        for text in [
            "",
            "山田 花子",
            "👩‍💻",
            "a\tb\r\nc",
            "שלום\u{200f}",
            "葛\u{e0100}城",
            "1\u{fe0f}\u{20e3}",
            "❤\u{fe0f}",
        ] {
            assert_eq!(shown(text), text);
        }
    }
}
