//! All clocks of a PC at one instant, on the wire.

use mngntime_model::{Moment, UtcMillis};
use serde::{Deserialize, Serialize};

/// Wire form of [`Moment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MomentV1 {
    /// Wall clock, milliseconds since 1970-01-01T00:00:00Z.
    pub wall: i64,
    /// Offset of local time from UTC in seconds, east positive.
    pub offset: i32,
    /// Milliseconds since boot, sleep included.
    pub biased: u64,
    /// Milliseconds since boot, sleep not included.
    pub unbiased: u64,
}

impl From<Moment> for MomentV1 {
    fn from(moment: Moment) -> Self {
        Self {
            wall: moment.wall.0,
            offset: moment.offset_seconds,
            biased: moment.biased_ms,
            unbiased: moment.unbiased_ms,
        }
    }
}

impl From<MomentV1> for Moment {
    fn from(moment: MomentV1) -> Self {
        Self {
            wall: UtcMillis(moment.wall),
            offset_seconds: moment.offset,
            biased_ms: moment.biased,
            unbiased_ms: moment.unbiased,
        }
    }
}
