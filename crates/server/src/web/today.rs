//! Today's punches by half hours, for the strip above the list.

use jiff::civil::Date;
use mngntime_store::{DayFigures, SLOTS, Scope, Store, StoreError};

use super::times;

/// A day's punches, added up.
#[derive(Debug, Clone, Copy, Default)]
pub struct Today(pub DayFigures);

impl Today {
    /// Counts the punches of `date` in the scope.
    ///
    /// # Errors
    /// What the store says.
    pub async fn read(store: &dyn Store, scope: Scope, date: Date) -> Result<Self, StoreError> {
        match times::start_of(date) {
            Some(from) => Ok(Self(store.day_figures(scope, from).await?)),
            None => Ok(Self::default()),
        }
    }

    /// Punches of the day.
    #[must_use]
    pub fn punches(&self) -> u64 {
        self.0.logons.iter().sum::<u64>() + self.logoffs()
    }

    /// Logoffs of the day.
    #[must_use]
    pub fn logoffs(&self) -> u64 {
        self.0.logoffs.iter().sum()
    }

    /// The half hour with the most punches, and how many; `None` on a day without punches.
    #[must_use]
    pub fn busiest(&self) -> Option<(usize, u64)> {
        let sums = self.0.logons.iter().zip(&self.0.logoffs).map(|(on, off)| on + off).enumerate();
        sums.filter(|(_, sum)| *sum > 0).max_by_key(|(slot, sum)| (*sum, SLOTS - slot))
    }
}
