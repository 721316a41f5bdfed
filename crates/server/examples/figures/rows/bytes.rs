//! What an event takes on the disk, with indexes, its leaf in the log, the terminal's signature and the receipt.

use anyhow::{Context as _, Result};

use super::super::figure::{Figure, Goal};
use super::super::served::{Place, Served, maximum};
use super::super::setting::{Bench, Kind, bytes_in};

pub fn on_disk(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in [Kind::Postgres, Kind::Sqlite] {
        for batch in [1, 20, 100] {
            figures.push(of_batch(bench, kind, batch)?);
        }
    }
    Ok(figures)
}

fn of_batch(bench: &Bench, kind: Kind, batch: usize) -> Result<Figure> {
    // So few terminals that what they take themselves does not count.
    let (served, mut terminals) = Served::start(bench, kind, bench.pick(64, 256))?;
    let place = served.stop()?;
    let before = bytes(bench, &place)?;
    let served = Served::on(bench, place)?;
    let report = served.load(&mut terminals, &maximum(bench, bench.pick(8, 64), batch))?;
    let place = served.stop()?;
    let after = bytes(bench, &place)?;
    place.drop_database(bench);
    let events = report.main.stored_events as f64;
    let each = after.saturating_sub(before) as f64 / events;
    let name = format!("bytes on disk for each event, batches of {batch}, {}", kind.name());
    Ok(Figure::of(name, "bytes", &[each])
        .beside("bytes of the requests' bodies", &[report.main.body_bytes as f64 / events])
        .with_goal(Goal::TimesAtMost(1.5))
        .with_note(format!("{events:.0} events")))
}

/// Of the database alone, with nothing left in its write-ahead log.
fn bytes(bench: &Bench, place: &Place) -> Result<u64> {
    if let Some((name, _)) = &place.database {
        bench.cluster().ask(name, "CHECKPOINT");
        let size = bench.cluster().ask(name, "SELECT pg_database_size(current_database())");
        return size.parse().with_context(|| format!("{size} is no size"));
    }
    let file = place.directory.path().join(mngntime_store::sqlite::DATABASE_FILE);
    rusqlite::Connection::open(&file)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(bytes_in(place.directory.path())?)
}
