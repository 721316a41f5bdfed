//! Letters of a font: how wide a text is, and its glyphs.
//!
//! krilla shapes each text with a face of its own, which takes milliseconds with a font of this size; a summary
//! has thousands of texts. So the face and the plan are made once.
//!
//! A letter that the font does not have becomes 〓, as printers have always done, and is never left out or shown as
//! something else: names are written with letters that hardly any font has (外字).

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, ShapePlan, UnicodeBuffer, script};
use unicode_linebreak::linebreaks;

/// Stands for a letter that the font does not have.
pub(super) const GETA: char = '〓';

/// What chooses among forms of the letter before it: a font without that form shows the letter as it is.
const VARIATIONS: [std::ops::RangeInclusive<char>; 2] = ['\u{fe00}'..='\u{fe0f}', '\u{e0100}'..='\u{e01ef}'];

/// Where Debian, Red Hat and others keep fonts with Japanese letters; the first one that is there is used.
const FONTS: [&str; 6] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
    "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
    "/usr/share/fonts/truetype/fonts-japanese-gothic.ttf",
    "/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf",
];

/// Why there are no letters.
#[derive(Debug, thiserror::Error)]
pub enum FontError {
    /// There is no font.
    #[error(
        "no font with Japanese letters was found for summary.pdf: install one (Debian: apt install fonts-noto-cjk), \
         or name a .ttf, .otf or .ttc file with --font"
    )]
    NoFont,
    /// The file cannot be read.
    #[error("the font {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no font that can be embedded, or has no Japanese letters.
    #[error("{} is no font with Japanese letters that can be embedded", .0.display())]
    Unusable(PathBuf),
}

/// A font that was read.
#[derive(Clone)]
pub struct FontFile {
    bytes: Arc<Vec<u8>>,
    font: Font,
}

impl std::fmt::Debug for FontFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FontFile").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl FontFile {
    /// Reads the font at `named` (the first one of a collection), or the first known one of the host.
    ///
    /// # Errors
    /// [`FontError`].
    pub fn read(named: Option<&Path>) -> Result<Self, FontError> {
        let known = || FONTS.into_iter().map(Path::new).find(|path| path.is_file());
        let path = named.or_else(known).ok_or(FontError::NoFont)?;
        let bytes =
            std::fs::read(path).map_err(|source| FontError::Unreadable { path: path.to_owned(), source })?;
        let unusable = || FontError::Unusable(path.to_owned());
        let font = Font::new(bytes.clone().into(), 0).ok_or_else(unusable)?;
        let japanese = Face::from_slice(&bytes, 0).is_some_and(|face| face.glyph_index('録').is_some());
        japanese.then(|| Self { bytes: Arc::new(bytes), font }).ok_or_else(unusable)
    }

    /// Its letters.
    ///
    /// # Errors
    /// Never in practice: [`Self::read`] has tried.
    pub(super) fn letters(&self) -> Option<Letters<'_>> {
        let face = Face::from_slice(&self.bytes, 0)?;
        let plan = ShapePlan::new(&face, Direction::LeftToRight, Some(script::HAN), None, &[]);
        Some(Letters {
            units_per_em: f32::from(u16::try_from(face.units_per_em()).ok()?),
            face,
            plan,
            file: self,
        })
    }
}

/// A face that is ready.
pub(super) struct Letters<'a> {
    file: &'a FontFile,
    face: Face<'a>,
    plan: ShapePlan,
    units_per_em: f32,
}

impl Letters<'_> {
    pub(super) fn font(&self) -> Font {
        self.file.font.clone()
    }

    /// The glyphs of a text, in ems.
    pub(super) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.set_direction(Direction::LeftToRight);
        buffer.set_script(script::HAN);
        let shaped = rustybuzz::shape_with_plan(&self.face, &self.plan, buffer);
        let infos = shaped.glyph_infos();
        let em = |units: i32| units as f32 / self.units_per_em;
        let glyph = |(index, position): (usize, &rustybuzz::GlyphPosition)| {
            let start = infos[index].cluster as usize;
            let next =
                infos[index..].iter().map(|info| info.cluster as usize).find(|cluster| *cluster != start);
            KrillaGlyph::new(
                GlyphId::new(infos[index].glyph_id),
                em(position.x_advance),
                em(position.x_offset),
                em(position.y_offset),
                em(position.y_advance),
                start..next.unwrap_or(text.len()),
                None,
            )
        };
        shaped.glyph_positions().iter().enumerate().map(glyph).collect()
    }

    /// A text as it can be shown: control characters are spaces, and what the font does not have is [`GETA`].
    pub(super) fn shown(&self, text: &str) -> String {
        let shown = |letter: char| match letter {
            _ if letter.is_control() => ' ',
            _ if VARIATIONS.iter().any(|range| range.contains(&letter)) => letter,
            _ if self.face.glyph_index(letter).is_none() => GETA,
            _ => letter,
        };
        text.chars().map(shown).collect()
    }

    /// How wide a text is, in ems.
    pub(super) fn width(&self, text: &str) -> f32 {
        self.glyphs(text).iter().map(|glyph| glyph.x_advance).sum()
    }

    /// As much of a text as has room in `width` ems, in one line; it says when that is not all.
    pub(super) fn fitting(&self, text: &str, width: f32) -> String {
        let clean = self.shown(text);
        let marks = self.marks(&clean);
        let has_room = |room: f32| marks.iter().rfind(|(_, x)| *x <= room).map_or(0, |(at, _)| *at);
        if has_room(width) == clean.len() { clean } else { format!("{}…", &clean[..has_room(width - 1.0)]) }
    }

    /// A text in lines that have room in `width` ems each; nothing is cut off. A line ends where Unicode's rules
    /// (UAX 14) let it, so that no word is torn and no comma begins a line, but the name of an account at its own
    /// borders: behind the domain, before the host. A word that is wider than a line ends behind a dot or a dash, or
    /// where the room ends.
    pub(super) fn wrapped(&self, text: &str, width: f32) -> Vec<String> {
        let clean = self.shown(text);
        let marks = self.marks(&clean);
        let allowed: BTreeSet<usize> = linebreaks(&clean).map(|(at, _)| at).collect();
        let (mut lines, mut first) = (Vec::new(), 0);
        while first + 1 < marks.len() {
            let has_room = |index: &usize| marks[*index].1 - marks[first].1 <= width;
            let fits = (first + 1..marks.len()).take_while(has_room).last().unwrap_or(first + 1);
            let is_rest = fits + 1 == marks.len();
            let last = if is_rest { fits } else { end_of_line(&clean, &marks, first + 1..=fits, &allowed) };
            lines.push(clean[marks[first].0..marks[last].0].to_owned());
            first = last;
        }
        lines
    }

    /// Where each letter begins, in bytes and in ems, and where the text ends.
    fn marks(&self, text: &str) -> Vec<(usize, f32)> {
        let (mut marks, mut x) = (Vec::new(), 0.0);
        for glyph in self.glyphs(text) {
            let begins = glyph.text_range.start;
            if marks.last().is_none_or(|(last, _)| *last < begins) {
                marks.push((begins, x));
            }
            x += glyph.x_advance;
        }
        marks.push((text.len(), x));
        marks
    }
}

/// Where a line ends that has room up to the last one of `places`.
fn end_of_line(
    text: &str,
    marks: &[(usize, f32)],
    places: RangeInclusive<usize>,
    allowed: &BTreeSet<usize>,
) -> usize {
    let behind = |index: usize, letters: &[char]| text[..marks[index].0].ends_with(letters);
    let of_an_account = |index: &usize| behind(*index, &['\\']) || text[marks[*index].0..].starts_with('@');
    let by_rule = |index: &usize| allowed.contains(&marks[*index].0);
    let of_a_word = |index: &usize| behind(*index, &['.', '-', '_', '/']);
    let end = *places.end();
    let found = places.clone().rfind(of_an_account).or_else(|| places.clone().rfind(by_rule));
    found.or_else(|| places.clone().rfind(of_a_word)).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_goes_on_in_the_next_line_and_nothing_is_lost() {
        let file = FontFile::read(None).unwrap();
        let letters = file.letters().unwrap();
        assert_eq!(letters.wrapped("打刻", 2.0), ["打刻"]);
        assert_eq!(letters.wrapped("打刻記録", 3.0), ["打刻記", "録"]);
        assert_eq!(letters.wrapped("電源断、連絡なし", 6.0), ["電源断、連絡", "なし"]);
        assert_eq!(letters.wrapped("a\nb", 5.0), ["a b"]);
        assert_eq!(letters.wrapped("", 5.0), [""; 0]);
        assert_eq!(letters.wrapped("打刻", 0.1), ["打", "刻"], "a letter a line, however narrow");
        assert_eq!(letters.wrapped("記録、打刻", 2.5), ["記", "録、", "打刻"], "no comma begins a line");
        let long = "09:00～12:00 連絡なし、12:00～13:00 電源断、".repeat(20);
        let lines = letters.wrapped(&long, 20.0);
        assert_eq!(lines.concat(), long);
        assert!(lines.iter().all(|line| letters.marks(line).last().unwrap().1 <= 20.01), "{lines:?}");
    }

    #[test]
    fn an_account_is_torn_at_its_own_borders_and_a_word_only_where_it_must() {
        let file = FontFile::read(None).unwrap();
        let letters = file.letters().unwrap();
        let account = "EXAMPLE-TRADING\\yamada-taro@PC-0231";
        assert_eq!(letters.wrapped(account, 10.0), ["EXAMPLE-TRADING\\", "yamada-taro", "@PC-0231"]);
        assert_eq!(letters.wrapped(account, 40.0), [account]);
        let lines = letters.wrapped("mngntime verify FILE", 8.0);
        assert!(
            lines.len() == 2 && lines.concat() == "mngntime verify FILE" && lines[0].ends_with(' '),
            "{lines:?}"
        );
        let key = "S-1-5-21-1004336348-1177238915-682003330-1001";
        let lines = letters.wrapped(key, 12.0);
        assert!(lines.len() > 1 && lines.concat() == key, "{lines:?}");
        assert!(lines.iter().rev().skip(1).all(|line| line.ends_with('-')), "{lines:?}");
    }

    #[test]
    fn what_the_font_does_not_have_is_seen_to_be_missing() {
        let file = FontFile::read(None).unwrap();
        let letters = file.letters().unwrap();
        assert_eq!(letters.shown("渡\u{e000}辺\t\u{10ffff}"), "渡〓辺 〓");
        let variant = "葛\u{e0100}城";
        assert_eq!(letters.shown(variant), variant, "a form of a letter stays with its letter");
        assert!(letters.glyphs(variant).iter().all(|glyph| glyph.glyph_id.to_u32() != 0));
        assert_eq!(letters.fitting("髙橋 﨑太郎", 3.0), "髙橋…");
        assert_eq!(letters.fitting("髙橋", 3.0), "髙橋");
    }

    #[test]
    fn every_glyph_has_its_part_of_the_text() {
        let file = FontFile::read(None).unwrap();
        let text = "社員: E1 花子";
        let glyphs = file.letters().unwrap().glyphs(text);
        let parts: String = glyphs.iter().map(|glyph| &text[glyph.text_range.clone()]).collect();
        assert_eq!(parts, text);
    }

    #[test]
    fn what_is_no_font_with_japanese_letters_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.ttf");
        assert!(matches!(FontFile::read(Some(&path)), Err(FontError::Unreadable { .. })));
        std::fs::write(&path, "no font").unwrap();
        assert!(matches!(FontFile::read(Some(&path)), Err(FontError::Unusable(_))));
    }
}
