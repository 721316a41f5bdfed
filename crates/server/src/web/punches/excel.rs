//! `GET /punches.xlsx`: the list with the same filters and columns as a workbook.
//!
//! Times are real times, user names and codes are texts whatever they look like. A workbook has its directory at its
//! end, so it is written to a temporary file first, row by row in constant memory, and sent from there. A sheet holds
//! 1,048,576 rows; what is more goes onto further sheets, each with the head of the first, so that no file ends early.
//! The audit log has the number of rows, because it is known before the first byte goes out.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use mngntime_model::UtcMillis;
use mngntime_store::{Beside, PageKey, PunchFilter, PunchPage, Scope, Store};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use tempfile::NamedTempFile;
use tokio::io::AsyncReadExt as _;
use tokio::sync::{Semaphore, mpsc};

use super::super::WebState;
use super::super::chrome::Chrome;
use super::super::errors::WebError;
use super::super::session::Visit;
use super::super::times;
use super::columns::{Cell, Columns};
use super::csv::{self, STEP};

/// Workbooks written at the same time: each keeps a thread busy for as long as it takes.
static WRITING: Semaphore = Semaphore::const_new(2);

/// Punches of one sheet: a round number below what a sheet holds.
const SHEET_ROWS: u32 = 1_000_000;

/// Bytes sent at once.
const PIECE: usize = 64 * 1024;
/// Width of every column, in letters.
const WIDTH: f64 = 20.0;

/// The workbook. A query that cannot be understood leads back to the list, which says why.
///
/// # Errors
/// [`WebError`] when the person may not see punches, the store fails, or the file cannot be written.
pub async fn file(State(state): State<WebState>, visit: Visit, uri: Uri) -> Result<Response, WebError> {
    let (export, taken) = match csv::export(&state, visit, &uri, "xlsx").await? {
        Ok(found) => found,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let _permit = WRITING.acquire().await.map_err(|_| WebError::Workbook("no more are written".into()))?;
    let (sender, pages) = mpsc::channel(2);
    let (chrome, columns) = (export.chrome.clone(), export.columns.clone());
    let writer = tokio::task::spawn_blocking(move || write(&chrome, &columns, pages, SHEET_ROWS));
    let rows = feed(export.store, export.scope, export.filter, sender).await?;
    let written = writer.await.map_err(|error| WebError::Workbook(error.into()))?;
    let written = written.map_err(|error| WebError::Workbook(error.into()))?;
    taken.note(state.store.as_ref(), Some(rows)).await?;
    let open =
        tokio::fs::File::open(written.path()).await.map_err(|error| WebError::Workbook(error.into()))?;
    let headers = [
        (
            header::CONTENT_TYPE,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned(),
        ),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", export.name)),
    ];
    // The file is removed when the last piece has been sent, or nobody wants more of it.
    let pieces = stream::try_unfold((open, written), async |(mut open, written)| {
        let mut piece = vec![0; PIECE];
        let read = open.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(piece), (open, written))))
    });
    Ok((headers, Body::from_stream(Box::pin(pieces))).into_response())
}

/// Reads the punches and hands them to the writer, until it wants no more; returns how many there were.
async fn feed(
    store: Arc<dyn Store>,
    scope: Scope,
    filter: PunchFilter,
    sender: mpsc::Sender<PunchPage>,
) -> Result<u64, WebError> {
    let (mut at, mut rows): (Option<Beside<PageKey>>, u64) = (None, 0);
    loop {
        let page = store.list_punches(scope, filter.clone(), at, STEP).await?;
        (at, rows) = (page.further(), rows + page.rows.len() as u64);
        let sent = sender.send(page).await;
        if sent.is_err() || at.is_none() {
            return Ok(rows);
        }
    }
}

/// Why a workbook was not written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("could not make a temporary file")]
    File(#[from] std::io::Error),
    #[error("could not write a workbook")]
    Workbook(#[from] XlsxError),
}

fn write(
    c: &Chrome,
    columns: &Columns,
    mut pages: mpsc::Receiver<PunchPage>,
    sheet_rows: u32,
) -> Result<NamedTempFile, WriteError> {
    let mut workbook = Workbook::new();
    let formats = Formats::new();
    let mut sheet = begin(workbook.add_worksheet_with_constant_memory()?, columns, c, &formats)?;
    let mut row = 0;
    while let Some(page) = pages.blocking_recv() {
        for punch in &page.rows {
            if row == sheet_rows {
                sheet = begin(workbook.add_worksheet_with_constant_memory()?, columns, c, &formats)?;
                row = 0;
            }
            row += 1;
            for (place, cell) in (0_u16..).zip(columns.cells(punch, c)) {
                write_cell(sheet, row, place, &cell, &formats)?;
            }
        }
    }
    let file = NamedTempFile::new()?;
    workbook.save_to_writer(file.reopen()?)?;
    Ok(file)
}

/// How cells look.
struct Formats {
    head: Format,
    plain: Format,
    time: Format,
}

impl Formats {
    fn new() -> Self {
        let plain = Format::new().set_font_name("Yu Gothic");
        let time = plain.clone().set_num_format("yyyy-mm-dd hh:mm:ss");
        Self { head: plain.clone().set_bold(), plain, time }
    }
}

/// The head of a sheet, which stays when it is scrolled.
fn begin<'a>(
    sheet: &'a mut Worksheet,
    columns: &Columns,
    c: &Chrome,
    formats: &Formats,
) -> Result<&'a mut Worksheet, XlsxError> {
    sheet.set_freeze_panes(1, 0)?;
    for (place, text) in (0_u16..).zip(columns.head(c)) {
        sheet.set_column_width(place, WIDTH)?;
        sheet.write_string_with_format(0, place, text, &formats.head)?;
    }
    Ok(sheet)
}

fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    place: u16,
    cell: &Cell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let plain = &formats.plain;
    match cell {
        Cell::Text(text) => sheet.write_string_with_format(row, place, text, plain).map(drop),
        Cell::Time(at) => match excel_time(*at) {
            Ok(at) => sheet.write_datetime_with_format(row, place, &at, &formats.time).map(drop),
            // A clock that was far off: a workbook's calendar begins in 1900.
            Err(_) => sheet.write_string_with_format(row, place, times::full(*at), plain).map(drop),
        },
        Cell::Number(number) => sheet.write_number_with_format(row, place, *number as f64, plain).map(drop),
        Cell::Empty => Ok(()),
    }
}

fn excel_time(at: UtcMillis) -> Result<ExcelDateTime, XlsxError> {
    let at = times::tokyo(at);
    let part = |number: i8| number.unsigned_abs();
    let year = u16::try_from(at.year()).unwrap_or(0);
    ExcelDateTime::from_ymd(year, part(at.month()), part(at.day()))?.and_hms(
        u16::from(part(at.hour())),
        part(at.minute()),
        f64::from(part(at.second())),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use mngntime_model::Language;

    use super::*;
    use crate::web::tests::Site;

    #[tokio::test]
    async fn what_a_sheet_cannot_hold_goes_onto_the_next_one() {
        let site = Site::new().await;
        let terminal = site.terminal("A-1", "PC-1", 1).await;
        site.punches(site.contract, terminal, ("D", "u"), 1..=5).await;
        let (sender, pages) = mpsc::channel(2);
        let rows = feed(site.store.clone(), site.contract.into(), PunchFilter::default(), sender);
        assert_eq!(rows.await.unwrap(), 5);
        let (c, columns) = (Chrome::bare(Language::English), Columns::parse(None));
        let written = tokio::task::spawn_blocking(move || write(&c, &columns, pages, 2)).await.unwrap();
        let mut book = zip::ZipArchive::new(written.unwrap().reopen().unwrap()).unwrap();
        for (number, rows) in [(1, 3), (2, 3), (3, 2)] {
            let mut sheet = String::new();
            let name = format!("xl/worksheets/sheet{number}.xml");
            book.by_name(&name).unwrap().read_to_string(&mut sheet).unwrap();
            assert_eq!(sheet.matches("<row ").count(), rows, "the head stands on sheet {number} too");
            assert!(sheet.contains("state=\"frozen\""), "{sheet}");
        }
        assert!(book.by_name("xl/worksheets/sheet4.xml").is_err());
    }
}
