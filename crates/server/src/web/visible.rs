//! How text from outside gets into a page: as text, all of it visible.
//!
//! Names come from PCs, directories and people. Escaping makes them inert as markup; there remain characters
//! that nobody sees but that change how a line reads: U+202E turns `txt.exe` round, and a name that ends with
//! it turns round what we write behind it. On a page that is used as evidence both would be lies, so each such
//! character is shown by its number. What stays as it is: everything that has a shape, and what a script needs
//! (joiners of emoji, marks of direction that affect only themselves).
//!
//! `askama.toml` names [`Visible`] as the escaper of every `.html` template, so no template can forget it.

use std::fmt;

use askama::filters::{Escaper, Html};

/// Escapes HTML and shows invisible controls by their numbers: `⟨U+202E⟩`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, mut to: W, text: &str) -> fmt::Result {
        let mut begin = 0;
        for (at, found) in text.char_indices().filter(|(_, c)| is_hidden(*c)) {
            Html.write_escaped_str(&mut to, &text[begin..at])?;
            write!(to, "⟨U+{:04X}⟩", u32::from(found))?;
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
    for c in text.chars() {
        if is_hidden(c) || c.is_control() {
            line.push_str(&format!("⟨U+{:04X}⟩", u32::from(c)));
        } else {
            line.push(c);
        }
    }
    line
}

/// Whether a character changes the text around it without being seen: Unicode's embeddings, overrides and
/// isolates (UAX #9), and control characters other than tab and line ends.
fn is_hidden(c: char) -> bool {
    let turns_round = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns_round || (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
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
    fn a_name_writes_no_line_of_its_own_and_gives_no_command_to_a_terminal() {
        assert_eq!(in_one_line("真\n\u{1b}[2J\u{9b}m\u{202e}"), "真⟨U+000A⟩⟨U+001B⟩[2J⟨U+009B⟩m⟨U+202E⟩");
        assert_eq!(in_one_line("株式会社 Ａ・👩‍👩‍👧"), "株式会社 Ａ・👩‍👩‍👧");
    }

    #[test]
    fn everything_with_a_shape_stays() {
        for text in ["", "山田 花子", "👩‍💻", "a\tb\r\nc", "שלום\u{200f}"] {
            assert_eq!(shown(text), text);
        }
    }
}
