//! Today's punches, for the strip above the list and the first punch of each employee.
//!
//! The store counts, but does not yet say how punches lie over the day; so the day is read, up to [`ROWS_MAX`]
//! punches. A contract with more gets the numbers without the picture.

use std::collections::HashMap;

use jiff::civil::Date;
use mngntime_model::{EventKind, PunchResult, UtcMillis};
use mngntime_store::{EmployeeId, Punch, PunchFilter, Scope, Store, StoreError};

use super::times;

/// Punches read at most.
pub const ROWS_MAX: usize = 4_000;
const STEP: usize = 1_000;

/// Half hours of a day.
pub const SLOTS: usize = 48;

/// A day's punches, added up.
#[derive(Debug, Clone)]
pub struct Today {
    /// Logons per half hour.
    pub logons: [u64; SLOTS],
    /// Logoffs per half hour.
    pub logoffs: [u64; SLOTS],
    /// Punches with an error per half hour.
    pub errors: [u64; SLOTS],
    /// First punch of each employee.
    pub first: HashMap<EmployeeId, UtcMillis>,
    /// Whether the whole day was read.
    pub complete: bool,
}

impl Default for Today {
    fn default() -> Self {
        Self {
            logons: [0; SLOTS],
            logoffs: [0; SLOTS],
            errors: [0; SLOTS],
            first: HashMap::new(),
            complete: true,
        }
    }
}

impl Today {
    /// Reads the punches of `date` in the scope.
    ///
    /// # Errors
    /// What the store says.
    pub async fn read(store: &dyn Store, scope: Scope, date: Date) -> Result<Self, StoreError> {
        let filter =
            PunchFilter { from: times::start_of(date), until: times::end_of(date), ..PunchFilter::default() };
        let (mut today, mut after, mut read) = (Self::default(), None, 0);
        loop {
            let page = store.list_punches(scope, filter.clone(), after, STEP).await?;
            read += page.punches.len();
            page.punches.iter().for_each(|punch| today.add(punch));
            after = page.next;
            if after.is_none() || read >= ROWS_MAX {
                today.complete = after.is_none();
                return Ok(today);
            }
        }
    }

    fn add(&mut self, punch: &Punch) {
        let time = times::tokyo(punch.occurred_at);
        let slot = usize::from(time.hour().unsigned_abs()) * 2 + usize::from(time.minute() >= 30);
        let slot = slot.min(SLOTS - 1);
        if punch.kind == EventKind::Logon {
            self.logons[slot] += 1
        } else {
            self.logoffs[slot] += 1
        }
        if punch.result != PunchResult::Accepted {
            self.errors[slot] += 1;
        }
        if let Some(employee) = punch.employee {
            let first = self.first.entry(employee).or_insert(punch.occurred_at);
            *first = punch.occurred_at.min(*first);
        }
    }

    /// Logoffs of the day.
    #[must_use]
    pub fn logoffs(&self) -> u64 {
        self.logoffs.iter().sum()
    }

    /// The half hour with the most punches, and how many; `None` on a day without punches.
    #[must_use]
    pub fn busiest(&self) -> Option<(usize, u64)> {
        let sums = self.logons.iter().zip(&self.logoffs).map(|(on, off)| on + off).enumerate();
        sums.filter(|(_, sum)| *sum > 0).max_by_key(|(slot, sum)| (*sum, SLOTS - slot))
    }
}
