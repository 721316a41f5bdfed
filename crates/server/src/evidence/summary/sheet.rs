//! Marks become a PDF file.
//!
//! The file is PDF/A-2u, which archives take and readers of later decades can show: all letters are in it, text can be
//! searched and copied, nothing is in colour. A font whose licence or form forbids that still gives a file, without the
//! claim. The same marks give the same bytes.

use krilla::configure::{Archival, Configuration, ConfigurationBuilder};
use krilla::error::KrillaError;
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::{Document, SerializeSettings};
use mngntime_model::UtcMillis;

use super::super::lettering::Letters;
use super::SummaryError;
use super::paper::{Mark, PAGE};
use crate::web::times::tokyo;

/// How much wider the strokes of a bold letter are, in ems. The font has one weight; so it is on every host.
const BOLDER: f32 = 0.028;

/// What a reader of the file is told without opening its pages.
pub(super) struct About {
    /// Its title.
    pub title: String,
    /// When it was made.
    pub made_at: UtcMillis,
}

/// The file of these pages.
///
/// # Errors
/// [`SummaryError::Pdf`].
pub(super) fn write(
    pages: &[Vec<Mark>],
    about: &About,
    letters: &Letters<'_>,
) -> Result<Vec<u8>, SummaryError> {
    let archival = ConfigurationBuilder::new().with_archival_validator(Archival::A2_U).finish();
    let archival = archival.map_err(|error| SummaryError::Pdf(format!("{error:?}")))?;
    let written = match file(pages, about, letters, archival)? {
        Err(KrillaError::Validation(_)) => file(pages, about, letters, Configuration::default())?,
        written => written,
    };
    written.map_err(|error| SummaryError::Pdf(format!("{error:?}")))
}

fn file(
    pages: &[Vec<Mark>],
    about: &About,
    letters: &Letters<'_>,
    configuration: Configuration,
) -> Result<Result<Vec<u8>, KrillaError>, SummaryError> {
    let settings =
        PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| SummaryError::Pdf("no A4".to_owned()))?;
    let mut document =
        Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    document.set_metadata(metadata(about));
    for marks in pages {
        let mut page = document.start_page_with(settings.clone());
        let mut surface = page.surface();
        for mark in marks {
            draw(mark, &mut surface, letters);
        }
        surface.finish();
        page.finish();
    }
    Ok(document.finish())
}

fn metadata(about: &About) -> Metadata {
    let made = tokyo(about.made_at);
    let number = |value: i8| u8::try_from(value).unwrap_or_default();
    let made = DateTime::new(u16::try_from(made.year()).unwrap_or_default())
        .month(number(made.month()))
        .day(number(made.day()))
        .hour(number(made.hour()))
        .minute(number(made.minute()))
        .second(number(made.second()))
        .utc_offset_hour(9)
        .utc_offset_minute(0);
    Metadata::new()
        .title(about.title.clone())
        .language("ja".to_owned())
        .creator(format!("MngnTime {}", env!("CARGO_PKG_VERSION")))
        .creation_date(made)
}

fn draw(mark: &Mark, surface: &mut Surface<'_>, letters: &Letters<'_>) {
    match mark {
        Mark::Letters { x, y, size, bold, text } => {
            let black = krilla::color::luma::Color::black();
            surface.set_fill(Some(Fill::default()));
            let width = size * BOLDER;
            surface.set_stroke(bold.then(|| Stroke { paint: black.into(), width, ..Stroke::default() }));
            let glyphs = letters.glyphs(text);
            surface.draw_glyphs(Point::from_xy(*x, *y), &glyphs, letters.font(), text, *size, false);
        }
        Mark::Shade { x, y, width, height, shade } => {
            if let Some(path) = rectangle((*x, *y), (*width, *height)) {
                let paint = krilla::color::luma::Color::new(*shade).into();
                surface.set_stroke(None);
                surface.set_fill(Some(Fill { paint, ..Fill::default() }));
                surface.draw_path(&path);
            }
        }
    }
}

fn rectangle((x, y): (f32, f32), (width, height): (f32, f32)) -> Option<Path> {
    let mut path = PathBuilder::new();
    path.push_rect(Rect::from_xywh(x, y, width, height)?);
    path.finish()
}
