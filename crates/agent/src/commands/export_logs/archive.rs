//! The zip itself.

use std::fs::File;
use std::io::Write;

use anyhow::Context;
use mngntime_model::UtcMillis;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::parts::PackedFile;

/// Writes `files` in their order; `time`, in UTC, is the time of every entry.
///
/// # Errors
/// When the disk is full or fails.
pub fn write(file: File, files: &[PackedFile], time: UtcMillis) -> anyhow::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(entry_time(time))
        .unix_permissions(0o600);
    let mut zip = ZipWriter::new(file);
    for packed in files {
        zip.start_file(packed.name.as_str(), options)
            .with_context(|| format!("cannot add {}", packed.name))?;
        zip.write_all(&packed.bytes).with_context(|| format!("cannot add {}", packed.name))?;
    }
    let file = zip.finish().context("cannot finish the zip")?;
    file.sync_all().context("cannot bring the zip to the disk")
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
