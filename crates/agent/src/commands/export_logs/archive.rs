//! The zip itself.

use std::io::{Cursor, Write};

use anyhow::Context;
use mngntime_model::UtcMillis;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::parts::PackedFile;

/// The zip of `files` in their order; `time`, in UTC, is the time of every entry. It is made in memory, where
/// the files are anyway, so that a full disk meets one plain write.
///
/// # Errors
/// When a name or a size is beyond what a zip can hold.
pub fn pack(files: &[PackedFile], time: UtcMillis) -> anyhow::Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(entry_time(time))
        .unix_permissions(0o600);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for packed in files {
        zip.start_file(packed.name.as_str(), options)
            .with_context(|| format!("cannot pack {}", packed.name))?;
        zip.write_all(&packed.bytes).with_context(|| format!("cannot pack {}", packed.name))?;
    }
    Ok(zip.finish().context("cannot finish the zip")?.into_inner())
}

/// A zip knows times from 1980 on, in steps of two seconds; a PC whose clock shows less gets the earliest.
fn entry_time(time: UtcMillis) -> DateTime {
    let civil = jiff::Timestamp::from_millisecond(time.0)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .datetime();
    let part = |number: i8| u8::try_from(number).unwrap_or(0);
    DateTime::from_date_and_time(
        u16::try_from(civil.year()).unwrap_or(0),
        part(civil.month()),
        part(civil.day()),
        part(civil.hour()),
        part(civil.minute()),
        part(civil.second()),
    )
    .unwrap_or_default()
}
