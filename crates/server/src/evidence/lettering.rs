//! Letters of a font: how wide a text is, and its glyphs.
//!
//! krilla shapes each text with a face of its own, which takes milliseconds with a font of this size; a summary
//! has thousands of texts. So the face and the plan are made once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, ShapePlan, UnicodeBuffer, script};

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

    /// A text in lines that have room in `width` ems each; nothing is cut off. A line ends behind a comma where there is
    /// one, or else behind a space, and otherwise where the room ends, as Japanese may.
    pub(super) fn wrapped(&self, text: &str, width: f32) -> Vec<String> {
        let clean: String =
            text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let marks = self.marks(&clean);
        let (mut lines, mut first) = (Vec::new(), 0);
        while first + 1 < marks.len() {
            let has_room = |index: &usize| marks[*index].1 - marks[first].1 <= width;
            let after = first + 1..marks.len();
            let fits = after.clone().take_while(has_room).last().unwrap_or(first + 1);
            let ends_behind = |letter: char| {
                (first + 1..=fits).rfind(|index: &usize| clean[..marks[*index].0].ends_with(letter))
            };
            let is_rest = fits + 1 == marks.len();
            let better = ['、', ' '].into_iter().find_map(ends_behind).filter(|_| !is_rest);
            let last = better.unwrap_or(fits);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_goes_on_in_the_next_line_and_nothing_is_lost() {
        let file = FontFile::read(None).unwrap();
        let letters = file.letters().unwrap();
        assert_eq!(letters.wrapped("打刻", 2.0), ["打刻"]);
        assert_eq!(letters.wrapped("打刻記録", 3.0), ["打刻記", "録"]);
        assert_eq!(letters.wrapped("電源断、連絡なし", 6.0), ["電源断、", "連絡なし"]);
        assert_eq!(letters.wrapped("a\nb", 5.0), ["a b"]);
        assert_eq!(letters.wrapped("", 5.0), [""; 0]);
        assert_eq!(letters.wrapped("打刻", 0.1), ["打", "刻"], "a letter a line, however narrow");
        let long = "09:00～12:00 連絡なし、12:00～13:00 電源断、".repeat(20);
        let lines = letters.wrapped(&long, 20.0);
        assert_eq!(lines.concat(), long);
        assert!(lines.iter().all(|line| letters.marks(line).last().unwrap().1 <= 20.01), "{lines:?}");
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
