//! Which places of the adapter have run a statement on PostgreSQL in this process: for the test that all of them do.
//!
//! Statements are partly made of parts, so that no list of them can be prepared; but each is run from some line of the
//! adapter. In builds for development only.

use std::collections::BTreeSet;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

/// File and line.
type Place = (&'static str, u32);

static PLACES: Mutex<BTreeSet<Place>> = Mutex::new(BTreeSet::new());

/// Notes a place.
pub(crate) fn note(place: &'static Location<'static>) {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner).insert((place.file(), place.line()));
}

/// All places so far.
#[must_use]
pub fn places() -> Vec<Place> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
}
