//! Reading a request's body within bounds of size, time and the server's memory.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use mngntime_wire::{limits, problem};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Failure;

/// How long a body may take, in all. A full batch of 64 KiB passes a 56 kbit/s line in 10 s.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// Bytes of bodies that may be held at the same time, as far as bodies are [`ORDINARY_BYTES`] long: a thousand full batches
/// of ordinary events. Whoever only announces bytes takes no room, so that a slow sender keeps nobody out.
const ROOM_BYTES: usize = 48 * 1024 * 1024;

/// Bytes of a full batch of ordinary events, see [`limits::BATCH_EVENTS_MAX`].
const ORDINARY_BYTES: usize = 64 * 1024;

/// Bytes beyond [`ORDINARY_BYTES`] that may be held at the same time: a few dozen senders of long bodies can keep out each
/// other, but no ordinary batch.
const LONG_ROOM_BYTES: usize = 16 * 1024 * 1024;

const _: () = assert!(ROOM_BYTES <= Semaphore::MAX_PERMITS && limits::BODY_BYTES_MAX <= u32::MAX as usize);

/// Room for the bodies of requests that are being taken in.
#[derive(Debug, Clone)]
pub struct BodyRoom {
    ordinary: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

impl Default for BodyRoom {
    fn default() -> Self {
        Self::of(ROOM_BYTES, LONG_ROOM_BYTES)
    }
}

impl BodyRoom {
    fn of(ordinary_bytes: usize, long_bytes: usize) -> Self {
        let room = |bytes| Arc::new(Semaphore::new(bytes));
        Self { ordinary: room(ordinary_bytes), long: room(long_bytes) }
    }
}

/// The room that a body takes, until this is dropped.
#[derive(Debug, Default)]
pub struct BodyHeld {
    bytes: usize,
    ordinary: Option<OwnedSemaphorePermit>,
    long: Option<OwnedSemaphorePermit>,
}

impl BodyHeld {
    fn grow(&mut self, room: &BodyRoom, bytes: usize) -> Result<(), Failure> {
        let ordinary = bytes.min(ORDINARY_BYTES.saturating_sub(self.bytes));
        take(&room.ordinary, ordinary, &mut self.ordinary)?;
        take(&room.long, bytes - ordinary, &mut self.long)?;
        self.bytes += bytes;
        Ok(())
    }
}

/// Takes `bytes` of a room and adds them to what is held of it.
fn take(room: &Arc<Semaphore>, bytes: usize, held: &mut Option<OwnedSemaphorePermit>) -> Result<(), Failure> {
    if bytes == 0 {
        return Ok(());
    }
    let permits = u32::try_from(bytes).map_err(|_| too_large())?;
    let more = room.clone().try_acquire_many_owned(permits).map_err(|_| Failure::overloaded())?;
    match held {
        Some(held) => held.merge(more),
        none => *none = Some(more),
    }
    Ok(())
}

/// The body of a request that must be JSON of at most [`limits::BODY_BYTES_MAX`] bytes, and the room that it takes.
///
/// # Errors
/// 415, 413, 408, 400, or 503 when there is no room.
pub async fn read_json(request: Request, room: &BodyRoom) -> Result<(Bytes, BodyHeld), Failure> {
    let (parts, body) = request.into_parts();
    check_media_type(&parts.headers)?;
    check_announced_length(&parts.headers)?;
    tokio::time::timeout(BODY_TIME_MAX, collect(body, room)).await.map_err(|_| too_slow())?
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Failure> {
    let found = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = found.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(problem::JSON) {
        return Ok(());
    }
    let message = "The body must be JSON: send Content-Type: application/json.";
    Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message))
}

/// Refuses before reading what says itself that it is too large.
fn check_announced_length(headers: &HeaderMap) -> Result<(), Failure> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced: Option<usize> = announced.and_then(|text| text.parse().ok());
    if announced.is_some_and(|bytes| bytes > limits::BODY_BYTES_MAX) { Err(too_large()) } else { Ok(()) }
}

async fn collect(mut body: Body, room: &BodyRoom) -> Result<(Bytes, BodyHeld), Failure> {
    let (mut all, mut held) = (Vec::new(), BodyHeld::default());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Failure::bad_request("broken_body", "The body ended before it was complete.").caused_by(error)
        })?;
        // What is no data are trailers, which say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if all.len() + data.len() > limits::BODY_BYTES_MAX {
            return Err(too_large());
        }
        held.grow(room, data.len())?;
        all.extend_from_slice(&data);
    }
    Ok((all.into(), held))
}

fn too_large() -> Failure {
    let message =
        format!("The body is larger than the {} bytes allowed. Send fewer events.", limits::BODY_BYTES_MAX);
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}

fn too_slow() -> Failure {
    let message = format!("The body took longer than {} seconds.", BODY_TIME_MAX.as_secs());
    Failure::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(bytes: usize) -> Request {
        Request::post("/")
            .header("content-type", "application/json")
            .body(Body::from(vec![b'x'; bytes]))
            .unwrap()
    }

    /// What is left of both rooms.
    fn left(room: &BodyRoom) -> (usize, usize) {
        (room.ordinary.available_permits(), room.long.available_permits())
    }

    #[tokio::test]
    async fn without_room_a_body_is_refused_and_takes_none() {
        let room = BodyRoom::of(10, 0);
        let (bytes, held) = read_json(request(8), &room).await.unwrap();
        assert_eq!((bytes.len(), left(&room)), (8, (2, 0)));
        let refused = read_json(request(3), &room).await.unwrap_err();
        assert_eq!((refused.status(), left(&room)), (StatusCode::SERVICE_UNAVAILABLE, (2, 0)));
        drop(held);
        assert_eq!(left(&room), (10, 0));
        assert!(read_json(request(3), &room).await.is_ok());
    }

    #[tokio::test]
    async fn long_bodies_keep_out_each_other_and_no_ordinary_one() {
        let room = BodyRoom::of(3 * ORDINARY_BYTES, ORDINARY_BYTES);
        let (_, long) = read_json(request(2 * ORDINARY_BYTES), &room).await.unwrap();
        assert_eq!(left(&room), (2 * ORDINARY_BYTES, 0));
        let refused = read_json(request(ORDINARY_BYTES + 1), &room).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        let ordinary = read_json(request(ORDINARY_BYTES), &room).await.unwrap();
        assert_eq!(left(&room), (ORDINARY_BYTES, 0));
        drop((long, ordinary));
        assert_eq!(left(&room), (3 * ORDINARY_BYTES, ORDINARY_BYTES));
    }
}
