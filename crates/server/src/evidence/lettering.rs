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

    /// The width of a text in ems.
    pub(super) fn width(&self, text: &str) -> f32 {
        self.glyphs(text).iter().map(|glyph| glyph.x_advance).sum()
    }

    /// As much of a text as has room in `width` ems; what was cut off is shown by dots.
    pub(super) fn fitted(&self, text: &str, width: f32) -> String {
        let clean: String =
            text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        if self.width(&clean) <= width {
            return clean;
        }
        let (mut fitted, dots) = (clean, self.width("…"));
        while !fitted.is_empty() && self.width(&fitted) + dots > width {
            fitted.pop();
        }
        fitted.push('…');
        fitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_ends_in_dots() {
        let file = FontFile::read(None).unwrap();
        let letters = file.letters().unwrap();
        assert_eq!(letters.fitted("打刻", 2.0), "打刻");
        assert_eq!(letters.fitted("打刻記録", 3.0), "打刻…");
        assert_eq!(letters.fitted("a\nb", 5.0), "a b");
        assert!(letters.width("打刻") > letters.width("ab"));
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
