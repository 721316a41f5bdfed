//! What a terminal sends: `POST /api/v1/events`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{MomentV1, object};

/// A batch of events, oldest first. An empty one is a sign of life. Signed by the terminal's key
/// ([`crate::Context::Batch`]).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Batch {
    /// Always 1.
    pub v: u32,
    /// 契約主コード of the terminal's configuration.
    pub contract: String,
    /// The terminal's id, as given at enrolment.
    pub terminal: String,
    /// All clocks at the moment of sending: the server derives the clock offset from them.
    #[serde(deserialize_with = "object::one")]
    pub sent_at: MomentV1,
    /// The OS run in which the batch is sent.
    pub boot: String,
    /// Events on the PC that have no receipt yet, those of this batch included.
    pub waiting: u64,
    /// Digest of what the PC is made of (machine id, hardware id), as at enrolment unless it has changed.
    pub makeup: String,
    /// Version of the agent.
    pub agent: String,
    /// At most [`crate::limits::BATCH_EVENTS_MAX`].
    #[serde(deserialize_with = "object::list")]
    pub events: Vec<BatchItem>,
}

/// One event of a batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchItem {
    /// 再送: sending has been tried before, or the event was recorded by an earlier run of the agent.
    pub resent: bool,
    /// The event's exact bytes (see `EventV1`).
    #[cfg_attr(feature = "openapi", schema(value_type = crate::event::EventV1))]
    pub event: Box<RawValue>,
}
