//! The v1 contract between agents and the server (`POST /api/v1/terminals`, `POST /api/v1/events`).
//!
//! Everything that is signed travels as its exact bytes: a [`Signed`] envelope carries the payload
//! verbatim and the signature is over those bytes, never over a re-serialised copy. The same holds one
//! level down for each event ([`EncodedEvent`]): the JSON text that the agent wrote to its journal is the
//! text that is hashed, sent, stored and, years later, printed.
//!
//! The forms here are for the wire and the disk only; they are converted to and from `mngntime-model` at
//! the edge. Unknown fields are ignored so that a newer peer can add some; a changed meaning needs a v2.

pub mod batch;
pub mod enrollment;
pub mod event;
pub mod keys;
pub mod limits;
pub mod log;
pub mod moment;
mod object;
pub mod problem;
pub mod receipt;
pub mod signed;

pub use batch::{Batch, BatchItem};
pub use enrollment::{EnrollmentAnswer, EnrollmentRequest};
pub use event::{EncodedEvent, InvalidEvent};
pub use keys::{PublicKey, SecretKey, Signer, SigningFailed};
pub use log::{LogHead, LogPlace, LogTree};
pub use moment::MomentV1;
pub use problem::Problem;
pub use receipt::{Receipt, ReceiptItem};
pub use signed::{Context, InvalidEnvelope, SealFailed, Signed};
